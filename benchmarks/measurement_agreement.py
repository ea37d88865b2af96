"""Whether two measurements of one machine agree: of the machine alone, twice, and beside a busy process on each core.

Every system is measured with random weights, by the protocol of the configuration, three times: alone, beside the busy
processes, alone again. Two measurements alone should agree within 10 %; the busy one within 15 % of their mean, or its
row must be marked, as it is in all tables and figures. Nothing else should run meanwhile.

    PYTHONPATH=workflow_scripts python benchmarks/measurement_agreement.py --output benchmarks/measured/agreement.csv

The busy processes end by themselves after `--max-busy-minutes`, and what was measured without them is not kept; no
measurement begins after `--max-minutes`. Rows are written as they are measured; the same command goes on with those
that `--output` does not have yet.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from documented import read_measured, replace_sections, require_sections, table, write_measured
from tqdm import tqdm

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.analysis.doubts import doubts_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.energy import measure_in_processes
from vocoder_pareto.measurement.random_weights import bench_with_random_weights
from vocoder_pareto.program import run_program
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.studied_systems import systems_of
from vocoder_pareto.tables.columns import ENERGY

CONFIG = Path(__file__).parents[1] / "config.yaml"
RUNS = ("alone", "busy", "alone again")
TEXTS = ("run", "system", "energy_source", "device", "doubts")
ALONE_AT_MOST, BUSY_AT_MOST = 0.10, 0.15
BUSY = "import sys, time\nwhile time.monotonic() < float(sys.argv[1]):\n    sum(range(100000))\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--max-minutes", type=float, default=60.0, help="minutes after which no measurement begins (default: 60)"
    )
    parser.add_argument(
        "--max-busy-minutes", type=float, default=30.0, help="minutes after which busy processes end (default: 30)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write, and to go on with")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["agreement"])
    measured = measure(arguments)
    text = report(measured)
    print(text)
    replace_sections(arguments.output_document, {"agreement": text})


def measure(arguments: argparse.Namespace) -> pd.DataFrame:
    """A row per run and system: energy, interval, flags; those that the output has already are not measured again."""
    config = read_configuration([CONFIG, *arguments.config_files])
    systems = systems_of(config)
    unknown = set(arguments.system_names) - {system.name for system in systems}
    if unknown:
        names = ", ".join(system.name for system in systems)
        raise UserError(f"--system-names: {sorted(unknown)[0]!r} is not in the configuration; allowed: {names}")
    systems = [each for each in systems if not arguments.system_names or each.name in arguments.system_names]
    settings = settings_from(EnergySettings, config["energy"], "energy")
    meter = settings_from(MeterSettings, config["meter"], "meter")
    until, rows = time.monotonic() + 60 * arguments.max_minutes, rows_of(arguments.output)
    there = {(row["run"], row["system"]) for row in rows}
    for run in RUNS:
        missing = [system for system in systems if (run, system.name) not in there]
        with busy_processes(60 * arguments.max_busy_minutes if run == "busy" and missing else 0.0) as busy:
            for system in tqdm(missing, desc=f"Measuring, {run}"):
                if time.monotonic() < until:
                    bench = partial(
                        bench_with_random_weights, system, settings, meter, arguments.device, config["seed"]
                    )
                    row = {"run": run} | row_of(measure_in_processes(bench, settings, config["seed"]))
                    if any(process.poll() is not None for process in busy):
                        break
                    rows.append(row)
                    write_measured(pd.DataFrame(rows), arguments.output)
    if not rows:
        raise UserError("--max-minutes: no time for any measurement; give more")
    return pd.DataFrame(rows)


def rows_of(path: Path | None) -> list[dict[str, Any]]:
    """The rows of an earlier call, if there was one; doubts that were none are an empty text."""
    if path is None or not path.exists():
        return []
    return read_measured(path, TEXTS).fillna({"doubts": ""}).to_dict("records")


@contextmanager
def busy_processes(seconds: float) -> Iterator[list[subprocess.Popen]]:
    """One process on each core that computes for so long, and ends with the context; none for 0."""
    until = str(time.monotonic() + seconds)
    count = len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else psutil.cpu_count()
    started = [subprocess.Popen([sys.executable, "-c", BUSY, until]) for _ in range(count if seconds else 0)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def row_of(record: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a measurement."""
    doubts = doubts_of({record["system"]: record["flags"]}).get(record["system"], [])
    names = ("system", ENERGY, f"{ENERGY}_ci95", "real_time_factor", "energy_source", "device")
    return {name: record[name] for name in names} | {"doubts": "; ".join(doubts)}


def report(measured: pd.DataFrame) -> str:
    """A line per system that was measured three times, and how many agree."""
    lines, alone, busy = [], 0, 0
    for system, rows in measured.groupby("system", sort=False):
        found = {row["run"]: row for row in rows.to_dict("records")}
        if len(found) < len(RUNS):
            continue
        joules = {run: found[run][ENERGY] for run in RUNS}
        mean = (joules["alone"] + joules["alone again"]) / 2
        apart, off = abs(joules["alone"] - joules["alone again"]) / mean, joules["busy"] / mean - 1
        alone += apart <= ALONE_AT_MOST
        busy += abs(off) <= BUSY_AT_MOST or bool(found["busy"]["doubts"])
        lines.append([
            str(system),
            *(f"{joules[run]:.4g} ± {found[run][f'{ENERGY}_ci95']:.2g}" for run in ("alone", "alone again")),
            f"{apart:.1%}",
            f"{joules['busy']:.4g} ± {found['busy'][f'{ENERGY}_ci95']:.2g}",
            f"{off:+.1%}",
            found["busy"]["doubts"] or "not marked",
        ])  # fmt: skip
    first = measured.iloc[0]
    columns = ["system", "J/s, alone", "alone again", "apart", "beside busy cores", "off", "marked as"]
    return (
        f"On {first['device']}, {first['energy_source']}:\n\n{table(columns, lines)}\n\n"
        f"Alone, {alone} of {len(lines)} systems agree within {ALONE_AT_MOST:.0%}; beside a busy process on each core, "
        f"{busy} of {len(lines)} agree within {BUSY_AT_MOST:.0%} or are marked."
    )


if __name__ == "__main__":
    run_program(main)
