"""Generation: one form against another, alternately in one run: by default ours against plain, with equal output.

    plain        `generate_plainly` with weight norm on, in the usual memory layout: the equations module by module,
                 with no cache, no queue, nothing hoisted out of a loop
    ours         what the study measures: `prepare_for_inference` and `synthesize`
    bf16         ours under autocast, as `energy.precision: bf16`
    compile      ours by torch.compile: of diffusion a step, else the whole pass; on a GPU in its mode of CUDA graphs

Where the device has an energy counter (NVML, RAPL), the joules of both are measured too, in alternating windows.

All get the same weights, mel and noise. Ours is compared with plain, and an output that differs by more than 1e-5 is an
error; the others are compared with ours. Weights are random, drawn so that no part of a network is silent: time does
not depend on them, differences do. All 18 systems take about 20 minutes on two cores:

    PYTHONPATH=workflow_scripts python benchmarks/generation.py --threads 2 --output generation.csv

Writes a row per system and form, and hardware and versions into a .json beside it. `--output-document
docs/performance.md` rewrites the tables there (`generation` and `roofline` for ours, else that of the form); with
`--measured-table generation.csv` from an earlier call.
"""

import argparse
import copy
import logging
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured
from machine_rates import MachineRates, measure_machine_rates
from torch import Tensor
from tqdm import tqdm

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.deployment import compile_vocoder
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.measurement.workload import autocast, numeric_precision
from vocoder_pareto.models.diffusion import DiffusionVocoder
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.study import studied_systems
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.systems import SystemSettings

log = logging.getLogger(__name__)
PROJECT = Path(__file__).resolve().parents[1]
GIGA = 1.0e9
TOLERANCE = 1e-5
SEED = 0
SECTIONS = {"ours": ["generation", "roofline"], "bf16": ["bf16"], "compile": ["compile"]}

