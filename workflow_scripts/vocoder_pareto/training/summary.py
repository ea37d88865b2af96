"""What is to be said of a training in the end: `summary.json`, of which the checkpoint holds the history."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.settings import plain
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.record import TrainingRecord
from vocoder_pareto.training.sanity_check import LIKE_NOISE, SanityCheck

GIVEN = "given_checkpoint"
BROUGHT = "weights_of_its_class"
UNTRAINED = "untrained"  # a flag
HISTORY = (
    "system", "steps", "epochs", "seconds", "batch_size", "precision", "stopped_by", "losses", "validation_d_stft",
    "settings", "versions", "adopted_from", "branched_from",
)  # fmt: skip
PACKAGES = ("torch", "lightning", "numpy", "pyJoules")


def summary_of(
    job: TrainingJob,
    record: TrainingRecord,
    adopted_from: Sequence[dict[str, Any]] = (),
    branched_from: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the summary of a training that used up its budget.

    `steps` and `seconds` are what the weights went through and the budget counts. `energy_joules` is all that was spent
    on them, and so holds `lost_energy_joules`, the energy of steps that were lost.
    `adopted_from` are the states of other code in its past, and `branched_from` those of other settings.
    """
    spent, lost = record.spent_energy, record.lost
    joules = spent.joules if lost.known else None
    lost_seconds = lost.seconds if lost.known else None
    seconds = None if lost_seconds is None else record.seconds + lost_seconds
    return {
        "system": job.system.name,
        "steps": record.steps,
        "epochs": record.epochs,
        "seconds": record.seconds,
        "pieces": record.pieces,
        "killed_pieces": record.killed_pieces,
        "lost_steps": lost.steps if lost.known else None,
        "lost_seconds": lost_seconds,
        "lost_energy_joules": record.lost_joules,
        "batch_size": record.batch_size,
        "precision": job.settings.precision,
        "device": "; ".join(record.devices),
        "stopped_by": job.budget.used_up(record.used),
        "energy_joules": joules,
        "energy_source": spent.source if lost.known else None,
        "energy_by_domain": spent.by_domain,
        "energy_unmeasured_seconds": spent.missing_seconds,
        "energy_faults": spent.faults,
        "mean_power_watts": joules / seconds if joules is not None and seconds else None,
        "estimated_watts_per_core": spent.watts_per_core,
        "prediction": None if record.prediction is None else _without_emissions(asdict(record.prediction)),
        "prediction_errors": None if record.prediction is None else record.prediction.errors(record.used),
        "losses": record.losses,
        "validation_d_stft": record.validation_d_stft,
        "flags": record.flags,
        "settings": {"system": asdict(job.system), "run": plain(job.settings), "seed": job.own_seed},
        "front_end": job.front_end(),
        "adopted_from": list(adopted_from),
        "branched_from": list(branched_from),
        "versions": {name: installed_version(name) for name in PACKAGES},
    }


def _without_emissions(prediction: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prediction.items() if name != "co2eq_kg"}


def history_of(summary: dict[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint tells of its training: how the weights came to be, and nothing of what that cost."""
    return {name: summary.get(name) for name in HISTORY}


def summary_of_untrained(job: TrainingJob) -> dict[str, Any]:
    """Return the summary of weights as they are initialised: 0 steps, and null for all that only a training has.

    Its time and energy are null too, since 0 would look like what a meter read.
    """
    never = dict.fromkeys((
        "seconds", "lost_steps", "lost_seconds", "lost_energy_joules", "batch_size", "device", "energy_joules",
        "energy_by_domain", "energy_unmeasured_seconds",
    ))  # fmt: skip
    return {**summary_of(job, TrainingRecord()), **never, "flags": [UNTRAINED]}


def summary_of_given(
    job: TrainingJob, known: dict[str, Any], check: SanityCheck | None, sha256: str | None
) -> dict[str, Any]:
    """Return the summary of weights that were given.

    Args:
        job: The training that takes their place, whose `settings.checkpoint` names their file.
        known: What their file says of their training, if it is a checkpoint of this project.
        check: What they make of a known recording; None where none was at hand.
        sha256: The SHA-256 of their file; None where they are in none.
    """
    unknown = dict.fromkeys((
        "steps", "epochs", "seconds", "pieces", "killed_pieces", "lost_steps", "lost_seconds", "lost_energy_joules",
        "batch_size", "precision", "device", "energy_joules", "energy_by_domain", "energy_unmeasured_seconds",
    ))  # fmt: skip
    return {
        **summary_of(job, TrainingRecord()),
        **unknown,
        **known,
        "system": job.system.name,
        "stopped_by": GIVEN,
        "checkpoint": job.settings.checkpoint,
        "weights": {**({} if job.weights is None else plain(job.weights)), "sha256": sha256},
        "sanity_check": None if check is None else asdict(check),
        "flags": [LIKE_NOISE] if check is not None and check.is_like_noise else [],
    }
