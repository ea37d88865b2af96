"""Speech analysed and synthesised anew by WORLD: the reference system of vocoders before neural networks.

WORLD (Morise et al., 2016) describes a recording every 5 ms by its fundamental frequency (DIO, refined by StoneMask),
the envelope of its spectrum (CheapTrick) and its aperiodicity (D4C), and synthesises from these. It sees the recording,
not a mel-spectrogram, so it is told more than the other systems are.
"""

import numpy as np
import pyworld


def resynthesised(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """What WORLD synthesises from its own analysis of (T,) samples: (T,) float32, not bounded to [-1, 1].

    The noise of unvoiced sounds begins anew in each call, so equal samples give equal audio.

    Args:
        samples: The samples in [-1, 1].
        sample_rate: Samples per second.

    Source: the example of pyworld's documentation, `wav2world` and `synthesize` with their defaults.
    """
    pitch, envelope, aperiodicity = pyworld.wav2world(np.ascontiguousarray(samples, np.float64), sample_rate)
    synthesised = pyworld.synthesize(pitch, envelope, aperiodicity, sample_rate)[: len(samples)]
    return np.pad(synthesised, (0, len(samples) - len(synthesised))).astype(np.float32)
