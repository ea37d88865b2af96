"""Where the systems stand under the roofline of this device: is time spent on arithmetic or on memory?

Measures the device's rate of arithmetic (matrix products) and of memory (copies), then compares every system that was
measured: its FLOPs per byte moved, its FLOPs per second, and the most that the roofline allows at that intensity
(Williams et al. 2009). Intensity counts every operation's reads and writes as going to memory, so a system whose
intermediate results fit the cache can lie above its roof.

    PYTHONPATH=workflow_scripts python benchmarks/roofline.py --results results
"""

import argparse
import time
from pathlib import Path

import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.workload import numeric_precision

GIGA = 1.0e9


def rate(work_per_call: float, call, device: torch.device, seconds: float = 1.0) -> float:
    """Work per second of `call`, repeated for about `seconds` after one call that warms up."""
    clock = clock_of(device)
    call()
    clock.synchronise()
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        call()
        calls += 1
        clock.synchronise()
    return calls * work_per_call / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="results_dir (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda:N (default: %(default)s)")
    parser.add_argument("--size", type=int, default=2048, help="rows of the matrices (default: %(default)s)")
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    left, right = torch.randn(2, arguments.size, arguments.size, device=device)
    source = torch.empty(64 * 2**20, device=device).fill_(1.0)  # 256 MiB: larger than caches
    target = torch.empty_like(source)
    with numeric_precision(device, "float32"):
        flops = rate(2 * arguments.size**3, lambda: torch.mm(left, right), device)
    bytes_per_second = rate(2 * source.numel() * 4, lambda: target.copy_(source), device)
    ridge = flops / bytes_per_second
    print(
        f"{device}: {flops / GIGA:.0f} GFLOP/s, {bytes_per_second / GIGA:.1f} GB/s, ridge at {ridge:.1f} FLOPs/byte\n"
    )
    print("| system | FLOPs/byte | GFLOP/s | roof | share | bound by |")
    print("|---|---|---|---|---|---|")
    for file in sorted((arguments.results / "measurements" / "complexity").glob("*.json")):
        counted = read_json(file)
        energy_file = arguments.results / "measurements" / "energy" / file.name
        if not energy_file.exists():
            continue
        seconds = read_json(energy_file)["real_time_factor"]
        intensity = counted["arithmetic_intensity_flops_per_byte"]
        reached = counted["flops"] / counted["audio_seconds"] / seconds
        roof = min(flops, intensity * bytes_per_second)
        bound = "arithmetic" if intensity > ridge else "memory"
        row = f"{intensity:.1f} | {reached / GIGA:.1f} | {roof / GIGA:.0f} | {reached / roof:.0%} | {bound}"
        print(f"| {counted['system']} | {row} |")


if __name__ == "__main__":
    main()
