"""A call in a process of its own, when that cannot start, is killed, or is broken off by the keyboard."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import own_process
from vocoder_pareto.measurement.own_process import in_own_process, in_own_process_within

MEASURES_FOR_EVER = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell in the background has it ignore
from vocoder_pareto.measurement.own_process import in_own_process

def measure():
    print("measuring", flush=True)
    time.sleep(600)

in_own_process(measure)
"""


def test_it_returns_what_the_process_found():
    assert in_own_process(os.getpid) != os.getpid()


def test_a_process_that_cannot_be_started_is_told_in_words(monkeypatch):
    def refuse(*arguments):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(own_process.get_context(own_process.START_METHOD).Process, "start", refuse)
    with pytest.raises(UserError, match=r"no process could be started .*temporarily unavailable.*ulimit -u"):
        in_own_process(os.getpid)


def test_a_process_that_takes_too_long_is_ended_and_told_in_words():
    begin = time.monotonic()
    with pytest.raises(UserError, match=r"not done after 0\.005 minutes"):
        in_own_process_within(0.3, time.sleep, 600)
    assert time.monotonic() - begin < 300  # half of what it would have taken
    assert in_own_process_within(600, os.getpid) != os.getpid()


def test_a_process_that_is_killed_is_told_in_words():
    with pytest.raises(UserError, match="was killed"):
        in_own_process(_kill_oneself)


def _kill_oneself():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="has no groups of processes")
def test_ctrl_c_ends_a_measurement_that_would_take_ten_minutes_more():
    program = subprocess.Popen(
        [sys.executable, "-c", MEASURES_FOR_EVER],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(own_process.__file__).parents[2])},
    )  # fmt: skip
    try:
        assert program.stdout.readline() == "measuring\n"
        os.killpg(program.pid, signal.SIGINT)
        assert program.wait(timeout=120) != 0
        assert _is_gone(program.pid), "no process of its group is left"
    finally:
        if not _is_gone(program.pid):
            os.killpg(program.pid, signal.SIGKILL)
        program.stdout.close()


def _is_gone(group):
    """Whether no process of the group lives, after what has ended had a moment to be swept up."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
