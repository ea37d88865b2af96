"""From generated audio to a plan: chosen clips, levelled stimuli under opaque names, sessions, and the key."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.dataset_summary import WORDS
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.loudness import levelled
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.audio.sound import little_sound
from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.design import latin_square, session_order
from vocoder_pareto.listening_test.key import Key, Session, Stimulus, StimulusKind
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.stimuli import drowned_in_noise, spoken
from vocoder_pareto.listening_test.texts import Texts
from vocoder_pareto.study.sections.listening_test import DesignSettings, LoudnessSettings
from vocoder_pareto.study.systems import GRIFFIN_LIM, GROUND_TRUTH

# Natural speech shows the best. Griffin-Lim, from the very mel-spectrograms that the vocoders get, is the low anchor:
# its artefacts are of the same kind as theirs, which those of a low-pass filter are not.
ANCHORS = (GROUND_TRUTH, GRIFFIN_LIM)
_UNFIT_SHOWN = 3

log = logging.getLogger(__name__)


def plan_test(
    manifests: Mapping[str, str | Path],
    design: DesignSettings,
    loudness: LoudnessSettings,
    texts: Texts,
    labels: Sequence[str],
    seed: int,
) -> Plan:
    """Choose clips, level them, name them and deal them to sessions; equal arguments and audio give an equal test.

    Args:
        manifests: The manifest.csv of each system; natural speech and Griffin-Lim must be among them.
        design: How many clips, lists, sessions, checks and repeats there are.
        loudness: How loud all stimuli are.
        texts: What participants read, and what the attention checks say.
        labels: The labels of the scores, from the worst to the best.
        seed: The seed of clips, lists, orders and names.

    Raises:
        UserError: An anchor is missing, there are too few clips with sound, or audio is missing or damaged.
    """
    for anchor in ANCHORS:
        if anchor not in manifests:
            raise UserError(f"listening test: {anchor} is missing; natural speech and the low anchor are always rated")
    generator = np.random.default_rng(seed)
    audio = audible(common_audio(manifests), design.items)
    utterances = [str(name) for name in generator.permutation(sorted(audio[GROUND_TRUTH]))]
    rated, spare = utterances[: design.items], utterances[design.items :] or utterances
    maker = _StimulusMaker(loudness, seed)

    lists = [
        [maker.add("rating", system, utterance, audio[system][utterance]) for system, utterance in pairs]
        for pairs in latin_square(list(manifests), rated, design.lists, generator)
    ]
    training: list[Stimulus] = []
    for system, utterance in zip(_training_systems(manifests, generator), cycle(spare), strict=False):
        if len(training) < max(design.training, 1):  # one in any case, to set the volume with
            training.append(maker.add("training", system, utterance, audio[system][utterance]))
    gold = [
        maker.add("gold", GROUND_TRUTH, utterance, audio[GROUND_TRUTH][utterance], expected=1)
        for utterance in islice(spare, design.gold)
    ]
    scores = islice(cycle(generator.permutation(len(labels)) + 1), design.traps)
    traps = [maker.add_trap(number, int(score), texts) for number, score in enumerate(scores, start=1)]

    sessions = []
    for index in range(design.participants):
        generator_of_session = np.random.default_rng([seed, index])
        order = session_order(lists[index % design.lists], gold, traps, design.repeats, generator_of_session)
        names = tuple(stimulus.name for stimulus in order)
        first = tuple(stimulus.name for stimulus in training[: design.training])
        sessions.append(Session(index + 1, index % design.lists + 1, first, names))
    return maker.plan(tuple(labels), tuple(manifests), tuple(sessions), texts)


@dataclass
class _StimulusMaker:
    """Makes the stimuli: reads, levels and names each, and keeps them all."""

    loudness: LoudnessSettings
    seed: int
    stimuli: dict[str, Stimulus] = field(default_factory=dict)
    sounds: dict[str, np.ndarray] = field(default_factory=dict)
    sample_rate: int = 0

    def add(self, kind: StimulusKind, system: str, utterance: str, path: Path, expected: int | None = None) -> Stimulus:
        recording = read_audio(path)
        if self.sample_rate not in (0, recording.sample_rate):
            raise UserError(
                f"{path}: has {recording.sample_rate} Hz, others {self.sample_rate}; generate all from one dataset"
            )
        self.sample_rate = recording.sample_rate
        samples = recording.samples
        if kind == "gold":
            samples = drowned_in_noise(samples, self.seed)
        return self._named(kind, system, utterance, samples, expected)

    def add_trap(self, number: int, score: int, texts: Texts) -> Stimulus:
        sentence = texts.trap_sentence.format(score=score)
        return self._named("trap", "", f"trap{number}", spoken(sentence, texts.trap_voice, self.sample_rate), score)

    def _named(
        self, kind: StimulusKind, system: str, utterance: str, samples: np.ndarray, expected: int | None
    ) -> Stimulus:
        sound = levelled(samples, self.sample_rate, self.loudness)
        # Of the audio too, so that scores of other audio are not taken for scores of this one. It begins with a letter,
        # since readers of YAML take some hexadecimal words for numbers.
        content = f"{self.seed}/{kind}/{system}/{utterance}/".encode() + pcm_of(sound.samples)
        name = "s" + hashlib.sha256(content).hexdigest()[:11]
        self.stimuli[name] = Stimulus(
            name, kind, system, utterance, expected, sound.loudness_lufs, sound.gain_db, sound.peak_limited
        )
        self.sounds[name] = sound.samples
        return self.stimuli[name]

    def plan(
        self, labels: tuple[str, ...], systems: tuple[str, ...], sessions: tuple[Session, ...], texts: Texts
    ) -> Plan:
        digest = hashlib.sha256(json.dumps([labels, systems, asdict(texts)], sort_keys=True).encode())
        digest.update(json.dumps([asdict(session) for session in sessions], sort_keys=True).encode())
        for name in sorted(self.sounds):
            digest.update(name.encode() + pcm_of(self.sounds[name]))
        stimuli = tuple(self.stimuli[name] for name in sorted(self.stimuli))
        key = Key(digest.hexdigest()[:12], labels, systems, stimuli, sessions)
        return Plan(key, self.sounds, self.sample_rate)


def pcm_of(samples: np.ndarray) -> bytes:
    """Samples in [-1, 1] as 16-bit integers."""
    return np.round(samples * 2**15).astype("<i2").tobytes()


def common_audio(manifests: Mapping[str, str | Path]) -> dict[str, dict[str, Path]]:
    """Paths by system and clip, of the clips that all systems have."""
    audio = {
        system: {entry.clip_id: Path(manifest).parent / entry.file for entry in read_manifest(manifest)}
        for system, manifest in manifests.items()
    }
    common = set.intersection(*(set(paths) for paths in audio.values()))
    return {system: {clip: path for clip, path in paths.items() if clip in common} for system, paths in audio.items()}


def audible(
    audio: Mapping[str, Mapping[str, Path]], items: int, key: str = "listening_test.design.items"
) -> dict[str, dict[str, Path]]:
    """What remains of `audio` without the clips whose recording has too little sound to be rated; they are told.

    Raises:
        UserError: Fewer than `items` remain, which the configuration sets as `key`.
    """
    unfit: dict[str, str] = {}
    for clip, path in audio[GROUND_TRUTH].items():
        recording = read_audio(path)
        if found := little_sound(recording.samples, recording.sample_rate):
            unfit[clip] = WORDS[found]
    told = ", ".join(f"{clip} ({why})" for clip, why in list(unfit.items())[:_UNFIT_SHOWN])
    told += f" and {len(unfit) - _UNFIT_SHOWN} more" if len(unfit) > _UNFIT_SHOWN else ""
    left = len(audio[GROUND_TRUTH]) - len(unfit)
    if left < items:
        without = f" without {len(unfit)} that have too little sound: {told}" if unfit else ""
        raise UserError(
            f"config key {key} is {items}, but only {left} clips exist in every system{without}; "
            f"generate more of them, or set items to at most {left}"
        )
    if unfit:
        log.warning(
            "Listening test: %d clips have too little sound to be rated and are not drawn: %s", len(unfit), told
        )
    return {
        system: {clip: path for clip, path in paths.items() if clip not in unfit} for system, paths in audio.items()
    }


def _training_systems(systems: Sequence[str] | Mapping[str, str | Path], generator: np.random.Generator) -> list[str]:
    """Systems to begin with: the best, the worst, then others at random, so that the whole scale is met."""
    others = [str(name) for name in generator.permutation([name for name in systems if name not in ANCHORS])]
    return [*ANCHORS, *others]
