"""The recordings, and the clips that are cut from them."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import FilePath, OptionalPath
from vocoder_pareto.study.settings import STRICT

Source = Literal["synthetic", "ljspeech", "cmu_arctic", "folder"]
ArcticVoice = Literal[
    "aew", "ahw", "aup", "awb", "axb", "bdl", "clb", "eey", "fem", "gka", "jmk", "ksp", "ljm", "lnh", "rms", "rxr",
    "slp", "slt",
]  # fmt: skip
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
    """synthetic: speech by eSpeak NG, no download | ljspeech: LJSpeech 1.1 | cmu_arctic: CMU ARCTIC, one voice of
    natural speech at 16000 Hz | folder: any folder of WAV, FLAC, OGG,
    Opus, MP3, AIFF and what else libsndfile reads; recordings that it does not read are listed in
    skipped.csv of the dataset."""

    path: OptionalPath = None
    """ljspeech: the folder LJSpeech-1.1, or LJSpeech-1.1.tar.bz2, or null to download it (2.6 GB) to data/. cmu_arctic:
    the folder cmu_us_slt_arctic (of arctic_voice), or cmu_us_slt_arctic.tar.bz2, or null to download it (about 100 MB).
    folder: the folder; folders inside it count too. synthetic: null."""

    clips: int | None = Field(default=40, ge=2, le=10_000_000)
    """How many recordings to use, the first in sorted order; null for all. synthetic: 20 to 13100 (null: 13100)."""

    voices: tuple[str, ...] = Field(default=("en-us",), min_length=1)
    """Voices of eSpeak NG that take turns in a synthetic corpus: languages (en-us, en, en-029, en-gb-x-rp,
    en-gb-scotland), if wanted with a variant without breath (en-us+f4, en-us+m3). Not used by other sources."""

    arctic_voice: ArcticVoice = "slt"
    """The voice of CMU ARCTIC, which its files are named by. Not used by other sources."""

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
    """A recording that is missing, truncated, empty, not a number anywhere, far outside of [-1, 1], of another rate
    than its corpus (LJSpeech: 22050 Hz, CMU ARCTIC: 16000 Hz), or of several channels where these are an error: error
    (end before anything is computed) | skip (leave it out). Either way skipped.csv of the dataset lists what was left
    out, and why."""

    clip_seconds: float = Field(default=1.024, gt=0, le=600)
    """Seconds of a clip to train on (> 0): the beginning of each recording, followed by zeros where it is shorter.
    Where these are no whole number of frames of a front end, its clips last to the end of the frame. 1.024 s at
    16000 Hz are 64 frames of 256 samples. What is judged is set by evaluation.seconds."""
