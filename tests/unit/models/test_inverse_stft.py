"""The inverse short-time Fourier transform: against `torch.istft`, and as the inverse of a transform written out."""

import numpy as np
import pytest
import torch
from closeness import assert_close

from vocoder_pareto.models.inverse_stft import InverseSTFT

SIZES = [(1024, 256), (16, 4), (48, 16), (12, 4)]  # n_fft and hop


def spectra_of(frames, n_fft, kind=torch.complex128):
    return torch.randn(2, frames, n_fft // 2 + 1, dtype=kind)


def official(spectra, n_fft, hop_length, samples):
    window = torch.hann_window(n_fft, dtype=spectra.real.dtype)
    return torch.istft(spectra.transpose(1, 2), n_fft, hop_length, window=window, length=samples)


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("kind", [torch.complex64, torch.complex128])
def test_centred_frames_give_what_torch_gives_one_hop_beyond_the_last_centre_too(n_fft, hop_length, frames, kind):
    spectra, samples = spectra_of(frames, n_fft, kind), frames * hop_length
    audio = InverseSTFT(n_fft, hop_length)(spectra, samples)
    assert audio.dtype == spectra.real.dtype
    assert_close(audio, official(spectra, n_fft, hop_length, samples), factor=256)  # over windows down to a quarter


def test_the_gradient_is_that_of_torch():
    n_fft, hop_length, frames = 16, 4, 6
    gradients = []
    spectra, weights = spectra_of(frames, n_fft), torch.randn(2, frames * hop_length, dtype=torch.float64)
    for inverse in (InverseSTFT(n_fft, hop_length), lambda each, samples: official(each, n_fft, hop_length, samples)):
        leaf = spectra.clone().requires_grad_()
        (inverse(leaf, frames * hop_length) * weights).sum().backward()
        gradients.append(torch.view_as_real(leaf.grad))
    assert_close(*gradients, factor=256)


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
@pytest.mark.parametrize("centred", [True, False])
def test_a_signal_comes_back_from_its_spectra(n_fft, hop_length, centred):
    """Zeros beyond its ends; the first frame on the first sample, or on the middle of the first hop. By NumPy."""
    frames = 9
    signal = np.random.default_rng(1).standard_normal(frames * hop_length)
    before = n_fft // 2 if centred else (n_fft - hop_length) // 2
    padded = np.pad(signal, (before, n_fft))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    cut = [padded[place * hop_length : place * hop_length + n_fft] for place in range(frames)]
    spectra = torch.from_numpy(np.fft.rfft(np.array(cut) * window))[None]
    audio = InverseSTFT(n_fft, hop_length, centred)(spectra, len(signal))
    assert_close(audio[0], signal, factor=256)


@pytest.mark.parametrize(("n_fft", "hop_length"), [(1000, 256), (512, 256), (9, 3), (100, 30)])
def test_frames_that_do_not_cover_the_signal_evenly_are_refused(n_fft, hop_length):
    with pytest.raises(ValueError, match=rf"n_fft is {n_fft}; must be even and .* hops of its frames \({hop_length}\)"):
        InverseSTFT(n_fft, hop_length)


def test_its_window_is_no_weight_and_keeps_its_precision():
    inverse = InverseSTFT(16, 4)
    assert not inverse.state_dict()
    assert InverseSTFT(16, 4).float().double().window.dtype == torch.float64
    expected = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    assert_close(inverse.window, expected, factor=8)


def test_tensors_without_content_pass_through_it():
    audio = InverseSTFT(16, 4).to("meta")(torch.empty(3, 5, 9, dtype=torch.complex64, device="meta"), 20)
    assert audio.shape == (3, 20)