Form = Callable[[Tensor, torch.Generator], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch on a CPU (default: as many as cores)")
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument("--form", default="ours", choices=list(SECTIONS), help="form to time (default: %(default)s)")
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="seconds of the clip (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to repeat (at least; default: %(default)s alternations)"
    )
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="seconds of each measurement (at least; default: %(default)s)"
    )
    parser.add_argument(
        "--windows", type=int, default=3, help="windows of energy, if it can be read (default: %(default)s)"
    )
    parser.add_argument(
        "--window-seconds", type=float, default=10.0, help="seconds of each window (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, SECTIONS[arguments.form])
    if arguments.measured_table:
        measured = read_measured(arguments.measured_table, ("system", "form", "device", "energy_source"))
        about = read_json(arguments.measured_table.with_suffix(".json"))
    else:
        measured, about = measure(arguments)
    rates = MachineRates(about["matmul_flops_per_second"], about["copy_bytes_per_second"])
    if arguments.form == "ours":
        texts = [f"{conditions(measured, rates)}\n\n{speed_table(measured)}", roofline_table(measured, rates)]
    else:
        texts = [f"{conditions(measured, rates)}\n\n{form_table(measured, arguments.form)}"]
    print(*texts, sep="\n\n")
    replace_sections(arguments.output_document, dict(zip(SECTIONS[arguments.form], texts, strict=True)))


def measure(arguments: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A row per system and form, and what they were measured on; written after each system."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    systems = chosen_systems(arguments.system_names)
    meter = counting_meter(device)
    rates = measure_machine_rates(device)
    about = {
        "arguments": {key: value for key, value in vars(arguments).items() if not isinstance(value, Path)},
        "hardware": hardware_description(device),
        "software": software_description(PROJECT),
        "meter": meter.description() if meter else None,
        "matmul_flops_per_second": rates.flops_per_second,
        "copy_bytes_per_second": rates.bytes_per_second,
    }
    rows: list[dict[str, Any]] = []
    for system in tqdm(systems, desc="Generating"):
        rows += measurements(system, device, rates, meter, arguments)
        if arguments.output:
            write_measured(pd.DataFrame(rows), arguments.output)
            write_json(arguments.output.with_suffix(".json"), about)
    return pd.DataFrame(rows), about


def chosen_systems(names: list[str] | None, config_files: Sequence[Path] = ()) -> list[SystemSettings]:
    """Systems of config.yaml, and of presets or own files over it, by name; all, if None.

    Raises:
        UserError: there is no system of a name.
    """
    config = read_configuration([PROJECT / "config.yaml", *config_files])
    return studied_systems.chosen_systems(config, names or [], "--system-names")


def lively(vocoder: Vocoder) -> Vocoder:
    """Random weights as networks have them after training: none are zero, and no signal fades on its way.

    In place. What starts at zero gets small numbers, and filters under weight norm a norm of 0.5 to 1.5; the noise that
    diffusion predicts has about the power of the true one, else its steps would enlarge differences of rounding.
    """
    with torch.no_grad():
        for name, parameter in vocoder.named_parameters():
            if name.endswith("original0"):  # the scales of weight norm
                parameter.uniform_(0.5, 1.5)
            elif not parameter.any():
                parameter.normal_(std=0.02)
        if isinstance(vocoder, DiffusionVocoder):
            mel = torch.rand(1, vocoder.n_mels, 16)
            level = torch.tensor([vocoder.noise_levels[0]], dtype=torch.float64)
            noise = vocoder.predict_noise(torch.randn(1, 16 * vocoder.hop_length), level, mel)
            for parameter in vocoder.output.parameters():
                parameter.div_(noise.square().mean().sqrt())
    return vocoder


def measurements(
    system: SystemSettings,
    device: torch.device,
    rates: MachineRates,
    meter: Meter | None,
    arguments: argparse.Namespace,
) -> Iterator[dict[str, Any]]:
    """A row for each form of a system."""
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system)).eval().to(device)
    frames = max(1, round(arguments.clip_seconds * system.sample_rate / system.hop_length))
    audio_seconds = frames * system.hop_length / system.sample_rate
    mel = torch.rand(1, system.n_mels, frames, device=device)
    names = ["plain", "ours"] if arguments.form == "ours" else ["ours", arguments.form]
    forms = {name: build_form(name, vocoder, device) for name in names}
    with numeric_precision(device, "float32"):
        audio = {name: form(mel, seeded(device)) for name, form in forms.items()}  # warms up, too
        seconds = timed_alternately(forms, mel, arguments.rounds, arguments.seconds)
        joules = dict.fromkeys(names)
        if meter:
            joules = metered_alternately(forms, mel, meter, arguments.windows, arguments.window_seconds)
    base, compared = (audio[name] for name in names)
    largest = float((compared - base).abs().max())
    if arguments.form == "ours" and not largest <= TOLERANCE:
        raise ValueError(f"{system.name}: ours differs from plain by {largest:.1e}, more than {TOLERANCE:.0e}")
    for name, times in seconds.items():
        operations = count_operations(vocoder, frames, plainly=name == "plain")
        flops, moved = 2 * operations.macs, operations.memory.moved_bytes
        ratios = [slow / fast for slow, fast in zip(seconds[names[0]], times, strict=True)]
        reached = flops / statistics.median(times)
        yield {
            "system": system.name,
            "form": name,
            "device": device_name(device),
            "threads": torch.get_num_threads() if device.type == "cpu" else None,
            "clip_seconds": audio_seconds,
            "rounds": len(times),
            "seconds_best": min(times),
            "seconds_median": statistics.median(times),
            "real_time_factor": statistics.median(times) / audio_seconds,
            "ratio_median": statistics.median(ratios),
            "ratio_10_percent": float(np.quantile(ratios, 0.1)),
            "ratio_90_percent": float(np.quantile(ratios, 0.9)),
            "energy_source": meter.source if meter else None,
            "joules_per_audio_second": joules[name] / audio_seconds if joules[name] else None,
            "largest_difference": float((audio[name] - base).abs().max()),
            "d_stft": d_stft(base[0].cpu().numpy(), audio[name][0].cpu().numpy()),
            "audio_rms": float(audio[name].square().mean().sqrt()),
            "gflops_per_audio_second": flops / audio_seconds / GIGA,
            "gflops_per_second": reached / GIGA,
            "share_of_matmul_peak": reached / rates.flops_per_second,
            "flops_per_byte": flops / moved,
            "roof_gflops_per_second": rates.roof(flops / moved) / GIGA,
        }


def build_form(name: str, vocoder: Vocoder, device: torch.device) -> Form:
    """A way to generate, from a vocoder with weight norm on, which stays as it is."""
    if name == "plain":
        return torch.inference_mode()(vocoder.generate_plainly)
    own = copy.deepcopy(vocoder).prepare_for_inference()
    if name == "compile":
        compile_vocoder(own)
        return own.synthesize
    if name == "bf16":

        def in_bf16(mel: Tensor, generator: torch.Generator) -> Tensor:
            with autocast(device, "bf16"):
                return own.synthesize(mel, generator).float()

        return in_bf16
    return own.synthesize


def seeded(device: torch.device) -> torch.Generator:
    """Equal noise for every form."""
    return torch.Generator(device).manual_seed(SEED)


