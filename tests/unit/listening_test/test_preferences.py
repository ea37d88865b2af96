"""Answers to a test of pairs: read, screened, and counted, against printed formulas, statsmodels and a known truth."""

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from response_files import save
from seeds import seed_of
from statsmodels.regression.linear_model import OLS

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.paired_analysis import analyse_paired_responses
from vocoder_pareto.listening_test.paired_answers import read_paired_responses, screen_paired
from vocoder_pareto.listening_test.paired_key import write_paired_key
from vocoder_pareto.listening_test.paired_planning import plan_paired_test
from vocoder_pareto.listening_test.preferences import crossed_interval, preference_table, sign_test
from vocoder_pareto.study.sections.listening_test import (
    LoudnessSettings,
    PairedSettings,
    ScreeningSettings,
    StatisticsSettings,
)

PAIR = ("hifigan-S", "melgan-S")
SETTINGS = PairedSettings(pairs=(PAIR, ("wavegrad-L", "melgan-S")), items=3, participants=6, gold=1)
QUALITY = {"hifigan-S": 2, "melgan-S": 0, "wavegrad-L": 1}


@pytest.fixture(scope="module")
def paired_key(manifests, texts):
    return plan_paired_test(manifests, SETTINGS, LoudnessSettings(), asdict(texts), seed=1).key


@pytest.fixture
def paired_folder(tmp_path, paired_key):
    write_paired_key(tmp_path / "paired_key.json", paired_key)
    return tmp_path


def honest(stimulus):
    if stimulus.kind == "gold":
        return 3 if stimulus.better == 2 else -3
    return QUALITY[stimulus.second] - QUALITY[stimulus.first]


def answers_to(key, number, choose=honest, **changes):
    """Answers as our page writes them; `choose` gives the score of a stimulus."""
    session = key.session_by_number[number]
    names = (*session.training, *session.trials)
    ratings = [
        {"stimulus": name, "trial_index": index, "rating": choose(key.stimulus_by_name[name]), "time_ms": 900,
         "n_plays": 1, "played_to_end": True, "is_training": index < len(session.training)}
        for index, name in enumerate(names)
    ]  # fmt: skip
    return {
        "format": "vocoder-pareto listening test answers", "version": 1, "test_id": key.test_id, "simulated": False,
        "submission_id": f"id{number}", "participant": f"p{number}", "session": number,
        "finished_at": "2026-01-01T10:00:00Z", "ratings": ratings,
    } | changes  # fmt: skip


def test_answers_speak_for_a_system_whichever_came_first(paired_folder, paired_key):
    for number in (1, 2, 3, 4):
        save(paired_folder, f"{number}.json", answers_to(paired_key, number))
    responses = read_paired_responses(paired_folder)
    assert not responses.rejected
    counting, sessions = screen_paired(responses, ScreeningSettings())
    assert all(session.kept for session in sessions)
    table = preference_table(counting, paired_key.pairs, 0.05)
    assert list(table["mean_score"]) == [2, 1]
    assert list(table["n_answers"]) == [12, 12]
    assert list(table["n_participants_for_a"]) == [4, 4]
    assert table["p_value"].tolist() == pytest.approx([2 / 16, 2 / 16])  # all of four agree
    assert table["p_holm"].tolist() == pytest.approx([4 / 16, 4 / 16])


def test_who_finds_noise_no_worse_than_natural_speech_does_not_count(paired_folder, paired_key):
    def careless(stimulus):
        return 0 if stimulus.kind == "gold" else honest(stimulus)

    save(paired_folder, "a.json", answers_to(paired_key, 1))
    save(paired_folder, "b.json", answers_to(paired_key, 2, careless))
    counting, sessions = screen_paired(read_paired_responses(paired_folder), ScreeningSettings())
    assert [session.kept for session in sessions] == [True, False]
    assert {each.participant for each in counting} == {"p1"}
    (paired_folder / "a.json").unlink()
    responses = read_paired_responses(paired_folder)
    with pytest.raises(UserError, match="none of 1 sessions"):
        screen_paired(responses, ScreeningSettings())


def test_scores_off_the_scale_and_of_other_tests_are_told(paired_folder, paired_key):
    answers = answers_to(paired_key, 1)
    answers["ratings"][2]["rating"] = 4
    answers["ratings"][3] |= {"rating": None, "skipped": "cannot_play"}
    save(paired_folder, "a.json", answers)
    responses = read_paired_responses(paired_folder)
    (row,) = responses.rejected
    assert (row.row, row.reason) == (3, "rating 4 is not one of -3, -2, -1, 0, 1, 2, 3")
    assert responses.submissions["p1", "1"].n_skipped == 1
    save(paired_folder, "b.json", answers_to(paired_key, 2, test_id="other"))
    with pytest.raises(UserError, match=r"b\.json: belongs to the test 'other'"):
        read_paired_responses(paired_folder)


def test_simulated_answers_and_missing_keys_are_refused(paired_folder, paired_key):
    save(paired_folder, "a.json", answers_to(paired_key, 1, simulated=True))
    with pytest.raises(UserError, match=r"a\.json:1 is simulated"):
        read_paired_responses(paired_folder)
    (paired_folder / "paired_key.json").unlink()
    with pytest.raises(UserError, match=r"paired_key\.json"):
        read_paired_responses(paired_folder)
    (paired_folder / "a.json").unlink()
    with pytest.raises(UserError, match="holds no answers"):
        read_paired_responses(paired_folder)


