"""The largest batch that fits the GPU, found by trying real training steps."""

import copy
import logging
from collections.abc import Callable
from contextlib import nullcontext

import torch
from lightning.pytorch.utilities.memory import garbage_collection_cuda

from vocoder_pareto.device_memory import is_out_of_memory
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training.batches import ClipDataset
from vocoder_pareto.training.module import segment_of
from vocoder_pareto.training.objectives.objective import Objective

log = logging.getLogger(__name__)
LARGEST = 4096
TRIAL_STEPS = 2  # the second step runs beside the moments that the optimisers made in the first
AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def chosen_batch_size(
    objective: Objective, dataset: ClipDataset, device: torch.device, settings: TrainingSettings
) -> int:
    """Return the number of clips per step: as configured, or for `auto` as `largest_batch_size` finds it.

    Raises:
        UserError: The search would need a GPU, and `device` is none; or not even one clip fits it.
    """
    if settings.batch_size != "auto":
        return settings.batch_size
    if device.type != "cuda":
        raise UserError("config key training.batch_size: auto needs a GPU; give a number to train on a CPU")
    return largest_batch_size(objective, dataset, device, settings)


def largest_batch_size(
    objective: Objective, dataset: ClipDataset, device: torch.device, settings: TrainingSettings
) -> int:
    """Return the number of clips per step that fits `device`, times the margin; at most the training set and 4,096.

    Raises:
        UserError: Not even one clip fits.
    """
    largest = min(LARGEST, len(dataset))
    fits = largest_that_fits(lambda size: step_fits(objective, dataset, device, settings, size), largest)
    if fits == 0:
        raise UserError(
            f"config key training.batch_size: not even one clip fits {device}; end other programs on it, set "
            "training.segment_frames, or take a larger GPU"
        )
    chosen = fits if fits == largest else max(1, int(fits * settings.batch_size_margin))
    log.info("batch size: %d clips fit %s, %d are taken", fits, device, chosen)
    return chosen


def largest_that_fits(fits: Callable[[int], bool], largest: int) -> int:
    """Return the largest size up to `largest` for which `fits` holds, within a sixteenth; 0 if it does not hold for 1.

    The search doubles the size until it fails, then halves the interval.
    """
    good, size = 0, 1
    while fits(size):
        good = size
        if good == largest:
            return good
        size = min(2 * good, largest)
    bad = size
    while bad - good > max(1, good // 16):
        middle = (good + bad) // 2
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good


def step_fits(
    objective: Objective, dataset: ClipDataset, device: torch.device, settings: TrainingSettings, size: int
) -> bool:
    """Whether training steps of `size` clips run on `device` without exhausting its memory. No weight changes."""
    try:
        _trial(objective, dataset, device, settings, size)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        log.info("batch size: %d clips do not fit %s (%s)", size, device, first_line(error))
        return False
    finally:
        if device.type == "cuda":
            garbage_collection_cuda()
    return True


def _trial(
    objective: Objective, dataset: ClipDataset, device: torch.device, settings: TrainingSettings, size: int
) -> None:
    trial = copy.deepcopy(objective).to(device)
    optimizers = {turn: trial.optimizer(turn) for turn in trial.turns}
    numbers = [index % len(dataset) for index in range(size)]
    batch = dataset.__getitems__(numbers)
    batch = type(batch)(*(part.to(device) for part in batch))
    batch = segment_of(batch, settings.segment_frames, trial.vocoder.hop_length)
    kind = AUTOCAST.get(settings.precision)
    for _ in range(TRIAL_STEPS):
        for turn, optimizer in optimizers.items():
            trial.begin_turn(turn)
            with torch.autocast(device.type, kind) if kind else nullcontext():
                loss, _ = trial.loss(turn, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