def timed_alternately(forms: dict[str, Form], mel: Tensor, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds of each call: all forms one after the other, until both bounds are reached."""
    clock = clock_of(mel.device)
    times: dict[str, list[float]] = {name: [] for name in forms}
    begin = clock.seconds()
    while min(map(len, times.values())) < rounds or clock.seconds() - begin < seconds:
        for name, form in forms.items():
            generator = seeded(mel.device)
            clock.synchronise()
            start = clock.mark()
            form(mel, generator)
            end = clock.mark()
            clock.synchronise()
            times[name] += clock.intervals([start, end])
    return times


def counting_meter(device: torch.device) -> Meter | None:
    """The meter of the device, or None where there is only an estimate."""
    try:
        meter = open_meter(device, MeterSettings())
    except MeterUnavailable as error:
        log.warning("%s. Joules are not compared.", error)
        return None
    return None if meter.is_estimate else meter


def metered_alternately(
    forms: dict[str, Form], mel: Tensor, meter: Meter, windows: int, seconds: float
) -> dict[str, float | None]:
    """Mean joules of a call, from windows of one form after the other; None if no window is valid."""
    clock = clock_of(mel.device)
    joules: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(windows):
        for name, form in forms.items():
            clock.synchronise()
            start, begin, calls = meter.read(), clock.seconds(), 0
            while clock.seconds() - begin < seconds:
                form(mel, seeded(mel.device))
                clock.synchronise()
                calls += 1
            energy = meter.energy_between(start, meter.read())
            if energy.valid:
                joules[name].append(energy.joules / calls)
    return {name: statistics.mean(values) if values else None for name, values in joules.items()}


def conditions(measured: pd.DataFrame, rates: MachineRates) -> str:
    """What all rows share, in words."""
    first = measured.iloc[0]
    threads = f", {first.threads:.0f} threads" if pd.notna(first.threads) else ""
    return (
        f"Measured on one clip of {first.clip_seconds:.3f} s at batch 1, on {first.device}{threads}. Products of "
        f"float32 matrices run at {rates.flops_per_second / GIGA:.0f} GFLOP/s here and copies at "
        f"{rates.bytes_per_second / GIGA:.1f} GB/s: the ridge is at {rates.ridge:.0f} FLOPs per byte."
    )


def speed_table(measured: pd.DataFrame) -> str:
    """Ours beside plain, a line per system."""
    columns = [
        "system", "plain, s per s of audio", "ours", "ratio (10 % to 90 %)", "GFLOPs per s of audio, plain", "ours",
        "largest difference",
    ]  # fmt: skip
    metered = measured["joules_per_audio_second"].notna().any()
    if metered:
        columns += [f"plain, J per s of audio ({measured['energy_source'].iloc[0]})", "ours", "ratio"]
    lines = []
    for system, rows in measured.groupby("system", sort=False):
        plain, ours = (rows[rows["form"] == form].iloc[0] for form in ("plain", "ours"))
        lines.append([
            system,
            f"{plain.real_time_factor:.3g}",
            f"{ours.real_time_factor:.3g}",
            f"**{ours.ratio_median:.2f}** ({ours.ratio_10_percent:.2f}–{ours.ratio_90_percent:.2f})",
            f"{plain.gflops_per_audio_second:.4g}",
            f"{ours.gflops_per_audio_second:.4g}",
            f"{ours.largest_difference:.0e}",
        ])  # fmt: skip
        if metered:
            joules = plain.joules_per_audio_second, ours.joules_per_audio_second
            lines[-1] += [f"{joules[0]:.3g}", f"{joules[1]:.3g}", f"**{joules[0] / joules[1]:.2f}**"]
    return table(columns, lines)


def roofline_table(measured: pd.DataFrame, rates: MachineRates) -> str:
    """What bounds ours, and what it reaches."""
    columns = ["system", "FLOPs/byte", "bound by", "roof, GFLOP/s", "reached", "share of roof", "share of matmul peak"]
    lines = [
        [
            row.system,
            f"{row.flops_per_byte:.1f}",
            "arithmetic" if row.flops_per_byte > rates.ridge else "memory",
            f"{row.roof_gflops_per_second:.0f}",
            f"{row.gflops_per_second:.0f}",
            f"{row.gflops_per_second / row.roof_gflops_per_second:.0%}",
            f"{row.share_of_matmul_peak:.0%}",
        ]
        for row in measured[measured["form"] == "ours"].itertuples()
    ]
    return table(columns, lines)


def form_table(measured: pd.DataFrame, form: str) -> str:
    """A further form beside ours: how much faster it is, and what it changes."""
    columns = [
        "system",
        "ours, s per s of audio",
        form,
        "ratio (10 % to 90 %)",
        "largest difference",
        "D_STFT",
        "RMS of the audio",
    ]
    lines = []
    for system, rows in measured.groupby("system", sort=False):
        ours, other = (rows[rows["form"] == name].iloc[0] for name in ("ours", form))
        lines.append([
            system,
            f"{ours.real_time_factor:.3g}",
            f"{other.real_time_factor:.3g}",
            f"**{other.ratio_median:.2f}** ({other.ratio_10_percent:.2f}–{other.ratio_90_percent:.2f})",
            f"{other.largest_difference:.0e}",
            f"{other.d_stft:.1g}",
            f"{ours.audio_rms:.2g}",
        ])  # fmt: skip
    return table(columns, lines)


if __name__ == "__main__":
    run_program(main)
