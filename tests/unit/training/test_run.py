"""A training run: budgets, resume, faults, and what is said of it."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch
from small_study import SmallStudy

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.models.checkpoint import read_checkpoint
from vocoder_pareto.training.state import StateFolder


@pytest.fixture
def study(tmp_path):
    return SmallStudy.made_in(tmp_path)


def weights(folder):
    return read_checkpoint(folder / "x.ckpt")["state_dict"]


def curve(folder):
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{name: row[name] for name in ("step", "epoch", "learning_rate", "l1_loss", "judge_loss")} for row in rows]


def assert_same_run(one, other):
    torch.testing.assert_close(weights(one), weights(other), rtol=0, atol=0)
    assert curve(one)[-1] == curve(other)[-1]


def test_a_run_of_two_pieces_is_bit_identical_to_one_of_one_piece(study):
    whole = study.train("whole", steps=7)
    study.train("pieces", steps=3)
    pieces = study.train("pieces", steps=7)
    assert_same_run(pieces, whole)
    assert [row["step"] for row in curve(pieces)] == ["2", "3", "4", "6", "7"]
    assert read_json(pieces / "summary.json")["steps"] == 7


def test_a_finished_run_whose_outputs_were_deleted_is_rebuilt_from_its_state_without_a_step(study):
    folder = study.train()
    before, summary = weights(folder), read_json(folder / "summary.json")
    for name in ("x.ckpt", "summary.json", "metrics.csv"):
        (folder / name).unlink()
    study.train()
    torch.testing.assert_close(weights(folder), before, rtol=0, atol=0)
    assert read_json(folder / "summary.json") == summary


@pytest.mark.parametrize("change", [{"training": {"learning_rate": 0.1}}, {"code_version": "2"}, {"batch_size": 2}])
def test_another_setting_or_code_starts_afresh_and_the_old_run_is_found_again(study, change):
    folder = study.train()
    first = weights(folder)
    study.train(**change)
    if "code_version" not in change:
        assert not all(torch.equal(first[name], value) for name, value in weights(folder).items())
    assert len(list((folder / "state").iterdir())) == 2
    study.train()
    torch.testing.assert_close(weights(folder), first, rtol=0, atol=0)


def test_a_budget_of_time_ends_the_training(study):
    folder = study.train(steps=None, hours=0.5 / 3600)
    summary = read_json(folder / "summary.json")
    assert summary["stopped_by"] == "hours"
    assert 0.5 <= summary["seconds"] < 5


def test_a_budget_of_energy_ends_the_training_and_says_how_energy_was_known(study):
    folder = study.train(steps=None, energy_kwh=5 / 3.6e6, meter_seconds=0.05)
    summary = read_json(folder / "summary.json")
    assert summary["stopped_by"] == "energy_kwh"
    assert summary["energy_joules"] >= 5
    assert summary["energy_source"] in ("estimated", "rapl")
    assert summary["co2eq_kg"] == pytest.approx(summary["energy_joules"] / 3.6e6 * 0.7)


def test_a_loss_that_is_not_finite_stops_with_step_loss_and_last_good_state(study):
    study.train(steps=2)
    with pytest.raises(UserError) as error:
        study.train(steps=6, training={"fails_at": 3})
    message = str(error.value)
    assert "the loss of step 4 is not finite" in message
    assert "l1_loss nan" in message
    assert "learning_rate" in message
    assert not (study.folder / "a" / "x.ckpt.partial").exists()


def test_silent_audio_in_validation_is_flagged(study):
    folder = study.train(architecture={"scale": 0.0}, validation_clips=2)
    assert read_json(folder / "summary.json")["flags"] == ["generator_collapse"]


def test_validation_is_logged_and_its_audio_kept(study):
    folder = study.train(validation_every_steps=3, validation_clips=2)
    with (folder / "metrics.csv").open() as file:
        distances = {row["step"]: row["d_stft"] for row in csv.DictReader(file)}
    assert float(distances["3"]) > 0
    assert distances["2"] == ""
    assert read_json(folder / "summary.json")["validation_d_stft"] == pytest.approx(float(distances["6"]))
    assert len(list(folder.rglob("samples/step_00000003/*.wav"))) == 2


def test_tensorboard_gets_the_curve(study):
    folder = study.train()
    assert list(folder.rglob("tensorboard/events.out.tfevents.*"))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".ckpt"])
def test_given_weights_take_the_place_of_training(study, suffix):
    trained = study.train("trained")
    given = study.folder / f"given{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(weights(trained), given)
    elif suffix == ".pt":
        torch.save(weights(trained), given)
    else:
        given.write_bytes((trained / "x.ckpt").read_bytes())
    folder = study.train("given", checkpoint=str(given))
    torch.testing.assert_close(weights(folder), weights(trained), rtol=0, atol=0)
    assert read_json(folder / "summary.json")["stopped_by"] == "given_checkpoint"


def test_given_weights_of_another_shape_are_refused_with_their_names(study):
    torch.save({"layer.weight": torch.zeros(2, 2), "other": torch.zeros(1)}, study.folder / "given.pt")
    with pytest.raises(UserError, match=r"layer\.bias is missing; other is unknown; layer\.weight has shape \(2, 2\)"):
        study.train(checkpoint=str(study.folder / "given.pt"))


def test_an_automatic_batch_size_on_a_cpu_says_what_to_do(study):
    with pytest.raises(UserError, match=r"training\.batch_size: auto needs a GPU; give a number"):
        study.train(batch_size="auto")


def test_a_second_process_on_the_same_state_is_refused(study):
    folder = study.train(steps=2)
    state = next((folder / "state").iterdir())
    with (
        StateFolder(state).locked(),
        pytest.raises(UserError, match=f"another process is training here .*{os.getpid()}"),
    ):
        study.train(steps=4)


PIECE = """
import sys
sys.path[:0] = [{tests!r}, {library!r}]
from pathlib import Path
from small_study import SmallStudy, SmallObjective
SmallStudy(Path({folder!r})).train("killed", steps={steps}, checkpoint_minutes=1e-9, validation_clips=0)
"""


def start_piece(study, steps):
    here = Path(__file__).resolve()
    code = PIECE.format(
        tests=str(here.parent), library=str(here.parents[3] / "workflow_scripts"), folder=str(study.folder), steps=steps
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def wait_for_a_state(study, process):
    while not list((study.folder / "killed").glob("state/*/previous.pt")):
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        time.sleep(0.02)


def test_a_run_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened(study):
    process = start_piece(study, 400)
    wait_for_a_state(study, process)
    process.kill()
    process.wait()
    state = StateFolder(next((study.folder / "killed" / "state").iterdir())).load()
    assert 0 < state["progress"]["steps"] < 400
    steps = state["progress"]["steps"] + 3
    killed = study.train("killed", steps=steps, checkpoint_minutes=1e-9)
    assert_same_run(killed, study.train("whole", steps=steps))


def test_a_run_that_was_asked_to_end_saves_its_state_and_says_how_to_resume(study):
    process = start_piece(study, 100_000)
    wait_for_a_state(study, process)
    process.send_signal(signal.SIGTERM)
    message = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "stopped by SIGTERM at step" in message
    assert "run the same command again to resume" in message
    assert list((study.folder / "killed").glob("state/*/state.pt"))
