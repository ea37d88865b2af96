"""The spread that training alone makes, against simulations whose truth is known, and in the table of all systems."""

import numpy as np
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.analysis.replicates import TrainingSpread, groups_of_replicates, training_spread
from vocoder_pareto.intervals import mean_with_interval

CLIPS, SEEDS, SYSTEMS = 12, 3, 2


def summary(size, seed, steps=100, **run):
    system = {"model": "hifigan", "size": size, "architecture": {"channels": 64}, "recipe": {}}
    return {"steps": steps, "settings": {"system": system, "run": {"hours": 1.0, "workers": 0, **run}, "seed": seed}}


def coverages(spread_of_training, studies=3000):
    """How often the interval of the first training holds the mean over all trainings and clips: with V, and without.

    Clips are as hard as they are for all systems alike, and each training meets each clip in its own way.
    """
    generator = np.random.default_rng(seed_of(0))
    covered = np.zeros(2)
    for _ in range(studies):
        hard = generator.normal(0, 0.3, CLIPS)
        moved = generator.normal(0, spread_of_training, (SYSTEMS, SEEDS, 1))
        values = 5 + hard + moved + generator.normal(0, 0.2, (SYSTEMS, SEEDS, CLIPS))
        interval = mean_with_interval(values[0, 0].tolist())
        spread = training_spread(values.mean(axis=2).tolist())
        wider, _ = spread.widened(interval.half_width, CLIPS - 1)
        covered += abs(interval.mean - 5) <= np.array([wider, interval.half_width])
    return covered / studies


@pytest.mark.parametrize("spread_of_training", [0.0, 0.1, 0.3])
def test_an_interval_of_one_training_holds_the_truth_of_its_system_in_95_of_100_studies(spread_of_training):
    """Three seeds of two systems: four degrees of freedom. 3000 studies tell 0.95 to within 0.012, in three errors."""
    with_spread, without = coverages(spread_of_training)
    assert 0.935 <= with_spread <= 0.995
    if spread_of_training == 0.3:
        assert without < 0.6, "what a study of single trainings would print"


def test_the_spread_is_the_mean_square_within_groups_of_an_analysis_of_variance():
    """By SciPy's one-way analysis, whose F is the mean square between groups over that within."""
    groups = [[0.3, 0.35, 0.28], [0.9, 0.82, 0.95, 0.7]]
    spread = training_spread(groups)
    sizes, means = np.array([3, 4]), np.array([np.mean(group) for group in groups])
    between = np.sum(sizes * (means - np.mean(np.concatenate(groups))) ** 2)
    assert between / spread.variance == pytest.approx(stats.f_oneway(*groups).statistic)
    assert spread.degrees_of_freedom == 5


def test_without_two_known_replicates_nothing_is_known_of_the_spread():
    assert training_spread([]) is None
    assert training_spread([[0.3], [0.5, None], [float("nan"), 0.4]]) is None


def test_a_spread_of_nothing_leaves_an_interval_as_it_is_and_one_of_training_alone_has_its_degrees_of_freedom():
    assert TrainingSpread(0.0, 4).widened(0.2, 9) == pytest.approx((0.2, 9))
    half_width, freedom = TrainingSpread(0.04, 4).widened(0.0, 9)
    assert freedom == pytest.approx(4)
    assert half_width == pytest.approx(0.2 * stats.t.ppf(0.975, 4))
    assert TrainingSpread(0.0, 4).widened(0.0, 9) == (0.0, 9)


def test_replicates_differ_in_their_seed_and_size_alone():
    summaries = {
        "hifigan-XXS": summary("XXS", 0),
        "hifigan-XS": {**summary("XS", 0), "settings": {**summary("XS", 0)["settings"], "system": {"model": "x"}}},
        "hifigan-XXS_1": summary("XXS_1", 1, workers=4),  # which no weights depend on
        "hifigan-again": summary("again", 1),  # the same weights as those above
        "hifigan-long": summary("long", 2, hours=2.0),
        "hifigan-given": {**summary("given", 3), "checkpoint": "g.pt"},
        "hifigan-untrained": summary("untrained", 4, steps=0),
        "hifigan-old": {"steps": 9},
    }
    assert groups_of_replicates(summaries) == {"hifigan-XXS": ["hifigan-XXS", "hifigan-XXS_1"]}


def test_trainings_whose_audio_was_made_in_other_ways_are_no_replicates():
    """Another sampling of the same weights' family, another front end, or more training than the budget of today."""
    first, second, third = (summary(size, seed) for seed, size in enumerate(("XXS", "XXS_1", "XXS_2")))
    summaries = {"hifigan-XXS": first, "hifigan-XXS_1": second, "hifigan-XXS_2": third}
    assert groups_of_replicates(summaries) == {"hifigan-XXS": list(summaries)}
    ways = {"hifigan-XXS": {"steps": 50}, "hifigan-XXS_1": {}, "hifigan-XXS_2": {}}
    assert groups_of_replicates(summaries, ways) == {"hifigan-XXS_1": ["hifigan-XXS_1", "hifigan-XXS_2"]}
    sampled = {**first["settings"]["system"], "sampling": {"steps": 50}}
    other = {**first, "settings": {**first["settings"], "system": sampled}}
    assert groups_of_replicates({**summaries, "hifigan-XXS": other}) == groups_of_replicates(summaries, ways)
    for change in ({"front_end": {"logarithm": "dB"}}, {"seconds": 2 * 3600.0}):
        assert groups_of_replicates({**summaries, "hifigan-XXS": {**first, **change}}) == groups_of_replicates(
            summaries, ways
        )
    nearly = {**first, "seconds": 1.01 * 3600}
    assert groups_of_replicates({**summaries, "hifigan-XXS": nearly}) == {"hifigan-XXS": list(summaries)}
