"""A state that only other code made is never left or taken without a word: refused, adopted or left as the user says.

The outside is a training that nothing disturbed, and what an earlier version of the project left in its folders.
"""

import hashlib
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from workbench import Workbench, assert_same_weights, losses_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.settings import plain
from vocoder_pareto.training import job as job_module
from vocoder_pareto.training import other_code
from vocoder_pareto.training.identity import TrainingIdentity
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.other_code import beginning_of
from vocoder_pareto.training.state import StateFolder

BEFORE = {"tiny_system.py": "00000001", "vocoder_pareto.training.module": "00000002"}
AFTER = {**BEFORE, "vocoder_pareto.training.module": "0000000a"}
ANY_WORK_COUNTS = {"checkpoint_minutes": 1.0e-9}


@pytest.fixture
def upgrade(monkeypatch):
    """Function that makes the code of the training another one."""

    def to(code=AFTER):
        monkeypatch.setattr(job_module, "code_version", lambda *arguments: dict(code))

    to(BEFORE)
    return to


def folders(bench: Workbench) -> dict[str, Path]:
    """The folders of states that hold one, by their steps."""
    found = {}
    for folder in (bench.folder / "state").iterdir():
        state = StateFolder(folder).load()
        if state:
            found[state["record"]["steps"]] = folder
    return found


def words(job) -> str:
    files = (job.clips, job.table, job.mels, job.state_root)
    return beginning_of(plain(job.system), plain(job.settings), *files, job.seed)


def test_a_state_tells_all_that_its_digest_covers(bench, upgrade):
    bench.train(steps=2)
    parts = json.loads((bench.state_folder / "identity.json").read_text())
    assert parts["code"] == BEFORE
    assert parts["seed"] == 0
    assert (parts["system"]["model"], parts["settings"]["batch_size"]) == ("tiny", 3)
    assert parts["adopted_from"] == []
    canonical = [json.dumps(parts[name], sort_keys=True, separators=(",", ":")) for name in ("system", "settings")]
    code = hashlib.sha256("".join(f"{name}:{BEFORE[name]}\n" for name in sorted(BEFORE)).encode()).hexdigest()[:16]
    text = "".join(f"{len(part)}:{part}" for part in [*canonical, "0", code, parts["data"]])
    assert bench.state_folder.name == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_an_adopted_state_goes_on_as_if_the_code_were_the_same_and_stays_where_it_was(bench, upgrade, caplog):
    whole = bench.elsewhere("undisturbed").train("AdversarialTinyObjective", validation_every_steps=3)
    bench.train("AdversarialTinyObjective", steps=5, validation_every_steps=3)
    before = bench.state_folder
    upgrade()
    job = bench.job("AdversarialTinyObjective", other_code="adopt", validation_every_steps=3)
    assert words(job).startswith("adopts 5 steps (")
    bench.train("AdversarialTinyObjective", other_code="adopt", validation_every_steps=3)
    assert_same_weights(bench.weights, whole.weights)
    assert losses_of(bench.curve)[5:] == losses_of(whole.curve)[5:]
    assert [row["step"] for row in bench.curve] == [str(step) for step in range(1, 9)]
    (adopted,) = bench.summary["adopted_from"]
    assert (adopted["digest"], adopted["steps"]) == (before.name, 5)
    assert adopted["changed_code"] == ["training.module"]
    assert "changed: training.module" in caplog.text
    assert folders(bench).keys() == {5, 8}
    assert (folders(bench)[8] / "samples" / "step_00000003").is_dir()
    assert torch.load(bench.outputs.checkpoint)["training"]["adopted_from"] == [adopted]


def test_what_was_lost_since_an_adopted_state_stays_lost(bench, upgrade):
    """A piece after the state took two steps more, and was killed: its journal alone knows."""
    bench.train(steps=5)
    record = other_code.record_in(bench.state_folder)
    lost = replace(record, pieces=2, steps=7, seconds=record.seconds + 2.0, ended=False)
    lost.energy = replace(record.energy, measured_seconds=record.energy.measured_seconds + 2.0)
    Journal(bench.state_folder).write(lost)
    upgrade()
    bench.train(steps=8, other_code="adopt")
    assert (bench.summary["lost_steps"], bench.summary["killed_pieces"]) == (2, 1)
    assert bench.summary["lost_seconds"] == pytest.approx(2.0)


