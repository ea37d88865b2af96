import random
from dataclasses import replace

import pytest
from full_protocol import FULL
from seeds import seed_of
from simulated_counters import FakeSensor

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.protocol import Work, observe
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from

SETTINGS = EnergySettings(
    clips=2, clip_seconds=1.0, warmup_passes=3, max_warmup_seconds=60, cooldown_seconds=7, idle_seconds=20, windows=3,
    min_window_seconds=10, min_repeats=4, max_pause_seconds=2, max_relative_interval=0.05, max_retries=2,
)  # fmt: skip


class Bench:
    """A device that draws 50 W when idle, 200 W when busy; a pass takes `pass_seconds` and makes 1 s of audio."""

    def __init__(self, clock, pass_seconds=0.5, busy_watts=200.0):
        self.clock = clock
        self.pass_seconds = pass_seconds
        self.busy_watts = busy_watts
        self.busy_seconds = 0.0
        self.extra_joules = 0.0
        self.order = []
        self.sensor = FakeSensor(counter=self._millijoules)
        self.meter = Meter(self.sensor, clock=clock.seconds)
        self.work = Work([lambda: self._pass("a"), lambda: self._pass("b")], [1.0, 1.0])

    def _millijoules(self):
        idle_seconds = self.clock.now - self.busy_seconds
        return 1000 * (50.0 * idle_seconds + self.busy_watts * self.busy_seconds + self.extra_joules)

    def _pass(self, clip):
        self.order.append(clip)
        seconds = self.pass_seconds() if callable(self.pass_seconds) else self.pass_seconds
        self.clock.now += seconds
        self.busy_seconds += seconds


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
    assert measured.warmup_passes == 1
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
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    pauses = bench.clock.sleeps[2:-1]
    assert bench.clock.sleeps[:2] == [7, 20]
    assert bench.clock.sleeps[-1] == 20
    assert len(measured.idle) == 2
    assert len(pauses) == 3
    assert len(set(pauses)) == 3
    assert all(0 <= pause <= 2 for pause in pauses)


def test_pauses_follow_the_seed(clock):
    def pauses(seed):
        bench = Bench(clock)
        clock.sleeps.clear()
        observe(bench.work, bench.meter, SETTINGS, clock, draw=random.Random(seed_of(seed)))
        return clock.sleeps[2:-1]

    assert pauses(1) == pauses(1) != pauses(2)


def test_windows_begin_with_different_clips(bench):
    settings = replace(SETTINGS, min_window_seconds=0, min_repeats=2)
    observe(bench.work, bench.meter, settings, bench.clock)
    assert bench.order[3:] == ["a", "b", "b", "a", "a", "b"]


def test_warm_up_goes_on_until_the_time_of_a_pass_is_stable(clock):
    times = iter([9.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, *[1.0] * 100])
    bench = Bench(clock, pass_seconds=lambda: next(times))
    measured = observe(bench.work, bench.meter, SETTINGS, clock)
    assert (measured.warmup_passes, measured.stable) == (3, None)  # too few to tell, and enough for the settings
    times = iter([9.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, *[1.0] * 100])
    measured = observe(bench.work, bench.meter, replace(SETTINGS, warmup_passes=5), clock)
    assert (measured.warmup_passes, measured.stable) == (8, True)


def test_warm_up_ends_by_time_and_says_that_it_was_not_stable(clock):
    draw = random.Random(seed_of(0))
    bench = Bench(clock, pass_seconds=lambda: draw.uniform(0.1, 3.0))
    measured = observe(bench.work, bench.meter, replace(SETTINGS, warmup_passes=5, max_warmup_seconds=30), clock)
    assert measured.stable is False
    assert 10 < measured.warmup_passes < 40


def test_a_wide_interval_is_measured_again_and_the_last_attempt_counts(bench):
    # The second window of the first attempt is disturbed by another 5 kJ.
    windows = 0
    plain_read = bench.meter.read

    def read():
        nonlocal windows
        windows += 1
        if windows == 6:  # idle takes two readings, every window two
            bench.extra_joules += 5000
        return plain_read()

    bench.meter.read = read
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    assert [window.attempt for window in measured.windows] == [0, 0, 0, 1, 1, 1]
    assert [window.joules_per_audio_second for window in measured.counted] == pytest.approx([100.0] * 3)


def test_attempts_end_after_max_retries(clock):
    draw = random.Random(seed_of(3))
    bench = Bench(clock, pass_seconds=lambda: draw.uniform(0.1, 9.0))
    measured = observe(bench.work, bench.meter, replace(SETTINGS, min_window_seconds=0), clock)
    assert len(measured.windows) == 9
    assert {window.attempt for window in measured.counted} == {2}


def test_an_invalid_window_is_measured_again(bench):
    reads = 0
    plain = bench.sensor.counter

    def counter():
        nonlocal reads
        reads += 1
        return OSError("GPU is lost") if reads == 4 else plain()

    bench.sensor.counter = counter
    measured = observe(bench.work, bench.meter, SETTINGS, bench.clock)
    assert [window.energy.valid for window in measured.windows] == [False, True, True, True, True, True]
    assert all(window.energy.valid for window in measured.counted)


def test_a_counter_that_wraps_is_read_often_enough_in_a_long_window(clock):
    bench = Bench(clock, pass_seconds=5.0)
    plain = bench.sensor.counter
    wrapping = FakeSensor(wraps_at=10_000_000, longest_gap_seconds=40, counter=lambda: plain() % 10_000_000)
    settings = replace(SETTINGS, min_window_seconds=600, windows=1)
    measured = observe(bench.work, Meter(wrapping, clock=clock.seconds), settings, clock)
    assert measured.windows[0].energy.joules == pytest.approx(200 * 600)  # 12 wraps


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
    with pytest.raises(ValueError, match=next(iter(settings))):
        EnergySettings(**settings)


def test_the_protocol_of_the_paper_is_publishable_and_that_of_the_quick_study_is_not():
    assert FULL.shortfalls() == []
    assert replace(FULL, windows=2).shortfalls() == ["windows 2, needed 5"]
    assert replace(FULL, clips=1).shortfalls() == ["seconds of audio 10, needed 100"]
    assert len(EnergySettings().shortfalls()) == 5
