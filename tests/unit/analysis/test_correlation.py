import numpy as np
import pandas as pd
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.analysis.correlation import correlate_with_mos, read_scores
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.figure_style import drawing
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS


def systems(mos, **columns) -> pd.DataFrame:
    names = [f"model{index}-S" for index in range(len(mos))]
    table = pd.DataFrame({"system": names, "model": [name[:-2] for name in names], "size": "S", "mos": mos})
    table = table.assign(mos_source="listening_test", **columns)
    return table.reindex(columns=[column.name for column in SYSTEMS_COLUMNS])


@pytest.fixture
def scores():
    rng = np.random.default_rng(seed_of(0))
    mos = rng.uniform(1, 5, 18)
    return systems(mos, d_stft=5 - mos + rng.normal(size=18)).set_index("system").assign(estoi=np.sqrt(mos))


def test_coefficients_equal_those_of_scipy(scores):
    row = correlate_with_mos(scores, 0).set_index("metric").loc["d_stft"]
    assert row["spearman"] == pytest.approx(stats.spearmanr(scores["d_stft"], scores["mos"]).statistic)
    assert row["kendall"] == pytest.approx(stats.kendalltau(scores["d_stft"], scores["mos"]).statistic)
    assert row["spearman_ci95_low"] < row["spearman"] < row["spearman_ci95_high"]


def test_agreement_is_positive_for_a_metric_that_orders_as_listeners_whatever_its_direction(scores):
    table = correlate_with_mos(scores.assign(mcd=-scores["mos"]), 0).set_index("metric")
    assert table.loc["estoi", ["spearman", "agreement"]].tolist() == pytest.approx([1, 1])
    assert table.loc["mcd", ["spearman", "agreement"]].tolist() == pytest.approx([-1, 1])


def test_interval_covers_the_true_coefficient_about_95_times_in_100():
    rng = np.random.default_rng(seed_of(1))
    true = 6 / np.pi * np.arcsin(0.8 / 2)  # Spearman's of a normal pair with Pearson's 0.8
    covered = 0
    for _ in range(100):
        pair = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=40)
        table = systems(pair[:, 0], d_stft=pair[:, 1]).set_index("system")
        row = correlate_with_mos(table, 0).iloc[0]
        covered += row["spearman_ci95_low"] <= true <= row["spearman_ci95_high"]
    assert 88 <= covered <= 100


def test_coefficients_and_intervals_depend_on_ranks_alone(scores):
    stretched = scores.assign(d_stft=np.exp(5 * scores["d_stft"]))
    pd.testing.assert_frame_equal(correlate_with_mos(scores, 0), correlate_with_mos(stretched, 0))


def test_intervals_repeat_with_the_seed(scores):
    pd.testing.assert_frame_equal(correlate_with_mos(scores, 3), correlate_with_mos(scores, 3))
    assert not correlate_with_mos(scores, 3).equals(correlate_with_mos(scores, 4))


@pytest.mark.parametrize("mos", [[], [3.0], [1.0, 2.0, 3.0, 4.0], [3.0] * 6])
def test_too_few_or_equal_systems_leave_the_coefficients_empty(mos):
    table = correlate_with_mos(systems(mos, d_stft=np.arange(len(mos)) / 10).set_index("system"), 0)
    assert table["spearman"].isna().all()
    assert table["n_systems"].tolist() == [len(mos)]


def test_a_constant_metric_has_no_coefficient():
    table = correlate_with_mos(systems([1.0, 2.0, 3.0, 4.0, 5.0], d_stft=0.1).set_index("system"), 0)
    assert table["spearman"].isna().all()


def test_references_and_unrated_systems_are_left_out(tmp_path):
    table = systems([4.5, 2.0, np.nan], d_stft=[0.0, 0.1, 0.2])
    table.loc[0, "system"] = "ground_truth"
    table.to_csv(tmp_path / "systems.csv", index=False)
    assert list(read_scores(tmp_path / "systems.csv", []).index) == ["model1-S"]


