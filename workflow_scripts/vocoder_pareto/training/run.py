"""Training a system: from its settings and the dataset to weights and a summary, over any number of pieces."""

import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.utilities.memory import is_oom_error

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import canonical_json, write_json, write_text
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.measurement.meter import Meter, MeterSettings, open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable, NoSensor
from vocoder_pareto.models.checkpoint import load_weights, read_weights, save_checkpoint
from vocoder_pareto.models.registry import build_vocoder, load_class
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.code_version import code_version, module_file
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training import data, module
from vocoder_pareto.training.accounting import CarbonSettings, EnergyAccount
from vocoder_pareto.training.batch_size import largest_batch_size
from vocoder_pareto.training.budget import Budget
from vocoder_pareto.training.curve import copy_curve
from vocoder_pareto.training.data import ClipDataset, ShuffledBatches, batch_loader
from vocoder_pareto.training.loop import TrainingLoop
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.objective import Objective
from vocoder_pareto.training.record import RunRecord, summary_of, summary_of_given
from vocoder_pareto.training.run_settings import NOT_IN_DIGEST, RunSettings
from vocoder_pareto.training.state import StateFolder, digest_of, digest_of_files
from vocoder_pareto.training.validation import Validation

log = logging.getLogger(__name__)
# Advice of Lightning that does not hold here, in logs that people read.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
for _advice in ("The `srun` command is available", "The 'train_dataloader' does not have many", ".*LeafSpec"):
    warnings.filterwarnings("ignore", message=_advice)


@dataclass(frozen=True)
class TrainingJob:
    """A training run, and what it reads.

    Attributes:
        system: what to train.
        run: how long and with what means.
        clips, table, mels: the dataset, `clips.npy`, `clips.csv` and `mels.npy`.
        state_root: folder below which the run keeps its state, in a folder named by its digest.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        seed: of weights, order and noise.
        meter: settings of the energy meter.
        carbon: how energy becomes emissions.
    """

    system: SystemSettings
    run: RunSettings
    clips: Path
    table: Path
    mels: Path
    state_root: Path
    device: str = "auto"
    seed: int = 0
    meter: MeterSettings = field(default_factory=MeterSettings)
    carbon: CarbonSettings = field(default_factory=CarbonSettings)

    def digest(self) -> str:
        """16 hex digits for all that the weights depend on, but for the budget and the device.

        That is the system but for its sampling, the settings of the run that matter, the seed, the dataset, and the
        code of the vocoder, its objective, the step and the order of the data.
        """
        root = Path(__file__).parents[2]
        own = [module_file(path, root) for path in (self.system.vocoder, self.system.objective)]
        return digest_of(
            canonical_json({key: value for key, value in asdict(self.system).items() if key != "sampling"}),
            canonical_json({key: value for key, value in asdict(self.run).items() if key not in NOT_IN_DIGEST}),
            str(self.seed),
            code_version([*own, module.__file__, data.__file__], root),
            digest_of_files(self.clips, self.table, self.mels),
        )


@dataclass(frozen=True)
class TrainingOutputs:
    """What it writes: the checkpoint for inference, what is to be said of the run, and the curve."""

    checkpoint: Path
    summary: Path
    metrics: Path


def train(job: TrainingJob, outputs: TrainingOutputs) -> None:
    """Train until the budget is used up, resuming from the state of an earlier piece if there is one.

    Raises:
        UserError: a setting, the dataset, the disk, a signal or the divergence of the training; the message says how
            to go on.
    """
    torch.manual_seed(job.seed)
    vocoder = build_vocoder(job.system)
    if job.run.checkpoint is not None:
        _use_given(job, outputs, vocoder)
        return
    device = resolve_device(job.device)
    objective = new_objective(job.system, vocoder)
    folder = StateFolder(job.state_root / job.digest())
    log.info("the training state is in %s", folder.folder)
    with folder.locked():
        state = folder.load()
        record = RunRecord.from_saved(state["record"]) if state else RunRecord()
        if Budget.of(job.run).used_up(record.used) is None:
            write_json(folder.folder / "settings.json", {"system": asdict(job.system), "run": asdict(job.run)})
            _fit(job, objective, device, folder, record, state)
        else:
            objective.load_state_dict(state["module"]["objective"])
            log.info("the budget is used up since step %d: the state becomes the checkpoint", record.steps)
        summary = summary_of(record, job.system, job.run, job.seed, job.carbon)
        save_checkpoint(outputs.checkpoint, vocoder, job.system, summary)
        copy_curve(folder.folder, outputs.metrics)
        write_json(outputs.summary, summary)


def new_objective(system: SystemSettings, vocoder: Vocoder) -> Objective:
    """The objective of `system`, with fresh random weights of what is trained beside `vocoder`.

    Raises:
        UserError: the class or a setting does not exist or fit.
    """
    kind = load_class(system.objective, f"models.{system.model}.objective")
    if not (isinstance(kind, type) and issubclass(kind, Objective)):
        raise UserError(
            f"config key models.{system.model}.objective: {system.objective!r} is not a subclass of Objective"
        )
    return kind(
        vocoder, settings_from(kind.Recipe, system.training, f"{system.config_key}.training"), system.sample_rate
    )


