"""An estimate is CPU seconds times what a core is taken to draw: other watts make other joules of the same seconds."""

import pandas as pd
import pytest

from vocoder_pareto.analysis.estimates import restated, restated_rows, with_systematic
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.measurement import SystematicUncertainty
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training.accounting import EnergyTotals

ENERGY = "energy_joules_per_audio_second"
CPU_SECONDS = 3.0
GENERATION = {
    "energy_source": "estimated",
    "meter": {"domains": {"cpu_time": {"joules_per_unit": 10.0}}},
    ENERGY: 10.0 * CPU_SECONDS,
    f"{ENERGY}_ci95": 1.0,
    f"net_{ENERGY}": None,
    "mean_power_watts": 20.0,
    "real_time_factor": 0.5,
}
TRAINING = {
    "energy_source": "estimated",
    "estimated_watts_per_core": 5.0,
    "energy_joules": 5.0 * CPU_SECONDS,
    "steps": 7,
}


def test_generation_and_training_are_restated_for_the_same_watts():
    generation, training = restated(GENERATION, 20.0), restated(TRAINING, 20.0)
    assert generation[ENERGY] == training["energy_joules"] == pytest.approx(20.0 * CPU_SECONDS)
    assert generation[f"{ENERGY}_ci95"] / generation[ENERGY] == pytest.approx(
        GENERATION[f"{ENERGY}_ci95"] / GENERATION[ENERGY]
    )
    assert generation["mean_power_watts"] == 40.0
    assert (generation["real_time_factor"], training["steps"]) == (0.5, 7)
    assert generation[f"net_{ENERGY}"] is None


@pytest.mark.parametrize("source", ["nvml", "rapl", None])
def test_what_was_measured_or_is_unknown_stays(source):
    record = GENERATION | {"energy_source": source}
    assert restated(record, 20.0) == record


def test_the_same_watts_and_none_change_nothing():
    assert restated(GENERATION, 10.0) == GENERATION
    assert restated(GENERATION, None) == GENERATION
    assert restated({}, 10.0) == {}


def test_sweeps_that_were_estimated_with_several_watts_are_drawn_with_one():
    """A kept measurement has the watts of its time; CPU seconds are what was measured."""
    rows = pd.DataFrame(
        {
            "energy_source": ["estimated", "estimated", "nvml"],
            "estimated_watts_per_core": [5.0, 10.0, None],
            ENERGY: [5.0 * CPU_SECONDS, 10.0 * CPU_SECONDS, 7.0],
            f"{ENERGY}_ci95": [0.5, 1.0, 0.1],
            "batch_size": [1, 2, 1],
        }
    )
    found = restated_rows(rows, 20.0)
    assert found[ENERGY].tolist() == pytest.approx([20.0 * CPU_SECONDS, 20.0 * CPU_SECONDS, 7.0])
    assert found[f"{ENERGY}_ci95"].tolist() == pytest.approx([2.0, 2.0, 0.1])
    assert found["batch_size"].tolist() == [1, 2, 1]


def test_pieces_of_a_training_under_other_watts_add_up_as_cpu_seconds():
    totals = EnergyTotals()
    totals.restate(5.0)
    totals.measured_joules, totals.by_domain = 5.0 * CPU_SECONDS, {"cpu_time": 5.0 * CPU_SECONDS}
    totals.restate(20.0)
    assert totals.measured_joules == totals.by_domain["cpu_time"] == pytest.approx(20.0 * CPU_SECONDS)


def test_bookkeeping_does_not_determine_the_weights_and_the_budget_does():
    plain = TrainingSettings()
    assert (
        TrainingSettings(retries=9, workers=3, job_hours=2.0, validation_clips=4).determining() == plain.determining()
    )
    for change in ({"steps": 3}, {"steps": None, "hours": 1.0}, {"batch_size": 2}, {"precision": "bf16-mixed"}):
        assert TrainingSettings(**change).determining() != plain.determining()


@pytest.mark.parametrize(
    ("source", "expected"),
    [("nvml", 0.05), ("nvml_power", 0.1), ("rapl", 0.1), ("estimated", 1.0), ("zeus_amd", None), ("plug", None)],
)
def test_each_source_of_energy_has_its_systematic_uncertainty(source, expected):
    record = GENERATION | {"energy_source": source}
    assert with_systematic(record, SystematicUncertainty()) == record | {f"{ENERGY}_systematic": expected}


def test_the_systematic_uncertainty_is_what_the_configuration_says_today():
    chosen = SystematicUncertainty(nvml=0.02, rapl=None, other=0.01)
    found = [chosen.of(source) for source in ("nvml", "rapl", "plug")]
    assert found == [0.02, None, 0.01]
    with pytest.raises(UserError, match=r"nvml: -0\.1 is not allowed; must be at least 0"):
        SystematicUncertainty(nvml=-0.1)


@pytest.mark.parametrize("record", [{}, GENERATION | {ENERGY: None}, GENERATION | {"energy_source": None}])
def test_what_was_not_measured_has_no_systematic_uncertainty(record):
    assert with_systematic(record, SystematicUncertainty())[f"{ENERGY}_systematic"] is None
