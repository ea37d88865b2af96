"""UTMOS (Saeki et al. 2022, arXiv 2204.02152), the strong learner of the VoiceMOS Challenge, of a file on this machine.

PyPI does not have its weights. What is loaded is a TorchScript module, which needs no code beside PyTorch: samples
(1, T) at 16 kHz in, one score from 1 to 5 out, as utmos_scripted.pt of github.com/Blinorot/UTMOS-PyTorch has it.
"""

import hashlib
from pathlib import Path

import numpy as np

from vocoder_pareto.errors import UserError
from vocoder_pareto.quality.predictors import Predict, PredictorMissing

_KEY = "config key predicted_mos.utmos_file"


def utmos(file: str | Path | None, sha256: str | None) -> Predict:
    """UTMOS on the CPU: a function of (T,) samples at 16 kHz, of any length, to its predicted MOS.

    Args:
        file: The TorchScript module.
        sha256: The SHA-256 that it must have; None for any.

    Raises:
        PredictorMissing: There is no file.
        UserError: The file is another one than `sha256` says, no TorchScript module, or gives no score.
    """
    if file is None or not Path(file).exists():
        where = "no file is given" if file is None else f"{file} is not there"
        raise PredictorMissing(f"UTMOS is not on this machine: {where} (predicted_mos.utmos_file)")
    _require_sha256(Path(file), sha256)
    import torch

    try:
        network = torch.jit.load(str(file), map_location="cpu").eval()
    except RuntimeError as error:
        raise UserError(f"{_KEY}: {file} is no TorchScript module ({str(error).splitlines()[0]})") from error

    def predict(samples: np.ndarray) -> float:
        with torch.inference_mode():
            try:
                return float(network(torch.from_numpy(np.asarray(samples, np.float32))[None]))
            except (RuntimeError, ValueError, TypeError) as error:
                fault = str(error).strip().splitlines()[-1]
                raise UserError(f"{_KEY}: {file} gives no score for samples (1, T): {fault}") from error

    return predict


def _require_sha256(file: Path, sha256: str | None) -> None:
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{_KEY}: {file} cannot be read ({error.strerror})") from error
    if sha256 not in (None, found):
        raise UserError(f"{_KEY}: {file} has SHA-256 {found}, not {sha256}; mend it, or predicted_mos.utmos_sha256")
