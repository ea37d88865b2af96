import errno
import fcntl
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import pytest

from vocoder_pareto import locks, owners
from vocoder_pareto.locks import Held, locked

WITHOUT_LOCKS = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP]  # Lustre, NFS, FUSE
HOLDING = """
import errno, fcntl, sys, time
from vocoder_pareto import locks

def no_locks(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")

fcntl.flock = no_locks
with locks.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks."""

    def refuse(number):
        def flock(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", flock)

    return refuse


@pytest.fixture
def holder():
    """Start processes that hold a lock on a file system without locks."""
    processes = []

    def start(path):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", HOLDING, str(path)]
        processes.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
            )
        )  # fmt: skip
        assert processes[-1].stdout.readline() == "held\n"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_of_the_file_system_needs_no_other(tmp_path):
    with locked(tmp_path / "lock"), pytest.raises(Held, match=f"process {os.getpid()} on"), locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("number", WITHOUT_LOCKS)
def test_without_locks_a_file_takes_their_place_and_it_is_told(tmp_path, no_locks, caplog, number):
    no_locks(number)
    with locked(tmp_path / "lock"):
        assert f"has no locks ({os.strerror(number)})" in caplog.text
        with pytest.raises(Held, match=rf"process {os.getpid()} on .*delete .*lock\.held"), locked(tmp_path / "lock"):
            pass
    with locked(tmp_path / "lock"):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_other_faults_of_a_lock_are_errors(tmp_path, no_locks):
    no_locks(errno.EIO)
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path / "lock"):
        pass


def test_the_file_holds_against_a_live_process_and_not_against_a_killed_one(tmp_path, no_locks, holder):
    process = holder(tmp_path / "lock")
    no_locks(errno.ENOLCK)
    with pytest.raises(Held, match=f"process {process.pid} on"), locked(tmp_path / "lock"):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    with locked(tmp_path / "lock"):
        pass


def lock_of(path, machine=None, boot=None):
    """A lock as another process left it."""
    own_machine, own_boot, process = owners.this_process().split("-")
    path.write_text(f"{machine or own_machine}-{boot or own_boot}-{process}\nprocess 7 on far\nabc\n")


def test_a_lock_of_an_earlier_boot_is_stale(tmp_path, no_locks, caplog):
    no_locks(errno.ENOSYS)
    lock_of(tmp_path / "lock.held", boot="00000000")
    with locked(tmp_path / "lock"):
        assert "left by process 7 on far" in caplog.text


def test_a_lock_of_another_machine_is_stale_once_nobody_touches_it(tmp_path, no_locks, monkeypatch):
    no_locks(errno.ENOSYS)
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.1)
    lock_of(tmp_path / "lock.held", machine="00000000")
    with locked(tmp_path / "lock"):
        pass


def test_a_lock_that_another_machine_touches_is_held(tmp_path, no_locks, monkeypatch):
    """The other machine is a thread that holds the lock under another name; the waiting has no end but its beat."""
    no_locks(errno.ENOSYS)
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 600.0)
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.05)
    ended = threading.Event()
    lock_of(tmp_path / "lock.held", machine="00000000")
    beat = threading.Thread(target=locks._beat, args=(tmp_path / "lock.held", ended))
    beat.start()
    try:
        with pytest.raises(Held, match="process 7 on far"), locked(tmp_path / "lock"):
            pass
    finally:
        ended.set()
        beat.join()
    assert (tmp_path / "lock.held").exists()


def contend(path, ready, over, outcomes):
    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    fcntl.flock, locks.BEAT_SECONDS = flock, 0.5
    logging.disable()
    ready.wait()
    try:
        with locked(path):
            outcomes.put("held")
            over.wait()
    except Held:
        outcomes.put("refused")
        over.wait()


@pytest.mark.parametrize("is_stale", [True, False])
def test_of_many_processes_at_once_one_alone_gets_the_lock(tmp_path, is_stale):
    context = multiprocessing.get_context("fork")
    if is_stale:
        lock_of(tmp_path / "lock.held", boot="00000000")
    ready, over, outcomes = context.Barrier(8), context.Event(), context.Queue()
    arguments = (tmp_path / "lock", ready, over, outcomes)
    processes = [context.Process(target=contend, args=arguments) for _ in range(8)]
    for process in processes:
        process.start()
    found = sorted(outcomes.get(timeout=120) for _ in processes)
    over.set()
    for process in processes:
        process.join()
    assert found == ["held"] + 7 * ["refused"]
