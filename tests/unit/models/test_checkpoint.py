from dataclasses import dataclass, replace

import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from torch import nn

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.checkpoint import load_vocoder, read_checkpoint, save_checkpoint
from vocoder_pareto.models.given_weights import read_weights
from vocoder_pareto.models.registry import build_vocoder, load_class
from vocoder_pareto.models.vocoder import Vocoder, draw_noise
from vocoder_pareto.study.systems import SystemSettings

SOURCE = """
from dataclasses import dataclass
from torch import nn
from vocoder_pareto.models.vocoder import Vocoder

@dataclass(frozen=True)
class Architecture:
    channels: int = 4

class Tiny(Vocoder):
    Architecture = Architecture

    def __init__(self, architecture, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.layer = nn.ConvTranspose1d(n_mels, 1, hop_length, hop_length)

    def generate(self, mel, generator=None):
        return self.layer(mel).squeeze(1).tanh()
"""


@pytest.fixture
def system(tmp_path):
    (tmp_path / "tiny.py").write_text(SOURCE)
    return SystemSettings("tiny", "S", vocoder=f"{tmp_path}/tiny.py:Tiny", architecture={"channels": 2})


def test_a_checkpoint_returns_the_same_audio_and_its_training(system, tmp_path):
    vocoder = build_vocoder(system)
    save_checkpoint(tmp_path / "x.ckpt", vocoder, system, {"steps": 7, "flags": ["collapse"]})
    loaded, training = load_vocoder(tmp_path / "x.ckpt", system)
    mel = torch.rand(2, 80, 3)
    assert torch.equal(vocoder.synthesize(mel), loaded.synthesize(mel))
    assert training == {"steps": 7, "flags": ["collapse"]}


def test_weights_of_another_architecture_are_refused_with_their_names(system, tmp_path):
    save_checkpoint(tmp_path / "x.ckpt", build_vocoder(system), system, {})
    other = replace(system, n_mels=40)
    content = torch.load(tmp_path / "x.ckpt", weights_only=True)
    del content["n_mels"]  # as if it did not tell
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match=r"layer\.weight has shape \(80, 1, 256\), expected \(40, 1, 256\)"):
        load_vocoder(tmp_path / "x.ckpt", other)


FRONT_END = {"sample_rate": 16000, "n_fft": 2048, "compression": "log(1 + power)", "normalization": "per_spectrogram"}


@pytest.mark.parametrize(
    ("changes", "front_end", "words"),
    [
        ({"sample_rate": 22050}, {}, r"sample_rate 16000 .here 22050.; name one of front_ends with sample_rate: 16000"),
        ({"n_mels": 40}, {}, r"n_mels 80 .here 40.; name one of front_ends with n_mels: 80"),
        ({}, {"n_fft": 1024}, r"n_fft 2048 .here 1024.; name one of front_ends with n_fft: 2048"),
        ({}, {"normalization": "dataset"}, r"normalization per_spectrogram .here dataset."),
        ({}, {"compression": "ln(magnitude)"}, r"compression log\(1 \+ power\) .here ln"),
        (
            {"architecture": {"channels": 3}},
            {},
            r"another architecture: channels 2 .here 3.; set these in models\.tiny",
        ),
    ],
)
def test_a_checkpoint_for_another_front_end_or_architecture_is_refused_in_words(
    system, tmp_path, changes, front_end, words
):
    """Most of these fit to the last shape, and would generate something else than what they were trained for."""
    save_checkpoint(tmp_path / "x.ckpt", build_vocoder(system), system, {}, FRONT_END, {"data": "0a", "clips": 3})
    load_vocoder(tmp_path / "x.ckpt", system, FRONT_END)
    with pytest.raises(UserError, match=words):
        load_vocoder(tmp_path / "x.ckpt", replace(system, **changes), {**FRONT_END, **front_end})


def test_a_checkpoint_tells_its_front_end_its_origin_and_its_whole_architecture(system, tmp_path):
    save_checkpoint(tmp_path / "x.ckpt", build_vocoder(system), system, {}, FRONT_END, {"data": "0a", "clips": 3})
    content = read_checkpoint(tmp_path / "x.ckpt")
    assert (content["front_end"], content["origin"]) == (FRONT_END, {"data": "0a", "clips": 3})
    assert content["architecture"] == {"channels": 2}
    save_checkpoint(tmp_path / "y.ckpt", build_vocoder(system), replace(system, architecture={}), {})
    assert read_checkpoint(tmp_path / "y.ckpt")["architecture"] == {"channels": 2}  # of the network, with all defaults
    assert read_checkpoint(tmp_path / "y.ckpt")["front_end"] is None


def test_a_checkpoint_of_an_earlier_version_that_tells_neither_is_taken(system, tmp_path):
    save_checkpoint(tmp_path / "x.ckpt", build_vocoder(system), system, {"steps": 3})
    content = torch.load(tmp_path / "x.ckpt", weights_only=True)
    del content["front_end"], content["origin"]
    content["architecture"] = {}
    torch.save(content, tmp_path / "x.ckpt")
    assert load_vocoder(tmp_path / "x.ckpt", system, FRONT_END)[1] == {"steps": 3}


