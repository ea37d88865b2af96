from pathlib import Path

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.scales import require_scale


def scores_of(lowest, highest, step, count=72, seed=0):
    """What a panel gives: four systems from good to bad, each score a step of the scale, the whole of it in use."""
    generator = np.random.default_rng(seed_of(seed))
    true = np.repeat([0.95, 0.7, 0.5, 0.15], count // 4) + generator.normal(scale=0.15, size=count)
    steps = round((highest - lowest) / step)
    return [float(lowest + step * np.clip(round(share * steps), 0, steps)) for share in true]


@pytest.mark.parametrize(
    ("lowest", "highest", "step", "named"),
    [
        (1, 10, 1, "1 to 10"), (0, 4, 1, "0 to 4"), (0, 10, 1, "0 to 10"), (1, 5, 0.5, "1 to 5 in half points"),
        (0, 100, 1, "0 to 100"), (1, 7, 1, "1 to 7"), (-3, 3, 1, "-3 to 3"), (0, 5, 1, "0 to 5"),
        (0, 1, 0.01, "0 to 1, any value"), (1, 5, 0.01, "1 to 5, any value"), (1, 9, 1, "1 to 9"),
    ],
)  # fmt: skip
def test_scores_of_another_scale_stop_with_its_name(lowest, highest, step, named):
    scores = [*scores_of(lowest, highest, step), lowest, highest]
    with pytest.raises(UserError, match=rf"a\.csv: .*look like a scale of {named}\. Map them to 1 to 5"):
        require_scale(Path("a.csv"), scores)


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_the_scale_pass(seed):
    require_scale(Path("a.csv"), scores_of(1, 5, 1, seed=seed))


def test_a_typing_error_or_two_in_a_hundred_are_no_other_scale():
    require_scale(Path("a.csv"), [*scores_of(1, 5, 1), 5, 55])
    require_scale(Path("a.csv"), [*scores_of(1, 5, 1, count=200), 5, 0, 6])


def test_a_single_zero_shows_a_shifted_scale_where_nothing_has_the_highest_score():
    with pytest.raises(UserError, match="look like a scale of 0 to 4"):
        require_scale(Path("a.csv"), [1, 2, 3, 4] * 50 + [0])


def test_a_single_half_point_shows_another_scale():
    with pytest.raises(UserError, match=r"1 of 201 scores are no whole numbers from 1 to 5 \(3\.5\)"):
        require_scale(Path("a.csv"), [1, 2, 3, 4, 5] * 40 + [3.5])


def test_scores_of_no_known_scale_are_told_with_their_range():
    with pytest.raises(UserError, match="they go from -200 to 1000"):
        require_scale(Path("a.csv"), [-200, 1000, 3])


def test_no_scores_are_of_no_scale():
    require_scale(Path("a.csv"), [])
