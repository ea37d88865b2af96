"""What will not fit a Slurm cluster, told from the answers of `sinfo` in the forms that its manual gives."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from project import warm_snakemake

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.cluster import Job, misfits, read_nodes, too_few_retries
from vocoder_pareto.study.configuration import read_configuration

PROJECT = Path(__file__).resolve().parents[3]
# A university's cluster: typed GPUs in two partitions, one with a short limit; a large node that is down.
TYPED = """
gpu|4:00:00|gpu01|32|128000|gpu:a100:4(S:0-1)|idle
gpu|4:00:00|gpu02|32|128000|gpu:v100:2(S:0),lustre:1|mixed
long|14-00:00:00|gpu03|16|64000|gpu:v100:2|allocated
cpu|infinite|cpu01|64|250000|(null)|idle
gpu|4:00:00|gpu09|64|900000|gpu:h100:8|drained*
"""
# One machine without types and accounting, as tests/slurm brings up.
UNTYPED = "gpu|infinite|here|8|64000|gpu:2|idle\n"
TRAINING = Job("train", "gpu", minutes=240, cores=2, memory_mb=32000, gpus=1)


def told(job: Job, sinfo: str = TYPED) -> str:
    return "\n".join(misfits([job], read_nodes(sinfo)))


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30", 30), ("30:00", 30), ("4:00:00", 240), ("1-12", 2160), ("1-00:30", 1470), ("2-00:00:30", 2880.5),
     ("infinite", math.inf)],
)  # fmt: skip
def test_time_limits_are_read_in_all_forms(limit, minutes):
    (node,) = read_nodes(f"gpu|{limit}|n|1|1000|(null)|idle")
    assert node.minutes == minutes


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [("(null)", {}), ("gpu:2", {"": 2}), ("gpu", {"": 1}), ("gpu:a100:4(S:0-1)", {"a100": 4}),
     ("gpu:a100:4,gpu:v100:2,lustre:1", {"a100": 4, "v100": 2}), ("gpu:1g.5gb:7", {"1g.5gb": 7})],
)  # fmt: skip
def test_gpus_are_read_with_and_without_types(gres, gpus):
    (node,) = read_nodes(f"gpu|30|n|1|1000|{gres}|idle")
    assert node.gpus == gpus


@pytest.mark.parametrize("sinfo", [TYPED, UNTYPED])
def test_what_fits_is_not_told(sinfo):
    assert told(TRAINING, sinfo) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minutes": 1440}, ["train (1 job): asks for 1440 minutes", "partition gpu allows 240", "training.job_hours"]),
        ({"memory_mb": 200000}, ["200000 MB", "more than 128000", "mem_mb"]),
        ({"cores": 48}, ["48 cores", "more than 32", "set-threads"]),
        ({"gpus": 8}, ["8 GPU", "more than 4"]),
        ({"gpu_model": "h100"}, ["type h100", "has a100, v100", "gpu_model"]),
        ({"partition": "cpu"}, ["1 GPU", "partition cpu has more than 0", "config key device to cpu"]),
        ({"partition": "gpus"}, ["no partition gpus", "cpu, gpu, long"]),
        ({"partition": "", "minutes": 1440, "gpu_model": "a100"}, ["any partition has each, but no node has all"]),
    ],
)
def test_what_does_not_fit_is_told_with_a_way_out(change, words):
    line = told(replace(TRAINING, **change))
    for word in words:
        assert word in line


def test_many_jobs_alike_are_one_line():
    lines = list(misfits([replace(TRAINING, minutes=1440)] * 18, read_nodes(TYPED)))
    assert len(lines) == 1
    assert lines[0].startswith("train (18 jobs)")


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [({"gpu": 1}, (1, "")), ({"gpu": 1, "gpu_model": "a100"}, (1, "a100")), ({"gres": "gpu:a100:2"}, (2, "a100")),
     ({}, (0, ""))],
)  # fmt: skip
def test_a_job_asks_for_gpus_as_the_executor_of_slurm_does(resources, gpus):
    job = Job.of("train", 2, {"mem_mb": 1000, "runtime": 60, "slurm_partition": "gpu", **resources})
    assert (job.gpus, job.gpu_model) == gpus
    assert (job.minutes, job.memory_mb, job.cores) == (60, 1000, 2)


@pytest.mark.parametrize("text", ["", "gpu|4:00:00|gpu01\n", "gpu|30|n|1|1000|(null)|down*\n"])
def test_an_answer_without_a_usable_node_is_an_error(text):
    with pytest.raises(UserError, match="sinfo"):
        read_nodes(text)


def test_a_training_longer_than_all_its_jobs_is_told(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("systems: [melgan-S]\ntraining: {steps: null, hours: 120, job_hours: 4, retries: 10}\n")
    config = read_configuration([PROJECT / "config.yaml", own])
    assert list(too_few_retries(config)) == [
        "train of melgan-S: 120 h are more than 11 jobs of 4 h; set training.retries to 29 at least"
    ]


def check_cluster(*arguments):
    words = ["workflow_scripts/check_cluster.py", "--config-files", *map(str, arguments)]
    return warm_snakemake().run(words, PROJECT, timeout=120)


@pytest.mark.parametrize(("hours", "status", "device"), [(24, 1, "auto"), (4, 0, "cuda")])
def test_the_paper_study_is_checked_before_it_is_submitted(tmp_path, hours, status, device):
    (tmp_path / "sinfo.txt").write_text(TYPED)
    (tmp_path / "own.yaml").write_text(f"device: {device}\ntraining: {{job_hours: {hours}}}\n")
    done = check_cluster("presets/paper.yaml", tmp_path / "own.yaml", "--sinfo", tmp_path / "sinfo.txt")
    assert done.returncode == status, done.stderr
    if status:
        assert "train (18 jobs): asks for 1440 minutes, and partition gpu allows 240" in done.stderr
    else:
        assert done.stdout.startswith("All ")


def test_auto_asks_a_cluster_for_a_gpu_whatever_the_machine_that_submits_has(tmp_path):
    (tmp_path / "sinfo.txt").write_text("gpu|infinite|cpu01|64|250000|(null)|idle\n")
    (tmp_path / "own.yaml").write_text("device: auto\ntraining: {steps: 1}\n")
    done = check_cluster(tmp_path / "own.yaml", "--sinfo", tmp_path / "sinfo.txt")
    assert "measure_energy (18 jobs): asks for 1 GPU" in done.stderr
    assert "train (18 jobs): asks for 1 GPU" in done.stderr
