"""Training a system: from its settings and the dataset to weights and a summary, over any number of pieces."""

import logging
import signal
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from tqdm import tqdm

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json, read_json, write_json
from vocoder_pareto.measurement.meter import MeterSettings, open_meter
from vocoder_pareto.models.checkpoint import load_weights, read_weights, save_checkpoint
from vocoder_pareto.models.registry import build_vocoder, load_class
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.provenance import installed_version
from vocoder_pareto.settings import settings_from
from vocoder_pareto.systems import SystemSettings
from vocoder_pareto.training.accounting import CarbonSettings, EnergyAccount
from vocoder_pareto.training.batch_size import largest_batch_size
from vocoder_pareto.training.curve import TrainingCurve, copy_curve
from vocoder_pareto.training.data import ClipDataset, ShuffledBatches, batch_loader
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.objective import Objective
from vocoder_pareto.training.progress import Progress, predicted, reason_to_stop, share_done
from vocoder_pareto.training.run_settings import NOT_IN_DIGEST, RunSettings
from vocoder_pareto.training.state import StateFolder, digest_of, digest_of_files
from vocoder_pareto.training.validation import Validation

log = logging.getLogger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
PREDICT_AT_SHARE = 0.02
# Advice of Lightning that does not hold here, in logs that people read.
logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
for advice in ("The `srun` command is available", "The 'train_dataloader' does not have many", ".*LeafSpec"):
    warnings.filterwarnings("ignore", message=advice)


@dataclass(frozen=True)
class TrainingInputs:
    """What a training run reads.

    Attributes:
        clips, table, mels: the dataset, `clips.npy`, `clips.csv` and `mels.npy`.
        state_root: folder below which the run keeps its state, in a folder named by its digest.
        code_version: of the code that trains; another one starts afresh.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        seed: of weights, order and noise.
    """

    clips: Path
    table: Path
    mels: Path
    state_root: Path
    code_version: str
    device: str
    seed: int


@dataclass(frozen=True)
class TrainingOutputs:
    """What it writes: the checkpoint for inference, what is to be said of the run, and the curve."""

    checkpoint: Path
    summary: Path
    metrics: Path


def train(
    system: SystemSettings,
    run: RunSettings,
    inputs: TrainingInputs,
    outputs: TrainingOutputs,
    meter_settings: MeterSettings,
    carbon: CarbonSettings,
) -> None:
    """Train `system` until its budget is used up, resuming from the state of an earlier piece if there is one.

    Raises:
        UserError: a setting, the dataset, the disk or the divergence of the training; the message says how to mend it.
    """
    device = resolve_device(inputs.device)
    torch.manual_seed(inputs.seed)
    vocoder = build_vocoder(system)
    if run.checkpoint is not None:
        load_weights(vocoder, read_weights(run.checkpoint), run.checkpoint)
        _write_given(system, run, outputs, vocoder)
        return
    digest = digest_of(
        canonical_json(asdict(system)),
        canonical_json({key: value for key, value in asdict(run).items() if key not in NOT_IN_DIGEST}),
        str(inputs.seed),
        inputs.code_version,
        digest_of_files(inputs.clips, inputs.table, inputs.mels),
    )
    folder = StateFolder(inputs.state_root / digest)
    with folder.locked():
        state = folder.load()
        objective = new_objective(system, vocoder)
        progress = Progress(**state["progress"]) if state else Progress()
        if state:
            log.info("resuming at step %d, after %.0f s of training", progress.steps, progress.seconds)
        run_of = _Run(system, run, inputs, objective, folder, progress, device, meter_settings, carbon, state)
        if reason_to_stop(progress, run) is None:
            run_of.fit()
        run_of.finish(outputs)


def new_objective(system: SystemSettings, vocoder: Vocoder) -> Objective:
    """The objective that the configuration names for `system`, with fresh discriminators if it has any."""
    kind = load_class(system.objective, f"models.{system.model}.objective")
    recipe = settings_from(kind.Recipe, system.training, f"{system.config_key}.training")
    return kind(vocoder, recipe, system.sample_rate)


def _write_given(system: SystemSettings, run: RunSettings, outputs: TrainingOutputs, vocoder) -> None:
    summary = {
        "system": system.name, "steps": None, "seconds": None, "stopped_by": "given_checkpoint",
        "checkpoint": run.checkpoint, "energy_joules": None, "energy_source": None, "co2eq_kg": None, "flags": [],
    }  # fmt: skip
    save_checkpoint(outputs.checkpoint, vocoder, system, summary)
    write_json(outputs.summary, summary)
    outputs.metrics.write_text("step\n", encoding="utf-8")


