import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import parallel_work
import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.parallel import map_in_processes


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_results_come_in_order(processes, count, start_method):
    options = {"chunk_size": 4, "start_method": start_method}
    results = map_in_processes(parallel_work.square, range(count), processes, "Squaring", **options)
    assert list(results) == [number * number for number in range(count)]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_worker_is_raised_here(processes):
    with pytest.raises(ValueError, match="seven"):
        list(map_in_processes(parallel_work.fail_at_seven, range(20), processes, "Failing", chunk_size=2))


def test_a_worker_that_is_killed_is_an_error_with_a_way_out_and_not_a_hang():
    with pytest.raises(UserError, match=r"1 of 2|one of 2 worker processes was killed.*rerun with fewer"):
        list(map_in_processes(parallel_work.die_at_seven, range(20), 2, "Dying", chunk_size=2))


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_so_it_is_with_items_larger_than_the_buffer_of_a_pipe(start_method):
    items = [bytes(100_000)] * 20
    options = {"chunk_size": 1, "start_method": start_method}
    with pytest.raises(UserError, match="worker processes was killed"):
        list(map_in_processes(parallel_work.wait_and_die, items, 2, "Dying", **options))


def test_workers_compute_with_one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    results = map_in_processes(
        parallel_work.threads_allowed, range(4), 2, "Looking", chunk_size=1, start_method="spawn"
    )
    assert set(results) == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_progress_is_told_on_stderr(capsys):
    list(map_in_processes(parallel_work.square, range(3), 1, "Squaring", chunk_size=2))
    captured = capsys.readouterr()
    assert "Squaring: 100%" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_workers_end_with_a_parent_that_is_killed(tmp_path, start_method):
    folder = Path(parallel_work.__file__).parent
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib, parallel_work\n"
        "from vocoder_pareto.parallel import map_in_processes\n"
        "if __name__ == '__main__':\n"
        f"    folders = [pathlib.Path({str(tmp_path)!r})] * 2\n"
        f"    options = dict(chunk_size=1, start_method={start_method!r})\n"
        "    list(map_in_processes(parallel_work.wait_and_tell, folders, 2, 'Waiting', **options))\n"
    )
    paths = os.pathsep.join([str(folder), str(folder.parents[1] / "workflow_scripts")])
    parent = subprocess.Popen(
        [sys.executable, program], env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    workers = [int(file.stem) for file in tmp_path.glob("*.pid")]
    wait_until(lambda: not any(is_running(worker) for worker in workers))


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
