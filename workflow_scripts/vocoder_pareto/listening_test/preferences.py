"""What a test of pairs says: how many prefer which system, a sign test, and a mean with an interval.

Answers of one person are not independent, nor are those to one clip. So the sign test counts people, and the interval
of the mean holds for other people and other clips.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.intervals import student_quantile_95
from vocoder_pareto.listening_test.comparisons import holm_adjusted
from vocoder_pareto.listening_test.paired_answers import Preference


def preference_table(preferences: Sequence[Preference], pairs: Sequence[tuple[str, str]], alpha: float) -> pd.DataFrame:
    """A row for each pair of systems a and b; positive numbers speak for a.

    Columns: system_a, system_b; n_answers, of which n_for_a, n_for_b and n_ties; n_participants, n_items;
    mean_score (the CMOS; with the scale ab, the balance of preferences from -1 to 1) with mean_score_ci95_low and
    mean_score_ci95_high for other participants and items, empty where there are fewer than two of either;
    n_participants_for_a and n_participants_for_b, by the sum of each one's answers; p_value of the exact two-sided sign
    test on these (ties left out), p_holm over all pairs, significant.

    Args:
        preferences: The answers that count.
        pairs: The pairs of the test.
        alpha: The level of significance.
    """
    rows = []
    for a, b in pairs:
        of_pair = [each for each in preferences if {each.first, each.system} == {a, b}]
        answers = pd.DataFrame(
            [(each.participant, each.utterance, each.rating if each.system == a else -each.rating) for each in of_pair],
            columns=["participant", "item", "score"],
        )
        rows.append({"system_a": a, "system_b": b, **_summary(answers)})
    table = pd.DataFrame(rows)
    table["p_holm"] = holm_adjusted(table["p_value"].to_numpy(float))
    table["significant"] = (table["p_holm"] < alpha).astype("boolean").where(table["p_holm"].notna())
    return table


def _summary(answers: pd.DataFrame) -> dict[str, float]:
    scores = answers["score"]
    by_participant = answers.groupby("participant")["score"].sum()
    for_a, for_b = int((by_participant > 0).sum()), int((by_participant < 0).sum())
    low, high = crossed_interval(answers)
    return {
        "n_answers": len(scores),
        "n_for_a": int((scores > 0).sum()),
        "n_for_b": int((scores < 0).sum()),
        "n_ties": int((scores == 0).sum()),
        "n_participants": len(by_participant),
        "n_items": answers["item"].nunique(),
        "mean_score": float(scores.mean()) if len(scores) else float("nan"),
        "mean_score_ci95_low": low,
        "mean_score_ci95_high": high,
        "n_participants_for_a": for_a,
        "n_participants_for_b": for_b,
        "p_value": sign_test(for_a, for_b) if len(scores) else float("nan"),
    }


def sign_test(for_a: int, for_b: int) -> float:
    """The exact two-sided p-value that `for_a` and `for_b` come of a fair coin; 1 where nobody prefers anything."""
    return float(stats.binomtest(for_a, for_a + for_b).pvalue) if for_a + for_b else 1.0


def crossed_interval(answers: pd.DataFrame) -> tuple[float, float]:
    """The 95 % interval of the mean of `score` for other participants and other items, both drawn at random.

    The variance of the mean is that of clusters in two directions (Cameron, Gelbach and Miller 2011, section 2): of
    participants, plus of items, minus of single answers; never less than the larger of the first two. Student's t has
    Satterthwaite's degrees of freedom. Answers may be missing.

    Args:
        answers: Rows with the columns participant, item, score.

    Returns:
        The bounds, NaN where there are fewer than two participants or two items.
    """
    counts = (answers["participant"].nunique(), answers["item"].nunique())
    if min(counts) < 2:
        return float("nan"), float("nan")
    mean, total = answers["score"].mean(), len(answers)
    residuals = answers.assign(score=answers["score"] - mean)

    def variance(names: list[str]) -> tuple[float, int]:
        sums = residuals.groupby(names)["score"].sum()
        return float(np.sum(sums**2)) / total**2 * len(sums) / (len(sums) - 1), len(sums) - 1

    participants, items = variance(["participant"]), variance(["item"])
    single = variance(["participant", "item"])
    both = max(participants[0] + items[0] - single[0], participants[0], items[0])
    if not both:
        return float(mean), float(mean)
    # Components that vary on their own: each enters with its own degrees of freedom.
    squares = sum(each**2 / degrees for each, degrees in (participants, items, single))
    half = student_quantile_95(max(both**2 / squares, 1.0)) * both**0.5
    return float(mean - half), float(mean + half)
