"""What training costs on this device: the largest batch, time, energy and memory of a step, for every system.

Each system takes the real steps of the training loop on random clips, in each precision, with the clips on the device
and from a memory-mapped file. On a GPU, all of it (about half an hour):

    PYTHONPATH=workflow_scripts python benchmarks/training_throughput.py --output training_throughput.csv

On a CPU, a look at one system:

    PYTHONPATH=workflow_scripts python benchmarks/training_throughput.py --device cpu --system-names melgan-S
        --batch-size 1 --segment-frames 16 --seconds 2 --clip-count 20 --output training_throughput.csv

The systems of a preset, with its batches and segments, and their steps per second as a table:

    PYTHONPATH=workflow_scripts python benchmarks/training_throughput.py --device cpu --config-files presets/laptop.yaml
        --precisions 32 --clip-count 20 --output laptop_steps.csv

Writes a row per measurement, and hardware and versions into a .json beside it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from documented import replace_sections, require_sections, table
from torch import nn
from tqdm import tqdm

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import run_program
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.studied_systems import chosen_systems, training_settings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.batch_size import largest_batch_size
from vocoder_pareto.training.batches import ClipDataset, ShuffledBatches, batch_loader
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.registry import new_objective
from vocoder_pareto.training.trainer import make_trainer

PROJECT = Path(__file__).resolve().parents[1]
CLIP_SAMPLES, FRAMES = 16384, 64


class Stopwatch(lightning.Callback):
    """Reads meter and clock around the steps that follow the warm-up, for at least `seconds`."""

    def __init__(self, meter: Meter, device: torch.device, warm_up_steps: int, seconds: float):
        self.meter, self.clock, self.warm_up_steps, self.seconds = meter, clock_of(device), warm_up_steps, seconds

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        """Begin after the warm-up; end when the time is over."""
        if module.step == self.warm_up_steps:
            self.clock.synchronise()
            self.start, self.begin = self.meter.read(), time.monotonic()
        elif module.step > self.warm_up_steps and time.monotonic() - self.begin >= self.seconds:
            self.clock.synchronise()
            self.energy = self.meter.energy_between(self.start, self.meter.read())
            self.steps = module.step - self.warm_up_steps
            trainer.should_stop = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of config.yaml)")
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument(
        "--batch-size", type=int,
        help="clips at once (default: the largest number that fits the GPU; with --config-files, as configured)",
    )  # fmt: skip
    parser.add_argument(
        "--segment-frames", type=int,
        help="frames of a clip that a step takes (default: all 64; with --config-files, as configured)",
    )  # fmt: skip
    parser.add_argument(
        "--precisions", nargs="+", default=["32", "bf16-mixed"], help="precisions to train in (default: %(default)s)"
    )
    parser.add_argument(
        "--clip-count", type=int, default=10480, help="how many clips to make (default: as LJSpeech's training set has)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="seconds of each measurement (default: %(default)s)"
    )
    parser.add_argument(
        "--warm-up-steps", type=int, default=3, help="steps before each measurement (default: %(default)s)"
    )
    parser.add_argument(
        "--output-document", type=Path, help="document to write the steps per second into, between its markers"
    )
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["steps"])
    config = read_configuration([PROJECT / "config.yaml", *arguments.config_files])
    systems = chosen_systems(config, arguments.system_names, "--system-names")
    device = resolve_device(arguments.device)
    meter = open_meter(device, MeterSettings(unreadable_rapl="estimate"))
    about = {
        "arguments": {key: str(value) for key, value in vars(arguments).items()},
        "hardware": hardware_description(device),
        "software": software_description(PROJECT),
        "meter": meter.description(),
    }
    write_json(arguments.output.with_suffix(".json"), about)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        clips, mels = random_set(Path(folder), arguments.clip_count)
        for system in tqdm(systems, desc="Training"):
            configured = training_settings(config, system.model, system.size)
            for row in measurements(system, configured, clips, mels, device, meter, arguments):
                rows.append(row)
                pd.DataFrame(rows).to_csv(arguments.output, index=False)
    replace_sections(arguments.output_document, {"steps": table_of_steps(rows)})
    print(pd.DataFrame(rows).to_string(index=False))


def table_of_steps(rows: list[dict[str, Any]]) -> str:
    """Steps per second of each system, and what a step is of."""
    columns = ["system", "parameters", "of discriminators", "clips × frames", "steps per second", "J per step"]
    return table(columns, [
        [
            row["system"], f"{row['parameters']:,}", f"{row['discriminator_parameters']:,}",
            f"{row['batch_size']} × {row['segment_frames'] or FRAMES}", f"{1 / row['seconds_per_step']:.3g}",
            "" if row["joules_per_step"] is None else f"{row['joules_per_step']:.3g}",
        ]
        for row in rows
    ])  # fmt: skip


def random_set(folder: Path, clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory-mapped noise of the shapes of a training set: audio (clips, 16384), mel (clips, 80, 64)."""
    generator = np.random.default_rng(0)
    arrays = []
    for name, shape in (("clips", (CLIP_SAMPLES,)), ("mels", (80, FRAMES))):
        file = folder / f"{name}.npy"
        array = np.lib.format.open_memmap(file, "w+", np.float32, (clips, *shape))
        for row in range(clips):
            array[row] = 0.1 * generator.random(shape, np.float32)
        arrays.append(array)
    return tuple(arrays)


def measurements(
    system: SystemSettings,
    configured: TrainingSettings,
    clips,
    mels,
    device: torch.device,
    meter: Meter,
    arguments: argparse.Namespace,
) -> Iterator[dict[str, Any]]:
    """A row for each precision and place of the data; a batch that was searched serves both places."""
    for precision in arguments.precisions:
        changes = {"steps": 1, "precision": precision}
        if not arguments.config_files:
            changes |= {"segment_frames": None, "batch_size": "auto"}
        given = {"segment_frames": arguments.segment_frames, "batch_size": arguments.batch_size}
        changes |= {name: value for name, value in given.items() if value is not None}
        job = replace(configured, **changes)
        size = job.batch_size if isinstance(job.batch_size, int) else None
        searched = size is None
        for resident in (True, False) if device.type == "cuda" else (False,):
            dataset = ClipDataset(clips, mels, np.arange(len(clips)), device if resident else None)
            torch.manual_seed(0)
            objective = new_objective(system, build_vocoder(system))
            size = size or largest_batch_size(objective, dataset, device, job)
            batches = ShuffledBatches(len(dataset), size, 0)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            stopwatch = Stopwatch(meter, device, arguments.warm_up_steps, arguments.seconds)
            module = TrainingModule(objective, job, 0, batches.batches_per_epoch, lambda _: 0.0)
            loader = batch_loader(dataset, batches, 0, device.type == "cuda")
            make_trainer(device, job, [stopwatch]).fit(module, loader)
            energy, steps = stopwatch.energy, stopwatch.steps
            yield {
                "system": system.name,
                "device": device_name(device),
                "precision": precision,
                "data_on_device": resident,
                "batch_size": batches.batch_size,
                "batch_size_searched": searched,
                "segment_frames": job.segment_frames,
                "parameters": weights_of(objective.vocoder),
                "discriminator_parameters": weights_of(objective) - weights_of(objective.vocoder),
                "steps": steps,
                "seconds_per_step": energy.seconds / steps,
                "clips_per_second": steps * batches.batch_size / energy.seconds,
                "joules_per_step": None if energy.joules is None else energy.joules / steps,
                "energy_source": energy.source,
                "peak_memory_bytes": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
            }


def weights_of(network: nn.Module) -> int:
    """The number of its parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    run_program(main)
