"""Sets side by side: rank agreement beside its definition, relative energies, and what is not taken for one system."""

import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.leaderboard import (
    COLUMNS,
    MeasuredSet,
    leaderboard_table,
    one_name_per_configuration,
    order_of_systems,
    published_set,
    rank_agreement,
    read_stored_set,
)
from vocoder_pareto.analysis.leaderboard_figure import draw_leaderboard, leaderboard_figure_table
from vocoder_pareto.analysis.leaderboard_page import leaderboard_html
from vocoder_pareto.study.sections.analysis import FigureSettings

RESOURCES = Path(__file__).resolve().parents[3] / "resources"
MEASURED = RESOURCES / "measured"
ENERGY = "energy_joules_per_audio_second"


def set_of(name, energies, configuration="0123456789abcdef", **changes):
    systems = pd.DataFrame(
        {
            "system": list(energies), "configuration": configuration, ENERGY: list(energies.values()),
            f"{ENERGY}_ci95": [0.01 * energy for energy in energies.values()], "publishable": True, "flags": "",
        }
    )  # fmt: skip
    known = MeasuredSet(
        name, f"device of {name}", "nvml", "1.2", ("2026-01-01", "2026-01-02"), 2, {"clips": 4}, systems
    )
    return replace(known, **changes)


@pytest.fixture(scope="module")
def stored(printed):
    return [published_set(printed), *(read_stored_set(file.parent) for file in sorted(MEASURED.glob("*/set.json")))]


def tau_by_definition(one, other):
    """Concordant pairs less discordant ones over all: Kendall's τ where nothing is tied."""
    pairs = list(combinations(range(len(one)), 2))
    return sum(np.sign((one[i] - one[j]) * (other[i] - other[j])) for i, j in pairs) / len(pairs)


def test_the_agreement_of_the_stored_sets_is_kendalls_by_its_definition(stored):
    for found in rank_agreement(stored):
        one, other = (next(each for each in stored if each.name == name) for name in found["sets"])
        both = one.systems.merge(other.systems, on="system")
        assert found["systems"] == len(both) == 18
        expected = tau_by_definition(both[f"{ENERGY}_x"].to_numpy(), both[f"{ENERGY}_y"].to_numpy())
        assert found["kendall_tau"] == pytest.approx(expected)
    by_pair = {tuple(found["sets"]): round(found["kendall_tau"], 2) for found in rank_agreement(stored)}
    assert by_pair == {
        ("published", "amd-epyc"): 0.9,
        ("published", "nvidia-h100-80gb-hbm3"): 0.9,
        ("amd-epyc", "nvidia-h100-80gb-hbm3"): 0.97,
    }


def test_two_systems_in_common_have_no_rank_correlation():
    sets = [set_of("a", {"x-S": 1, "y-S": 2, "z-S": 3}), set_of("b", {"x-S": 1, "y-S": 2, "other-S": 3})]
    assert rank_agreement(sets) == [{"sets": ["a", "b"], "systems": 2, "kendall_tau": None}]
    tied = set_of("c", {"x-S": 1.0, "y-S": 1.0, "z-S": 1.0})
    assert rank_agreement([sets[0], tied])[0]["kendall_tau"] is None


def test_the_stored_sets_are_told_with_day_driver_and_source(stored):
    by_name = {each.name: each for each in stored}
    h100, cpu, paper = by_name["nvidia-h100-80gb-hbm3"], by_name["amd-epyc"], by_name["published"]
    assert (h100.energy_source, h100.driver, h100.measured, h100.runs) == (
        "nvml", "580.159.04", ("2026-11-26", "2026-11-26"), 2,
    )  # fmt: skip
    assert (cpu.energy_source, cpu.driver, cpu.runs) == ("estimated", None, 1)
    assert (paper.device, paper.energy_source, paper.measured) == ("NVIDIA RTX A5000", "published", None)
    energies = paper.systems.set_index("system")[ENERGY]
    assert energies["hifigan-L"] == pytest.approx(96.61 / 100)  # as Table 2 prints it, for 100 s of audio


def test_energies_are_relative_to_the_reference_of_their_own_device():
    sets = [
        set_of("a", {"ref-S": 2.0, "x-S": 1.0}),
        set_of("b", {"ref-S": 20.0, "x-S": 5.0}),
        set_of("c", {"x-S": 9.0}),
    ]
    table = leaderboard_table(sets, "ref-S").set_index(["set", "system"])
    assert table.loc[("a", "x-S"), "relative_energy"] == 0.5
    assert table.loc[("b", "x-S"), "relative_energy"] == 0.25
    assert table.loc[("b", "x-S"), "relative_energy_ci95"] == pytest.approx(0.25 * np.hypot(0.01, 0.01))
    assert np.isnan(table.loc[("c", "x-S"), "relative_energy"])
    assert table.loc[("a", "x-S"), "rank"] == 1
    assert order_of_systems(table.reset_index()) == ["x-S", "ref-S"]


def test_a_system_of_another_configuration_is_another_system():
    sets = [set_of("published", {"x-S": 1.0}, ""), set_of("a", {"x-S": 1.0}), set_of("b", {"x-S": 3.0}, "fedcba98" * 2)]
    names = [list(each.systems["system"]) for each in one_name_per_configuration(sets)]
    assert names == [["x-S"], ["x-S"], ["x-S (fedcba98)"]]


def test_the_page_holds_every_number_and_says_what_is_not_known(stored, labels, tmp_path):
    sets = one_name_per_configuration(stored)
    table, agreement = leaderboard_table(sets, "hifigan-L"), rank_agreement(sets)
    assert list(table.columns) == list(COLUMNS)
    with drawing(FigureSettings()):
        shown = leaderboard_figure_table(table, "hifigan-L", labels)
        save_figure(draw_leaderboard(shown, FigureSettings()), [tmp_path / "x.svg"])
    template = RESOURCES / "leaderboard" / "page.html"
    page = leaderboard_html(sets, table, agreement, "hifigan-L", labels, template, (tmp_path / "x.svg").read_text())
    rows = re.findall(r"<tr><th scope=\"row\">(?:MelGAN|HiFi-GAN|WaveGrad|DiffWave|WaveFlow|WaveGlow) [SML]</th>", page)
    assert len(rows) == 18
    for text in ("NVIDIA RTX A5000", "580.159.04", "2026-11-26", "not known", "energy_estimated: all", "0.97 (18)"):
        assert text in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_names_are_text_on_the_page_and_in_the_figure(tmp_path):
    sets = [set_of("a", {"<b>$x$&-S": 1.0, "ref-S": 2.0}, device="GPU <i>%\\n$")]
    table = leaderboard_table(sets, "ref-S")
    with drawing(FigureSettings()):
        shown = leaderboard_figure_table(table, "ref-S", {})
        save_figure(draw_leaderboard(shown, FigureSettings()), [tmp_path / "x.svg"])
    page = leaderboard_html(
        sets, table, [], "ref-S", {}, RESOURCES / "leaderboard" / "page.html", (tmp_path / "x.svg").read_text()
    )
    assert "<b>" not in page
    assert "&lt;b&gt;$x$&amp;-S" in page
    assert json.dumps(rank_agreement(sets)) == "[]"
