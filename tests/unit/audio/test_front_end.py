"""What checkpoints say of the front end is what `compute_mels` does: librosa, told in its own words, is the outside."""

import json

import librosa
import numpy as np
import pytest
import torch
from seeds import seed_of

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.audio.features import features
from vocoder_pareto.audio.front_end import front_end_of, require_same_front_end
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

IN_LIBROSA = {"center_zeros": "constant", "center_reflect": "reflect"}


def stats_of(tmp_path, normalization="per_spectrogram", **changes):
    """What `compute_mels` tells of a clip with so large a range."""
    front_end = FrontEndSettings(normalization=normalization, **changes)
    np.save(tmp_path / "clips.npy", np.zeros((1, 4096), dtype=np.float32))
    write_clip_table(tmp_path / "clips.csv", [Clip(0, "a", "a.wav", 1.0, "train")])
    path = tmp_path / "mel_stats.json"
    outputs = {"mels": tmp_path / "mels.npy", "ranges": tmp_path / "ranges.npy", "stats": path}
    compute_mels(tmp_path / "clips.npy", tmp_path / "clips.csv", front_end, processes=1, **outputs)
    path.write_text(json.dumps({**json.loads(path.read_text()), "log_mel_maximum": 7.5}))
    return path


def test_librosa_told_what_a_front_end_tells_gives_the_spectrograms(tmp_path):
    told = front_end_of(stats_of(tmp_path, n_fft=1024, hop_length=128, n_mels=40, sample_rate=22050))
    audio = np.random.default_rng(seed_of(0)).uniform(-1, 1, 4096)
    power = librosa.feature.melspectrogram(
        y=audio, sr=told["sample_rate"], n_fft=told["n_fft"], win_length=told["win_length"],
        hop_length=told["hop_length"], pad_mode=IN_LIBROSA[told["padding"]], power=told["power"],
        n_mels=told["n_mels"], fmin=told["fmin"], fmax=told["fmax"], norm=told["mel_norm"],
        htk=told["mel_scale"] == "htk",
    )[:, :-1]  # fmt: skip
    ours = features(torch.from_numpy(audio), FrontEndSettings(**told))
    assert told["logarithm"] == "log1p"
    np.testing.assert_allclose(ours, np.log(1 + power), rtol=1e-5, atol=1e-5)


def test_what_null_stands_for_is_told_so_that_it_is_no_difference(tmp_path):
    told = front_end_of(stats_of(tmp_path))
    assert (told["win_length"], told["fmax"]) == (2048, 8000.0)
    assert front_end_of(stats_of(tmp_path, win_length=2048, fmax=8000.0)) == told


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
        (
            {"sample_rate": 22050},
            r"sample_rate 22050 .here 16000.; name one of front_ends with sample_rate: 22050 as the",
        ),
        (
            {"n_fft": 1024, "n_mels": 100},
            r"with n_fft: 1024, n_mels: 100 as the front_end of its model, or take weights made",
        ),
        (
            {"normalization": "dataset"},
            r"normalization dataset .here per_spectrogram.; name one of front_ends with normalization",
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
    with pytest.raises(UserError, match=r"log_mel_maximum 9.0 .here 7.5.; take weights made for that of this system"):
        require_same_front_end({**told, "log_mel_maximum": 9.0}, told, "x.ckpt")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"front_end": 3}'])
def test_damaged_stats_are_named(tmp_path, text):
    (tmp_path / "mel_stats.json").write_text(text)
    with pytest.raises(UserError, match=r"mel_stats\.json"):
        front_end_of(tmp_path / "mel_stats.json")
