"""The table of objective metrics, and the way to add one: what it is called, where it is best, who defined it.

A metric of the library has a name, listed in `METRICS`. A metric of a user's own is a function that `metric` decorates,
given by its import path. Nothing is imported before it is asked for: D_STFT alone needs neither PyTorch nor WORLD.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from vocoder_pareto.errors import UserError
from vocoder_pareto.import_paths import is_import_path, load_function
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS

CONFIG_KEY = "quality.metrics"
CLIP, FAILURES = "clip_id", "failures"  # the other columns of a system's file

# (reference (T,), estimate (T,), sample rate) → value
Measure = Callable[[Any, Any, int], float]


class UndefinedMetric(Exception):
    """A metric has no value for this pair of signals, or its package is not installed. The message says why."""


@dataclass(frozen=True)
class Metric:
    """One objective metric of a reconstruction against its reference.

    Attributes:
        name: column of the tables; of a metric of the library also its name in the configuration.
        label: in figures.
        better: which direction is better.
        lowest, highest: the range of its values.
        perfect: its value for identical signals.
        unit: empty where it has none.
        package: what computes it.
        source: who defined it.
        function: what measures it, or the import path of that; empty of what compares no two signals.
        ranks: whether it may rank systems.
    """

    name: str
    label: str
    better: Literal["lower", "higher"]
    lowest: float
    highest: float
    perfect: float
    unit: str
    package: str
    source: str
    function: Measure | str = ""
    ranks: bool = True

    def measure(self, reference: Any, estimate: Any, sample_rate: int) -> float:
        """The value for one clip.

        Args:
            reference, estimate: (T,) samples in [-1, 1], of equal length.
            sample_rate: samples per second.

        Raises:
            UndefinedMetric: there is none.
            UserError: the function does not exist.
        """
        function = self.function
        if isinstance(function, str):
            function = load_function(function, CONFIG_KEY)
        return function(reference, estimate, sample_rate)


_LIBRARY = "vocoder_pareto.quality"
D_STFT = Metric(
    "d_stft", "D_STFT", "lower", 0.0, math.inf, 0.0, "", "numpy, scipy", "Défossez et al. 2018 (SING)",
    f"{_LIBRARY}.spectral_distance.d_stft",
)  # fmt: skip
METRICS = (
    D_STFT,
    Metric(
        "mr_stft", "Multi-resolution STFT", "lower", 0.0, math.inf, 0.0, "", "auraloss", "Yamamoto et al. 2020",
        f"{_LIBRARY}.reconstruction.multi_resolution_stft",
    ),
    Metric(
        "log_mel_distance", "Log-mel distance", "lower", 0.0, math.inf, 0.0, "", "torchaudio",
        "the study's mel-spectrogram", f"{_LIBRARY}.reconstruction.log_mel_distance",
    ),
    Metric(
        "estoi", "ESTOI", "higher", -1.0, 1.0, 1.0, "", "pystoi", "Jensen and Taal 2016", f"{_LIBRARY}.speech.estoi"
    ),
    Metric(
        "mcd", "Mel-cepstral distortion", "lower", 0.0, math.inf, 0.0, "bel", "mel-cepstral-distance",
        "Kubichek 1993", f"{_LIBRARY}.speech.mel_cepstral_distortion",
    ),
    Metric(
        "f0_rmse", "F0 RMSE", "lower", 0.0, math.inf, 0.0, "cents", "pyworld", "Morise et al. 2016 (WORLD)",
        f"{_LIBRARY}.speech.f0_rmse",
    ),
    Metric(
        "vuv_error", "V/UV error", "lower", 0.0, 1.0, 0.0, "", "pyworld", "Morise et al. 2016 (WORLD)",
        f"{_LIBRARY}.speech.voicing_error",
    ),
    Metric(
        "si_sdr", "SI-SDR", "higher", -math.inf, math.inf, math.inf, "dB", "auraloss", "Le Roux et al. 2019",
        f"{_LIBRARY}.reconstruction.si_sdr", ranks=False,
    ),
    Metric(
        "pesq_wb", "PESQ-WB", "higher", 1.0, 4.65, 4.64, "MOS-LQO", "pesq (optional)", "ITU-T P.862.2",
        f"{_LIBRARY}.speech.pesq_wideband",
    ),
)  # fmt: skip
# No comparison of two signals, so no metric to configure: `predict_mos` hears a system's own audio.
PREDICTED_MOS = Metric(
    "predicted_mos", "Predicted MOS", "higher", 1.0, 5.0, math.nan, "", "distillmos", "Stahl and Gamper 2025"
)
_BY_NAME = {each.name: each for each in METRICS}
_DECORATED: dict[Measure, Metric] = {}


def metric(
    label: str,
    better: Literal["lower", "higher"],
    *,
    unit: str = "",
    lowest: float = -math.inf,
    highest: float = math.inf,
    perfect: float = math.nan,
    package: str = "",
    source: str = "",
    ranks: bool = True,
) -> Callable[[Measure], Measure]:
    """Decorate a function so that its import path may stand in `quality.metrics`; its name becomes that of the column.

    The function takes (reference (T,), estimate (T,), sample rate) and returns a number, or raises `UndefinedMetric`
    with the reason. The arguments are the attributes of `Metric`.
    """

    def decorated(function: Measure) -> Measure:
        _DECORATED[function] = Metric(
            function.__name__, label, better, lowest, highest, perfect, unit, package or function.__module__, source,
            function, ranks,
        )  # fmt: skip
        return function

    return decorated


def metrics_named(names: Sequence[str]) -> tuple[Metric, ...]:
    """D_STFT, then the metrics of `names`, each once: the library's in the order of the table, then a user's own.

    Args:
        names: names of the table, or import paths of functions that `metric` decorates.

    Raises:
        UserError: a name is not in the table; at a path is no metric, or one whose name is taken.
    """
    own = _own_metrics(names)
    for name in names:
        if not is_import_path(name) and name not in _BY_NAME:
            raise UserError(
                f"config key {CONFIG_KEY}: {name!r} is unknown; allowed: {', '.join(_BY_NAME)}, "
                "or the import path of a function, path/to/file.py:function"
            )
    return (*(each for each in METRICS if each is D_STFT or each.name in names), *own)


def known_metrics(names: Sequence[str]) -> tuple[Metric, ...]:
    """All metrics of the table, then those of `names` that are given by import path, for reading what was measured.

    Raises:
        UserError: at a path is no metric, or one whose name is taken.
    """
    return (*METRICS, *_own_metrics(names))


def functions_of(names: Sequence[str]) -> tuple[str, ...]:
    """The import paths of all functions that measure `names` and D_STFT; a name that is unknown is left out."""
    library = [_BY_NAME[name].function for name in dict.fromkeys([D_STFT.name, *names]) if name in _BY_NAME]
    return tuple(each for each in (*library, *names) if isinstance(each, str) and is_import_path(each))


def _own_metrics(names: Sequence[str]) -> list[Metric]:
    taken = {CLIP, FAILURES, *_BY_NAME, *(column.name for column in SYSTEMS_COLUMNS)}
    found = []
    for path in dict.fromkeys(filter(is_import_path, names)):
        own = _metric_at(path)
        if own.name in taken:
            raise UserError(f"config key {CONFIG_KEY}: the name of {path!r} is taken; call the function otherwise")
        taken.add(own.name)
        found.append(own)
    return found


@cache
def _metric_at(path: str) -> Metric:
    found = _DECORATED.get(load_function(path, CONFIG_KEY))
    if found is None:
        raise UserError(
            f"config key {CONFIG_KEY}: {path!r} does not say its label and which direction is better; "
            "decorate it with vocoder_pareto.quality.metrics.metric (docs/extending.md)"
        )
    return found