def test_a_state_that_is_adopted_twice_tells_both(bench, upgrade):
    bench.train(steps=2)
    for steps, digit in ((3, "b"), (4, "c")):
        upgrade({**BEFORE, "vocoder_pareto.training.module": digit * 8})
        bench.train(steps=steps, other_code="adopt")
    assert [each["steps"] for each in bench.summary["adopted_from"]] == [2, 3]


def test_training_that_counts_is_refused_in_one_line_with_both_ways_on(bench, upgrade):
    bench.train(steps=5, **ANY_WORK_COUNTS)
    upgrade()
    with pytest.raises(UserError) as refused:
        bench.train(**ANY_WORK_COUNTS)
    message = str(refused.value)
    for word in ("training.other_code", "tiny-S", "5 steps (", "training.module", "set adopt", "restart"):
        assert word in message
    assert "\n" not in message
    assert words(bench.job(**ANY_WORK_COUNTS)).startswith("is refused, since there are 5 steps")
    assert folders(bench).keys() == {5}


def test_the_furthest_of_several_states_is_named_and_adopted(bench, upgrade):
    for steps, digit in ((3, "b"), (6, "c"), (2, "d")):
        upgrade({**BEFORE, "vocoder_pareto.training.module": digit * 8})
        bench.train(steps=steps, other_code="restart")
    upgrade()
    bench.train(other_code="adopt")
    assert [each["steps"] for each in bench.summary["adopted_from"]] == [6]


@pytest.mark.parametrize("settings", [{}, {"other_code": "restart", **ANY_WORK_COUNTS}])
def test_seconds_of_training_or_a_wish_let_it_begin_at_step_0_beside_the_state(bench, upgrade, settings, caplog):
    bench.train(steps=5)
    upgrade()
    assert words(bench.job(**settings)).startswith("begins at step 0 and leaves 5 steps (")
    bench.train(**settings)
    assert bench.summary["pieces"] == 1
    assert bench.summary["adopted_from"] == []
    assert "beginning at step 0; 5 steps (" in caplog.text
    assert folders(bench).keys() == {5, 8}


def test_a_finished_state_of_other_code_becomes_the_checkpoint(bench, upgrade):
    bench.train()
    weights = bench.weights
    upgrade()
    bench.train(other_code="adopt")
    assert_same_weights(bench.weights, weights)
    assert bench.summary["pieces"] == 1
    assert (
        words(bench.job()) == f"is over, its state has {other_code.in_words(other_code.record_in(folders(bench)[8]))}"
    )


@pytest.mark.parametrize(
    "changes", [{"batch_size": 2}, {"precision": "bf16-mixed"}, {"recipe": {"noise": 0.3}}, {"seed": 1}, {"data": 1}]
)
def test_a_state_of_another_training_is_none_of_other_code(bench, upgrade, changes):
    bench.train(steps=2)
    upgrade()
    if changes.pop("data", None):
        content = bytearray(bench.job().mels.read_bytes())
        content[-1] ^= 1
        bench.job().mels.write_bytes(content)
    seed = changes.pop("seed", 0)
    job = replace(bench.job(other_code="adopt", **changes), seed=seed)
    assert words(job) == "begins at step 0"


def damaged_shape(state):
    state["module"]["objective"]["vocoder.input.bias"] = torch.zeros(5)


def lost_weight(state):
    del state["module"]["objective"]["vocoder.input.bias"]


def other_order(state):
    state["module"]["objective"] = dict(reversed(state["module"]["objective"].items()))


def other_turns(state):
    state["module"]["optimizers"] *= 2


def other_optimizer(state):
    for group in state["module"]["optimizers"][0]["param_groups"]:
        del group["betas"]


def no_schedule(state):
    state["module"]["schedules"] = [None]


MISFITS = {
    damaged_shape: r"vocoder\.input\.bias has shape \(5,\) there and \(8,\) in the code",
    lost_weight: r"vocoder\.input\.bias is in the code alone",
    other_order: "another order",
    other_turns: "trained in 2 turns, and the code has 1",
    other_optimizer: "another optimiser",
    no_schedule: "a schedule of the learning rate",
}


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda each: each.__name__)
def test_a_state_that_does_not_fit_the_code_is_refused_and_stays(bench, upgrade, misfit):
    bench.train(steps=2)
    states = StateFolder(bench.state_folder)
    state = states.load()
    misfit(state)
    states.save(state)
    upgrade()
    with pytest.raises(UserError, match=f"does not fit the code of today: .*{MISFITS[misfit]}.*training.module"):
        bench.train(other_code="adopt")
    assert folders(bench).keys() == {2}
    bench.train(other_code="restart")


