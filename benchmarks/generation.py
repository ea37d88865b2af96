"""Generation: ours against the same equations module by module, alternately in one run, with equal output.

`ours` is what the study measures, `prepare_for_inference` and `synthesize`. `plain` is `generate_plainly` with weight
norm on, in the usual memory layout: no cache, no queue, nothing hoisted out of a loop. Both get the same weights, mel
and noise; an output that differs by more than 1e-5 is an error. Further forms, each against the same plain one:

    compile      ours by torch.compile: of diffusion a step, else the whole pass; on a GPU in its mode of CUDA graphs
    bf16         ours under autocast, as `energy.precision: bf16`

Weights are random, drawn so that no part of a network is silent: time does not depend on them, the differences do.
All 18 systems take about 20 minutes on two cores:

    PYTHONPATH=workflow_scripts python benchmarks/generation.py --threads 2 --output generation.csv

Writes a row per system and form, and hardware and versions into a .json beside it. `--document docs/performance.md`
rewrites the tables there.
"""

import argparse
import copy
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from documented import replace_sections, require_sections, table
from torch import Tensor
from tqdm import tqdm

from vocoder_pareto.configuration import configured_systems, read_configuration, system_settings
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json, written_whole
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.machine_rates import MachineRates, measure_machine_rates
from vocoder_pareto.measurement.workload import autocast, numeric_precision
from vocoder_pareto.models.diffusion import DiffusionVocoder
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.program import run
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.settings import settings_from
from vocoder_pareto.systems import SystemSettings

PROJECT = Path(__file__).resolve().parents[1]
GIGA = 1.0e9
TOLERANCE = 1e-5
SEED = 0

Form = Callable[[Tensor, torch.Generator], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of PyTorch on a CPU (default: as many as cores)")
    parser.add_argument("--systems", nargs="*", help="names such as melgan-S (default: all of config.yaml)")
    parser.add_argument("--forms", nargs="*", default=[], choices=["compile", "bf16"], help="forms beside ours")
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="length of the clip (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="at least so many alternations (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="… and so many seconds (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--document", type=Path, help="document whose tables are rewritten (docs/performance.md)")
    arguments = parser.parse_args()
    if arguments.document:
        require_sections(arguments.document, ["generation", "roofline", *(["forms"] if arguments.forms else [])])
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    rates = measure_machine_rates(device)
    about = {
        "arguments": {key: str(value) for key, value in vars(arguments).items()},
        "hardware": hardware_description(device),
        "software": software_description(PROJECT),
        "matmul_flops_per_second": rates.flops_per_second,
        "copy_bytes_per_second": rates.bytes_per_second,
    }
    rows = []
    for system in tqdm(chosen_systems(arguments.systems), desc="Generating"):
        rows += measurements(system, device, rates, arguments)
        if arguments.output:
            with written_whole(arguments.output) as temporary:
                pd.DataFrame(rows).to_csv(temporary, index=False)
            write_json(arguments.output.with_suffix(".json"), about)
    measured = pd.DataFrame(rows)
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    introduction = (
        f"Measured on one clip of {measured['clip_seconds'].iloc[0]:.3f} s at batch 1 in float32, "
        f"on {device_name(device)}{threads}. Matrices are multiplied at {rates.flops_per_second / GIGA:.0f} GFLOP/s "
        f"and memory is copied at {rates.bytes_per_second / GIGA:.1f} GB/s here: the ridge is at {rates.ridge:.0f} "
        "FLOPs per byte."
    )
    sections = {"generation": f"{introduction}\n\n{speed_table(measured)}", "roofline": roofline_table(measured, rates)}
    if arguments.forms:
        sections["forms"] = forms_table(measured)
    print(*sections.values(), sep="\n\n")
    if arguments.document:
        replace_sections(arguments.document, sections)


def chosen_systems(names: list[str] | None) -> list[SystemSettings]:
    """Systems of config.yaml by name; all, if None.

    Raises:
        UserError: a name is not in config.yaml.
    """
    config = read_configuration([PROJECT / "config.yaml"])
    known = configured_systems(config)
    for name in names or []:
        if name not in known:
            raise UserError(f"--systems: {name!r} is not in config.yaml; allowed: {', '.join(known)}")
    fields = SystemSettings.__dataclass_fields__
    return [
        settings_from(
            SystemSettings,
            {key: value for key, value in system_settings(config, *known[name]).items() if key in fields},
            f"models.{name}",
        )
        for name in names or known
    ]


def lively(vocoder: Vocoder) -> Vocoder:
    """Random weights as networks have them after training: none are zero, and no signal fades on its way.

    In place. What starts at zero gets small numbers, and filters under weight norm a norm of 0.5 to 1.5.
    """
    with torch.no_grad():
        for name, parameter in vocoder.named_parameters():
            if name.endswith("original0"):  # the scales of weight norm
                parameter.uniform_(0.5, 1.5)
            elif not parameter.any():
                parameter.normal_(std=0.02)
    return vocoder


def measurements(
    system: SystemSettings, device: torch.device, rates: MachineRates, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """A row for each form of a system."""
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system)).eval().to(device)
    frames = max(1, round(arguments.clip_seconds * system.sample_rate / system.hop_length))
    audio_seconds = frames * system.hop_length / system.sample_rate
    mel = torch.rand(1, system.n_mels, frames, device=device)
    forms = {name: build_form(name, vocoder, device) for name in ["plain", "ours", *arguments.forms]}
    with numeric_precision(device, "float32"):
        audio = {name: form(mel, seeded(device)) for name, form in forms.items()}  # warms up, too
        for form in forms.values():
            form(mel, seeded(device))
        seconds = timed_alternately(forms, mel, arguments.rounds, arguments.seconds)
    largest = float((audio["ours"] - audio["plain"]).abs().max())
    if not largest <= TOLERANCE:
        raise ValueError(f"{system.name}: ours differs from plain by {largest:.1e}, more than {TOLERANCE:.0e}")
    counted = {name: count_operations(vocoder, frames, plainly=name == "plain") for name in ("plain", "ours")}
    for name, times in seconds.items():
        operations = counted["plain" if name == "plain" else "ours"]
        flops, moved = 2 * operations.macs, operations.memory.moved_bytes
        ratios = [plain / own for plain, own in zip(seconds["plain"], times, strict=True)]
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
            "ratio_lowest": min(ratios),
            "ratio_highest": max(ratios),
            "largest_difference": float((audio[name] - audio["plain"]).abs().max()),
            "d_stft_to_plain": d_stft(audio["plain"][0].cpu().numpy(), audio[name][0].float().cpu().numpy()),
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
        return compiled(own, "reduce-overhead" if device.type == "cuda" else "default")
    if name == "bf16":

        def in_bf16(mel: Tensor, generator: torch.Generator) -> Tensor:
            with autocast(device, "bf16"):
                return own.synthesize(mel, generator).float()

        return in_bf16
    return own.synthesize


