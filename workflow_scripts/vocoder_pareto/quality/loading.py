"""Which predictor of MOS the settings name, and how it is loaded."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vocoder_pareto.quality.predictors import DISTILLMOS, Predict, distillmos
from vocoder_pareto.quality.utmos import utmos
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings

UTMOS = "utmos22-strong"
WORDS = {"distillmos": DISTILLMOS, "utmos": UTMOS}  # in columns of sources


def loader_of(settings: PredictedMosSettings, utmos_file: str | Path | None = None) -> Callable[[], Predict]:
    """What loads the predictor of the section predicted_mos; it raises PredictorMissing where it is not here.

    Args:
        settings: the section.
        utmos_file: the file of UTMOS; None for that of the section.
    """
    if settings.predictor == "utmos":
        return partial(utmos, utmos_file or settings.utmos_file, settings.utmos_sha256)
    return distillmos
