"""What a training reads: the clips of the training split, and those of the test split that validations take."""

import numpy as np
import torch

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.device_memory import is_out_of_memory
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.training.batches import ClipDataset
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.validation import Validation


def training_dataset(job: TrainingJob, device: torch.device) -> tuple[ClipDataset, Validation | None]:
    """Return the training clips, on the device if so configured, and what to resynthesise in validations, if anything.

    Raises:
        UserError: A file is missing or damaged, there is no training clip, or the device cannot hold them all.
    """
    clips = read_clip_table(job.table)
    audio = open_array(job.clips, (len(clips), None), "prepare_clips")
    mels = open_array(job.mels, (len(clips), job.system.n_mels, None), "compute_mels")
    rows = np.array([clip.row for clip in clips_of(clips, "train")], dtype=np.int64)
    if len(rows) == 0:
        raise UserError(f"{job.table}: no clip of the training split; enlarge the corpus or lower dataset.test_share")
    dataset = _dataset(audio, mels, rows, device if job.settings.data_on_device and device.type == "cuda" else None)
    test = clips_of(clips, "test", job.settings.validation_clips) if job.settings.validation_clips else []
    if not test:
        return dataset, None
    places = [clip.row for clip in test]
    return dataset, Validation(test, audio[places], mels[places], job.system.sample_rate, job.seed)


def _dataset(audio: np.ndarray, mels: np.ndarray, rows: np.ndarray, device: torch.device | None) -> ClipDataset:
    try:
        return ClipDataset(audio, mels, rows, device)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"config key training.data_on_device: {device} cannot hold the training clips ({first_line(error)}); set "
            "it to false, or end other programs on the device"
        ) from error
