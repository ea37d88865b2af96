"""Objective quality of a folder of generated audio: a row per clip, and the reason for each cell without a value."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.dataset_summary import WORDS
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.audio.sound import little_sound
from vocoder_pareto.errors import UserError
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.quality.metrics import CLIP, FAILURES, METRICS, Metric, UndefinedMetric, metrics_named
from vocoder_pareto.tables.csv_files import write_csv

CLIPS_PER_TASK = 16

Pair = tuple[str, Path, Path]  # clip id, reference, estimate


def measure_quality(
    manifest: str | Path, reference: str | Path, names: Sequence[str], output: str | Path, processes: int = 1
) -> None:
    """Write a CSV file: clip_id, d_stft, the metrics of `names`, failures; a row per clip of `manifest`.

    A cell is empty where its metric has no value; `failures` then says why, as `metric: reason; metric: reason`.

    Args:
        manifest: manifest.csv of the system.
        reference: manifest.csv of the natural speech.
        names: metrics beside D_STFT, which is always measured: names of the table, or import paths of a user's own.
        output: the CSV file.
        processes: how many work at once.

    Raises:
        UserError: a metric or clip is unknown, or audio is missing, damaged, or differs in length or sample rate.
    """
    metrics = metrics_named(tuple(names))
    work = partial(_measured, tuple(names))
    pairs = _pairs(manifest, reference)
    rows = map_in_processes(work, pairs, processes, "Measuring quality", CLIPS_PER_TASK)
    write_csv(output, [CLIP, *(metric.name for metric in metrics), FAILURES], rows)


def values_of(
    metrics: Sequence[Metric], reference: np.ndarray, estimate: np.ndarray, sample_rate: int
) -> tuple[dict[str, float], dict[str, str]]:
    """The values of `metrics` for one clip, and the reasons of those that have none, both by name.

    With a recording that is silent or constant no metric of the library compares anything: its value would say nothing
    of speech, and would become part of the mean of a system. A user's own metric says for itself what it does then.

    Args:
        metrics: rows of the table of metrics.
        reference, estimate: (T,) samples in [-1, 1], of equal length.
        sample_rate: samples per second.
    """
    values, failures = {}, {}
    found = little_sound(reference, sample_rate)
    for metric in metrics:
        if found in ("silent", "constant") and metric in METRICS:
            failures[metric.name] = f"reference is {WORDS[found]}"
            continue
        try:
            value = metric.measure(reference, estimate, sample_rate)
        except UndefinedMetric as error:
            failures[metric.name] = str(error)
            continue
        if math.isnan(value):
            failures[metric.name] = f"{metric.package} gave NaN"
        else:
            values[metric.name] = value
    return values, failures


def _measured(names: Sequence[str], pair: Pair) -> list[str]:
    clip_id, reference_path, estimate_path = pair
    reference, estimate = read_audio(reference_path), read_audio(estimate_path)
    for unit, wanted, given in (
        ("Hz", reference.sample_rate, estimate.sample_rate),
        ("samples", len(reference.samples), len(estimate.samples)),
    ):
        if wanted != given:
            raise UserError(
                f"{estimate_path}: has {given} {unit}, but its reference {reference_path} has {wanted}; "
                "generate both from the same dataset"
            )
    metrics = metrics_named(names)
    values, failures = values_of(metrics, reference.samples, estimate.samples, reference.sample_rate)
    cells = [f"{values[metric.name]:.10g}" if metric.name in values else "" for metric in metrics]
    return [clip_id, *cells, "; ".join(f"{name}: {reason}" for name, reason in failures.items())]


def _pairs(manifest: str | Path, reference: str | Path) -> list[Pair]:
    references = {entry.clip_id: Path(reference).parent / entry.file for entry in read_manifest(reference)}
    pairs = []
    for entry in read_manifest(manifest):
        if entry.clip_id not in references:
            raise UserError(
                f"{manifest}: clip {entry.clip_id} has no reference in {reference}; "
                "generate at least as many clips of the ground truth (config key generation.clips)"
            )
        pairs.append((entry.clip_id, references[entry.clip_id], Path(manifest).parent / entry.file))
    return pairs
