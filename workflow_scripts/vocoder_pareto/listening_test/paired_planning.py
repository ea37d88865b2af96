"""From generated audio to a test of pairs: a clip by one system, a pause, the same clip by the other, as one sound.

That is the comparison category rating of ITU-T P.800, annex E: both are heard in one order, which is turned round for
half of the trials, and the second is judged against the first. With the scale `ab`, the better one is chosen.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.loudness import levelled
from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.design import shuffled_apart
from vocoder_pareto.listening_test.key import Session
from vocoder_pareto.listening_test.paired_key import PairedKey, PairedKind, PairedStimulus
from vocoder_pareto.listening_test.plan import PlanOfSessions
from vocoder_pareto.listening_test.planning import audible, common_audio, pcm_of
from vocoder_pareto.listening_test.stimuli import drowned_in_noise
from vocoder_pareto.study.sections.listening_test import LoudnessSettings, PairedSettings
from vocoder_pareto.study.systems import GROUND_TRUTH

PAUSE_SECONDS = 0.7  # between the two, within the 0.5 to 1 s that are usual


@dataclass(frozen=True)
class PairedPlan(PlanOfSessions):
    """A test of pairs that is ready to be written, see `PlanOfSessions`."""

    key: PairedKey


def plan_paired_test(
    manifests: Mapping[str, str | Path],
    settings: PairedSettings,
    loudness: LoudnessSettings,
    words: Mapping[str, object],
    seed: int,
) -> PairedPlan:
    """Choose clips, join and name the sounds, and deal them to sessions; equal arguments and audio give an equal test.

    Every participant hears each pair with each clip once. Which system comes first alternates over participants, clips
    and pairs, so that each order comes equally often, give or take one.

    Args:
        manifests: The manifest.csv of each system; natural speech must be among them.
        settings: Which pairs, and how many clips, sessions and checks there are.
        loudness: How loud all sounds are.
        words: What participants read; it is part of the id of the test.
        seed: The seed of clips, orders and names.

    Raises:
        UserError: There are no pairs, a system is unknown, there are too few clips with sound, or audio is missing or
            damaged.
    """
    _require_pairs(settings.pairs, manifests)
    generator = np.random.default_rng(seed)
    audio = audible(common_audio(manifests), settings.items, "listening_test.paired.items")
    utterances = [str(name) for name in generator.permutation(sorted(audio[GROUND_TRUTH]))]
    rated, spare = utterances[: settings.items], utterances[settings.items :] or utterances
    maker = _Maker(audio, loudness, seed)
    by_order = [
        [
            maker.add("rating", *(pair if (place + item) % 2 == order else pair[::-1]), utterance)
            for place, pair in enumerate(settings.pairs)
            for item, utterance in enumerate(rated)
        ]
        for order in (0, 1)
    ]
    training = [
        maker.add("training", *pair, utterance)
        for pair, utterance in islice(zip(cycle(settings.pairs), cycle(spare), strict=False), settings.training)
    ]
    gold = [
        maker.add("gold", GROUND_TRUTH, GROUND_TRUTH, utterance, better=number % 2 + 1)
        for number, utterance in enumerate(islice(cycle(spare), settings.gold))
    ]
    sessions = []
    for index in range(settings.participants):
        order = shuffled_apart([*by_order[index % 2], *gold], np.random.default_rng([seed, index]))
        names = tuple(stimulus.name for stimulus in order)
        sessions.append(Session(index + 1, index % 2 + 1, tuple(stimulus.name for stimulus in training), names))
    return maker.plan(settings, tuple(sessions), words)


def _require_pairs(pairs: Sequence[tuple[str, str]], manifests: Mapping[str, str | Path]) -> None:
    where = "config key listening_test.paired.pairs"
    if not pairs:
        raise UserError(f"{where}: there are none; name pairs of systems, such as [[hifigan-S, melgan-S]]")
    if GROUND_TRUTH not in manifests:
        raise UserError(f"listening test: {GROUND_TRUTH} is missing; checks are made of natural speech")
    for pair in pairs:
        for system in pair:
            if system not in manifests:
                raise UserError(f"{where}: {system!r} is unknown or not judged; allowed: {', '.join(manifests)}")


@dataclass
class _Maker:
    """Makes the stimuli and keeps them all."""

    audio: Mapping[str, Mapping[str, Path]]
    loudness: LoudnessSettings
    seed: int
    stimuli: dict[str, PairedStimulus] = field(default_factory=dict)
    sounds: dict[str, np.ndarray] = field(default_factory=dict)
    sample_rate: int = 0

    def add(
        self, kind: PairedKind, first: str, second: str, utterance: str, better: int | None = None
    ) -> PairedStimulus:
        halves = [
            self._half(system, utterance, is_drowned=better not in (None, place))
            for place, system in enumerate((first, second), start=1)
        ]
        pause = np.zeros(round(PAUSE_SECONDS * self.sample_rate))
        samples = np.concatenate([halves[0], pause, halves[1]])
        content = f"{self.seed}/{kind}/{first}/{second}/{utterance}/".encode() + pcm_of(samples)
        name = "s" + hashlib.sha256(content).hexdigest()[:11]
        self.stimuli[name] = PairedStimulus(name, kind, first, second, utterance, better)
        self.sounds[name] = samples
        return self.stimuli[name]

    def _half(self, system: str, utterance: str, is_drowned: bool) -> np.ndarray:
        path = self.audio[system][utterance]
        recording = read_audio(path)
        if self.sample_rate not in (0, recording.sample_rate):
            raise UserError(
                f"{path}: has {recording.sample_rate} Hz, others {self.sample_rate}; generate all from one dataset"
            )
        self.sample_rate = recording.sample_rate
        samples = drowned_in_noise(recording.samples, self.seed) if is_drowned else recording.samples
        return levelled(samples, self.sample_rate, self.loudness).samples

    def plan(self, settings: PairedSettings, sessions: tuple[Session, ...], words: Mapping[str, object]) -> PairedPlan:
        digest = hashlib.sha256(json.dumps([settings.scale, settings.pairs, words], sort_keys=True).encode())
        digest.update(json.dumps([asdict(session) for session in sessions], sort_keys=True).encode())
        for name in sorted(self.sounds):
            digest.update(name.encode() + pcm_of(self.sounds[name]))
        stimuli = tuple(self.stimuli[name] for name in sorted(self.stimuli))
        key = PairedKey(digest.hexdigest()[:12], settings.scale, settings.pairs, stimuli, sessions)
        return PairedPlan(key, self.sounds, self.sample_rate)
