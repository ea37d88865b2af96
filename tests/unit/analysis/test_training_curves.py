"""The table of all validations against joules, its front, and the bands that later trainings are compared with."""

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS, METRICS, bands_of, training_curves, validations_at
from vocoder_pareto.analysis.training_curves_figure import draw_training_curves
from vocoder_pareto.files import write_json
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.csv_tables import read_table, write_table
from vocoder_pareto.training.bands import BAND_COLUMNS, Bands
from vocoder_pareto.training.budget import Budget


@pytest.fixture
def study(tmp_path):
    """Adds trainings of 100 steps, a joule each: their curves (step, D_STFT, ESTOI), and their summaries."""

    class Study:
        curves, summaries = [], []

        def add(self, system, points, seed=0, source="rapl", **changes):
            model, _, size = system.partition("-")
            folder = tmp_path / system
            folder.mkdir()
            lines = ["step,epoch,seconds,joules,learning_rate,d_stft,estoi", "1,0.1,0.5,1,0.001,,"]
            lines += [f"{step},1,{step / 2},{step},0.001,{d_stft},{estoi}" for step, d_stft, estoi in points]
            (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
            of_system = {"model": model, "size": size, "recipe": {}}
            settings = {"system": of_system, "run": {"steps": 100, "hours": None, "energy_kwh": None}, "seed": seed}
            summary = {
                "system": system, "steps": 100, "energy_joules": 100.0, "energy_source": source, "device": "CPU X",
                "settings": settings,
            }  # fmt: skip
            write_json(folder / "summary.json", {**summary, **changes})
            self.curves.append(folder / "metrics.csv")
            self.summaries.append(folder / "summary.json")
            return self

        def table(self, watts_per_core=None):
            return training_curves(self.curves, self.summaries, watts_per_core)

    Study.curves, Study.summaries = [], []
    return Study()


def test_each_validation_is_a_row_with_the_share_of_its_budget_and_no_other_step_is(study):
    table = study.add("melgan-S", [(10, 0.9, ""), (100, 0.5, 0.6)]).table()
    assert list(table.columns) == [column.name for column in CURVE_COLUMNS]
    assert table["budget_share"].tolist() == [0.1, 1.0]
    assert table["joules"].tolist() == [10, 100]
    assert table["estoi"].isna().tolist() == [True, False]
    assert (table["energy_source"].unique(), table["budget_steps"].unique()) == (["rapl"], [100])


def test_weights_that_were_given_or_not_trained_have_no_curve(study):
    study.add("melgan-S", [(10, 0.9, 0.1)]).add("melgan-M", [(10, 0.8, 0.1)], checkpoint="g.pt")
    assert set(study.add("melgan-L", [(10, 0.8, 0.1)], steps=0).table()["system"]) == {"melgan-S"}


def test_the_front_holds_what_nothing_beat_for_as_few_joules(study):
    """By the definition, pair by pair."""
    study.add("melgan-S", [(10, 0.9, 0.1), (50, 0.4, 0.5), (100, 0.3, 0.4)])
    table = study.add("hifigan-S", [(10, 0.8, 0.2), (50, 0.5, 0.3), (100, 0.35, 0.6)]).table()
    for metric, sign in (("d_stft", 1), ("estoi", -1)):
        points = list(zip(table["joules"], sign * table[metric], strict=True))
        expected = [not any(o[0] <= p[0] and o[1] <= p[1] and o != p for o in points) for p in points]
        assert table[f"on_front_{metric}"].tolist() == expected


def test_a_further_seed_of_a_system_is_on_no_front_of_curves(study):
    study.add("melgan-S", [(10, 0.9, 0.1)]).add("melgan-S_1", [(10, 0.2, 0.9)], seed=1)
    table = study.add("hifigan-S", [(10, 0.8, 0.1)]).table().set_index("system")
    assert table["replicates_of"].to_dict() == {"melgan-S": "melgan-S", "melgan-S_1": "melgan-S", "hifigan-S": ""}
    assert table["on_front_d_stft"].astype(object).fillna("none").to_dict() == {
        "melgan-S": False, "melgan-S_1": "none", "hifigan-S": True,
    }  # fmt: skip


def test_joules_of_different_meters_have_no_front(study):
    table = study.add("melgan-S", [(10, 0.9, 0.1)]).add("hifigan-S", [(10, 0.8, 0.2)], source="nvml").table()
    assert table["on_front_d_stft"].isna().all()


def test_estimated_joules_are_those_of_the_watts_of_the_table_of_systems(study):
    study.add("melgan-S", [(10, 0.9, 0.1)], source="estimated", estimated_watts_per_core=10.0)
    assert study.table(watts_per_core=25.0)["joules"].tolist() == [25]


def test_a_table_survives_being_written_and_read_and_is_drawn(study, tmp_path):
    study.add("melgan-S", [(10, 0.9, 0.1), (100, 0.3, "")]).add("hifigan-S", [(10, 0.8, 0.2)], source="none")
    write_table(study.table(), tmp_path / "curves.csv")
    table = read_table(tmp_path / "curves.csv", {column.name: column.kind for column in CURVE_COLUMNS})
    pd.testing.assert_frame_equal(table, study.table(), check_dtype=False)
    for drawn in (table, table.iloc[:0]):
        with drawing(FigureSettings()):
            figure = draw_training_curves(drawn, FigureSettings(), {"melgan": "MelGAN"})
            save_figure(figure, [tmp_path / "curves.svg"])
        assert [axes.get_ylabel() for axes in figure.axes] == ["Spectral distance", "ESTOI"]
    with drawing(FigureSettings()):
        (line,) = draw_training_curves(table.iloc[:2], FigureSettings(), {"melgan": "MelGAN"}).axes[1].get_lines()[:1]
    assert (line.get_label(), list(line.get_ydata())) == ("MelGAN S", [0.1])


def test_a_band_lies_around_the_mean_of_replicates_and_reaches_as_far_as_they_spread(study):
    study.add("melgan-S", [(10, 0.8, 0.2), (100, 0.30, 0.90)])
    study.add("melgan-S_1", [(10, 1.6, 0.2), (100, 0.32, 0.90)], seed=1).add("hifigan-S", [(12, 2.0, -0.1)])
    bands = bands_of(study.table(), [0.1, 1.0], margin=0.25, least=0.05).set_index(["system", "budget_share", "metric"])
    for system in ("melgan-S", "melgan-S_1"):
        wide = bands.loc[(system, 0.1, "d_stft")]
        assert (wide["low"], wide["high"]) == pytest.approx(1.2 + np.array([-3, 3]) * np.std([0.8, 1.6], ddof=1))
        narrow = bands.loc[(system, 1.0, "d_stft")]
        assert (narrow["low"], narrow["high"]) == pytest.approx((0.75 * 0.31, 1.25 * 0.31))
        small = bands.loc[(system, 0.1, "estoi")]
        assert (small["low"], small["high"]) == pytest.approx((0.15, 0.25))
    assert bands.loc[("hifigan-S", 0.1, "estoi"), "high"] == pytest.approx(-0.05)
    assert ("hifigan-S", 1.0, "d_stft") not in bands.index, "its last validation lies before"


def test_what_a_system_was_later_on_is_no_band_of_a_share_at_which_it_was_not_validated(study):
    """One begins its validations at 2 % of the budget, the other at a half; 53 % of it is no half."""
    study.add("melgan-S", [(2, 0.9, 0.1), (100, 0.3, 0.5)]).add("hifigan-S", [(53, 0.5, 0.4), (100, 0.3, 0.5)])
    bands = bands_of(study.table(), [0.02, 0.5, 1.0], margin=0.25, least=0.05)
    shares = bands[bands["metric"] == "d_stft"].groupby("system")["budget_share"].apply(list)
    assert shares.to_dict() == {"melgan-S": [0.02, 1.0], "hifigan-S": [1.0]}


def test_a_validation_is_that_of_a_share_as_far_as_steps_can_tell(study):
    """A step uses a tenth of this budget: the share of 0.02 ends with the first step, or the second."""
    table = study.add("melgan-S", [(10, 0.9, 0.1)], steps=100).table().assign(step=1)
    assert len(validations_at(table, 0.02)) == 1
    assert len(validations_at(table.assign(step=10), 0.02)) == 0


def test_rows_that_were_estimated_with_other_watts_are_restated(study):
    """Three joules at 10 W a core and ten at 20 W are 6 and 10 at 20 W, and 1.5 times as much at 30 W."""
    study.add("melgan-S", [], source="estimated", estimated_watts_per_core=20.0)
    lines = ["step,seconds,joules,watts_per_core,d_stft,estoi", "10,5,3,10,0.9,0.1", "100,50,10,20,0.5,0.4"]
    study.curves[0].write_text("\n".join(lines) + "\n")
    assert study.table()["joules"].tolist() == [6, 10]
    assert study.table(watts_per_core=30.0)["joules"].tolist() == [9, 15]


def test_the_bands_of_a_study_find_its_own_curves_within_them(study, tmp_path):
    write_table(bands_of(study.add("melgan-S", [(10, 0.8, 0.2)]).table(), [0.1], 0.25, 0.05), tmp_path / "bands.csv")
    bands = Bands.of(tmp_path / "bands.csv", "melgan-S", Budget(steps=100))
    found = [(band.share, band.metric) for band in bands.bands]
    assert found == [(0.1, "d_stft"), (0.1, "estoi")]
    assert [band.verdict(value) for band, value in zip(bands.bands, (0.8, 0.2), strict=True)] == ["within", "within"]
    assert Bands.of(tmp_path / "bands.csv", "melgan-S", Budget(steps=99)).bands == []
    assert set(METRICS) == {band.metric for band in bands.bands}
    write_table(bands_of(study.table().iloc[:0], [0.1], 0.25, 0.05), tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == ",".join(BAND_COLUMNS) + "\n"
