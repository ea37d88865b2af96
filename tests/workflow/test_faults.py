"""Kills, damaged files, full and read-only disks: what is told, and that the rerun ends as if nothing had happened."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from project import TINY_CONFIG, Project, environment

pytestmark = pytest.mark.workflow

CHECKPOINT = "results/checkpoints/sinusoids-S.ckpt"
LOG = "results/logs/train/sinusoids-S.log"
STATES = "results/training/sinusoids-S"
OUTPUT = "snakemake.out"
STEPS = 150  # a second or more, of which a kill needs hundredths
AUDIO = "results/generated/sinusoids-S/manifest.csv"


def weights(project: Project) -> dict[str, torch.Tensor]:
    return torch.load(project.folder / CHECKPOINT, weights_only=True)["state_dict"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in other)


def audio(folder: Path) -> dict[str, bytes]:
    """All generated audio, and the dataset that it comes from, to the byte."""
    files = [*folder.glob("results*/generated/*/*.wav"), *folder.glob("results*/dataset/*/*.np*")]
    return {"/".join(file.parts[-2:]): file.read_bytes() for file in files}


def told(project: Project, result: subprocess.CompletedProcess) -> str:
    """All that a user sees: Snakemake's words and the logs."""
    return result.stdout + result.stderr + project.logs()


# ---------------------------------------------------------------------- kills


@pytest.fixture
def longer(study):
    """The study with a training of some seconds, which saves its state after every step."""
    study.edit(TINY_CONFIG, "  steps: 2\n", f"  steps: {STEPS}\n  checkpoint_minutes: 1.0e-6\n")
    (study.folder / LOG).unlink()
    return study


def start(project: Project) -> tuple[subprocess.Popen, psutil.Process]:
    """Snakemake, and the training that it has started, once that has saved some states."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", TINY_CONFIG, "--", CHECKPOINT]
    before = {file: file.stat().st_mtime_ns for file in (project.folder / STATES).glob("*/*.pt")}
    with (project.folder / OUTPUT).open("w") as output:  # no pipe: a killed Snakemake's children keep it open
        snakemake = subprocess.Popen(
            command, cwd=project.folder, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
    while all(before.get(file) == file.stat().st_mtime_ns for file in (project.folder / STATES).glob("*/previous.pt")):
        if snakemake.poll() is not None:
            pytest.fail((project.folder / OUTPUT).read_text() + project.logs())
        time.sleep(0.02)
    children = psutil.Process(snakemake.pid).children(recursive=True)
    return snakemake, next(child for child in children if "train.py" in " ".join(command_of(child)[:2]))


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def undisturbed_weights(project: Project) -> dict[str, torch.Tensor]:
    """Of the same training in one piece: its state and checkpoint are deleted first."""
    for file in (project.folder / STATES).glob("*/*.pt"):
        file.unlink()
    (project.folder / CHECKPOINT).unlink()
    project.snakemake("--", CHECKPOINT)
    return weights(project)


@pytest.mark.slow  # tests/unit/training/test_resume.py kills trainings without Snakemake around them
def test_a_killed_training_job_goes_on_from_its_state_and_ends_bit_identical(longer):
    snakemake, training = start(longer)
    training.kill()
    assert snakemake.wait(timeout=1800) != 0
    longer.snakemake("--", CHECKPOINT)
    assert "resuming at step" in (longer.folder / LOG).read_text()
    resumed = weights(longer)
    assert same(undisturbed_weights(longer), resumed)


@pytest.mark.slow
def test_a_killed_snakemake_leaves_a_lock_and_a_training_that_a_second_one_cannot_disturb(longer):
    snakemake, training = start(longer)
    training.suspend()  # so that it is still there when the second one comes
    snakemake.kill()
    snakemake.wait(timeout=1800)
    locked = longer.snakemake("--", CHECKPOINT, check=False)
    assert locked.returncode != 0
    assert "--unlock" in locked.stdout + locked.stderr
    longer.snakemake("--unlock")
    second = longer.snakemake("--", CHECKPOINT, check=False)
    assert second.returncode != 0
    assert f"another process is training here (process {training.pid} on " in (longer.folder / LOG).read_text()
    training.kill()
    longer.snakemake("--", CHECKPOINT)  # rerun-incomplete is in profiles/default
    assert "resuming at step" in (longer.folder / LOG).read_text()
    assert torch.load(longer.folder / CHECKPOINT, weights_only=True)["training"]["steps"] == STEPS


@pytest.mark.slow
def test_a_second_snakemake_is_refused_and_the_first_one_finishes(longer):
    snakemake, training = start(longer)
    training.suspend()
    second = longer.snakemake("--", CHECKPOINT, check=False)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout + second.stderr
    training.resume()
    assert snakemake.wait(timeout=1800) == 0, (longer.folder / OUTPUT).read_text()
    assert torch.load(longer.folder / CHECKPOINT, weights_only=True)["training"]["steps"] == STEPS


# ---------------------------------------------------------------------- damaged files


def test_a_deleted_checkpoint_is_rebuilt_from_its_state_without_training(study):
    before = weights(study)
    (study.folder / CHECKPOINT).unlink()
    study.snakemake("--", CHECKPOINT)
    assert same(weights(study), before)
    assert "the budget is used up since step 2" in (study.folder / LOG).read_text()


@pytest.mark.parametrize(
    ("damaged", "target"),
    [
        (CHECKPOINT, AUDIO),
        pytest.param("results/dataset/paper/clips.npy", "results/dataset/paper/mels.npy", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_file_is_named_and_made_again_once_it_is_deleted(study, finished_study, damaged, target):
    file = study.folder / damaged
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    failed = study.snakemake("--", target, check=False)
    assert failed.returncode != 0
    message = next(line for line in told(study, failed).splitlines() if line.startswith("error:"))
    assert damaged in message
    assert "delete it" in message
    file.unlink()
    study.snakemake("--", target, AUDIO)
    assert audio(study.folder) == audio(finished_study.folder)


# ---------------------------------------------------------------------- memory


def sabotage(folder: Path, program: str, code: str) -> dict[str, str]:
    """Variables with which a Python process that has `program` among its arguments runs a line of `code` first."""
    condition = f"if any(word.endswith({program!r}) for word in sys.orig_argv):"
    (folder / "sitecustomize.py").write_text(f"import os, signal, sys\n{condition}\n    {code}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.slow  # tests/unit/test_parallel.py kills workers
def test_a_worker_that_dies_is_told_and_the_rerun_equals_an_undisturbed_run(study, finished_study, tmp_path):
    manifest = "results/generated/griffin_lim/manifest.csv"
    (study.folder / manifest).unlink()
    variables = sabotage(tmp_path, "--multiprocessing-fork", "os.kill(os.getpid(), signal.SIGKILL)")
    failed = study.snakemake("--", manifest, check=False, variables=variables)
    assert failed.returncode != 0
    assert "error: one of 2 worker processes was killed, most often because memory ran out" in told(study, failed)
    study.snakemake("--", manifest)
    assert audio(study.folder) == audio(finished_study.folder)


@pytest.mark.slow
def test_a_measurement_out_of_memory_names_batch_and_clip_and_leaves_no_result(study, tmp_path):
    measurement = "results/measurements/energy/sinusoids-S.json"
    (study.folder / measurement).unlink()
    # What a GPU raises, from the operation that takes the most memory here.
    greedy = 'import torch; torch.sin = lambda *_: exec("raise torch.OutOfMemoryError")'
    variables = sabotage(tmp_path, "measure_energy.py", greedy)
    measuring = ("--config", "energy={reuse: false}", "--", measurement)
    failed = study.snakemake(*measuring, check=False, variables=variables)
    assert failed.returncode != 0
    message = next(line for line in told(study, failed).splitlines() if line.startswith("error:"))
    assert "out of memory for batches of 1 clips of 0.25 s" in message
    assert "lower energy.batch_size or energy.clip_seconds" in message
    assert "The energy protocol is short" in failed.stderr  # told at the start
    assert not (study.folder / measurement).exists()
    study.snakemake("--", measurement)
    assert study.stale_jobs("--", measurement) == set()


# ---------------------------------------------------------------------- disks


@pytest.fixture
def mounted(study):
    """Mounts over the study's results: call it with the arguments of `mount`. Needs the rights to do so."""
    results = study.folder / "results"

    def mount(*arguments: str) -> None:
        made = subprocess.run(["mount", *arguments, str(results)], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"this machine lets nobody mount here: {made.stderr.strip()}")

    yield mount
    subprocess.run(["umount", "--lazy", str(results)], capture_output=True)


