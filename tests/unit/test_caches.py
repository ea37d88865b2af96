"""Where the home cannot be written, libraries get caches elsewhere; where it can, nothing changes."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from seeds import seed_of
from somebody_else import AS_NOBODY, NOBODY, needs_root

from vocoder_pareto import caches
from vocoder_pareto.audio.utterances import COLUMNS
from vocoder_pareto.tables.csv_files import write_csv

VARIABLES = ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
SOURCES = Path(caches.__file__).parents[1]


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment with a home and a folder for temporary files of its own, and no caches named."""
    for name in (*VARIABLES, "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path


@pytest.fixture
def read_only_home(environment, monkeypatch):
    """Root may write all: so the system is asked through a function that denies what lies in the home."""
    access = os.access
    inside = str(environment / "home")
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith(inside) and access(path, mode))
    return environment


def named_caches():
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def test_a_home_that_can_be_written_stays_the_place_of_all_caches(environment):
    caches.use_writable_caches()
    assert named_caches() == {}
    assert list((environment / "temporary").iterdir()) == []


def test_with_a_read_only_home_caches_lie_in_a_folder_of_this_user_alone(read_only_home):
    caches.use_writable_caches()
    own = read_only_home / "temporary" / f"vocoder-pareto-{os.getuid()}"
    assert {Path(folder).parent for folder in named_caches().values()} == {own}
    assert len(named_caches()) == len(VARIABLES)
    assert own.stat().st_mode & 0o777 == 0o700


def test_caches_that_the_environment_names_stay(read_only_home, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/somewhere")
    caches.use_writable_caches()
    assert named_caches()["NUMBA_CACHE_DIR"] == "/somewhere"


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "XDG_CONFIG_HOME"])
def test_one_folder_for_programs_that_cannot_be_written_is_enough(environment, monkeypatch, variable):
    monkeypatch.setenv(variable, "/proc/none")
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith("/proc"))
    caches.use_writable_caches()
    assert len(named_caches()) == len(VARIABLES)


def test_what_others_could_write_is_never_taken(read_only_home):
    own = read_only_home / "temporary" / f"vocoder-pareto-{os.getuid()}"
    own.mkdir()
    own.chmod(0o777)
    caches.use_writable_caches()
    assert named_caches() == {}


def test_without_any_folder_to_write_nothing_changes(read_only_home, monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    caches.use_writable_caches()
    assert named_caches() == {}


@pytest.mark.slow
@needs_root
def test_programs_work_as_a_user_without_name_and_home_in_an_environment_that_cannot_be_written(tmp_path):
    """A container as clusters run it. The outside is librosa by itself, whose numba fails there."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.relative_to(tempfile.gettempdir()).parents[:-1]:  # as many as pytest and its workers made
        Path(tempfile.gettempdir(), folder).chmod(0o755)
    np.save(tmp_path / "mels.npy", np.random.default_rng(seed_of(0)).random((32, 40), dtype=np.float32))
    write_csv(tmp_path / "utterances.csv", COLUMNS, [("clip", "a.wav", 0, 0.5, 32, 0, 3)])
    environment = {"PATH": os.environ["PATH"], "HOME": "/proc", "TMPDIR": str(tmp_path)}

    def run(*arguments):
        command = [*AS_NOBODY, sys.executable, *arguments]
        return subprocess.run(list(map(str, command)), env=environment, cwd="/", capture_output=True, text=True)

    if run("-c", "import numba").returncode:
        pytest.skip("others cannot read this environment")
    assert "cannot cache function" in run("-c", "import librosa; librosa.griffinlim").stderr
    settings = json.dumps({"sample_rate": 8000, "n_fft": 512, "hop_length": 128, "n_mels": 40})
    inputs = ("--corpus", "none", "--dataset-settings", "{}", "--compared-rate", 16000)
    inputs += ("--mels", tmp_path / "mels.npy", "--utterance-table", tmp_path / "utterances.csv")
    inputs += ("--front-end-settings", settings)
    output = tmp_path / "griffin_lim" / "manifest.csv"
    program = (SOURCES / "generate_reference.py", "--reference", "griffin_lim", "--iterations", 2)
    inverted = run(*program, *inputs, "--output", output)
    assert inverted.returncode == 0, inverted.stderr
    assert (output.parent / "clip.wav").exists()
    drawn = run(SOURCES / "draw_definition.py", "--output-figures", tmp_path / "figures" / "definition.pdf")
    assert drawn.returncode == 0, drawn.stderr
    assert "temporary cache directory" not in drawn.stderr  # matplotlib's complaint of a home
    assert (tmp_path / f"vocoder-pareto-{NOBODY}" / "numba").is_dir()
