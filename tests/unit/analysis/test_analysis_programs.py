"""The programs end to end: from files of measurements to tables and figures, without PyTorch or librosa."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from vocoder_pareto import program
from vocoder_pareto.tables.csv_tables import read_systems, read_table

PROGRAMS = Path(__file__).resolve().parents[3] / "workflow_scripts"
OURS = (
    "tabulate_systems", "tabulate_results", "tabulate_published", "compare_published", "account_carbon", "find_fronts",
    "draw_pareto", "draw_definition",
)  # fmt: skip


@pytest.fixture
def run_program(monkeypatch):
    """Run a program as from the command line, but in this process."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        runpy.run_path(str(PROGRAMS / f"{name}.py"), run_name="__main__")

    monkeypatch.setattr(program, "run_program", lambda main: main())  # the real one ends the process
    return run


@pytest.fixture
def run_study(run_program, files, published_folder, tmp_path, labels, families):
    """Run all programs on a study of four systems, with a listening test's MOS or without; return its results."""

    def run(mos=None):
        files.add("melgan-S", 0.5, gflops=2, publishable=False).add("hifigan-S", 0.6, gflops=3)
        files.add("waveflow-S", 2.0, gflops=200).add("newcomer-S", 0.4).add_quality("ground_truth", [0.0, 0.0])
        out = tmp_path / "results"
        systems = ["--system-table", out / "systems.csv"]
        flags = ["--measurement-flags", out / "flags.json"]
        quality = ["--published-quality", published_folder / "table1_quality.csv"]
        cost = ["--published-cost", published_folder / "table2_cost.csv"]
        reasons = ["--published-conventions", published_folder / "conventions.json"]
        statement = ["--carbon-statement", published_folder / "carbon_statement.json"]
        paper = ["--published-system-table", out / "published.csv"]
        training = ["--training-summaries", *files.training]
        carbon = ["--carbon-settings", '{"intensity_kg_per_kwh": 0.7}']
        naming = ["--labels", json.dumps(labels)]
        measured = ["--complexity-measurements", *files.complexity, "--energy-measurements", *files.energy]
        measured += ["--quality-measurements", *files.quality]
        objectives = {"name": "energy", "columns": {"mos": "max", "energy_joules_per_audio_second": "min"}}
        front = ["--output-front-table", out / "front.csv", "--output-front-summary", out / "front.json"]
        run_program(
            "tabulate_published", *quality, *cost, *reasons, *statement,
            "--families", json.dumps(families), "--output", out / "published.csv",
        )  # fmt: skip
        run_program(
            "tabulate_systems", *measured, *training, *quality, "--mos-table", *([mos] if mos else []), *carbon,
            "--output-system-table", out / "systems.csv", "--output-measurement-flags", out / "flags.json",
        )  # fmt: skip
        for number in (1, 2):
            naming += [f"--output-table{number}", *(out / f"table{number}.{suffix}" for suffix in ("csv", "md", "tex"))]
        run_program("tabulate_results", *systems, *flags, *quality, *cost, *naming)
        run_program(
            "compare_published", *systems, *paper, *reasons, *statement, *naming[:2], "--output-table", out / "c.csv",
            "--output-agreement", out / "c.json", "--output-markdown", out / "c.md",
        )  # fmt: skip
        run_program("account_carbon", *statement, *paper, *systems, *training, *carbon, "--output", out / "carbon.csv")
        front_of = ["--objective-settings", json.dumps(objectives), "--draws", 50]
        run_program("find_fronts", *systems, *flags, *front, *front_of)
        drawn = ["--front-tables", front[1], "--front-summaries", front[3]]
        run_program(
            "draw_pareto", *drawn, "--output-figure-table", out / "figure.csv", "--output-figures", out / "front.pdf"
        )
        run_program("draw_definition", "--output-figures", out / "definition.svg")
        return out

    return run


def test_a_study_with_published_mos_goes_through_all_programs(run_study):
    out = run_study()
    systems = read_systems(out / "systems.csv").set_index("system")
    assert systems.loc["hifigan-S", "mos_source"] == "published"
    summary = json.loads((out / "front.json").read_text())
    assert summary["front"] == ["melgan-S", "hifigan-S"]
    assert summary["not_publishable"] == ["melgan-S"]
    assert summary["left_out"] == {"newcomer-S": ["mos"]}
    assert summary["references"]["ground_truth"]["mos"] == 4.34
    assert "not publishable" in (out / "table2.md").read_text()
    assert json.loads((out / "c.json").read_text())["energy"]["systems"] == 3
    studies = read_table(out / "carbon.csv", {"study": "text"})["study"]
    assert set(studies) == {"published", "here"}
    assert (out / "front.pdf").stat().st_size > 1000


def test_a_study_with_a_listening_test_shows_its_mos_alone(run_study, files):
    out = run_study(mos=files.mos({"melgan-S": 2.0, "newcomer-S": 4.0, "ground_truth": 4.6}))
    systems = read_systems(out / "systems.csv").set_index("system")
    assert set(systems["mos_source"]) == {"listening_test", ""}
    assert json.loads((out / "front.json").read_text())["left_out"] == {"hifigan-S": ["mos"], "waveflow-S": ["mos"]}
    assert "our listening test" in (out / "table1.md").read_text()


def test_programs_import_neither_pytorch_nor_librosa():
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(PROGRAMS)!r})\n"
        f"for name in {OURS}: runpy.run_path(f'{PROGRAMS}/{{name}}.py', run_name='imported')\n"
        "import vocoder_pareto.__main__\n"
        "print(sorted({'torch', 'librosa', 'snakemake', 'lightning'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
