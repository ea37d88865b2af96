"""Where the weights of a system come from: a training, a file that the settings give, or the seed alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.files import write_json, write_text
from vocoder_pareto.models.checkpoint import load_weights, read_weights, save_checkpoint
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.summary import history_of, summary_of_given, summary_of_untrained


def obtain_weights(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Write the checkpoint of a system with its summary and its curve: train it, unless there is nothing to train.

    Weights that are given (`training.checkpoint`) become the checkpoint as they are, and with a budget of 0 steps those
    that the network is initialised with: neither reads the dataset, opens a meter or looks for a state.

    Raises:
        UserError: The weights that are given cannot be read or do not fit, or as `train`.
    """
    if job.settings.checkpoint is not None:
        vocoder = initialised(job.system, job.seed)
        weights, known = read_weights(job.settings.checkpoint)
        load_weights(vocoder, weights, job.settings.checkpoint)
        write_outputs(outputs, job, vocoder, summary_of_given(job, known), _write_empty_curve)
    elif job.settings.is_untrained:
        write_outputs(outputs, job, initialised(job.system, job.seed), summary_of_untrained(job), _write_empty_curve)
    else:
        from vocoder_pareto.training.train import train  # with Lightning, which takes seconds to import

        train(job, outputs)


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
) -> None:
    """Write the checkpoint, the curve and, last, the summary; the checkpoint holds what of it is history."""
    save_checkpoint(outputs.checkpoint, vocoder, job.system, history_of(summary))
    write_curve(outputs.metrics)
    write_json(outputs.summary, summary)


def _write_empty_curve(path: Path) -> None:
    """Write the curve of weights that were not trained here: its first column, and no row."""
    write_text(path, "step\n")
