"""Tables 1 and 2: the printed digits, asterisks, and a source for every number."""

import re
import shutil
import subprocess

import pandas as pd
import pytest

from vocoder_pareto.analysis.display_table import DisplayColumn, DisplayTable, latex_text
from vocoder_pareto.analysis.doubts import doubts_of, explanation
from vocoder_pareto.analysis.result_tables import cost_display, cost_table, quality_display, quality_table
from vocoder_pareto.tables.sources import SOURCES


@pytest.fixture
def published_tables(printed, printed_quality, printed_cost, labels):
    stars = [table.loc[table["suggested_by_authors"], "system"] for table in (printed_quality, printed_cost)]
    quality = quality_table(printed, "published", stars[0], labels)
    cost = cost_table(printed, "published", stars[1], labels)
    return quality, cost, quality_display(quality, printed), cost_display(cost, printed)


def rows_of(markdown):
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return {
        cells[0].strip("* "): cells for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    }


def test_published_tables_show_the_printed_digits(published_tables):
    quality, cost = (rows_of(display.to_markdown()) for display in published_tables[2:])
    assert quality["HiFi-GAN S"][1:] == ["3.90", "0.17", "0.0804"]
    assert quality["Ground truth"][1] == "4.34"
    assert cost["HiFi-GAN S"][1:] == ["0.928", "", "2.56", "0.5928"]
    assert cost["WaveGlow L"][1:] == ["87.73", "325.23", "333.04", "2.831"]
    assert len(quality) == 2 + 19
    assert len(cost) == 2 + 18


def test_asterisks_are_those_of_each_printed_table(published_tables):
    quality, cost = (display.to_markdown() for display in published_tables[2:])
    assert set(re.findall(r"(\w+)\\\* ([SML])", quality)) == {
        ("MelGAN", "S"), ("MelGAN", "L"), ("WaveGrad", "S"), ("WaveGlow", "S"),
    }  # fmt: skip
    assert ("WaveGrad", "L") in set(re.findall(r"(\w+)\\\* ([SML])", cost))  # table 2 marks one more
    assert "sizes that the authors added" in quality


def test_table_1_tells_what_became_of_the_ratings(printed, published_tables):
    told = "Ratings: 480 used, 24 screened out (2 of 42 sessions), 3 rejected."
    display = quality_display(published_tables[0], printed, told)
    assert told in display.to_markdown()
    assert told in display.to_latex()
    assert "Ratings:" not in published_tables[2].to_markdown()


def test_table_1_tells_how_many_utterances_its_means_leave_out(printed, published_tables):
    cells = printed["system"].map({"hifigan-S": "d_stft: 1 of 8; mcd: 1 of 8", "melgan-M": "mcd: 2 of 8"}).fillna("")
    words = "Utterances without a spectral distance, as of a silent recording, are left out: 1 of 8 (HiFi-GAN S)."
    assert words in quality_display(published_tables[0], printed.assign(clips_left_out=cells)).to_markdown()
    assert "without a spectral distance" not in published_tables[2].to_markdown()


def test_optimal_systems_are_bold(published_tables):
    assert set(re.findall(r"\\textbf\{([^}]+)\}", published_tables[2].to_latex())) == {
        "MelGAN* S", "HiFi-GAN S", "HiFi-GAN L",
    }  # fmt: skip


def test_every_number_has_a_source_in_the_data(published_tables):
    for table in published_tables[:2]:
        for source in [name for name in table if name.endswith("_source")]:
            number = source.removesuffix("_source")
            assert ((table[source] != "") == table[number].notna()).all(), number
            assert set(table[source]) <= {*SOURCES, ""}


def test_an_interval_of_a_printed_mos_counts_as_inferred(published_tables):
    assert set(published_tables[0]["mos_ci95_source"]) == {"inferred"}
    assert "<sup>i</sup> inferred from the printed ±" in published_tables[2].to_markdown()


