"""The predicted MOS of any folder of audio, by the rules of a study: a trial on natural recordings comes first."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from vocoder_pareto.audio.corpora import name_files
from vocoder_pareto.audio.corpus_location import audio_files_below
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.quality.predicted_mos import predict_mos
from vocoder_pareto.quality.predictor_trial import try_predictor
from vocoder_pareto.quality.predictors import DISTILLMOS, SAMPLE_RATE, Predict, distillmos
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings


def predict_folder(
    folder: str | Path,
    recordings: str | Path | None,
    seed: int,
    output: str | Path,
    load: Callable[[], Predict] = distillmos,
) -> dict[str, Any]:
    """Predict the MOS of the audio below `folder`, and write what was found as JSON.

    Args:
        folder: Holds audio of any rate, of one channel.
        recordings: A folder of natural recordings of the same kind, by which the predictor is tried; None for no trial.
        seed: Of the trial and of the bootstrap, at least 0.
        output: The JSON file.
        load: Loads the predictor.

    Returns:
        What `predict_mos` writes, and the `trial` as `try_predictor` writes it; None without one.

    Raises:
        UserError: A folder holds no audio, a file of it is damaged, or the output cannot be written.
    """
    if seed < 0:
        raise UserError(f"--seed {seed}: must be 0 or more")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        verdict, found = place / "trial.json", place / "found.json"
        if recordings is None:
            write_json(verdict, {"predictor": DISTILLMOS, "refused": None})
        else:
            manifest = _manifest(Path(recordings), place / "recordings")
            try_predictor(manifest, PredictedMosSettings(), seed, verdict, load)
        predict_mos(_manifest(Path(folder), place / "generated"), verdict, seed, found, load)
        trial = None if recordings is None else read_json(verdict)
        result = {**read_json(found), "system": str(folder), "trial": trial}
    if result["withheld"] is None and not result["passages"]:
        result["withheld"] = "it holds less than 7 s of audio"
    write_json(output, result)
    return result


def _manifest(folder: Path, copy: Path) -> Path:
    """The manifest of the audio below `folder`, as the study keeps audio: copies at the rate that is heard."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name one that holds WAV or FLAC files")
    files = name_files(audio_files_below(folder))
    if not files:
        raise UserError(f"{folder}: holds no audio that can be read; convert it to WAV or FLAC")

    def heard() -> Iterator[np.ndarray]:
        for file in files:
            audio = read_audio(folder / file.name)
            yield soxr.resample(audio.samples, audio.sample_rate, SAMPLE_RATE, quality="HQ")

    manifest = copy / "manifest.csv"
    write_audio_set(manifest, [file.clip_id for file in files], heard(), SAMPLE_RATE, [None] * len(files))
    return manifest
