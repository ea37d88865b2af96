"""Divergence: what is remembered of it, so that no retry replays it for ever, and how a training goes on after it.

The noise and the order of the data depend on the seed and the step alone, so a training that resumes meets the same
batches again, and in the end the same NaN.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json

DIVERGENCES_FILE = "divergences.json"


class Diverged(UserError):
    """A loss or a weight is NaN or infinite.

    Args:
        step: The step after which it was so.
        what: What it was, in words.
        last_good: The state before, as messages name it.
    """

    def __init__(self, step: int, what: str, last_good: str):
        super().__init__(f"training diverged: {what}; last good state: {last_good}")
        self.step, self.what, self.last_good = step, what, last_good


@dataclass(frozen=True)
class Divergence:
    """A divergence of the past.

    Attributes:
        step: The step after which a loss or weight was not finite.
        what: Which, in words.
        resumes_at: The step of the newest state at that time, from which the next piece goes on; 0 for none.
    """

    step: int
    what: str
    resumes_at: int

    def is_same(self, other: "Divergence") -> bool:
        """Whether `other` is this one again: the same value at the same step, or no state further on."""
        return (self.step, self.what) == (other.step, other.what) or self.resumes_at == other.resumes_at


class Divergences:
    """The divergences of the training whose state lies in `folder`."""

    def __init__(self, folder: Path):
        self.file = folder / DIVERGENCES_FILE

    def read(self) -> list[Divergence]:
        """Return them, the first one first; none where the file is missing or damaged."""
        try:
            return [Divergence(**each) for each in json.loads(self.file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def add(self, error: Diverged, resumes_at: int) -> None:
        """Remember a further one; `resumes_at` is the step of the newest state, 0 for none.

        Raises:
            UserError: The file cannot be written.
        """
        write_json(self.file, [asdict(each) for each in (*self.read(), Divergence(error.step, error.what, resumes_at))])

    def refuse_repetition(self, resumes_at: int, way_on: str) -> None:
        """Refuse to train where the last two divergences were the same, and the training would begin where they did.

        Args:
            resumes_at: The step of the state that the training would go on from, 0 for none.
            way_on: What can be done, in words that end the message.

        Raises:
            UserError: It would diverge again.
        """
        past = self.read()[-2:]
        if len(past) == 2 and past[0].is_same(past[1]) and past[1].resumes_at == resumes_at:
            raise UserError(
                f"{self.file}: training diverged twice after step {resumes_at} ({past[0].what}; {past[1].what}) and "
                f"would do so again; {way_on}. To try it once more as it is, delete that file"
            )
