"""Which weights a system has: those of its size, else those of its model, else a checkpoint of the section training."""

import copy
from pathlib import Path
from typing import get_args

import pytest
import torch
import yaml

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.known_layouts import LAYOUTS, OWN, layout_called
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import checked, read_configuration
from vocoder_pareto.study.front_ends import front_end_of, front_end_settings
from vocoder_pareto.study.given_weights import file_of_weights, weights_of
from vocoder_pareto.study.program_settings import settings_of_system
from vocoder_pareto.study.sections.weights import LayoutName
from vocoder_pareto.study.studied_systems import (
    chosen_systems,
    front_ends_of_systems,
    judged_systems,
    training_settings,
)

PROJECT = Path(__file__).resolve().parents[3]
WRITTEN = yaml.safe_load((PROJECT / "config.yaml").read_text())
PUBLISHED = {"package": "some==1", "file": "g.pt"}


def config_with(own=None, family=None, training=None):
    config = copy.deepcopy(WRITTEN)
    if own:
        config["models"]["hifigan"]["sizes"]["L"]["weights"] = own
    if family:
        config["models"]["hifigan"]["weights"] = family
    if training:
        config["models"]["hifigan"]["sizes"]["L"]["training"] = {"checkpoint": training}
    return config


def test_of_the_default_study_no_system_is_given_weights():
    config = checked(WRITTEN)
    assert weights_of(config, "hifigan", "L") is None
    assert file_of_weights(config, "hifigan", "L") is None
    assert settings_of_system(config, "hifigan-L")["weights-settings"] is None


def test_weights_of_a_size_go_over_those_of_its_model():
    config = checked(config_with(own={"path": "./mine.pt"}, family=PUBLISHED))
    assert file_of_weights(config, "hifigan", "L") == "mine.pt"
    assert weights_of(config, "hifigan", "M").package == "some==1"
    assert file_of_weights(config, "hifigan", "M") == "results/weights/hifigan-M.weights"


@pytest.mark.parametrize("given", [{"own": {"path": "mine.pt"}}, {"training": "mine.pt"}])
def test_a_file_of_ones_own_is_given_in_either_way(given):
    config = checked(config_with(**given))
    weights = weights_of(config, "hifigan", "L")
    assert (weights.path, weights.is_fetched) == ("mine.pt", False)
    assert training_settings(config, "hifigan", "L").checkpoint == "mine.pt"
    assert judged_systems(config) == ["hifigan-L"]


def test_fetched_weights_count_as_trained_and_lie_with_the_results():
    config = checked(config_with(own=PUBLISHED))
    assert training_settings(config, "hifigan", "L").checkpoint == "results/weights/hifigan-L.weights"
    assert judged_systems(config) == ["hifigan-L"]
    assert settings_of_system(config, "hifigan-L")["weights-settings"]["package"] == "some==1"


def test_weights_and_a_checkpoint_of_one_system_are_refused():
    with pytest.raises(UserError, match=r"hifigan\.sizes\.L\.weights: training\.checkpoint .* is 'mine\.pt' as well"):
        checked(config_with(own=PUBLISHED, training="mine.pt"))


def test_weights_without_a_place_are_refused_by_their_key():
    with pytest.raises(UserError, match=r"^config key models\.hifigan\.sizes\.L\.weights: give one of url, path"):
        checked(config_with(own={"licence": "MIT"}))


def test_the_layouts_that_can_be_named_are_those_that_are_known():
    assert set(get_args(LayoutName)) == {OWN, *(layout.name for layout in LAYOUTS)}


PRETRAINED = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "pretrained.yaml"])


def test_every_system_of_the_pretrained_study_is_given_weights_with_licence_and_source():
    for system in PRETRAINED["systems"]:
        weights = weights_of(PRETRAINED, *system.split("-"))
        assert weights.is_fetched
        assert weights.licence
        assert weights.source
        assert weights.layout not in (None, OWN)
    assert judged_systems(PRETRAINED) == PRETRAINED["systems"]


def test_two_of_the_pretrained_systems_are_of_16_khz():
    rates = [PRETRAINED["front_ends"][name]["sample_rate"] for name in front_ends_of_systems(PRETRAINED).values()]
    assert rates.count(16000) == 2


@pytest.mark.parametrize("system", PRETRAINED["systems"])
def test_a_pretrained_system_has_the_architecture_and_the_front_end_of_the_code_that_it_comes_from(system):
    model, size = system.split("-")
    layout = layout_called(weights_of(PRETRAINED, model, size).layout)
    with torch.device("meta"):
        vocoder = build_vocoder(chosen_systems(PRETRAINED, [system], "systems")[0])
    assert layout.faults_of(vocoder.architecture) == []
    assert layout.is_for(front_end_settings(PRETRAINED, front_end_of(PRETRAINED, model, size)).told())
