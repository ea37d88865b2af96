"""Whether scores are of the scale of the test, and which scale they look like if they are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE, LOWEST_SCORE

LARGEST_SHARE_OFF = 0.03  # of the scores of a file, as typing errors; more of them are another scale
_EXAMPLES = 3


@dataclass(frozen=True)
class Scale:
    """A scale that listening tests use: from `lowest` to `highest` in steps of `step`, 0 for any value between."""

    lowest: float
    highest: float
    step: float = 1

    def holds(self, score: float) -> bool:
        """Whether a score is on the scale."""
        steps = (score - self.lowest) / self.step if self.step else 0
        return self.lowest <= score <= self.highest and steps == round(steps)

    def __str__(self) -> str:
        how = {1: "", 0.5: " in half points"}.get(self.step, ", any value")
        return f"{self.lowest:g} to {self.highest:g}{how}"


OURS = Scale(LOWEST_SCORE, HIGHEST_SCORE)
# Of those that hold all scores, the first is named.
OTHERS = (
    Scale(0, 4), Scale(0, 5), Scale(1, 5, 0.5), Scale(0, 5, 0.5), Scale(1, 7), Scale(0, 6), Scale(1, 9), Scale(1, 10),
    Scale(0, 10), Scale(-3, 3), Scale(0, 1, 0), Scale(0, 100), Scale(1, 5, 0), Scale(0, 10, 0.5), Scale(0, 100, 0),
)  # fmt: skip


def require_scale(path: Path, scores: Sequence[float]) -> None:
    """Refuse the scores of a file that were given on another scale than 1 to 5 in whole points.

    So they were if a score lies between two points, if there are zeros and no highest score, or if more than one score
    and 3 % of them are off the scale; fewer are typing errors.

    Raises:
        UserError: It says which scale the scores look like.
    """
    off = [score for score in scores if not OURS.holds(score)]
    broken = any(score != round(score) for score in off)
    shifted = min(scores, default=LOWEST_SCORE) == 0 and max(scores) < HIGHEST_SCORE
    if not (broken or shifted or (len(off) > 1 and len(off) > LARGEST_SHARE_OFF * len(scores))):
        return
    likely = next((scale for scale in OTHERS if all(map(scale.holds, scores))), None)
    examples = ", ".join(f"{score:g}" for score in sorted(set(off))[:_EXAMPLES])
    looks = f"they look like a scale of {likely}" if likely else f"they go from {min(scores):g} to {max(scores):g}"
    raise UserError(
        f"{path}: {len(off)} of {len(scores)} scores are no whole numbers from {OURS} ({examples}); {looks}. Map them "
        f"to {OURS}, or correct these rows"
    )
