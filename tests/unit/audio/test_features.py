"""What vocoders take in equals, to 1e-5, what the library of each published vocoder makes of the same samples.

Where that library can be installed its numbers are stored, see tests/data/front_ends/write_references.py; the others
are written out here from their definition, with librosa or torchaudio, which these libraries call themselves.
"""

import sys
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
import torchaudio

from vocoder_pareto.audio.features import features
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings, GivenNormalization

DATA = Path(__file__).parents[2] / "data" / "front_ends"
sys.path.insert(0, str(DATA))
from signal_of_test import signal_of_test  # noqa: E402

TOLERANCE = 1e-5
STORED = ("hifigan_22k", "bigvgan_24k", "waveglow_22k", "vocos_24k", "speecht5_16k")
PER_BAND = GivenNormalization(tuple(np.linspace(-3, -1, 80).tolist()), tuple(np.linspace(0.5, 2, 80).tolist()))


def values_of(samples, front_end):
    return features(torch.from_numpy(samples), front_end).numpy()


def paper(samples):
    """librosa's mel-spectrogram, log(1 + power)."""
    power = np.abs(librosa.stft(samples, n_fft=2048, hop_length=256, pad_mode="reflect")) ** 2
    return np.log1p(librosa.feature.melspectrogram(S=power, sr=16000, n_mels=80))


def melgan(samples):
    """`Audio2Mel` of mel2wav/modules.py in github.com/descriptinc/melgan-neurips."""
    padded = np.pad(samples, 384, mode="reflect")
    spectrum = librosa.stft(padded, n_fft=1024, hop_length=256, center=False)
    mel = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80) @ np.abs(spectrum)
    return np.log10(np.maximum(mel, 1e-5))


def lmnt(samples, **settings):
    """`transform` of preprocess.py in github.com/lmnt-com/diffwave and wavegrad."""
    mel = torchaudio.transforms.MelSpectrogram(f_min=20.0, power=1.0, normalized=True, **settings)
    decibels = 20 * torch.log10(mel(torch.from_numpy(samples)).clamp(min=1e-5)) - 20
    return ((decibels + 100) / 100).clamp(0, 1).numpy()


def diffwave(samples):
    return lmnt(samples, sample_rate=22050, n_fft=1024, win_length=1024, hop_length=256, n_mels=80)


def wavegrad(samples):
    return lmnt(samples, sample_rate=24000, n_fft=2048, win_length=1200, hop_length=300, n_mels=128)


def parallel_wavegan(samples):
    """`logmelfilterbank` of parallel_wavegan/bin/preprocess.py in github.com/kan-bayashi/ParallelWaveGAN."""
    spectrum = np.abs(librosa.stft(samples, n_fft=1024, hop_length=256, pad_mode="reflect"))
    mel = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=80, fmax=7600) @ spectrum
    values = np.log10(np.maximum(1e-10, mel))
    return (values - np.array(PER_BAND.mean)[:, None]) / np.array(PER_BAND.scale)[:, None]


def speechbrain(samples):
    """`mel_spectogram` of speechbrain/lobes/models/HifiGAN.py with the settings of recipes/LibriTTS/vocoder/hifigan."""
    mel = torchaudio.transforms.MelSpectrogram(
        sample_rate=16000, hop_length=256, win_length=1024, n_fft=1024, n_mels=80, f_min=0.0, f_max=8000.0, power=1,
        normalized=False, norm="slaney", mel_scale="slaney",
    )  # fmt: skip
    return mel(torch.from_numpy(samples)).clamp(min=1e-5).log().numpy()


WRITTEN_OUT = {
    "paper": paper, "melgan_22k": melgan, "diffwave_22k": diffwave, "wavegrad_24k": wavegrad,
    "parallel_wavegan_22k": parallel_wavegan, "speechbrain_16k": speechbrain,
}  # fmt: skip


def built_in(name):
    return replace(BUILT_IN[name], normalization=PER_BAND) if name == "parallel_wavegan_22k" else BUILT_IN[name]


def test_every_built_in_front_end_has_a_reference():
    assert {*STORED, *WRITTEN_OUT} == set(BUILT_IN)


@pytest.mark.parametrize("name", STORED)
def test_a_built_in_front_end_equals_its_own_library(name):
    expected = np.load(DATA / "references.npz")[name][:, :12]
    found = values_of(signal_of_test(3072), BUILT_IN[name])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", WRITTEN_OUT)
@pytest.mark.parametrize("amplitude", [1.0, 0.01])
def test_a_built_in_front_end_equals_what_its_authors_compute(name, amplitude):
    samples = (amplitude * signal_of_test(12 * BUILT_IN[name].hop_length)).astype(np.float32)
    found = values_of(samples, built_in(name))
    assert found.shape == (BUILT_IN[name].n_mels, 12)
    assert np.abs(found - WRITTEN_OUT[name](samples)[:, :12]).max() < TOLERANCE


@pytest.mark.parametrize("name", BUILT_IN)
def test_silence_has_finite_features(name):
    assert np.isfinite(values_of(np.zeros(12 * BUILT_IN[name].hop_length, np.float32), built_in(name))).all()


def test_front_ends_are_not_alike():
    """So a vocoder that is fed by that of another hears something else: the largest difference is no rounding."""
    samples = signal_of_test(3072)
    of_hifigan, of_waveglow = (values_of(samples, BUILT_IN[name]) for name in ("hifigan_22k", "waveglow_22k"))
    assert np.abs(of_hifigan - of_waveglow).max() > 0.1  # the same but for padding, half a frame apart


@pytest.mark.parametrize("padding", ["center_zeros", "center_reflect", "reflect"])
def test_each_frame_becomes_hop_length_samples(padding):
    front_end = FrontEndSettings(n_fft=1024, win_length=800, hop_length=200, padding=padding)
    assert values_of(signal_of_test(4000), front_end).shape == (80, 20)


def test_leading_dimensions_are_kept():
    audio = torch.from_numpy(signal_of_test(6 * 3072)).reshape(2, 3, 3072)
    together = features(audio, BUILT_IN["hifigan_22k"])
    assert together.shape == (2, 3, 80, 12)
    assert torch.allclose(together[1, 2], features(audio[1, 2], BUILT_IN["hifigan_22k"]), atol=1e-6)


@pytest.mark.parametrize("name", ["paper", "hifigan_22k", "diffwave_22k"])
def test_gradients_are_right(name):
    small = {"sample_rate": 800, "n_fft": 32, "win_length": None, "hop_length": 16, "n_mels": 5, "fmin": 0.0}
    front_end = replace(BUILT_IN[name], **small, fmax=None)
    audio = torch.randn(2, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(5), requires_grad=True)
    assert torch.autograd.gradcheck(lambda samples: features(samples, front_end), audio)


def test_numbers_that_a_checkpoint_must_bring_are_asked_for():
    with pytest.raises(ValueError, match="no mean and scale"):
        values_of(signal_of_test(3072), BUILT_IN["parallel_wavegan_22k"])
