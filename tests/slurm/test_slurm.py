"""The study through `profiles/slurm` on a real Slurm of one machine: `make test-slurm`.

It needs root, and Debian's packages slurm-wlm, munge, slurmdbd and mariadb-server.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from project import PROJECT, copy_of_project, environment

pytestmark = pytest.mark.skipif(
    "VOCODER_PARETO_SLURM_TEST" not in os.environ or os.geteuid() != 0 or not shutil.which("slurmd"),
    reason="changes /etc/slurm and needs root and Slurm: make test-slurm",
)
CLUSTER = PROJECT / "tests" / "slurm" / "one_machine_cluster.sh"
CLUSTER_STATE = Path("/var/tmp/one-machine-cluster")
CORES, GPUS = "8", "0,1"  # that the node is declared to have
SUBMITTED = re.compile(r"SLURM jobid (\d+) \(log: \S*/slurm_logs/(?:rule|group)_(\w+)/")


WITHOUT_ACCOUNTING = pytest.mark.parametrize("cluster", [()], indirect=True, ids=["without accounting"])
WITH_ACCOUNTING = pytest.mark.parametrize("cluster", [("accounting",)], indirect=True, ids=["accounting"])


@pytest.fixture(scope="module")
def cluster(request):
    subprocess.run([CLUSTER, "up", *request.param], check=True)
    yield
    subprocess.run([CLUSTER, "down"], check=True)


@pytest.fixture
def folder_of_nobody():
    """A folder that this user can reach, who must be able to run our Python, too: not where it lies below /root."""
    try:
        subprocess.run([sys.executable, "-c", ""], user="nobody", check=True)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip(f"nobody may not run {sys.executable}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        shutil.chown(folder, "nobody")
        yield Path(folder)


def use_profile_of_one_machine(project) -> None:
    """Adapt `profiles/slurm` to a small node without accounting, and a time limit of a minute for training."""
    file = project.folder / "profiles" / "slurm" / "config.yaml"
    profile = yaml.safe_load(file.read_text())
    profile["slurm-status-command"] = "squeue"
    profile["slurm-init-seconds-before-status-checks"] = 1
    profile["latency-wait"] = 10
    profile["default-resources"] = ['slurm_partition="gpu"', "mem_mb=1500", "runtime=10"]
    for resources in profile["set-resources"].values():
        resources["mem_mb"] = min(resources.get("mem_mb", 1500), 3000)
    profile["set-resources"]["train"] |= {"runtime": 1, "gpu": 1}
    file.write_text(yaml.safe_dump(profile))
    # Slurm looks at time limits every 30 s, so that the first piece of a training lasts from 60 to 90 s.
    config = {
        "systems": ["melgan-S", "sinusoids-S"],
        "device": "cpu",  # what Slurm takes for GPUs are none
        "training": {"steps": None, "hours": 90 / 3600, "checkpoint_minutes": 0.1, "retries": 4},
    }
    (project.folder / "slurm.yaml").write_text(yaml.safe_dump(config))


def use_profile_of_a_user_with_account(project, status: str) -> None:
    """Adapt `profiles/slurm` to a small node, keep its partition and account, ask for a type of GPU."""
    file = project.folder / "profiles" / "slurm" / "config.yaml"
    profile = yaml.safe_load(file.read_text())
    assert 'slurm_account="default"' in profile["default-resources"]
    profile["slurm-status-command"] = status
    profile["slurm-init-seconds-before-status-checks"] = 1
    profile["latency-wait"] = 10
    for resources in profile["set-resources"].values():
        resources["mem_mb"] = 2000
    profile["set-resources"]["train"] |= {"runtime": 10, "gpu": 1, "gpu_model": "v100"}
    file.write_text(yaml.safe_dump(profile))
    (project.folder / "slurm.yaml").write_text("{systems: [melgan-S, sinusoids-S], device: cpu}")


def finished_jobs(output: str) -> dict[str, list[dict[str, str]]]:
    """Slurm's own records of the jobs that Snakemake submitted, by rule or group, in the order of their end."""
    rule_of = dict(SUBMITTED.findall(output))
    records = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in (CLUSTER_STATE / "jobs.txt").read_text().splitlines()]
    jobs: dict[str, list[dict[str, str]]] = {}
    for record in records:
        jobs.setdefault(rule_of[record["JobId"]], []).append(record)
    return jobs


