"""The systems of presets/laptop.yaml are what docs/laptop_study.md says of them, and can be trained."""

from pathlib import Path

import pytest

from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import configured_systems, judged_systems, system_settings
from vocoder_pareto.study.studied_systems import training_settings as settings_of_training
from vocoder_pareto.training.objectives.registry import new_objective

PROJECT = Path(__file__).resolve().parents[3]
LAPTOP = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "laptop.yaml"])
QUICK = read_configuration(
    [PROJECT / "config.yaml", PROJECT / "presets" / "laptop.yaml", PROJECT / "presets" / "laptop_quick.yaml"]
)
OF_THE_PAPER = ("melgan", "hifigan", "wavegrad", "diffwave", "waveflow", "waveglow")
SMALL = [
    (model, size)
    for model, family in LAPTOP["models"].items()
    for size in family["sizes"]
    if size in ("XS", "XXS") or "seed" in size
]


def test_all_six_families_are_trained_in_both_sizes_for_eight_hours_in_all():
    assert set(configured_systems(LAPTOP)) == {f"{model}-{size}" for model in OF_THE_PAPER for size in ("XS", "XXS")}
    hours = [settings_of_training(LAPTOP, *pair).hours for pair in configured_systems(LAPTOP).values()]
    assert sum(hours) == pytest.approx(8)
    assert judged_systems(LAPTOP) == list(configured_systems(LAPTOP))


def test_the_quick_one_takes_the_smallest_of_each_family_for_12_minutes():
    assert list(configured_systems(QUICK)) == [f"{model}-XXS" for model in OF_THE_PAPER]
    assert {settings_of_training(QUICK, *pair).hours for pair in configured_systems(QUICK).values()} == {0.2}
    assert judged_systems(QUICK) == list(configured_systems(QUICK))


@pytest.mark.parametrize(("model", "size"), SMALL)
def test_a_small_system_has_50000_to_1150000_parameters_and_a_discriminator_of_its_scale(model, size):
    system = system_settings(LAPTOP, model, size)
    objective = new_objective(system, build_vocoder(system))
    of_vocoder = sum(weight.numel() for weight in objective.vocoder.parameters())
    of_all = sum(weight.numel() for weight in objective.parameters())
    assert 50_000 <= of_vocoder <= (1_150_000 if model == "melgan" else 800_000)
    assert of_all - of_vocoder <= 1_500_000


def test_further_seeds_differ_from_their_system_in_the_seed_alone():
    for model in ("hifigan", "diffwave"):
        of_sizes = {
            size: (system_settings(LAPTOP, model, size).to_train(), settings_of_training(LAPTOP, model, size))
            for size in ("XXS", "XXS_seed1", "XXS_seed2")
        }
        alike = [
            ({**system, "size": ""}, {**settings.determining(), "seed": None}) for system, settings in of_sizes.values()
        ]
        assert alike[0] == alike[1] == alike[2]
        assert [settings.seed for _, settings in of_sizes.values()] == [None, 1, 2]
