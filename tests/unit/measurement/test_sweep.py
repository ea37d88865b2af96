import csv
import os
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.analysis import sweep_figure
from vocoder_pareto.analysis.figure_style import drawing
from vocoder_pareto.analysis.sweep_figure import draw_sweeps
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import own_process
from vocoder_pareto.measurement import sweep as sweeping
from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.energy import Bench, Subject, measure_in_processes
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.random_weights import bench_with_random_weights, subject_with_random_weights
from vocoder_pareto.measurement.sweep import sweep_energy, write_sweep
from vocoder_pareto.measurement.workload import OutOfMemory
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings, SweepSettings

CPU = torch.device("cpu")
QUICK = EnergySettings(
    clips=2, clip_seconds=0.05, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=0, windows=2,
    min_window_seconds=0.01, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip


@pytest.fixture
def subject():
    return Subject(SmallVocoder(), SMALL, {}, None, np.zeros((80, 20), dtype=np.float32))


def test_every_pair_is_a_row_and_what_the_device_lacks_has_no_numbers(subject, tmp_path):
    sweep = SweepSettings((1, 3), ("float32", "tf32"))
    write_sweep(tmp_path / "s.csv", sweep_energy(Bench(subject, Meter(CpuTimeSensor(10.0)), CPU), QUICK, sweep, seed=0))
    with (tmp_path / "s.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["precision"], row["batch_size"]) for row in rows] == [
        ("float32", "1"), ("float32", "3"), ("tf32", "1"), ("tf32", "3"),
    ]  # fmt: skip
    assert all(float(row["energy_joules_per_audio_second"]) > 0 for row in rows[:2])
    assert rows[0]["energy_source"] == "estimated"
    assert rows[0]["publishable"] == "false"
    assert [row["estimated_watts_per_core"] for row in rows] == ["10.0", "10.0", "", ""]
    assert [rows[3][name] for name in ("energy_joules_per_audio_second", "flags")] == ["", "unsupported_precision"]


def test_batches_are_whole(subject, monkeypatch):
    asked = []

    def measure(subject, settings, *rest):
        asked.append((settings.clips, settings.batch_size))
        raise OutOfMemory("too big")

    monkeypatch.setattr(sweeping, "measure_energy", measure)
    settings = EnergySettings(clips=10)
    rows = sweep_energy(Bench(subject, None, CPU), settings, SweepSettings((1, 4, 16), ("float32",)), seed=0)
    assert asked == [(10, 1), (12, 4), (16, 16)]
    assert {row["flags"] for row in rows} == {"out_of_memory"}


@pytest.mark.parametrize(
    ("values", "words"), [({"batch_sizes": (0,)}, "than or equal to 1"), ({"precisions": ()}, "least 1 item")]
)
def test_sweeps_of_nothing_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        SweepSettings(**values)


def test_a_panel_per_system_and_a_line_per_measured_precision():
    rows = [
        (f"small-{size}", "small", size, precision, batch_size, 1.0 / batch_size, 0.1, "nvml", "GPU", np.nan, "")
        for size in "SM"
        for precision in ("float32", "bf16")
        for batch_size in (1, 2)
    ]
    sweeps = pd.DataFrame(rows, columns=sweep_figure.COLUMNS)
    sweeps.loc[sweeps["precision"] == "bf16", "energy_joules_per_audio_second"] = np.nan
    settings = FigureSettings()
    with drawing(settings):
        figure = draw_sweeps(sweeps, settings, {"small": "Small"})
    panels = [axes for axes in figure.axes if axes.get_visible()]
    figure.draw_without_rendering()
    numbers = [label.get_text() for axes in panels for label in axes.get_yticklabels() if label.get_text()]
    assert len(numbers) >= 4
    assert [float(number) for number in numbers]
    assert [axes.get_title(loc="left") for axes in panels] == ["Small S", "Small M"]
    assert [[text.get_text() for text in axes.get_legend().get_texts()] for axes in panels] == [["float32"]] * 2
    assert not [text for axes in panels for text in axes.texts]


def test_rows_to_doubt_have_their_mark_and_the_caption_says_why():
    """As tables do; flags that tell of the protocol alone, `short_protocol`, speak against no number."""
    rows = [
        ("small-S", "small", "S", "float32", batch_size, 1.0 / batch_size, 0.1, "nvml", "GPU", np.nan, flags)
        for batch_size, flags in [(1, "short_protocol"), (2, "busy_machine not_publishable"), (4, "drift throttled")]
    ]
    with drawing(FigureSettings()):
        figure = draw_sweeps(pd.DataFrame(rows, columns=sweep_figure.COLUMNS), FigureSettings(), {"small": "Small"})
    assert [(text.get_text(), text.xy) for text in figure.axes[0].texts] == [("†", (2, 0.5)), ("†", (4, 0.25))]
    caption = " ".join(figure.texts[0].get_text().split())
    assert caption.endswith("† busy machine: Small S; throttled: Small S; drifting: Small S.")


def test_a_subject_with_random_weights_needs_no_checkpoint_and_knows_its_operations():
    settings = EnergySettings(clips=2, clip_seconds=0.16)
    subject = subject_with_random_weights(SMALL, settings, seed=0)
    macs = 10 * (4 * 80 * 3 + 4 * 2 * 512) + 2560 * (2 * 2 * 2 + 2 * 5)
    assert subject.flops_per_audio_second == pytest.approx(2 * macs / 0.16)
    assert subject.mels.shape == (80, 20)
    assert subject.checkpoint_digest is None


def test_a_subject_is_measured_in_processes_of_their_own_whose_windows_join(monkeypatch):
    monkeypatch.setattr(own_process, "START_METHOD", "spawn")  # this process has computed: its threads survive no fork
    settings = replace(QUICK, processes=2)
    meter = MeterSettings(unreadable_rapl="estimate")
    record = measure_in_processes(partial(bench_with_random_weights, SMALL, settings, meter, "cpu", 0), settings, 0)
    assert record["system"] == "small-S"
    assert record["checkpoint_digest"] is None
    assert [window["process"] for window in record["windows"]] == [0, 0, 1, 1]
    assert record["energy_relative_process_spread"] >= 0


def refuse():
    raise OutOfMemory("cpu: out of memory")


def test_another_process_hands_back_the_error_of_a_user_and_says_when_it_was_killed():
    assert in_own_process(os.getpid) != os.getpid()
    with pytest.raises(UserError, match="cpu: out of memory"):
        in_own_process(refuse)
    with pytest.raises(UserError, match="was killed"):
        in_own_process(os._exit, 3)
