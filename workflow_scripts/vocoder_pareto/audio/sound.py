"""Whether there is enough to hear in a clip: silence, a constant, next to no sound, and what is mostly padding.

Such clips stay in the dataset. They are told to the user, are no item of a listening test, and but for the padded ones
have no value in metrics that divide by the reference.
"""

import numpy as np

from vocoder_pareto.audio.dataset_summary import LittleSound

# A frame is sounding from this root mean square on, about its mean: speech is at −20 to −35 dBFS, the noise of a room
# below −50, and nobody hears what lies below −70 LUFS (ITU-R BS.1770, absolute gate).
SOUNDING_DBFS = -50.0
FRAME_SECONDS = 0.02
# So much of a clip must be sounding, or a tenth of it if that is less: a click or a breath is not speech.
SOUNDING_SECONDS, SOUNDING_SHARE = 0.1, 0.1


def little_sound(samples: np.ndarray, sample_rate: int) -> LittleSound | None:
    """What keeps a clip from being heard or compared; None for a clip with sound in it.

    Args:
        samples: (T,) samples in [-1, 1], at least one.
        sample_rate: samples per second.

    Returns:
        `silent` (all zeros), `constant`, `faint` (less than 0.1 s, and less than a tenth, reaches −50 dBFS), `padded`
        (more than half of it are the zeros before and behind the sound), or None.
    """
    samples = np.asarray(samples)
    if samples.min() == samples.max():
        return "constant" if samples[0] else "silent"
    if sounding_seconds(samples, sample_rate) < min(SOUNDING_SECONDS, SOUNDING_SHARE * len(samples) / sample_rate):
        return "faint"
    return "padded" if padding_of(samples) > len(samples) / 2 else None


def sounding_seconds(samples: np.ndarray, sample_rate: int) -> float:
    """How long the frames of 20 ms of (T,) samples are that reach −50 dBFS, in seconds."""
    length = min(max(1, round(FRAME_SECONDS * sample_rate)), len(samples))
    whole = len(samples) // length * length
    levels = np.asarray(samples[:whole], np.float64).reshape(-1, length).std(axis=1)  # (frames,)
    return float(np.count_nonzero(levels >= 10 ** (SOUNDING_DBFS / 20)) * length / sample_rate)


def padding_of(samples: np.ndarray) -> int:
    """How many of (T,) samples are zeros before the first and behind the last that is none."""
    sounding = np.flatnonzero(samples)
    return len(samples) - int(sounding[-1] - sounding[0] + 1) if len(sounding) else len(samples)
