import dataclasses
import json
import logging
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from seeds import seed_of
from workbench import assert_same_weights, losses_of

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.models.checkpoint import load_vocoder, save_checkpoint
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.code_version import code_version
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.training import train as train_module
from vocoder_pareto.training.summary import history_of
from vocoder_pareto.training.train import train
from vocoder_pareto.training.weights import obtain_weights


def no_training(*arguments, **keywords):
    raise AssertionError("it must not train")


def test_a_training_ends_with_its_checkpoint_its_summary_and_its_curve(bench):
    bench.train(steps=7)
    _, training = load_vocoder(bench.outputs.checkpoint, bench.job().system)
    summary = bench.summary
    assert training == history_of(summary)
    assert "energy_joules" not in training
    expected = {"system": "tiny-S", "steps": 7, "stopped_by": "steps", "batch_size": 3, "pieces": 1, "flags": []}
    assert expected.items() <= summary.items()
    assert summary["epochs"] == pytest.approx(7 / 3)  # ten clips are three batches of three
    assert summary["energy_source"] in ("estimated", "rapl")
    assert summary["device"] == device_name(torch.device("cpu"))
    assert summary["mean_power_watts"] == pytest.approx(summary["energy_joules"] / summary["seconds"])
    assert "carbon" not in summary
    assert [int(row["step"]) for row in bench.curve] == list(range(1, 8))
    assert float(bench.curve[-1]["l1_loss"]) == pytest.approx(summary["losses"]["l1_loss"], rel=1e-6)
    assert float(bench.curve[-1]["d_stft"]) == pytest.approx(summary["validation_d_stft"], rel=1e-6)
    assert list(bench.state_folder.glob("tensorboard/events.*"))
    assert (bench.state_folder / "samples" / "step_00000007" / "clip_10.wav").exists()


def test_training_lowers_the_distance_of_validations(bench):
    bench.train(recipe={"noise": 0.0}, steps=150, log_every_steps=10, validation_every_steps=10, validation_clips=2)
    distances = [float(row["d_stft"]) for row in bench.curve if row["d_stft"]]
    assert len(distances) == 15
    assert distances[-1] < 0.7 * distances[0]


def test_validations_happen_at_steps_that_are_logged_too_and_at_others(bench):
    bench.train(steps=13, log_every_steps=5, validation_every_steps=4)
    assert [int(row["step"]) for row in bench.curve] == [4, 5, 8, 10, 12, 13]
    assert [int(row["step"]) for row in bench.curve if row["d_stft"]] == [4, 8, 12, 13]


def test_validations_happen_at_shares_of_the_budget_whatever_the_step(bench):
    bench.train(steps=12, log_every_steps=100, validation_shares=(0.7, 0.1, 1.0))
    assert [int(row["step"]) for row in bench.curve if row["d_stft"]] == [2, 9, 12]  # of 1.2, 8.4 and 12 steps


def test_a_share_that_an_earlier_piece_has_reached_is_not_validated_again(bench):
    bench.train(steps=4, log_every_steps=100, validation_shares=(0.5,))
    bench.train(steps=12, log_every_steps=100, validation_shares=(0.1, 0.5))
    assert [int(row["step"]) for row in bench.curve if row["d_stft"]] == [2, 4, 6, 12]


def test_the_seed_of_a_system_is_that_of_a_study_with_this_seed(bench):
    """Weights, order and noise; without one, the training is found again that knew of no such key."""
    of_system = bench.elsewhere("a")
    of_system.train(seed=5)
    of_study = bench.elsewhere("b")
    obtain_weights(dataclasses.replace(of_study.job(), seed=5), of_study.outputs)
    assert_same_weights(of_system.weights, of_study.weights)
    assert bench.job(seed=5).digest() == dataclasses.replace(bench.job(), seed=5).digest() != bench.job().digest()
    assert bench.job(seed=5).data_seed == 5
    assert bench.job(seed=5, data_seed=2).data_seed == 2
    assert of_system.summary["settings"]["seed"] == 5


def test_validations_and_logs_change_no_weights(bench):
    watched = bench.train(validation_every_steps=1).weights
    assert_same_weights(watched, bench.elsewhere("b").train(validation_clips=0, log_every_steps=100).weights)