@WITHOUT_ACCOUNTING
def test_a_study_runs_and_training_jobs_resume_after_their_time_limit(cluster, tmp_path):
    project = copy_of_project(tmp_path / "study")
    use_profile_of_one_machine(project)
    command = [
        "timeout", "--kill-after=10", "900", sys.executable, "-m", "snakemake", "--profile", "profiles/slurm",
        "--configfile", "tests/workflow/tiny.yaml", "slurm.yaml", "--",
        "results/measurements/energy/sinusoids-S.json", "results/checkpoints/melgan-S.ckpt",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=project.folder, env=environment(), capture_output=True, text=True)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output[-4000:] + project.logs()

    jobs = finished_jobs(output)
    training = jobs["train"]
    states = [job["JobState"] for job in training]
    assert states.count("COMPLETED") == 2
    assert states.count("TIMEOUT") == len(states) - 2 >= 2  # more on a machine that is busy
    gpus = dict(line.split() for line in (CLUSTER_STATE / "gpus.txt").read_text().splitlines())
    assert {gpus[job["JobId"]] for job in training} == {"0", "1"}
    first, second = training[:2]
    assert first["StartTime"] < second["EndTime"], "two GPUs, two trainings at a time"
    assert second["StartTime"] < first["EndTime"]
    for system in ("melgan-S", "sinusoids-S"):
        assert "resuming at step" in (project.folder / f"results/logs/train/{system}.log").read_text()
        summary = json.loads((project.folder / f"results/training/{system}/summary.json").read_text())
        assert 2 <= summary["pieces"] <= len(states) - 2
        assert summary["stopped_by"] == "hours"

    (energy,) = jobs["measure_energy"]
    assert (energy["ProcCnt"], gpus[energy["JobId"]]) == (CORES, GPUS), "the node is its own"
    assert len(jobs["preprocessing_compute_mels_cut_energy_clips_prepare_clips"]) == 1


@WITHOUT_ACCOUNTING
def test_what_will_not_fit_is_told_from_the_answer_of_this_slurm(cluster, tmp_path):
    project = copy_of_project(tmp_path / "study")
    subprocess.run(["scontrol", "update", "PartitionName=gpu", "MaxTime=4:00:00"], check=True)
    command = [sys.executable, "workflow_scripts/check_cluster.py", "--config-files"]
    checked = {}
    for hours in (24, 4):
        file = project.folder / f"{hours}.yaml"
        file.write_text(f"device: cuda\ntraining: {{job_hours: {hours}}}\n")
        use_profile_of_one_machine(project)
        profile = project.folder / "profiles" / "slurm" / "config.yaml"
        settings = yaml.safe_load(profile.read_text())
        del settings["set-resources"]["train"]["runtime"]
        profile.write_text(yaml.safe_dump(settings))
        checked[hours] = subprocess.run(
            [*command, file.name], cwd=project.folder, env=environment(), capture_output=True, text=True
        )
    assert checked[24].returncode == 1
    assert "train (18 jobs): asks for 1440 minutes, and partition gpu allows 240" in checked[24].stderr
    assert checked[4].returncode == 0, checked[4].stderr


@WITH_ACCOUNTING
@pytest.mark.parametrize("status", ["sacct", "squeue"])
def test_a_user_with_an_account_gets_the_type_of_gpu_that_the_profile_names(cluster, folder_of_nobody, status):
    project = copy_of_project(folder_of_nobody / "study")
    use_profile_of_a_user_with_account(project, status)
    subprocess.run(["chown", "--recursive", "nobody", project.folder], check=True)
    python = ["timeout", "--kill-after=10", "400", sys.executable]
    where = {
        "user": "nobody",
        "group": "nogroup",
        "extra_groups": [],
        "cwd": project.folder,
        "env": {**environment(), "HOME": str(folder_of_nobody)},
        "capture_output": True,
        "text": True,
    }
    settings = ["tests/workflow/tiny.yaml", "slurm.yaml"]
    fits = subprocess.run([*python, "workflow_scripts/check_cluster.py", "--config-files", *settings], **where)
    assert fits.returncode == 0, fits.stderr
    systems = ("melgan-S", "sinusoids-S")
    command = [
        *python, "-m", "snakemake", "--profile", "profiles/slurm", "--configfile", *settings, "--",
        *(f"results/checkpoints/{system}.ckpt" for system in systems),
    ]  # fmt: skip
    result = subprocess.run(command, **where)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:] + project.logs()
    assert {file.stem for file in (project.folder / "results" / "checkpoints").glob("*.ckpt")} == set(systems)

    fields = "User,Account,State,AllocTRES"
    asked = ["sacct", "--allusers", "-X", "--noheader", "--parsable2", f"--format={fields}"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    jobs = [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in answer.splitlines()]
    training = [job for job in jobs if "gres/gpu" in job["AllocTRES"]][-len(systems) :]
    assert len(training) == len(systems)
    for job in training:
        assert (job["User"], job["Account"], job["State"]) == ("nobody", "default", "COMPLETED")
        assert "gres/gpu:v100=1" in job["AllocTRES"]
