"""Generation against ONNX Runtime, which a user of a CPU would take: each form in processes of its own, in turns.

    onnxruntime  `generate` exported as ONNX for the shape of the clip (`measurement/deployment.py`), float32
    ours         what the study measures: `prepare_for_inference` and `synthesize`

In one process the threads of ONNX Runtime spin and slow ours up to twice. So every round starts a process for each
form, with as many threads; those of ONNX Runtime sleep while they wait. All get the same weights and mel-spectrogram,
and an output must not differ by more than 1e-4, but where ONNX Runtime draws noise.

    pip install onnx onnxscript onnxruntime
    PYTHONPATH=workflow_scripts python benchmarks/onnx_runtime.py --threads 2 --system-names melgan-S hifigan-S \\
        --output onnx_runtime.csv

Writes a row per system and form, and hardware and versions into a .json beside it; `--output-document
docs/performance.md` rewrites the table there. A system that cannot be exported, or whose output differs, has no times,
and the reason. An output that is there is gone on with: its systems are not measured again. `--config-files
presets/modern.yaml` has the newer systems too.
"""

import argparse
import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured
from generation import SEED, chosen_systems, lively, seeded
from torch import Tensor
from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.deployment import ONNX_PACKAGES, OfOnnxRuntime
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.own_process import ProcessEndedError, in_own_process, in_own_process_within
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.systems import SystemSettings

PROJECT = Path(__file__).resolve().parents[1]
FORMS = ("onnxruntime", "ours")
TEXTS = ("system", "form", "device", "refused")
TOLERANCE = 1e-4
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Timed:
    """What a process measured: seconds of each call, its audio (T,), and whether that holds a noise of its own."""

    seconds: list[float]
    audio: np.ndarray
    is_random: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--threads", type=int, default=2, help="threads of PyTorch on a CPU (default: %(default)s, of ONNX Runtime too)"
    )
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="seconds of the clip (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to repeat (default: %(default)s processes of each form)"
    )
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="seconds of each measurement (at least; default: %(default)s)"
    )
    parser.add_argument(
        "--export-minutes", type=float, default=10.0, help="minutes of an export (at most; default: %(default)s)"
    )
    parser.add_argument(
        "--max-minutes",
        type=float,
        default=math.inf,
        help="minutes after which no measurement begins (default: no limit)",
    )
    parser.add_argument("--output", type=Path, help="CSV file to write, or to go on with")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the table into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["onnx_runtime"])
    if arguments.measured_table:
        measured = read_measured(arguments.measured_table, TEXTS)
        about = read_json(arguments.measured_table.with_suffix(".json"))
    else:
        measured, about = measure(arguments)
    text = speed_table(measured, about)
    print(text)
    replace_sections(arguments.output_document, {"onnx_runtime": text})


def measure(arguments: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A row per system and form, and what they were measured on; written after each system."""
    software = software_description(PROJECT)
    software["packages"] |= {name: installed_version(name) for name in ONNX_PACKAGES}
    options = {name: getattr(arguments, name) for name in ("threads", "clip_seconds", "rounds", "seconds")}
    about = {"options": options, "hardware": hardware_description(CPU), "software": software, "not_reached": []}
    rows = rows_of_before(arguments.output, about)
    known, clock = {row["system"] for row in rows}, clock_of(CPU)
    begin = clock.seconds()
    for system in tqdm(chosen_systems(arguments.system_names, arguments.config_files), desc="Generating"):
        if system.name in known:
            continue
        if clock.seconds() - begin >= 60 * arguments.max_minutes:
            about["not_reached"].append(system.name)
        else:
            rows += measurements(system, arguments)
        if arguments.output and rows:
            write_measured(pd.DataFrame(rows), arguments.output)
            write_json(arguments.output.with_suffix(".json"), about)
    return pd.DataFrame(rows), about


def rows_of_before(output: Path | None, about: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an earlier call with this output; none if there was none.

    Raises:
        UserError: they were measured on another processor, with other versions or other options.
    """
    if output is None or not output.exists():
        return []
    before = read_json(output.with_suffix(".json"))
    if conditions(before) != conditions(about):
        raise UserError(
            f"{output}: measured on another processor, with other versions or other options; name another file"
        )
    return read_measured(output, TEXTS).to_dict("records")


def conditions(about: dict[str, Any]) -> list[Any]:
    """What must be the same for rows to stand in one table."""
    return [about.get("options"), about["hardware"]["device_name"], about["software"]["packages"]]


def measurements(system: SystemSettings, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of a system: one for each form, or one with the reason why there are none."""
    frames = max(1, round(arguments.clip_seconds * system.sample_rate / system.hop_length))
    with TemporaryDirectory() as folder:
        try:
            exported(system, frames, Path(folder), arguments.export_minutes)
            return compared(system, frames, Path(folder), arguments)
        except UserError as error:
            return [{"system": system.name, "form": FORMS[0], "device": device_name(CPU), "refused": str(error)}]


def exported(system: SystemSettings, frames: int, folder: Path, minutes: float) -> None:
    """Write what ONNX Runtime is to run into `folder`, by a process that may take all memory.

    Raises:
        UserError: It cannot be exported, or not within so many minutes.
    """
    try:
        in_own_process_within(60 * minutes, export, system, frames, folder)
    except ProcessEndedError as error:
        raise UserError(f"its export as ONNX: {error}") from error


def compared(system: SystemSettings, frames: int, folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each form of a system: medians of its processes, and their ratios round by round.

    Raises:
        UserError: A form is not to be had, or its output differs.
    """
    rounds: dict[str, list[Timed]] = {name: [] for name in FORMS}
    for _ in range(arguments.rounds):
        for name in FORMS:
            rounds[name].append(
                in_own_process(timed, system, name, frames, folder, arguments.threads, arguments.seconds)
            )
    theirs, ours = (processes[0] for processes in rounds.values())
    largest = float(np.abs(theirs.audio - ours.audio).max())
    if not (theirs.is_random or largest <= TOLERANCE):
        raise UserError(f"its output differs by {largest:.1e}, more than {TOLERANCE:.0e}")
    medians = {name: [statistics.median(each.seconds) for each in processes] for name, processes in rounds.items()}
    audio_seconds = frames * system.hop_length / system.sample_rate
    return [
        {
            "system": system.name,
            "form": name,
            "device": device_name(CPU),
            "threads": arguments.threads,
            "clip_seconds": audio_seconds,
            "rounds": arguments.rounds,
            "real_time_factor": statistics.median(own) / audio_seconds,
            **spread([one / other for one, other in zip(own, medians["ours"], strict=True)]),
            "largest_difference": None if theirs.is_random else largest,
            "refused": "",
        }
        for name, own in medians.items()
    ]


def spread(ratios: list[float]) -> dict[str, float]:
    """What is told of the ratios of all rounds."""
    return {"ratio_median": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios)}


def export(system: SystemSettings, frames: int, folder: Path) -> None:
    """Write what ONNX Runtime is to run into `folder`."""
    vocoder, mel = vocoder_and_mel(system, frames)
    OfOnnxRuntime(vocoder).prepare_for_inference().export(mel, folder)


def vocoder_and_mel(system: SystemSettings, frames: int) -> tuple[Vocoder, Tensor]:
    """The same weights and input (1, M, frames) in every process."""
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system))
    return vocoder, torch.rand(1, system.n_mels, frames)