def test_a_setting_that_a_checkpoint_lacks_was_at_its_default_when_it_was_written(tmp_path):
    """`audio_scale` came later: weights of before it were trained on audio as it is."""
    small = {"residual_layers": 1, "residual_channels": 2}
    system = SystemSettings("diffwave", "S", vocoder="vocoder_pareto.models.diffwave.DiffWave", architecture=small)
    save_checkpoint(tmp_path / "x.ckpt", build_vocoder(system), system, {})
    content = torch.load(tmp_path / "x.ckpt", weights_only=True)
    del content["architecture"]["audio_scale"]
    torch.save(content, tmp_path / "x.ckpt")
    assert load_vocoder(tmp_path / "x.ckpt", system)[0].audio_scale == 1
    with pytest.raises(UserError, match=r"audio_scale 1.0 .here 6.0.; set these in models\.diffwave"):
        load_vocoder(tmp_path / "x.ckpt", replace(system, architecture={**small, "audio_scale": 6.0}))


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_a_damaged_checkpoint_is_named_with_its_mend(system, tmp_path, damage):
    file = tmp_path / "x.ckpt"
    save_checkpoint(file, build_vocoder(system), system, {})
    content = {"empty": b"", "cut": file.read_bytes()[:2000], "text": b"hello"}[damage]
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.ckpt: damaged or not a checkpoint .*rerun `train`"):
        read_checkpoint(file)


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("training", None, "its entry training, which tells how the weights came to be, is missing"),
        ("training", [1], "its entry training, which tells"),
        ("training", {"steps": "many"}, "its entry training tells 'many' steps"),
        ("front_end", "paper", "its entry front_end is 'paper', which tells nothing by name"),
        ("architecture", [3], r"its entry architecture is .3., which"),
        ("origin", 7, "its entry origin is 7, which"),
        ("state_dict", None, "its entry state_dict is missing or holds no weights by name"),
        ("state_dict", {"x": 1.0}, "its entry state_dict is missing"),
        ("state_dict", {1: torch.ones(1)}, "its entry state_dict is missing"),
    ],
)
def test_a_checkpoint_that_lacks_an_entry_is_named_with_it(system, tmp_path, entry, value, words):
    file = tmp_path / "x.ckpt"
    save_checkpoint(file, build_vocoder(system), system, {"steps": 1})
    content = torch.load(file, weights_only=True)
    torch.save({**content, entry: value} if value else {k: v for k, v in content.items() if k != entry}, file)
    for read in (read_checkpoint, read_weights, lambda path: load_vocoder(path, system)):
        with pytest.raises(UserError, match=rf"x\.ckpt: {words}"):
            read(file)


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save({"format_version": 1, "x": Evil()}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="damaged or not a checkpoint"):
        read_checkpoint(tmp_path / "x.ckpt")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere.module.Class", "cannot import 'nowhere.module.Class'"),
        ("absent.py:Class", "no file absent.py"),
        ("vocoder_pareto.models.vocoder.Absent", "has no class 'Absent'"),
        ("Class", "cannot import 'Class'"),
    ],
)
def test_a_class_that_cannot_be_imported_is_named_with_its_key(path, words):
    with pytest.raises(UserError) as error:
        load_class(path, "models.x.vocoder")
    assert "models.x.vocoder" in str(error.value)
    assert words in str(error.value)


def test_a_class_that_is_no_vocoder_is_refused():
    with pytest.raises(UserError, match="not a subclass of Vocoder"):
        build_vocoder(SystemSettings("x", "S", vocoder="torch.nn.Linear"))


@dataclass(frozen=True)
class NoArchitecture:
    pass


class Echo(Vocoder):
    Architecture = NoArchitecture

    def __init__(self):
        super().__init__(NoArchitecture(), n_mels=2, hop_length=1)
        self.scale = nn.Parameter(torch.ones(1))

    def generate(self, mel, generator=None):
        return draw_noise((mel.shape[0], mel.shape[2]), mel, generator) * self.scale


@pytest.mark.parametrize(
    ("mel", "words"),
    [
        (torch.zeros(1, 3, 5), r"expected \(batch, 2, frames\)"),
        (torch.zeros(2, 5), r"expected \(batch, 2, frames\)"),
        (torch.zeros(0, 2, 5), "at least 1"),
        (torch.zeros(1, 2, 0), "at least 1"),
        (torch.full((1, 2, 5), float("nan")), "NaN or Inf"),
        (torch.zeros(1, 2, 5, dtype=torch.float64), "float64"),
    ],
)
def test_wrong_input_is_refused_before_it_is_used(mel, words):
    with pytest.raises(ValueError, match=words):
        Echo().synthesize(mel)


def test_with_a_generator_per_item_a_batch_equals_its_items():
    mel = torch.zeros(3, 2, 5)
    together = Echo().synthesize(mel, [torch.Generator().manual_seed(seed_of(seed)) for seed in range(3)])
    apart = [Echo().synthesize(mel[:1], torch.Generator().manual_seed(seed_of(seed))) for seed in range(3)]
    assert_close(together, torch.cat(apart), factor=8)
    with pytest.raises(ValueError, match="2 generators for a batch of 3"):
        Echo().synthesize(mel, [torch.Generator(), torch.Generator()])
