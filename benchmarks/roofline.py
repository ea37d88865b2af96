"""Where the systems stand under the roofline of this device: is time spent on arithmetic or on memory?

Measures the device's rate of arithmetic (matrix products) and of memory (copies), then compares every system that was
measured: its FLOPs per byte moved, its FLOPs per second, and the most that the roofline allows at that intensity
(Williams et al. 2009). Intensity counts every operation's reads and writes as going to memory, so a system whose
intermediate results fit the cache can lie above its roof.

    PYTHONPATH=workflow_scripts python benchmarks/roofline.py --results results
"""

import argparse
from pathlib import Path

from machine_rates import measure_machine_rates

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json
from vocoder_pareto.program import run_program

GIGA = 1.0e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="results_dir of the study (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--size", type=int, default=2048, help="rows of the matrices (default: %(default)s)")
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    rates = measure_machine_rates(device, arguments.size)
    print(
        f"{device}: {rates.flops_per_second / GIGA:.0f} GFLOP/s, {rates.bytes_per_second / GIGA:.1f} GB/s, "
        f"ridge at {rates.ridge:.1f} FLOPs/byte\n"
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
        roof = rates.roof(intensity)
        bound = "arithmetic" if intensity > rates.ridge else "memory"
        row = f"{intensity:.1f} | {reached / GIGA:.1f} | {roof / GIGA:.0f} | {reached / roof:.0%} | {bound}"
        print(f"| {counted['system']} | {row} |")


if __name__ == "__main__":
    run_program(main)
