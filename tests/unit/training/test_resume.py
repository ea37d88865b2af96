import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from workbench import assert_same_weights, losses_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.signals import STOP_SIGNALS
from vocoder_pareto.training.state import StateFolder

ALWAYS = 1.0e-9  # minutes between saved states


@pytest.fixture
def undisturbed(bench):
    """What the same steps give without any fault."""

    def train(**keywords):
        return bench.elsewhere("undisturbed").train(**keywords)

    return train


@pytest.fixture(autouse=True)
def _limits_and_signals():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handlers = {each: signal.getsignal(each) for each in STOP_SIGNALS}
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits[0], resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    for each, handler in handlers.items():
        assert signal.getsignal(each) == handler


def steps_of(bench) -> list[int]:
    return [int(row["step"]) for row in bench.curve]


@pytest.mark.slow
def test_a_training_that_is_killed_at_random_moments_ends_bit_identical(bench, undisturbed):
    job = {
        "objective": "AdversarialTinyObjective", "recipe": {"seconds_per_step": 0.03}, "steps": 60,
        "checkpoint_minutes": ALWAYS, "validation_every_steps": 7,
    }  # fmt: skip
    here, library = Path(__file__).parent, Path(__file__).parents[3] / "workflow_scripts"
    command = [sys.executable, str(here / "killed_often.py"), str(bench.folder), json.dumps(job)]
    threads = str(torch.get_num_threads())  # sums depend on it
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": f"{here}{os.pathsep}{library}"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 3
    assert not (bench.state_folder / "damaged.pt").exists()
    whole = undisturbed(**job)
    assert_same_weights(bench.weights, whole.weights)
    assert losses_of(bench.curve) == losses_of(whole.curve)
    assert steps_of(bench) == list(range(1, 61))
    assert bench.summary["pieces"] >= 2


def test_a_signal_ends_the_step_saves_the_state_and_the_rerun_goes_on(bench, undisturbed):
    job = {"objective": "InterruptedObjective", "recipe": {"at_step": 4, "marker": str(bench.folder / "marker")}}
    with pytest.raises(UserError, match="stopped by SIGTERM at step 4; the state is saved: run the same command again"):
        bench.train(**job)
    assert not bench.outputs.checkpoint.exists()
    assert StateFolder(bench.state_folder).load()["record"]["steps"] == 4
    bench.train(**job)
    assert bench.summary["pieces"] == 2
    assert_same_weights(bench.weights, undisturbed(**job).weights)


@pytest.mark.slow
def test_a_terminal_that_closes_saves_the_training_and_under_nohup_it_goes_on(bench):
    """The kernel sends SIGHUP to all processes in the foreground of a terminal, those that load data too."""
    job = {
        "steps": 100_000, "recipe": {"seconds_per_step": 0.01}, "validation_clips": 0, "log_every_steps": 5,
        "workers": 2, "meter_seconds": 0.02,
    }  # fmt: skip
    closed, nohup = bench.elsewhere("closed"), bench.elsewhere("nohup")
    here, library = Path(__file__).parent, Path(__file__).parents[3] / "workflow_scripts"
    command = [sys.executable, str(here / "hung_up.py"), str(closed.folder), str(nohup.folder), json.dumps(job)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{here}{os.pathsep}{library}"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["1", "1"]  # they ended by themselves, not by the signal
    for each in (closed, nohup):
        record = StateFolder(each.state_folder).load()["record"]
        assert record["ended"]
        each.train(**{**job, "steps": record["steps"] + 1})
        assert (each.summary["pieces"], each.summary["killed_pieces"], each.summary["lost_steps"]) == (2, 0, 0)


def test_a_signal_in_the_last_step_comes_too_late_to_stop_anything(bench):
    bench.train("InterruptedObjective", {"at_step": 8})
    assert bench.summary["stopped_by"] == "steps"
    assert bench.summary["validation_d_stft"] is not None


def test_a_second_signal_does_not_wait_for_the_step(bench):
    with pytest.raises(UserError, match="stopped by SIGINT without saving"):
        bench.train("ImpatientObjective", {"at_step": 4})
    assert not (bench.state_folder / "state.pt").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's writer
@pytest.mark.parametrize("log_every_steps", [1, 1000])
def test_a_full_disk_is_named_and_the_rerun_equals_undisturbed_training(bench, undisturbed, log_every_steps):
    job = {
        "objective": "FullDiskObjective", "recipe": {"at_step": 9, "marker": str(bench.folder / "marker")},
        "steps": 12, "checkpoint_minutes": ALWAYS, "log_every_steps": log_every_steps, "validation_clips": 0,
    }  # fmt: skip
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(UserError, match=r"cannot be written .*ree space or mend permissions, then run again to resume"):
        bench.train(**job)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert StateFolder(bench.state_folder).load()["record"]["steps"] == 9
    bench.train(**job)
    whole = undisturbed(**job)
    assert_same_weights(bench.weights, whole.weights)
    assert losses_of(bench.curve) == losses_of(whole.curve)


@pytest.mark.parametrize("objective", ["WorkerKillingObjective", "BrokenPipeObjective"])
def test_a_loading_process_that_dies_is_named_and_the_rerun_equals_undisturbed_training(bench, undisturbed, objective):
    job = {
        "objective": objective, "recipe": {"at_step": 4, "marker": str(bench.folder / "marker")},
        "steps": 30, "workers": 1, "checkpoint_minutes": ALWAYS,
    }  # fmt: skip
    with pytest.raises(UserError, match=r"a process that loads data died .*run again to resume"):
        bench.train(**job)
    bench.train(**job)
    assert bench.summary["pieces"] == 2
    assert_same_weights(bench.weights, undisturbed(**job).weights)


def test_a_damaged_state_costs_one_interval_and_no_bit(bench, undisturbed):
    bench.train(steps=5, checkpoint_minutes=ALWAYS)
    state = bench.state_folder / "state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    bench.train()
    assert_same_weights(bench.weights, undisturbed().weights)
    assert steps_of(bench) == list(range(1, 9))


def test_a_second_training_of_the_same_state_is_refused(bench):
    bench.train(steps=2)
    with (
        StateFolder(bench.state_folder).locked(),
        pytest.raises(UserError, match=f"another process is training here .process {os.getpid()} on "),
    ):
        bench.train()
    bench.train()


def test_what_a_state_goes_on_from_is_all_in_it(bench):
    """Weights, optimisers, schedules, position, time, energy: nothing is left to a second file."""
    bench.train("AdversarialTinyObjective", steps=5)
    state = torch.load(bench.state_folder / "state.pt", weights_only=True)
    assert state["module"]["step"] == state["record"]["steps"] == 5
    assert len(state["module"]["optimizers"]) == 2
    assert state["module"]["schedules"][0] is None
    assert state["module"]["schedules"][1]["last_epoch"] == 5
    assert state["record"]["energy"]["measured_seconds"] > 0
    assert any(name.startswith("discriminator.") for name in state["module"]["objective"])
