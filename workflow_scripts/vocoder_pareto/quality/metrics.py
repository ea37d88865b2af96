"""The table of objective metrics: what each is called, where it is best, what computes it and who defined it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vocoder_pareto.errors import UserError
from vocoder_pareto.quality.spectral_distance import d_stft

Measure = Callable[[np.ndarray, np.ndarray, int], float]


@dataclass(frozen=True)
class Metric:
    """One objective metric of a reconstruction against its reference.

    Attributes:
        name: column of the tables, and name in the configuration.
        label: in figures.
        better: which direction is better.
        lowest, highest: the range of its values.
        perfect: its value for identical signals.
        unit: empty where it has none.
        package: what computes it.
        source: who defined it.
        measure: (reference (T,), estimate (T,), sample rate) → value; raises `Undefined` where there is none.
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
    measure: Measure
    ranks: bool = True


# A metric's module is imported when the metric is first asked for: D_STFT alone needs neither PyTorch nor WORLD.
def _d_stft(reference: np.ndarray, estimate: np.ndarray, _sample_rate: int) -> float:
    return d_stft(reference, estimate)


def _multi_resolution_stft(reference: np.ndarray, estimate: np.ndarray, _sample_rate: int) -> float:
    from vocoder_pareto.quality.reconstruction import multi_resolution_stft

    return multi_resolution_stft(reference, estimate)


def _log_mel_distance(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.reconstruction import log_mel_distance

    return log_mel_distance(reference, estimate, sample_rate)


def _si_sdr(reference: np.ndarray, estimate: np.ndarray, _sample_rate: int) -> float:
    from vocoder_pareto.quality.reconstruction import si_sdr

    return si_sdr(reference, estimate)


def _estoi(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.speech import estoi

    return estoi(reference, estimate, sample_rate)


def _mel_cepstral_distortion(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.speech import mel_cepstral_distortion

    return mel_cepstral_distortion(reference, estimate, sample_rate)


def _f0_rmse(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.speech import f0_rmse

    return f0_rmse(reference, estimate, sample_rate)


def _voicing_error(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.speech import voicing_error

    return voicing_error(reference, estimate, sample_rate)


def _pesq_wideband(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    from vocoder_pareto.quality.speech import pesq_wideband

    return pesq_wideband(reference, estimate, sample_rate)


D_STFT = Metric(
    "d_stft", "D_STFT", "lower", 0.0, math.inf, 0.0, "", "numpy, scipy", "Défossez et al. 2018 (SING)", _d_stft
)
METRICS = (
    D_STFT,
    Metric(
        "mr_stft", "Multi-resolution STFT", "lower", 0.0, math.inf, 0.0, "", "auraloss", "Yamamoto et al. 2020",
        _multi_resolution_stft,
    ),
    Metric(
        "log_mel_distance", "Log-mel distance", "lower", 0.0, math.inf, 0.0, "", "torchaudio",
        "the study's mel-spectrogram", _log_mel_distance,
    ),
    Metric("estoi", "ESTOI", "higher", -1.0, 1.0, 1.0, "", "pystoi", "Jensen and Taal 2016", _estoi),
    Metric(
        "mcd", "Mel-cepstral distortion", "lower", 0.0, math.inf, 0.0, "bel", "mel-cepstral-distance",
        "Kubichek 1993", _mel_cepstral_distortion,
    ),
    Metric(
        "f0_rmse", "F0 RMSE", "lower", 0.0, math.inf, 0.0, "cents", "pyworld", "Morise et al. 2016 (WORLD)", _f0_rmse
    ),
    Metric(
        "vuv_error", "V/UV error", "lower", 0.0, 1.0, 0.0, "", "pyworld", "Morise et al. 2016 (WORLD)",
        _voicing_error,
    ),
    Metric(
        "si_sdr", "SI-SDR", "higher", -math.inf, math.inf, math.inf, "dB", "auraloss", "Le Roux et al. 2019", _si_sdr,
        ranks=False,
    ),
    Metric(
        "pesq_wb", "PESQ-WB", "higher", 1.0, 4.65, 4.64, "MOS-LQO", "pesq (optional)", "ITU-T P.862.2",
        _pesq_wideband,
    ),
)  # fmt: skip


def metrics_named(names: list[str] | tuple[str, ...]) -> tuple[Metric, ...]:
    """D_STFT, then the metrics of `names`, each once, in the order of the table.

    Raises:
        UserError: a name is not in the table.
    """
    known = {metric.name: metric for metric in METRICS}
    for name in names:
        if name not in known:
            raise UserError(f"config key quality.metrics: {name!r} is unknown; allowed: {', '.join(known)}")
    return tuple(metric for metric in METRICS if metric is D_STFT or metric.name in names)
