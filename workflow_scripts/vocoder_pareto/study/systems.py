"""A system under test: one vocoder architecture at one size, and the slice of the configuration that it depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GROUND_TRUTH = "ground_truth"
GRIFFIN_LIM = "griffin_lim"
REFERENCE_SYSTEMS = (GROUND_TRUTH, GRIFFIN_LIM)


@dataclass(frozen=True)
class SystemSettings:
    """What defines a system, as the rules hand it to programs (JSON, see `settings_from`).

    Attributes:
        model, size: the two halves of the system's name, `melgan` and `S`.
        vocoder: import path of its `Vocoder` class, `package.module.Class` or `path/to/file.py:Class`.
        objective: import path of its training `Objective` class.
        architecture: keyword arguments of the vocoder's `Architecture`; a change retrains.
        sampling: keyword arguments of the vocoder's `Sampling`; a change regenerates and measures again.
        training: settings of the objective (losses, learning rate, …), see `Objective.Recipe`.
        n_mels: bands of the mel-spectrogram.
        hop_length: audio samples per frame.
        sample_rate: audio samples per second.
    """

    model: str
    size: str
    vocoder: str
    objective: str = ""
    architecture: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    n_mels: int = 80
    hop_length: int = 256
    sample_rate: int = 16000

    @property
    def name(self) -> str:
        """`melgan-S`: in file names, tables and the `systems` of the configuration."""
        return f"{self.model}-{self.size}"

    @property
    def config_key(self) -> str:
        """Where the configuration holds this system, for messages."""
        return f"models.{self.model}.sizes.{self.size}"
