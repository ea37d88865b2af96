"""What jobs ask of a Slurm cluster, and what its partitions have: what will not fit would wait for ever."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.studied_systems import configured_systems, training_settings

# Of `sinfo --Node`, see its manual: partition, its time limit, node, CPUs, memory in MB, generic resources, state.
SINFO_FORMAT = "%R|%l|%N|%c|%m|%G|%T"
_UNUSABLE = ("down", "drain", "fail", "unknown", "powered_down", "future")
_HINTS = {"train": " (or training.job_hours of the configuration: a training goes on in its next job)"}


@dataclass(frozen=True)
class Node:
    """A node, as a member of one partition.

    Attributes:
        partition: The name of the partition.
        minutes: The time limit of the partition in minutes; infinite where there is none.
        cores: CPUs.
        memory_mb: Memory in MB (2^20 bytes), as Slurm counts it.
        gpus: The number of GPUs of each type; the type is "" where Slurm knows none.
    """

    partition: str
    minutes: float
    cores: int
    memory_mb: int
    gpus: Mapping[str, int]

    def has_gpus(self, count: int, model: str) -> bool:
        """Whether it has `count` GPUs of the type `model`, or of any if that is empty."""
        return (self.gpus.get(model, 0) if model else sum(self.gpus.values())) >= count


@dataclass(frozen=True)
class Job:
    """What a job of a rule asks for; a partition of "" is the cluster's default, a type of GPU of "" is any."""

    rule: str
    partition: str = ""
    minutes: float = 0
    cores: int = 1
    memory_mb: int = 0
    gpus: int = 0
    gpu_model: str = ""

    @classmethod
    def of(cls, rule: str, threads: int, resources: Mapping[str, Any]) -> "Job":
        """The job of a rule with the `resources` that Snakemake gives it, by their names in the Slurm executor."""
        named, gres = dict(resources), str(resources.get("gres") or "")
        typed = next(iter(_gpus(gres).items()), ("", 0))
        return cls(
            rule=rule,
            partition=str(named.get("slurm_partition") or ""),
            minutes=float(named.get("runtime") or 0),
            cores=threads,
            memory_mb=int(named.get("mem_mb") or 0),
            gpus=int(named.get("gpu") or typed[1]),
            gpu_model=str(named.get("gpu_model") or typed[0]),
        )


def read_nodes(text: str) -> list[Node]:
    """The nodes that `sinfo --Node --noheader --format=SINFO_FORMAT` lists, but for those that are down or drained.

    Raises:
        UserError: A line has another form, or no node is usable.
    """
    nodes = []
    for line in filter(None, map(str.strip, text.splitlines())):
        try:
            partition, limit, _, cores, memory, gres, state = line.split("|")
            node = Node(partition, _minutes(limit), int(cores), int(memory.rstrip("+")), _gpus(gres))
        except ValueError as error:
            raise UserError(f"sinfo: {line!r} is not of the form {SINFO_FORMAT}") from error
        if not state.lower().startswith(_UNUSABLE):
            nodes.append(node)
    if not nodes:
        raise UserError("sinfo lists no node that is up; ask the administrators of the cluster")
    return nodes


def misfits(jobs: Iterable[Job], nodes: Iterable[Node]) -> Iterator[str]:
    """One line for each kind of job that no node takes, with what it asks for, what there is, and how to mend it."""
    nodes = list(nodes)
    for job, count in Counter(jobs).items():
        fault = _misfit(job, [node for node in nodes if job.partition in ("", node.partition)], nodes)
        if fault:
            yield f"{job.rule} ({count} {'job' if count == 1 else 'jobs'}): {fault}"


def too_few_retries(config: Mapping[str, Any]) -> Iterator[str]:
    """One line for each system whose training is longer than all jobs that it may have; `config` is a checked one."""
    for name, pair in configured_systems(config).items():
        settings = training_settings(config, *pair)
        if settings.hours and settings.hours > (settings.retries + 1) * settings.job_hours:
            needed = math.ceil(settings.hours / settings.job_hours) - 1
            yield (
                f"train of {name}: {settings.hours:g} h are more than {settings.retries + 1} jobs of "
                f"{settings.job_hours:g} h; set training.retries to {needed} at least"
            )


def _misfit(job: Job, nodes: list[Node], everywhere: list[Node]) -> str:
    setting = f"set-resources {job.rule} in the profile"
    where = f"partition {job.partition}" if job.partition else "any partition"
    if not nodes:
        known = ", ".join(sorted({node.partition for node in everywhere}))
        return f"there is no partition {job.partition} with a node that is up; set slurm_partition to one of {known}"
    longest, memory = max(node.minutes for node in nodes), max(node.memory_mb for node in nodes)
    cores, gpus = max(node.cores for node in nodes), max(sum(node.gpus.values()) for node in nodes)
    if job.minutes > longest:
        hint = _HINTS.get(job.rule, "")
        return f"asks for {job.minutes:g} minutes, and {where} allows {longest:g}; set runtime of {setting}{hint}"
    if job.memory_mb > memory:
        return f"asks for {job.memory_mb} MB, and no node of {where} has more than {memory}; set mem_mb of {setting}"
    if job.cores > cores:
        return f"asks for {job.cores} cores, and no node of {where} has more than {cores}; set set-threads {job.rule}"
    if job.gpus > gpus:
        return (
            f"asks for {job.gpus} GPU, and no node of {where} has more than {gpus}; set slurm_partition of {setting}, "
            "or the config key device to cpu"
        )
    if not any(node.has_gpus(job.gpus, job.gpu_model) for node in nodes):
        types = ", ".join(sorted({name or "(no type)" for node in nodes for name in node.gpus}))
        return f"asks for {job.gpus} GPU of type {job.gpu_model}, and {where} has {types}; set gpu_model of {setting}"
    if not any(_fits(job, node) for node in nodes):
        return (
            f"asks for {job.minutes:g} minutes, {job.cores} cores, {job.memory_mb} MB and {job.gpus} GPU; {where} has "
            f"each, but no node has all; ask for less in {setting}"
        )
    return ""


def _fits(job: Job, node: Node) -> bool:
    return (
        job.minutes <= node.minutes
        and job.cores <= node.cores
        and job.memory_mb <= node.memory_mb
        and node.has_gpus(job.gpus, job.gpu_model)
    )


def _minutes(limit: str) -> float:
    """Minutes of `days-hours:minutes:seconds`, of which Slurm leaves out what is zero at the front, or `infinite`."""
    if limit.lower() in ("infinite", "unlimited", "n/a"):
        return math.inf
    days, dash, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if dash:  # days-hours, days-hours:minutes, days-hours:minutes:seconds
        hours, minutes, seconds = [*parts, 0, 0][:3]
    else:  # minutes, minutes:seconds, hours:minutes:seconds
        hours, minutes, seconds = parts if len(parts) == 3 else [0, *parts, 0][:3]
    return int(days or 0) * 24 * 60 + hours * 60 + minutes + seconds / 60


def _gpus(gres: str) -> dict[str, int]:
    """Of `gpu:a100:4(S:0-1),gpu:2,lustre:1`: `{"a100": 4, "": 2}`. A number alone is a count, and no type."""
    found: Counter[str] = Counter()
    for model, count in re.findall(r"(?:^|,)gpu(?::(?!\d+(?:[,(]|$))([\w.]+))?(?::(\d+))?(?=[,(]|$)", gres):
        found[model] += int(count or 1)
    return dict(found)
