"""The test for the P.808 Toolkit (Naderi and Cutler 2020), which crowdsources ratings: its lists of clips."""

import csv
from collections.abc import Sequence
from pathlib import Path

from vocoder_pareto.files import written_whole
from vocoder_pareto.listening_test.key import Stimulus
from vocoder_pareto.listening_test.plan import Plan


def write_p808(folder: str | Path, plan: Plan, base_url: str) -> None:
    """Write rating_clips.csv, training_clips.csv, gold_clips.csv and trapping_clips.csv below `folder`.

    The toolkit composes sessions by itself, so these list all stimuli; the sounds are those of our own page.

    Args:
        folder: to write to.
        plan: the test.
        base_url: address of the folder that the sounds are uploaded to.

    Raises:
        UserError: the folder cannot be written.
    """

    def write(name: str, columns: Sequence[str], stimuli: Sequence[Stimulus]) -> None:
        with written_whole(Path(folder) / name) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for stimulus in stimuli:
                address = f"{base_url.rstrip('/')}/{stimulus.name}.wav"
                writer.writerow([address, stimulus.expected][: len(columns)])

    write("rating_clips.csv", ["rating_clips"], plan.named("rating"))
    write("training_clips.csv", ["training_clips"], plan.named("training"))
    write("gold_clips.csv", ["gold_clips", "gold_clips_ans"], plan.named("gold"))
    write("trapping_clips.csv", ["trapping_clips", "trapping_ans"], plan.named("trap"))
