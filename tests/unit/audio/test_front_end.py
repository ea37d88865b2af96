"""What checkpoints say of the front end is what `compute_mels` does: librosa, told in its own words, is the outside."""

import json
from dataclasses import asdict

import librosa
import numpy as np
import pytest
import torch
from seeds import seed_of

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.front_end import FIXED, front_end_of, require_same_front_end
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram
from vocoder_pareto.errors import UserError

IN_LIBROSA = {"zeros": "constant", "reflection": "reflect"}


def stats_of(tmp_path, normalization="per_spectrogram", **changes):
    path = tmp_path / "mel_stats.json"
    content = {
        "normalization": normalization, "log_mel_minimum": 0.0, "log_mel_maximum": 7.5, "clips": 40,
        "constant_clips": 0, "format": asdict(AudioFormat(**changes)),
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def test_librosa_told_what_a_front_end_tells_gives_the_spectrograms(tmp_path):
    told = front_end_of(stats_of(tmp_path, n_fft=1024, hop_length=128, n_mels=40, sample_rate=22050, clip_samples=4096))
    audio = np.random.default_rng(seed_of(0)).uniform(-1, 1, 4096)
    power = librosa.feature.melspectrogram(
        y=audio, sr=told["sample_rate"], n_fft=told["n_fft"], hop_length=told["hop_length"], window=told["window"],
        pad_mode=IN_LIBROSA[told["padding"]], power=told["power"], n_mels=told["n_mels"], fmin=told["fmin_hertz"],
        fmax=told["fmax_hertz"], norm=told["mel_norm"], htk=told["mel_scale"] == "htk",
    )[:, :-1]  # fmt: skip
    ours = log_mel_spectrogram(
        torch.from_numpy(audio), AudioFormat(told["sample_rate"], 4096, told["n_fft"], told["hop_length"], 40)
    )
    assert told["compression"] == "log(1 + power)"
    np.testing.assert_allclose(ours, np.log(1 + power), rtol=1e-5, atol=1e-5)


def test_one_range_for_the_whole_dataset_is_part_of_it_and_that_of_each_spectrogram_is_not(tmp_path):
    assert "log_mel_maximum" not in front_end_of(stats_of(tmp_path))
    assert front_end_of(stats_of(tmp_path, "dataset"))["log_mel_maximum"] == 7.5


def test_equal_front_ends_pass_and_what_only_one_tells_is_no_difference(tmp_path):
    told = front_end_of(stats_of(tmp_path, "dataset"))
    require_same_front_end(told, {**told, "log_mel_maximum": 7.5 + 1e-5}, "x.ckpt")
    require_same_front_end({}, told, "x.ckpt")
    require_same_front_end({**told, "new": 3}, {"sample_rate": 16000}, "x.ckpt")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample_rate": 22050}, r"sample_rate 22050 .here 16000..*; set dataset.sample_rate: 22050, or take weights"),
        ({"n_fft": 1024, "n_mels": 100}, r"set mel.n_fft: 1024, mel.n_mels: 100, or"),
        ({"normalization": "dataset"}, r"normalization dataset .here per_spectrogram.; set mel.normalization: dataset"),
        (
            {"compression": "ln(magnitude)"},
            r"compression ln\(magnitude\) \(here log\(1 \+ power\)\); take weights made",
        ),
    ],
)
def test_a_difference_is_refused_with_what_to_set(tmp_path, change, words):
    told = front_end_of(stats_of(tmp_path))
    with pytest.raises(UserError, match=rf"x\.ckpt: its weights are for another front end: .*{words}") as error:
        require_same_front_end({**told, **change}, told, "x.ckpt")
    assert "\n" not in str(error.value)


def test_another_range_of_the_dataset_is_a_difference(tmp_path):
    told = front_end_of(stats_of(tmp_path, "dataset"))
    with pytest.raises(UserError, match=r"log_mel_maximum 9.0 .here 7.5.; take weights made for that of this study"):
        require_same_front_end({**told, "log_mel_maximum": 9.0}, told, "x.ckpt")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3, "normalization": "dataset"}'])
def test_damaged_stats_are_named(tmp_path, text):
    (tmp_path / "mel_stats.json").write_text(text)
    with pytest.raises(UserError, match=r"mel_stats\.json"):
        front_end_of(tmp_path / "mel_stats.json")


def test_what_is_fixed_stands_in_every_front_end(tmp_path):
    assert FIXED.items() <= front_end_of(stats_of(tmp_path)).items()
