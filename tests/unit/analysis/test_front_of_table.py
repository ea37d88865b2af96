"""The method for anybody's table."""

import warnings
from pathlib import Path

import moocore
import numpy as np
import pandas as pd
import pytest
from seeds import seed_of
from warm_python import warm_torch

from vocoder_pareto.analysis.front_of_table import front_of_file, omissions, to_markdown, write_front
from vocoder_pareto.analysis.fronts import Objectives
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings

PROGRAMS = Path(__file__).resolve().parents[3] / "workflow_scripts"
TABLE = """name,team,watt_hours,accuracy,error
alpha,x,1,0.5,0.01
beta,x,20,0.9,0.01
gamma,y,30,0.89,0.03
delta,y,500,0.95,0.01
|odd|,y,600,0.2,0.01
empty,y,,0.7,0.01
"""
OBJECTIVES = Objectives("front", {"watt_hours": "min", "accuracy": "max"})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def test_any_table_gives_its_front_with_names_groups_and_intervals(table):
    front = front_of_file(
        table, OBJECTIVES, groups="team", intervals={"accuracy": "error"}, exact=["watt_hours"], draws=2000
    )
    assert front.summary["front"] == ["alpha", "beta", "delta"]
    assert front.summary["left_out"] == {"empty": ["watt_hours"]}
    rows = front.table.set_index("system")
    assert rows.loc["gamma", "on_family_front"]
    assert not rows.loc["|odd|", "on_family_front"]
    assert 0.1 < rows.loc["gamma", "front_probability"] < 0.5


def test_intervals_are_found_by_their_name(table):
    table.write_text(TABLE.replace("error", "accuracy_ci95"))
    assert front_of_file(table, OBJECTIVES, draws=100).summary["is_uncertain"]


def test_a_column_without_an_interval_that_is_not_said_to_be_exact_leaves_probabilities_empty(table):
    front = front_of_file(table, OBJECTIVES, intervals={"accuracy": "error"}, draws=10)
    assert front.summary["uncertainty_unknown"] == {"watt_hours": ["alpha", "beta", "gamma", "delta", "|odd|"]}
    assert to_markdown(front).splitlines()[2] == "| **alpha** | 1 | 0.5 | yes |  |  |"


def test_rows_without_names_are_numbered(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,1\n2,2\n")
    front = front_of_file(tmp_path / "table.csv", Objectives("front", {"a": "min", "b": "max"}))
    assert front.summary["front"] == ["row 1", "row 2"]


def test_the_text_lists_optimal_rows_first_and_escapes_names(table):
    text = to_markdown(front_of_file(table, OBJECTIVES, draws=10))
    assert text.splitlines()[2].startswith("| **alpha** | 1 | 0.5 | yes |")
    assert r"| \|odd\| | 600 | 0.2 |  |" in text


@pytest.mark.parametrize("style", ["improved", "paper"])
@pytest.mark.parametrize("groups", [None, "team"])
def test_files_are_written_in_every_style(table, tmp_path, style, groups):
    front = front_of_file(table, OBJECTIVES, groups=groups, draws=10)
    files = write_front(front, tmp_path / "out", ["png", "pdf"], FigureSettings(style=style))
    assert all(file.stat().st_size > 100 for file in files)
    assert [file.name for file in files] == ["front.csv", "front.json", "front.md", "front.png", "front.pdf"]


@pytest.mark.parametrize("formats", ["exe", ["png", "svg/../../x"], ["png", ""]])
def test_a_format_that_is_none_is_refused_before_anything_is_written(table, tmp_path, formats):
    with pytest.raises(UserError, match=r"formats: .* is not allowed; allowed: pdf, svg, png"):
        write_front(front_of_file(table, OBJECTIVES, draws=10), tmp_path / "out", formats)
    assert not (tmp_path / "out").exists()


def test_hundreds_of_rows_are_drawn_without_naming_each(tmp_path):
    rows = pd.DataFrame({"cost": range(1, 401), "quality": [(index * 37) % 400 for index in range(400)]})
    rows.to_csv(tmp_path / "table.csv", index=False)
    front = front_of_file(tmp_path / "table.csv", Objectives("front", {"cost": "min", "quality": "max"}))
    write_front(front, tmp_path, ["png"], FigureSettings())
    dominated = front.table.loc[~front.table["on_front"], "dominated_by"]
    assert set(";".join(dominated).split(";")) <= set(front.summary["front"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"objectives": Objectives("front", {"price": "min", "accuracy": "max"})}, "column 'price' is missing"),
        (
            {"objectives": Objectives("front", {"name": "min", "accuracy": "max"})},
            "line 2, column 'name': 'alpha' is no number",
        ),
        ({"groups": "nation"}, "column 'nation' is missing"),
        ({"exact": ["speed"]}, "--exact speed: not an objective; allowed: watt_hours, accuracy"),
        ({"intervals": {"speed": "error"}}, "--interval speed: not an objective"),
        ({"draws": 0}, "--draws 0: at least 1 is needed"),
        ({"seed": -5}, "--seed -5: must be 0 or more"),
    ],
)
def test_mistakes_are_named(table, arguments, words):
    with pytest.raises(UserError) as caught:
        front_of_file(table, **({"objectives": OBJECTIVES} | arguments))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["size", "model", "label", "on_front", "is_knee", "mos_ci95"])