def test_a_common_source_stands_in_the_head_and_mixed_ones_at_each_number():
    common = DisplayColumn("MOS", ["1.0", "", "2.0"], ["published", "", "published"])
    mixed = DisplayColumn("J/s", ["1", "2", ""], ["nvml", "estimated", "nvml"])
    names = DisplayColumn("Model", ["a", "b", "c"])
    text = DisplayTable("Caption.", [names, common, mixed], [False] * 3).to_markdown()
    assert "MOS<sup>p</sup> | J/s |" in text
    assert "| a | 1.0 | 1<sup>n</sup> |" in text
    assert "| b |  | 2<sup>e</sup> |" in text
    for words in ("printed by Douwes", "measured by NVML", "estimated from CPU time"):
        assert words in text


def test_empty_columns_are_not_shown():
    columns = [
        DisplayColumn("Model", ["a"]),
        DisplayColumn("Power", [""], [""]),
        DisplayColumn("MOS", ["1"], ["simulated"]),
    ]
    text = DisplayTable("Caption.", columns, [False]).to_markdown()
    assert "Power" not in text
    assert "SIMULATED" in text


def test_latex_has_one_cell_per_column_and_only_booktabs_rules(published_tables):
    for display in published_tables[2:]:
        text = display.to_latex()
        columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text).group(1)
        rows = [line for line in text.splitlines() if line.endswith(r"\\")]
        assert {line.count("&") for line in rows} == {len(columns) - 1}
        assert [text.count(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule", "hline")] == [1, 1, 1, 0]
        assert not re.search(r"(?<!\\)[%_#]", text.split("\n", 1)[1].replace(r"\mathcal{D}_{STFT}", ""))


def test_latex_specials_are_escaped():
    assert latex_text("50 % of a_b & c ± {d}") == r"50 \% of a\_b \& c $\pm$ \{d\}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(published_tables, tmp_path):
    body = "\n".join(display.to_latex() for display in published_tables[2:])
    document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "tables.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_shortened_measurements_say_so(printed, labels):
    table = cost_table(printed, "measured", [], labels)
    assert "not publishable" in cost_display(table, printed, ["melgan-S"]).to_markdown()
    assert "not publishable" not in cost_display(table, printed).to_markdown()


def test_energies_that_do_not_compare_make_no_system_bold_and_the_table_says_why(printed, labels):
    sources = printed["energy_source"].replace({"published": "nvml"}).where(printed["model"] != "melgan", "estimated")
    mixed = printed.assign(energy_source=sources, on_front_energy=pd.Series(pd.NA, printed.index, dtype="boolean"))
    text = cost_display(cost_table(mixed, "measured", [], labels), mixed).to_markdown()
    assert "No front of energy and MOS: not on comparable terms: estimated from CPU time and measured by NVML." in text
    assert "**" not in text


def test_an_energy_to_doubt_is_marked_beside_its_number_and_explained(printed, labels):
    doubts = doubts_of(
        {"hifigan-L": ["wide_interval", "busy_machine", "not_publishable"], "melgan-S": ["short_protocol"]}
    )
    table = cost_table(printed.assign(real_time_factor=0.5), "measured", [], labels, doubts)
    assert dict(zip(table["system"], table["energy_doubts"], strict=True))["hifigan-L"] == "wide interval; busy machine"
    display = cost_display(table, printed)
    cells = rows_of(display.to_markdown())
    assert [cell for cell in cells["HiFi-GAN L"] if cell.endswith("†")] == ["0.9661†", "0.500†"]
    assert not any("†" in cell for cell in cells["HiFi-GAN M"])
    assert "† wide interval: HiFi-GAN L; busy machine: HiFi-GAN L." in display.to_markdown()
    assert r"0.9661$\dagger$" in display.to_latex()


def test_a_doubt_about_all_systems_does_not_list_them():
    names = {"a-S": "A S", "a-L": "A L"}
    assert explanation({"a-S": ["busy machine"], "a-L": ["busy machine", "drifting"]}, names) == (
        "† busy machine: all; drifting: A L."
    )
    assert explanation({"other": ["busy machine"]}, names) == ""