def test_a_larger_budget_continues_a_training_and_equals_an_uninterrupted_one(bench):
    for objective in ("TinyObjective", "AdversarialTinyObjective"):
        pieces, whole = bench.elsewhere(f"{objective} in pieces"), bench.elsewhere(objective)
        for steps in (2, 3, 8):
            pieces.train(objective, steps=steps)
        whole.train(objective, steps=8)
        assert_same_weights(pieces.weights, whole.weights)
        assert pieces.summary["pieces"] == 3
        same = [{**row, "d_stft": ""} for row in losses_of(pieces.curve)]
        assert same == [{**row, "d_stft": ""} for row in losses_of(whole.curve)]
        # What is trained beside the vocoder is the same too.
        states = [torch.load(each.state_folder / "state.pt", weights_only=True)["module"] for each in (pieces, whole)]
        assert_same_weights(states[0]["objective"], states[1]["objective"])


RATES = {
    "ObjectiveByTheBudget": lambda share: 0.5 ** math.floor(share / 0.15 + 1e-9),
    "CosineObjective": lambda share: (1 + math.cos(math.pi * math.floor(100 * share + 1e-9) / 100)) / 2,
}


@pytest.mark.parametrize("objective", RATES)
def test_a_rate_that_follows_the_budget_rises_again_where_that_is_raised(bench, objective):
    """By its formula: in 20 steps it came to its end, and after 20 of 40 it is where a half of the budget has it."""
    bench.train(objective, steps=20).train(objective, steps=40)
    found = [float(row["learning_rate"]) for row in bench.curve]
    shares = [*(step / 20 for step in range(1, 21)), *(step / 40 for step in range(21, 41))]
    expected = [0.01 * RATES[objective](share) for share in shares]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_rate_of_an_unchanged_budget_goes_on_where_it_was(bench):
    settings = {"recipe": {"at_step": 7, "marker": str(bench.folder / "marker")}, "steps": 20}
    with pytest.raises(UserError, match="stopped by SIGTERM at step 7"):
        bench.train("ObjectiveByTheBudget", **settings)
    bench.train("ObjectiveByTheBudget", **settings)
    whole = bench.elsewhere("whole").train("ObjectiveByTheBudget", **settings)
    assert losses_of(bench.curve) == losses_of(whole.curve)


def test_what_an_estimate_takes_a_core_to_draw_stands_in_every_row(bench):
    """A later piece may take another number: its joules are restated, those of earlier rows stay as they were."""
    for watts, steps in ((10.0, 3), (20.0, 6)):
        meter = MeterSettings(unreadable_rapl="estimate", cpu_watts_per_core=watts)
        obtain_weights(dataclasses.replace(bench.job(steps=steps), meter=meter), bench.outputs)
    if bench.summary["energy_source"] == "estimated":
        assert [float(row["watts_per_core"]) for row in bench.curve] == [10.0] * 3 + [20.0] * 3
    else:
        assert {row["watts_per_core"] for row in bench.curve} == {""}


def test_the_loader_of_other_processes_and_mixed_precision_resume_alike(bench):
    settings = {"workers": 1, "precision": "bf16-mixed"}
    pieces = bench.elsewhere("pieces").train(steps=3, **settings).train(steps=5, **settings)
    assert_same_weights(pieces.weights, bench.elsewhere("whole").train(steps=5, **settings).weights)
    assert pieces.summary["precision"] == "bf16-mixed"


def test_a_deleted_checkpoint_comes_back_from_the_state_without_training(bench, monkeypatch):
    weights, summary = bench.train().weights, bench.summary
    for file in (bench.outputs.checkpoint, bench.outputs.summary, bench.outputs.metrics):
        file.unlink()
    monkeypatch.setattr(train_module, "_fit", no_training)
    bench.train()
    assert_same_weights(bench.weights, weights)
    assert bench.summary == summary
    assert len(bench.curve) == 8


def test_a_smaller_budget_than_was_used_keeps_the_longer_training_and_says_so(bench, caplog, monkeypatch):
    bench.train(steps=5)
    monkeypatch.setattr(train_module, "_fit", no_training)
    with caplog.at_level(logging.INFO):
        bench.train(steps=3)
    assert bench.summary["steps"] == 5
    assert "used up since step 5" in caplog.text