def test_other_metrics_are_means_over_the_clips_that_have_a_value(tmp_path):
    systems([2.0, 3.0], d_stft=0.1).to_csv(tmp_path / "systems.csv", index=False)
    clips = {"clip_id": ["a", "b", "c"], "d_stft": 9.0, "estoi": [0.2, 0.4, None], "failures": ["", "", "silent"]}
    pd.DataFrame(clips).to_csv(tmp_path / "model0-S.csv", index=False)
    scores = read_scores(tmp_path / "systems.csv", [tmp_path / "model0-S.csv"])
    assert scores.loc["model0-S", "estoi"] == pytest.approx(0.3)
    assert scores.loc["model0-S", "d_stft"] == 0.1
    assert np.isnan(scores.loc["model1-S", "estoi"])


def test_quality_of_an_unknown_system_is_an_error(tmp_path):
    systems([2.0], d_stft=0.1).to_csv(tmp_path / "systems.csv", index=False)
    pd.DataFrame({"clip_id": ["a"]}).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(UserError, match="other is no system"):
        read_scores(tmp_path / "systems.csv", [tmp_path / "other.csv"])


def texts(figure):
    return " ".join([text.get_text() for text in figure.findobj() if hasattr(text, "get_text")])


def test_figure_has_a_panel_per_metric_and_says_where_mos_comes_from(scores):
    simulated = scores.assign(mos_source="simulated")
    with drawing(FigureSettings()):
        figure = draw_correlations(simulated, correlate_with_mos(simulated, 0), FigureSettings(), {})
        figure.draw_without_rendering()
    assert len([axes for axes in figure.axes if axes.axison]) == 2
    assert "SIMULATED" in texts(figure)


def test_figure_says_that_metrics_of_other_checkpoints_are_not_comparable_with_published_mos(scores):
    published = scores.assign(mos_source="published", training_steps=2)
    with drawing(FigureSettings()):
        figure = draw_correlations(published, correlate_with_mos(published, 0), FigureSettings(), {})
    assert "trained here for 2 steps" in texts(figure).replace("\n", " ")


def test_figure_without_rated_systems_says_so():
    empty = systems([], d_stft=[]).set_index("system")
    with drawing(FigureSettings()):
        figure = draw_correlations(empty, correlate_with_mos(empty, 0), FigureSettings(), {})
        figure.draw_without_rendering()
    assert "systems whose audio is real: 0\nof 5 that a correlation needs" in texts(figure)


def test_fewer_than_five_systems_whose_audio_is_real_make_no_panel():
    """Six are rated; four of them were trained, and of the others' noise there is no distance."""
    distances = [0.1, 0.2, 0.3, 0.4, np.nan, np.nan]
    steps = [5000, 5000, 5000, 5000, 0, 0]
    table = systems([5.0, 4.0, 3.0, 2.0, 1.5, 1.0], d_stft=distances, training_steps=steps).set_index("system")
    found = correlate_with_mos(table, 0)
    assert found[["n_systems", "not_judged"]].to_numpy().tolist() == [[4, "model4-S;model5-S"]]
    with drawing(FigureSettings()):
        figure = draw_correlations(table, found, FigureSettings(), {})
    assert "systems whose audio is real: 4" in texts(figure)
    assert not any(axes.lines for axes in figure.axes)


def test_the_table_says_what_the_figure_says_of_other_checkpoints(scores):
    reason = "the metrics are of checkpoints trained here for 2 steps, not of those that were heard"
    ours = scores.assign(training_steps=2)
    assert set(correlate_with_mos(ours.assign(mos_source="published"), 0)["not_comparable"]) == {reason}
    assert set(correlate_with_mos(ours, 0)["not_comparable"]) == {""}


def test_figure_says_why_there_is_no_predicted_mos(scores):
    why = "Predicted MOS is withheld on this corpus: the recordings score 2.18, not above 3.5."
    with drawing(FigureSettings()):
        figure = draw_correlations(scores, correlate_with_mos(scores, 0), FigureSettings(), {}, why)
    assert why in texts(figure).replace("\n", " ")
