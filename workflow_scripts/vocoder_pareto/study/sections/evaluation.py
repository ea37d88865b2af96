"""How the audio of all systems is compared."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class EvaluationSettings:
    """What all audio is brought to before it is compared, rated and shown."""

    sample_rate: int = Field(default=16000, ge=1)
    """Sample rate in Hz. Audio of another rate is resampled by soxr, and kept beside as the vocoder made it."""
