"""Training a system: from its settings and the dataset to weights and a summary, in any number of pieces."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import torch

from vocoder_pareto.audio.dataset import read_clip_table
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable, NoSensor
from vocoder_pareto.training.accounting import EnergyAccount
from vocoder_pareto.training.bands import Bands
from vocoder_pareto.training.batch_size import chosen_batch_size
from vocoder_pareto.training.batches import ShuffledBatches, batch_loader
from vocoder_pareto.training.branch import state_of_branch
from vocoder_pareto.training.clock import TrainingClock
from vocoder_pareto.training.curve import copy_curve
from vocoder_pareto.training.dataset import training_dataset
from vocoder_pareto.training.divergence import Diverged, Divergences
from vocoder_pareto.training.failures import failures_explained
from vocoder_pareto.training.identity import IDENTITY_FILE, SETTINGS_FILE, adopted_from, branched_from
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.loop import TrainingLoop
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.objective import Objective
from vocoder_pareto.training.objectives.registry import new_objective
from vocoder_pareto.training.other_code import state_of_other_code
from vocoder_pareto.training.record import TrainingRecord
from vocoder_pareto.training.signals import StopSignals
from vocoder_pareto.training.state import StateFolder
from vocoder_pareto.training.summary import summary_of
from vocoder_pareto.training.trainer import make_trainer
from vocoder_pareto.training.weights import initialised, write_outputs

_CLIPS_LOOKED_AT = 64

log = logging.getLogger(__name__)


def train(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Train until the budget is used up, resuming from the state of an earlier piece if there is one.

    Raises:
        UserError: A setting, the dataset, the disk or a signal ended the training, or it diverged; the message says how
            to go on.
    """
    vocoder = initialised(job.system, job.own_seed)
    device = resolve_device(job.device)
    objective = new_objective(job.system, vocoder)
    identity = job.identity()
    states = StateFolder(job.state_root / identity.digest, job.settings.older_states)
    log.info("the training state is in %s", states.folder)
    with states.locked():
        state = states.load()
        if state is None:
            state = state_of_other_code(job, identity, states, objective)
        if state is None and job.settings.branch_from is not None:
            state = state_of_branch(job, identity, states, objective)
        elif state is None or not (states.folder / IDENTITY_FILE).exists():
            identity.write(states.folder, adopted_from=[])
        record = TrainingRecord.from_saved(state["record"]) if state else TrainingRecord()
        record.take_up(Journal(states.folder).read())
        if state and job.budget.used_up(record.used) is not None:
            objective.load_state_dict(state["module"]["objective"])
            log.info("the budget is used up since step %d: the state becomes the checkpoint", record.steps)
        else:
            write_json(states.folder / SETTINGS_FILE, {"system": asdict(job.system), "run": asdict(job.settings)})
            with _divergences_remembered(job, states, record.steps):
                _fit(job, device, objective, states, record, state)
        summary = summary_of(job, record, adopted_from(states.folder), branched_from(states.folder))
        origin = {"data": identity.data, "clips": len(read_clip_table(job.table))}
        write_outputs(outputs, job, vocoder, summary, partial(copy_curve, states.folder), job.front_end(), origin)


@contextmanager
def _divergences_remembered(job: TrainingJob, states: StateFolder, step: int) -> Iterator[None]:
    """Remember a divergence of the training within, and refuse to run into the same one for a third time."""
    divergences = Divergences(states.folder)
    divergences.refuse_repetition(step, _way_on(job, states))
    try:
        yield
    except Diverged as error:
        divergences.add(error, max(states.steps, default=0))
        raise UserError(f"{error}; {_way_on(job, states)}") from error


def _way_on(job: TrainingJob, states: StateFolder) -> str:
    """What can be done about a divergence, in words."""
    changes = f"lower learning_rate, or set gradient_clip or data_seed, in {job.system.config_key}.training"
    if not states.steps:
        return f"{changes}; no state is lost by that"
    return (
        f'{changes}, with branch_from: "{states.folder.name}" there, to go on from that state; with branch_step too, '
        f"from an older one (steps of its states: {', '.join(map(str, states.steps))}), see docs/training.md"
    )


def _fit(
    job: TrainingJob,
    device: torch.device,
    objective: Objective,
    states: StateFolder,
    record: TrainingRecord,
    state: dict[str, Any] | None,
) -> None:
    """Train one piece, until the budget is used up or a signal comes; `record` and `objective` change."""
    settings = job.settings
    account = EnergyAccount(_open_meter(job, device), record.energy, settings.meter_seconds)
    dataset, validation = training_dataset(job, device)
    for doubt in objective.doubts(dataset.every_so_many(_CLIPS_LOOKED_AT).audio):
        log.warning("%s", doubt)
    bands = Bands.of(settings.bands, job.system.name, job.budget)
    if settings.bands is not None:
        bands.announce(settings.validation_shares)
    batch_size = record.batch_size or chosen_batch_size(objective, dataset, device, settings)
    batches = ShuffledBatches(len(dataset), batch_size, job.data_seed, record.steps)
    record.begin_piece(batches.batch_size, batches.batches_per_epoch, device_name(device), job.budget)
    if state:
        log.info("resuming at step %d, after %.0f s of training", record.steps, record.seconds)
    stop, clock = StopSignals(), TrainingClock(record, account, clock_of(device))
    loop = TrainingLoop(job, states, record, clock, stop, validation, bands, state)
    trainer = make_trainer(device, settings, [loop])
    module = TrainingModule(
        objective,
        settings,
        job.data_seed,
        record.steps_per_epoch,
        lambda steps: job.budget.share(record.used._replace(steps=steps)),
    )
    with failures_explained(states.folder, record.batch_size, settings.workers), stop.handlers_restored():
        trainer.fit(module, batch_loader(dataset, batches, settings.workers, device.type == "cuda"))
    if stop.received is not None and job.budget.used_up(record.used) is None:
        raise UserError(
            f"stopped by {stop.received.name} at step {record.steps}; the state is saved: run the same command again "
            "to resume"
        )


def _open_meter(job: TrainingJob, device: torch.device) -> Meter:
    try:
        return open_meter(device, job.meter)
    except MeterUnavailable as error:
        if job.settings.energy_kwh is not None:
            raise
        if job.settings.on_missing_meter == "error":
            raise UserError(
                f"{error}; or set config key training.on_missing_meter: train, and the energy of this training stays "
                "unknown"
            ) from error
        log.warning("%s. Training goes on, and its energy stays unknown.", error)
        return Meter(NoSensor(str(error)))
