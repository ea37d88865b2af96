"""Seeds of the study's randomness, each derived from the one in the configuration."""

import numpy as np


def clip_seed(seed: int, row: int) -> int:
    """The seed of one clip's noise, 0 to 2^32 − 1, whichever other clips are generated.

    Args:
        seed: The seed of the study, at least 0.
        row: The row of the clip in the dataset, from 0.

    Raises:
        ValueError: `seed` or `row` is negative.
    """
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])
