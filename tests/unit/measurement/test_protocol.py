import random
import time
from dataclasses import replace

import pytest
from full_protocol import FULL
from seeds import seed_of
from simulated_counters import FakeSensor

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.clocks import HostClock
from vocoder_pareto.measurement.combined_windows import combined_windows
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.protocol import counted_windows, joined, observe
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from

SETTINGS = EnergySettings(
    clips=2, clip_seconds=1.0, warmup_passes=3, max_warmup_seconds=60, cooldown_seconds=7, idle_seconds=20, windows=3,
    min_window_seconds=10, min_repeats=4, max_pause_seconds=0, max_relative_interval=0.05, max_retries=2,
    lead_in_seconds=0, processes=1,
)  # fmt: skip


class Estimate(FakeSensor):
    """A counter that stands for an estimate, which neither lags nor tells of an idle device."""

    source = "estimated"
    estimated_from = "a simulation"


class Bench:
    """A device that draws 50 W when idle, 200 W when busy; a pass takes `pass_seconds` and makes 1 s of audio."""

    def __init__(self, clock, pass_seconds=0.5, busy_watts=200.0, sensor=FakeSensor):
        self.clock = clock
        self.pass_seconds = pass_seconds
        self.busy_watts = busy_watts
        self.busy_seconds = self.busy_joules = 0.0
        self.extra_joules = 0.0
        self.order = []
        self.sensor = sensor(counter=self._millijoules)
        self.meter = Meter(self.sensor, clock=clock.seconds)
        self.work = Work([lambda: self._pass("a"), lambda: self._pass("b")], [1.0, 1.0])

    def _millijoules(self):
        idle_seconds = self.clock.now - self.busy_seconds
        return 1000 * (50.0 * idle_seconds + self.busy_joules + self.extra_joules)

    def _pass(self, clip):
        self.order.append(clip)
        seconds = self.pass_seconds() if callable(self.pass_seconds) else self.pass_seconds
        self.clock.now += seconds
        self.busy_seconds += seconds
        self.busy_joules += seconds * (self.busy_watts() if callable(self.busy_watts) else self.busy_watts)


@pytest.fixture
def bench(clock):
    return Bench(clock)


def test_windows_are_long_enough_and_hold_whole_units_of_work(bench):
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    assert len(measured.windows) == 3
    for window in measured.windows:
        assert window.energy.seconds == pytest.approx(10.0)  # 20 passes of 0.5 s
        assert window.audio_seconds == 20.0
        assert window.latencies == pytest.approx([0.5] * 20)


def test_slow_passes_are_repeated_min_repeats_times_and_no_more(clock):
    bench = Bench(clock, pass_seconds=21.0)
    settings = replace(SETTINGS, min_repeats=1, windows=1, warmup_passes=1, max_warmup_seconds=0)
    measured = observe(bench.work, bench.meter, settings, clock)
    assert measured.warmup_passes == 1  # the time for it is over
    assert len(measured.windows[0].latencies) == 2  # the unit of work is two clips
    bench = Bench(clock, pass_seconds=21.0)
    measured = observe(bench.work, bench.meter, replace(settings, min_repeats=5), clock)
    assert len(measured.windows[0].latencies) == 6


def test_joules_per_audio_second_are_those_of_the_simulated_device(bench):
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    # 0.5 s of work at 200 W for each second of audio.
    assert [window.joules_per_audio_second for window in measured.windows] == pytest.approx([100.0] * 3)
    assert [idle.mean_power_watts for idle in measured.idle] == pytest.approx([50.0, 50.0])


def test_rest_comes_first_and_idle_is_measured_before_and_after(bench):
    settings = replace(SETTINGS, max_pause_seconds=2, lead_in_seconds=0.5)
    measured = observe(bench.work, bench.meter, settings, bench.clock)
    pauses = bench.clock.sleeps[3:-2]
    assert bench.clock.sleeps[:3] == [7, 0.5, 20]
    assert bench.clock.sleeps[-2:] == [0.5, 20]
    assert len(measured.idle) == 2
    assert len(pauses) == 3
    assert len(set(pauses)) == 3
    assert all(0 <= pause <= 2 for pause in pauses)


def test_pauses_and_lengths_of_windows_follow_the_seed(clock):
    def pauses(seed):
        bench = Bench(clock)
        clock.sleeps.clear()
        settings = replace(SETTINGS, max_pause_seconds=2)
        measured = observe(bench.work, bench.meter, settings, clock, draw=random.Random(seed_of(seed)))
        return clock.sleeps[3:-2], [round(window.energy.seconds) for window in measured.windows]

    assert pauses(1) == pauses(1) != pauses(2)


def test_windows_begin_with_different_clips(bench):
    settings = replace(SETTINGS, min_window_seconds=0, min_repeats=2)
    measured = observe(bench.work, bench.meter, settings, bench.clock)
    assert bench.order[measured.warmup_passes :] == ["a", "b", "b", "a", "a", "b"]


