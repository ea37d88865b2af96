"""The work that is measured: a vocoder that turns mel-spectrograms of the test set into clips."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.device_memory import is_out_of_memory
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.clip_files import open_energy_clips
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.sections.measurement import EnergySettings


class OutOfMemory(UserError):
    """The device cannot hold the batch."""


class UnsupportedPrecision(UserError):
    """The device does not compute so."""


def mels_of_clips(mels: str | Path, n_mels: int) -> np.ndarray:
    """The mel-spectrograms of the clips of the energy protocol, one after the other in time: (M, frames of all).

    Args:
        mels: The mels.npy of `cut_energy_clips`.
        n_mels: M, the rows that they must have.

    Raises:
        UserError: the file is missing or damaged.
    """
    return np.concatenate(open_energy_clips(mels, n_mels, None), axis=1)


def input_batches(mels: np.ndarray, frames: int, clips: int, batch_size: int) -> list[Tensor]:
    """Cut `clips` clips of `frames` frames from `mels` (M, any), from its start again when it ends.

    Returns:
        Batches (batch_size, M, frames), a last smaller one if `batch_size` does not divide `clips`.
    """
    places = np.arange(clips * frames) % mels.shape[1]
    cut = torch.from_numpy(mels[:, places]).reshape(mels.shape[0], clips, frames).transpose(0, 1).contiguous()
    return list(cut.split(batch_size))


def prepared_work(
    vocoder: Vocoder, batches: list[Tensor], settings: EnergySettings, seed: int, audio_seconds_per_clip: float
) -> Work:
    """A pass for each batch; all tensors lie on the device of the vocoder, which is prepared for inference."""
    device = vocoder.like.device
    generator = torch.Generator(device).manual_seed(seed)
    inputs = [batch.to(device) for batch in batches]
    return Work(
        passes=[_pass(vocoder, batch, generator, settings.precision) for batch in inputs],
        audio_seconds=[len(batch) * audio_seconds_per_clip for batch in inputs],
    )


def _pass(vocoder: Vocoder, mel: Tensor, generator: torch.Generator, precision: str) -> Callable[[], None]:
    def generate_batch() -> None:
        with autocast(mel.device, precision):
            vocoder.synthesize(mel, generator)

    return generate_batch


def autocast(device: torch.device, precision: str):
    """The context in which a vocoder computes at `precision`."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@contextmanager
def numeric_precision(device: torch.device, precision: str) -> Iterator[None]:
    """Let NVIDIA GPUs use TF32 only if `precision` says so: PyTorch allows it to convolutions by default.

    Raises:
        UnsupportedPrecision: the device does not have it, or the environment says otherwise.
    """
    if precision == "tf32" and not (device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)):
        raise UnsupportedPrecision(
            f"config key energy.precision: tf32 needs an NVIDIA GPU from Ampere on, not {device}"
        )
    override = os.environ.get("NVIDIA_TF32_OVERRIDE")
    if device.type == "cuda" and override is not None and (override != "0") != (precision == "tf32"):
        raise UnsupportedPrecision(
            f"environment variable NVIDIA_TF32_OVERRIDE={override} overrides config key energy.precision: {precision}; "
            "unset it"
        )
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@contextmanager
def memory_enough_for(settings: EnergySettings, device: torch.device) -> Iterator[None]:
    """Say what to change when the device has too little memory.

    Raises:
        OutOfMemory: it did.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"{device}: out of memory for batches of {settings.batch_size} clips of {settings.clip_seconds:g} s; "
            "lower energy.batch_size or energy.clip_seconds, or end other programs on the device"
        ) from error
