"""The audio of the test set."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class GenerationSettings:
    """What of the test set is generated, and how much at a time."""

    clips: int | None = Field(default=2, ge=1, le=1_000_000)
    """Utterances of the test set that every system reconstructs (>= 1), the first in sorted order, or of a random split
    in random order; null for all. evaluation.seconds says how much of each."""

    batch_size: int = Field(default=1, ge=1, le=65_536)
    """Utterances that are generated at once (>= 1): those that follow each other and are equally long, as those that
    evaluation.seconds cuts. More is faster on a GPU; audio differs by rounding only."""

    chunk_frames: int | None = Field(default=1024, ge=1, le=10_000_000)
    """Longer utterances are generated in chunks of this many frames (>= 1) with the context that they need, so that
    memory does not grow with their length; audio differs by rounding only. null: every utterance at once. 1024 frames
    of 256 samples at 16000 Hz are 16 s."""

    griffin_lim_iterations: int = Field(default=60, ge=1, le=100_000)
    """Iterations of Griffin-Lim, the reference system that inverts mel-spectrograms without a network."""
