"""One measurement beside the known ones: what shares an axis with it, and what must not."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.text import Text

from vocoder_pareto.analysis.beside_figure import beside_table, draw_beside
from vocoder_pareto.analysis.beside_known import comparisons
from vocoder_pareto.analysis.figure_style import drawing, save_figure, svg_of
from vocoder_pareto.analysis.figure_tables import figure_of_table
from vocoder_pareto.analysis.published import read_cost
from vocoder_pareto.analysis.stored_sets import read_stored_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.csv_tables import write_table

RESOURCES = Path(__file__).parents[3] / "resources"
H100 = RESOURCES / "measured" / "nvidia-h100-80gb-hbm3"
LONG = {"precision": "float32", "batch_size": 1, "clip_seconds": 10.0, "compile": False}


def record(device="NVIDIA H100 80GB HBM3", source="nvml", joules=0.2, **protocol):
    return {
        "device": device, "energy_source": source, ENERGY: joules, f"{ENERGY}_ci95": None if joules is None else 0.01,
        "protocol": {**LONG, **protocol},
    }  # fmt: skip


@pytest.fixture(scope="module")
def stored():
    return read_stored_set(H100)


def beside(stored, gflops=3.0, **given):
    return comparisons(record(**given), gflops, read_cost(RESOURCES / "published/table2_cost.csv"), [stored])


def test_a_stored_set_has_the_mean_of_its_runs_and_the_operations_of_its_records(stored):
    """By the numbers in the files: hifigan-L was measured in two runs."""
    runs = [json.loads((H100 / f"run{run}/hifigan-L.json").read_text()) for run in (1, 2)]
    assert stored.joules["hifigan-L"] == pytest.approx(sum(run[ENERGY] for run in runs) / 2)
    assert len(stored.joules) == 18
    assert stored.gflops["hifigan-L"] == pytest.approx(runs[0]["bounds"]["flops_per_joule"] * runs[0][ENERGY] / 1e9)
    assert (stored.device, stored.source) == ("NVIDIA H100 80GB HBM3", "nvml")


def test_the_same_device_and_protocol_share_an_axis_with_the_stored_set_alone(stored):
    printed, h100, operations = beside(stored)
    assert "several devices" in printed.why_not
    assert printed.own is None
    assert h100.own == 0.2
    assert sorted(h100.cheaper()) == sorted(name for name, joules in stored.joules.items() if joules < 0.2)
    assert operations.own == 3.0
    assert printed.cheaper() == []


def test_the_papers_gpu_shares_an_axis_with_the_printed_numbers(stored):
    printed, h100, _ = beside(stored, device="NVIDIA RTX A5000")
    assert printed.own == 0.2
    assert "several devices" in h100.why_not


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"source": "estimated"}, "estimated from CPU time"),
        ({"source": "rapl", "device": "a CPU"}, "measured by RAPL"),
        ({"clip_seconds": 0.4}, "clip_seconds 0.4 and 10"),
        ({"joules": None}, "could not be measured"),
    ],
)
def test_other_joules_stand_alone_and_say_why(stored, given, why):
    found = beside(stored, **given)
    assert why in found[1].why_not
    assert all(each.own is None for each in found[:2])
    alone = [each for each in found if "(here" in each.title]
    assert len(alone) == (given.get("joules", 0.2) is not None)
    assert all(each.known == {} for each in alone)


def test_the_table_holds_every_number_once_and_the_measured_one_by_its_name(stored):
    table = beside_table("mine.py:Mine", beside(stored), {}, {})
    mine = table[table["system"] == "mine.py:Mine"]
    assert list(mine["value"].dropna()) == [0.2, 3.0]
    assert list(mine["text"]) == [each.why_not for each in beside(stored)]
    assert table["value"].notna().sum() == 18 + 19 + 19


@pytest.mark.parametrize("joules", [0.2, None])
def test_the_table_alone_draws_the_figure_again(stored, joules, tmp_path):
    flags = {"short_protocol": "shorter than the full protocol", "not_publishable": "the same again"}
    found, labels = beside(stored, joules=joules), {"hifigan": "HiFi-GAN"}
    with drawing(FigureSettings()):
        told = svg_of(draw_beside("mine.py:Mine", found, flags, FigureSettings(), labels))
        write_table(beside_table("mine.py:Mine", found, flags, labels), tmp_path / "beside.csv")
        assert svg_of(figure_of_table(tmp_path / "beside.csv", FigureSettings())) == told


def test_in_a_column_the_axes_stand_below_each_other_and_say_whose_numbers_they_have(stored):
    settings, found = FigureSettings(medium="column"), beside(stored)
    with drawing(settings):
        figure = draw_beside("mine.py:Mine", found, {}, settings, {"hifigan": "HiFi-GAN"})
    assert figure.get_figwidth() <= 3.39  # inches: 86 mm, the column of ICASSP's paper kit
    places = [axes.get_position() for axes in figure.axes]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(places))
    for axes, each in zip(figure.axes, found, strict=True):
        assert each.sentence in " ".join(axes.get_xlabel().split())
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


@pytest.mark.parametrize("given", [{"source": "estimated", "device": "a CPU"}, {"joules": None}])
def test_the_figure_names_the_vocoder_and_what_it_is_not_beside(stored, given, tmp_path):
    flags = {"short_protocol": "shorter than the full protocol", "not_publishable": "the same again"}
    found = beside(stored, **given)
    with drawing(FigureSettings()):
        figure = draw_beside("mine.py:Mine", found, flags, FigureSettings(), {"hifigan": "HiFi-GAN"})
        save_figure(figure, [tmp_path / "beside.png"])
    texts = [text.get_text() for text in figure.texts]
    caption = " ".join(" ".join(texts).split())
    assert "not on the axis of NVIDIA RTX A5000" in caption
    assert "not publishable: shorter than the full protocol." in caption
    assert "the same again" not in caption
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == "mine.py:Mine"
    assert "HiFi-GAN S" in names
    assert len(names) == 19


def test_a_folder_that_is_no_set_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"holds no record such as run1/melgan-S\.json"):
        read_stored_set(tmp_path)
    shutil.copytree(H100, tmp_path / "set")
    file = tmp_path / "set/run1/melgan-S.json"
    file.write_text(file.read_text().replace("NVIDIA H100 80GB HBM3", "another GPU"))
    with pytest.raises(UserError, match="measured on several devices"):
        read_stored_set(tmp_path / "set")
    file.write_text("{}")
    with pytest.raises(UserError, match=r"melgan-S\.json: not a record"):
        read_stored_set(tmp_path / "set")
