"""Tell where in a system its parameters, operations and time are: a row per layer, with random weights."""

import argparse
from pathlib import Path

import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.layer_profile import profile_layers, write_profile
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--frames", type=int, default=64, help="frames of the mel-spectrogram (default: %(default)s)")
    parser.add_argument("--passes", type=int, default=5, help="passes to average over (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write (a row per layer)")
    arguments = parser.parse_args()
    system = settings_from(SystemSettings, arguments.system, "models")
    device = resolve_device(arguments.device)
    vocoder = build_vocoder(system).to(device).prepare_for_inference()
    mel = torch.rand(1, system.n_mels, arguments.frames, device=device)
    write_profile(arguments.output, profile_layers(vocoder, mel, arguments.passes))


if __name__ == "__main__":
    run_program(main)
