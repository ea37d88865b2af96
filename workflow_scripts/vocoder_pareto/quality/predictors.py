"""What predicts a mean opinion score (MOS) of speech without its recording: a network that others trained on ratings.

DistillMOS (Stahl and Gamper 2025, arXiv 2502.05356) comes from PyPI with its weights, under the MIT licence.
"""

import contextlib
import importlib.util
import os
from collections.abc import Callable
from importlib import metadata

import numpy as np

SAMPLE_RATE = 16000  # of what predictors hear, in Hz
DISTILLMOS_VERSION = "0.9.1"
DISTILLMOS = f"distillmos-{DISTILLMOS_VERSION}"  # the word in columns of sources

# (T,) samples at 16 kHz → predicted MOS, 1 (bad) to 5 (excellent)
Predict = Callable[[np.ndarray], float]


class PredictorMissing(Exception):
    """A predictor is not installed here, or in another version. The message says so, and what to do."""


def distillmos() -> Predict:
    """DistillMOS on the CPU: a function of (T,) samples at 16 kHz, of any length, to its predicted MOS.

    Its level does not matter, since the network divides by the peak of each of its segments of 7.68 s.

    Raises:
        PredictorMissing: the package is not installed, or in another version, whose scores need not be the same.
    """
    mend = f"install it (pip install distillmos=={DISTILLMOS_VERSION}) and run the rule try_predictor again"
    if importlib.util.find_spec("distillmos") is None:
        raise PredictorMissing(f"package distillmos is not installed; {mend}")
    if (version := metadata.version("distillmos")) != DISTILLMOS_VERSION:
        raise PredictorMissing(f"package distillmos is {version}, not {DISTILLMOS_VERSION}; {mend}")
    import torch
    from distillmos import ConvTransformerSQAModel

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # it prints where its weights lie
        network = ConvTransformerSQAModel().eval()

    def predict(samples: np.ndarray) -> float:
        with torch.inference_mode():
            return float(network(torch.from_numpy(np.asarray(samples, np.float32))[None]))

    return predict
