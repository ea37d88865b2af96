"""Generation against ONNX Runtime, which a user of a CPU would take: each form in processes of its own, in turns.

    onnxruntime  `generate` exported as ONNX for the shape of the clip (`measurement/deployment.py`), float32
    ours         what the study measures: `prepare_for_inference` and `synthesize`

In one process the threads of ONNX Runtime spin and slow ours up to twice. So every round starts a process for each
form, with as many threads; those of ONNX Runtime sleep while they wait. All get the same weights and mel-spectrogram,
and an output that differs by more than 1e-4 is an error, but for systems that draw noise.

    pip install onnx onnxscript onnxruntime
    PYTHONPATH=workflow_scripts python benchmarks/onnx_runtime.py --threads 2 --system-names melgan-S hifigan-S \\
        --output onnx_runtime.csv

Writes a row per system and form, and hardware and versions into a .json beside it; `--output-document
docs/performance.md` rewrites the table there. A system that cannot be exported has no times, and the reason.
"""

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured
from generation import SEED, chosen_systems, lively, seeded
from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.deployment import ONNX_PACKAGES, UnsupportedForm, in_form
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.systems import SystemSettings

PROJECT = Path(__file__).resolve().parents[1]
FORMS = {"onnxruntime": "onnxruntime", "ours": "pytorch"}
TOLERANCE = 1e-4
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Timed:
    """What a process measured: seconds of each call, its audio (T,), and whether that holds noise; or why nothing."""

    seconds: list[float]
    audio: np.ndarray
    is_random: bool
    refused: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--threads", type=int, default=2, help="threads of PyTorch on a CPU (default: %(default)s, of ONNX Runtime too)"
    )
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="seconds of the clip (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to repeat (default: %(default)s processes of each form)"
    )
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="seconds of each measurement (at least; default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the table into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["onnx_runtime"])
    if arguments.measured_table:
        measured = read_measured(arguments.measured_table, ("system", "form", "device", "refused"))
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
    about = {"hardware": hardware_description(CPU), "software": software}
    rows: list[dict[str, Any]] = []
    for system in tqdm(chosen_systems(arguments.system_names), desc="Generating"):
        rows += measurements(system, arguments)
        if arguments.output:
            write_measured(pd.DataFrame(rows), arguments.output)
            write_json(arguments.output.with_suffix(".json"), about)
    return pd.DataFrame(rows), about


def measurements(system: SystemSettings, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each form of a system: medians of its processes, and their ratios round by round."""
    frames = max(1, round(arguments.clip_seconds * system.sample_rate / system.hop_length))
    rounds: dict[str, list[Timed]] = {name: [] for name in FORMS}
    for _ in range(arguments.rounds):
        for name in FORMS:
            rounds[name].append(in_own_process(timed, system, name, frames, arguments.threads, arguments.seconds))
            if rounds[name][-1].refused:
                return [refusal(system, name, rounds[name][-1].refused)]
    theirs, ours = (processes[0] for processes in rounds.values())
    largest = float(np.abs(theirs.audio - ours.audio).max())
    if not (ours.is_random or largest <= TOLERANCE):
        raise UserError(f"{system.name}: ONNX Runtime differs by {largest:.1e}, more than {TOLERANCE:.0e}")
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
            "largest_difference": None if ours.is_random else largest,
            "refused": "",
        }
        for name, own in medians.items()
    ]


def spread(ratios: list[float]) -> dict[str, float]:
    """What is told of the ratios of all rounds."""
    return {"ratio_median": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios)}


def refusal(system: SystemSettings, form: str, reason: str) -> dict[str, Any]:
    """The row of a system that cannot be had in a form."""
    return {"system": system.name, "form": form, "device": device_name(CPU), "refused": reason}


def timed(system: SystemSettings, form: str, frames: int, threads: int, seconds: float) -> Timed:
    """What this process measures: calls of a vocoder in a form, after two that warm up."""
    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system))
    mel = torch.rand(1, system.n_mels, frames)
    try:
        prepared = in_form(vocoder, FORMS[form]).prepare_for_inference()
        audio = prepared.synthesize(mel, seeded(CPU))[0].numpy()
        is_random = not np.array_equal(prepared.synthesize(mel, torch.Generator().manual_seed(SEED + 1))[0], audio)
    except UnsupportedForm as error:
        return Timed([], np.empty(0), False, str(error))
    clock, times = clock_of(CPU), []
    begin = clock.seconds()
    while not times or clock.seconds() - begin < seconds:
        start = clock.seconds()
        prepared.synthesize(mel, seeded(CPU))
        times.append(clock.seconds() - start)
    return Timed(times, audio, is_random)


def speed_table(measured: pd.DataFrame, about: dict[str, Any]) -> str:
    """ONNX Runtime and ours, a line per system, and below the systems that cannot be had."""
    columns = ["system", "ONNX Runtime, s per s of audio", "ours", "ONNX Runtime / ours (least to most)",
               "largest difference"]  # fmt: skip
    lines, reasons = [], []
    for system, rows in measured.groupby("system", sort=False):
        if (refused := rows["refused"].iloc[0]) and not pd.isna(refused):
            reasons.append(f"{system}: {refused}.")
            continue
        theirs, ours = (rows[rows["form"] == form].iloc[0] for form in FORMS)
        lines.append([
            str(system),
            f"{theirs.real_time_factor:.3g}",
            f"{ours.real_time_factor:.3g}",
            f"**{theirs.ratio_median:.2f}** ({theirs.ratio_least:.2f}–{theirs.ratio_most:.2f})",
            "noise" if pd.isna(theirs.largest_difference) else f"{theirs.largest_difference:.0e}",
        ])  # fmt: skip
    packages = about["software"]["packages"]
    measured_once = measured.dropna(subset="threads") if "threads" in measured else measured.iloc[:0]
    conditions = "" if measured_once.empty else (
        f"One clip of {measured_once.iloc[0].clip_seconds:.3f} s at batch 1, on {measured_once.iloc[0].device}, "
        f"{measured_once.iloc[0].threads:.0f} threads, PyTorch {packages['torch']}, ONNX Runtime "
        f"{packages['onnxruntime']}; {measured_once.iloc[0].rounds:.0f} processes of each.\n\n"
    )  # fmt: skip
    return "\n\n".join([f"{conditions}{table(columns, lines)}", *reasons])


if __name__ == "__main__":
    run_program(main)
