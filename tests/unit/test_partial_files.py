"""What a killed process leaves is removed by the next one; the outside is the operating system, which kills."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from vocoder_pareto.files import write_text
from vocoder_pareto.partial_files import partial_path, remove_ownerless

WRITING = """
import sys, time
from vocoder_pareto.files import written_whole
with written_whole(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""
MACHINE = r"\.([0-9a-f]{8})-[0-9a-f]{8}-"
BOOT = r"-[0-9a-f]{8}-"
DAY = 86_400


def partials(folder):
    return sorted(file.name for file in folder.iterdir() if ".partial" in file.name)


@pytest.fixture
def writing(monkeypatch):
    """Start processes that hang while they write."""
    processes = []

    def start(target):
        command = [sys.executable, "-c", WRITING, str(target)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        assert processes[-1].stdout.readline() == "writing\n"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_what_a_killed_process_leaves_is_removed_by_the_next_one_and_what_a_live_one_writes_is_not(tmp_path, writing):
    killed, alive = writing(tmp_path / "clips.npy"), writing(tmp_path / "mels.npy")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(partials(tmp_path)) == 2
    write_text(tmp_path / "clips.npy", "whole")
    assert partials(tmp_path) == [partial_of(alive.pid, "mels.npy")]
    assert (tmp_path / "clips.npy").read_text() == "whole"


def partial_of(process, name):
    own = partial_path(name).name
    return own.replace(f"-{os.getpid()}.partial", f"-{process}.partial")


def a_partial(folder, change, age_seconds):
    """A partial file of this live process, but for what `change` makes of its name."""
    file = folder / change(partial_path("clips.npy").name)
    file.write_text("half")
    os.utime(file, (time.time() - age_seconds,) * 2)
    return file


@pytest.mark.parametrize(
    ("change", "age_seconds", "stays"),
    [
        (lambda name: name, 9 * DAY, True),
        (lambda name: re.sub(BOOT, "-00000000-", name), 0, False),
        (lambda name: re.sub(MACHINE, r".00000000-\g<1>-", name), DAY / 2, True),
        (lambda name: re.sub(MACHINE, r".00000000-\g<1>-", name), 2 * DAY, False),
        (lambda _: ".clips.4711.partial.npy", DAY / 2, True),
        (lambda _: ".clips.4711.partial.npy", 2 * DAY, False),
        (lambda _: "LJSpeech-1.1.tar.bz2.partial", 9 * DAY, True),
        (lambda _: ".notes.partial.txt", 9 * DAY, True),
    ],
    ids=["ours", "an earlier boot", "another machine", "another machine, old", "an earlier version's",
         "an earlier version's, old", "a download to go on with", "a user's"],
)  # fmt: skip
def test_only_what_cannot_be_in_use_is_removed(tmp_path, change, age_seconds, stays):
    file = a_partial(tmp_path, change, age_seconds)
    remove_ownerless.cache_clear()  # a folder of a test that passed is deleted, and its name used again
    remove_ownerless(tmp_path)
    assert file.exists() == stays


@pytest.mark.parametrize("name", ["ä" * 120 + ".wav", "a" * 250 + ".wav", "x", ".hidden", "ünï.tar.bz2"])
def test_every_name_that_a_file_can_have_can_be_written(tmp_path, name):
    write_text(tmp_path / name, "whole")
    assert (tmp_path / name).read_text() == "whole"
    assert partials(tmp_path) == []


def test_a_folder_that_cannot_be_listed_is_left_alone(tmp_path):
    remove_ownerless(tmp_path / "missing")
