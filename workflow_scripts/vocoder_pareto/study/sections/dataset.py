"""The recordings, the clips that are cut from them, and their mel-spectrograms."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import FilePath, OptionalPath
from vocoder_pareto.study.settings import STRICT

Source = Literal["synthetic", "ljspeech", "folder"]
Channels = Literal["mix", "first", "error"]


@dataclass(frozen=True, config=STRICT)
class ListedTestSet:
    """A test set that is written down."""

    file: FilePath
    """A text file that names a recording a line: its file relative to dataset.path, or its clip; what follows a | does
    not count."""


@dataclass(frozen=True, config=STRICT)
class DatasetSettings:
    """Which recordings there are, and how clips are cut from them. Programs get it without `path`."""

    source: Source = "synthetic"
    """synthetic: speech by eSpeak NG, no download | ljspeech: LJSpeech 1.1 | folder: any folder of WAV, FLAC, OGG,
    Opus, MP3, AIFF and what else libsndfile reads; recordings that it does not read are listed in
    dataset/skipped.csv."""

    path: OptionalPath = None
    """ljspeech: the folder LJSpeech-1.1, or LJSpeech-1.1.tar.bz2, or null to download it (2.6 GB) to data/. folder: the
    folder; folders inside it count too. synthetic: null."""

    clips: int | None = Field(default=40, ge=2)
    """How many recordings to use, the first in sorted order; null for all. synthetic: 20 to 13100 (null: 13100)."""

    voices: tuple[str, ...] = Field(default=("en-us",), min_length=1)
    """Voices of eSpeak NG that take turns in a synthetic corpus: languages (en-us, en, en-029, en-gb-x-rp,
    en-gb-scotland), if wanted with a variant without breath (en-us+f4, en-us+m3). Not used by other sources."""

    test_share: float = Field(default=0.2, gt=0, lt=1)
    """Part of the clips that is the test set, at least one clip; more than 0, less than 1. Not used with a list."""

    split: Literal["tail", "random"] | ListedTestSet | None = None
    """Which clips are the test set: tail (the last in sorted order) | random (drawn with the seed, from every folder
    its share to within one clip, and used in random order) | {file: list.txt} (those that a text file names, one a
    line: a file relative to dataset.path, or a clip). null: random for a folder, where the last names often are those
    of one speaker, else tail."""

    channels: Channels = "mix"
    """A recording of several channels: mix (take their mean) | first (take the first one) | error (it is bad)."""

    on_bad_clip: Literal["error", "skip"] = "error"
    """A recording that is missing, truncated, empty, not a number anywhere, far outside of [-1, 1], in LJSpeech not of
    22050 Hz, or of several channels where these are an error: error (end before anything is computed) | skip (leave it
    out). Either way dataset/skipped.csv lists what was left out, and why."""

    sample_rate: int = Field(default=16000, ge=1)
    """Sample rate of the clips, in Hz. Recordings of another rate are resampled."""

    clip_samples: int = Field(default=16384, ge=1)
    """Samples of a clip: the beginning of each recording, followed by zeros where it is shorter. A multiple of
    mel.hop_length. 16384 samples at 16000 Hz are 1.024 s."""


@dataclass(frozen=True, config=STRICT)
class MelSettings:
    """The mel-spectrograms that vocoders turn into audio."""

    n_fft: int = Field(default=2048, ge=2)
    """Samples of an analysis window, and of its Fourier transform. HiFi-GAN's loss has a front end of its
    own, models.hifigan.training.mel_front_end and mel_n_fft (1024)."""

    hop_length: int = Field(default=256, ge=1)
    """Samples between frames; each frame becomes so many samples of audio. At most n_fft. 256 at 16000 Hz is 16 ms."""

    n_mels: int = Field(default=80, ge=1)
    """Mel bands. Every model takes as many."""

    normalization: Literal["per_spectrogram", "dataset"] = "per_spectrogram"
    """Whose minimum and maximum become 0 and 1: per_spectrogram (as the paper says; loudness is lost) | dataset (those
    of the whole set, as the authors' code does; loudness is kept)."""
