"""Let the predictor of MOS hear the recordings, as they are and made worse, and say whether it may be used: JSON."""

import argparse
from pathlib import Path

from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.quality.loading import loader_of
from vocoder_pareto.quality.predictor_trial import try_predictor
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference-manifest", type=Path, required=True, help="manifest.csv of the ground truth")
    parser.add_argument(
        "--predicted-mos-settings", type=json_or_file, default={}, help="section predicted_mos, JSON or @file"
    )
    parser.add_argument("--utmos-file", type=Path, nargs="?", help="TorchScript file of UTMOS, if there is one")
    parser.add_argument("--seed", type=int, default=0, help="seed of noise and phases (default: %(default)s)")
    parser.add_argument("--output-predictor-trial", type=Path, required=True, help="JSON file to write (the verdict)")
    arguments = parser.parse_args()
    settings = settings_from(PredictedMosSettings, arguments.predicted_mos_settings, "predicted_mos")
    load = loader_of(settings, arguments.utmos_file)
    try_predictor(arguments.reference_manifest, settings, arguments.seed, arguments.output_predictor_trial, load)


if __name__ == "__main__":
    run_program(main)
