"""Time and memory of generation against the length of a clip and the size of a batch, whole and in chunks.

Each point runs in a process of its own, so that its peak resident memory is its own: what the process holds with the
vocoder loaded is subtracted. Points of a curve are measured in ascending order, and a curve ends where a point takes
longer than `--max-point-seconds`.

    PYTHONPATH=workflow_scripts python benchmarks/scaling.py --threads 2 --output scaling.csv

Writes a row per point, and hardware and versions into a .json beside it; `--output-figure` draws the curves, and
`--output-document docs/performance.md` rewrites the table there. `--measured-table scaling.csv` takes the rows of an
earlier call.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured
from generation import PROJECT, SEED, chosen_systems, lively, seeded
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter
from tqdm import tqdm

from vocoder_pareto.analysis.figure_style import drawing, new_figure, save_figure, write_below
from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import PeakMemory, device_name, hardware_description, software_description
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.study.sections.analysis import FigureSettings

MEBI = 2**20
# A point is generated again until it took so long in all: one call alone may meet other work, or first allocations.
ENOUGH_SECONDS = 20.0
MOST_CALLS = 3
LINES = {"whole": ("o", "-"), "in chunks": ("s", "--")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--threads",
        type=int,
        default=torch.get_num_threads(),
        help="threads of PyTorch on a CPU (default: %(default)s)",
    )
    parser.add_argument(
        "--system-names", nargs="*", default=[], help="names of systems (default: the smallest size of each model)"
    )
    parser.add_argument(
        "--lengths-seconds",
        type=float,
        nargs="*",
        default=[1, 5, 10, 30, 60],
        help="seconds of the clips of the curve (default: %(default)s)",
    )
    parser.add_argument(
        "--batch-sizes",
        type=int,
        nargs="*",
        default=[1, 2, 4, 8],
        help="clips of 1 s at once, in the curve (default: %(default)s)",
    )
    parser.add_argument("--chunk-seconds", type=float, default=5.0, help="seconds of a chunk (default: %(default)s)")
    parser.add_argument(
        "--max-point-seconds", type=float, default=300.0, help="seconds after which a curve ends (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-figure", type=Path, help="figure to write (.svg, .pdf or .png)")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(measured_point(**arguments.point)))
        return
    require_sections(arguments.output_document, ["scaling"])
    if arguments.measured_table:
        points = read_measured(arguments.measured_table, ("system", "device", "memory_method"))
    else:
        points = measured_curves(arguments)
    if arguments.output_figure:
        settings = FigureSettings()
        with drawing(settings):
            save_figure(drawn_curves(points, settings), [arguments.output_figure])
    text = f"{conditions(points)}\n\n{curves_table(points)}"
    print(text)
    replace_sections(arguments.output_document, {"scaling": text})


def measured_curves(arguments: argparse.Namespace) -> pd.DataFrame:
    """All points, written to the output after each."""
    named = arguments.system_names
    names = [system.name for system in chosen_systems(named) if named or system.size == "S"]
    device = resolve_device(arguments.device)
    torch.set_num_threads(arguments.threads)
    if arguments.output:
        about = {
            "arguments": {key: value for key, value in vars(arguments).items() if not isinstance(value, Path)},
            "hardware": hardware_description(device),
            "software": software_description(PROJECT),
        }
        write_json(arguments.output.with_suffix(".json"), about)
    shared = {"device": str(device), "threads": arguments.threads}
    curves = [
        [
            {"clip_seconds": seconds, "batch_size": 1, "chunk_seconds": chunk}
            for seconds in arguments.lengths_seconds
            if chunk is None or seconds > chunk
        ]
        for chunk in (None, arguments.chunk_seconds)
    ]
    curves.append([{"clip_seconds": 1.0, "batch_size": size, "chunk_seconds": None} for size in arguments.batch_sizes])
    rows: list[dict[str, Any]] = []
    for name in tqdm(names, desc="Systems"):
        for curve in curves:
            for point in curve:
                rows.append(in_fresh_process({"name": name, **point, **shared}))
                write_measured(pd.DataFrame(rows), arguments.output)
                if rows[-1]["seconds"] > arguments.max_point_seconds:
                    break
    return pd.DataFrame(rows)


def in_fresh_process(point: dict[str, Any]) -> dict[str, Any]:
    """`measured_point` in a Python that has done nothing else."""
    command = [sys.executable, __file__, "--point", json.dumps(point)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def measured_point(
    name: str, clip_seconds: float, batch_size: int, chunk_seconds: float | None, device: str, threads: int
) -> dict[str, Any]:
    """Generate, after a short clip that warms up, and measure memory and the best time of up to `MOST_CALLS`."""
    torch.set_num_threads(threads)
    place = torch.device(device)
    (system,) = chosen_systems([name])
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system)).to(place).prepare_for_inference()

    def frames_of(seconds: float) -> int:
        return max(1, round(seconds * system.sample_rate / system.hop_length))

    frames = frames_of(clip_seconds)
    mel = torch.rand(batch_size, system.n_mels, frames, device=place)
    vocoder.synthesize(mel[:1, :, : frames_of(0.25)], seeded(place))
    clock, memory = clock_of(place), PeakMemory(place)
    clock.synchronise()
    before, times = memory.bytes(), []
    while not times or (len(times) < MOST_CALLS and sum(times) < ENOUGH_SECONDS):
        begin = clock.seconds()
        if chunk_seconds is None:
            vocoder.synthesize(mel, seeded(place))
        else:
            vocoder.synthesize_in_chunks(mel, frames_of(chunk_seconds), seeded(place))
        clock.synchronise()
        times.append(clock.seconds() - begin)
    return {
        "system": name,
        "device": device_name(place),
        "threads": threads if place.type == "cpu" else None,
        "clip_seconds": frames * system.hop_length / system.sample_rate,
        "batch_size": batch_size,
        "chunk_seconds": chunk_seconds,
        "context_seconds": vocoder.context_frames() * system.hop_length / system.sample_rate,
        "seconds": min(times),
        "memory_bytes": memory.bytes() - before,
        "memory_method": memory.method,
    }


def conditions(points: pd.DataFrame) -> str:
    """What all points share, in words."""
    first = points.iloc[0]
    threads = f", {first.threads:.0f} threads" if pd.notna(first.threads) else ""
    chunk = points["chunk_seconds"].dropna()
    chunks = f"; chunks of {chunk.iloc[0]:g} s" if len(chunk) else ""
    return (
        f"Measured on {first.device}{threads}, float32{chunks}. "
        f"Memory: {first.memory_method}, less what the process held before."
    )


def curves_table(points: pd.DataFrame) -> str:
    """Time per second of audio and memory of the shortest and the longest clip, and of the largest batch."""
    columns = ["system", "clip", "s per s of audio", "in chunks", "memory, MiB", "in chunks", "context, s"]
    alone = points[points["batch_size"] == 1].drop_duplicates(["system", "clip_seconds", "chunk_seconds"])
    lines = []
    for system, rows in alone.groupby("system", sort=False):
        for length, pair in rows.groupby("clip_seconds"):
            whole, chunked = (pair[pair["chunk_seconds"].isna() == is_whole] for is_whole in (True, False))
            lines.append([
                system,
                f"{length:.0f} s",
                *(_shown(part["seconds"] / length, ".3g") for part in (whole, chunked)),
                *(_shown(part["memory_bytes"] / MEBI, ".0f") for part in (whole, chunked)),
                f"{pair['context_seconds'].iloc[0]:.2g}",
            ])  # fmt: skip
    return table(columns, lines)


def _shown(values: pd.Series, style: str) -> str:
    return format(values.iloc[0], style) if len(values) else ""


def drawn_curves(points: pd.DataFrame, settings: FigureSettings) -> Figure:
    """Time per second of audio and memory, against length and against batch size; a colour per system."""
    figure = new_figure(settings.width_inches * 2, settings.width_inches * 1.5)
    grid = figure.subplots(2, 2, sharex="col", sharey="row")
    systems = list(dict.fromkeys(points["system"]))
    colours = dict(zip(systems, seaborn.color_palette("colorblind", len(systems)), strict=True))
    quantities = {
        "seconds per second of audio": points["seconds"] / (points["clip_seconds"] * points["batch_size"]),
        "memory of generation in MiB": points["memory_bytes"] / MEBI,
    }
    batches = points["clip_seconds"].sub(1).abs() < 0.02
    for axes_of_row, (label, values) in zip(grid, quantities.items(), strict=True):
        shown = points.assign(value=values, form=points["chunk_seconds"].map(_form))
        _draw(axes_of_row[0], shown[points["batch_size"] == 1], "clip_seconds", colours)
        _draw(axes_of_row[1], shown[batches & points["chunk_seconds"].isna()], "batch_size", colours)
        axes_of_row[0].set_ylabel(label)
    grid[1][0].set_xlabel("length of the clip in seconds, batch 1")
    grid[1][1].set_xlabel("clips of 1 s per batch")
    figure.legend(*grid[0][0].get_legend_handles_labels(), frameon=False, ncols=6, loc="outside upper center")
    write_below(figure, f"{conditions(points)} Dashed: in chunks.", settings)
    return figure


def _form(chunk_seconds: float) -> str:
    return "whole" if pd.isna(chunk_seconds) else "in chunks"


def _draw(axes, rows: pd.DataFrame, column: str, colours: dict[str, Any]) -> None:
    for (system, form), curve in rows.groupby(["system", "form"], sort=False):
        marker, style = LINES[form]
        curve = curve.drop_duplicates(column).sort_values(column)
        label = system if form == "whole" else None
        axes.plot(
            curve[column], curve["value"], marker, linestyle=style, color=colours[system], label=label, markersize=3
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sorted(set(rows[column].round())))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(True)


if __name__ == "__main__":
    run_program(main)
