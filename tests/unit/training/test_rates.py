"""The learning rate of a whole training is told before it is trained."""

import logging

import numpy as np
import pytest
import torch
from tiny_system import TinyObjective, TinyRecipe, TinyVocoder
from workbench import assert_same_weights, losses_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.training import budget
from vocoder_pareto.training.objectives.objective import Progress, Schedule
from vocoder_pareto.training.rates import ForeseenRate, foreseen_rate, tell


def objective_with(kind=None, interval="step", every=1.0, **settings):
    """The tiny objective, with a scheduler of PyTorch by name, or with none."""
    objective = TinyObjective(TinyVocoder(), TinyRecipe())

    def schedule(turn, optimizer):
        return Schedule(getattr(torch.optim.lr_scheduler, kind)(optimizer, **settings), interval, every)

    objective.schedule = schedule if kind else lambda turn, optimizer: None
    return objective


def rates_in_full(objective, first, end):
    """The rate of every step, by a loop over all of them."""
    optimizer = torch.optim.SGD([torch.zeros(1)], first)
    schedule, rates = objective.schedule("generator", optimizer), []
    for step in range(1, int(end.steps) + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.follow(Progress(step, step * end.epochs / end.steps, step / end.steps))
    return rates


def test_a_rate_of_many_advances_is_foreseen_in_time_that_grows_as_they_do():
    """Of 100,000 steps, in a second or two; if each advance looked at all others, in minutes."""
    foreseen = foreseen_rate(objective_with("ExponentialLR", gamma=0.9999), "generator", 1.0, Progress(100_000, 1, 1.0))
    assert foreseen.last == pytest.approx(0.9999**99_999, rel=1e-9)
    assert foreseen.vanishing_share == pytest.approx(1 - np.log(0.01) / np.log(0.9999) / 100_000, abs=1e-4)


@pytest.mark.parametrize(
    "objective",
    [
        objective_with("ExponentialLR", gamma=0.99),
        objective_with("ExponentialLR", "epoch", 10, gamma=0.9),
        objective_with("ExponentialLR", "epoch", 7, gamma=0.2),
        objective_with("ExponentialLR", "budget", 0.025, gamma=0.9),
        objective_with("StepLR", "epoch", 3, step_size=40, gamma=0.05),
        objective_with("LinearLR", start_factor=0.001, total_iters=300),
        objective_with("CosineAnnealingLR", T_max=5000),
    ],
    ids=["per step", "per ten epochs", "uneven", "by the budget", "in steps", "warm-up", "cosine"],
)
def test_the_foreseen_rate_is_that_of_the_training_taken_in_full(objective):
    end = Progress(5000, 500.0, 1.0)
    rates = rates_in_full(objective, 0.01, end)
    foreseen = foreseen_rate(objective, "generator", 0.01, end)
    assert foreseen.highest == pytest.approx(max(rates))
    assert foreseen.last == pytest.approx(rates[-1])
    vanishing = sum(rate < 0.01 * max(rates) for rate in rates) / len(rates)
    assert foreseen.vanishing_share == pytest.approx(vanishing, abs=1e-3)


def test_wavegrads_rate_as_the_study_states_it_vanishes_over_most_of_a_long_training():
    """0.9 after every 10 epochs is a hundredth from epoch 440 on: 96 % of 11,000 epochs."""
    foreseen = foreseen_rate(
        objective_with("ExponentialLR", "epoch", 10, gamma=0.9), "generator", 1e-3, Progress(1e6, 11_000.0, 1.0)
    )
    assert foreseen.vanishing_share == pytest.approx(0.96)


def test_a_rate_without_schedule_stays():
    assert foreseen_rate(objective_with(), "generator", 0.01, Progress(None, None, 1.0)) == ForeseenRate(0.01, 0.01, 0)


def test_what_is_not_known_yet_is_not_foreseen():
    unknown, far = Progress(None, None, 1.0), Progress(1e9, 1e6, 1.0)
    assert foreseen_rate(objective_with("ExponentialLR", gamma=0.9), "generator", 0.01, unknown) is None
    assert foreseen_rate(objective_with("ExponentialLR", gamma=0.9), "generator", 0.01, far) is None
    by_budget = objective_with("ExponentialLR", "budget", 0.5, gamma=0.9)
    assert foreseen_rate(by_budget, "generator", 0.01, unknown).last == pytest.approx(0.009)


@pytest.mark.parametrize(("share", "warned"), [(0.96, True), (0.4, False)])
def test_a_training_at_next_to_no_rate_is_warned_of(share, warned, caplog):
    caplog.set_level(logging.INFO)
    tell(ForeseenRate(1e-3, 2e-9, share), "models.wavegrad.sizes.S.training")
    info, *warnings = caplog.records
    assert info.getMessage() == "the learning rate will be 0.001 at the most, and 2e-09 at the end of the budget"
    assert len(warnings) == warned
    for record in warnings:
        assert record.levelname == "WARNING"
        message = record.getMessage()
        assert message.startswith("96 % of the budget will be spent at a learning rate below 1e-05")
        assert "models.wavegrad.sizes.S.training" in message


def told(caplog):
    return [record.getMessage() for record in caplog.records if "learning rate" in record.getMessage()]


def test_the_log_of_a_training_in_steps_begins_with_its_last_rate(bench, caplog):
    """Ten clips in batches of three are three steps an epoch: 39 advances by 0.9 before the last of 120 steps."""
    caplog.set_level(logging.INFO)
    bench.train(steps=120, log_every_steps=120)
    assert told(caplog) == ["the learning rate will be 0.01 at the most, and 0.00016 at the end of the budget"]
    assert float(bench.curve[-1]["learning_rate"]) == pytest.approx(0.01 * 0.9**40)


def test_a_long_decay_per_epoch_is_warned_of_before_the_first_step(bench, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(UserError, match="SIGTERM at step 1"):
        bench.train("InterruptedObjective", {"at_step": 1}, steps=600)
    last, warning = told(caplog)
    assert last.endswith("7.8e-12 at the end of the budget")
    assert warning.startswith("78 % of the budget will be spent at a learning rate below 0.0001")
    assert "config key models.tiny.sizes.S.training" in warning


def test_the_rate_of_a_training_by_hours_is_told_once_its_length_is_foreseen(bench, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(budget, "PREDICT_AFTER_SECONDS", 0.0)
    with pytest.raises(UserError, match="SIGTERM at step 2"):
        bench.train("InterruptedObjective", {"at_step": 2}, steps=None, hours=0.01)
    messages = [record.getMessage() for record in caplog.records]
    predicted = next(index for index, words in enumerate(messages) if "predicted for the whole run" in words)
    assert [messages.index(words) > predicted for words in told(caplog)] == [True] * len(told(caplog))
    assert "at the end of the budget" in told(caplog)[0]


def test_an_interrupted_training_whose_rate_follows_the_budget_equals_an_undisturbed_one(bench):
    job = {
        "objective": "ObjectiveByTheBudget", "steps": 12,
        "recipe": {"at_step": 5, "marker": str(bench.folder / "marker")},
    }  # fmt: skip
    with pytest.raises(UserError, match="SIGTERM at step 5"):
        bench.train(**job)
    bench.train(**job)
    undisturbed = bench.elsewhere("undisturbed").train(**job)
    assert_same_weights(bench.weights, undisturbed.weights)
    assert losses_of(bench.curve) == losses_of(undisturbed.curve)
