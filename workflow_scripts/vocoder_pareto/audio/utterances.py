"""The utterances that are judged: recordings of the test set, whole or their beginning, as a front end tells them.

Clips for training are equally long and begin each recording. What is judged is as long as people and predictors need to
hear, and never padded: an utterance is min(its recording, `evaluation.seconds`) long, the same stretch of time at every
sample rate. Where that ends inside a frame, vocoders get the frame whole (the recording goes on in it, or zeros follow
its end), and what they generate is cut again before it is compared.

Mel-spectrograms of unequal length lie in one file, one after the other in time: mels.npy (frames of all, bands).
utterances.csv has a row per utterance, in their order, with its number of frames. A file for each would be thousands of
small ones, which the file systems of clusters are slow with; a compressed archive could not be mapped. So whoever reads
arrays of the dataset reads these too.

Where 0 and 1 are the minimum and maximum of a spectrogram (`per_spectrogram`), they are those of the whole utterance.
For 1.024 s that is what training saw, and what the paper judges. Over a longer stretch the same loudness keeps the same
value, but seconds that are softer than the loudest lie lower than any clip that was trained on: docs/front_ends.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.comparison import Comparison
from vocoder_pareto.audio.dataset import open_array
from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.csv_files import read_csv, write_csv

RULE = "prepare_utterances"
COLUMNS = ("clip_id", "source", "row", "seconds", "frames", "range_minimum", "range_maximum")
_MEND = f"damaged ({{}}); delete it and rerun the rule `{RULE}`"


@dataclass(frozen=True)
class Utterance:
    """A row of utterances.csv.

    Attributes:
        clip_id: The identifier of the recording, unique and usable as a file name.
        source: Its file, relative to the folder of the corpus.
        row: Its row in clips.csv, from which the seed of its noise is derived.
        seconds: How much of it is judged, from its beginning.
        first_frame: Where its frames begin in mels.npy.
        frames: The number of its frames.
        value_range: What became 0 and 1 in its mel-spectrogram; 0 and 1 where no range is looked for.
    """

    clip_id: str
    source: str
    row: int
    seconds: float
    first_frame: int
    frames: int
    value_range: tuple[float, float]

    @property
    def end_frame(self) -> int:
        """Where its frames end in mels.npy."""
        return self.first_frame + self.frames

    def compared_at(self, sample_rate: int) -> Comparison:
        """The stretch of time that is judged of this utterance, at `sample_rate`."""
        return Comparison(sample_rate, self.seconds)

    def mel_in(self, mels: np.ndarray) -> np.ndarray:
        """Its mel-spectrogram (M, L), out of that of all utterances (frames of all, M)."""
        return mels[self.first_frame : self.end_frame].T


def write_utterances(path: str | Path, utterances: Iterable[Utterance]) -> None:
    """Write utterances.csv, whole or not at all.

    Raises:
        UserError: The file cannot be written.
    """
    rows = (
        (each.clip_id, each.source, each.row, f"{each.seconds:.6f}", each.frames, *each.value_range)
        for each in utterances
    )
    write_csv(path, COLUMNS, rows)


def read_utterances(path: str | Path) -> list[Utterance]:
    """All rows of utterances.csv, in their order.

    Raises:
        UserError: The file is missing or damaged.
    """
    if not Path(path).exists():
        raise UserError(f"{path}: no such file; run the rule `{RULE}`")
    utterances: list[Utterance] = []
    try:
        for row in read_csv(path).records():
            utterances.append(_parsed(row, utterances[-1].end_frame if utterances else 0))
    except (UserError, KeyError, ValueError) as error:
        raise UserError(f"{path}: {_MEND.format(error)}") from error
    if not utterances:
        raise UserError(f"{path}: {_MEND.format('no utterances')}")
    return utterances


def open_mels(path: str | Path, utterances: Sequence[Utterance], bands: int) -> np.ndarray:
    """The mel-spectrograms of `utterances`, one after the other: (frames of all, bands), memory-mapped.

    Raises:
        UserError: The file is missing, truncated, or of another shape or type.
    """
    return open_array(path, (utterances[-1].end_frame, bands), RULE)


def _parsed(row: dict[str, str], first_frame: int) -> Utterance:
    return Utterance(
        clip_id=row["clip_id"],
        source=row["source"],
        row=int(row["row"]),
        seconds=float(row["seconds"]),
        first_frame=first_frame,
        frames=int(row["frames"]),
        value_range=(float(row["range_minimum"]), float(row["range_maximum"])),
    )
