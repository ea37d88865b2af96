import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from panels import DEVIATIONS, crossed, mean_squares, ratings_of, table_of
from seeds import seed_of

from vocoder_pareto.listening_test.crossed_effects import COMPONENTS, EFFECTS, OWN, CrossedDesign

TRUE_VARIANCES = np.array([DEVIATIONS[name] ** 2 for name in COMPONENTS])


def incomplete(design, share, generator):
    """Some of the ratings of a design, at random."""
    kept = np.sort(generator.permutation(len(design.system))[: round(share * len(design.system))])
    return CrossedDesign(design.systems, design.system[kept], design.participant[kept], design.utterance[kept])


def test_expectations_equal_the_traces_of_whole_matrices():
    """The outside is the definition, tr(Q Z Zᵀ Q Z' Z'ᵀ), with matrices of N × N, in an incomplete design."""
    design = incomplete(crossed(3, 5, 4), 0.7, np.random.default_rng(seed_of(0)))
    size = len(design.system)
    of_system = (design.system[:, None] == design.system).astype(float)
    removal = np.eye(size) - of_system / of_system.sum(axis=1, keepdims=True)
    shared = [
        np.all([getattr(design, name)[:, None] == getattr(design, name) for name in columns], axis=0).astype(float)
        for columns in EFFECTS.values()
    ]
    shared.append(np.eye(size))
    expected = [[np.trace(removal @ one @ removal @ other) for other in shared] for one in shared]
    assert design.expectations == pytest.approx(np.array(expected))
    for effect in OWN:
        one = shared[COMPONENTS.index(effect)]
        of_each = [one * (design.system == system) for system in range(3)]  # its levels are within systems
        own = [[np.trace(removal @ each @ removal @ other) for other in shared] for each in of_each]
        assert design.own_expectations[effect] == pytest.approx(np.array(own))
    weights = (np.arange(3)[:, None] == design.system) / np.bincount(design.system)[:, None]
    assert design.shares == pytest.approx(np.stack([weights @ one @ weights.T for one in shared]))


def test_variances_of_one_system_equal_those_of_the_analysis_of_variance():
    """The outside is the table of a two-way layout without replication (Searle, Casella and McCulloch 1992, 4.2)."""
    design = crossed(1, 20, 16)
    ratings = ratings_of(design, [3.0], np.random.default_rng(seed_of(1)))
    of_people, of_sentences, left = mean_squares(ratings.reshape(20, 16))
    variances = dict(zip(COMPONENTS, design.estimate(ratings[:, None]).variances[:, 0], strict=True))
    # With one system, its own effects are those of listeners and sentences; they share what is found.
    assert variances["listener"] + variances["system_listener"] == pytest.approx((of_people - left) / 16)
    assert variances["sentence"] + variances["system_sentence"] == pytest.approx((of_sentences - left) / 20)
    assert variances["listener_sentence"] + variances["residual"] == pytest.approx(left)


