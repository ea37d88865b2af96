"""Figures: what they show, that they are the same bytes every time, and that their text is legible."""

import itertools
import re

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.markers import CARETDOWN, CARETLEFT
from matplotlib.text import Annotation

from vocoder_pareto.analysis.definition_figure import draw_definition
from vocoder_pareto.analysis.figure_captions import caption
from vocoder_pareto.analysis.figure_style import OPTIMAL, drawing, save_figure, size_colours
from vocoder_pareto.analysis.front_of_table import front_of_file
from vocoder_pareto.analysis.fronts import Objectives, find_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_beside, panels_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from

ENERGY = Objectives("energy", {"energy_joules_per_audio_second": "min", "mos": "max"})
GFLOPS = Objectives("gflops", {"gflops_published_convention": "min", "mos": "max"})
THREE = Objectives("three", {"parameters": "min", "energy_joules_per_audio_second": "min", "mos": "max"})


@pytest.fixture(scope="module")
def fronts(printed):
    return [find_front(printed, objectives, draws=300) for objectives in (GFLOPS, ENERGY)]


def drawn(panels, labels, **settings):
    settings = FigureSettings(**settings)
    with drawing(settings):
        return draw_fronts(panels, settings, labels)


def texts_of(axes):
    return [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]


def ringed(axes):
    """Centres of the thick red circles, in data coordinates."""
    found = set()
    for points in axes.collections:
        is_red = len(points.get_edgecolor()) and np.allclose(points.get_edgecolor()[0], to_rgba(OPTIMAL))
        if is_red and points.get_linewidth()[0] > 1:
            found |= {tuple(np.round(centre, 4)) for centre in points.get_offsets()}
    return found


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_both_panels_ring_the_papers_optimal_systems(fronts, labels, style):
    figure = drawn(panels_beside(fronts), labels, style=style)
    gflops, energy = figure.axes[:2]
    assert ringed(gflops) == {(1.39, 1.37), (2.56, 3.9), (40.57, 4.12)}
    assert ringed(energy) == {(0.4908, 1.37), (0.5928, 3.9), (0.9661, 4.12)}
    assert gflops.get_xlabel() == "GFLOPs as the paper counts them"
    assert (gflops.get_ylabel(), energy.get_ylabel()) == ("Quality (MOS)", "")


def test_the_improved_style_has_a_logarithmic_cost_axis_and_the_papers_a_linear_one(fronts, labels):
    assert drawn(panels_of(fronts[1]), labels).axes[0].get_xscale() == "log"
    assert drawn(panels_of(fronts[1]), labels, style="paper").axes[0].get_xscale() == "linear"


def test_all_18_systems_are_named_and_no_label_covers_another(fronts, labels):
    figure = drawn(panels_beside(fronts), labels)
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        named = [text for text in texts_of(axes) if re.search(r" [SML]\b", text.get_text())]
        assert len(named) == 18
        boxes = [text.get_window_extent(renderer) for text in named]
        for one, other in itertools.combinations(boxes, 2):
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width <= 0 or height <= 0
        frame = axes.get_window_extent()
        assert all(box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1 for box in boxes)


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_an_energy_to_doubt_is_marked_at_its_system_and_explained_below(printed, labels, style):
    doubts = {"hifigan-L": ["busy machine"], "waveflow-S": ["wide interval"]}
    energy, gflops = (find_front(printed, each, draws=10, doubts=doubts) for each in (ENERGY, GFLOPS))
    marked = [
        text for text in texts_of(drawn(panels_of(energy), labels, style=style).axes[0]) if "†" in text.get_text()
    ]
    assert len(marked) == 2
    if style == "improved":
        assert {text.get_text().partition("†")[0] for text in marked} == {"HiFi-GAN L", "WaveFlow S"}
    else:
        assert {text.xy[0] for text in marked} == {
            row["energy_joules_per_audio_second"]
            for row in energy.table.to_dict("records") if row["system"] in doubts
        }  # fmt: skip
    assert "† busy machine: HiFi-GAN L; wide interval: WaveFlow S." in caption([energy], labels, False)
    assert "†" not in caption([gflops], labels, False)


def test_optimal_systems_carry_their_probability(fronts, labels):
    axes = drawn(panels_of(fronts[0]), labels).axes[0]
    words = {text.get_text() for text in texts_of(axes)}
    assert "HiFi-GAN S 100\u00a0%" in words or "HiFi-GAN S 99\u00a0%" in words
    assert "WaveGrad S" in words
    plain = drawn(panels_of(fronts[1]), labels, probabilities=False).axes[0]
    assert not any("%" in text.get_text() for text in texts_of(plain))