def test_an_objective_whose_name_the_front_needs_for_another_column_is_refused(tmp_path, name):
    columns = Objectives("front", {name: "min", "mos": "max"})
    words = rf"table\.csv: column '{name}': front\.csv needs this name for another column; rename it"
    with pytest.raises(UserError, match=words):
        front_of_text(tmp_path, f"name,{name},mos\na,1,3\nb,2,4\n", columns)


@pytest.mark.parametrize("cell", ["1e101", "-1e101", "1e-101", "5e-324"])
def test_a_number_that_no_axis_shows_is_refused_with_its_cell(tmp_path, cell):
    with pytest.raises(UserError, match=rf"table\.csv, line 2, column 'energy': '{cell}' is beyond 1e±100; .* unit"):
        front_of_text(tmp_path, f"name,energy,mos\na,{cell},3\nb,2,4\n")


def test_the_largest_and_least_numbers_are_drawn_without_a_warning(tmp_path):
    rows = "name,energy,mos\na,1e-100,9e99\nb,1,-9e99\nc,1e100,0\n"
    same = "name,energy,mos\na,9007199254740992,1e20\nb,9007199254740992,1e20\n"
    for text in (rows, same):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            write_front(front_of_text(tmp_path, text), tmp_path / "out", ["svg"], FigureSettings())


