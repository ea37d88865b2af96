"""What is to be said of a training in the end: `summary.json`, which the checkpoint holds too."""

from dataclasses import asdict
from typing import Any

from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.record import TrainingRecord

GIVEN = "given_checkpoint"
PACKAGES = ("torch", "lightning", "numpy", "pyJoules")


def summary_of(job: TrainingJob, record: TrainingRecord) -> dict[str, Any]:
    """Return the summary of a training that used up its budget."""
    joules = record.energy.joules
    return {
        "system": job.system.name,
        "steps": record.steps,
        "epochs": record.epochs,
        "seconds": record.seconds,
        "pieces": record.pieces,
        "batch_size": record.batch_size,
        "precision": job.settings.precision,
        "device": "; ".join(record.devices),
        "stopped_by": job.budget.used_up(record.used),
        "energy_joules": joules,
        "energy_source": record.energy.source,
        "energy_by_domain": record.energy.by_domain,
        "energy_unmeasured_seconds": record.energy.missing_seconds,
        "energy_faults": record.energy.faults,
        "mean_power_watts": None if joules is None or not record.seconds else joules / record.seconds,
        "co2eq_kg": None if joules is None else joules * job.carbon.kg_per_joule,
        "carbon": asdict(job.carbon),
        "prediction": None if record.prediction is None else asdict(record.prediction),
        "prediction_errors": None if record.prediction is None else record.prediction.errors(record.used),
        "losses": record.losses,
        "validation_d_stft": record.validation_d_stft,
        "flags": record.flags,
        "settings": {"system": asdict(job.system), "run": asdict(job.settings), "seed": job.seed},
        "versions": {name: installed_version(name) for name in PACKAGES},
    }


def summary_of_given(job: TrainingJob, known: dict[str, Any]) -> dict[str, Any]:
    """Return the summary of weights that were given.

    Args:
        job: The training that takes their place, whose `settings.checkpoint` names their file.
        known: What their file says of their training, if it is a checkpoint of this project.
    """
    unknown = dict.fromkeys(("steps", "epochs", "seconds", "pieces", "batch_size", "device", "energy_joules"))
    return {
        **summary_of(job, TrainingRecord()),
        **unknown,
        "co2eq_kg": None,
        **known,
        "system": job.system.name,
        "stopped_by": GIVEN,
        "checkpoint": job.settings.checkpoint,
    }
