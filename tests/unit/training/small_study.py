"""A dataset of noise, and a vocoder and objective small enough to train in milliseconds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.measurement.meter import MeterSettings
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.systems import SystemSettings
from vocoder_pareto.training.accounting import CarbonSettings
from vocoder_pareto.training.objectives.objective import Objective, Schedule
from vocoder_pareto.training.run import TrainingInputs, TrainingOutputs, train
from vocoder_pareto.training.run_settings import RunSettings


@dataclass(frozen=True)
class SmallArchitecture:
    scale: float = 0.1


class SmallVocoder(Vocoder):
    Architecture = SmallArchitecture

    def __init__(self, architecture, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.layer = nn.Conv1d(n_mels, hop_length, 1)

    def generate(self, mel, generator=None):
        return (self.architecture.scale * self.layer(mel)).transpose(1, 2).flatten(1).tanh()


@dataclass(frozen=True)
class SmallRecipe:
    learning_rate: float = 1.0e-2
    fails_at: int = -1  # step whose loss is not finite


class SmallObjective(Objective):
    """Two turns and a schedule, so that a resumed run has something of everything to restore; the loss is noisy."""

    Recipe = SmallRecipe
    turns = ("judge", "generator")

    def __init__(self, vocoder, recipe, sample_rate=16000):
        super().__init__(vocoder, recipe, sample_rate)
        self.judge = nn.Linear(1, 1)
        self.register_buffer("steps", torch.tensor(0))

    def loss(self, turn, batch):
        if turn == "judge":
            loss = (self.judge(batch.audio.mean()[None]) - torch.randn(1)).square().mean()
            return loss, {"judge_loss": loss.detach()}
        noise = 0.01 * torch.randn_like(batch.audio)
        loss = (self.vocoder.generate(batch.mel) - batch.audio - noise).abs().mean()
        if int(self.steps) == self.recipe.fails_at:
            loss = loss * float("nan")
        self.steps += 1
        return loss, {"l1_loss": loss.detach()}

    def optimizer(self, turn):
        module = self.judge if turn == "judge" else self.vocoder
        return torch.optim.Adam(module.parameters(), self.recipe.learning_rate)

    def schedule(self, turn, optimizer):
        return Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9), "epoch")


@dataclass(frozen=True)
class SmallStudy:
    """A dataset in `folder`, and training on it."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path, clips: int = 10) -> "SmallStudy":
        random = np.random.default_rng(0)
        np.save(folder / "clips.npy", (0.1 * random.standard_normal((clips, 16384))).astype(np.float32))
        np.save(folder / "mels.npy", random.random((clips, 80, 64)).astype(np.float32))
        splits = ["train"] * (clips - 2) + ["test"] * 2
        write_clip_table(
            folder / "clips.csv",
            [Clip(row, f"clip{row}", f"clip{row}.wav", 1.024, split) for row, split in enumerate(splits)],
        )
        return cls(folder)

    def train(self, name: str = "a", training=None, architecture=None, code_version: str = "1", **run) -> Path:
        """Train into the subfolder `name`, and return it."""
        folder = self.folder / name
        system = SystemSettings(
            "small", "S", f"{__file__}:SmallVocoder", f"{__file__}:SmallObjective", architecture or {}, {},
            training or {},
        )  # fmt: skip
        settings = RunSettings(**{"steps": 6, "batch_size": 3, "log_every_steps": 2, "segment_frames": 8, **run})
        data = (self.folder / file for file in ("clips.npy", "clips.csv", "mels.npy"))
        train(
            system, settings, TrainingInputs(*data, folder / "state", code_version, "cpu", 0),
            TrainingOutputs(folder / "x.ckpt", folder / "summary.json", folder / "metrics.csv"),
            MeterSettings(unreadable_rapl="estimate"), CarbonSettings(0.7),
        )  # fmt: skip
        return folder
