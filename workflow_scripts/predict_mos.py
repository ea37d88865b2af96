"""Predict the MOS of generated audio, if the predictor has stood its trial on this corpus: a JSON file."""

import argparse
from pathlib import Path

from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.quality.loading import loader_of
from vocoder_pareto.quality.predicted_mos import predict_mos
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest.csv of the system")
    parser.add_argument(
        "--predictor-trial", type=Path, required=True, help="JSON file of try_predictor.py (the verdict)"
    )
    parser.add_argument(
        "--predicted-mos-settings", type=json_or_file, default={}, help="section predicted_mos, JSON or @file"
    )
    parser.add_argument("--utmos-file", type=Path, nargs="?", help="TorchScript file of UTMOS, if there is one")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write (the system's predicted MOS)")
    arguments = parser.parse_args()
    settings = settings_from(PredictedMosSettings, arguments.predicted_mos_settings, "predicted_mos")
    load = loader_of(settings, arguments.utmos_file)
    predict_mos(arguments.manifest, arguments.predictor_trial, arguments.seed, arguments.output, load)


if __name__ == "__main__":
    run_program(main)