class _Run(lightning.Callback):
    """One piece of a run: what happens around the steps (budget, energy, logs, validation, state)."""

    def __init__(self, system, run, inputs, objective, folder, progress, device, meter_settings, carbon, state):
        self.system, self.run, self.inputs, self.device, self.carbon = system, run, inputs, device, carbon
        self.objective, self.folder, self.progress = objective, folder, progress
        self.saved = state or {}
        self.flags: list[str] = list(self.saved.get("flags", []))
        self.account = EnergyAccount(open_meter(device, meter_settings), run.meter_seconds)
        self.joules_before = progress.joules
        self.by_domain_before = dict(self.saved.get("by_domain", {}))
        self.prediction = self.saved.get("prediction")
        self.losses: dict[str, float] = dict(self.saved.get("losses", {}))
        self.d_stft: float | None = self.saved.get("d_stft")
        self.signal: int | None = None

    # ------------------------------------------------------------------ one piece

    def fit(self) -> None:
        """Train until the budget is used up or a signal comes."""
        run, device = self.run, self.device
        if device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = run.tf32
        clips = read_clip_table(self.inputs.table)
        audio_format = AudioFormat(sample_rate=self.system.sample_rate, hop_length=self.system.hop_length)
        audio = open_array(self.inputs.clips, (len(clips), None), "prepare_clips")
        mels = open_array(self.inputs.mels, (len(clips), self.system.n_mels, None), "compute_mels")
        rows = np.array([clip.row for clip in clips_of(clips, "train")])
        dataset = ClipDataset(audio, mels, rows, device if run.data_on_device and device.type == "cuda" else None)
        test = clips_of(clips, "test", run.validation_clips) if run.validation_clips else []
        places = [clip.row for clip in test]
        self.validation = Validation(test, audio[places], mels[places], audio_format.sample_rate, self.inputs.seed)

        batches = ShuffledBatches(len(rows), self._batch_size(dataset), self.inputs.seed, self.progress.steps)
        self.batch_size = batches.batch_size
        self.module = TrainingModule(self.objective, run, self.inputs.seed)
        self.module.steps_per_epoch = batches.batches_per_epoch
        trainer = lightning.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=[device.index or 0] if device.type == "cuda" else 1,
            precision=int(run.precision) if run.precision == "32" else run.precision,
            max_epochs=-1,
            callbacks=[self],
            plugins=[LightningEnvironment()],  # a Slurm job is one process here, whatever Slurm was asked for
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=self.folder.folder,
        )
        trainer.fit(self.module, batch_loader(dataset, batches, run.workers, device.type == "cuda"))

    def _batch_size(self, dataset: ClipDataset) -> int:
        file = self.folder.folder / "batch_size.json"
        if self.run.batch_size != "auto":
            return self.run.batch_size
        if self.device.type != "cuda":
            raise UserError("config key training.batch_size: auto needs a GPU; give a number to train on a CPU")
        if not file.exists():
            size = largest_batch_size(self.objective, dataset, self.device, self.run.batch_size_margin)
            write_json(file, {"batch_size": size})
        return read_json(file)["batch_size"]

    # ------------------------------------------------------------------ hooks of Lightning

    def on_train_start(self, trainer, module) -> None:
        """Set-up is over: load the state, then start the clocks."""
        if self.saved:
            module.load_state(self.saved["module"], self.progress.steps)
        self.curve = TrainingCurve(self.folder.folder, self.progress.steps)
        for each in STOP_SIGNALS:
            signal.signal(each, self._on_signal)
        self.bar = tqdm(
            total=100, initial=round(100 * share_done(self.progress, self.run), 2), desc=self.system.name,
            bar_format="{l_bar}{bar}| {elapsed}<{remaining} {postfix}", mininterval=1.0,
        )  # fmt: skip
        self.last_saved = time.monotonic()
        self._start_clocks()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        """Count the step; log, validate and save when they are due; stop when the budget is used up."""
        self.progress.steps += 1
        now = time.monotonic()
        self.progress.seconds += now - self.clock
        self.clock = now
        if self.account.update(now - self.energy_clock):
            self.energy_clock = now
            self._count_energy()
        stop = reason_to_stop(self.progress, self.run)
        every = self.run.validation_every_steps
        if stop or self.signal or self.progress.steps % self.run.log_every_steps == 0:
            self._log(module, validate=bool(stop))
        elif every and self.progress.steps % every == 0:
            self._log(module, validate=True)
        if stop or self.signal or now - self.last_saved >= 60 * self.run.checkpoint_minutes:
            self._save(module)
        if stop or self.signal:
            trainer.should_stop = True

    def on_train_end(self, trainer, module) -> None:
        """Say so if a signal ended this piece."""
        self.bar.close()
        self.curve.close()
        if self.signal:
            raise UserError(
                f"stopped by {signal.Signals(self.signal).name} at step {self.progress.steps}; the state is saved: "
                "run the same command again to resume"
            )

    def on_exception(self, trainer, module, exception) -> None:
        """Close what is open."""
        if hasattr(self, "bar"):
            self.bar.close()

    def _on_signal(self, number, frame) -> None:
        self.signal = number

    # ------------------------------------------------------------------ parts of a step's end

    def _start_clocks(self) -> None:
        self.account.resume()
        self.clock = self.energy_clock = time.monotonic()

    def _stop_clocks(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self.clock
        self.clock = now
        self.account.pause()
        self._count_energy()

    def _count_energy(self) -> None:
        joules = self.account.joules
        unknown = joules is None or self.joules_before is None
        self.progress.joules = None if unknown else self.joules_before + joules

    def _log(self, module, validate: bool) -> None:
        module.check_losses(self._last_good())
        self._stop_clocks()
        self.losses = {name: float(value) for name, value in module.losses.items()}
        self.d_stft = None
        if validate and self.validation.clips:
            folder = self.folder.folder / "samples" / f"step_{self.progress.steps:08d}"
            self.d_stft, collapsed = self.validation.run(self.objective.vocoder, folder)
            if collapsed:
                log.warning("step %d: the generator gives silent or constant audio", self.progress.steps)
                self.flags = sorted({*self.flags, "generator_collapse"})
        self._predict()
        rate = module._optimizers()[-1].param_groups[0]["lr"]
        self.curve.add({
            "step": self.progress.steps, "epoch": self.progress.steps / module.steps_per_epoch,
            "seconds": self.progress.seconds, "joules": self.progress.joules, "learning_rate": rate,
            "d_stft": self.d_stft, **self.losses,
        })  # fmt: skip
        speed = self.progress.steps / max(self.progress.seconds, 1e-9)
        kwh = "?" if self.progress.joules is None else f"{self.progress.joules / 3.6e6:.3g}"
        first = next(iter(self.losses.items()))
        self.bar.n = round(100 * share_done(self.progress, self.run), 2)
        self.bar.set_postfix_str(
            f"step {self.progress.steps}, {speed:.3g} steps/s, {first[0]} {first[1]:.4g}, {kwh} kWh"
        )
        self._start_clocks()

    def _predict(self) -> None:
        if self.prediction is None and share_done(self.progress, self.run) >= PREDICT_AT_SHARE:
            prediction = predicted(self.progress, self.run, self.carbon.kg_per_joule)
            self.prediction = asdict(prediction)
            log.info("predicted for the whole run: %s", self.prediction)

    def _save(self, module) -> None:
        module.check_losses(self._last_good())
        self._stop_clocks()
        self.saved = {
            "progress": self.progress.as_dict(), "module": module.state(), "flags": self.flags,
            "losses": self.losses, "d_stft": self.d_stft, "prediction": self.prediction,
            "batch_size": self.batch_size, "by_domain": self._by_domain(), "source": self.account.meter.source,
            "reasons": sorted({*self.saved.get("reasons", []), *self.account.reasons}),
            "epochs": self.progress.steps / module.steps_per_epoch,
        }  # fmt: skip
        self.folder.save(self.saved)
        self.last_saved = time.monotonic()
        self._start_clocks()

    def _by_domain(self) -> dict[str, float | None]:
        total = dict(self.by_domain_before)
        for domain, joules in self.account.by_domain.items():
            before = total.get(domain, 0.0)
            total[domain] = None if joules is None or before is None else before + joules
        return total

    def _last_good(self) -> str:
        return str(self.folder.newest) if self.folder.newest.exists() else "none yet"

    # ------------------------------------------------------------------ the end

    def finish(self, outputs: TrainingOutputs) -> None:
        """Write checkpoint, summary and curve from the saved state."""
        self.objective.load_state_dict(self.saved["module"]["objective"])
        summary = self._summary()
        save_checkpoint(outputs.checkpoint, self.objective.vocoder, self.system, summary)
        copy_curve(self.folder.folder, outputs.metrics)
        write_json(outputs.summary, summary)

    def _summary(self) -> dict[str, Any]:
        progress = self.progress
        kg = None if progress.joules is None else progress.joules * self.carbon.kg_per_joule
        power = None if progress.joules is None or not progress.seconds else progress.joules / progress.seconds
        return {
            "system": self.system.name,
            "steps": progress.steps,
            "epochs": self.saved["epochs"],
            "seconds": progress.seconds,
            "batch_size": self.saved["batch_size"],
            "precision": self.run.precision,
            "device": torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu",
            "stopped_by": reason_to_stop(progress, self.run),
            "energy_joules": progress.joules,
            "energy_source": self.saved["source"],
            "energy_by_domain": self.saved["by_domain"],
            "energy_faults": self.saved["reasons"],
            "mean_power_watts": power,
            "co2eq_kg": kg,
            "carbon": asdict(self.carbon),
            "prediction": self.saved["prediction"],
            "losses": self.saved["losses"],
            "validation_d_stft": self.saved["d_stft"],
            "flags": self.saved["flags"],
            "settings": {"system": asdict(self.system), "run": asdict(self.run), "seed": self.inputs.seed},
            "versions": {name: installed_version(name) for name in ("torch", "lightning", "numpy", "pyJoules")},
        }
