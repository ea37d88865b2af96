"""A second opinion on a window by Zeus (You et al. 2023), where it is installed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.protocol import Window


def window_checked_by_zeus(measure: Callable[[AbstractContextManager], Window], device: torch.device) -> dict[str, Any]:
    """Measure one window by our meter and by Zeus at the same time; neither number replaces the other.

    Args:
        measure: measures a window by our meter, with what it is given open from the first reading to the last.
        device: does the work.

    Returns:
        Joules by both, and the ratio of Zeus to ours (None where ours is not valid).

    Raises:
        UserError: Zeus is not installed.
    """
    try:
        from zeus.monitor import ZeusMonitor
    except ImportError as error:
        raise UserError(
            "config key energy.cross_check: zeus is not installed; run `pip install zeus`, or set it to none"
        ) from error
    on_gpu = device.type == "cuda"
    # Zeus numbers the GPUs that CUDA_VISIBLE_DEVICES leaves, as PyTorch does.
    monitor = ZeusMonitor(gpu_indices=[device.index or 0] if on_gpu else [])
    found_by_zeus: list[Any] = []

    @contextmanager
    def by_zeus() -> Iterator[None]:
        monitor.begin_window("cross_check")
        yield
        found_by_zeus.append(monitor.end_window("cross_check"))

    window = measure(by_zeus())
    (measurement,) = found_by_zeus
    found = [measurement.gpu_energy] if on_gpu else [measurement.cpu_energy, measurement.dram_energy]
    joules = sum(value for part in found if part for value in part.values()) if any(found) else None
    ours = window.energy.joules
    return {
        "tool": "zeus",
        "zeus_joules": joules,
        "joules": ours,
        "ratio": joules / ours if joules is not None and ours else None,
        "seconds": window.energy.seconds,
    }
