"""From the configuration of a system to its objective: which pairs of vocoder and recipe there are."""

from itertools import product
from pathlib import Path

import pytest
import yaml

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.objectives.registry import new_objective

MODELS = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())["models"]
PACKAGE = "vocoder_pareto.training.objectives"
WANTED = {
    f"{PACKAGE}.diffwave.DiffWaveObjective": "DiffusionVocoder",
    f"{PACKAGE}.wavegrad.WaveGradObjective": "DiffusionVocoder",
    f"{PACKAGE}.likelihood.LikelihoodObjective": "FlowVocoder",
}
FAMILY = {
    "diffwave": "DiffusionVocoder", "wavegrad": "DiffusionVocoder",
    "waveflow": "FlowVocoder", "waveglow": "FlowVocoder", "melgan": "Vocoder", "hifigan": "Vocoder",
}  # fmt: skip


def system(model: str, objective: str) -> SystemSettings:
    return SystemSettings(model, "S", vocoder=MODELS[model]["vocoder"], objective=objective)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_of_the_configuration_has_an_objective_that_trains_it(model):
    settings = system(model, MODELS[model]["objective"])
    vocoder = build_vocoder(settings)
    assert new_objective(settings, vocoder).vocoder is vocoder


@pytest.mark.parametrize(
    ("model", "objective"), [pair for pair in product(MODELS, WANTED) if FAMILY[pair[0]] != WANTED[pair[1]]]
)
def test_an_objective_that_cannot_train_a_vocoder_is_refused_before_the_first_step(model, objective):
    settings = system(model, objective)
    with pytest.raises(UserError) as error:
        new_objective(settings, build_vocoder(settings))
    assert str(error.value) == (
        f"config key models.{model}.objective: {objective!r} trains a {WANTED[objective]}, and "
        f"{MODELS[model]['vocoder']!r} is none"
    )
