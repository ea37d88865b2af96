"""Training steps per second and joules per step of every system: precision and place of the data side by side.

Runs anywhere; on a CPU choose few systems and a small batch:
--device cpu --systems melgan-S --batch-size 1 --clips 20 --seconds 2.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import torch
import yaml
from tqdm import tqdm

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))

from vocoder_pareto.configuration import configured_systems, system_settings  # noqa: E402
from vocoder_pareto.device import resolve_device  # noqa: E402
from vocoder_pareto.errors import UserError  # noqa: E402
from vocoder_pareto.measurement.meter import MeterSettings, open_meter  # noqa: E402
from vocoder_pareto.models.registry import build_vocoder  # noqa: E402
from vocoder_pareto.program import run  # noqa: E402
from vocoder_pareto.settings import settings_from  # noqa: E402
from vocoder_pareto.systems import SystemSettings  # noqa: E402
from vocoder_pareto.training.batch_size import largest_batch_size  # noqa: E402
from vocoder_pareto.training.data import ClipDataset, ShuffledBatches, batch_loader  # noqa: E402
from vocoder_pareto.training.run import new_objective  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: %(default)s)")
    parser.add_argument("--systems", nargs="*", help="names such as melgan-S (default: all of config.yaml)")
    parser.add_argument("--batch-size", type=int, help="clips per step (default: the largest that fits the GPU)")
    parser.add_argument("--precisions", nargs="+", default=["32-true", "bf16-mixed"], help="of Lightning")
    parser.add_argument("--clips", type=int, default=2000, help="random clips to train on (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (default: %(default)s)")
    parser.add_argument("--output", required=True, help="CSV file to write, a row per measurement")
    arguments = parser.parse_args()
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())
    device = resolve_device(arguments.device)
    known = configured_systems(config)
    unknown = set(arguments.systems or ()) - set(known)
    if unknown:
        raise UserError(f"--systems: {sorted(unknown)[0]!r} is not in config.yaml; allowed: {', '.join(known)}")
    random = np.random.default_rng(0)
    clips = 0.1 * random.standard_normal((arguments.clips, 16384), np.float32)
    mels = random.random((arguments.clips, 80, 64), np.float32)
    rows = []
    for name in tqdm(arguments.systems or known):
        settings = system_settings(config, *known[name])
        fields = SystemSettings.__dataclass_fields__
        system = settings_from(SystemSettings, {key: settings[key] for key in fields}, name)
        for precision, resident in itertools.product(arguments.precisions, [True, False]):
            dataset = ClipDataset(clips, mels, np.arange(len(clips)), device if resident else None)
            objective = new_objective(system, build_vocoder(system)).to(device)
            size = arguments.batch_size or largest_batch_size(objective, dataset, device, 0.9)
            row = measured(objective, dataset, size, precision, device, arguments.seconds)
            rows.append({"system": name, "precision": precision, "data_on_device": resident, **row})
            pd.DataFrame(rows).to_csv(arguments.output, index=False)
            del objective
    print(pd.DataFrame(rows).to_string(index=False))


def measured(objective, dataset, size, precision, device, seconds) -> dict[str, float | int | str | None]:
    """Steps for `seconds`, after one that is not counted."""
    accelerator = "cuda" if device.type == "cuda" else "cpu"
    fabric = lightning.Fabric(accelerator=accelerator, devices=1, precision=precision)
    meter = open_meter(device, MeterSettings(unreadable_rapl="estimate"))
    optimizers = {turn: objective.optimizer(turn) for turn in objective.turns}
    batches = iter(batch_loader(dataset, ShuffledBatches(len(dataset), size, 0), 0, device.type == "cuda"))

    def step() -> None:
        batch = type(first)(*(part.to(device, non_blocking=True) for part in next(batches)))
        for turn, optimizer in optimizers.items():
            with fabric.autocast():
                loss, _ = objective.loss(turn, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    first = next(batches)
    step()
    _wait(device)
    start, begin, steps = meter.read(), time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        step()
        _wait(device)
        steps += 1
    energy = meter.energy_between(start, meter.read())
    return {
        "batch_size": size,
        "steps_per_second": steps / energy.seconds,
        "clips_per_second": steps * size / energy.seconds,
        "joules_per_step": None if energy.joules is None else energy.joules / steps,
        "energy_source": energy.source,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
    }


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    run(main)
