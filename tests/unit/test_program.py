"""How a program ends: what went wrong is the last line that it says, also when it worked in several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from somebody_else import AS_NOBODY, needs_root

PROGRAMS = Path(__file__).resolve().parents[2] / "workflow_scripts"
DATASET = {
    "source": "folder", "clips": None, "voices": ["en-us"], "test_share": 0.2, "on_bad_clip": "error",
    "clip_seconds": 1.024,
}  # fmt: skip
WORK = """
import sys
sys.path[:0] = [{programs!r}, {tests!r}]
import parallel_work
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.program import run_program

def main():
    for _ in map_in_processes(parallel_work.{function}, range(40), 2, "Working", 2, start_method={start_method!r}):
        pass

if __name__ == "__main__":
    run_program(main)
"""


def log_of(*command: str, before: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    """The status of a program, and the lines of its log that are not empty, as a rule writes it; `before` starts it."""
    done = subprocess.run(
        [*before, sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    return done.returncode, [line for line in done.stdout.splitlines() if line.strip()]


@pytest.fixture
def corpus(tmp_path):
    """Recordings of 22,050 Hz, so that soxr resamples them: it complains of its resamplers as Python ends."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(300):  # more than two processes take at a time
        noise = np.random.default_rng(number).normal(0, 0.1, 22050)
        soundfile.write(folder / f"{number:03d}.wav", noise, 22050)
    return folder


def prepare_clips(corpus: Path, processes: int) -> tuple[int, list[str]]:
    names = ("clips", "clip-table", "skipped", "dataset-summary")
    outputs = [word for name in names for word in (f"--output-{name}", str(corpus.parent / name))]
    given = ["--dataset-settings", json.dumps(DATASET), "--corpus", str(corpus), "--processes", str(processes)]
    given += ["--sample-rate", "16000", "--clip-samples", "16384"]
    return log_of(str(PROGRAMS / "prepare_clips.py"), *given, *outputs)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_last_line_of_a_failed_job_with_a_resampler_is_the_error(corpus, processes):
    damaged = corpus / "299.wav"
    damaged.write_bytes(damaged.read_bytes()[:3000])
    status, lines = prepare_clips(corpus, processes)
    assert status == 1
    assert lines[-1].startswith("error: 1 of the recordings cannot be used")
    assert "299.wav: is truncated" in lines[-1]
    assert not [line for line in lines if "leaked" in line]


def test_a_job_that_ends_well_leaves_no_complaints(corpus):
    status, lines = prepare_clips(corpus, 2)
    assert status == 0
    assert lines[-1].startswith("Dataset: clips for training: 240, for the test: 60 ")
    assert all("Preparing clips" in line for line in lines[:-1]), lines


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("function", "last"),
    [("die_at_seven", "error: one of 2 worker processes was killed"), ("fail_at_seven", "ValueError: seven")],
)
def test_so_it_is_when_a_worker_fails(tmp_path, function, last, start_method):
    program = tmp_path / "work.py"
    program.write_text(
        WORK.format(
            programs=str(PROGRAMS), tests=str(Path(__file__).parent), function=function, start_method=start_method
        )
    )
    status, lines = log_of(str(program))
    assert status == 1
    assert lines[-1].startswith(last)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    program = tmp_path / "talk.py"
    talk = "run_program(lambda: print('word ' * 100_000))"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(PROGRAMS)!r})\nfrom vocoder_pareto.program import run_program\n{talk}"
    )
    done = subprocess.run(
        f"{sys.executable} {program} | head -c 4", shell=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "word"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("os.close(1); print('', flush=True)", "OSError"),  # no reader that left, but a bug
        ("[print(number, flush=True) for number in range(10**6)]", ""),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_has_seen_enough_is_no_bug(statement, said, unbuffered):
    work = f"""
import os, sys
sys.path.insert(0, {str(PROGRAMS)!r})
from vocoder_pareto.program import run_program
def main():
    {statement}
run_program(main)
"""
    variables = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command, pipe = [sys.executable, "-c", work], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=variables) as program:
        program.stdout.readline()
        program.stdout.close()
        errors = program.stderr.read().decode()
    assert program.returncode == 1
    assert ("Traceback" in errors, said in errors) == (bool(said), True)


@pytest.mark.parametrize(("status", "said"), [(0, "sys.exit(0)"), (3, "sys.exit(3)"), (None, "sys.exit(None)")])
def test_code_of_others_that_ends_the_program_is_told_and_no_success(tmp_path, status, said):
    (tmp_path / "others.py").write_text(f"import sys\n\n\ndef forward(mel):\n    sys.exit({status})\n")
    work = f"""
import sys
sys.path[:0] = [{str(PROGRAMS)!r}, {str(tmp_path)!r}]
from vocoder_pareto.program import run_program
import others
run_program(lambda: others.forward(0))
"""
    ended, lines = log_of("-c", work)
    assert ended == 1
    assert lines == [f"error: {tmp_path}/others.py, line 5, calls {said}, which ends the program; take it out"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("main", ["lambda: print('a table')", "lambda: print('a table', flush=True)"])
def test_what_cannot_be_printed_is_told(main, unbuffered):
    """Where Python keeps what is printed until the end, the end is where the disk is found full."""
    code = f"import sys; sys.path[0] = {str(PROGRAMS)!r}\n" + (
        f"from vocoder_pareto.program import run_program\nrun_program({main})"
    )
    with Path("/dev/full").open("w") as full:
        variables = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, env=variables
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ('PermissionError(13, "Permission denied", "a.csv")', "error: a.csv: Permission denied; see whose it is"),
        (
            'PermissionError(13, "Permission denied", "a.csv", None, "b/a.csv")',
            "error: a.csv or b/a.csv: Permission denied; see whose it is",
        ),
        ('PermissionError(1, "Operation not permitted")', "PermissionError: [Errno 1] Operation not permitted"),
    ],
)
def test_what_the_system_forbids_is_told_in_one_line_where_it_is_a_file(error, words):
    """Of anything else, a port, say, or a process, only the traceback tells what it was."""
    code = f"import sys; sys.path[0] = {str(PROGRAMS)!r}\n" + (
        f"from vocoder_pareto.program import run_program\ndef main():\n    raise {error}\nrun_program(main)"
    )
    status, lines = log_of("-c", code)
    assert (status, lines[-1]) == (1, words)
    assert (len(lines) == 1) == words.startswith("error: ")


@needs_root
def test_a_folder_that_belongs_to_somebody_else_is_told_in_one_line(tmp_path):
    """Its files cannot even be looked for. The program needs no more than the library and the standard library."""
    code = f"import sys; sys.path[0] = {str(PROGRAMS)!r}\n" + (
        "from pathlib import Path\nfrom vocoder_pareto.program import run_program\n"
        f"run_program(lambda: Path({str(tmp_path / 'clips.csv')!r}).exists())"
    )
    tmp_path.chmod(0o700)
    if log_of("-c", "import numpy", before=AS_NOBODY)[0]:
        pytest.skip("others cannot read this environment")
    status, lines = log_of("-c", code, before=AS_NOBODY)
    assert (status, lines) == (1, [f"error: {tmp_path / 'clips.csv'}: Permission denied; see whose it is"])
