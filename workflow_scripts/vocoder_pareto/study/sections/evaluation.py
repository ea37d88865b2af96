"""How the audio of all systems is compared."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT

LEAST_SECONDS = 0.1  # less is no utterance


@dataclass(frozen=True, config=STRICT)
class EvaluationSettings:
    """What is judged: how much of each utterance of the test set, at which rate, of which systems."""

    seconds: float | None = Field(default=10.0, ge=LEAST_SECONDS, le=3600)
    """How much of each utterance of the test set is generated, compared, rated and shown, in seconds from its beginning
    (>= 0.1). One that is shorter is taken whole, and none is padded; null: all are whole. 1.024 is what the paper
    judges."""

    sample_rate: int = Field(default=16000, ge=4000, le=192_000)
    """Sample rate in Hz. Audio of another rate is resampled by soxr, and kept beside as the vocoder made it."""

    least_training_steps: int = Field(default=1000, ge=1, le=1_000_000_000)
    """The audio of a system is judged if its weights are given, or if neither bound of its training is lower than here:
    so many steps (>= 1), ..."""

    least_training_hours: float = Field(default=0.1, ge=0, le=100_000)
    """... and so many hours (>= 0). Audio of less training is noise; asked for by its name, it is made all the same."""