def test_warm_up_goes_on_until_the_time_of_a_pass_is_stable(clock):
    times = iter([9.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, *[1.0] * 100])
    bench = Bench(clock, pass_seconds=lambda: next(times), sensor=Estimate)
    measured = observe(bench.work, bench.meter, SETTINGS, clock)
    assert (measured.warmup_passes, measured.stable) == (8, True)


def test_warm_up_goes_on_until_power_is_stable(clock):
    """10 W less for each of the first 6 passes of 5 s, then 200 W: three stretches of it after these."""
    bench = Bench(clock, pass_seconds=5.0)
    bench.busy_watts = lambda: max(260.0 - 10.0 * len(bench.order), 200.0)
    measured = observe(bench.work, bench.meter, SETTINGS, clock)
    assert (measured.warmup_passes, measured.power_stable) == (8, True)
    assert all(window.joules_per_audio_second == pytest.approx(1000.0) for window in measured.windows)


def test_power_that_never_settles_is_told(clock):
    bench = Bench(clock)
    bench.busy_watts = lambda: 200.0 + 2.0 * bench.clock.now
    measured = observe(bench.work, bench.meter, SETTINGS, clock)
    assert measured.power_stable is False
    assert measured.warmup_passes == 121  # 60 s are over after the last of them


def test_all_warm_up_passes_are_done_whatever_their_time(clock):
    bench = Bench(clock, pass_seconds=100.0)
    settings = replace(SETTINGS, warmup_passes=7, max_warmup_seconds=2, windows=1, min_repeats=1)
    assert observe(bench.work, bench.meter, settings, clock).warmup_passes == 7


def test_warm_up_ends_by_time_and_says_that_it_was_not_stable(clock):
    draw = random.Random(seed_of(0))
    bench = Bench(clock, pass_seconds=lambda: draw.uniform(0.1, 3.0))
    measured = observe(bench.work, bench.meter, replace(SETTINGS, warmup_passes=5, max_warmup_seconds=30), clock)
    assert measured.stable is False
    assert 10 < measured.warmup_passes < 40


def test_the_same_work_leads_into_every_window(clock):
    """Half a second of it after the pause, in passes of 0.2 s; an estimate from CPU time needs none."""
    settings = replace(SETTINGS, min_window_seconds=0, min_repeats=2, lead_in_seconds=0.5, max_pause_seconds=1)
    for sensor, passes in ((FakeSensor, 3), (Estimate, 0)):
        bench = Bench(clock, pass_seconds=0.2, sensor=sensor)
        measured = observe(bench.work, bench.meter, settings, clock)
        counted = sum(len(window.latencies) for window in measured.windows)
        assert len(bench.order) == measured.warmup_passes + len(measured.windows) * passes + counted


def disturbing(bench, attempt_of, extra_joules=0.0):
    """States of the device in which others keep two cores busy while the windows `attempt_of` are measured."""
    calls = 0

    def device_state():
        nonlocal calls
        window, is_end = divmod(calls, 2)
        calls += 1
        disturbed = window in attempt_of and is_end
        bench.extra_joules += extra_joules * disturbed
        others = 2.0 * bench.clock.now if disturbed else 0.0
        return {"machine_cpu_seconds": others, "own_cpu_seconds": 0.0}

    return device_state


def test_a_disturbed_window_is_measured_again_and_left_out(bench):
    states = disturbing(bench, attempt_of=[1, 3])
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock, states)
    assert [window.attempt for window in measured.windows] == [0, 0, 0, 1, 2]
    assert [list(window.disturbances) for window in measured.windows] == [
        [],
        ["busy_machine"],
        [],
        ["busy_machine"],
        [],
    ]
    assert measured.counted == tuple(window for window in measured.windows if window.clean)


def test_where_all_is_disturbed_all_counts_and_says_so(bench):
    states = disturbing(bench, attempt_of=range(100))
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock, states)
    assert [window.attempt for window in measured.windows] == [0] * 3 + [1] * 3 + [2] * 3
    assert measured.counted == measured.windows


def test_after_a_wide_interval_as_many_windows_join(clock):
    """None is thrown away for its value: intervals of what happens to agree are too narrow."""
    draw = random.Random(seed_of(3))
    bench = Bench(clock, pass_seconds=lambda: draw.uniform(0.1, 9.0))
    measured = observe(bench.work, bench.meter, replace(SETTINGS, min_window_seconds=0), clock)
    assert len(measured.windows) == 9
    assert measured.counted == measured.windows


def measured_by_processes(settings, pass_seconds_of, clock):
    """What each process observes of a device whose passes take what `pass_seconds_of(process)` draws."""
    parts = []
    for process in range(settings.processes):
        bench = Bench(clock, pass_seconds=pass_seconds_of(process), sensor=Estimate)
        parts.append(observe(bench.work, bench.meter, settings, clock, earlier=parts))
    return joined(parts)