def test_variances_of_one_system_equal_those_of_statsmodels():
    """The outside is restricted maximum likelihood with crossed effects, equal to the above in a complete design."""
    design = crossed(1, 20, 16)
    ratings = ratings_of(design, [3.0], np.random.default_rng(seed_of(1)))
    effects = {"listener": "0 + C(participant)", "sentence": "0 + C(utterance)"}
    table = table_of(design, ratings).assign(everyone=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = smf.mixedlm("rating ~ 1", table, groups="everyone", vc_formula=effects).fit()
    variances = dict(zip(COMPONENTS, design.estimate(ratings[:, None]).variances[:, 0], strict=True))
    found = [
        variances["listener"] + variances["system_listener"],
        variances["sentence"] + variances["system_sentence"],
        variances["listener_sentence"] + variances["residual"],
    ]
    assert found == pytest.approx([*fitted.vcomp, fitted.scale], rel=0.02, abs=1e-3)


def test_variances_of_several_systems_equal_those_of_the_analysis_of_variance():
    """The outside is the three-way table; systems spread alike here, so that no scale differs."""
    systems, people, sentences = 6, 30, 20
    design = crossed(systems, people, sentences)
    generator = np.random.default_rng(seed_of(2))
    ratings = ratings_of(design, [3.0] * systems, generator)
    cells = ratings.reshape(systems, people, sentences)
    cells = cells - cells.mean(axis=(1, 2), keepdims=True)
    cells /= np.sqrt(np.mean(cells**2, axis=(1, 2), keepdims=True))
    of_people, of_sentences, of_both = mean_squares(cells.mean(axis=0))
    own = cells - cells.mean(axis=0)
    of_system_people = np.sum(own.mean(axis=2) ** 2) * sentences / ((systems - 1) * (people - 1))
    of_system_sentences = np.sum(own.mean(axis=1) ** 2) * people / ((systems - 1) * (sentences - 1))
    left = own - own.mean(axis=2, keepdims=True) - own.mean(axis=1, keepdims=True)
    left = np.sum(left**2) / ((systems - 1) * (people - 1) * (sentences - 1))
    expected = [
        (systems * of_people - systems * of_both - of_system_people + left) / (systems * sentences),
        (systems * of_sentences - systems * of_both - of_system_sentences + left) / (systems * people),
        (systems * of_both - left) / systems,
        (of_system_people - left) / sentences,
        (of_system_sentences - left) / people,
        left,
    ]
    assert design.estimate(cells.reshape(-1, 1)).variances[:, 0] == pytest.approx(expected)


@pytest.mark.parametrize(("sizes", "share"), [((8, 12, 8, 2), 1.0), ((4, 12, 8, 1), 0.6)])
def test_variances_are_right_in_the_mean_where_not_everyone_rated_everything(sizes, share):
    """The outside is the truth of simulated ratings, of 400 panels, within five standard errors of their mean."""
    generator = np.random.default_rng(seed_of(3))
    design = incomplete(crossed(*sizes), share, generator)
    ratings = np.stack([ratings_of(design, np.zeros(sizes[0]), generator) for _ in range(400)], axis=1)
    variances = design.estimate(ratings).variances
    errors = variances.std(axis=1) / np.sqrt(400)
    # Where variances would be negative they are cut off, which adds a little.
    assert np.all(np.abs(variances.mean(axis=1) - TRUE_VARIANCES) < 5 * errors + 0.01)


def test_a_system_that_suits_some_sentences_only_has_a_larger_variance_of_its_own():
    """The outside is the truth: variances of 0.25 for one of six systems and 0.01 for the others, of 100 panels."""
    design = crossed(6, 20, 20)
    generator = np.random.default_rng(seed_of(7))
    deviations = DEVIATIONS | {"system_sentence": np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])}
    ratings = np.stack([ratings_of(design, np.zeros(6), generator, deviations) for _ in range(100)], axis=1)
    estimates = design.estimate(ratings)
    of_sentences = np.mean(estimates.own[OWN.index("system_sentence")] * estimates.scales**2, axis=1)
    assert of_sentences[0] == pytest.approx(0.25, rel=0.3)  # drawn towards the shared one
    assert of_sentences[1:] == pytest.approx(0.01, abs=0.02)


def test_ratings_given_again_have_the_covariance_that_the_model_says():
    design = crossed(3, 8, 6, lists=3)
    generator = np.random.default_rng(seed_of(4))
    fitted = design.estimate(ratings_of(design, [2.0, 3.0, 4.0], generator)[:, None])
    again = np.concatenate(
        [design.estimate(each).means for each in design.replicates(fitted, 20_000, generator)], axis=1
    )
    expected = design.covariance(fitted)[0]
    assert np.cov(again) == pytest.approx(expected, abs=0.06 * expected.max())
    assert again.mean(axis=1) == pytest.approx(0, abs=5 * np.sqrt(expected.max() / 20_000))


def test_a_system_that_everyone_rates_alike_is_not_taken_for_certain():
    design = crossed(3, 10, 5)
    ratings = ratings_of(design, [2.0, 3.0, 4.0], np.random.default_rng(seed_of(5)), whole=True)
    ratings[design.system == 0] = 5.0
    estimates = design.estimate(ratings[:, None])
    assert 0 < estimates.scales[0, 0] < 0.6 * estimates.scales[1:, 0].min()
    assert design.covariance(estimates)[0, 0, 0] > 0


def test_names_and_order_of_rows_are_no_information():
    design = crossed(2, 5, 4)
    ratings = ratings_of(design, [2.0, 4.0], np.random.default_rng(seed_of(6)))
    table = table_of(design, ratings)
    found = CrossedDesign.of(table).estimate(ratings[:, None])
    shuffled = table.sample(frac=1, random_state=seed_of(0)).replace({"participant": {"p00": "zoe"}})
    again = CrossedDesign.of(shuffled).estimate(shuffled["rating"].to_numpy()[:, None])
    assert again.variances == pytest.approx(found.variances)
    assert list(CrossedDesign.of(shuffled).systems) == list(CrossedDesign.of(table).systems)
    assert isinstance(CrossedDesign.of(table).systems, pd.Index)
