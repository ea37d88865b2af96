"""Reference systems compete where they may, and who lacks a value is seen on the axis of the one that is known."""

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.figure_style import SOFT_INK, drawing
from vocoder_pareto.analysis.fronts import Objectives, find_front, read_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_beside, panels_of
from vocoder_pareto.study.sections.analysis import FigureSettings

COST = "energy_joules_per_audio_second"
QUALITY = Objectives("energy", {COST: "min", "mos": "max"})
DISTANCE = Objectives("distance", {COST: "min", "d_stft": "min"})
NAN = float("nan")


def study(device="CPU", source="estimated"):
    """Two rated vocoders of the paper, of which one was trained; one of nobody's; the references on `device`."""
    rows = [
        ("ground_truth", "reference", NAN, 4.3, 0.0, "", "", pd.NA),
        ("griffin_lim", "reference", 3.0, NAN, 0.3, device, source, pd.NA),
        ("world", "reference", 1.0, NAN, 0.2, device, source, pd.NA),
        ("melgan-S", "GAN", 0.5, 1.4, NAN, "CPU", "estimated", 0),
        ("hifigan-L", "GAN", 8.0, 4.1, 0.1, "CPU", "estimated", 5000),
        ("mine-S", "own", 40.0, NAN, 0.4, "CPU", "estimated", 5000),
    ]
    names = ["system", "family", COST, "mos", "d_stft", "device", "energy_source", "training_steps"]
    table = pd.DataFrame(rows, columns=names).astype({"training_steps": "Int64"})
    parts = table["system"].str.partition("-")
    sources = table["mos"].notna().map({True: "published", False: ""})
    return table.assign(model=parts[0], size=parts[2], mos_source=sources)


def drawn(fronts, labels, style="improved"):
    settings = FigureSettings(style=style)
    with drawing(settings):
        figure = draw_fronts(panels_beside(fronts), settings, labels)
        figure.draw_without_rendering()
    return figure


def ticks_of(axes):
    """Where the short lines on the horizontal axis stand."""
    lines = [line for line in axes.lines if line.get_color() == SOFT_INK and len(set(line.get_xdata())) == 1]
    return sorted(float(line.get_xdata()[0]) for line in lines if 0 < line.get_ydata()[1] < 0.1)


def words_of(figure):
    return " ".join(" ".join(text.get_text() for text in figure.findobj() if hasattr(text, "get_text")).split())


def test_references_compete_where_quality_is_a_distance_and_never_for_listeners():
    front = find_front(study(), DISTANCE, draws=5)
    assert list(front.table["system"]) == ["griffin_lim", "world", "hifigan-L", "mine-S"]
    assert front.summary["front"] == ["world", "hifigan-L"]
    rated = study().assign(mos=[4.3, 1.5, 3.0, 1.4, 4.1, NAN], mos_source="listening_test")
    assert list(find_front(rated, QUALITY, draws=5).table["system"]) == ["melgan-S", "hifigan-L"]


@pytest.mark.parametrize(("device", "source"), [("another CPU", "estimated"), ("CPU", "rapl")])
def test_a_reference_that_was_measured_otherwise_than_the_systems_is_told_and_not_compared(device, source, labels):
    """Two joules are dominated by one joule, unless the meters or the devices differ."""
    systems = study(device, source)
    for objectives in (DISTANCE, QUALITY):
        front = find_front(systems, objectives, draws=5)
        assert front.summary["computed_elsewhere"] == ["griffin_lim", "world"]
        assert not {"griffin_lim", "world"} & {*front.table["system"], *front.summary["partly_known"]}
        figure = drawn([front], labels)
        assert "By another device or meter, so not on this axis: Griffin-Lim, WORLD." in words_of(figure)
        assert "NOT COMPARABLE" not in words_of(figure)


def test_references_alone_are_compared_with_each_other():
    alone = study("another CPU").iloc[:4]
    front = find_front(alone, DISTANCE, draws=5)
    assert list(front.table["system"]) == ["griffin_lim", "world"]
    assert (front.summary["front"], front.summary["not_judged"]) == (["world"], ["melgan-S"])


def test_natural_speech_has_no_cost_and_competes_nowhere():
    objectives = Objectives("two", {"d_stft": "min", "mcd": "min"})
    systems = study().assign(mcd=[0.0, 3.0, 2.0, NAN, 1.0, 4.0])
    assert list(find_front(systems, objectives, draws=5).table["system"]) == ["hifigan-L", "mine-S"]


