"""The cost of a front end is measured by the protocol of vocoders, apart from them."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from seeds import seed_of

from vocoder_pareto.measurement import front_end_energy
from vocoder_pareto.measurement.front_end_energy import bench_with_recordings, work_of_front_end
from vocoder_pareto.measurement.work_energy import measure_work
from vocoder_pareto.study.sections.front_ends import BUILT_IN
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings

QUICK = EnergySettings(
    clips=2, clip_seconds=0.2, batch_size=2, warmup_passes=1, cooldown_seconds=0, idle_seconds=0, processes=2,
    process_spread=0, windows=2, min_window_seconds=0.02, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip


def noise(samples):
    return np.random.default_rng(seed_of(0)).uniform(-0.5, 0.5, samples).astype(np.float32)


@pytest.fixture
def recordings(tmp_path):
    np.save(tmp_path / "clips.npy", noise(2 * 17 * 256).reshape(2, 17 * 256))
    return tmp_path / "clips.npy"


def test_the_unit_of_work_is_clips_of_whole_frames_at_the_rate_of_the_front_end(monkeypatch):
    front_end = BUILT_IN["hifigan_22k"]
    seen = []
    monkeypatch.setattr(front_end_energy, "features", lambda audio, settings: seen.append(tuple(audio.shape)))
    work = work_of_front_end(front_end, noise(30000), QUICK, torch.device("cpu"))
    for one_pass in work.passes:
        one_pass()
    samples = 17 * 256  # 0.2 s at 22,050 Hz are 17.2 frames
    assert seen == [(2, samples)]
    assert work.audio_seconds == [pytest.approx(2 * samples / 22050)]


def test_seconds_and_joules_per_second_of_audio_are_those_of_the_windows(recordings):
    """On this machine's CPU; what a core is taken to draw is the only thing assumed."""
    meter = MeterSettings(cpu_watts_per_core=10.0)
    open_bench = partial(bench_with_recordings, "hifigan_22k", BUILT_IN["hifigan_22k"], recordings, meter, "cpu")
    record = measure_work(open_bench, QUICK, seed=1)
    json.dumps(record, allow_nan=False)
    assert (record["front_end"], record["settings"]["sample_rate"]) == ("hifigan_22k", 22050)
    assert {window["process"] for window in record["windows"]} == {0, 1}
    seconds, audio = (sum(window[name] for window in record["windows"]) for name in ("seconds", "audio_seconds"))
    factors = [window["seconds"] / window["audio_seconds"] for window in record["windows"]]
    assert min(factors) <= record["real_time_factor"] <= max(factors)
    assert min(factors) <= seconds / audio <= max(factors)
    if record["energy_source"] == "estimated":
        joules = [window["joules"] / window["audio_seconds"] for window in record["windows"]]
        assert min(joules) <= record["energy_joules_per_audio_second"] <= max(joules)
