from dataclasses import replace

import numpy as np
import pystoi
import pytest
import soundfile
import torch
from seeds import seed_of
from tiny_system import FRAMES, HOP_LENGTH, N_MELS, TinyVocoder

from vocoder_pareto.audio.dataset import Clip
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.training.validation import Validation


def validation_of(audio: np.ndarray) -> Validation:
    clips = [Clip(row, f"clip_{row}", "", 1.0, "test") for row in range(len(audio))]
    mels = np.random.default_rng(seed_of(0)).random((len(audio), N_MELS, FRAMES), dtype=np.float32)
    return Validation(clips, audio.astype(np.float32), mels, 16000, seed=0)


@pytest.fixture
def speech():
    return 0.3 * np.random.default_rng(seed_of(1)).standard_normal((2, FRAMES * HOP_LENGTH))


def test_the_distance_is_the_mean_over_the_clips_that_are_written(speech, tmp_path):
    judged = validation_of(speech).judge(TinyVocoder(), tmp_path)
    written = [soundfile.read(tmp_path / f"clip_{row}.wav")[0] for row in range(2)]
    expected = np.mean([d_stft(one, other) for one, other in zip(speech, written, strict=True)])
    assert judged.d_stft == pytest.approx(expected, rel=1e-3)  # 16 bits in the files
    assert judged.collapsed == []


def test_the_intelligibility_is_that_of_pystoi_and_unknown_of_clips_that_are_too_short(speech, tmp_path):
    assert validation_of(speech).judge(TinyVocoder(), tmp_path).estoi is None
    noise = 0.3 * np.random.default_rng(seed_of(2)).standard_normal((1, 16 * FRAMES * HOP_LENGTH))
    judged = replace(validation_of(noise), mels=np.ones((1, N_MELS, 16 * FRAMES), np.float32)).judge(
        TinyVocoder(), tmp_path
    )
    written = soundfile.read(tmp_path / "clip_0.wav")[0]
    assert judged.estoi == pytest.approx(pystoi.stoi(noise[0], written, 16000, extended=True), abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_silent_and_constant_audio_is_a_collapse(speech, tmp_path, level):
    vocoder = TinyVocoder()
    torch.nn.init.zeros_(vocoder.output.weight)
    torch.nn.init.constant_(vocoder.output.bias, level)
    judged = validation_of(speech).judge(vocoder, tmp_path)
    assert judged.collapsed == ["clip_0", "clip_1"]
    assert judged.d_stft > 0


def test_a_recording_of_silence_may_be_resynthesised_as_silence(speech, tmp_path):
    speech[1] = 0
    vocoder = TinyVocoder()
    torch.nn.init.zeros_(vocoder.output.weight)
    assert validation_of(speech).judge(vocoder, tmp_path).collapsed == ["clip_0"]


def test_audio_that_is_not_finite_is_a_collapse_without_a_distance(speech, tmp_path):
    vocoder = TinyVocoder()
    torch.nn.init.constant_(vocoder.output.bias, float("nan"))
    judged = validation_of(speech).judge(vocoder, tmp_path)
    assert judged == (None, None, ["clip_0", "clip_1"])
    assert (tmp_path / "clip_0.wav").exists()


@pytest.mark.parametrize("training", [True, False])
def test_the_vocoder_is_left_in_the_mode_it_was_in(speech, tmp_path, training):
    vocoder = TinyVocoder().train(training)
    validation_of(speech).judge(vocoder, tmp_path)
    assert vocoder.training is training