def test_no_text_is_smaller_than_five_points_at_one_column_width(fronts, labels):
    figure = drawn(panels_of(fronts[1]), labels)
    assert figure.get_figwidth() == 3.35
    texts = [*figure.texts, *texts_of(figure.axes[0]), *figure.axes[0].get_xticklabels()]
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 5


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_equal_input_gives_equal_bytes_without_dates(fronts, labels, tmp_path, suffix):
    for name in ("one", "two"):
        with drawing(FigureSettings()):
            save_figure(draw_fronts(panels_of(fronts[1]), FigureSettings(), labels), [tmp_path / f"{name}.{suffix}"])
    content = (tmp_path / f"one.{suffix}").read_bytes()
    assert content == (tmp_path / f"two.{suffix}").read_bytes()
    assert b"CreationDate" not in content
    assert b"dc:date" not in content


def test_fonts_are_embedded_in_pdf_and_outlined_in_svg(fronts, labels, tmp_path):
    with drawing(FigureSettings()):
        save_figure(
            draw_fronts(panels_of(fronts[1]), FigureSettings(), labels), [tmp_path / "a.pdf", tmp_path / "a.svg"]
        )
    assert b"/FontFile2" in (tmp_path / "a.pdf").read_bytes()
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()
    assert b"<text" not in (tmp_path / "a.svg").read_bytes()


def test_three_objectives_are_drawn_as_pairs(printed, labels):
    figure = drawn(panels_of(find_front(printed, THREE, draws=50)), labels)
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [
        ("Parameters (M)", "Energy per second of audio (J)"),
        ("Parameters (M)", "Quality (MOS)"),
        ("Energy per second of audio (J)", ""),
    ]


def test_fronts_with_the_same_axes_are_told_apart_by_device(printed, fronts, labels):
    ours = find_front(printed.assign(energy_source="nvml", device="GPU X"), ENERGY, draws=50)
    figure = drawn(panels_beside([fronts[1], ours]), labels)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["NVIDIA RTX A5000 (published)", "GPU X"]


def test_a_front_without_systems_says_so(printed, labels):
    empty = find_front(printed.assign(mos=np.nan), ENERGY, draws=5)
    for style in ("improved", "paper"):
        axes = drawn(panels_of(empty), labels, style=style).axes[0]
        assert axes.texts[0].get_text() == "no system has all values"


def arrowheads(axes):
    """Where intervals end in an arrowhead, in data coordinates."""
    lines = [line for line in axes.lines if line.get_marker() in (CARETLEFT, CARETDOWN)]
    return [tuple(point) for line in lines for point in line.get_xydata()]


def test_an_interval_that_reaches_zero_ends_in_an_arrowhead_at_the_edge_of_a_logarithmic_axis(printed, labels):
    """The outside is the definition of the interval: value ± half-width, of which the axis has the positive part."""
    name = "energy_joules_per_audio_second"
    widths = np.where(printed["system"] == "hifigan-M", 1.5 * printed[name], 0.02 * printed[name])
    front = find_front(printed.assign(**{f"{name}_ci95": widths}), ENERGY, draws=300)
    axes = drawn(panels_of(front), labels).axes[0]
    row = printed.set_index("system").loc["hifigan-M"]
    left = axes.get_xlim()[0]
    assert 0 < left < printed[name].min()
    assert arrowheads(axes) == [(left, row["mos"])]
    bars = [each for each in axes.collections if isinstance(each, LineCollection)]
    spans = [segment[:, 0] for each in bars for segment in each.get_segments()]
    assert min(span.min() for span in spans) == left
    assert any(np.allclose(span, (left, 2.5 * row[name])) for span in spans)


def test_an_interval_of_a_distance_ends_at_zero_on_a_linear_axis(printed, labels):
    """Two clips give an interval of 12.7 standard errors: a distance below zero is none."""
    objectives = Objectives("distance", {"energy_joules_per_audio_second": "min", "d_stft": "min"})
    wide = printed.assign(d_stft_ci95=3 * printed["d_stft"], training_steps=5000)
    axes = drawn(panels_of(find_front(wide, objectives, draws=5)), labels).axes[0]
    bars = [each for each in axes.collections if isinstance(each, LineCollection)]
    ends = [segment[:, 1].min() for each in bars for segment in each.get_segments()]
    assert min(ends) == 0
    assert arrowheads(axes) == []


