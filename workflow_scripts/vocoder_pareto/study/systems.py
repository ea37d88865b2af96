"""A system under test: one vocoder architecture at one size, and the slice of the configuration that it depends on."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT, plain, settings_from

GROUND_TRUTH = "ground_truth"
GRIFFIN_LIM = "griffin_lim"
WORLD = "world"
RECONSTRUCTIONS = (GRIFFIN_LIM, WORLD)  # reference systems that make audio, and so have a cost
REFERENCE_SYSTEMS = (GROUND_TRUTH, *RECONSTRUCTIONS)


@dataclass(frozen=True, config=STRICT)
class SystemSettings:
    """What defines a system, as the rules hand it to programs (JSON, see `settings_from`)."""

    model: str
    """The first half of the system's name, `melgan`."""

    size: str
    """The second half of the system's name, `S`."""

    vocoder: str
    """Import path of its `Vocoder` class, `package.module.Class` or `path/to/file.py:Class`."""

    objective: str | None = None
    """Import path of its training `Objective` class; None where nothing trains it."""

    architecture: Mapping[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the vocoder's `Architecture`; a change retrains."""

    sampling: Mapping[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the vocoder's `Sampling`; a change generates and measures again."""

    recipe: Mapping[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the objective's `Recipe`: weights of losses, learning rate, …"""

    n_mels: int = Field(default=80, ge=1)
    """Bands of the mel-spectrogram."""

    hop_length: int = Field(default=256, ge=1)
    """Audio samples per frame."""

    sample_rate: int = Field(default=16000, ge=1)
    """Audio samples per second."""

    @property
    def name(self) -> str:
        """`melgan-S`: in file names, tables and the `systems` of the configuration."""
        return f"{self.model}-{self.size}"

    def to_train(self) -> dict[str, Any]:
        """What the weights depend on, as plain values: all but the sampling."""
        return {key: value for key, value in plain(self).items() if key != "sampling"}

    def to_generate(self) -> dict[str, Any]:
        """What the audio depends on beside the weights, as plain values: all but objective and recipe."""
        return {key: value for key, value in plain(self).items() if key not in ("objective", "recipe")}

    @property
    def config_key(self) -> str:
        """Where the configuration holds this system, for messages."""
        return f"models.{self.model}.sizes.{self.size}"


def system_sampled(settings: Mapping[str, Any], sampling: Mapping[str, Any]) -> SystemSettings:
    """Return the system of `settings`, as a program gets them, with `sampling` over what they have of it.

    Raises:
        UserError: A setting is not allowed.
    """
    both = {**settings.get("sampling", {}), **sampling}
    return settings_from(SystemSettings, {**settings, "sampling": both}, "models")
