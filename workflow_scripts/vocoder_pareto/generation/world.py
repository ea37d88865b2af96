"""Speech analysed and synthesised anew by WORLD: the reference system of vocoders before neural networks.

WORLD (Morise et al., 2016) describes a recording every 5 ms by its fundamental frequency (DIO, refined by StoneMask),
the envelope of its spectrum (CheapTrick) and its aperiodicity (D4C), and synthesises from these. It sees the recording,
not a mel-spectrogram, so it is told more than the other systems are.
"""

import numpy as np
import pyworld

# D4C decides what is voiced (LoveTrain) by the power up to 7,900 Hz. Below twice that rate there is none, it reads
# memory behind its spectrum, and equal samples give other audio.
LEAST_RATE_OF_LOVE_TRAIN = 2 * 7900


def resynthesised(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """What WORLD synthesises from its own analysis of (T,) samples: (T,) float32, not bounded to [-1, 1].

    The noise of unvoiced sounds begins anew in each call, so equal samples give equal audio.

    Args:
        samples: The samples in [-1, 1].
        sample_rate: Samples per second.

    Source: the example of pyworld's documentation, `wav2world` and `synthesize` with their defaults; at rates below
    15,800 Hz without LoveTrain, so that all frames with a pitch are voiced.
    """
    doubles = np.ascontiguousarray(samples, np.float64)
    if sample_rate >= LEAST_RATE_OF_LOVE_TRAIN:
        pitch, envelope, aperiodicity = pyworld.wav2world(doubles, sample_rate)
    else:
        rough, times = pyworld.dio(doubles, sample_rate)
        pitch = pyworld.stonemask(doubles, rough, times, sample_rate)
        envelope = pyworld.cheaptrick(doubles, pitch, times, sample_rate)
        aperiodicity = pyworld.d4c(doubles, pitch, times, sample_rate, threshold=0.0)
    synthesised = pyworld.synthesize(pitch, envelope, aperiodicity, sample_rate)[: len(samples)]
    return np.pad(synthesised, (0, len(samples) - len(synthesised))).astype(np.float32)
