"""A corpus of synthetic speech in the layout of LJSpeech: for trying out the study without a download."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vocoder_pareto.audio import espeak
from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.companions import forget_companions, record_companions

MIN_CLIPS, MAX_CLIPS = 20, 13100  # at most as many as LJSpeech has

# Seven speeds and six pitches go round side by side: the sentences can be said 42 times, always in another way.
_WORDS_PER_MINUTE = (175, 160, 190, 145, 205, 168, 182)
_PITCHES = (50, 42, 58, 36, 64, 54)


@dataclass(frozen=True)
class Utterance:
    """What one clip says, and how.

    Attributes:
        clip_id: The identifier of the clip, which names its file.
        text: The text that is spoken.
        voice: The voice of eSpeak NG.
        words_per_minute: The speed in words per minute.
        pitch: The pitch on eSpeak NG's scale, 0 to 99.
    """

    clip_id: str
    text: str
    voice: str
    words_per_minute: int
    pitch: int


def read_sentences(path: str | Path) -> list[str]:
    """The sentences of a text file, one per line; lines that begin with # are comments.

    Raises:
        UserError: The file is missing, holds no sentence, one twice, or one with the separator of metadata.csv.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    sentences = [line for line in lines if line and not line.startswith("#")]
    if not sentences:
        raise UserError(f"{path}: holds no sentence; write one per line")
    for sentence in sentences:
        if "|" in sentence:
            raise UserError(f"{path}: {sentence!r} holds '|', which separates the columns of metadata.csv; remove it")
    if len(set(sentences)) < len(sentences):
        twice = next(sentence for sentence in sentences if sentences.count(sentence) > 1)
        raise UserError(f"{path}: holds {twice!r} twice; keep it once")
    return sentences


def plan_utterances(sentences: Sequence[str], clips: int | None, voices: Sequence[str]) -> list[Utterance]:
    """What `clips` clips say (13,100, if None), all of them distinct.

    Each sentence comes once, then pairs of them at other speeds and pitches, so that the first clips of a large corpus
    are those of a small one. Voices take turns.

    Raises:
        UserError: `clips` are too few or too many, or there is no voice.
    """
    most = min(MAX_CLIPS, len(sentences) * len(_WORDS_PER_MINUTE) * len(_PITCHES))
    clips = most if clips is None else clips
    if not MIN_CLIPS <= clips <= most:
        raise UserError(
            f"config key dataset.clips: {clips} is not allowed; a synthetic corpus has {MIN_CLIPS} to {most} clips "
            f"({len(sentences)} sentences)"
        )
    if not voices:
        raise UserError("config key dataset.voices: empty; name at least one voice, such as en-us")
    utterances = []
    for index in range(clips):
        turn, position = divmod(index, len(sentences))
        text = sentences[position]
        if turn:
            text += " " + sentences[(position + turn) % len(sentences)]
        utterances.append(
            Utterance(
                clip_id=f"synthetic-{index + 1:05d}",
                text=text,
                voice=voices[index % len(voices)],
                words_per_minute=_WORDS_PER_MINUTE[turn % len(_WORDS_PER_MINUTE)],
                pitch=_PITCHES[turn % len(_PITCHES)],
            )
        )
    return utterances


def synthesize_corpus(
    sentences: Sequence[str], clips: int | None, voices: Sequence[str], metadata: str | Path, processes: int = 1
) -> None:
    """Write `wavs/*.wav` (22,050 Hz, PCM16, mono) beside `metadata`, then `metadata` (`id|text|normalised text`).

    Equal arguments give equal bytes, for any number of processes. While metadata.csv is missing, the corpus is not
    complete; a rerun begins anew.

    Args:
        sentences: The sentences that are spoken, from `read_sentences`.
        clips: The number of clips, 20 to 13,100; None for as many as the sentences allow.
        voices: The voices of eSpeak NG, which take turns.
        metadata: metadata.csv to write.
        processes: The number of processes that speak at once, at least 1.

    Raises:
        UserError: An argument is not allowed, a voice does not exist, or the folder cannot be written.
    """
    metadata = Path(metadata)
    utterances = plan_utterances(sentences, clips, voices)
    folder = metadata.parent / "wavs"
    try:
        metadata.unlink(missing_ok=True)
        forget_companions(metadata)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("synthetic-*.wav"):  # by name, so that no recording is lost to a wrong path
            old.unlink()
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); mend its permissions") from error
    for _ in map_in_processes(partial(_speak_to_file, folder), utterances, processes, "Synthesising speech", 64):
        pass
    lines = [f"{utterance.clip_id}|{utterance.text}|{utterance.text}\n" for utterance in utterances]
    record_companions(metadata, [folder / f"{utterance.clip_id}.wav" for utterance in utterances])
    write_text(metadata, "".join(lines))


def _speak_to_file(folder: Path, utterance: Utterance) -> None:
    pcm = espeak.synthesize_speech(utterance.text, utterance.voice, utterance.words_per_minute, utterance.pitch)
    samples = np.frombuffer(pcm, dtype=np.int16) / np.float32(2**15)
    write_wav(folder / f"{utterance.clip_id}.wav", samples, espeak.SAMPLE_RATE)
