"""How fast a device computes and copies at most, measured: the two roofs of the roofline (Williams et al., 2009)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.workload import numeric_precision


@dataclass(frozen=True)
class MachineRates:
    """What a device reached.

    Attributes:
        flops_per_second: in products of float32 matrices.
        bytes_per_second: read and written together, in copies of memory larger than the caches of most machines.
    """

    flops_per_second: float
    bytes_per_second: float

    @property
    def ridge(self) -> float:
        """FLOPs per byte above which arithmetic is the limit, and below which memory is."""
        return self.flops_per_second / self.bytes_per_second

    def roof(self, flops_per_byte: float) -> float:
        """The most FLOPs per second at an intensity."""
        return min(self.flops_per_second, flops_per_byte * self.bytes_per_second)


def measure_machine_rates(
    device: torch.device, rows: int = 2048, copied_bytes: int = 2**29, seconds: float = 1.0
) -> MachineRates:
    """Multiply square matrices of so many `rows`, then copy, each for about so many `seconds`."""
    left, right = torch.randn(2, rows, rows, device=device)
    source = torch.empty(copied_bytes // 8, device=device).fill_(1.0)  # half is read, half is written
    target = torch.empty_like(source)
    with numeric_precision(device, "float32"):
        flops = _rate(2 * rows**3, lambda: torch.mm(left, right), device, seconds)
    return MachineRates(flops, _rate(copied_bytes, lambda: target.copy_(source), device, seconds))


def _rate(work_per_call: float, call: Callable[[], object], device: torch.device, seconds: float) -> float:
    clock = clock_of(device)
    call()
    clock.synchronise()
    begin, calls = clock.seconds(), 0
    while clock.seconds() - begin < seconds:
        call()
        calls += 1
        clock.synchronise()
    return calls * work_per_call / (clock.seconds() - begin)
