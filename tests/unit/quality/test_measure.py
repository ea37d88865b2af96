import csv
import subprocess
import sys

import numpy as np
import pytest
from warm_python import warm_torch

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.quality.measure import measure_quality
from vocoder_pareto.quality.spectral_distance import d_stft


def audio_set(folder, clips, sample_rate=16000):
    write_audio_set(folder / "manifest.csv", list(clips), clips.values(), sample_rate, [None] * len(clips))
    return folder / "manifest.csv"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def reference(tmp_path, speech):
    return audio_set(tmp_path / "ground_truth", {"a": speech, "b": np.zeros_like(speech), "c": speech[::-1]})


def test_a_row_per_clip_with_the_values_and_the_reasons_of_empty_cells(tmp_path, reference, speech, noisy_speech):
    system = audio_set(tmp_path / "system", {"a": noisy_speech, "b": speech})
    measure_quality(system, reference, ["estoi", "f0_rmse"], tmp_path / "out.csv")
    first, second = rows_of(tmp_path / "out.csv")
    assert list(first) == ["clip_id", "d_stft", "estoi", "f0_rmse", "failures"]
    assert float(first["d_stft"]) == pytest.approx(d_stft(speech, noisy_speech), rel=1e-3)
    assert float(first["estoi"]) > 0
    assert first["failures"] == ""
    assert (second["d_stft"], second["estoi"], second["f0_rmse"]) == ("", "", "")
    assert second["failures"] == "; ".join(
        f"{name}: reference is digital silence" for name in ("d_stft", "estoi", "f0_rmse")
    )


def test_the_ground_truth_against_itself_is_at_distance_zero_but_where_it_is_silent(tmp_path, reference):
    measure_quality(reference, reference, [], tmp_path / "out.csv")
    assert [float(row["d_stft"]) for row in rows_of(tmp_path / "out.csv") if row["d_stft"]] == [0.0, 0.0]


def test_several_processes_give_the_same_file(tmp_path, reference, speech, noisy_speech):
    system = audio_set(tmp_path / "system", {"a": noisy_speech, "b": speech, "c": speech})
    measure_quality(system, reference, ["estoi"], tmp_path / "one.csv", processes=1)
    measure_quality(system, reference, ["estoi"], tmp_path / "two.csv", processes=2)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_clip_without_reference_is_an_error_that_names_it(tmp_path, reference, speech):
    system = audio_set(tmp_path / "system", {"z": speech})
    with pytest.raises(UserError, match="clip z has no reference"):
        measure_quality(system, reference, [], tmp_path / "out.csv")


def test_unequal_lengths_are_an_error_that_names_both_files(tmp_path, reference, speech):
    system = audio_set(tmp_path / "system", {"a": speech[:16000]})
    with pytest.raises(UserError, match=r"system/a\.wav: has 16000 samples, .*ground_truth/a\.wav has 16384"):
        measure_quality(system, reference, [], tmp_path / "out.csv")


def test_unequal_sample_rates_are_an_error(tmp_path, reference, speech):
    system = audio_set(tmp_path / "system", {"a": speech}, sample_rate=22050)
    with pytest.raises(UserError, match="has 22050 Hz"):
        measure_quality(system, reference, [], tmp_path / "out.csv")


def test_d_stft_alone_needs_neither_torch_nor_librosa(tmp_path, reference):
    code = (
        "import sys; from vocoder_pareto.quality.measure import measure_quality; "
        "measure_quality(sys.argv[1], sys.argv[1], [], sys.argv[2]); print({'torch', 'librosa'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, reference, tmp_path / "out.csv"],
        capture_output=True, text=True, check=True, cwd="workflow_scripts",
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
    assert rows_of(tmp_path / "out.csv")


def test_the_program_reports_an_unknown_metric_on_one_line(reference, tmp_path):
    done = warm_torch().run(
        ["workflow_scripts/measure_quality.py", "--manifest", str(reference), "--reference-manifest", str(reference),
         "--quality-settings", '{"metrics": ["loudness"]}', "--output", str(tmp_path / "out.csv")],
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: config key quality.metrics: 'loudness' is unknown")
    assert done.stderr.count("\n") == 1
