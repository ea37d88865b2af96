"""Figures as a conference's column takes them: their width, their fonts and what they say, read from the files."""

import re

import pandas as pd
import pytest
from matplotlib.text import Text

from vocoder_pareto.analysis.correlation import correlate_with_mos
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.definition_figure import draw_definition
from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.fronts import Objectives, find_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_beside
from vocoder_pareto.analysis.sweep_figure import COLUMNS, draw_sweeps
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY

COLUMN_INCHES = 3.39  # 86 mm, the column of ICASSP's paper kit
TEXT_INCHES = 7.0  # 178 mm, both columns
COSTS = ("gflops_published_convention", ENERGY)


@pytest.fixture(scope="module")
def estimated(printed):
    """Of six systems, since placing names takes its time."""
    systems = printed[printed["model"].isin(["hifigan", "waveflow"])]
    return systems.assign(energy_source="estimated", device="CPU")


def fronts(systems, settings, labels):
    found = [find_front(systems, Objectives(cost, {cost: "min", "mos": "max"}), draws=20) for cost in COSTS]
    return draw_fronts(panels_beside(found), settings, labels)


def correlations(systems, settings, labels):
    scores = systems.set_index("system")
    return draw_correlations(scores, correlate_with_mos(scores, 0), settings, labels)


def sweeps(_, settings, labels):
    rows = [
        (f"hifigan-{size}", "hifigan", size, "float32", batch, 1.0 / batch, 0.01, "estimated", "CPU", 1.5, "")
        for size in "SML" for batch in (1, 16)
    ]  # fmt: skip
    return draw_sweeps(pd.DataFrame(rows, columns=COLUMNS), settings, labels)


def definition(_, settings, labels):
    return draw_definition(settings)


@pytest.mark.parametrize(
    ("draw", "medium", "inches"),
    [
        (fronts, "column", COLUMN_INCHES), (fronts, "page", TEXT_INCHES), (correlations, "column", COLUMN_INCHES),
        (sweeps, "column", COLUMN_INCHES), (definition, "column", COLUMN_INCHES),
    ],
)  # fmt: skip
def test_a_file_fits_its_place_with_legible_embedded_fonts(estimated, labels, tmp_path, draw, medium, inches):
    settings = FigureSettings(medium=medium)
    with drawing(settings):
        figure = draw(estimated, settings, labels)
        save_figure(figure, [tmp_path / "figure.pdf"])
    written = (tmp_path / "figure.pdf").read_bytes()
    (width,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) [\d.]+ \]", written)
    assert float(width) / 72 <= inches
    assert b"/Subtype /Type0" in written
    assert b"/FontFile2" in written  # a TrueType font
    assert b"/Type3" not in written
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text() and text.get_visible()}
    assert 7 <= min(sizes) <= max(sizes) <= 8
    if draw is fronts:
        one, other = (axes.get_position() for axes in figure.axes)
        assert one.x1 < other.x0 if medium == "page" else one.y0 > other.y1


@pytest.mark.parametrize(("medium", "said"), [("screen", ""), ("column", ", estimated")])
def test_what_no_caption_says_in_print_stands_at_the_axis(estimated, labels, medium, said):
    settings = FigureSettings(medium=medium)
    with drawing(settings):
        figure = fronts(estimated, settings, labels)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "GFLOPs as the paper counts them", f"Energy per second of audio (J){said}",
    ]  # fmt: skip
    below = " ".join(text.get_text() for text in figure.texts)
    assert ("estimated" in below) == (medium == "screen")
