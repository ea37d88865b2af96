"""The record of what work without a vocoder costs: a front end, or a reference system; by the protocol of vocoders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch

from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import (
    PeakMemory,
    device_name,
    device_state,
    hardware_description,
    software_description,
)
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.protocol import Measured, joined, observe
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.workload import memory_enough_for, numeric_precision
from vocoder_pareto.study.sections.measurement import EnergySettings


@dataclass(frozen=True)
class WorkBench:
    """Work on the device that does it, and the meter of that device.

    Attributes:
        identity: What the record says of the work before all else, as plain values.
        work_of: Makes the unit of work by the settings of the measurement.
        meter: That of `device`.
        device: What computes.
        protocol: What of the protocol is otherwise than the settings say, as plain values.
        flags: What else a reader must know of the record, as flag → sentence; nothing is amiss with it.
    """

    identity: Mapping[str, Any]
    work_of: Callable[[EnergySettings], Work]
    meter: Meter
    device: torch.device
    protocol: Mapping[str, Any] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)


def measure_work(open_bench: Callable[[], WorkBench], settings: EnergySettings, seed: int) -> dict[str, Any]:
    """Measure in `settings.processes` processes, one after the other, by the protocol that vocoders are measured by.

    Args:
        open_bench: Is called in each of them. This process must not compute nor use an accelerator before.
        settings: Say how long and how often.
        seed: Decides the pauses.

    Returns:
        The record: the identity of the work, how it was measured, and what `assessed` finds.
    """
    earlier: list[Measured] = []
    while len(earlier) < settings.processes - 1:
        earlier.append(in_own_process(_observed, open_bench, settings, seed, earlier))
    return in_own_process(_record, open_bench, settings, seed, earlier)


def _record(
    open_bench: Callable[[], WorkBench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> dict[str, Any]:
    bench = open_bench()
    memory = PeakMemory(bench.device)
    measured = joined([*earlier, _observe(bench, settings, seed, earlier)])
    protocol = {**settings.protocol(), **bench.protocol, "seed": seed, "processes_done": len(measured.processes)}
    record = {
        **bench.identity,
        "device": device_name(bench.device),
        "peak_memory_bytes": memory.bytes(),
        "peak_memory_method": memory.method,
        "protocol": protocol,
        "meter": bench.meter.description(),
        "hardware": hardware_description(bench.device),
        "software": software_description(Path(__file__).parent),
    }
    found = assessed(measured, bench.meter, settings, None, None)
    flags = {"flags": [*found["flags"], *bench.flags], "reasons": {**found["reasons"], **bench.flags}}
    return record | found | flags


def _observed(
    open_bench: Callable[[], WorkBench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> Measured:
    return _observe(open_bench(), settings, seed, earlier)


def _observe(bench: WorkBench, settings: EnergySettings, seed: int, earlier: Sequence[Measured]) -> Measured:
    precision = bench.protocol.get("precision", settings.precision)
    with numeric_precision(bench.device, precision), memory_enough_for(settings, bench.device):
        work = bench.work_of(settings)
        draw = Random(f"{seed} {len(earlier)}")
        clock = clock_of(bench.device)
        return observe(work, bench.meter, settings, clock, lambda: device_state(bench.device), draw, earlier)
