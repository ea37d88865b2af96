"""A planned test: its sounds, its sessions and its key, ready to be written in the form of any platform."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vocoder_pareto.listening_test.key import Key, KeyOfSessions, Stimulus, StimulusKind

if TYPE_CHECKING:  # the rules import this module where NumPy is not installed
    import numpy as np

SECONDS_TO_DECIDE = 4.0  # per sound


@dataclass(frozen=True)
class PlanOfSessions:
    """A test of any kind that is ready to be written.

    Attributes:
        key: The stimuli, the sessions with their orders, and the right answers of the checks.
        sounds: (T,) samples in [-1, 1] by the names of the stimuli.
        sample_rate: Samples per second of all sounds.
    """

    key: KeyOfSessions
    sounds: "Mapping[str, np.ndarray]"
    sample_rate: int

    def write_sounds(self, folder: str | Path) -> None:
        """Write `{name}.wav` of all stimuli into `folder`, 16-bit mono.

        Raises:
            UserError: The folder cannot be written.
        """
        from vocoder_pareto.audio.files import write_wav  # soundfile, which nobody needs who reads results

        for name, samples in self.sounds.items():
            write_wav(Path(folder) / f"{name}.wav", samples, self.sample_rate)

    @property
    def numbers_in_texts(self) -> dict[str, int]:
        """What `{trials}` and `{minutes}` in the texts stand for: those of the longest session."""
        seconds = [
            sum(
                len(self.sounds[name]) / self.sample_rate + SECONDS_TO_DECIDE
                for name in session.training + session.trials
            )
            for session in self.key.sessions
        ]
        trials = max(len(session.trials) for session in self.key.sessions)
        return {"trials": trials, "minutes": math.ceil(max(seconds) / 60) + 1}  # one minute for reading


@dataclass(frozen=True)
class Plan(PlanOfSessions):
    """A test of all systems that is ready to be written in the form of any platform, see `PlanOfSessions`."""

    key: Key

    def stimuli_of(self, kind: StimulusKind) -> list[Stimulus]:
        """The stimuli of one kind, in the order of the key."""
        return [stimulus for stimulus in self.key.stimuli if stimulus.kind == kind]
