"""Where the time of generation goes: the operations of PyTorch that take most of it, for some systems.

    PYTHONPATH=workflow_scripts python benchmarks/operations.py --threads 2 --system-names melgan-S hifigan-S

`--output-document docs/performance.md` puts the table there, too. The profiler itself costs some microseconds per
operation, so the shares of many small operations are a little too high.
"""

import argparse
from pathlib import Path

import torch
from documented import replace_sections, require_sections, table
from generation import SEED, chosen_systems, lively, seeded
from torch.profiler import ProfilerActivity, profile

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch on a CPU (default: as many as cores)")
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="seconds of the clip (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to repeat (default: %(default)s profiled calls)"
    )
    parser.add_argument("--operations", type=int, default=5, help="how many operations to name (default: %(default)s)")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["operations"])
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    lines = [
        [system.name, *operations_of(system, device, arguments.clip_seconds, arguments.rounds, arguments.operations)]
        for system in chosen_systems(arguments.system_names)
    ]
    columns = ["system", "operations per call", "µs per operation", "share of the time"]
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    text = f"By torch.profiler on {device_name(device)}{threads}:\n\n{table(columns, lines)}"
    print(text)
    replace_sections(arguments.output_document, {"operations": text})


def operations_of(
    system: SystemSettings, device: torch.device, clip_seconds: float, rounds: int, named: int
) -> list[str]:
    """Operations per call, their mean time, and the shares of those that take most."""
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system)).to(device).prepare_for_inference()
    frames = max(1, round(clip_seconds * system.sample_rate / system.hop_length))
    mel = torch.rand(1, system.n_mels, frames, device=device)
    vocoder.synthesize(mel, seeded(device))
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=activities) as profiler:
        for _ in range(rounds):
            vocoder.synthesize(mel, seeded(device))
    events = profiler.key_averages()
    times = {
        event.key: event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total
        for event in events
    }
    total = sum(times.values())
    busy = [event for event in events if times[event.key] > 0]
    calls = sum(event.count for event in busy)
    busiest = sorted(busy, key=lambda event: -times[event.key])[:named]
    shares = ", ".join(f"{event.key.removeprefix('aten::')} {times[event.key] / total:.0%}" for event in busiest)
    return [f"{calls / rounds:.0f}", f"{total / calls:.0f}", shares]


if __name__ == "__main__":
    run_program(main)
