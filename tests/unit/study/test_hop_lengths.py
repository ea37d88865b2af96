"""What is said of hop lengths before anything runs is what the models say when they are built."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import checked, read_configuration, system_settings
from vocoder_pareto.study.hop_lengths import faults_of_hop_length

PROJECT = Path(__file__).parents[3]
MODELS = ("melgan", "hifigan", "wavegrad", "diffwave", "waveflow", "waveglow")


@pytest.fixture(scope="module")
def config():
    return read_configuration([PROJECT / "config.yaml"])


def changed(config, hop_length, model, **architecture):
    config = deepcopy(config)
    config["front_ends"]["paper"]["hop_length"] = hop_length
    config["models"][model]["architecture"] |= architecture
    return config


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("hop_length", [100, 128, 250, 256, 512, 1025])
def test_a_hop_length_is_refused_exactly_where_the_model_cannot_be_built(config, model, hop_length):
    config = changed(config, hop_length, model)
    faults = faults_of_hop_length(model, "S", config["models"][model], "paper", hop_length)
    try:
        with torch.device("meta"):
            build_vocoder(system_settings(config, model, "S"))
    except UserError:
        assert faults
    else:
        assert faults == []


@pytest.mark.parametrize(
    ("model", "hop_length", "architecture"),
    [
        ("melgan", 200, {"upsampling": [5, 5, 4, 2]}),
        ("wavegrad", 512, {"upsample_factors": [4, 4, 4, 4, 2]}),
        ("diffwave", 240, {"upsample_factors": [20, 12]}),
        ("waveglow", 240, {"upsample_kernel": 960}),
    ],
)
def test_factors_that_multiply_to_another_hop_length_are_no_fault(config, model, hop_length, architecture):
    config = changed(config, hop_length, model, **architecture)
    assert faults_of_hop_length(model, "S", config["models"][model], "paper", hop_length) == []
    with torch.device("meta"):
        build_vocoder(system_settings(config, model, "S"))


MODERN = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"])


@pytest.mark.parametrize(("model", "size"), [("bigvgan", "base"), ("bigvgan", "v2"), ("flow2gan", "steps1")])
def test_a_hop_length_of_todays_vocoders_is_refused_exactly_where_they_cannot_be_built(model, size):
    for hop_length in (64, 256, 320, 512):
        config = changed(MODERN, hop_length, model)
        faults = faults_of_hop_length(model, size, config["models"][model], "paper", hop_length)
        try:
            with torch.device("meta"):
                build_vocoder(system_settings(config, model, size))
        except UserError:
            assert faults
        else:
            assert faults == []


def test_the_fault_names_key_value_and_mend_once_for_all_sizes_of_studied_systems(config):
    config = changed(config, 250, "melgan") | {"systems": ["melgan-S", "melgan-L", "hifigan-M"]}
    with pytest.raises(UserError) as raised:
        checked(config)
    mend = (
        "multiplies to 256, and must to front_ends.paper.hop_length (250); change one of them, or leave the system out "
        "of `systems`"
    )
    assert str(raised.value).splitlines() == [
        f"config key models.melgan.architecture.upsampling: [8, 8, 2, 2] {mend}",
        f"config key models.hifigan.sizes.M.architecture.upsampling: [8, 8, 4] {mend}",
    ]


def test_keys_of_a_users_own_class_are_left_to_it(config):
    family = deepcopy(config["models"]["melgan"]) | {"vocoder": "mine/vocoder.py:Mine"}
    assert faults_of_hop_length("mine", "S", family, "paper", 250) == []
