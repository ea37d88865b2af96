"""Given weights are fed a known recording; signals whose kind is known without any network are the outside."""

import json
import logging

import numpy as np
import pytest
import torch
from seeds import seed_of
from torch import nn
from workbench import Workbench

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.errors import UserError
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.training.sanity_check import LIKE_NOISE, checked_weights

SAMPLE_RATE, HOP_LENGTH, FRAMES, N_MELS = 16000, 256, 64, 4
TIME = np.arange(HOP_LENGTH * FRAMES) / SAMPLE_RATE


def voice(phases: np.ndarray) -> np.ndarray:
    """A sung vowel (T,): 40 harmonics of 120 Hz under two formants, in syllables."""
    harmonics = 120.0 * np.arange(1, 41)
    formants = sum(1 / (1 + ((harmonics - centre) / 120) ** 2) for centre in (600, 1200))
    vowel = (formants[:, None] * np.sin(2 * np.pi * harmonics[:, None] * TIME + phases[:, None])).sum(0)
    return 0.05 * vowel * np.clip(np.sin(2 * np.pi * 3 * TIME), 0, 1)


RECORDING = voice(np.zeros(40)).astype(np.float32)
NOISE = np.random.default_rng(seed_of(1)).standard_normal(len(TIME)).astype(np.float32)
OUTPUTS = {
    "the recording": (RECORDING, False),
    "the recording, ten times fainter": (0.1 * RECORDING, False),
    "the recording with a hundredth of noise": (RECORDING + 0.01 * RECORDING.std() * NOISE, False),
    "the recording in other phases": (voice(np.random.default_rng(seed_of(2)).uniform(0, 6, 40)), False),
    "noise": (NOISE, True),
    "faint noise": (1e-6 * NOISE, True),
    "noise that is as loud as the recording at each moment": (NOISE * np.abs(RECORDING), True),
    "silence": (0 * RECORDING, True),
    "a constant": (0 * RECORDING + 0.3, True),
    "a hum": (np.sin(2 * np.pi * 62.5 * TIME), True),
    "another hum, on a constant": (0.7 + 0.01 * np.sin(2 * np.pi * 250 * TIME) ** 9, True),
    "no numbers": (RECORDING * float("nan"), True),
}  # fmt: skip


class Recorded(Vocoder):
    """Generates what it is told, whatever it is fed."""

    Architecture = NoSettings

    def __init__(self, audio: np.ndarray):
        super().__init__(NoSettings(), n_mels=N_MELS, hop_length=HOP_LENGTH)
        self.audio = torch.from_numpy(audio.astype(np.float32))
        self.weight = nn.Parameter(torch.ones(1))

    def generate(self, mel, generator=None):
        return self.audio[None]


@pytest.fixture
def study(tmp_path) -> Workbench:
    """Four clips, of which the last three are the test set; the loudest of these is the recording."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    np.save(folder / "clips.npy", np.stack([3 * RECORDING, 0 * RECORDING, RECORDING, 0.01 * RECORDING]))
    np.save(folder / "mels.npy", np.zeros((4, N_MELS, FRAMES), dtype=np.float32))
    splits = ("train", "test", "test", "test")
    write_clip_table(
        folder / "clips.csv", [Clip(row, f"clip_{row}", "a.wav", 1.0, split) for row, split in enumerate(splits)]
    )
    return Workbench(tmp_path)


@pytest.mark.parametrize("kind", OUTPUTS)
def test_what_is_noise_is_told_from_what_is_the_recording(study, kind):
    audio, is_noise = OUTPUTS[kind]
    check = checked_weights(Recorded(audio), study.job())
    assert check.clip == "clip_2"
    assert check.is_like_noise is is_noise, check
    assert "noise" in check.words or "silent" in check.words
    assert check.d_stft_of_silence < check.d_stft_of_noise


def test_the_distance_is_that_of_the_study_at_equal_level(study):
    check = checked_weights(Recorded(0.5 * RECORDING), study.job())
    assert check.d_stft == pytest.approx(0, abs=1e-6)
    assert check.d_stft_of_noise > 0.1


def test_silent_clips_check_nothing(study):
    np.save(study.job().clips, np.zeros((4, len(TIME)), dtype=np.float32))
    assert checked_weights(Recorded(NOISE), study.job()) is None


def test_the_network_stays_as_it_was(bench):
    from vocoder_pareto.training.weights import initialised

    vocoder = initialised(bench.job().system, 0).train()
    before = {name: value.clone() for name, value in vocoder.state_dict().items()}
    checked_weights(vocoder, bench.job())
    assert vocoder.training
    assert all(value.requires_grad for value in vocoder.parameters())
    assert all(torch.equal(before[name], value) for name, value in vocoder.state_dict().items())


def test_given_weights_that_give_noise_are_taken_and_flagged(bench, caplog):
    torch.save({name: 0 * value for name, value in bench.train(steps=0).weights.items()}, bench.folder / "given.pt")
    bench.train(checkpoint=str(bench.folder / "given.pt"))
    assert bench.summary["flags"] == [LIKE_NOISE]
    assert bench.summary["sanity_check"]["d_stft"] is None
    assert "silent or not finite; were they trained for other mel-spectrograms" in caplog.text


def test_a_trained_network_passes_and_its_origin_and_front_end_are_kept(bench, caplog, tmp_path):
    """Weights of this study, given to it under another name: what they were trained on is still told."""
    caplog.set_level(logging.INFO)
    stats = bench.folder / "dataset" / "mel_stats.json"
    told = {"front_end": plain(FrontEndSettings(hop_length=16, n_mels=4))}
    stats.write_text(json.dumps(told))
    bench.train(recipe={"noise": 0.0}, steps=300, validation_clips=0)
    trained = torch.load(bench.outputs.checkpoint)
    assert trained["origin"] == {"data": bench.job().data_digest(), "clips": 12}
    assert trained["front_end"]["hop_length"] == 16
    bench.outputs.checkpoint.rename(bench.folder / "given.ckpt")
    bench.train(checkpoint=str(bench.folder / "given.ckpt"))
    again = torch.load(bench.outputs.checkpoint)
    assert (again["origin"], again["front_end"]) == (trained["origin"], trained["front_end"])
    assert bench.summary["flags"] == []
    assert bench.summary["sanity_check"]["d_stft"] < bench.summary["sanity_check"]["d_stft_of_silence"]
    assert "trained on other clips" not in caplog.text
    np.save(bench.job().clips, np.load(bench.job().clips)[::-1])
    bench.train(checkpoint=str(bench.folder / "given.ckpt"))
    assert "trained on other clips" in caplog.text
    told["front_end"]["normalization"] = "dataset"
    stats.write_text(json.dumps({**told, "log_mel_minimum": 0.0, "log_mel_maximum": 7.0}))
    with pytest.raises(UserError, match=r"given\.ckpt: .* normalization per_spectrogram .here dataset."):
        bench.train(checkpoint=str(bench.folder / "given.ckpt"))