def training_dataset(job: TrainingJob, device: torch.device) -> tuple[ClipDataset, Validation | None]:
    """The training clips, on the device if so configured, and what to resynthesise in validations.

    Raises:
        UserError: a file is missing or damaged, or there is no training clip.
    """
    clips = read_clip_table(job.table)
    audio = open_array(job.clips, (len(clips), None), "prepare_clips")
    mels = open_array(job.mels, (len(clips), job.system.n_mels, None), "compute_mels")
    rows = np.array([clip.row for clip in clips_of(clips, "train")], dtype=np.int64)
    if len(rows) == 0:
        raise UserError(f"{job.table}: no clip of the training split; enlarge the corpus or lower dataset.test_share")
    dataset = ClipDataset(audio, mels, rows, device if job.run.data_on_device and device.type == "cuda" else None)
    test = clips_of(clips, "test", job.run.validation_clips) if job.run.validation_clips else []
    if not test:
        return dataset, None
    places = [clip.row for clip in test]
    return dataset, Validation(test, audio[places], mels[places], job.system.sample_rate, job.seed)


def make_trainer(device: torch.device, run: RunSettings, callbacks: list[lightning.Callback]) -> lightning.Trainer:
    """A Lightning trainer without its own logs, checkpoints and bars, that runs until a callback stops it."""
    gpu = device.type == "cuda"
    if gpu:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = run.tf32
    elif run.precision == "16-mixed":
        raise UserError("config key training.precision: 16-mixed needs a GPU; take 32 or bf16-mixed on a CPU")
    return lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=[device.index or 0] if gpu else 1,
        precision="32-true" if run.precision == "32" else run.precision,
        benchmark=gpu,  # shapes do not change, so cuDNN's search for the fastest algorithms pays
        max_epochs=-1,
        callbacks=callbacks,
        plugins=[LightningEnvironment()],  # a Slurm job is one process here, whatever Slurm was asked for
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def _fit(
    job: TrainingJob,
    objective: Objective,
    device: torch.device,
    folder: StateFolder,
    record: RunRecord,
    state: dict[str, Any] | None,
) -> None:
    """One piece: train until the budget is used up or a signal comes."""
    run = job.run
    account = EnergyAccount(_meter(job, device), record.energy, run.meter_seconds)
    dataset, validation = training_dataset(job, device)
    if not record.batch_size:
        record.batch_size = _batch_size(objective, dataset, device, run)
    batches = ShuffledBatches(len(dataset), record.batch_size, job.seed, record.steps)
    record.batch_size, record.steps_per_epoch = batches.batch_size, batches.batches_per_epoch
    record.pieces += 1
    record.devices = list(dict.fromkeys([*record.devices, device_name(device)]))
    if state:
        log.info("resuming at step %d, after %.0f s of training", record.steps, record.seconds)
    loop = TrainingLoop(job.system.name, run, folder, record, account, job.carbon.kg_per_joule, validation, state)
    trainer = make_trainer(device, run, [loop])
    steps = TrainingModule(objective, run, job.seed, record.steps_per_epoch)
    try:
        with _handlers_restored():
            trainer.fit(steps, batch_loader(dataset, batches, run.workers, device.type == "cuda"))
    except (RuntimeError, ConnectionError, EOFError) as error:
        raise _explained(error, record.batch_size, run) from error
    except OSError as error:
        raise UserError(
            f"{folder.folder}: cannot be written ({error.strerror or error}); free space or mend permissions, then run "
            "again to resume from the last state"
        ) from error
    if loop.stop_signal is not None and Budget.of(run).used_up(record.used) is None:
        raise UserError(
            f"stopped by {signal.Signals(loop.stop_signal).name} at step {record.steps}; the state is saved: run the "
            "same command again to resume"
        )


def _meter(job: TrainingJob, device: torch.device) -> Meter:
    try:
        return open_meter(device, job.meter)
    except MeterUnavailable as error:
        if job.run.energy_kwh is not None:
            raise
        if job.run.on_missing_meter == "error":
            raise UserError(
                f"{error}; or set config key training.on_missing_meter: train, and the energy of this training stays "
                "unknown"
            ) from error
        log.warning("%s. Training goes on, and its energy stays unknown.", error)
        return Meter(NoSensor(str(error)))


@contextmanager
def _handlers_restored() -> Iterator[None]:
    handlers = {each: signal.getsignal(each) for each in data.STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


def _batch_size(objective: Objective, dataset: ClipDataset, device: torch.device, run: RunSettings) -> int:
    if run.batch_size != "auto":
        return run.batch_size
    if device.type != "cuda":
        raise UserError("config key training.batch_size: auto needs a GPU; give a number to train on a CPU")
    return largest_batch_size(objective, dataset, device, run)


def _explained(error: Exception, batch_size: int, run: RunSettings) -> Exception:
    """The user's error behind an error of PyTorch, or that error itself."""
    if isinstance(error, torch.OutOfMemoryError) or is_oom_error(error):
        return UserError(
            f"out of memory with batches of {batch_size} clips; lower training.batch_size or set "
            "training.segment_frames (which starts afresh), or take the device that the training began on"
        )
    # PyTorch tells of its death, or the connection breaks if a batch was on its way.
    if isinstance(error, ConnectionError | EOFError) or "DataLoader worker" in str(error):
        return UserError(
            f"a process that loads data died ({first_line(error)}); lower training.workers (now {run.workers}) if "
            "memory is short, then run again to resume"
        )
    return error


def _use_given(job: TrainingJob, outputs: TrainingOutputs, vocoder: Vocoder) -> None:
    weights, known = read_weights(job.run.checkpoint)
    load_weights(vocoder, weights, job.run.checkpoint)
    summary = summary_of_given(job.system, job.run, job.seed, job.carbon, known)
    save_checkpoint(outputs.checkpoint, vocoder, job.system, summary)
    write_text(outputs.metrics, "step\n")
    write_json(outputs.summary, summary)
