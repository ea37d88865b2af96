"""The benchmarks of generation run, and put their tables where they belong."""

import importlib
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from warm_python import warm_torch

from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.sensor import Domain, Sensor

PROJECT = Path(__file__).parents[2]


def run_benchmark(name, *options):
    return warm_torch().run([str(PROJECT / "benchmarks" / f"{name}.py"), *map(str, options)])


@pytest.fixture
def document(tmp_path):
    sections = "".join(f"## {name}\n<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in ("a", "generation"))
    path = tmp_path / "performance.md"
    path.write_text(
        sections + "".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in ("roofline", "scaling"))
    )
    return path


def test_generation_compares_ours_with_plain(tmp_path, document):
    output = tmp_path / "generation.csv"
    options = ["--system-names", "melgan-S", "--rounds", 2, "--seconds", 0, "--clip-seconds", 0.1, "--threads", 1]
    ran = run_benchmark("generation", *options, "--output", output, "--output-document", document)
    assert ran.returncode == 0, ran.stderr
    rows = pd.read_csv(output).set_index("form")
    assert list(rows.index) == ["plain", "ours"]
    assert rows.loc["ours", "largest_difference"] <= 1e-5
    assert rows.loc["plain", "ratio_median"] == 1
    assert (rows["rounds"] == 2).all()
    assert json.loads((tmp_path / "generation.json").read_text())["hardware"]["cpu"]["torch_threads"] == 1
    written = document.read_text()
    assert "| melgan-S |" in written.partition("<!-- generation:begin -->")[2].partition("<!-- generation:end -->")[0]
    assert written.count("old") == 1  # in the section of another benchmark


SOMEBODYS_MELGAN = """
from torch import nn

class Generator(nn.Module):
    def __init__(self, bands, channels, layers):
        super().__init__()
        convolution = nn.utils.weight_norm(nn.ConvTranspose1d(bands, 1, 256, 256))
        self.model = nn.Sequential(convolution, nn.Conv1d(1, channels, layers))

    def forward(self, mel):
        assert not hasattr(self.model[0], "weight_g"), "weight norm is on"
        return self.model[0](mel)
"""


def test_official_code_is_compared_from_where_it_lies(tmp_path, document):
    """The code is one that the test writes: of the names and arguments of the official one, and of known size."""
    folder = tmp_path / "clone" / "mel2wav"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "modules.py").write_text(SOMEBODYS_MELGAN)
    document.write_text(document.read_text() + "<!-- official:begin -->\n<!-- official:end -->\n")
    output = tmp_path / "official.csv"
    given = json.dumps({"melgan": str(folder.parent)})
    options = ["--rounds", 2, "--seconds", 0, "--clip-seconds", 0.1, "--threads", 1, "--system-names", "melgan-S"]
    ran = run_benchmark(
        "official_code", "--official-code", given, *options, "--output", output, "--output-document", document
    )
    assert ran.returncode == 0, ran.stderr
    rows = pd.read_csv(output).set_index("form")
    assert list(rows.index) == ["official", "plain", "ours"]
    assert rows.loc["ours", "ratio_median"] == 1
    assert rows.loc["official", "parameters"] == 80 * 256 + 1 + 16 * 2 + 16
    assert rows.loc["plain", "parameters"] > rows.loc["ours", "parameters"] > 1e6
    assert "| melgan-S |" in document.read_text().partition("<!-- official:begin -->")[2]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "--official-code: give folders of melgan, hifigan, waveglow, waveflow, diffwave, wavegrad; not of none"),
        ({"vocos": "."}, "not of vocos"),
        ({"melgan": "."}, "is not the code for melgan: No module named 'mel2wav'"),
    ],
)
def test_folders_that_are_not_official_code_are_named(given, words):
    options = ["--clip-seconds", 0.1, "--threads", 1, "--system-names", "melgan-S"]
    ran = run_benchmark("official_code", "--official-code", json.dumps(given), *options)
    assert ran.returncode == 1
    assert words in ran.stderr.splitlines()[-1]


