"""What is said of hop lengths before anything runs is what the models say when they are built."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import checked, read_configuration
from vocoder_pareto.study.hop_lengths import faults_of_hop_length
from vocoder_pareto.study.studied_systems import system_settings

PROJECT = Path(__file__).parents[3]
MODELS = ("melgan", "hifigan", "wavegrad", "diffwave", "waveflow", "waveglow")
MODERN = (("multiband_melgan", "M"), ("univnet", "c16"))


@pytest.fixture(scope="module")
def config():
    return read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"])


def changed(config, hop_length, model, **architecture):
    config = deepcopy(config)
    config["front_ends"]["paper"]["hop_length"] = hop_length
    config["models"][model]["architecture"] |= architecture
    return config


@pytest.mark.parametrize(("model", "size"), [*((model, "S") for model in MODELS), *MODERN])
@pytest.mark.parametrize("hop_length", [100, 128, 250, 256, 512, 1025])
def test_a_hop_length_is_refused_exactly_where_the_model_cannot_be_built(config, model, size, hop_length):
    assert_refused_where_it_cannot_be_built(config, model, size, hop_length)


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


@pytest.mark.parametrize("hop_length", [100, 128, 256, 320, 341, 342, 384, 512])
@pytest.mark.parametrize(("model", "size"), [("vocos", "S"), ("istftnet", "C8C8I"), ("istftnet", "C8C1I")])
def test_a_hop_length_that_does_not_fit_the_frames_of_an_inverse_transform_is_refused_alike(
    config, model, size, hop_length
):
    assert_refused_where_it_cannot_be_built(config, model, size, hop_length)


@pytest.mark.parametrize("hop_length", [64, 256, 320, 512])
@pytest.mark.parametrize(("model", "size"), [("bigvgan", "base"), ("bigvgan", "v2"), ("flow2gan", "steps1")])
def test_a_hop_length_of_todays_vocoders_is_refused_exactly_where_they_cannot_be_built(config, model, size, hop_length):
    assert_refused_where_it_cannot_be_built(config, model, size, hop_length)


def assert_refused_where_it_cannot_be_built(config, model, size, hop_length):
    config = changed(config, hop_length, model)
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


@pytest.mark.parametrize(("bands", "product"), [(None, 256), (4, 256), (2, 128)])
def test_the_factors_of_bands_multiply_with_their_number(config, bands, product):
    """Where the configuration does not name it, it is the architecture's own."""
    config = changed(config, 256, "multiband_melgan")
    architecture = config["models"]["multiband_melgan"]["architecture"]
    del architecture["bands"]
    architecture |= {} if bands is None else {"bands": bands}
    faults = faults_of_hop_length("multiband_melgan", "M", config["models"]["multiband_melgan"], "paper", 256)
    if product == 256:
        assert faults == []
    else:
        assert f"band_upsampling: [8, 4, 2] multiplies with {bands} bands to {product}, and must to" in faults[0]


def test_keys_of_a_users_own_class_are_left_to_it(config):
    family = deepcopy(config["models"]["melgan"]) | {"vocoder": "mine/vocoder.py:Mine"}
    assert faults_of_hop_length("mine", "S", family, "paper", 250) == []