def test_the_state_is_found_by_settings_seed_data_and_code_and_not_by_the_budget(bench, tmp_path):
    job = bench.job()
    digest = job.digest()
    assert bench.job(steps=None, hours=120.0, workers=4, validation_clips=9).digest() == digest
    sampling = dataclasses.replace(job.system, sampling={"sigma": 0.6})
    assert dataclasses.replace(job, system=sampling).digest() == digest
    others = [bench.job(recipe={"learning_rate": 0.5}), bench.job(batch_size=4), bench.job(precision="bf16-mixed")]
    others.append(dataclasses.replace(job, seed=1))
    edited = tmp_path / "edited.py"
    edited.write_text(Path(job.system.vocoder.rpartition(":")[0]).read_text())
    system = dataclasses.replace(job.system, vocoder=f"{edited}:TinyVocoder")
    others.append(dataclasses.replace(job, system=system))
    digests = {digest, *(other.digest() for other in others)}
    edited.write_text(edited.read_text() + "\nEDITED = True\n")
    digests.add(dataclasses.replace(job, system=dataclasses.replace(system)).digest())
    mels = bytearray(job.mels.read_bytes())
    mels[-1] ^= 1
    job.mels.write_bytes(mels)
    digests.add(job.digest())
    assert len(digests) == 7  # the edited copy counts once: hashes of code are remembered within a process


def test_only_code_that_can_change_the_weights_is_in_the_digest(tmp_path):
    """The step, the order of the data and the recipe are; the loop, the meter and the configuration are not."""
    library = Path(train_module.__file__).parents[1]
    shutil.copytree(library, tmp_path / "vocoder_pareto", ignore=shutil.ignore_patterns("__pycache__"))
    covered = ("training/module.py", "training/batches.py", "training/objectives/hifigan.py")
    kept = [*covered, "training/objectives/objective.py", "training/objectives/adversarial.py"]
    for folder in ("training", "measurement", "study"):
        for file in (tmp_path / "vocoder_pareto" / folder).glob("*.py"):
            if file.name != "__init__.py" and str(file.relative_to(tmp_path / "vocoder_pareto")) not in kept:
                file.write_text("EDITED = True")
    edited = code_version([tmp_path / "vocoder_pareto" / name for name in covered], tmp_path)
    assert edited == code_version([library / name for name in covered], library.parent)


def test_switching_a_setting_and_back_finds_the_finished_training_again(bench, monkeypatch):
    weights = bench.train().weights
    bench.train(recipe={"learning_rate": 0.5})
    assert not all(torch.equal(weights[name], value) for name, value in bench.weights.items())
    monkeypatch.setattr(train_module, "_fit", no_training)
    bench.train()
    assert_same_weights(bench.weights, weights)


def test_the_hours_of_all_pieces_count_and_validation_and_set_up_do_not(bench):
    recipe = {"seconds_per_step": 0.02}
    bench.train(recipe=recipe, steps=5)
    first = bench.summary["seconds"]
    assert first >= 0.1
    budget = first + 0.4  # however long a busy machine took for the first piece
    bench.train(recipe=recipe, steps=None, hours=budget / 3600, validation_every_steps=2)
    summary = bench.summary
    assert summary["stopped_by"] == "hours"
    assert summary["seconds"] >= 0.999 * budget
    assert 5 < summary["steps"] <= 25  # at 0.02 s and more for each step
    seconds = [float(row["seconds"]) for row in bench.curve]
    assert seconds == sorted(seconds)


def test_a_set_smaller_than_a_batch_is_one_batch(bench):
    bench.train(batch_size=64, steps=2)
    assert bench.summary["batch_size"] == 10
    assert bench.summary["epochs"] == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": "auto"}, "training.batch_size: auto needs a GPU"),
        ({"precision": "16-mixed"}, "training.precision: 16-mixed needs a GPU"),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(bench, settings, words):
    with pytest.raises(UserError, match=words):
        bench.train(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": None}, "training: no budget"),
        ({"steps": -1}, "steps: -1 is not allowed; must be at least 0"),
        ({"steps": 0, "hours": 1.0}, "training: 0 steps leave hours and energy_kwh unused; set steps: null"),
        ({"hours": -1.0}, "hours: -1.0 is not allowed; must be greater than 0"),
        ({"steps": 1, "batch_size": 0}, "batch_size: 0 is not allowed; must be at least 1"),
        ({"steps": 1, "precision": "64"}, "precision: '64' is not allowed"),
        ({"steps": 1, "bach_size": 1}, "bach_size: unknown"),
    ],
)
def test_impossible_settings_are_named(settings, words):
    with pytest.raises(UserError, match=words):
        settings_from(TrainingSettings, settings, "training")


def test_a_dataset_without_training_clips_is_refused(bench):
    job = bench.job()
    clips = [Clip(row, f"clip_{row}", f"{row}.wav", 1.0, "test") for row in range(12)]
    write_clip_table(job.table, clips)
    with pytest.raises(UserError, match=r"clips\.csv: no clip of the training split"):
        train(job, bench.outputs)