@pytest.mark.slow
def test_onnx_runtime_is_compared_in_processes_of_their_own_or_said_to_be_missing(tmp_path, document):
    document.write_text(document.read_text() + "<!-- onnx_runtime:begin -->\n<!-- onnx_runtime:end -->\n")
    output = tmp_path / "onnx.csv"
    options = ["--rounds", 2, "--seconds", 0, "--clip-seconds", 0.1, "--threads", 1, "--system-names", "melgan-S"]
    files = ["--output", output, "--output-document", document]
    ran = run_benchmark("onnx_runtime", *options, *files)
    assert ran.returncode == 0, ran.stderr
    rows = pd.read_csv(output).set_index("form")
    text = document.read_text().partition("<!-- onnx_runtime:begin -->")[2]
    if all(find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        assert list(rows.index) == ["onnxruntime", "ours"]
        assert rows.loc["ours", "ratio_median"] == 1
        assert rows.loc["onnxruntime", "largest_difference"] < 1e-4
        assert "Geometric mean over 1 systems" in text
    else:
        assert "missing; pip install" in rows.loc["onnxruntime", "refused"]
        assert "| melgan-S |  |  | none: onnx" in text
    measured = output.read_bytes()
    ran = run_benchmark("onnx_runtime", *options, "hifigan-S", "--max-minutes", 0, *files)
    assert ran.returncode == 0, ran.stderr
    assert output.read_bytes() == measured
    assert "Not measured for lack of time: hifigan-S." in document.read_text()
    ran = run_benchmark("onnx_runtime", *options, "--rounds", 3, *files)
    assert ran.returncode == 1
    assert "other options; name another file" in ran.stderr.splitlines()[-1]


def test_the_mean_over_systems_is_geometric_and_says_where_ours_is_slower(monkeypatch):
    """By hand: the geometric mean of 4 and 1/4 is 1."""
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    benchmark = importlib.import_module("onnx_runtime")
    rows = [
        {
            "system": system, "form": form, "device": "a CPU", "threads": 2, "clip_seconds": 1.0, "rounds": 3,
            "real_time_factor": time, "ratio_median": ratio, "ratio_least": ratio, "ratio_most": ratio,
            "largest_difference": None, "refused": "",
        }
        for system, ratio in (("A", 4.0), ("B", 0.25))
        for form, time, ratio in (("onnxruntime", ratio, ratio), ("ours", 1.0, 1.0))
    ] + [{"system": "C", "form": "onnxruntime", "refused": "it cannot be exported"}]  # fmt: skip
    about = {"software": {"packages": {"torch": "2", "onnxruntime": "1"}}, "not_reached": ["D"]}
    text = benchmark.speed_table(pd.DataFrame(rows), about)
    assert "| A | 4 | 1 | **4.00** (4.00–4.00) | noise |" in text
    assert "| C |  |  | none: it cannot be exported |  |" in text
    assert "Geometric mean over 2 systems: **1.00**; ours is the slower one for B." in text
    assert text.endswith("Not measured for lack of time: D.")


class HundredWatts(Sensor):
    """Counts 100 J per second of a clock."""

    source = "rapl"
    power_limit_watts = None

    def __init__(self, clock):
        self.clock = clock
        self.domains = (Domain("package_0", "J", 1.0, "a simulation"),)

    def read(self, domain):
        return 100.0 * self.clock.now


def unreadable(domain):
    raise OSError("no answer")


class HandClock:
    """Time that only moves when it is told to."""

    now = 0.0

    def seconds(self):
        return self.now

    def synchronise(self):
        pass


def test_the_energy_of_two_forms_is_that_of_a_call_of_each(monkeypatch):
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    generation = importlib.import_module("generation")
    clock = HandClock()
    monkeypatch.setattr(generation, "clock_of", lambda device: clock)

    def taking(seconds):
        def form(mel, generator):
            clock.now += seconds

        return form

    meter = Meter(HundredWatts(clock), clock=clock.seconds)
    forms = {"plain": taking(0.75), "ours": taking(0.5)}
    joules = generation.metered_alternately(forms, torch.zeros(1), meter, windows=2, seconds=10.0)
    assert joules == pytest.approx({"plain": 75.0, "ours": 50.0})
    meter.sensor.read = unreadable
    assert generation.metered_alternately({"plain": taking(0.75)}, torch.zeros(1), meter, 1, 1.0) == {"plain": None}


@pytest.mark.slow
def test_scaling_measures_whole_clips_and_chunks(tmp_path, document):
    output, figure = tmp_path / "scaling.csv", tmp_path / "scaling.svg"
    options = ["--system-names", "melgan-S", "--lengths-seconds", 1, "--batch-sizes", 2, "--chunk-seconds", 0.2]
    options += ["--threads", 1, "--output", output]
    ran = run_benchmark("scaling", *options, "--output-figure", figure, "--output-document", document)
    assert ran.returncode == 0, ran.stderr
    rows = pd.read_csv(output)
    assert list(rows["batch_size"]) == [1, 1, 2]
    assert list(rows["chunk_seconds"].isna()) == [True, False, True]
    assert (rows["memory_bytes"] > 0).all()
    assert figure.stat().st_size > 1000
    assert "| melgan-S | 1 s |" in document.read_text()


def test_the_operations_of_a_system_are_named(document):
    document.write_text("<!-- operations:begin -->\n<!-- operations:end -->\n")
    options = ["--system-names", "melgan-S", "--clip-seconds", 0.1, "--rounds", 1, "--threads", 1]
    ran = run_benchmark("operations", *options, "--output-document", document)
    assert ran.returncode == 0, ran.stderr
    assert "convolution" in document.read_text()


@pytest.mark.slow
def test_agreement_measures_alone_and_beside_busy_cores(tmp_path):
    settings = (
        "clip_seconds: 0.1, min_window_seconds: 0, max_warmup_seconds: 0, processes: 1, windows: 2, max_retries: 0"
    )
    (tmp_path / "quick.yaml").write_text(f"systems: [melgan-S]\nenergy: {{{settings}}}\n")
    options = ["--config-files", tmp_path / "quick.yaml", "--device", "cpu", "--output", tmp_path / "agreement.csv"]
    ran = run_benchmark("measurement_agreement", *options)
    assert ran.returncode == 0, ran.stderr
    assert list(pd.read_csv(tmp_path / "agreement.csv")["run"]) == ["alone", "busy", "alone again"]
    assert "of 1 systems agree within 10%; beside a busy process on each core, " in ran.stdout
    measured = (tmp_path / "agreement.csv").read_bytes()
    again = run_benchmark("measurement_agreement", *options)
    assert (again.stdout, (tmp_path / "agreement.csv").read_bytes()) == (ran.stdout, measured)  # nothing was missing
    assert not [each for each in psutil.process_iter(["cmdline"]) if "sum(range(100000))" in str(each.info["cmdline"])]


def test_agreement_counts_what_agrees_or_is_marked(monkeypatch):
    """By hand: A agrees in all three; B is 20 % apart alone; C and D are 30 % off beside busy cores, D is marked."""
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    agreement = importlib.import_module("measurement_agreement")
    joules = {"A": (1.0, 1.1, 1.05), "B": (1.0, 1.1, 1.22), "C": (1.0, 1.3, 1.0), "D": (1.0, 1.3, 1.0)}
    rows = [
        {
            "run": run, "system": system, "energy_joules_per_audio_second": value,
            "energy_joules_per_audio_second_ci95": 0.1, "energy_source": "estimated", "device": "a CPU",
            "doubts": "busy machine" if (system, run) == ("D", "busy") else "",
        }
        for system, values in joules.items()
        for run, value in zip(agreement.RUNS, values, strict=True)
    ]  # fmt: skip
    text = agreement.report(pd.DataFrame(rows))
    assert "Alone, 3 of 4 systems agree within 10%" in text
    assert "on each core, 3 of 4 agree within 15% or are marked" in text


@pytest.mark.parametrize("name", ["generation", "scaling"])
def test_an_unknown_system_is_refused_in_one_line(name):
    ran = run_benchmark(name, "--system-names", "melgan-XL")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith(
        "error: --system-names: 'melgan-XL' is not a system (did you mean 'melgan-L'?); allowed: melgan-S"
    )


def test_a_document_without_the_markers_is_refused(tmp_path):
    (tmp_path / "other.md").write_text("# Other\n")
    options = ["--system-names", "melgan-S", "--rounds", 1, "--seconds", 0, "--clip-seconds", 0.1]
    ran = run_benchmark("generation", *options, "--output-document", tmp_path / "other.md")
    assert ran.returncode == 1
    assert "needs the lines <!-- generation:begin -->" in ran.stderr


def test_study_time_counts_every_job_once_and_tells_start_up_from_work(tmp_path):
    metadata = tmp_path / ".snakemake" / "metadata"
    metadata.mkdir(parents=True)
    jobs = [("find_fronts.py --a", 100.0, 130.0), ("find_fronts.py --b", 110.0, 140.0), ("train.py", 150.0, 210.0)]
    for number, (command, begin, end) in enumerate([*jobs, jobs[0]]):  # two outputs of one job
        record = {"shellcmd": f"python workflow_scripts/{command}", "starttime": begin, "endtime": end}
        (metadata / str(number)).write_text(json.dumps(record))
    ran = run_benchmark("study_time", "--folder", tmp_path, "--rounds", 1)
    assert ran.returncode == 0, ran.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in ran.stdout.splitlines() if "|" in line][2:]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("training", "1", "60"), ("tables, figures, report", "2", "60"), ("Snakemake between jobs", "", "10")
    ]  # fmt: skip
    assert 0 < int(rows[0][3]) < 60
    assert "110 s from the first job to the last" in ran.stdout


