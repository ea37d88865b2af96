"""Predict the MOS of recordings in a folder by DistillMOS, if it has stood its trial on recordings of that kind.

  vocoder-pareto predict-mos generated --recordings recordings

A predictor was trained on other speech than yours and may be worthless there. So it first hears the natural recordings:
they must score well, and what is made worse of them lower. Without --recordings there is no trial, and nothing tells
whether the scores mean anything. Passages of seven seconds and more are predicted; shorter files are joined.

Written is predicted_mos.json, with the score of each passage and a 95 % interval of their mean by a bootstrap.
"""

import argparse
from pathlib import Path

from vocoder_pareto.commands.extras import needs

HELP = "predict the MOS of a folder of audio, after a trial of the predictor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("folder", type=Path, help="folder of generated audio, WAV or FLAC")
    parser.add_argument("--recordings", type=Path, help="folder of natural recordings of the same kind, for the trial")
    parser.add_argument("--seed", type=int, default=0, help="seed of trial and bootstrap (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("predicted_mos.json"), help="JSON file to write (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Try the predictor, predict, write and print what was found."""
    with needs("predicted-mos"):
        import librosa  # noqa: F401 - which ladders of the trial need
        import soxr  # noqa: F401

        from vocoder_pareto.quality.folder_mos import predict_folder
    found = predict_folder(arguments.folder, arguments.recordings, arguments.seed, arguments.output)
    if found["withheld"] is not None:
        print(f"{arguments.folder}: no predicted MOS, since {found['withheld']}")
    else:
        interval = found["predicted_mos_ci95"]
        spread = "" if interval is None else f", 95 % interval ± {interval:.2f}"
        print(f"{arguments.folder}: predicted MOS {found['predicted_mos']:.2f}{spread} ({found['predictor']}), "
              f"{len(found['passages'])} passages; rated by nobody")  # fmt: skip
        if found["trial"] is None:
            print("No trial (--recordings): nothing tells whether this predictor knows good speech of this kind.")
    print(f"Written: {arguments.output}")