def test_damaged_clips_are_named_before_training(bench):
    job = bench.job()
    job.clips.write_bytes(job.clips.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"clips\.npy: damaged"):
        train(job, bench.outputs)


# ---------------------------------------------------------------------- divergence


def test_a_loss_that_is_not_a_number_names_step_loss_and_the_last_good_state(bench):
    settings = {"steps": 20, "checkpoint_minutes": 1e-9, "log_every_steps": 10}
    with pytest.raises(UserError, match=r"the generator loss of step 6 is nan; last good state: \S+/state\.pt"):
        bench.train("DivergingObjective", {"at_step": 6}, **settings)
    state = torch.load(bench.state_folder / "state.pt", weights_only=True)
    assert state["record"]["steps"] == 5
    assert not bench.outputs.checkpoint.exists()


def test_the_first_of_several_bad_losses_is_named_even_if_nothing_is_logged_for_long(bench):
    settings = {"steps": 30, "log_every_steps": 1000, "validation_clips": 0}
    with pytest.raises(UserError, match=r"loss of step 4 is nan; last good state: none yet"):
        bench.train("DivergingObjective", {"at_step": 4}, **settings)


def test_weights_that_are_not_finite_are_never_saved(bench):
    settings = {"steps": 4, "checkpoint_minutes": 1e-9}
    with pytest.raises(UserError, match=r"vocoder\.output\.bias is not finite after step 4"):
        bench.train("ExplodingObjective", {"at_step": 4}, **settings)
    state = torch.load(bench.state_folder / "state.pt", weights_only=True)
    assert state["record"]["steps"] == 3


def test_what_the_recipe_doubts_of_the_training_clips_is_told_before_the_first_step(bench, caplog):
    caplog.set_level(logging.INFO)
    bench.train("DoubtingObjective", steps=1)
    words = [record.getMessage() for record in caplog.records]
    assert words.index("10 clips of 1024 samples are too many") < words.index(
        next(each for each in words if "at the end of the budget" in each)
    )


def test_a_silent_generator_is_flagged_in_the_log_and_the_summary(bench, caplog):
    bench.train("SilencedObjective", steps=30)
    assert "the generator has collapsed" in caplog.text
    assert bench.summary["flags"] == ["generator_collapse"]


# ---------------------------------------------------------------------- given weights


def test_given_weights_become_the_checkpoint_without_training(bench, monkeypatch):
    monkeypatch.setattr(train_module, "_fit", no_training)
    system = bench.job().system
    torch.manual_seed(seed_of(5))
    vocoder = build_vocoder(system)
    torch.save(vocoder.state_dict(), bench.folder / "given.pt")
    save_file(vocoder.state_dict(), bench.folder / "given.safetensors")
    save_checkpoint(bench.folder / "given.ckpt", vocoder, system, {"system": "x", "steps": 99, "energy_joules": 7.0})
    for name, steps in (("given.pt", None), ("given.safetensors", None), ("given.ckpt", 99)):
        bench.train(checkpoint=str(bench.folder / name))
        assert_same_weights(bench.weights, vocoder.state_dict())
        summary = bench.summary
        assert (summary["system"], summary["stopped_by"], summary["steps"]) == ("tiny-S", "given_checkpoint", steps)
        assert summary["energy_joules"] == (7.0 if steps else None)
        assert all(summary[name] is None for name in ("precision", "energy_by_domain", "energy_unmeasured_seconds"))
        assert bench.outputs.metrics.read_text() == "step\n"


def test_given_weights_that_do_not_fit_are_listed(bench):
    weights = build_vocoder(bench.job().system).state_dict()
    weights["input.weight"] = torch.zeros(9, 4, 3)
    weights["extra"] = weights.pop("output.bias")
    torch.save(weights, bench.folder / "given.pt")
    with pytest.raises(UserError) as error:
        bench.train(checkpoint=str(bench.folder / "given.pt"))
    for words in ("output.bias is missing", "extra is unknown", "input.weight has shape (9, 4, 3), expected (8, 4, 3)"):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.pt", None, "no such file; mend the weights of this system, or its training.checkpoint"),
        ("text.pt", b"hello", "not a file of weights"),
        ("text.safetensors", b"hello", "not a file of weights"),
    ],
)
def test_a_file_without_weights_is_named(bench, name, content, words):
    if content is not None:
        (bench.folder / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        bench.train(checkpoint=str(bench.folder / name))


def test_the_summary_holds_plain_json_only(bench):
    bench.train(steps=2)
    assert json.loads(json.dumps(bench.summary, allow_nan=False)) == bench.summary