@pytest.mark.parametrize("lag", [0.0, 0.02, 0.1])
def test_the_lag_of_a_counter_is_found_where_it_is_known(monkeypatch, lag):
    """120 W, from 0 on 680 W; a counter that moves every 100 ms, in another phase, and shows what was `lag` ago."""
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    steps = np.arange(-1.96, 4.0, 0.1)
    shown = steps - lag
    joules = 1000 + 120 * shown + 560 * np.maximum(shown, 0.0)
    assert importlib.import_module("nvml_counter").lag_seconds(steps, joules) == pytest.approx(lag, abs=1e-9)


def test_readings_of_a_counter_are_told_as_a_table(monkeypatch, tmp_path):
    """A counter that moves every 0.1 s in an idle GPU of 100 W, with 500 W of work from 0 to 5 s."""
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    seconds = np.arange(-2.0, 7.0, 0.004)
    moved = np.floor(seconds * 10 + 1e-9) / 10
    joules = 100 * (moved + 2) + 400 * np.clip(moved, 0, 5)
    readings = pd.DataFrame({
        "seconds": seconds, "energy_millijoules": 1000 * joules,
        "power_milliwatts": 1000 * np.where((seconds > 0) & (seconds < 5), 500.0, 100.0),
        "work_seconds": 5.0, "device": "a GPU",
    })  # fmt: skip
    text = importlib.import_module("nvml_counter").report(readings)
    assert "| steps of the counter (median; 5 % to 95 %) | 0.100 s (0.100–0.100) |" in text
    assert "| mean power at rest: by the counter; by power readings | 100.0 W; 100.0 W |" in text
    assert "| mean power at work, from 1.5 s on: by the counter; by power readings | 500.0 W; 500.0 W |" in text


def test_the_tables_of_the_docs_are_those_of_the_stored_readings(tmp_path):
    page = tmp_path / "performance.md"
    shutil.copy(PROJECT / "docs" / "performance.md", page)
    readings = PROJECT / "benchmarks" / "measured" / "nvml_counter.csv"
    stored = PROJECT / "resources" / "measured" / "nvidia-h100-80gb-hbm3"
    for name, options in (("nvml_counter", ["--measured-table", readings]), ("stored_set", ["--measured-set", stored])):
        ran = run_benchmark(name, *options, "--output-document", page)
        assert ran.returncode == 0, ran.stderr
    assert page.read_text() == (PROJECT / "docs" / "performance.md").read_text()


def test_a_folder_without_a_set_is_refused(tmp_path):
    ran = run_benchmark("stored_set", "--measured-set", tmp_path)
    assert ran.returncode == 1
    assert "holds no record run1/*.json" in ran.stderr.splitlines()[-1]
