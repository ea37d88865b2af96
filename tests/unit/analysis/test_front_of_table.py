"""The method for anybody's table."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from vocoder_pareto.analysis.front_of_table import front_of_file, to_markdown, write_front
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
        ({"objectives": Objectives("front", {"name": "min", "accuracy": "max"})}, "'name' is not numeric"),
        ({"groups": "nation"}, "column 'nation' is missing"),
        ({"exact": ["speed"]}, "--exact speed: not an objective; allowed: watt_hours, accuracy"),
        ({"intervals": {"speed": "error"}}, "--interval speed: not an objective"),
    ],
)
def test_mistakes_are_named(table, arguments, words):
    with pytest.raises(UserError) as caught:
        front_of_file(table, **({"objectives": OBJECTIVES} | arguments))
    assert words in str(caught.value)


def test_a_table_without_a_complete_row_is_refused(table):
    table.write_text("name,watt_hours,accuracy\na,,1\n")
    with pytest.raises(UserError, match="no row has a number in each of watt_hours, accuracy"):
        front_of_file(table, OBJECTIVES)


def run_module(*arguments):
    command = [sys.executable, "-m", "vocoder_pareto", *map(str, arguments)]
    return subprocess.run(command, cwd=PROGRAMS, capture_output=True, text=True, check=False)


def test_the_module_runs_from_the_command_line(table, tmp_path):
    done = run_module(
        table, "--minimise", "watt_hours", "--maximise", "accuracy", "--output", tmp_path / "out", "--formats", "svg",
        "--interval", "accuracy", "error", "--draws", "100",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Pareto optimal, 3 of 5:\n  alpha\n  beta\n  delta\n" in done.stdout
    assert (tmp_path / "out" / "front.svg").exists()


def test_the_module_ends_with_one_line_on_a_users_mistake(table, tmp_path):
    done = run_module(table, "--minimise", "price", "--maximise", "accuracy", "--output", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {table}: column 'price' is missing")
    assert done.stderr.count("\n") == 1
    assert run_module(table, "--minimise", "watt_hours").returncode == 2