def timed(system: SystemSettings, form: str, frames: int, folder: Path, threads: int, seconds: float) -> Timed:
    """What this process measures: calls of a vocoder in a form, after two that warm up."""
    torch.set_num_threads(threads)
    vocoder, mel = vocoder_and_mel(system, frames)
    prepared = (vocoder if form == "ours" else OfOnnxRuntime(vocoder, folder=folder)).prepare_for_inference()
    audio = prepared.synthesize(mel, seeded(CPU))[0].numpy()
    is_random = not np.array_equal(prepared.synthesize(mel, seeded(CPU))[0], audio)
    clock, times = clock_of(CPU), []
    begin = clock.seconds()
    while not times or clock.seconds() - begin < seconds:
        start = clock.seconds()
        prepared.synthesize(mel, seeded(CPU))
        times.append(clock.seconds() - start)
    return Timed(times, audio, is_random)


def speed_table(measured: pd.DataFrame, about: dict[str, Any]) -> str:
    """ONNX Runtime and ours, a line per system; below them the geometric mean, and what there was no time for."""
    columns = ["system", "ONNX Runtime, s per s of audio", "ours", "ONNX Runtime / ours (least to most)",
               "largest difference"]  # fmt: skip
    lines, ratios = [], {}
    for name, rows in measured.fillna({"refused": ""}).groupby("system", sort=False):
        if refused := rows["refused"].iloc[0]:
            lines.append([str(name), "", "", f"none: {refused}", ""])
            continue
        theirs, ours = (rows[rows["form"] == form].iloc[0] for form in FORMS)
        ratios[str(name)] = theirs.ratio_median
        lines.append([
            str(name),
            f"{theirs.real_time_factor:.3g}",
            f"{ours.real_time_factor:.3g}",
            f"**{theirs.ratio_median:.2f}** ({theirs.ratio_least:.2f}–{theirs.ratio_most:.2f})",
            "noise" if pd.isna(theirs.largest_difference) else f"{theirs.largest_difference:.0e}",
        ])  # fmt: skip
    parts = [table(columns, lines)]
    if ratios:
        row, packages = measured.dropna(subset="threads").iloc[0], about["software"]["packages"]
        parts = [
            f"One clip of {row.clip_seconds:.3f} s at batch 1, on {row.device}, {row.threads:.0f} threads, PyTorch "
            f"{packages['torch']}, ONNX Runtime {packages['onnxruntime']}; {row.rounds:.0f} processes of each.",
            *parts,
            mean_of(ratios),
        ]
    if missing := about.get("not_reached"):
        parts.append(f"Not measured for lack of time: {', '.join(missing)}.")
    return "\n\n".join(parts)


def mean_of(ratios: dict[str, float]) -> str:
    """The geometric mean, and where ours is the slower one."""
    below = [name for name, ratio in ratios.items() if ratio < 1]
    mean = f"Geometric mean over {len(ratios)} systems: **{statistics.geometric_mean(ratios.values()):.2f}**; "
    return mean + (f"ours is the slower one for {', '.join(below)}." if below else "ours is the faster one for all.")


if __name__ == "__main__":
    run_program(main)
