import subprocess
import sys

import librosa
import numpy as np
import pytest
import torch
from seeds import seed_of

from vocoder_pareto.quality.spectral_distance import d_stft

CLIP_SAMPLES = 16384


@pytest.fixture
def clip():
    return np.random.default_rng(seed_of(0)).normal(scale=0.1, size=CLIP_SAMPLES).astype(np.float32)


@pytest.fixture
def other_clip():
    return np.random.default_rng(seed_of(1)).normal(scale=0.05, size=CLIP_SAMPLES).astype(np.float32)


def distance_of_spectra(reference, estimate):
    return np.mean(np.abs(np.log(1 + np.abs(reference) ** 2) - np.log(1 + np.abs(estimate) ** 2)))


def test_equal_signals_have_distance_zero(clip):
    assert d_stft(clip, clip.copy()) == 0.0


def test_distance_is_symmetric(clip, other_clip):
    assert d_stft(clip, other_clip) == d_stft(other_clip, clip) > 0


def distance_by_definition(reference, estimate):
    """D_STFT written out: reflected samples looked up one by one, and a discrete Fourier transform as a matrix."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(1024), np.arange(513)) / 1024)

    def spectra(signal):
        last = len(signal) - 1
        places = [abs((place + last) % (2 * last) - last) if last else 0 for place in range(-512, len(signal) + 512)]
        reflected = np.asarray(signal, float)[places]
        starts = range(0, len(signal) + 1, 256)
        return np.array([window * reflected[start : start + 1024] for start in starts]) @ waves

    return distance_of_spectra(spectra(reference), spectra(estimate))


@pytest.mark.parametrize("length", [CLIP_SAMPLES, 5000, 1023, 513, 512, 300, 2, 1])
def test_distance_equals_its_definition_on_noise_of_any_length(clip, other_clip, length):
    reference, estimate = clip[:length], other_clip[:length]
    assert d_stft(reference, estimate) == pytest.approx(distance_by_definition(reference, estimate), rel=1e-9)


@pytest.mark.parametrize("peak", [1.0, 0.01])
def test_distance_equals_its_definition_on_speech_and_its_disturbances(speech, noisy_speech, peak):
    """Of speech to noisy, quieter, shifted and phase-disturbed speech, loud and near silence."""
    spectrum = np.fft.rfft(speech)
    turned = np.fft.irfft(spectrum * np.exp(2j * np.random.default_rng(seed_of(2)).uniform(-1, 1, len(spectrum))))
    for estimate in (noisy_speech, 0.8 * speech, np.roll(speech, 40), turned, np.zeros_like(speech)):
        pair = (peak * speech, peak * estimate)
        assert d_stft(*pair) == pytest.approx(distance_by_definition(*pair), rel=1e-9)


def test_distance_is_that_of_the_study_authors_code(speech, noisy_speech, clip, other_clip):
    """Which leaves the ends to the default of `torch.stft`, another implementation."""

    def spectrum(signal):
        return torch.stft(torch.from_numpy(signal).double(), 1024, 256, 1024, torch.hann_window(1024).double(),
                          return_complex=True).numpy()  # fmt: skip

    for reference, estimate in [(speech, noisy_speech), (clip, other_clip), (speech, other_clip)]:
        expected = distance_of_spectra(spectrum(reference), spectrum(estimate))
        assert d_stft(reference, estimate) == pytest.approx(expected, rel=1e-6)  # its window is that of float32


def test_distance_equals_the_definition_on_librosa_spectra(clip, other_clip):
    settings = {"n_fft": 1024, "hop_length": 256, "window": "hann", "center": True, "pad_mode": "reflect"}
    spectra = [librosa.stft(signal.astype(float), **settings) for signal in (clip, other_clip)]
    assert d_stft(clip, other_clip) == pytest.approx(distance_of_spectra(*spectra), rel=1e-10)


def test_zeros_beyond_the_ends_would_make_the_distance_of_noises_smaller(clip, other_clip):
    """By a percent or two: what makes this distance another than that of librosa's default."""
    spectra = [librosa.stft(signal.astype(float), n_fft=1024, hop_length=256) for signal in (clip, other_clip)]
    assert 0.97 < distance_of_spectra(*spectra) / d_stft(clip, other_clip) < 0.999


def test_distance_of_an_impulse_to_silence_is_the_mean_log_window_power():
    # The spectrum of an impulse at sample 512 is flat: the window's value at the impulse, in every bin of a frame.
    impulse = np.zeros(1025)
    impulse[512] = 1.0
    window = np.hanning(1025)[:-1]
    centres = np.arange(0, 1025, 256)
    values = [window[512 - centre + 512] if 0 <= 512 - centre + 512 < 1024 else 0.0 for centre in centres]
    assert d_stft(impulse, np.zeros(1025)) == pytest.approx(np.mean(np.log(1 + np.square(values))), rel=1e-9)


def test_two_silences_have_distance_zero():
    assert d_stft(np.zeros(CLIP_SAMPLES), np.zeros(CLIP_SAMPLES)) == 0.0


def test_unequal_lengths_are_refused_with_both_lengths(clip):
    with pytest.raises(ValueError, match="16384 samples and estimate 16000"):
        d_stft(clip, clip[:16000])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (np.zeros(0), "at least one sample"),
        (np.zeros((2, 100)), "one channel"),
        (np.array([0.0, np.nan]), "NaN or infinity"),
        (np.array([0.0, np.inf]), "NaN or infinity"),
    ],
)
def test_signals_that_have_no_distance_are_refused(broken, message):
    with pytest.raises(ValueError, match=message):
        d_stft(broken, broken)


def test_module_imports_neither_torch_nor_librosa():
    code = "import sys, vocoder_pareto.quality.spectral_distance; print({'torch', 'librosa'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="workflow_scripts"
    )
    assert done.stdout.strip() == "set()"