def test_a_full_disk_is_told_and_the_rerun_with_more_space_equals_an_undisturbed_run(study, finished_study, mounted):
    mounted("-t", "tmpfs", "-o", "size=1500k", "tmpfs")  # empty, and too small for the clips
    failed = study.snakemake("--", AUDIO, check=False)
    assert failed.returncode != 0
    assert "No space left on device" in told(study, failed)
    mounted("-o", "remount,size=1g")
    study.snakemake("--", AUDIO)
    made, whole = audio(study.folder), audio(finished_study.folder)
    assert {name for name in made if name.endswith(".wav")}
    assert made == {name: whole[name] for name in made}
    assert not list((study.folder / "results").rglob("*.tmp*"))


def test_read_only_results_are_told_before_the_first_job_and_stay_as_they_are(study, finished_study, mounted):
    front = study.folder / "results" / "pareto_energy.csv"
    front.unlink()
    front.with_suffix(".json").unlink()
    mounted("--bind", str(study.folder / "results"))
    mounted("-o", "remount,bind,ro")
    failed = study.snakemake("--", "results/pareto_energy.csv", check=False)
    assert failed.returncode != 0
    assert "config key results_dir: results cannot be written" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    mounted("-o", "remount,bind,rw")
    study.snakemake("--", "results/pareto_energy.csv")
    assert front.read_bytes() == (finished_study.folder / "results" / "pareto_energy.csv").read_bytes()


@pytest.mark.slow
def test_a_temporary_folder_that_does_not_exist_disturbs_nothing(study, finished_study):
    for file in (study.folder / "results" / "dataset" / "paper").iterdir():
        file.unlink()
    study.snakemake("--", "results/dataset/paper/mels.npy", variables={"TMPDIR": "/does/not/exist"})
    assert audio(study.folder) == audio(finished_study.folder)
