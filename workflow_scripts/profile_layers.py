"""Tell where in a system its parameters, operations and time are: a row per layer, with random weights."""

import argparse

import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.layer_profile import profile_layers, write_profile
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=json_or_file, required=True, help="SystemSettings, as JSON or @file")
    parser.add_argument("--frames", type=int, default=64, help="of the mel-spectrogram (default: %(default)s)")
    parser.add_argument("--passes", type=int, default=5, help="to average over (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda:N (default: %(default)s)")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args()
    system = settings_from(SystemSettings, arguments.system, "models")
    device = resolve_device(arguments.device)
    vocoder = build_vocoder(system).to(device).prepare_for_inference()
    mel = torch.rand(1, system.n_mels, arguments.frames, device=device)
    write_profile(arguments.output, profile_layers(vocoder, mel, arguments.passes))


if __name__ == "__main__":
    run(main)
