import librosa
import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram, min_max_normalized, ranges_of


def librosa_log_mel(samples, audio_format):
    mel = librosa.feature.melspectrogram(
        y=samples,
        sr=audio_format.sample_rate,
        n_fft=audio_format.n_fft,
        hop_length=audio_format.hop_length,
        n_mels=audio_format.n_mels,
    )
    return np.log1p(mel)[:, : len(samples) // audio_format.hop_length]


@pytest.mark.parametrize(
    "audio_format",
    [
        AudioFormat(),
        AudioFormat(sample_rate=22050, clip_samples=8192, n_fft=1024, hop_length=256, n_mels=80),
        AudioFormat(sample_rate=8000, clip_samples=3000, n_fft=512, hop_length=100, n_mels=40),
    ],
)
@pytest.mark.parametrize("amplitude", [1.0, 1e-3])
def test_log_mels_equal_those_of_librosa(noise, audio_format, amplitude):
    samples = amplitude * noise(audio_format.clip_samples)
    log_mel = log_mel_spectrogram(torch.from_numpy(samples), audio_format).numpy()
    assert log_mel.shape == (audio_format.n_mels, audio_format.frames)
    assert_close(log_mel, librosa_log_mel(samples, audio_format), factor=64)


def test_a_loud_tone_too_equals_librosa():
    samples = np.sin(2 * np.pi * 440 * np.arange(16384) / 16000).astype(np.float32)
    log_mel = log_mel_spectrogram(torch.from_numpy(samples), AudioFormat()).numpy()
    assert_close(log_mel, librosa_log_mel(samples, AudioFormat()), factor=64)


def test_leading_dimensions_are_kept_and_do_not_matter(noise):
    audio = torch.from_numpy(noise(6 * 4096)).reshape(2, 3, 4096)
    together = log_mel_spectrogram(audio, AudioFormat())
    assert together.shape == (2, 3, 80, 16)
    assert_close(together[1, 2], log_mel_spectrogram(audio[1, 2], AudioFormat()), factor=64)


def test_gradients_are_right():
    audio_format = AudioFormat(sample_rate=800, clip_samples=64, n_fft=32, hop_length=16, n_mels=5)
    audio = torch.randn(2, 64, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda samples: log_mel_spectrogram(samples, audio_format), audio)


def test_training_works_after_inference_mode_was_first():
    audio_format = AudioFormat(n_mels=79)  # of no other test, so that nothing is cached
    with torch.inference_mode():
        log_mel_spectrogram(torch.ones(4096), audio_format)
    audio = torch.ones(4096, requires_grad=True)
    log_mel_spectrogram(audio, audio_format).sum().backward()
    assert torch.isfinite(audio.grad).all()
    assert audio.grad.abs().max() > 0


def test_normalisation_maps_each_spectrogram_to_zero_and_one(noise):
    log_mel = log_mel_spectrogram(torch.from_numpy(noise(4 * 4096)).reshape(4, 4096), AudioFormat())
    normalized = min_max_normalized(log_mel, ranges_of(log_mel))
    assert normalized.amin(dim=(1, 2)).tolist() == [0] * 4
    assert normalized.amax(dim=(1, 2)).tolist() == [1] * 4


def test_silence_becomes_zeros_and_not_nan():
    log_mel = log_mel_spectrogram(torch.zeros(2, 4096), AudioFormat())
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


@pytest.mark.parametrize(
    "bad",
    [{"hop_length": 300}, {"n_mels": 0}, {"sample_rate": -1}, {"n_fft": 2.5}, {"n_fft": 128}, {"clip_samples": True}],
)
def test_a_format_that_does_not_fit_together_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        AudioFormat(**bad)