def test_the_last_process_alone_measures_on_for_a_wide_interval(clock):
    settings = replace(SETTINGS, processes=2, windows=2, min_window_seconds=0, min_repeats=1, warmup_passes=1)
    settings = replace(settings, max_warmup_seconds=0, max_retries=1)
    agreeing = measured_by_processes(settings, lambda process: iter([1, 1, 1.05, 1, 1.05, 1] * 9).__next__, clock)
    assert [window.process for window in agreeing.windows] == [0, 0, 1, 1]
    differing = measured_by_processes(settings, lambda process: iter([1, 1, 3, 1, 9, 1, 3] * 9).__next__, clock)
    assert [window.process for window in differing.windows] == [0, 0, 1, 1, 1, 1]


def test_two_windows_of_each_of_two_processes_hold_the_truth(clock):
    """Passes that last 1 s, 3 % from window to window and 1 % from process to process, so 200 J by second of audio."""
    settings = replace(SETTINGS, processes=2, windows=2, min_window_seconds=0, min_repeats=1, warmup_passes=1)
    settings = replace(settings, max_warmup_seconds=0, max_relative_interval=0.1)
    draw = random.Random(seed_of(5))

    def pass_seconds(process):
        mean = draw.gauss(1.0, 0.01)
        return lambda: draw.gauss(mean, 0.03 * 2**0.5)  # a window has two passes

    held, windows, seeds = 0, 0, 400
    for _ in range(seeds):
        measured = measured_by_processes(settings, pass_seconds, clock)
        values = [[window.joules_per_audio_second for window in process] for process in measured.processes]
        found = combined_windows(values, settings.max_relative_interval, 0.01)
        held += abs(found.value - 200.0) <= found.half_width
        windows += len(measured.windows)
    assert 0.92 < held / seeds < 0.99
    assert windows / seeds < 4.6  # 6.8 where each process alone is asked for a narrow interval


def test_an_invalid_window_is_measured_again(bench):
    plain, lost_after = bench.sensor.counter, []

    def counter():
        lost = len(bench.order) > 40 and len(lost_after) < 2  # after a warm-up of 31 passes
        lost_after.extend([len(bench.order)] * lost)
        return OSError("GPU is lost") if lost else plain()

    bench.sensor.counter = counter
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    assert [window.energy.valid for window in measured.windows] == [False, False, True, True, True]
    assert measured.counted == measured.windows[2:]


def test_processes_are_told_apart_when_their_windows_join(bench):
    parts = [observe(bench.work, bench.meter, SETTINGS, bench.clock) for _ in range(2)]
    measured = joined([parts[0], replace(parts[1], power_stable=False, warmup_passes=2)])
    assert [window.process for window in measured.windows] == [0, 0, 0, 1, 1, 1]
    assert (measured.warmup_passes, measured.power_stable, len(measured.idle)) == (2, False, 4)
    assert measured.counted == (*counted_windows(measured.processes[0]), *counted_windows(measured.processes[1]))


def test_a_counter_that_wraps_is_read_often_enough_in_a_single_long_pass_and_in_a_long_rest():
    """In real time: 200 W and a counter that wraps every 0.6 s, as one of 65 kJ does every five minutes."""
    wrapping = FakeSensor(
        wraps_at=120_000, longest_gap_seconds=0.55, counter=lambda: 200_000.0 * time.monotonic() % 120_000
    )
    lengths = iter([0.0, 1.3])  # of the warm-up and of the window
    work = Work([lambda: time.sleep(next(lengths))], [1.0])
    settings = replace(
        SETTINGS, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=1.3, windows=1,
        min_window_seconds=0, min_repeats=1, max_retries=0, max_pause_seconds=0,
    )  # fmt: skip
    measured = observe(work, Meter(wrapping), settings, HostClock())
    assert measured.windows[0].energy.mean_power_watts == pytest.approx(200.0, rel=0.01)
    assert measured.idle[0].mean_power_watts == pytest.approx(200.0, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"clips": 0}, "clips: 0 is not allowed; must be at least 1"),
        ({"windows": 0}, "windows: 0 is not allowed; must be at least 1"),
        ({"idle_seconds": -1.0}, "idle_seconds: -1.0 is not allowed; must be at least 0"),
        ({"clip_seconds": 0.0}, "clip_seconds: 0.0 is not allowed; must be greater than 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(UserError, match=words):
        settings_from(EnergySettings, settings, "energy")
    with pytest.raises(UserError, match=f"EnergySettings: {words}"):
        EnergySettings(**settings)


def test_the_protocol_of_the_paper_is_publishable_and_that_of_the_quick_study_is_not():
    assert FULL.shortfalls() == []
    assert replace(FULL, processes=1).shortfalls() == ["processes 1, needed 2"]
    assert replace(FULL, windows=2).shortfalls() == ["windows 2, needed 5"]
    assert replace(FULL, max_pause_seconds=0).shortfalls() == ["max_pause_seconds 0, needed 0.1"]
    assert replace(FULL, clips=1).shortfalls() == ["seconds of audio 10, needed 100"]
    assert len(EnergySettings().shortfalls()) == 6
