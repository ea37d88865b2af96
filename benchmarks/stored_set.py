"""A stored set of measurements as a table: joules, power, speed and arithmetic of every system on one device.

    PYTHONPATH=workflow_scripts python benchmarks/stored_set.py \\
        --measured-set resources/measured/nvidia-h100-80gb-hbm3 --output-document docs/performance.md

Nothing is measured: it reads the raw records of the set, of all its runs.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from documented import replace_sections, require_sections, table

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.program import run_program
from vocoder_pareto.tables.columns import ENERGY

SECTION = "stored-set"
COLUMNS = [
    "system", "J/s of audio", "of later runs", "J/s above idle", "W", "s/s of audio", "GFLOP/s", "of the peak",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--measured-set", type=Path, required=True, help="folder such as resources/measured/nvidia-h100-80gb-hbm3"
    )
    parser.add_argument("--output-document", type=Path, help="document to write the table into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, [SECTION])
    text = report(arguments.measured_set)
    print(text)
    replace_sections(arguments.output_document, {SECTION: text})


def report(folder: Path) -> str:
    """What was measured on, and a line per system of the first run, with what later runs found beside it."""
    runs = [
        {file.stem: read_json(file) for file in sorted(run.glob("*.json"))}
        for run in sorted(folder.glob("run*"), key=lambda run: int(run.name[3:]))
    ]
    if not runs or not runs[0]:
        raise UserError(f"{folder}: holds no record run1/*.json; name a folder that measure_set.py has written")
    first = next(iter(runs[0].values()))
    gpu, protocol = first["hardware"]["gpu"] or {}, first["protocol"]
    conditions = (
        f"measured by {first['energy_source']}; {protocol['precision']}, batch {protocol['batch_size']}, "
        f"{protocol['clips']} clips of {protocol['clip_seconds']:g} s, {protocol['windows']} windows of "
        f"{protocol['min_window_seconds']:g} s in {protocol['processes_done']} process"
    )
    if gpu:
        conditions = f"limit {gpu['enforced_power_limit_watts']:g} W, driver {gpu['driver']}; {conditions}"
    names = sorted(runs[0], key=lambda name: runs[0][name][ENERGY])
    lines = [_line(runs[0][name], [run[name] for run in runs[1:] if name in run]) for name in names]
    versions = f"PyTorch {first['software']['packages']['torch']}"
    return f"On {first['device']}, {versions}; {conditions}:\n\n{table(COLUMNS, lines)}"


def _line(record: Mapping[str, Any], later: list[Mapping[str, Any]]) -> list[str]:
    energy, interval = record[ENERGY], record[f"{ENERGY}_ci95"]
    flops_per_second = record["bounds"]["flops_per_joule"] * record["mean_power_watts"]
    return [
        record["system"],
        f"{energy:.4g} ± {interval:.2g}",
        ", ".join(f"{each[ENERGY]:.4g} ({each[ENERGY] / energy - 1:+.1%})" for each in later),
        f"{record[f'net_{ENERGY}']:.4g}",
        f"{record['mean_power_watts']:.0f}",
        f"{record['real_time_factor']:.3g}",
        f"{flops_per_second / 1e9:.0f}",
        f"{flops_per_second / record['bounds']['peak_flops_per_second']:.0%}",
    ]


if __name__ == "__main__":
    run_program(main)
