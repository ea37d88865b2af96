"""Trainings of the tiny system on a small dataset, and what the tests ask of them."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tiny_system import HOP_LENGTH, N_MELS

from vocoder_pareto.models.checkpoint import read_checkpoint
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.weights import obtain_weights

TINY_FILE = Path(__file__).with_name("tiny_system.py")


@dataclass(frozen=True)
class Workbench:
    """Trainings in one folder."""

    folder: Path

    def job(self, objective: str = "TinyObjective", recipe: dict | None = None, **changes) -> TrainingJob:
        """A training of the tiny system; 8 steps of 3 clips unless `changes` says otherwise."""
        settings = {
            "steps": 8, "batch_size": 3, "segment_frames": None, "validation_clips": 1, "log_every_steps": 1,
        } | changes  # fmt: skip
        system = SystemSettings(
            "tiny", "S", f"{TINY_FILE}:TinyVocoder", f"{TINY_FILE}:{objective}",
            recipe=recipe or {}, n_mels=N_MELS, hop_length=HOP_LENGTH,
        )  # fmt: skip
        dataset = {name: self.folder / "dataset" / name for name in ("clips.npy", "clips.csv", "mels.npy")}
        stats = self.folder / "dataset" / "mel_stats.json"
        return TrainingJob(
            system, TrainingSettings(**settings), *dataset.values(), self.folder / "state", "cpu",
            meter=MeterSettings(unreadable_rapl="estimate"), mel_stats=stats if stats.exists() else None,
        )  # fmt: skip

    @property
    def outputs(self) -> TrainingOutputs:
        return TrainingOutputs(
            self.folder / "out" / "tiny-S.ckpt",
            self.folder / "out" / "summary.json",
            self.folder / "out" / "metrics.csv",
        )

    def train(self, *arguments, **keywords) -> "Workbench":
        """Run a job to its end."""
        obtain_weights(self.job(*arguments, **keywords), self.outputs)
        return self

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        return read_checkpoint(self.outputs.checkpoint)["state_dict"]

    @property
    def summary(self) -> dict:
        return json.loads(self.outputs.summary.read_text())

    @property
    def curve(self) -> list[dict[str, str]]:
        with self.outputs.metrics.open(newline="") as file:
            return list(csv.DictReader(file))

    @property
    def state_folder(self) -> Path:
        (folder,) = (self.folder / "state").iterdir()
        return folder

    def elsewhere(self, name: str) -> "Workbench":
        """The same dataset, and no state."""
        other = replace(self, folder=self.folder / name)
        other.folder.mkdir()
        (other.folder / "dataset").symlink_to(self.folder / "dataset")
        return other


def assert_same_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def losses_of(curve: list[dict[str, str]]) -> list[dict[str, str]]:
    """All of a curve but time and energy."""
    return [{name: value for name, value in row.items() if name not in ("seconds", "joules")} for row in curve]
