"""Where the weights of a system come from: a training, a file that the settings give, or the seed alone."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.files import write_json, write_text
from vocoder_pareto.models.checkpoint import require_made_for, save_checkpoint
from vocoder_pareto.models.given_weights import load_given, read_weights
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.published_weights import require_sha256
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.sanity_check import checked_weights
from vocoder_pareto.training.summary import BROUGHT, history_of, summary_of_given, summary_of_untrained

log = logging.getLogger(__name__)


def obtain_weights(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Write the checkpoint of a system with its summary and its curve: train it, unless there is nothing to train.

    Weights that are given (`job.settings.checkpoint`) become the checkpoint as they are, see `take_weights`, and with a
    budget of 0 steps those that the network is initialised with: neither opens a meter or looks for a state.

    Raises:
        UserError: As `take_weights` or `train`.
    """
    if job.settings.checkpoint is not None:
        take_weights(job, outputs)
    elif job.settings.is_untrained:
        _take_first_weights(job, outputs)
    else:
        from vocoder_pareto.training.train import train  # with Lightning, which takes seconds to import

        train(job, outputs)


def _take_first_weights(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Write the weights that a vocoder has once it is built: its own, where its class brings some, or random ones."""
    vocoder = initialised(job.system, job.own_seed)
    if vocoder.brings_weights:
        summary = summary_of_given(job, {}, checked_weights(vocoder, job), None) | {"stopped_by": BROUGHT}
    else:
        summary = summary_of_untrained(job)
        if job.system.objective is None:
            log.warning(
                "%s: its weights are random, since it has no weights and no objective; its cost is measured alone",
                job.system.name,
            )
    write_outputs(outputs, job, vocoder, summary, _write_empty_curve, None, None)


def take_weights(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Make the given weights, the file `job.settings.checkpoint`, the checkpoint, and try them on a known recording.

    Raises:
        UserError: They cannot be read, have another SHA-256 or layout than `job.weights` says, were made for another
            front end, or do not fit.
    """
    path, told = str(job.settings.checkpoint), job.weights
    found = require_sha256(path, None if told is None else told.sha256)
    vocoder, here = initialised(job.system, job.own_seed), job.front_end()
    given = read_weights(path)
    require_made_for(given.checkpoint, vocoder, job.system, here, path)
    layout = load_given(vocoder, given.weights, path, None if told is None else told.layout)
    if layout is not None:
        log.info("%s: weights of %s, trained on %s", path, layout.project, layout.front_end)
        for fault in layout.faults_of(vocoder.architecture):
            log.warning(
                "Weights: those of %s come from the code of %s, whose architecture differs: %s in %s.architecture.",
                job.system.name, layout.project, fault, job.system.config_key,
            )  # fmt: skip
        if here is not None and not layout.is_for(here):
            log.warning(
                "Weights: those of %s are in the layout of %s, whose published weights take the front end %s; this "
                "system has another one, so set front_end of its model, unless they were trained for this one.",
                job.system.name, layout.project, " or ".join(layout.front_ends),
            )  # fmt: skip
    check, origin = checked_weights(vocoder, job), given.checkpoint.get("origin")
    if check is not None and check.is_like_noise:
        log.warning(
            "Weights: of %s, %s; were they trained for other mel-spectrograms than those of this study?",
            job.system.name, check.words,
        )  # fmt: skip
    if origin is not None and origin.get("data") != job.data_digest():
        log.info("%s: trained on other clips than those of this study", path)
    summary = summary_of_given(job, given.checkpoint.get("training", {}), check, found)
    write_outputs(outputs, job, vocoder, summary, _write_empty_curve, given.checkpoint.get("front_end"), origin)


def initialised(system: SystemSettings, seed: int) -> Vocoder:
    """The network of `system` with the weights that `seed` gives it, with which a training begins."""
    torch.manual_seed(seed)
    return build_vocoder(system)


def write_outputs(
    outputs: TrainingOutputs,
    job: TrainingJob,
    vocoder: Vocoder,
    summary: dict[str, Any],
    write_curve: Callable[[Path], None],
    front_end: Mapping[str, Any] | None,
    origin: Mapping[str, Any] | None,
) -> None:
    """Write the checkpoint, the curve and, last, the summary; the checkpoint holds what of it is history.

    `front_end` and `origin` are what the weights were trained on, see `save_checkpoint`.
    """
    save_checkpoint(outputs.checkpoint, vocoder, job.system, history_of(summary), front_end, origin)
    write_curve(outputs.metrics)
    write_json(outputs.summary, summary)


def _write_empty_curve(path: Path) -> None:
    """Write the curve of weights that were not trained here: its first column, and no row."""
    write_text(path, "step\n")