def test_glyphs_that_the_font_lacks_are_told_once_in_one_line(tmp_path, caplog):
    front = front_of_text(tmp_path, "name,energy,mos\n\u65e5\u672c,1,3\nb,2,4\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_front(front, tmp_path / "out", ["svg", "png"], FigureSettings())
    assert [record.message for record in caplog.records] == [
        "figure: the font DejaVu Sans lacks \u65e5\u672c, shown as boxes; take a font that has them "
        "(config key figures.font, flag --font)"
    ]


def test_names_are_shown_as_they_are_written(tmp_path):
    """What Markdown would read as HTML, emphasis or a formula is escaped, as CommonMark and GitHub define."""
    front = front_of_text(tmp_path, "name,energy,mos\n<b>x</b>,1,3\n_y_ *z* $k$ `w` a\\b,2,4\n")
    lines = to_markdown(front).splitlines()
    assert lines[2].startswith(r"| **\<b>x\</b>** |")
    assert lines[3].startswith(r"| **\_y\_ \*z\* \$k\$ \`w\` a\\b** |")


def test_a_table_without_a_complete_row_is_refused(table):
    table.write_text("name,watt_hours,accuracy\na,,1\n")
    with pytest.raises(UserError, match="no row has a number in each of watt_hours, accuracy"):
        front_of_file(table, OBJECTIVES)


MODELS = Objectives("front", {"energy": "min", "mos": "max"})


def front_of_text(folder, text, objectives=MODELS, **options):
    (folder / "table.csv").write_text(text)
    return front_of_file(folder / "table.csv", objectives, draws=10, **options)


def test_rows_that_end_with_a_delimiter_keep_their_columns(tmp_path):
    """Worked out by hand: A has the best mos, C the least energy, B is worse than A in both."""
    rows = "model,energy,mos,parameters\nA,10,4.0,100{0}\nB,20,3.0,900{0}\nC,5,2.0,300{0}\n"
    assert [front_of_text(tmp_path, rows.format(end)).summary["front"] for end in ("", ",", ",,")] == [["A", "C"]] * 3
    europe = rows.format("").replace(",", ";").replace("4.0", "4,0").replace("3.0", "3,0").replace("2.0", "2,0")
    assert front_of_text(tmp_path, europe).summary["front"] == ["A", "C"]
    with pytest.raises(UserError, match="line 2, which begins with 'A': 5 fields for 4 columns"):
        front_of_text(tmp_path, rows.format("").replace("4.0", "4,0"))


def test_words_for_missing_values_name_rows_and_groups(tmp_path):
    text = "model,kind,energy,mos\nNA,None,1,1\nnull,None,2,2\nnan,NA,3,1\n,,,\n007,,1,1\n"
    front = front_of_text(tmp_path, text, groups="kind")
    assert front.summary["front"] == ["NA", "null", "007"]
    assert front.table["model"].tolist() == ["None", "None", "NA", ""]
    assert front.table["on_family_front"].tolist() == [True, True, True, True]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("id,energy,mos\n007,1,1\n008,2,2\n", ["007", "008"]),
        ("id,energy,mos\n7,1,1\n7,2,2\n", ["row 1", "row 2"]),
        ("energy,mos,size\n1,1,3\n2,2,4\n", ["row 1", "row 2"]),
        ("size,energy,mos,model\n3,1,1,a\n4,2,2,b\n", ["a", "b"]),
        ("team,energy,mos\nx,1,1\nx,2,2\n,3,3\n", ["x (row 1)", "x (row 2)", "row 3"]),
        ("team,energy,mos\nrow 2,1,1\n,2,2\na;b,3,3\n", ["row 2 (row 1)", "row 2 (row 2)", "a,b"]),
        (
            "team,energy,mos\na,1,1\na,2,2\na (row 1),3,3\n",
            ["a (row 1) (row 1)", "a (row 2)", "a (row 1) (row 3)"],
        ),
    ],
)
def test_rows_are_named_by_text_or_else_by_the_first_column_if_it_tells_them_apart(tmp_path, text, names):
    assert front_of_text(tmp_path, text).summary["front"] == names


def test_a_column_of_groups_or_of_intervals_does_not_name_the_rows(tmp_path):
    text = "team,energy,mos,model\nx,1,1,a\nx,2,2,b\n"
    assert front_of_text(tmp_path, text, groups="team").summary["front"] == ["a", "b"]
    assert front_of_text(tmp_path, "mos_ci95,energy,mos\n1,1,1\n2,2,2\n").summary["front"] == ["row 1", "row 2"]


@pytest.mark.parametrize("cell", ["-0.1", "inf", "±0.1", "NA", "0.1 MOS"])
def test_an_interval_that_is_none_is_refused_with_its_cell(tmp_path, cell):
    text = f"model,energy,mos,mos_ci95\nA,1,1,0.1\nB,2,2,{cell}\n"
    with pytest.raises(UserError, match=rf"table\.csv, line 3, column 'mos_ci95': '{cell}' is (no number|below 0)"):
        front_of_text(tmp_path, text)


def test_degrees_of_freedom_and_systematic_uncertainties_are_checked_by_cell(tmp_path):
    with pytest.raises(UserError, match=r"line 2, column 'mos_degrees_of_freedom': '0\.5' is below 1"):
        front_of_text(tmp_path, "model,energy,mos,mos_ci95,mos_degrees_of_freedom\nA,1,1,0.1,0.5\n")
    with pytest.raises(UserError, match=r"line 2, column 'mos_systematic': '-1' is below 0"):
        front_of_text(tmp_path, "model,energy,mos,mos_systematic\nA,1,1,-1\n")


