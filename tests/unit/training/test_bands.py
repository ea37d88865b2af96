"""The early warning, by bands that are made up."""

import logging

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.bands import BAND_COLUMNS, Band, Bands
from vocoder_pareto.training.budget import Budget

HEADER = ",".join(BAND_COLUMNS)


def a_table(tmp_path, *rows):
    path = tmp_path / "bands.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "vocoder_pareto.training.bands")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize(
    ("metric", "value", "verdict"),
    [
        ("d_stft", 0.5, "within"), ("d_stft", 0.4, "within"), ("d_stft", 0.6, "within"),
        ("d_stft", 0.61, "worse than"), ("d_stft", 0.39, "better than"), ("d_stft", None, "worse than"),
        ("estoi", 0.61, "better than"), ("estoi", 0.39, "worse than"), ("estoi", None, "worse than"),
    ],
)  # fmt: skip
def test_lower_distances_and_higher_intelligibilities_are_better(metric, value, verdict):
    assert Band(0.1, metric, 0.4, 0.6).verdict(value) == verdict


def test_what_is_in_the_band_is_told_and_what_is_worse_is_one_warning(tmp_path, told):
    path = a_table(tmp_path, "tiny-S,8,,,0.25,d_stft,0.4,0.6", "tiny-S,8,,,0.5,d_stft,0.3,0.5")
    bands = Bands.of(path, "tiny-S", Budget(steps=8))
    bands.tell([0.25], {"d_stft": 0.5, "estoi": 0.1})
    bands.tell([0.5], {"d_stft": 0.9, "estoi": 0.1})
    (first, words), (second, warning) = told()
    assert (first, second) == ("INFO", "WARNING")
    assert (
        words == "after 25 % of the budget d_stft is 0.5, within the band of a run of tiny-S that went well, 0.4 to 0.6"
    )
    assert warning.startswith("after 50 % of the budget d_stft is 0.9, worse than the band of a run of tiny-S")


def test_a_larger_budget_is_held_against_the_largest_smaller_one(tmp_path, told):
    """Of 2 hours: there are bands of half an hour, of one and of three, and of another bound beside it."""
    path = a_table(
        tmp_path, "tiny-S,,0.5,,0.25,d_stft,0.7,0.9", "tiny-S,,1,,0.25,d_stft,0.4,0.6",
        "tiny-S,,3,,0.25,d_stft,0.1,0.2", "tiny-S,9,1,,0.25,d_stft,0.8,0.9", "tiny-S,,1,5,0.25,d_stft,0.8,0.9",
    )  # fmt: skip
    bands = Bands.of(path, "tiny-S", Budget(hours=2.0))
    for value in (0.5, 0.3, 0.65):
        bands.tell([0.25], {"d_stft": value})
    run = "the band of a run of tiny-S that went well within 1 h in all, 0.4 to 0.6"
    (_, within), (_, better), (level, worse) = told()
    assert within.endswith(f"d_stft is 0.5, within {run}")
    assert better.endswith(f"d_stft is 0.3, better than {run}")
    assert level == "WARNING"
    assert f"d_stft is 0.65, worse than {run}" in worse


def test_the_same_budget_is_held_against_its_own_bands(tmp_path, told):
    path = a_table(tmp_path, "tiny-S,,0.5,,0.25,d_stft,0.7,0.9", "tiny-S,,1,,0.25,d_stft,0.4,0.6")
    Bands.of(path, "tiny-S", Budget(hours=1 + 1e-12)).tell([0.25], {"d_stft": 0.5})
    ((_, words),) = told()
    assert words.endswith("d_stft is 0.5, within the band of a run of tiny-S that went well, 0.4 to 0.6")


@pytest.mark.parametrize(
    ("system", "budget", "share"),
    [
        ("tiny-M", Budget(hours=0.5), 0.25),
        ("tiny-S", Budget(hours=0.49), 0.25),
        ("tiny-S", Budget(steps=9), 0.25),
        ("tiny-S", Budget(hours=0.5, steps=9), 0.25),
        ("tiny-S", Budget(hours=0.5), 0.2),
    ],
)
def test_of_another_system_share_or_bound_and_of_a_smaller_budget_nothing_is_said(
    tmp_path, told, system, budget, share
):
    Bands.of(a_table(tmp_path, "tiny-S,,0.5,,0.25,d_stft,0.4,0.6"), system, budget).tell([share], {"d_stft": 9.0})
    assert told() == []


def test_without_a_table_nothing_is_said(told):
    Bands.of(None, "tiny-S", Budget(steps=8)).tell([0.5, 1.0], {"d_stft": 9.0})
    assert told() == []


