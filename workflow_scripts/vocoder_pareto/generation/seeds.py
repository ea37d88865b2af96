"""Seeds of the study's randomness, each derived from the one in the configuration."""

import numpy as np


def clip_seed(seed: int, row: int) -> int:
    """The seed (0 to 2^32 − 1) of the noise for the clip in `row` of the dataset, whichever others are generated."""
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])
