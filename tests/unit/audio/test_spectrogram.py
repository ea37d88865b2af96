from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.audio.features import features, min_max_normalized, ranges_of
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings

PAPER = FrontEndSettings()
FRAMES = 32


def librosa_log_mel(samples, front_end):
    mel = librosa.feature.melspectrogram(
        y=samples,
        sr=front_end.sample_rate,
        n_fft=front_end.n_fft,
        hop_length=front_end.hop_length,
        n_mels=front_end.n_mels,
        pad_mode="reflect",  # the default of librosa 0.8.1, by which the paper's spectrograms were made
    )
    return np.log1p(mel)[:, : len(samples) // front_end.hop_length]


def hifigan_log_mel(samples, front_end):
    """ln(max(mel magnitude, 1e-5)) from its definition, in NumPy with the filters of librosa."""
    n_fft, hop_length = front_end.n_fft, front_end.hop_length
    reflected = np.pad(samples.astype(float), (n_fft - hop_length) // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    starts = range(0, len(samples) - hop_length + 1, hop_length)
    spectra = np.fft.rfft([window * reflected[start : start + n_fft] for start in starts])
    magnitude = np.sqrt(spectra.real**2 + spectra.imag**2 + 1e-9)
    filters = librosa.filters.mel(sr=front_end.sample_rate, n_fft=n_fft, n_mels=front_end.n_mels)
    return np.log(np.maximum(filters @ magnitude.T, 1e-5))


@pytest.mark.parametrize(
    "front_end",
    [
        PAPER,
        FrontEndSettings(sample_rate=22050, n_fft=1024, hop_length=256, n_mels=80),
        FrontEndSettings(sample_rate=8000, n_fft=512, hop_length=100, n_mels=40),
    ],
)
@pytest.mark.parametrize("amplitude", [1.0, 1e-3])
def test_log_mels_equal_those_of_librosa(noise, front_end, amplitude):
    samples = amplitude * noise(FRAMES * front_end.hop_length)
    log_mel = features(torch.from_numpy(samples), front_end).numpy()
    assert log_mel.shape == (front_end.n_mels, FRAMES)
    assert_close(log_mel, librosa_log_mel(samples, front_end), factor=64)


def test_the_ends_of_a_clip_are_continued_by_reflection(noise):
    """A clip with its mirror image on both sides, whose inner frames need no padding, has the spectrogram of the clip.

    Zeros beyond the ends give others in the outer four frames, and there alone: half of n_fft is four hops.
    """
    samples = noise(8192).astype(float)
    mirrored = np.concatenate([samples[2048:0:-1], samples, samples[-2:-2050:-1]])
    inner = librosa_log_mel(mirrored, PAPER)[:, 8:40]
    log_mel = features(torch.from_numpy(samples), PAPER).numpy()
    assert_close(log_mel, inner, factor=64, eps=1e-7)
    zeros = librosa.feature.melspectrogram(y=samples, sr=16000, n_fft=2048, hop_length=256, n_mels=80)
    differences = np.abs(log_mel - np.log1p(zeros[:, :32])).max(axis=0)
    assert (differences[[0, 1, 2, 3, -1, -2, -3]] > 1e-3).all()
    assert differences[4:-3].max() < 1e-5


@pytest.mark.parametrize("samples", [1, 300, 1024])
def test_clips_shorter_than_half_a_window_are_reflected_as_often_as_needed(noise, samples):
    front_end, audio = FrontEndSettings(hop_length=1), noise(samples).astype(float)
    padded = np.pad(audio, 1024, mode="reflect")
    mel = librosa.feature.melspectrogram(y=padded, sr=16000, n_fft=2048, hop_length=1, n_mels=80, center=False)
    assert_close(features(torch.from_numpy(audio), front_end), np.log1p(mel[:, :samples]), factor=64, eps=1e-7)


@pytest.mark.parametrize("amplitude", [1.0, 1e-3, 0.0])
@pytest.mark.parametrize(
    "front_end",
    [
        replace(BUILT_IN["hifigan_22k"], sample_rate=16000, fmax=None),
        replace(BUILT_IN["hifigan_22k"], fmax=None),
        replace(BUILT_IN["hifigan_22k"], sample_rate=8000, fmax=None, n_fft=512, hop_length=100, n_mels=40),
    ],
)
def test_the_front_end_of_hifigan_equals_its_definition(noise, front_end, amplitude):
    samples = amplitude * noise(FRAMES * front_end.hop_length)
    log_mel = features(torch.from_numpy(samples), front_end).numpy()
    assert log_mel.shape == (front_end.n_mels, FRAMES)
    assert_close(log_mel, hifigan_log_mel(samples, front_end), factor=64, eps=1e-7)


@pytest.mark.parametrize("front_end", [PAPER, BUILT_IN["hifigan_22k"]])
def test_silence_has_finite_gradients_in_both_front_ends(front_end):
    audio = torch.zeros(4096, requires_grad=True)
    features(audio, front_end).sum().backward()
    assert torch.isfinite(audio.grad).all()


def test_a_loud_tone_too_equals_librosa():
    samples = np.sin(2 * np.pi * 440 * np.arange(16384) / 16000).astype(np.float32)
    log_mel = features(torch.from_numpy(samples), PAPER).numpy()
    assert_close(log_mel, librosa_log_mel(samples, PAPER), factor=64)


def test_leading_dimensions_are_kept_and_do_not_matter(noise):
    audio = torch.from_numpy(noise(6 * 4096)).reshape(2, 3, 4096)
    together = features(audio, PAPER)
    assert together.shape == (2, 3, 80, 16)
    assert_close(together[1, 2], features(audio[1, 2], PAPER), factor=64)


def test_gradients_are_right():
    front_end = FrontEndSettings(sample_rate=800, n_fft=32, hop_length=16, n_mels=5)
    audio = torch.randn(2, 64, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda samples: features(samples, front_end), audio)


def test_training_works_after_inference_mode_was_first():
    front_end = FrontEndSettings(n_mels=79)  # of no other test, so that nothing is cached
    with torch.inference_mode():
        features(torch.ones(4096), front_end)
    audio = torch.ones(4096, requires_grad=True)
    features(audio, front_end).sum().backward()
    assert torch.isfinite(audio.grad).all()
    assert audio.grad.abs().max() > 0


def test_normalisation_maps_each_spectrogram_to_zero_and_one(noise):
    log_mel = features(torch.from_numpy(noise(4 * 4096)).reshape(4, 4096), PAPER)
    normalized = min_max_normalized(log_mel, ranges_of(log_mel))
    assert normalized.amin(dim=(1, 2)).tolist() == [0] * 4
    assert normalized.amax(dim=(1, 2)).tolist() == [1] * 4


def test_silence_becomes_zeros_and_not_nan():
    log_mel = features(torch.zeros(2, 4096), PAPER)
    assert (min_max_normalized(log_mel, ranges_of(log_mel)) == 0).all()
    constant = torch.full((1, 80, 4), 3.0)
    assert (min_max_normalized(constant, ranges_of(constant)) == 0).all()


def test_silence_has_finite_gradients():
    log_mel = torch.zeros(1, 80, 4, requires_grad=True)
    min_max_normalized(log_mel, ranges_of(log_mel)).sum().backward()
    assert torch.isfinite(log_mel.grad).all()


@given(low=st.floats(-5, 5), span=st.floats(0.01, 10), seed=st.integers(0, 99))
def test_normalisation_can_be_undone(low, span, seed):
    log_mel = low + span * torch.rand(3, 8, 5, generator=torch.Generator().manual_seed(seed))
    ranges = ranges_of(log_mel)
    undone = ranges[:, :1, None] + min_max_normalized(log_mel, ranges) * (ranges[:, 1:] - ranges[:, :1])[..., None]
    assert_close(undone, log_mel, factor=8)
