from datetime import UTC, datetime

import pytest

from vocoder_pareto.training.budget import Budget, Used, predicted

HOUR = 3600.0
KWH = 3.6e6
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "stopped_by"),
    [
        (Used(999, 119.9 * HOUR, 35.9 * KWH), None),
        (Used(1000, 0.0, 0.0), "steps"),
        (Used(1, 120 * HOUR, 0.0), "hours"),
        (Used(1, 0.0, 36 * KWH), "energy_kwh"),
        (Used(1, 0.0, None), None),
        (Used(1, 121 * HOUR, None), "hours"),
    ],
)
def test_the_bound_that_is_reached_first_ends_the_training(used, stopped_by):
    assert Budget(steps=1000, hours=120.0, energy_kwh=36.0).used_up(used) == stopped_by


def test_a_budget_of_no_steps_is_used_up_from_the_beginning():
    assert Budget(steps=0).used_up(Used(0, 0.0, None)) == "steps"
    assert Budget(steps=0).share(Used(0, 0.0, None)) == 1
    assert predicted(Used(0, 0.0, None), Budget(steps=0), 1.0) is None


@pytest.mark.parametrize("budget", [Budget(steps=5), Budget(hours=1.0), Budget(energy_kwh=1.0)])
def test_bounds_that_are_not_set_end_nothing(budget):
    most = Used(4, 0.99 * HOUR, 0.99 * KWH)
    assert budget.used_up(most) is None
    assert budget.used_up(Used(5, HOUR, KWH)) is not None


def test_the_share_is_that_of_the_bound_which_will_end_the_training():
    budget = Budget(steps=100, hours=2.0)
    assert budget.share(Used(50, HOUR * 1.5, 0.0)) == 0.75
    assert budget.share(Used(80, HOUR, 0.0)) == 0.8
    assert budget.share(Used(500, HOUR, 0.0)) == 1.0
    assert Budget(energy_kwh=1.0).share(Used(5, HOUR, None)) == 0.0


def test_nothing_is_predicted_before_the_first_minutes_or_after_the_end():
    budget = Budget(hours=120.0)
    assert predicted(Used(10, 299.0, 1.0), budget, 1.0) is None
    assert predicted(Used(10, 300.0, 1.0), budget, 1.0) is not None
    assert predicted(Used(1, 1.0, 1.0), Budget(steps=100), 1.0) is None
    assert predicted(Used(10, 1.0, 1.0), Budget(steps=100), 1.0) is not None
    assert predicted(Used(100, 1.0, 1.0), Budget(steps=100), 1.0) is None


def test_the_whole_training_is_predicted_in_proportion_to_what_is_done():
    """The paper's training: 300 W for 120 h are 36 kWh, and at 0.7 kg/kWh 25.2 kg."""
    used = Used(500, 600.0, 600.0 * 300.0)
    prediction = predicted(used, Budget(hours=120.0), 0.7 / KWH, NOW)
    assert prediction.seconds == pytest.approx(120 * HOUR)
    assert prediction.joules == pytest.approx(36 * KWH)
    assert prediction.co2eq_kg == pytest.approx(25.2)
    assert prediction.steps == pytest.approx(500 * 720)
    assert prediction.ends_at == "2026-01-05T23:50:00+00:00"
    assert (prediction.at_step, prediction.at_seconds) == (500, 600.0)


def test_an_unknown_energy_predicts_time_alone():
    prediction = predicted(Used(10, 1.0, None), Budget(steps=20), 1.0, NOW)
    assert prediction.seconds == 2.0
    assert prediction.joules is None
    assert prediction.co2eq_kg is None
    assert prediction.errors(Used(20, 4.0, 5.0)) == {"steps": 0.0, "seconds": -0.5, "joules": None}


def test_a_prediction_is_checked_against_the_end():
    prediction = predicted(Used(10, 100.0, 50.0), Budget(steps=40), 1.0, NOW)
    errors = prediction.errors(Used(40, 500.0, 160.0))
    assert errors == {"steps": 0.0, "seconds": pytest.approx(-0.2), "joules": pytest.approx(0.25)}
