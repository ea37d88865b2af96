"""Griffin-Lim and WORLD are measured by the protocol of vocoders, on the CPU, and say so beside another device."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.measurement import reference_energy
from vocoder_pareto.measurement.reference_energy import bench_with_griffin_lim, bench_with_world
from vocoder_pareto.measurement.work_energy import measure_work
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings

PROGRAM = Path(__file__).parents[3] / "workflow_scripts" / "measure_reference.py"
FRONT_END = FrontEndSettings(sample_rate=8000, n_fft=512, hop_length=128, n_mels=40)
QUICK = EnergySettings(
    clips=3, clip_seconds=0.2, batch_size=2, warmup_passes=1, cooldown_seconds=0, idle_seconds=0, processes=2,
    process_spread=0, windows=2, min_window_seconds=0.02, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip
METER = MeterSettings(cpu_watts_per_core=10.0)


@pytest.fixture
def study(tmp_path):
    """Three clips of noise as the protocol has them, with their mels and ranges."""
    rng = np.random.default_rng(seed_of(0))
    np.save(tmp_path / "clips.npy", rng.uniform(-0.5, 0.5, (3, 12 * 128)).astype(np.float32))
    np.save(tmp_path / "mels.npy", rng.random((3, 40, 12), dtype=np.float32))
    np.save(tmp_path / "ranges.npy", np.array([[0, 1], [0, 2], [0, 3]], np.float32))
    return tmp_path


def griffin_lim(study, device="cpu"):
    return bench_with_griffin_lim(study / "mels.npy", study / "ranges.npy", FRONT_END, 2, 0, METER, device)


def world(study, device="cpu", rate=8000):
    return bench_with_world(study / "clips.npy", 8000, rate, METER, device)


def test_the_unit_of_work_is_one_clip_a_pass_cut_from_the_test_set(study, monkeypatch):
    """Whichever batch vocoders are measured with: neither method computes several at once."""
    seen = {"mels": [], "audio": []}
    monkeypatch.setattr(reference_energy, "invert_mel", lambda mel, *others: seen["mels"].append(mel))
    monkeypatch.setattr(reference_energy, "resynthesised", lambda audio, rate: seen["audio"].append(audio))
    for open_bench, seconds in ((griffin_lim, 12 * 128 / 8000), (world, 0.2)):
        work = open_bench(study).work_of(QUICK)
        for one_pass in work.passes:
            one_pass()
        assert work.audio_seconds == [seconds] * 3
    np.testing.assert_array_equal(np.stack(seen["mels"]), np.load(study / "mels.npy"))
    recordings = np.load(study / "clips.npy").ravel()
    np.testing.assert_array_equal(np.concatenate(seen["audio"]), np.resize(recordings, 3 * 1600))


def test_world_works_at_the_rate_that_is_compared(study, monkeypatch):
    """The clips of 8,000 Hz, resampled to 16,000 Hz as librosa does."""
    seen = []
    monkeypatch.setattr(reference_energy, "resynthesised", lambda audio, rate: seen.append((audio, rate)))
    work = world(study, rate=16000).work_of(QUICK)
    work.passes[0]()
    expected = librosa.resample(np.load(study / "clips.npy").ravel(), orig_sr=8000, target_sr=16000)
    assert seen[0][1] == 16000
    assert np.abs(seen[0][0] - expected[:3200]).max() < 1e-6


@pytest.mark.parametrize("open_bench", [griffin_lim, world])
def test_joules_and_seconds_per_second_of_audio_are_those_of_the_windows(study, open_bench):
    """The mean of numbers lies between the least and the largest of them."""
    record = measure_work(partial(open_bench, study), QUICK, seed=1)
    json.dumps(record, allow_nan=False)
    assert record["system"] == record["model"] == open_bench.__name__
    assert (record["protocol"]["batch_size"], record["protocol"]["clip_seconds"]) == (1, 0.2)
    assert {window["process"] for window in record["windows"]} == {0, 1}
    factors = [window["seconds"] / window["audio_seconds"] for window in record["windows"]]
    assert min(factors) <= record["real_time_factor"] <= max(factors)
    assert record["peak_memory_bytes"] > 0
    assert "computed_on_cpu" not in record["flags"]
    if record["energy_source"] == "estimated":
        joules = [window["joules"] / window["audio_seconds"] for window in record["windows"]]
        assert min(joules) <= record["energy_joules_per_audio_second"] <= max(joules)


def test_beside_a_gpu_the_record_says_that_it_is_of_the_cpu_and_is_metered_as_one(study):
    """A machine without a GPU measures it, too, as a node of a cluster may; nothing is amiss with the number."""
    record = measure_work(partial(world, study, "cuda:1"), replace(QUICK, processes=1), seed=1)
    assert "computed_on_cpu" in record["flags"]
    assert "the device of the study is cuda:1" in record["reasons"]["computed_on_cpu"]
    assert "computed_on_cpu" not in record["reasons"]["not_publishable"]
    assert record["energy_source"] in ("estimated", "rapl")
    other = MeterSettings(backend="zeus", unreadable_rapl="error")
    assert bench_with_world(study / "clips.npy", 8000, 8000, other, "cuda").meter.source in ("estimated", "rapl")


def test_the_program_writes_what_is_measured(study):
    files = {"--mels": "mels.npy", "--mel-ranges": "ranges.npy", "--clips": "clips.npy"}
    arguments = [word for flag, name in files.items() for word in (flag, study / name)]
    front_end = {"sample_rate": 8000, "n_fft": 512, "hop_length": 128, "n_mels": 40}
    protocol = {"clip_seconds": 0.2, "processes": 1, "windows": 2, "min_window_seconds": 0.02, "max_warmup_seconds": 0}
    subprocess.run(
        [
            sys.executable, PROGRAM, "--reference", "griffin_lim", *arguments, "--compared-rate", "8000",
            "--front-end-settings", json.dumps(front_end), "--iterations", "2",
            "--energy-settings", json.dumps(protocol), "--device", "cpu", "--output", study / "record.json",
        ],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    assert json.loads((study / "record.json").read_text())["real_time_factor"] > 0