@pytest.mark.parametrize("energies", [[0.49], [0.49, 0.5], [3.1, 4.6], [0.5, 0.9], [1.0, 30.0], [1e-3, 1e3]])
def test_a_logarithmic_axis_has_two_numbers_at_least(printed, labels, energies):
    name = "energy_joules_per_audio_second"
    some = printed[printed["system"].str.startswith("hifigan")].head(len(energies)).assign(**{name: energies})
    figure = drawn(panels_of(find_front(some, ENERGY, draws=5)), labels)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    numbers = [label.get_text() for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
    assert len([text for text in numbers if text]) >= 2


@pytest.mark.parametrize("name", ["$x$", r"$\frac{1$ 100 % of_A&B", "<b>x</b> \\alpha #{}~^"])
def test_a_name_is_drawn_as_it_is_written(tmp_path, name):
    (tmp_path / "table.csv").write_text(f"name,energy,mos\n{name},1,3\nb,2,4\n")
    front = front_of_file(tmp_path / "table.csv", Objectives("front", {"energy": "min", "mos": "max"}))
    figure = drawn(panels_of(front), {})
    figure.draw_without_rendering()
    (text,) = (text for text in figure.axes[0].texts if text.get_text().startswith(name))
    assert not text.get_parse_math()


def test_formats_are_named_once_and_are_known():
    assert settings_from(FigureSettings, {"formats": ["png"]}, "figures").formats == ("png",)
    for formats in ([], ["pdf", "pdf"], ["gif"]):
        with pytest.raises(UserError, match="config key figures"):
            settings_from(FigureSettings, {"formats": formats}, "figures")


def test_intervals_within_the_axis_have_no_arrowhead(fronts, labels):
    assert all(arrowheads(axes) == [] for axes in drawn(panels_beside(fronts), labels).axes)


def test_one_system_can_be_drawn(printed, labels):
    single = find_front(printed[printed["system"] == "melgan-S"], ENERGY, draws=5)
    for style in ("improved", "paper"):
        assert ringed(drawn(panels_of(single), labels, style=style).axes[0]) == {(0.4908, 1.37)}


@pytest.mark.parametrize("way", list(itertools.product(["min", "max"], repeat=2)))
def test_the_stepped_front_bounds_what_is_dominated_whichever_way_is_better(printed, labels, way):
    objectives = Objectives("any", dict(zip(["energy_joules_per_audio_second", "mos"], way, strict=True)))
    front = find_front(printed, objectives, draws=5)
    axes = drawn(panels_of(front), labels).axes[0]
    line = next(line for line in axes.lines if line.get_color() == OPTIMAL).get_xydata()
    optimal = front.table.loc[front.table["on_front"], front.names].to_numpy()
    for corner in optimal:
        assert np.isclose(line, corner).all(axis=1).any()
    worst_x, worst_y = axes.get_xlim()[way[0] == "min"], axes.get_ylim()[way[1] == "min"]
    assert line[0, 1] == pytest.approx(worst_y)
    assert line[-1, 0] == pytest.approx(worst_x)
    steps = np.diff(np.log(line[:, 0])) * np.diff(line[:, 1])
    assert np.allclose(steps, 0)  # each piece runs along one axis only
    inside = np.sign([-1 if direction == "min" else 1 for direction in way])
    better = (line[1:-1] - front.table[front.names].to_numpy()[:, None]) * inside
    assert not (better < -1e-9).all(axis=2).any()  # no system lies beyond a corner of the staircase


def test_captions_name_sources_devices_omissions_and_short_protocols(printed, labels):
    systems = printed.assign(energy_source="estimated", device="CPU Y", mos_source="simulated")
    systems["mos"] = systems["mos"].where(systems["system"] != "hifigan-S")
    text = caption([find_front(systems, ENERGY, 5, not_publishable=["melgan-S"])], labels, with_probabilities=True)
    for words in ("SIMULATED listeners", "estimated from CPU time, CPU Y", "Left out, without MOS: HiFi-GAN S.",
                  "not publishable", "percentage"):  # fmt: skip
        assert words in text
    assert "NOT COMPARABLE" not in text
    mixed = printed.assign(device=["GPU A"] * 10 + ["GPU B"] * 9)
    assert "NOT COMPARABLE" in caption([find_front(mixed, ENERGY, 5)], labels, with_probabilities=False)


def test_captions_tell_what_became_of_the_ratings_where_they_are_shown(printed, labels):
    told = "Ratings: 480 used, 24 screened out (2 of 42 sessions), 3 rejected."
    assert told in caption([find_front(printed, ENERGY, 5, ratings=told)] * 2, labels, False)
    assert caption([find_front(printed, ENERGY, 5, ratings=told)] * 2, labels, False).count(told) == 1
    distance = Objectives("distance", {"energy_joules_per_audio_second": "min", "d_stft": "min"})
    assert told not in caption([find_front(printed, distance, 5, ratings=told)], labels, False)


def test_many_omissions_are_counted_not_listed(printed, labels):
    systems = printed.assign(mos=printed["mos"].where(printed["model"] == "melgan"))
    assert "Left out, without MOS: 15 of 18 systems." in caption([find_front(systems, ENERGY, 5)], labels, False)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"width_inches": 1.0}, "width_inches: 1.0 is not allowed; must be at least 2"),
        ({"font_size": 2.0}, "font_size: 2.0 is not allowed; must be at least 4"),
        ({"style": "fancy"}, "allowed: improved | paper"),
        ({"colour": "red"}, "figures.colour: unknown"),
    ],
)
def test_wrong_settings_are_named(values, words):
    with pytest.raises(UserError) as caught:
        settings_from(FigureSettings, values, "figures")
    assert words in str(caught.value)


