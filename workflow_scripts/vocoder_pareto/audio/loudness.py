"""Sounds that are equally loud, with the peak limited: in the listening test, and on the report page."""

from dataclasses import dataclass

import numpy as np
import pyloudnorm

from vocoder_pareto.study.sections.listening_test import LoudnessSettings

MAX_GAIN_DB = 30.0  # the near silence of a briefly trained system is not turned into a roar
_BLOCK_SECONDS = 0.4  # of EBU R128


@dataclass(frozen=True)
class Levelled:
    """A sound after `levelled`.

    Attributes:
        samples: The sound, (T,) in [-1, 1].
        loudness_lufs: The integrated loudness of `samples`; None for silence.
        gain_db: The gain that was applied.
        peak_limited: Whether the peak limit, or the largest gain, kept it quieter than the target.
    """

    samples: np.ndarray
    loudness_lufs: float | None
    gain_db: float
    peak_limited: bool


def levelled(samples: np.ndarray, sample_rate: int, settings: LoudnessSettings) -> Levelled:
    """Bring (T,) samples to the target loudness by one gain, as far as the peak limit and a gain of 30 dB allow.

    Silence stays as it is. Sounds shorter than a block of R128 (0.4 s) are padded with zeros for the measurement.

    Source: EBU R 128, ITU-R BS.1770-4, `pyloudnorm`.
    """
    meter = pyloudnorm.Meter(sample_rate, block_size=_BLOCK_SECONDS)
    missing = max(0, int(np.ceil(_BLOCK_SECONDS * sample_rate)) - len(samples))
    measured = meter.integrated_loudness(np.pad(np.asarray(samples, np.float64), (0, missing)))
    if not np.isfinite(measured):
        return Levelled(samples, None, 0.0, False)
    wanted = settings.target_lufs - measured
    peak_db = 20 * np.log10(np.max(np.abs(samples)))
    gain = min(wanted, settings.peak_dbfs - peak_db, MAX_GAIN_DB)
    return Levelled(samples * 10 ** (gain / 20), float(measured + gain), float(gain), bool(gain < wanted - 1e-9))
