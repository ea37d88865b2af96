"""Speech analysed and synthesised anew by WORLD: the reference system of vocoders before neural networks.

WORLD (Morise et al., 2016) describes a recording every 5 ms by its fundamental frequency (DIO, refined by StoneMask),
the envelope of its spectrum (CheapTrick) and its aperiodicity (D4C), and synthesises from these. It sees the recording,
not a mel-spectrogram, so it is told more than the other systems are.
"""

import numpy as np
import pyworld
import soxr

# D4C decides what is voiced (LoveTrain) by the power up to 7,900 Hz. Below twice that rate it reads memory behind its
# spectrum, so that equal samples give other audio, and below 7,900 Hz it writes there, too.
LEAST_RATE_OF_LOVE_TRAIN = 2 * 7900


def resynthesised(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """What WORLD synthesises from its own analysis of (T,) samples: (T,) float32, not bounded to [-1, 1].

    The noise of unvoiced sounds begins anew in each call, so equal samples give equal audio.

    Args:
        samples: The samples in [-1, 1].
        sample_rate: Samples per second.

    Source: the example of pyworld's documentation, `wav2world` and `synthesize` with their defaults; at rates below
    15,800 Hz at the least multiple that reaches it, resampled there and back by soxr.
    """
    multiple = -(-LEAST_RATE_OF_LOVE_TRAIN // sample_rate)
    world_rate = multiple * sample_rate
    doubles = _resampled(np.ascontiguousarray(samples, np.float64), sample_rate, world_rate)
    synthesised = _resampled(
        pyworld.synthesize(*pyworld.wav2world(doubles, world_rate), world_rate), world_rate, sample_rate
    )
    synthesised = synthesised[: len(samples)]
    return np.pad(synthesised, (0, len(samples) - len(synthesised))).astype(np.float32)


def _resampled(samples: np.ndarray, sample_rate: int, other_rate: int) -> np.ndarray:
    return samples if other_rate == sample_rate else soxr.resample(samples, sample_rate, other_rate, quality="HQ")
