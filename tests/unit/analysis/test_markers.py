"""A model has one marker in all figures of a study: that of its place in the configuration."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path

from vocoder_pareto.analysis.correlation import correlate_with_mos
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.figure_style import drawing, marker_of, size_colours
from vocoder_pareto.analysis.fronts import Objectives, find_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_of
from vocoder_pareto.analysis.sweep_figure import draw_sweeps
from vocoder_pareto.study.sections.analysis import FigureSettings

ENERGY = Objectives("energy", {"energy_joules_per_audio_second": "min", "mos": "max"})
# In the order of config.yaml.
MARKERS = {"melgan": "o", "hifigan": "s", "wavegrad": "^", "diffwave": "D", "waveflow": "v", "waveglow": "P"}


def shape(marker):
    style = MarkerStyle(marker)
    return style.get_path().transformed(style.get_transform()).vertices.round(6).tolist()


def in_pareto_figure(systems, settings, labels):
    figure = draw_fronts(panels_of(find_front(systems, ENERGY, draws=5)), settings, labels)
    found = {}
    for points in figure.axes[0].collections:
        if points.get_label() in labels:
            found[points.get_label()] = points.get_paths()[0].vertices.round(6).tolist()
    return found


def in_correlation_figure(systems, settings, labels):
    rated = systems[systems["family"] != "reference"].set_index("system")
    figure = draw_correlations(rated, correlate_with_mos(rated, 0), settings, labels)
    drawn = {
        tuple(line.get_xydata()[0]): line.get_marker() for line in figure.axes[0].lines if len(line.get_xdata()) == 1
    }
    return {row["model"]: shape(drawn[row["d_stft"], row["mos"]]) for row in rated.to_dict("records")}


def in_sweep_figure(systems, settings, labels):
    rated = systems[systems["family"] != "reference"]
    sweeps = rated.assign(precision="float32", batch_size=1, flags="")
    figure = draw_sweeps(sweeps, settings, labels)
    return {model: shape(axes.lines[0].get_marker()) for model, axes in zip(rated["model"], figure.axes, strict=False)}


@pytest.mark.parametrize("figure_of", [in_pareto_figure, in_correlation_figure, in_sweep_figure])
@pytest.mark.parametrize("some", [None, ["wavegrad", "melgan"]])
def test_markers_follow_the_order_of_the_configuration_also_in_a_study_of_some_models(printed, labels, figure_of, some):
    systems = printed if some is None else printed[printed["model"].isin(some)].iloc[::-1]
    with drawing(FigureSettings()):
        found = figure_of(systems, FigureSettings(), labels)
    assert found == {model: shape(marker) for model, marker in MARKERS.items() if model in (some or MARKERS)}


def test_the_papers_style_has_the_same_markers(printed, labels):
    settings = FigureSettings(style="paper")
    with drawing(settings):
        figure = draw_fronts(panels_of(find_front(printed, ENERGY, draws=5)), settings, labels)
    legend = {text.get_text(): handle for text, handle in zip(*legend_of(figure.axes[0]), strict=True)}
    for model, marker in MARKERS.items():
        assert legend[labels[model]].get_marker() == marker


def legend_of(axes):
    return axes.get_legend().get_texts(), axes.get_legend().legend_handles


def test_a_model_without_label_follows_those_that_have_one():
    assert [marker_of(model, {"b": "B", "a": "A"}, ["new", "a"]) for model in ("b", "a", "new")] == ["o", "s", "^"]


def test_lines_tell_precisions_apart_where_markers_are_those_of_models(printed, labels):
    system = printed[printed["system"] == "hifigan-S"]
    sweeps = pd.concat([system.assign(precision=name, batch_size=1, flags="") for name in ("float32", "tf32", "bf16")])
    with drawing(FigureSettings()):
        lines = draw_sweeps(sweeps, FigureSettings(), labels).axes[0].lines
    main = [line for line in lines if line.get_marker() == "s"]
    assert len({line.get_linestyle() for line in main}) == len({line.get_fillstyle() for line in main}) == 3
    assert len({tuple(np.round(line.get_color(), 6)) for line in main}) == 1


def test_no_two_of_twelve_families_look_alike_and_further_ones_have_their_number():
    """The outside is a grid of points: of shapes of equal area, no two share more than 0.85 of what both cover."""
    families = [f"family {number}" for number in range(30)]
    markers = [marker_of(family, {}, families) for family in families]
    assert len(set(markers)) == 30
    assert markers[-1] == "$30$"
    grid = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 81), np.linspace(-1.5, 1.5, 81)), -1).reshape(-1, 2)
    covered = [covers(marker, grid) for marker in markers[:13]]
    for one, other in combinations(covered, 2):
        assert (one & other).sum() < 0.85 * (one | other).sum()


def covers(marker, grid):
    style = MarkerStyle(marker)
    corners = style.get_path().transformed(style.get_transform()).to_polygons()[0]
    x, y = corners.T
    area = abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    return Path(corners / np.sqrt(area)).contains_points(grid)


def test_light_to_dark_is_small_to_large_within_every_model():
    """Of two generations, whose sizes have other names, each model has its own order: that of the study."""
    models = {
        "melgan": "SML",
        "vocos": "SML",
        "istftnet": ["C8C8I", "C8C1I"],
        "bigvgan": ["base", "v2"],
        "one": ["x"],
        "melgan_of_laptops": ["XXS", "XS"],
    }
    pairs = [(size, model) for model, sizes in models.items() for size in sizes]
    sizes, owners = zip(*pairs, strict=True)
    colours = size_colours(FigureSettings(), sizes, owners)
    assert {size: colours[size] for size in "SML"} == size_colours(FigureSettings(), ["S", "M", "L"])
    for own in models.values():
        lightness = [sum(colours[size]) for size in own]
        assert lightness == sorted(lightness, reverse=True)
        assert len(set(lightness)) == len(lightness)


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_a_figure_of_fourteen_models_names_each_by_a_marker_of_its_own(printed, labels, style):
    newcomers = [f"new{number}" for number in range(8)]
    systems = pd.concat([printed, *(newcomer(printed, name, place) for place, name in enumerate(newcomers))])
    names = labels | {name: name.upper() for name in newcomers}
    settings = FigureSettings(style=style)
    with drawing(settings):
        figure = draw_fronts(panels_of(find_front(systems, ENERGY, draws=5)), settings, names)
    if style == "paper":
        texts, handles = legend_of(figure.axes[0])
        shown = [handle.get_marker() for text, handle in zip(texts, handles, strict=True)
                 if text.get_text() in names.values()]  # fmt: skip
    else:
        shown = [tuple(points.get_paths()[0].vertices.round(6).ravel()) for points in figure.axes[0].collections
                 if points.get_label() in names]  # fmt: skip
    assert len(set(shown)) == len(names) == 14


def newcomer(printed, name, place):
    row = printed[printed["system"] == "hifigan-S"]
    energy = "energy_joules_per_audio_second"
    return row.assign(system=f"{name}-base", model=name, size="base", **{energy: row[energy] * (1.3 + place)})
