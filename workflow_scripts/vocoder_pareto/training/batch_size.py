"""The largest batch that fits the GPU, found by trying real training steps."""

import copy
import logging

import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.data import ClipDataset
from vocoder_pareto.training.objectives.objective import Batch, Objective

log = logging.getLogger(__name__)
LARGEST = 4096


def largest_batch_size(objective: Objective, dataset: ClipDataset, device: torch.device, margin: float) -> int:
    """The number of clips per step that fits `device`, times `margin`; at most the training set and 4,096.

    Doubles until a step of all turns, optimisers included, runs out of memory, then halves the interval.

    Raises:
        UserError: not even one clip fits.
    """
    largest = min(LARGEST, len(dataset))
    fits, fails = 0, None
    size = 1
    while fails is None or fails - fits > max(1, fits // 16):
        if _fits(objective, dataset, device, size):
            fits = size
        else:
            fails = size
        if fits >= largest or fails == 1:
            break
        size = min(2 * fits, largest) if fails is None else (fits + fails) // 2
        if size in (fits, fails):
            break
    if not fits:
        raise UserError(f"training.batch_size: not even one clip fits {device}; take a larger GPU or a smaller system")
    chosen = fits if fits == largest else max(1, int(fits * margin))
    log.info("batch size: %d clips fit %s, %d are taken", fits, device, chosen)
    return chosen


def _fits(objective: Objective, dataset: ClipDataset, device: torch.device, size: int) -> bool:
    trial = copy.deepcopy(objective).to(device)
    try:
        batch = Batch(
            *(part.to(device) for part in dataset.__getitems__([index % len(dataset) for index in range(size)]))
        )
        for turn in trial.turns:
            optimizer = trial.optimizer(turn)
            loss, _ = trial.loss(turn, batch)
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize(device)
        return True
    except torch.cuda.OutOfMemoryError:
        return False
    finally:
        del trial
        torch.cuda.empty_cache()
