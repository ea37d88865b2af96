"""A user's own recordings through the real Snakefile: what became of them is told, and a wrong list before any job."""

import csv

import numpy as np
import pytest
import soundfile
import yaml
from project import Project, copy_of_project
from seeds import seed_of

pytestmark = pytest.mark.workflow

CLIPS = "results/dataset/paper/clips.npy"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A clone with ten recordings of two speakers, of which one has two channels, one is silent and one is cut off."""
    project = copy_of_project(tmp_path_factory.mktemp("clone") / "vocoder-pareto")
    generator = np.random.default_rng(seed_of(0))
    for number in range(10):
        folder = project.folder / "recordings" / f"speaker {number // 5}"
        folder.mkdir(parents=True, exist_ok=True)
        noise = generator.normal(0, 0.1, (20000, 2 if number == 3 else 1))
        soundfile.write(folder / f"{number}.wav", 0 * noise if number == 4 else noise, 16000)
    cut = project.folder / "recordings" / "speaker 1" / "9.wav"
    cut.write_bytes(cut.read_bytes()[:-100])
    (cut.parent / "x.m4a").write_bytes(b"?")
    return project


def with_settings(project: Project, **dataset: object) -> Project:
    settings = {"source": "folder", "path": "recordings", "clips": None, "on_bad_clip": "skip", **dataset}
    tiny = yaml.safe_load((project.folder / "tests/workflow/tiny.yaml").read_text())
    (project.folder / "tests/workflow/tiny.yaml").write_text(yaml.safe_dump({**tiny, "dataset": settings}))
    return project


def test_what_became_of_the_recordings_stands_on_the_terminal_in_the_log_and_in_a_table(project):
    done = with_settings(project).snakemake("--", CLIPS)
    told = [line for line in done.stderr.splitlines() if line.startswith("Dataset: ")]
    log = (project.folder / "results/logs/prepare_clips/paper.log").read_text().splitlines()
    assert told == [line for line in log if line.startswith("Dataset: ")]
    assert told[0].startswith("Dataset: clips for training: 7, for the test: 2 (drawn at random, from every folder")
    for part in ("skipped.csv: 1.", "FLAC): 1 .m4a.", "(dataset.channels): 1.", "(digital silence: 1, speaker_0__4)"):
        assert sum(part in line for line in told) == 1, part
    with (project.folder / "results/dataset/paper/skipped.csv").open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [
            "recordings/speaker 1/9.wav", "recordings/speaker 1/x.m4a",
        ]  # fmt: skip
    assert "prepare_clips" in with_settings(project).stale_rules("--config", "seed=5", "--", CLIPS)


def test_another_seed_makes_no_other_clips_where_none_are_drawn_and_a_list_says_which_they_are(project):
    (project.folder / "list.txt").write_text("speaker 0/1.wav\nspeaker_1__6\n")
    with_settings(project, split={"file": "list.txt"}).snakemake("--", CLIPS)
    with (project.folder / "results/dataset/paper/clips.csv").open(newline="") as file:
        test = [row["source"] for row in csv.DictReader(file) if row["split"] == "test"]
    assert test == ["speaker 0/1.wav", "speaker 1/6.wav"]
    assert project.stale_rules("--config", "seed=5", "--", CLIPS) == set()
    (project.folder / "elsewhere").mkdir()
    (project.folder / "list.txt").rename(project.folder / "elsewhere" / "list.txt")
    assert with_settings(project, split={"file": "elsewhere/list.txt"}).stale_rules("--", CLIPS) == set()
    (project.folder / "elsewhere" / "list.txt").write_text("speaker_1__6\n")
    assert project.stale_rules("--", CLIPS) == {"prepare_clips"}


@pytest.mark.parametrize(
    ("line", "fault"), [("nobody.wav", "'nobody.wav' is none of the 10 recordings in use"), (None, "cannot be read")]
)
def test_a_list_that_does_not_fit_ends_before_any_job_in_one_line(project, line, fault):
    if line:
        (project.folder / "wrong.txt").write_text(line)
    with_settings(project, split={"file": "wrong.txt" if line else "missing.txt"})
    done = project.snakemake("--dry-run", "--", CLIPS, check=False)
    assert done.returncode != 0
    (told,) = (text for text in (done.stdout + done.stderr).splitlines() if fault in text)
    assert ".txt" in told
    assert "Traceback" not in done.stdout + done.stderr
