"""What a kill takes from the weights was spent all the same: time and energy of lost steps stay in the account."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from steady_sensor import HandClock, SteadySensor, let_trainings_go_by
from workbench import assert_same_weights

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.accounting import EnergyTotals
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.record import LostWork, TrainingRecord

HERE = Path(__file__).parent
SECONDS_PER_STEP, WATTS, STEPS = 10.0, 100.0, 8
JOULES_PER_STEP = SECONDS_PER_STEP * WATTS


def killed_while_metered(bench, *kills: int) -> int:
    """Train by real processes that are killed after these numbers of steps; return how many steps were taken."""
    numbers = [str(each) for each in (SECONDS_PER_STEP, WATTS, STEPS, *kills)]
    command = [sys.executable, str(HERE / "killed_while_metered.py"), str(bench.folder), *numbers]
    library = HERE.parents[2] / "workflow_scripts"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE}{os.pathsep}{library}"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return len((bench.folder / "taken.txt").read_text().split())


def test_the_energy_of_a_training_that_is_killed_between_saves_is_what_was_really_spent(bench):
    """States are saved after steps 3 and 6: kills at steps 2, 5 and 4 lose 2, 2 and 1 of them."""
    taken = killed_while_metered(bench, 2, 7, 8)
    summary = bench.summary
    assert summary["steps"] == STEPS
    assert taken == STEPS + 2 + 2 + 1
    assert summary["lost_steps"] == taken - STEPS
    assert summary["energy_joules"] == pytest.approx(taken * JOULES_PER_STEP)
    assert summary["energy_by_domain"] == {"gpu": pytest.approx(taken * JOULES_PER_STEP)}
    assert summary["lost_energy_joules"] == pytest.approx((taken - STEPS) * JOULES_PER_STEP)
    assert summary["seconds"] == pytest.approx(STEPS * SECONDS_PER_STEP)
    assert summary["lost_seconds"] == pytest.approx((taken - STEPS) * SECONDS_PER_STEP)
    assert summary["mean_power_watts"] == pytest.approx(WATTS)
    assert (summary["pieces"], summary["killed_pieces"]) == (4, 3)
    assert summary["flags"] == []
    assert float(bench.curve[-1]["joules"]) == pytest.approx(STEPS * JOULES_PER_STEP)


def test_a_share_of_an_energy_that_is_reached_between_readings_of_the_meter_is_validated_before_a_stop(
    bench, monkeypatch
):
    """A step is a second of 1 kW, the budget 20 of them, read every five and at a stop: at steps 5, 8, 13, 18 and 23.

    SIGTERM comes in step 8, and 30 % are used after six.
    """
    clock = HandClock()
    let_trainings_go_by(clock, SteadySensor(clock, watts=1000.0), 1.0, monkeypatch.setattr)
    recipe = {"at_step": 8, "marker": str(bench.folder / "marker")}
    settings = {"steps": None, "energy_kwh": 20 / 3600, "validation_shares": (0.3,), "log_every_steps": 100}
    with pytest.raises(UserError, match="stopped by SIGTERM at step 8"):
        bench.train("InterruptedObjective", recipe, **settings)
    bench.train("InterruptedObjective", recipe, **settings)
    assert [int(row["step"]) for row in bench.curve if row["d_stft"]] == [8, 23]


def test_an_undisturbed_training_lost_nothing(bench):
    bench.train(steps=2).train(steps=4)
    lost = ("lost_steps", "lost_seconds", "lost_energy_joules", "killed_pieces")
    assert {name: bench.summary[name] for name in lost} == dict.fromkeys(lost, 0)
    assert bench.summary["pieces"] == 2


def test_a_crash_loses_steps_like_a_kill_and_the_same_weights_come_out(bench):
    job = {"objective": "DivergingObjective", "recipe": {"at_step": 5, "marker": str(bench.folder / "marker")}}
    with pytest.raises(UserError, match="loss of step 5 is nan"):
        bench.train(**job)
    bench.train(**job)
    assert (bench.summary["pieces"], bench.summary["killed_pieces"]) == (2, 1)
    assert bench.summary["lost_steps"] == 5
    assert bench.summary["lost_seconds"] > 0
    assert_same_weights(bench.weights, bench.elsewhere("whole").train(**job).weights)


def test_a_damaged_newest_state_loses_what_came_after_the_one_before(bench):
    bench.train(steps=5, checkpoint_minutes=1.0e-9)
    seconds = bench.summary["seconds"]
    (bench.state_folder / "state.pt").write_bytes(b"")
    bench.train(steps=5, checkpoint_minutes=1.0e-9)
    assert bench.summary["lost_steps"] == 1
    assert 0 < bench.summary["lost_seconds"] < seconds


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"pieces": 3}'])
def test_without_its_journal_the_lost_work_of_a_kill_is_unknown_and_not_zero(bench, damage, caplog):
    bench.train(steps=3)
    Journal(bench.state_folder).file.write_bytes(damage)
    bench.train(steps=5)
    unknown = ("lost_steps", "lost_seconds", "lost_energy_joules", "energy_joules", "energy_source", "mean_power_watts")
    assert {name: bench.summary[name] for name in unknown} == dict.fromkeys(unknown)
    assert bench.summary["flags"][0] == "lost_work_unknown"
    assert "journal.json: damaged" in caplog.text


def record_of(steps: int, pieces: int = 1, **changes) -> TrainingRecord:
    energy = EnergyTotals(10.0 * steps, 1.0 * steps, by_domain={"gpu": 10.0 * steps}, sources=["nvml"])
    return TrainingRecord(steps=steps, seconds=1.0 * steps, energy=energy, pieces=pieces, **changes)


def test_lost_work_is_counted_once_however_often_the_journal_is_read():
    journal = record_of(7, pieces=3, killed_pieces=1, lost=LostWork(2, 2.0, record_of(2).energy))
    for _ in range(2):
        record = record_of(4, pieces=2)
        record.take_up(journal)
        assert (record.lost.steps, record.lost.seconds, record.lost_joules) == (5, 5.0, 50.0)
        assert (record.pieces, record.killed_pieces) == (3, 2)
        assert record.used.joules == 40.0
        assert record.spent_energy.joules == 90.0


def test_a_journal_that_is_older_than_the_state_of_its_piece_takes_nothing_back():
    """A kill between the two writes of a save."""
    record = record_of(6, ended=True, lost=LostWork(2, 2.0, record_of(2).energy))
    record.take_up(record_of(5, lost=LostWork(2, 2.0, record_of(2).energy)))
    assert (record.lost.steps, record.lost_joules, record.killed_pieces) == (2, 20.0, 0)


def test_a_state_without_a_journal_knows_what_was_lost_only_if_its_piece_ended_in_order():
    for ended in (True, False):
        record = record_of(6, ended=ended)
        record.take_up(None)
        assert record.lost.known is ended
        assert record.killed_pieces == (not ended)


def test_lost_energy_of_another_source_is_unknown_and_never_summed():
    journal = record_of(6, pieces=2)
    journal.energy.sources = ["nvml", "estimated"]
    record = record_of(4)
    record.take_up(journal)
    assert record.used.joules == 40.0
    assert record.lost_joules is None
    assert record.spent_energy.joules is None
    assert "energy_sources_differ" in record.flags


def test_lost_estimates_are_restated_for_the_watts_of_the_next_piece():
    """7 CPU seconds at 10 W, 4 of them in the state: at 20 W, 3 were lost with 60 J."""
    journal, record = record_of(7), record_of(4)
    for each in (journal, record):
        each.energy.watts_per_core = 10.0
    record.take_up(journal)
    record.energy.restate(20.0)
    assert record.lost_joules == pytest.approx(60.0)
    assert record.spent_energy.joules == pytest.approx(140.0)


def test_a_record_comes_back_from_its_journal_as_it_was(tmp_path):
    record = record_of(4, losses={"l1_loss": 0.5}, lost=LostWork(1, 1.0, record_of(1).energy))
    Journal(tmp_path).write(record)
    assert Journal(tmp_path).read() == record
    assert Journal(tmp_path / "elsewhere").read() is None
    assert json.loads((tmp_path / "journal.json").read_text())["steps"] == 4