@pytest.mark.parametrize("moment", ["copytree", "copy2", "link"])
def test_a_kill_while_a_state_is_adopted_leaves_none_and_the_next_try_takes_it(bench, upgrade, monkeypatch, moment):
    class Killed(BaseException):
        pass

    def kill(*arguments, **keywords):
        raise Killed

    whole = bench.elsewhere("undisturbed").train()
    bench.train(steps=5)
    upgrade()
    with monkeypatch.context() as patch:
        patch.setattr(other_code.os if moment == "link" else other_code.shutil, moment, kill)
        with pytest.raises(Killed):
            bench.train(other_code="adopt")
    assert folders(bench).keys() == {5}
    bench.train(other_code="adopt")
    assert_same_weights(bench.weights, whole.weights)


def test_without_hard_links_the_state_is_copied(bench, upgrade, monkeypatch):
    def refuse(*arguments):
        raise OSError("no hard links here")

    bench.train(steps=5)
    upgrade()
    monkeypatch.setattr(other_code.os, "link", refuse)
    bench.train(other_code="adopt")
    assert [each["steps"] for each in bench.summary["adopted_from"]] == [5]


def test_a_state_on_a_file_system_that_maps_no_files_is_found(bench, upgrade, monkeypatch):
    bench.train(steps=3)

    def refuse(*_):
        raise RuntimeError("unable to mmap 64 bytes from file <state.pt>: No such device (19)")

    monkeypatch.setattr(torch.UntypedStorage, "from_file", refuse)
    (folder,) = folders(bench).values()
    with pytest.raises(RuntimeError, match="No such device"):
        torch.load(folder / "state.pt", mmap=True)
    assert other_code.record_in(folder).steps == 3


def test_a_state_of_an_earlier_version_is_told_as_what_it_is_and_moved_by_hand(bench, upgrade):
    """Before identity.json, a folder told its system and settings: not its seed, its data or its code."""
    bench.train(steps=5, **ANY_WORK_COUNTS)
    old = bench.state_folder
    (old / "identity.json").unlink()
    upgrade()
    for fate in ("refuse", "adopt"):
        with pytest.raises(
            UserError, match=r"recorded neither .*; set restart .*, or .* move .*state\.pt to (\S+) and"
        ):
            bench.train(**ANY_WORK_COUNTS, other_code=fate)
    shutil.move(old / "state.pt", bench.folder / "state" / bench.job().digest())
    bench.train(**ANY_WORK_COUNTS)
    assert bench.summary["pieces"] == 2


def test_a_state_of_an_earlier_version_by_the_same_code_goes_on_and_tells_its_identity_from_then_on(bench, upgrade):
    bench.train(steps=5)
    (bench.state_folder / "identity.json").unlink()
    bench.train()
    assert bench.summary["pieces"] == 2
    assert TrainingIdentity.recorded(bench.state_folder) == bench.job().identity()


def test_a_key_that_an_upgrade_brings_is_no_other_setting_at_its_default(bench, upgrade):
    bench.train(steps=5)
    file = bench.state_folder / "identity.json"
    parts = json.loads(file.read_text())
    del parts["settings"]["tf32"]
    file.write_text(json.dumps(parts))
    upgrade()
    assert words(bench.job(other_code="adopt", tf32=True)) == "begins at step 0"
    assert "changed: training.module, the key tf32" in words(bench.job(other_code="adopt"))
    bench.train(other_code="adopt")
    assert bench.summary["adopted_from"][0]["changed_code"] == ["training.module", "the key tf32"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"system": 3}'])
def test_a_folder_that_does_not_tell_what_it_holds_is_left_alone(bench, upgrade, text):
    bench.train(steps=2)
    for name in ("identity.json", "settings.json"):
        (bench.state_folder / name).write_text(text)
    upgrade()
    assert words(bench.job(other_code="adopt")) == "begins at step 0"


def test_the_fate_of_other_states_is_no_part_of_the_identity(bench):
    assert len({bench.job(other_code=fate).digest() for fate in ("refuse", "adopt", "restart")}) == 1
    assert len({str(bench.job(other_code=fate).settings.determining()) for fate in ("refuse", "adopt")}) == 1


def test_given_weights_need_no_state(bench, upgrade):
    bench.train(steps=2)
    assert words(bench.job(checkpoint=str(bench.outputs.checkpoint))) == "takes given weights"


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)
