import contextlib
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys

import pytest
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.checkpoint import save_checkpoint
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.training import state as state_module
from vocoder_pareto.training.state import StateFolder, digest_of, digest_of_files


def state_of(step: int) -> dict:
    return {"step": step, "weights": torch.full((1000,), float(step)), "nested": {"betas": (0.5, 0.9), "none": None}}


@pytest.fixture
def folder(tmp_path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@contextlib.contextmanager
def files_no_larger_than(size: int):
    """As a full disk, a write beyond the limit is cut short and fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_state_comes_back_as_it_was(folder):
    assert folder.load() is None
    folder.save(state_of(3))
    loaded = folder.load()
    assert loaded["step"] == 3
    assert torch.equal(loaded["weights"], torch.full((1000,), 3.0))
    assert loaded["nested"] == {"betas": (0.5, 0.9), "none": None}


def test_what_a_process_that_was_killed_while_saving_left_is_removed_by_the_next_one(folder):
    saving = (
        "import os, signal, sys\n"
        "from vocoder_pareto.training import state\n"
        "def killed(path, content):\n"
        "    path.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "state.write_archive = killed\n"
        "state.StateFolder(sys.argv[1]).save({})\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", saving, folder.folder], env=environment)
    assert ended.returncode == -signal.SIGKILL
    assert (folder.folder / "state.partial").exists()
    with folder.locked():
        assert [file.name for file in folder.folder.iterdir()] == ["lock"]


def test_the_newest_state_is_loaded_and_the_one_before_is_kept(folder):
    for step in (1, 2, 3):
        folder.save(state_of(step))
    assert folder.load()["step"] == 3
    assert torch.load(folder.previous, weights_only=True)["step"] == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_a_damaged_state_gives_way_to_the_one_before(folder, damage, caplog):
    folder.save(state_of(1))
    folder.save(state_of(2))
    content = folder.newest.read_bytes()
    folder.newest.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "text": b"hello"}[damage])
    assert folder.load()["step"] == 1
    assert "state.pt: damaged" in caplog.text
    # The damaged state must not take the place of the good one, whenever the next save is interrupted.
    folder.save(state_of(3))
    folder.newest.unlink()
    assert folder.load()["step"] == 1


def test_two_damaged_states_are_an_error_that_names_them(folder):
    for step in (1, 2):
        folder.save(state_of(step))
    for file in (folder.newest, folder.previous):
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"state\.pt and previous\.pt cannot be read; delete them"):
        folder.load()


def test_a_state_cannot_run_code(folder, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save({"x": Evil()}, folder.newest)
    with pytest.raises(UserError, match=r"state\.pt cannot be read"):
        folder.load()
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_between_the_steps_of_saving_leaves_a_whole_state(folder, monkeypatch, renames):
    class Killed(BaseException):
        pass

    folder.save(state_of(1))
    folder.save(state_of(2))
    done = []

    def replace(source, target):
        if len(done) == renames:
            raise Killed
        done.append(source)
        os.rename(source, target)

    monkeypatch.setattr(state_module.os, "replace", replace)
    with pytest.raises(Killed):
        folder.save(state_of(3))
    assert folder.load()["step"] == 2


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_full_disk_leaves_the_state_before_and_says_what_to_do(folder, share):
    folder.save(state_of(1))
    size = int(folder.newest.stat().st_size * share)
    with files_no_larger_than(size), pytest.raises(UserError, match=r"cannot be written .File too large.*still there"):
        folder.save(state_of(2))
    assert folder.load()["step"] == 1
    assert not list(folder.folder.glob("*.partial"))
    folder.save(state_of(2))
    assert folder.load()["step"] == 2


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


def large_state(step: int, kibibytes: int) -> dict:
    return {"step": step, "weights": torch.full((kibibytes * 256,), float(step))}


def test_room_for_two_states_is_enough(small_disk, caplog):
    folder = StateFolder(small_disk / "state")
    for step in range(5):
        folder.save(large_state(step, 450))
        assert folder.load()["step"] == step
    assert "little room: previous.pt deleted" in caplog.text
    assert folder.previous.exists()


def test_room_for_one_state_alone_keeps_the_state_before_and_says_what_to_do(small_disk):
    folder = StateFolder(small_disk / "state")
    folder.save(large_state(1, 600))
    with pytest.raises(UserError, match=r"cannot be written .No space left on device.*still there"):
        folder.save(large_state(2, 600))
    assert folder.load()["step"] == 1


def test_with_little_room_the_only_whole_state_is_never_deleted(small_disk):
    """The newest is damaged: it makes room, and the one before it stays until a new one is whole."""
    folder = StateFolder(small_disk / "state")
    for step in (1, 2):
        folder.save(large_state(step, 400))
    folder.newest.write_bytes(b"x" * folder.newest.stat().st_size)
    assert folder.load()["step"] == 1
    with pytest.raises(UserError, match="No space left on device"):
        folder.save(large_state(3, 700))
    assert folder.load()["step"] == 1
    folder.save(large_state(3, 400))
    assert folder.load()["step"] == 3


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_full_disk_keeps_the_checkpoint_that_was_there(bench, tmp_path, share):
    system = bench.job().system
    path = tmp_path / "x.ckpt"
    save_checkpoint(path, build_vocoder(system), system, {"steps": 1})
    content = path.read_bytes()
    with files_no_larger_than(int(len(content) * share)), pytest.raises(UserError, match=r"x\.ckpt: cannot be written"):
        save_checkpoint(path, build_vocoder(system), system, {"steps": 2})
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.glob("*x*")] == ["x.ckpt"]


def test_a_second_process_is_refused_and_told_who_holds_the_state(folder):
    with (
        folder.locked(),
        pytest.raises(UserError, match=f"another process is training here .process {os.getpid()} on "),
        StateFolder(folder.folder).locked(),
    ):
        pass


def test_a_lock_ends_with_its_holder(folder):
    for _ in range(2):
        with folder.locked():
            pass
    child = os.fork()
    if child == 0:
        file = (folder.folder / "lock").open("a+")
        fcntl.flock(file, fcntl.LOCK_EX)
        os._exit(0)
    os.waitpid(child, 0)
    with folder.locked():
        pass


def test_without_locks_and_without_fsync_of_folders_states_are_saved_and_guarded(folder, monkeypatch):
    """Lustre as it is often mounted, or FUSE: `flock` is not there, and `fsync` takes files alone."""
    fsync = os.fsync

    def fsync_of_files(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    def no_locks(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", no_locks)
    monkeypatch.setattr(os, "fsync", fsync_of_files)
    with folder.locked():
        folder.save(state_of(1))
        folder.save(state_of(2))
        with pytest.raises(UserError, match="another process is training here"), StateFolder(folder.folder).locked():
            pass
    assert folder.load()["step"] == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/state: cannot be created"):
        StateFolder(tmp_path / "file" / "state")


def test_a_digest_tells_parts_and_contents_apart(tmp_path):
    assert digest_of("ab", "c") != digest_of("a", "bc")
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"1")
    assert digest_of_files(one) == digest_of_files(other)
    other.write_bytes(b"2")
    assert digest_of_files(one) != digest_of_files(other)
    with pytest.raises(UserError, match="absent: cannot be read"):
        digest_of_files(tmp_path / "absent")