def test_who_has_no_mos_is_a_tick_on_the_axis_of_cost_and_named_with_the_reason(labels, tmp_path):
    find_front(study(), QUALITY, draws=5).write(tmp_path / "front.csv", tmp_path / "front.json")
    front = read_front(tmp_path / "front.csv", tmp_path / "front.json")
    assert front.summary["partly_known"] == {"griffin_lim": {COST: 3.0}, "world": {COST: 1.0}, "mine-S": {COST: 40.0}}
    figure = drawn([front], labels)
    axes = figure.axes[0]
    assert ticks_of(axes) == [1.0, 3.0, 40.0]
    low, high = axes.get_xlim()
    assert low < 0.5 < 40 < high, "limits hold the ticks, too"
    words = words_of(figure)
    assert "Left out, without MOS: mine-S, Griffin-Lim, WORLD." in words
    assert "Tick on an axis: a system of which this value alone is known." in words
    assert [text.get_text() for text in axes.texts if text.get_rotation() == 90] == ["Griffin-Lim", "WORLD", "mine-S"]


def test_without_anybody_who_lacks_a_value_there_is_no_word_of_ticks(labels):
    complete = study().iloc[3:5].assign(d_stft=0.1)
    figure = drawn([find_front(complete, QUALITY, draws=5)], labels)
    assert ticks_of(figure.axes[0]) == []
    assert "Tick" not in words_of(figure)
    assert "Tick" not in words_of(drawn([find_front(study(), QUALITY, draws=5)], labels, "paper"))


def test_many_ticks_are_drawn_and_not_named(labels):
    nobodys = [study().iloc[[5]].assign(system=f"own{index}-S", **{COST: 1.5 + index}) for index in range(9)]
    axes = drawn([find_front(pd.concat([study(), *nobodys]), QUALITY, draws=5)], labels).axes[0]
    assert ticks_of(axes) == sorted([1.0, 3.0, 40.0, *(1.5 + index for index in range(9))])
    assert [text for text in axes.texts if text.get_rotation() == 90] == []


def test_who_was_trained_too_briefly_is_told_apart_from_who_was_not(labels):
    """A system of known training whose audio has no distance is not judged."""
    systems = study()
    systems.loc[5, ["d_stft", "training_steps"]] = [NAN, 2]
    front = find_front(systems, DISTANCE, draws=5)
    assert (front.summary["not_judged"], front.summary["briefly_trained"]) == (["melgan-S", "mine-S"], ["mine-S"])
    words = words_of(drawn([front], labels))
    assert "Not trained, so not judged: MelGAN S. Trained too briefly, so not judged: mine-S." in words
    nothing = find_front(systems[systems["system"].isin(["ground_truth", "melgan-S", "mine-S"])], DISTANCE, draws=5)
    assert "no system was trained for long enough: none is judged" in words_of(drawn([nothing], labels))


def test_four_panels_stand_in_pairs_and_say_which_device_each_is_of(labels):
    published = study().iloc[3:5].assign(device="GPU", energy_source="published")
    ours = study().assign(mcd=[0.0, 3.0, 2.0, NAN, 1.0, 4.0], estoi=[1.0, 0.7, 0.8, NAN, 0.9, 0.6])
    distances = {"d_stft": "min", "mcd": "min", "estoi": "max"}
    fronts = [find_front(published, QUALITY, draws=5)]
    fronts += [find_front(ours, Objectives(name, {COST: "min", name: way}), draws=5) for name, way in distances.items()]
    figure = drawn(fronts, labels)
    boxes = np.array([axes.get_position().bounds for axes in figure.axes])
    assert len(boxes) == 4
    assert boxes[0, 1] == pytest.approx(boxes[1, 1], abs=0.01)
    assert boxes[0, 1] > boxes[2, 1] + boxes[2, 3]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["GPU (published)", "CPU", "CPU", "CPU"]
    labels_of_axes = [axes.get_ylabel() for axes in figure.axes]
    assert labels_of_axes == ["Quality (MOS)", "Spectral distance", "Mel-cepstral distortion (bel)", "ESTOI"]
    assert len(drawn(fronts[:3], labels).axes) == 3
    assert len(panels_of(fronts[0])) == 1


def test_of_trainings_that_differ_in_their_seed_the_first_competes_and_the_caption_names_the_others():
    """The second seed is the better one in all, and a twin of it that is no replicate takes the front."""
    lucky = study().assign(d_stft=[0.0, 0.3, 0.2, NAN, 0.3, 0.1], replicate_of=["", "", "", "", "", "hifigan-L"])
    lucky.loc[5, COST] = 0.5
    front = find_front(lucky, DISTANCE, draws=5)
    assert list(front.table["system"]) == ["griffin_lim", "world", "hifigan-L"]
    assert (front.summary["front"], front.summary["further_seeds"]) == (["world"], ["mine-S"])
    assert "Further seeds, which do not compete: Mine S." in words_of(drawn([front], {"mine": "Mine"}))
    alone = find_front(lucky.assign(replicate_of=""), DISTANCE, draws=5)
    assert (alone.summary["front"], alone.summary["further_seeds"]) == (["mine-S"], [])
    for part in (["d_stft"], [COST]):
        unknown = lucky.assign(**{name: [*lucky[name][:-1], NAN] for name in part})
        assert "mine-S" not in find_front(unknown, DISTANCE, draws=5).summary["partly_known"]