def test_a_table_that_is_missing_or_malformed_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^config key training.bands: .*none\.csv: no such file$"):
        Bands.of(tmp_path / "none.csv", "tiny-S", Budget(steps=8))
    (tmp_path / "odd.csv").write_text("system,low\n")
    with pytest.raises(UserError, match="column 'steps' is missing"):
        Bands.of(tmp_path / "odd.csv", "tiny-S", Budget(steps=8))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("tiny-S,8,,,0.25,d_stft,small,0.6", "column 'low': 'small' is no number"),
        ("tiny-S,8,,,0.25,d_stft,,0.6", "column 'low': '' is no number; a band has two ends"),
        ("tiny-S,8,,,0.25,d_stft,0.4,", "column 'high': '' is no number; a band has two ends"),
        ("tiny-S,8,,,0.25,d_stft,0.6,0.4", "column 'low': '0.6' is above high, 0.4"),
        ("tiny-S,8,,,25,d_stft,0.4,0.6", "column 'budget_share': '25' is not more than 0 and at most 1"),
        ("tiny-S,8,,,,d_stft,0.4,0.6", "column 'budget_share': '' is not more than 0 and at most 1"),
        ("tiny-S,8,,,0.25,dstft,0.4,0.6", r"column 'metric': 'dstft' is unknown.*d_stft"),
        ("tiny-S,8.5,,,0.25,d_stft,0.4,0.6", "column 'steps': '8.5' is not allowed"),
        ("tiny-S,,0,,0.25,d_stft,0.4,0.6", "column 'hours': '0' is not allowed"),
        ("tiny-S,8,,,0.5,d_stft,0.4,0.6", "column 'metric': 'd_stft' stands in another row"),
    ],
)
def test_a_band_that_means_nothing_is_refused_of_whichever_system_it_is(tmp_path, row, words):
    path = a_table(tmp_path, "tiny-S,8,,,0.5,d_stft,0.4,0.6", row)
    with pytest.raises(
        UserError, match=f"^config key training.bands: .*bands.csv, {words}" if words.startswith("line") else words
    ):
        Bands.of(path, "other-S", Budget(steps=8))


def test_where_the_larger_budget_has_no_band_that_of_a_smaller_one_serves(tmp_path, told):
    path = a_table(tmp_path, "tiny-S,,1,,0.5,d_stft,0.4,0.6", "tiny-S,,0.5,,0.25,d_stft,0.7,0.9")
    Bands.of(path, "tiny-S", Budget(hours=1.0)).tell([0.25, 0.5], {"d_stft": 0.5})
    (_, of_half_an_hour), (_, of_an_hour) = told()
    assert "better than the band of a run of tiny-S that went well within 0.5 h in all, 0.7 to 0.9" in of_half_an_hour
    assert "within the band of a run of tiny-S that went well, 0.4 to 0.6" in of_an_hour


def test_a_training_says_at_its_start_where_its_curve_will_be_compared_or_that_it_will_not(tmp_path, told):
    path = a_table(tmp_path, "tiny-S,,1,,0.5,d_stft,0.4,0.6", "tiny-S,,1,,0.25,d_stft,0.7,0.9")
    Bands.of(path, "tiny-S", Budget(hours=2.0)).announce([0.1, 0.25, 0.5])
    Bands.of(path, "tiny-M", Budget(hours=2.0)).announce([0.1, 0.25, 0.5])
    (_, there), (_, none) = told()
    assert there == "the curve will be held against training.bands after 25 %, 50 % of the budget"
    assert none.startswith("training.bands has no band of tiny-M for this budget")


def test_a_training_warns_where_its_curve_leaves_the_band_and_at_no_other_share(bench, tmp_path, caplog):
    """Of 8 steps, shares of 0.25 and 0.5 are reached by the 2nd and the 4th."""
    path = a_table(tmp_path, "tiny-S,8,,,0.25,d_stft,0,99", "tiny-S,8,,,0.5,d_stft,0,1e-9", "tiny-S,8,,,0.6,d_stft,0,0")
    caplog.set_level(logging.INFO, "vocoder_pareto.training.bands")
    bench.train(bands=str(path), validation_shares=(0.25, 0.5), log_every_steps=100)
    assert [row["step"] for row in bench.curve if row["d_stft"]] == ["2", "4", "8"]
    assert [record.levelname for record in caplog.records if "the band" in record.getMessage()] == ["INFO", "WARNING"]


def test_a_row_without_any_bound_is_refused(tmp_path):
    path = a_table(tmp_path, "tiny-S,,,,0.25,d_stft,0.4,0.6")
    with pytest.raises(UserError, match=r"line 2, column 'hours': .* is empty, as are the others of steps, hours"):
        Bands.of(path, "tiny-S", Budget(steps=8))
