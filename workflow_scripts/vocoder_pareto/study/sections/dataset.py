"""The recordings, and the clips that are cut from them."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import STRICT

Source = Literal["synthetic", "ljspeech", "folder"]


@dataclass(frozen=True, config=STRICT)
class DatasetSettings:
    """Which recordings there are, and how clips are cut from them. Programs get it without `path`."""

    source: Source = "synthetic"
    """synthetic: speech by eSpeak NG, no download | ljspeech: LJSpeech 1.1 | folder: any folder of mono WAV or FLAC
    files."""

    path: OptionalPath = None
    """ljspeech: the folder LJSpeech-1.1, or LJSpeech-1.1.tar.bz2, or null to download it (2.6 GB) to data/. folder: the
    folder; folders inside it count too. synthetic: null."""

    clips: int | None = Field(default=40, ge=2)
    """How many recordings to use, the first in sorted order; null for all. synthetic: 20 to 13100 (null: 13100)."""

    voices: tuple[str, ...] = Field(default=("en-us",), min_length=1)
    """Voices of eSpeak NG that take turns in a synthetic corpus: languages (en-us, en, en-029, en-gb-x-rp,
    en-gb-scotland), if wanted with a variant without breath (en-us+f4, en-us+m3). Not used by other sources."""

    test_share: float = Field(default=0.2, gt=0, lt=1)
    """Part of the clips that is the test set: the last in sorted order, at least one clip. More than 0, less than 1."""

    on_bad_clip: Literal["error", "skip"] = "error"
    """A recording that is missing, truncated, not mono, empty, not a number anywhere, or in LJSpeech not of 22050 Hz:
    error (end before anything is computed) | skip (leave it out and list it in skipped.csv of the dataset)."""

    clip_seconds: float = Field(default=1.024, gt=0)
    """Seconds of a clip: the beginning of each recording, followed by zeros where it is shorter. Where these are no
    whole number of frames of a front end, its clips last to the end of the frame, and audio is cut before it is
    compared. 1.024 s at 16000 Hz are 64 frames of 256 samples."""
