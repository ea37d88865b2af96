"""A metric of a user's own is one file with a function, given by its import path: nothing of the library changes."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from warm_python import warm_torch

from vocoder_pareto.analysis.correlation import correlate_with_mos, read_scores
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.figure_style import drawing
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.import_paths import load_function
from vocoder_pareto.quality.measure import measure_quality
from vocoder_pareto.quality.metrics import functions_of, known_metrics, metrics_named
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS

PROGRAMS = Path(__file__).resolve().parents[3] / "workflow_scripts"
LEVEL = """
import numpy as np

from vocoder_pareto.quality.metrics import UndefinedMetric, metric


@metric("Difference of level", "lower", unit="dB", lowest=0, perfect=0, source="ours")
def level_difference(reference, estimate, sample_rate):
    if not np.any(reference) or not np.any(estimate):
        raise UndefinedMetric("silence has no level")
    return float(abs(10 * np.log10(np.mean(estimate**2) / np.mean(reference**2))))


def plain(reference, estimate, sample_rate):
    return 0.0


@metric("Not ours", "higher")
def estoi(reference, estimate, sample_rate):
    return 0.0
"""


@pytest.fixture
def level(tmp_path):
    (tmp_path / "own.py").write_text(LEVEL)
    return f"{tmp_path / 'own.py'}:level_difference"


def audio_set(folder, clips):
    write_audio_set(folder / "manifest.csv", list(clips), clips.values(), 16000, [None] * len(clips))
    return folder / "manifest.csv"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("processes", [1, 2])
def test_it_is_measured_beside_those_of_the_library(tmp_path, level, speech, processes):
    reference = audio_set(tmp_path / "ground_truth", {"a": speech, "b": np.zeros_like(speech)})
    system = audio_set(tmp_path / "system", {"a": 0.5 * speech, "b": speech})
    measure_quality(system, reference, [level, "estoi"], tmp_path / "out.csv", processes)
    first, second = rows_of(tmp_path / "out.csv")
    assert list(first) == ["clip_id", "d_stft", "estoi", "level_difference", "failures"]
    assert float(first["level_difference"]) == pytest.approx(20 * np.log10(2), abs=0.01)  # half the amplitude
    assert second["level_difference"] == ""
    assert "level_difference: silence has no level" in second["failures"]


def test_its_label_unit_and_direction_reach_the_correlation_and_its_figure(tmp_path, level):
    names = [f"m{index}-S" for index in range(6)]
    systems = pd.DataFrame({"system": names, "model": [name[:2] for name in names], "size": "S"})
    systems = systems.assign(mos=[1.0, 2, 3, 4, 4.5, 5], mos_source="listening_test", d_stft=0.1)
    systems.reindex(columns=[column.name for column in SYSTEMS_COLUMNS]).to_csv(tmp_path / "systems.csv", index=False)
    for index, name in enumerate(names):
        pd.DataFrame({"clip_id": ["a"], "level_difference": [10.0 - index]}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    metrics = known_metrics([level])
    scores = read_scores(tmp_path / "systems.csv", [tmp_path / f"{name}.csv" for name in names], metrics)
    table = correlate_with_mos(scores, 0, metrics)
    row = table.set_index("metric").loc["level_difference"]
    assert row[["label", "unit", "better"]].tolist() == ["Difference of level", "dB", "lower"]
    assert row["agreement"] == pytest.approx(1)  # the lower the difference, the better they were rated
    with drawing(FigureSettings()):
        figure = draw_correlations(scores, table, FigureSettings(), {})
    assert "Difference of level (dB), better ←" in [axes.get_xlabel() for axes in figure.axes]


def test_the_programs_take_its_path(tmp_path, level, speech):
    reference = audio_set(tmp_path / "ground_truth", {"a": speech})
    words = [PROGRAMS / "measure_quality.py", "--manifest", reference, "--reference-manifest", reference]
    words += ["--quality-settings", f'{{"metrics": ["{level}"]}}', "--output", tmp_path / "out.csv"]
    done = warm_torch().run([*map(str, words)])
    assert done.returncode == 0, done.stderr
    assert float(rows_of(tmp_path / "out.csv")[0]["level_difference"]) == 0.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.py:level", "no file .*absent.py"),
        ("own.py:absent", "has no function 'absent'"),
        ("own.py:plain", "does not say its label and which direction is better; decorate it"),
        ("own.py:estoi", "the name of .* is taken"),
        ("own.py:LEVEL", "has no function 'LEVEL'"),
        ("own.py:np", "is no function"),
    ],
)
def test_mistakes_are_named_with_their_key(tmp_path, level, name, words):
    with pytest.raises(UserError, match=f"config key quality.metrics: .*{words}"):
        metrics_named([f"{tmp_path}/{name}"])


def test_two_functions_of_one_name_are_refused(tmp_path, level):
    (tmp_path / "other.py").write_text(LEVEL)
    with pytest.raises(UserError, match="is taken"):
        metrics_named([level, f"{tmp_path}/other.py:level_difference"])


def test_the_functions_behind_all_names_are_found_for_the_hash_of_the_code(level):
    assert functions_of(["mcd", level]) == (
        "vocoder_pareto.quality.spectral_distance.d_stft",
        "vocoder_pareto.quality.speech.mel_cepstral_distortion",
        level,
    )
    assert all(callable(load_function(path, "quality.metrics")) for path in functions_of(["mcd", level]))


def test_the_table_of_metrics_loads_nothing_heavy():
    code = "import sys, vocoder_pareto.quality.metrics; print({'numpy', 'torch', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROGRAMS)
    assert done.stdout.strip() == "set()"
