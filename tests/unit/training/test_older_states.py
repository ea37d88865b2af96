"""States of long ago are kept beside the newest two, at distances that grow, so that one can go back."""

import errno
from itertools import pairwise

import pytest
import torch

from vocoder_pareto.training import state as state_module
from vocoder_pareto.training.state import StateFolder


def state_of(steps: int) -> dict:
    return {"record": {"steps": steps}, "weights": torch.full((10,), float(steps))}


def saved_at(folder: StateFolder, steps) -> list[list[int]]:
    """Save states at these steps; return the steps of all that were there after each."""
    found = []
    for each in steps:
        folder.save(state_of(each))
        found.append(folder.steps)
    return found


@pytest.fixture
def without_disk(monkeypatch, tmp_path):
    """A folder whose states are empty files that tell their steps, so that thousands of saves take a second."""
    monkeypatch.setattr(
        state_module, "write_archive", lambda path, state: path.write_text(str(state["record"]["steps"]))
    )
    monkeypatch.setattr(state_module, "_steps_in", lambda file: int(file.read_text()) if file.exists() else None)
    monkeypatch.setattr(state_module, "bring_names_to_disk", lambda folder: None)
    return StateFolder(tmp_path / "state", older_states=3)


@pytest.mark.parametrize("interval", [1, 1000])
def test_however_long_a_training_is_ages_grow_from_some_intervals_to_a_part_of_all(without_disk, interval):
    """A simulation: what is kept after each of a thousand saves, counted in intervals between them."""
    _, *found = saved_at(without_disk, range(interval, 1001 * interval, interval))
    for number, steps in enumerate(found, 2):
        newest, previous, *older = (each // interval for each in steps)
        assert (newest, previous) == (number, number - 1)
        ages = [number - each for each in older]
        assert len(ages) == max(0, min(3, number - 2))
        if number < 30:
            continue
        assert 2 <= ages[0] <= 30
        assert ages[2] >= number / 30
        assert all(elder >= 1.5 * younger for younger, elder in pairwise(ages))


def test_what_is_kept_can_be_loaded_by_its_steps(tmp_path):
    folder = StateFolder(tmp_path / "state", older_states=2)
    (*_, kept) = saved_at(folder, range(10, 210, 10))
    assert len(kept) == 4
    for steps in kept:
        assert folder.load(most_steps=steps)["record"]["steps"] == steps
        assert torch.equal(folder.load(most_steps=steps + 5)["weights"], torch.full((10,), float(steps)))
    assert folder.load()["record"]["steps"] == 200
    assert folder.load(most_steps=kept[-1] - 1) is None


def test_none_are_kept_where_none_are_wanted(tmp_path):
    assert saved_at(StateFolder(tmp_path / "state", older_states=0), range(1, 8))[-1] == [7, 6]


def test_an_older_state_stands_in_where_the_newest_two_are_damaged(tmp_path):
    folder = StateFolder(tmp_path / "state", older_states=3)
    saved_at(folder, range(1, 6))
    for file in (folder.newest, folder.previous):
        file.write_bytes(b"")
    assert folder.load()["record"]["steps"] == 3
    folder.save(state_of(4))
    assert folder.load()["record"]["steps"] == 4


def test_states_ahead_of_one_that_was_put_back_go_first(tmp_path):
    folder = StateFolder(tmp_path / "state", older_states=2)
    *_, (_, _, younger, oldest) = saved_at(folder, range(10, 110, 10))
    (folder.folder / f"older_{oldest:012d}.pt").rename(folder.newest)
    folder.previous.unlink()
    assert younger > oldest
    *_, kept = saved_at(folder, range(oldest + 1, oldest + 6))
    assert kept[:2] == [oldest + 5, oldest + 4]
    assert younger not in kept


def test_on_a_full_disk_the_oldest_go_first_and_the_newest_stays(tmp_path, monkeypatch, caplog):
    """A disk with room for three states beside the newest: what does not fit raises what the kernel would."""
    folder = StateFolder(tmp_path / "state", older_states=3)
    saved_at(folder, range(1, 6))
    assert folder.steps == [5, 4, 3, 2, 1]
    write = state_module.write_archive

    def with_room_for_four(path, state):
        if len(list(folder.folder.glob("*.pt"))) >= 4:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, state)

    monkeypatch.setattr(state_module, "write_archive", with_room_for_four)
    folder.save(state_of(6))
    assert folder.steps == [6, 5, 4, 3]
    assert "older_000000000001.pt deleted" in caplog.text
    assert folder.load()["record"]["steps"] == 6
