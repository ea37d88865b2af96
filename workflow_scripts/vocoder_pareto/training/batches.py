"""Batches of the training set: an endless stream whose n-th batch depends on the seed and n alone."""

import signal
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from vocoder_pareto.training.objectives.objective import Batch
from vocoder_pareto.training.signals import STOP_SIGNALS

Fetched = TypeVar("Fetched")


class ClipDataset(Dataset):
    """Clips and mel-spectrograms by the number of a training clip, taken a whole batch at a time.

    Args:
        clips: The audio of all clips, (N, T) float32, memory-mapped.
        mels: Their mel-spectrograms, (N, M, L) float32, memory-mapped.
        rows: The rows of both that belong to the training split.
        device: The device that holds a copy of all training clips, or None to read them from disk.
    """

    def __init__(self, clips: np.ndarray, mels: np.ndarray, rows: np.ndarray, device: torch.device | None = None):
        self.clips, self.mels, self.rows = clips, mels, rows
        self.resident: Batch | None = None
        if device is not None:
            audio, mel = torch.from_numpy(clips[rows]), torch.from_numpy(mels[rows])
            self.resident = Batch(audio.to(device), mel.to(device))

    def __len__(self) -> int:
        return len(self.rows)

    def every_so_many(self, count: int) -> Batch:
        """Return `count` clips from all over the set, or all if it has no more."""
        return self.__getitems__(sorted({index * len(self) // count for index in range(count)}))

    def __getitems__(self, numbers: list[int]) -> Batch:
        """Return the batch of the training clips `numbers`: audio (B, T), mel (B, M, L)."""
        if self.resident is not None:
            places = torch.tensor(numbers, device=self.resident.audio.device)
            return Batch(self.resident.audio[places], self.resident.mel[places])
        rows = self.rows[numbers]
        return Batch(torch.from_numpy(self.clips[rows]), torch.from_numpy(self.mels[rows]))


class ShuffledBatches(Sampler[list[int]]):
    """Numbers of training clips, batch after batch without end: every epoch in a new order, from the seed.

    An epoch has as many batches as fit, at least one; what is left over comes in other epochs, since the order changes.

    Args:
        clips: The number of training clips, at least 1.
        batch_size: The number of clips per batch; a set smaller than that gives batches of the whole set.
        seed: The seed of the orders.
        first: The number of the batch to begin with, to resume.
    """

    def __init__(self, clips: int, batch_size: int, seed: int, first: int = 0):
        self.clips, self.batch_size, self.seed, self.first = clips, min(batch_size, clips), seed, first

    @property
    def batches_per_epoch(self) -> int:
        """The number of steps of an epoch."""
        return self.clips // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        epoch, place = divmod(self.first, self.batches_per_epoch)
        while True:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.clips)
            for index in range(place, self.batches_per_epoch):
                yield order[index * self.batch_size : (index + 1) * self.batch_size].tolist()
            epoch, place = epoch + 1, 0


def batch_loader(dataset: ClipDataset, batches: ShuffledBatches, workers: int, pin_memory: bool) -> DataLoader:
    """Return a loader of `batches` from `dataset`. Data that live on the device need no `workers`."""
    resident = dataset.resident is not None
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=0 if resident else workers,
        pin_memory=pin_memory and not resident,
        collate_fn=_unchanged,
        worker_init_fn=_ignore_stop_signals,
        generator=torch.Generator(),  # else an iterator would draw from the generator that the losses use
    )


def _unchanged(fetched: Fetched) -> Fetched:
    return fetched


def _ignore_stop_signals(worker: int) -> None:
    # They reach a whole process group or Slurm job; the training process ends its step, saves, then ends its workers.
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
