"""The study through `profiles/slurm` on a real Slurm of one machine: `make test-slurm` (root, slurm-wlm, munge)."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from project import PROJECT, copy_of_project, environment

pytestmark = pytest.mark.skipif(
    "VOCODER_PARETO_SLURM_TEST" not in os.environ or os.geteuid() != 0 or not shutil.which("slurmd"),
    reason="changes /etc/slurm and needs root, slurm-wlm and munge: make test-slurm",
)
CLUSTER = PROJECT / "tests" / "slurm" / "one_machine_cluster.sh"


@pytest.fixture(scope="module")
def cluster():
    subprocess.run([CLUSTER, "up"], check=True)
    yield
    subprocess.run([CLUSTER, "down"], check=True)


def test_a_study_runs_and_a_training_job_resumes_after_its_time_limit(cluster, tmp_path_factory):
    project = copy_of_project(tmp_path_factory.mktemp("slurm") / "study")
    profile_file = project.folder / "profiles" / "slurm" / "config.yaml"
    profile = yaml.safe_load(profile_file.read_text())
    # A node of this size, a cluster without accounting, and a time limit of a minute that training runs into.
    profile["slurm-status-command"] = "squeue"
    profile["slurm-init-seconds-before-status-checks"] = 1
    profile["latency-wait"] = 10
    profile["default-resources"] = ['slurm_partition="gpu"', "mem_mb=1500", "runtime=10"]
    for resources in profile["set-resources"].values():
        resources["mem_mb"] = min(resources.get("mem_mb", 1500), 3000)
    profile["set-resources"]["train"]["runtime"] = 1
    profile_file.write_text(yaml.safe_dump(profile))
    config = {
        "systems": ["sinusoids-S"],
        "device": "cpu",
        "training": {"steps": None, "hours": 100 / 3600, "checkpoint_minutes": 0.1, "retries": 4},
    }
    (project.folder / "slurm.yaml").write_text(yaml.safe_dump(config))
    command = [
        "timeout", "--kill-after=10", "600", sys.executable, "-m", "snakemake", "--profile", "profiles/slurm",
        "--configfile", "tests/workflow/tiny.yaml", "slurm.yaml", "--", "results/measurements/energy/sinusoids-S.json",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=project.folder, env=environment(), capture_output=True, text=True)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output[-4000:] + project.logs()
    log = (project.folder / "results/logs/train/sinusoids-S.log").read_text()
    assert re.search(r"[Rr]esum", log), log
    assert "Trying to restart job" in output
