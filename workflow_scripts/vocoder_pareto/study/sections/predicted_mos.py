"""Predicted MOS: what a network that was trained on ratings says of the audio."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class PredictedMosSettings:
    """MOS as a network predicts it, where it can tell good from bad on the study's own recordings."""

    predictor: Literal["distillmos", "utmos"] | None = "distillmos"
    """distillmos: DistillMOS (MIT licence, its weights come with the package) | utmos: UTMOS, of a file that you have |
    null: predict nothing."""

    utmos_file: OptionalPath = None
    """UTMOS as a TorchScript file, or null. It can compute what it likes: take one that you trust. Where there is none,
    utmos predicts nothing, and says so."""

    utmos_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of that file, 64 hex digits, which another content is refused by; null: any."""

    recordings_above: float = Field(default=3.5, ge=1, le=5)
    """What the recordings must score in the mean (1 to 5), or nothing is predicted for this corpus. Listeners call
    recordings good (4) or better; 3.5 is where good ends and fair begins. LJSpeech scores 4.4, eSpeak's voice 2.3."""

    trial_passages: int = Field(default=4, ge=1, le=10_000)
    """How many passages of at least 7 s the predictor is tried on (>= 1), each as it is and made worse in eight
    ways."""
