"""How the energy counter of an NVIDIA GPU behaves: its period, its lag, and the power readings beside it.

Products of matrices for some seconds between two rests, while one thread reads the counter as fast as NVML answers. The
length of the counter's steps is read off the times at which it moves; its lag is what the joules around the start of
the work lack of those of a GPU whose power rose at once, over the rise in power.

    PYTHONPATH=workflow_scripts python benchmarks/nvml_counter.py --output benchmarks/measured/nvml_counter.csv

`--measured-table` takes the readings of an earlier call, and `--output-document docs/performance.md` puts what follows
from them there.
"""

import argparse
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pynvml
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.measurement.nvml import gpu_handle
from vocoder_pareto.program import run_program

SECTION = "nvml-counter"
REST_SECONDS, WORK_SECONDS = 2.0, 5.0
SIDE = 8192  # of the matrices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the table into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, [SECTION])
    if arguments.measured_table:
        readings = read_measured(arguments.measured_table, ("device",))
    else:
        readings = observed(resolve_device(arguments.device))
    write_measured(readings, arguments.output)
    text = report(readings)
    print(text)
    replace_sections(arguments.output_document, {SECTION: text})


def observed(device: torch.device) -> pd.DataFrame:
    """A row per reading: seconds from the start of the work, which ends at `work_seconds`; counter and power."""
    handle = gpu_handle(device)
    readings: list[tuple[float, int, int]] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            now = time.monotonic()
            energy = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            readings.append((now, energy, pynvml.nvmlDeviceGetPowerUsage(handle)))

    torch.backends.cuda.matmul.allow_tf32 = False
    left, right = torch.randn(2, SIDE, SIDE, device=device)
    torch.matmul(left, right)
    torch.cuda.synchronize(device)
    time.sleep(REST_SECONDS)
    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(REST_SECONDS)
    begin = time.monotonic()
    while time.monotonic() - begin < WORK_SECONDS:
        torch.matmul(left, right)
        torch.cuda.synchronize(device)
    work_seconds = time.monotonic() - begin
    time.sleep(REST_SECONDS)
    ended.set()
    reader.join()
    table_of_readings = pd.DataFrame(readings, columns=["seconds", "energy_millijoules", "power_milliwatts"])
    table_of_readings["seconds"] -= begin
    return table_of_readings.assign(work_seconds=work_seconds, device=device_name(device))


def report(readings: pd.DataFrame) -> str:
    """Period, lag and mean powers, each by the counter and by the power readings."""
    seconds, joules = readings["seconds"].to_numpy(), readings["energy_millijoules"].to_numpy() / 1e3
    watts, end = readings["power_milliwatts"].to_numpy() / 1e3, readings["work_seconds"].iloc[0]
    moved = np.flatnonzero(np.diff(joules) > 0) + 1
    period = np.quantile(np.diff(seconds[moved]), [0.05, 0.5, 0.95])
    rest, work = (seconds[moved][0], -0.2), (1.5, end - 0.2)
    lag = lag_seconds(seconds[moved], joules[moved])
    rows = [
        ["steps of the counter (median; 5 % to 95 %)", f"{period[1]:.3f} s ({period[0]:.3f}–{period[2]:.3f})"],
        ["lag of the counter behind the work", f"{lag:.3f} s"],
        *(
            [
                f"mean power {name}: by the counter; by power readings",
                f"{_slope(seconds[moved], joules[moved], *stretch):.1f} W; {_mean(seconds, watts, *stretch):.1f} W",
            ]
            for name, stretch in (("at rest", rest), ("at work, from 1.5 s on", work))
        ),
        ["power readings reach 95 % of the rise after", f"{_rise_seconds(seconds, watts, rest, work):.2f} s"],
        ["readings per second", f"{len(seconds) / (seconds[-1] - seconds[0]):.0f}"],
    ]
    return f"On {readings['device'].iloc[0]}:\n\n{table(['of NVML', 'seen'], rows)}"


def lag_seconds(steps: np.ndarray, joules: np.ndarray, before: float = 0.5, after: float = 1.0) -> float:
    """How much later than the work, which begins at 0, the power rises by the counter's steps.

    Args:
        steps: are the times at which the counter moved, in s.
        joules: is what it showed then.
        before, after: bound the stretch that is looked at, in s; the power is constant on both sides of the rise.

    Returns:
        (P₁ · after + P₀ · before − E) / (P₁ − P₀), with P₀ the power before and P₁ that of `after` to twice `after`.
    """
    low, high = _slope(steps, joules, -3 * before, -before), _slope(steps, joules, after, 2 * after)
    energy = np.interp(after, steps, joules) - np.interp(-before, steps, joules)
    return float((high * after + low * before - energy) / (high - low))


def _slope(steps: np.ndarray, joules: np.ndarray, first: float, last: float) -> float:
    """The mean power between two times, by the counter, which is interpolated between its steps."""
    return float((np.interp(last, steps, joules) - np.interp(first, steps, joules)) / (last - first))


def _mean(seconds: np.ndarray, watts: np.ndarray, first: float, last: float) -> float:
    inside = (seconds >= first) & (seconds <= last)
    return float(np.trapezoid(watts[inside], seconds[inside]) / np.ptp(seconds[inside]))


def _rise_seconds(seconds: np.ndarray, watts: np.ndarray, rest: tuple, work: tuple) -> float:
    low, high = _mean(seconds, watts, *rest), _mean(seconds, watts, *work)
    reached = (seconds > 0) & (watts >= low + 0.95 * (high - low))
    return float(seconds[reached][0])


if __name__ == "__main__":
    run_program(main)