def test_an_unknown_palette_font_or_format_is_named(fronts, labels, tmp_path):
    with pytest.raises(UserError, match=r"figures.palette: 'nice'"):
        drawn(panels_of(fronts[1]), labels, palette="nice")
    with pytest.raises(UserError, match=r"figures.font: 'No Such Font'"):
        drawn(panels_of(fronts[1]), labels, font="No Such Font")
    with pytest.raises(UserError, match=r"cannot write \.doc"):
        save_figure(drawn(panels_of(fronts[1]), labels), [tmp_path / "a.doc"])


def test_sizes_run_from_light_to_dark():
    colours = size_colours(FigureSettings(), ["L", "S", "M"])
    lightness = [sum(colours[size]) for size in "SML"]
    assert lightness == sorted(lightness, reverse=True)


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_the_definition_shows_optimal_points_red_and_dominated_ones_white(style, tmp_path):
    settings = FigureSettings(style=style)
    with drawing(settings):
        figure = draw_definition(settings)
        save_figure(figure, [tmp_path / "definition.pdf", tmp_path / "definition.svg"])
    dominated, optimal = (points.get_offsets() for points in figure.axes[0].collections[-2:])
    assert len(optimal) == 6
    for point in dominated:
        assert (optimal <= point).all(axis=1).any()
    for point in optimal:
        others = np.delete(optimal, np.flatnonzero((optimal == point).all(axis=1)), axis=0)
        assert not (others <= point).all(axis=1).any()


def test_the_caption_of_speed_against_distance_tells_device_and_training_but_no_energy(printed, labels):
    systems = printed.assign(real_time_factor=printed["energy_joules_per_audio_second"], training_steps=2)
    speed = Objectives("speed", {"real_time_factor": "min", "d_stft": "min"})
    text = caption([find_front(systems, speed, 5)], labels, with_probabilities=False)
    assert text == (
        "Measured on NVIDIA RTX A5000. Models trained for 2 steps. No uncertainty is known of: real-time factor, "
        "spectral distance; no probability is given where it is an axis.\nRed ring: Pareto optimal."
    )


def test_energies_without_an_uncertainty_carry_no_percentage_and_the_caption_says_why(fronts, labels):
    figure = drawn(panels_of(fronts[1]), labels)
    assert not any("%" in text.get_text() for text in texts_of(figure.axes[0]))
    text = caption(fronts[1:], labels, with_probabilities=False)
    assert (
        "No uncertainty is known of: energy per second of audio; no probability is given where it is an axis." in text
    )


def test_percentages_without_the_error_of_the_meter_say_so(printed, labels):
    systems = printed.assign(energy_joules_per_audio_second_ci95=0.01)
    text = caption([find_front(systems, ENERGY, 5)], labels, with_probabilities=True)
    assert "The systematic error of the meter is not known" in text
