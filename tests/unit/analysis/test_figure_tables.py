"""A figure's table draws it again alone: the same SVG, byte for byte, as from the data that it was first drawn from."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto import program
from vocoder_pareto.analysis.correlation import correlate_with_mos
from vocoder_pareto.analysis.correlation_figure import correlation_table, draw_correlations
from vocoder_pareto.analysis.deployment_figure import CHUNK_COLUMNS, FORM_COLUMNS, deployment_table, draw_deployments
from vocoder_pareto.analysis.figure_style import drawing, svg_of
from vocoder_pareto.analysis.figure_tables import FIGURES, figure_of_table
from vocoder_pareto.analysis.front_figure_table import front_figure_table
from vocoder_pareto.analysis.fronts import Objectives, find_front, read_front
from vocoder_pareto.analysis.leaderboard_figure import draw_leaderboard, leaderboard_figure_table
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_beside
from vocoder_pareto.analysis.sweep_figure import COLUMNS, draw_sweeps, sweep_table
from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS
from vocoder_pareto.analysis.training_curves_figure import draw_training_curves, training_curves_table
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.csv_tables import typed, write_table

PROGRAM = Path(__file__).resolve().parents[3] / "workflow_scripts" / "redraw_figure.py"
GFLOPS_FRONT = Objectives("gflops", {"gflops_published_convention": "min", "mos": "max"})
ENERGY_FRONT = Objectives("energy", {ENERGY: "min", "mos": "max"})
DISTANCE_FRONT = Objectives("distance", {ENERGY: "min", "d_stft": "min"})
THREE = Objectives("three", {"parameters": "min", ENERGY: "min", "mos": "max"})


def svg(draw, settings=FigureSettings()):  # noqa: B008 - frozen
    with drawing(settings):
        return svg_of(draw())


def redrawn(table, path, settings=FigureSettings()):  # noqa: B008 - frozen
    write_table(table, path)
    return svg(lambda: figure_of_table(path, settings), settings)


@pytest.fixture
def stored(tmp_path):
    """Fronts as the next program reads them."""

    def store(systems, objectives, **options):
        files = tmp_path / f"{objectives.name}.csv", tmp_path / f"{objectives.name}.json"
        find_front(systems, objectives, draws=50, **options).write(*files)
        return read_front(*files)

    return store


@pytest.fixture
def partly_known(printed):
    """Energies with intervals and a doubt; one system is rated by nobody, one has no energy, one a name of its own."""
    systems = printed[printed["model"].isin(["waveglow", "melgan", "hifigan"]) | (printed["family"] == "reference")]
    systems = systems.assign(**{
        f"{ENERGY}_ci95": systems[ENERGY] * 0.1, "energy_source": "estimated", "device": "CPU",
    }).reset_index(drop=True)  # fmt: skip
    systems.loc[systems["system"] == "melgan-L", "mos"] = np.nan
    systems.loc[systems["system"] == "hifigan-M", [ENERGY, f"{ENERGY}_ci95"]] = np.nan
    own = systems[systems["system"] == "hifigan-S"].assign(system="mine-tiny", model="mine", size="tiny", mos=3.0)
    return pd.concat([systems, own], ignore_index=True)


@pytest.fixture
def few(printed):
    """Systems of two models in another order than that of the study: placing names takes its time."""
    return printed[printed["model"].isin(["waveflow", "melgan"]) | (printed["family"] == "reference")].iloc[::-1]


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_fronts_side_by_side(few, labels, stored, tmp_path, style):
    settings = FigureSettings(style=style)
    panels = panels_beside([stored(few, GFLOPS_FRONT), stored(few, ENERGY_FRONT)])
    told = svg(lambda: draw_fronts(panels, settings, labels), settings)
    assert redrawn(front_figure_table(panels, labels), tmp_path / "figure.csv", settings) == told


def test_ticks_levels_doubts_intervals_and_models_without_a_label(partly_known, labels, stored, tmp_path):
    options = {"doubts": {"melgan-S": ["busy machine", "wide interval"]}, "not_publishable": ["hifigan-S"]}
    panels = panels_beside([stored(partly_known, ENERGY_FRONT, **options)])
    assert panels[0].ticks(ENERGY)
    assert panels[0].ticks("mos")
    assert panels[0].levels()
    table = front_figure_table(panels, labels)
    assert set(table["drawn_as"]) == {"system", "tick", "level", "caption"}
    told = svg(lambda: draw_fronts(panels, FigureSettings(), labels))
    assert redrawn(table, tmp_path / "figure.csv") == told


def test_three_objectives_and_a_front_without_systems(few, labels, stored, tmp_path):
    nobody = few.assign(d_stft=np.nan, training_steps=0)
    panels = panels_beside([stored(few, THREE), stored(nobody, DISTANCE_FRONT)])
    told = svg(lambda: draw_fronts(panels, FigureSettings(), labels))
    assert redrawn(front_figure_table(panels, labels), tmp_path / "figure.csv") == told


def test_correlations(printed, labels, tmp_path):
    """Of two models in another order than that of the study, and with one metric that few systems have."""
    scores = printed[printed["model"].isin(["wavegrad", "melgan"])].iloc[::-1].set_index("system")
    scores = scores.assign(mos_source="listening_test", pesq_wb=[2.0, np.inf, *[np.nan] * (len(scores) - 2)])
    found = correlate_with_mos(scores, seed=0)
    assert len(found) == 2
    told = svg(lambda: draw_correlations(scores, found, FigureSettings(), labels, "Nobody predicted a MOS."))
    table = correlation_table(scores, found, labels, "Nobody predicted a MOS.")
    assert redrawn(table, tmp_path / "figure.csv") == told
    points = table[(table["metric"] == "d_stft") & (table["drawn_as"] == "system")].set_index("system")
    assert points["value"].to_dict() == scores["d_stft"].to_dict()
    assert points["mos"].to_dict() == scores["mos"].to_dict()


def test_sweeps(labels, tmp_path):
    rows = [
        (f"hifigan-{size}", "hifigan", size, precision, batch, 1.0 / batch, 0.01, "estimated", "CPU", 1.5, "throttled")
        for size in "SM" for precision in ("float32", "bf16") for batch in (1, 4)
    ]  # fmt: skip
    sweeps = pd.DataFrame(rows, columns=COLUMNS)
    sweeps.loc[sweeps["precision"] == "bf16", ENERGY] = np.nan
    told = svg(lambda: draw_sweeps(sweeps, FigureSettings(), labels))
    assert redrawn(sweep_table(sweeps, labels), tmp_path / "figure.csv") == told


def test_deployments(labels, tmp_path):
    own = {
        "estimated_watts_per_core": np.nan, "energy_source": "rapl", "device": "CPU", f"{ENERGY}_ci95": 0.01,
        "flags": "busy_machine", "refused": "", "d_stft_to_float32": 0.5,
    }  # fmt: skip
    forms = pd.DataFrame(
        [
            {"system": f"{model}-S", "model": model, "size": "S", "form": form, ENERGY: joules, **own}
            for model in ("waveglow", "mine")
            for form, joules in (("pytorch", 0.5), ("onnxruntime", 0.25))
        ]
    ).reindex(columns=FORM_COLUMNS)
    chunks = pd.DataFrame(
        [
            {"system": "mine-S", "model": "mine", "size": "S", "chunk_frames": frames,
             "awaited_seconds": 0.125 * frames, "first_audio_seconds": 0.5, ENERGY: 2.0 / frames, **own}
            for frames in (1, 8)
        ]
    ).reindex(columns=CHUNK_COLUMNS)  # fmt: skip
    told = svg(lambda: draw_deployments(forms, chunks, FigureSettings(), labels))
    assert redrawn(deployment_table(forms, chunks, labels), tmp_path / "figure.csv") == told


def test_curves_of_training(labels, tmp_path):
    rows = [
        {"system": f"{model}-S", "model": model, "size": "S", "joules": joules, "energy_source": "estimated",
         "device": "CPU", "d_stft": 1 / joules, "estoi": estoi, "on_front_d_stft": model == "mine"}
        for model in ("mine", "waveglow") for joules, estoi in ((1.0, 0.25), (4.0, None), (16.0, 0.5))
    ]  # fmt: skip
    curves = typed(pd.DataFrame(rows), CURVE_COLUMNS, "curves")
    told = svg(lambda: draw_training_curves(curves, FigureSettings(), labels))
    assert redrawn(training_curves_table(curves, labels), tmp_path / "figure.csv") == told


@pytest.fixture
def leaderboard(labels):
    rows = [
        {"set": name, "device": f"device of {name}", "energy_source": source, "system": f"{model}-S", "rank": 1,
         ENERGY: joules, "relative_energy": joules / 2, "relative_energy_ci95": 0.01}
        for name, source in (("a", "nvml"), ("b", "estimated"))
        for model, joules in (("melgan", 1.0), ("hifigan", 2.0), ("waveflow", 32.0))
    ]  # fmt: skip
    return leaderboard_figure_table(pd.DataFrame(rows), "hifigan-S", labels)


def test_a_leaderboard(leaderboard, tmp_path):
    told = svg(lambda: draw_leaderboard(leaderboard, FigureSettings()))
    assert redrawn(leaderboard, tmp_path / "figure.csv") == told


def test_the_program_draws_a_figure_in_another_style_from_its_table_alone(leaderboard, tmp_path, monkeypatch):
    write_table(leaderboard, tmp_path / "figure.csv")
    settings = FigureSettings(medium="page", palette="mako_r")
    monkeypatch.setattr(program, "run_program", lambda main: main())  # the real one ends the process
    arguments = ["--figure-table", "figure.csv", "--figure-settings", '{"medium": "page", "palette": "mako_r"}']
    monkeypatch.setattr(sys, "argv", ["redraw_figure.py", *arguments, "--output-figures", "figure.svg"])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(PROGRAM), run_name="__main__")
    assert (tmp_path / "figure.svg").read_text() == svg(lambda: draw_leaderboard(leaderboard, settings), settings)


def test_a_table_of_no_figure_is_named_with_what_is_allowed(tmp_path):
    (tmp_path / "a.csv").write_text("figure,system\nfronts,a\nsweeps,b\n")
    with pytest.raises(UserError, match=r"a\.csv: column figure has 'fronts', 'sweeps'; .*: fronts, correlations"):
        figure_of_table(tmp_path / "a.csv", FigureSettings())
    (tmp_path / "a.csv").write_text("figure\nsweeps\n")
    with pytest.raises(UserError, match=r"a\.csv"):
        figure_of_table(tmp_path / "a.csv", FigureSettings())
    assert len(FIGURES) == 7