def test_an_interval_that_is_named_comes_before_those_that_are_found(tmp_path):
    text = "model,energy,mos,mos_error,mos_comparison_ci95\nA,1,1,0.000001,9\nB,2,2,0.000001,9\n"
    found, named = (
        front_of_text(tmp_path, text, exact=["energy"], **more) for more in ({}, {"intervals": {"mos": "mos_error"}})
    )
    assert found.table["front_probability"].iloc[1] < 0.9
    assert named.table["front_probability"].tolist() == [1, 1]


def test_rows_that_are_left_out_and_intervals_that_are_missing_are_told(tmp_path):
    text = "model,energy,mos,mos_ci95\nA,1,1,0.1\nB,2,2,\nC,,3,0.1\nD,4,,0.1\nE,,,\nF,,1,0.1\n"
    front = front_of_text(tmp_path, text, exact=["energy"])
    told = [
        "4 of 6 rows are not compared. Left out for want of energy: C, F.",
        "Left out for want of mos: D.",
        "Left out for want of energy and mos: E.",
        "No probability of being optimal: mos has no interval for B.",
    ]
    assert omissions(front) == told
    assert to_markdown(front).endswith("\n\n" + "\n\n".join(told) + "\n")
    many = front_of_text(tmp_path, "model,energy,mos\nA,1,1\n" + "".join(f"m{row},,1\n" for row in range(30)))
    assert omissions(many)[0].endswith("m18, m19 and 10 more, which front.json lists.")
    assert len(many.summary["left_out"]) == 30


def test_a_hundred_thousand_rows_have_the_front_of_moocore(tmp_path):
    """As many rows as would take an hour one by one; the probabilities of those on the front are the largest."""
    generator = np.random.default_rng(seed_of(0))
    energy, mos = 10 ** generator.uniform(-1, 3, 100_000), generator.uniform(1, 5, 100_000)
    rows = pd.DataFrame({"energy": energy.round(4), "mos": mos.round(4)}).assign(
        energy_ci95=lambda table: table["energy"] * 0.02, mos_ci95=0.05
    )
    rows.to_csv(tmp_path / "table.csv", index=False)
    front = front_of_file(tmp_path / "table.csv", MODELS, draws=20)
    expected = moocore.is_nondominated(rows[["energy", "mos"]], maximise=[False, True], keep_weakly=True)
    assert front.table["on_front"].tolist() == expected.tolist()
    probability = front.table["front_probability"]
    assert probability[~expected].mean() < 0.01 < 0.1 < probability[expected].mean()
    dominating = front.table["dominated_by"][~expected].str.split(";")
    assert dominating.map(len).max() <= 10
    assert set(dominating.explode()) <= set(front.summary["front"])


def run_module(*arguments):
    return warm_torch().run(["-m", "vocoder_pareto", *map(str, arguments)], PROGRAMS)


def test_the_module_runs_from_the_command_line(table, tmp_path):
    done = run_module(
        table, "--minimise", "watt_hours", "--maximise", "accuracy", "--output", tmp_path / "out", "--formats", "svg",
        "--interval", "accuracy", "error", "--draws", "100",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Pareto optimal, 3 of 5:\n  alpha\n  beta\n  delta\n" in done.stdout
    assert "1 of 6 rows are not compared. Left out for want of watt_hours: empty.\n" in done.stdout
    assert "No probability of being optimal: watt_hours has no intervals (--interval watt_hours COLUMN" in done.stdout
    assert (tmp_path / "out" / "front.svg").exists()


def test_the_module_ends_with_one_line_on_a_users_mistake(table, tmp_path):
    done = run_module(table, "--minimise", "price", "--maximise", "accuracy", "--output", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {table}: column 'price' is missing")
    assert done.stderr.count("\n") == 1
    done = run_module(table, "--minimise", "watt_hours")
    assert done.returncode == 1
    assert done.stderr.startswith("error: minimise and maximise: name two or three different columns")
