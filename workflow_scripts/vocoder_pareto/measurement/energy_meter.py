"""The energy of a block of code, whatever it does.

with EnergyMeter("cuda:0") as window:
    audio = model(mel)
print(window.joules, window.source, window.flags)
"""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.measurement.meter import COUNTS_LATE_SECONDS, Reading, open_meter
from vocoder_pareto.measurement.readings_between import readings_between
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.settings import settings_given


@dataclass
class MeteredWindow:
    """What was used in a block of code; all numbers are None until the block ends.

    Attributes:
        device: The name of the hardware.
        source: Where the joules come from: `nvml`, `rapl`, `estimated`, … (`tables/sources.py`).
        joules: The energy of the device from the beginning of the block to its end; None too where it could not be
            measured, as `flags` says. Nothing is subtracted for an idle device.
        seconds: How long the block took, with the work of an accelerator that it began.
        joules_by_domain: The joules of each counter, those beside the headline too; None where one was not measured.
        flags: What makes the joules doubtful or none, as flag → sentence; empty where nothing does.
    """

    device: str
    source: str
    joules: float | None = None
    seconds: float | None = None
    joules_by_domain: dict[str, float | None] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def is_estimate(self) -> bool:
        """Whether the joules are estimated, as from CPU time where no counter can be read, and not measured."""
        return "energy_estimated" in self.flags

    @property
    def mean_power_watts(self) -> float | None:
        """The mean power in the block."""
        return None if self.joules is None or not self.seconds else self.joules / self.seconds


class EnergyMeter:
    """Meters the blocks of code that it is entered for, one after the other or one in the other, in one thread.

    Both ends wait until an accelerator has done its work. For a number to publish, repeat the work in a block of ten
    seconds or more, or call `measure`, which follows the whole protocol.

    Args:
        device: Where the work is done: auto (a GPU if there is one), cpu, cuda or cuda:N, or a torch.device.
        settings: How energy is read, such as MeterSettings(cpu_watts_per_core=8.0) for the estimate, or a dict of what
            differs from the defaults.

    Raises:
        UserError: An argument is not as it must be, there is no such device, or nothing can meter it; the message says
            how to mend that.
    """

    def __init__(
        self,
        device: str | torch.device = "auto",
        settings: MeterSettings | Mapping[str, Any] = MeterSettings(),  # noqa: B008 - frozen
    ):
        resolved = resolve_device(device)
        self._meter = open_meter(resolved, settings_given(MeterSettings, settings, "settings"))
        self._clock = clock_of(resolved)
        self._name = device_name(resolved)
        self._open: list[tuple[MeteredWindow, Reading, ExitStack]] = []
        self._thread = 0

    def __enter__(self) -> MeteredWindow:
        if self._open and self._thread != threading.get_ident():
            raise UserError(
                "EnergyMeter: a block is open in another thread, and the energy of a device is that of all its work; "
                "meter what several threads do in one block"
            )
        self._thread = threading.get_ident()
        window = MeteredWindow(self._name, self._meter.source, flags=self._meter.flags)
        between = ExitStack()
        self._clock.synchronise()
        between.enter_context(readings_between(self._meter))
        self._open.append((window, self._meter.read(), between))
        return window

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            raise UserError("EnergyMeter: no block is open; enter one by `with`")
        window, start, between = self._open.pop()
        self._clock.synchronise()
        end = self._meter.read()
        between.close()
        energy = self._meter.energy_between(start, end)
        window.joules, window.seconds, window.joules_by_domain = energy.joules, energy.seconds, energy.by_domain
        if not energy.valid:
            window.flags["invalid_window"] = "; ".join(energy.reasons)
        elif energy.seconds < COUNTS_LATE_SECONDS and not self._meter.is_estimate:
            window.flags["short_window"] = (
                f"the block took {energy.seconds:.2g} s, and counters may lag by up to {COUNTS_LATE_SECONDS:g} s; "
                "repeat the work in it"
            )