def compiled(vocoder: Vocoder, mode: str) -> Form:
    """`synthesize` with its work compiled for one shape; the loop over diffusion steps stays in Python."""
    if isinstance(vocoder, DiffusionVocoder):
        predictor = vocoder.noise_predictor
        vocoder.noise_predictor = lambda mel: torch.compile(predictor(mel), mode=mode)
    else:
        vocoder.generate = torch.compile(vocoder.generate, mode=mode, dynamic=False)
    return vocoder.synthesize


def seeded(device: torch.device) -> torch.Generator:
    """Equal noise for every form."""
    return torch.Generator(device).manual_seed(SEED)


def timed_alternately(forms: dict[str, Form], mel: Tensor, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds of each call: all forms one after the other, until both bounds are reached."""
    clock = clock_of(mel.device)
    times: dict[str, list[float]] = {name: [] for name in forms}
    begin = clock.seconds()
    while len(times["plain"]) < rounds or clock.seconds() - begin < seconds:
        for name, form in forms.items():
            generator = seeded(mel.device)
            clock.synchronise()
            start = clock.mark()
            form(mel, generator)
            end = clock.mark()
            clock.synchronise()
            times[name] += clock.intervals([start, end])
    return times


def speed_table(measured: pd.DataFrame) -> str:
    """Ours beside plain, a line per system."""
    columns = [
        "system", "plain, s per s of audio", "ours", "ratio (range)", "GFLOPs per s of audio, plain", "ours",
        "largest difference",
    ]  # fmt: skip
    lines = []
    for system, rows in measured.groupby("system", sort=False):
        plain, ours = (rows[rows["form"] == form].iloc[0] for form in ("plain", "ours"))
        lines.append([
            system,
            f"{plain.real_time_factor:.3g}",
            f"{ours.real_time_factor:.3g}",
            f"**{ours.ratio_median:.2f}** ({ours.ratio_lowest:.2f}–{ours.ratio_highest:.2f})",
            f"{plain.gflops_per_audio_second:.4g}",
            f"{ours.gflops_per_audio_second:.4g}",
            f"{ours.largest_difference:.0e}",
        ])  # fmt: skip
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


def forms_table(measured: pd.DataFrame) -> str:
    """The further forms: how much faster than ours, and what they change."""
    columns = ["system", "form", "ratio to ours", "largest difference", "D_STFT to plain", "RMS of the audio"]
    lines = []
    for _, rows in measured.groupby("system", sort=False):
        ours = rows[rows["form"] == "ours"].iloc[0]
        lines += [
            [
                row.system,
                row.form,
                f"{row.ratio_median / ours.ratio_median:.2f}",
                f"{row.largest_difference:.0e}",
                f"{row.d_stft_to_plain:.1g}",
                f"{row.audio_rms:.2g}",
            ]
            for row in rows[~rows["form"].isin(["plain", "ours"])].itertuples()
        ]
    return table(columns, lines)


if __name__ == "__main__":
    run(main)