def test_the_tables_are_written(paired_folder, paired_key, caplog):
    for number in (1, 2, 3):
        save(paired_folder, f"{number}.json", answers_to(paired_key, number))
    short = answers_to(paired_key, 4)
    save(paired_folder, "4.json", short | {"ratings": short["ratings"][:4], "finished_at": None})
    with caplog.at_level("INFO"):
        analyse_paired_responses(
            paired_folder, ScreeningSettings(), StatisticsSettings(),
            paired_folder / "preferences.csv", paired_folder / "sessions.csv",
        )  # fmt: skip
    table = pd.read_csv(paired_folder / "preferences.csv")
    assert list(table["system_a"]) == ["hifigan-S", "wavegrad-L"]
    assert set(table["scale"]) == {"cmos"}
    assert pd.read_csv(paired_folder / "sessions.csv")["is_partial"].sum() == 1
    assert "1 sessions ended early" in caplog.text


@pytest.mark.parametrize(("for_a", "for_b"), [(0, 5), (9, 1), (7, 7), (12, 3), (30, 14)])
def test_the_sign_test_is_the_tail_of_coin_flips(for_a, for_b):
    n = for_a + for_b
    tail = sum(math.comb(n, k) for k in range(min(for_a, for_b) + 1)) / 2**n
    assert sign_test(for_a, for_b) == pytest.approx(min(1.0, 2 * tail), rel=1e-12)


def test_nobody_who_prefers_anything_is_no_evidence():
    assert sign_test(0, 0) == 1.0


def table_of(scores, keep=None):
    """Answers of a matrix (participants, items), without those where `keep` is false."""
    rows = [
        (f"p{row}", f"i{column}", score)
        for (row, column), score in np.ndenumerate(scores)
        if keep is None or keep[row, column]
    ]
    return pd.DataFrame(rows, columns=["participant", "item", "score"])


def crossed(generator, participants, items, mean=0.4):
    """Scores with effects of participants and items, as whole points of -3 to 3."""
    scores = (
        mean
        + generator.normal(scale=0.6, size=(participants, 1))
        + generator.normal(scale=0.5, size=(1, items))
        + generator.normal(scale=0.9, size=(participants, items))
    )
    return np.clip(np.round(scores), -3, 3)


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_the_variance_is_that_of_clusters_in_two_directions(share):
    """statsmodels has the same sandwich; where it is not larger than its parts, ours takes the larger part."""
    generator = np.random.default_rng(seed_of(5))
    checked = 0
    for _ in range(10):
        answers = table_of(crossed(generator, 14, 9), generator.uniform(size=(14, 9)) < share)
        groups = np.stack([pd.factorize(answers[name])[0] for name in ("participant", "item")], axis=1)
        parts = [
            OLS(answers["score"], np.ones(len(answers))).fit(cov_type="cluster", cov_kwds={"groups": each}).bse.iloc[0]
            for each in (groups, groups[:, 0], groups[:, 1])
        ]
        low, high = crossed_interval(answers)
        assert (low + high) / 2 == pytest.approx(answers["score"].mean())
        error = max(parts)
        widths = (high - low) / 2 / error
        assert 1.96 < widths < 12.71  # Student's t of infinity and of one degree of freedom
        checked += parts[0] == error
    assert checked > 5


def test_balanced_answers_have_the_variance_of_two_ways():
    """Var = MS_participants / n + MS_items / n - MS_residual / n, up to the factors of small samples."""
    generator = np.random.default_rng(seed_of(6))
    scores = crossed(generator, 40, 30)
    low, high = crossed_interval(table_of(scores))
    n_rows, n_columns = scores.shape
    rows = scores.mean(1).var(ddof=1) / n_rows
    columns = scores.mean(0).var(ddof=1) / n_columns
    residual = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    error = rows + columns - np.sum(residual**2) / (n_rows - 1) / (n_columns - 1) / scores.size
    assert ((high - low) / 2 / 2.02) ** 2 == pytest.approx(error, rel=0.15)


def test_one_participant_or_one_item_gives_no_interval():
    for shape in ((1, 5), (5, 1)):
        assert np.isnan(crossed_interval(table_of(np.ones(shape)))).all()


@pytest.mark.parametrize(("participants", "items"), [(12, 10), (24, 6)])
def test_intervals_cover_the_truth_for_other_participants_and_items(participants, items):
    """The truth is the mean of 200,000 answers of the same population; of 1,000 tests 0.03 are four standard errors."""
    generator = np.random.default_rng(seed_of(7))
    truth = np.mean([crossed(generator, 20, 20).mean() for _ in range(500)])
    covered = 0
    for _ in range(1000):
        low, high = crossed_interval(table_of(crossed(generator, participants, items)))
        covered += low <= truth <= high
    assert covered / 1000 == pytest.approx(0.95, abs=0.03)


def test_a_pair_that_nobody_answered_is_empty_and_not_zero(paired_folder, paired_key):
    save(paired_folder, "a.json", answers_to(paired_key, 1))
    responses = read_paired_responses(paired_folder)
    only = [each for each in responses.preferences if {each.first, each.system} == set(PAIR)]
    table = preference_table([each for each in only if each.counts_for_mos], paired_key.pairs, 0.05)
    assert table["mean_score"].isna().tolist() == [False, True]
    assert table["p_value"].isna().tolist() == [False, True]
    assert table["significant"].isna().tolist() == [False, True]
