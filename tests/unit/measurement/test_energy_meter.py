"""The energy of a block of code: watts times seconds of a simulated counter, whose truth is known."""

import threading

import pytest
import torch
from simulated_counters import FakeClock, FakeSensor
from simulated_device import Nature, SimulatedDevice

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import energy_meter, of_callable
from vocoder_pareto.measurement.energy_meter import EnergyMeter
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.of_callable import measure
from vocoder_pareto.study.sections.measurement import EnergySettings

QUICK = EnergySettings(
    idle_seconds=0.5, windows=3, min_window_seconds=2, lead_in_seconds=0.2, max_warmup_seconds=0.5, max_retries=0
)


@pytest.fixture
def watts_of(monkeypatch):
    """A meter of so many watts, in the time of a clock that the test moves."""

    def install(watts: float, broken: bool = False) -> FakeClock:
        clock = FakeClock(now=10.0)
        sensor = FakeSensor(counter=lambda: OSError("gone") if broken else 1000 * watts * clock.now)
        meter = Meter(sensor, clock=clock.seconds)
        monkeypatch.setattr(energy_meter, "open_meter", lambda device, settings: meter)
        return clock

    return install


def test_joules_are_watts_times_the_seconds_of_the_block(watts_of):
    clock = watts_of(50.0)
    meter = EnergyMeter("cpu")
    with meter as window:
        assert window.joules is None
        clock.now += 4.0
        with meter as inner:
            clock.now += 2.0
    assert (window.joules, window.seconds) == pytest.approx((300.0, 6.0))
    assert (inner.joules, inner.seconds) == pytest.approx((100.0, 2.0))
    assert window.mean_power_watts == pytest.approx(50.0)
    assert window.flags == {}
    assert not window.is_estimate


def test_a_short_block_says_that_counters_lag(watts_of):
    clock = watts_of(50.0)
    with EnergyMeter("cpu") as window:
        clock.now += 0.25
    assert "0.25 s" in window.flags["short_window"]


def test_a_block_that_fails_is_metered_too_and_keeps_its_error(watts_of):
    clock = watts_of(50.0)
    windows = []

    def fail():
        with EnergyMeter("cpu") as window:
            windows.append(window)
            clock.now += 2.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert windows[0].joules == pytest.approx(100.0)


def test_what_cannot_be_read_is_none_and_says_why(watts_of):
    clock = watts_of(50.0, broken=True)
    with EnergyMeter("cpu") as window:
        clock.now += 2.0
    assert window.joules is None
    assert window.mean_power_watts is None
    assert "could not be read (gone)" in window.flags["invalid_window"]


def test_where_nothing_counts_the_joules_are_estimated_and_say_so(without_rapl):
    with EnergyMeter("cpu") as window:
        sum(range(200_000))
    assert window.source == "estimated"
    assert window.is_estimate
    assert window.joules >= 0
    assert "not measured" in window.flags["energy_estimated"]


def test_a_callable_costs_the_energy_of_its_device(monkeypatch):
    """A device in simulated time: 200 W while it works, 0.05 s for a second of audio, so 10 J per second of it."""
    device = SimulatedDevice(Nature(jitter=0.0, pass_seconds=0.05), "callable")
    monkeypatch.setattr(of_callable, "open_meter", lambda *_: device.meter)
    monkeypatch.setattr(of_callable, "clock_of", lambda _: device.clock)

    def model(mel):
        device._pass()
        return torch.zeros(len(mel), 1, 16000)

    found = measure(model, torch.zeros(1, 80, 4), sample_rate=16000, device="cpu", settings=QUICK)
    assert found.joules_per_audio_second == pytest.approx(10.0, rel=0.02)
    assert found.real_time_factor == pytest.approx(0.05)
    assert found.gflops_per_audio_second is None  # no operation of PyTorch
    assert "seconds of audio 1, needed 100" in found.flags["short_protocol"]


def test_operations_of_a_callable_are_counted_by_hand(without_rapl):
    """A convolution of 80 → 1 channels, kernel 3, over 100 frames: 2 · 80 · 3 · 100 FLOPs for 0.5 s of audio."""
    settings = EnergySettings(idle_seconds=0, windows=1, min_window_seconds=0.01, max_warmup_seconds=0, max_retries=0)
    layer = torch.nn.Conv1d(80, 1, 3, padding=1)
    mels = [torch.zeros(1, 80, 100), torch.zeros(1, 80, 100)]
    found = measure(layer, mels, sample_rate=200, device="cpu", settings=settings)
    assert found.gflops_per_audio_second == pytest.approx(2 * 80 * 3 * 100 / 0.5 * 1e-9)
    assert found.source == "estimated"
    assert "energy_estimated" in found.flags


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda mel: mel.numpy(), "gives ndarray; it must give a tensor of waveforms"),
        (lambda mel: mel.long(), "of torch.int64"),
        (lambda mel: mel, r"gives \(1, 80, 4\) for an input \(1, 80, 4\); one channel is needed"),
        (lambda mel: mel[0], r"gives \(80, 4\) for"),
        (lambda mel: torch.zeros(2, 1000), r"gives \(2, 1000\) for an input"),
        (lambda mel: torch.zeros(1, 4, 2, 1000), "one channel is needed"),
        (lambda mel: torch.tensor(1.0), "one channel is needed"),
        (lambda mel: torch.zeros(1, 1000, device="meta"), "gives audio on meta for an input on cpu"),
        (lambda mel: torch.full((1, 1000), torch.nan), "infinite or no number"),
    ],
)  # fmt: skip
def test_what_is_no_audio_is_refused_in_one_line(model, message):
    with pytest.raises(UserError, match=message):
        measure(model, torch.zeros(1, 80, 4), sample_rate=16000, device="cpu")


def test_a_block_in_another_thread_is_refused_while_one_is_open(watts_of):
    """The energy of a device is that of both, so neither would be told its own."""
    clock = watts_of(100)
    meter, said = EnergyMeter("cpu"), []

    def other():
        try:
            with meter:
                clock.now += 1
                said.append("metered")
        except UserError as error:
            said.append(str(error))

    with meter as window:
        threads = threading.Thread(target=other)
        threads.start()
        threads.join()
        clock.now += 1
    assert "a block is open in another thread" in said[0]
    assert window.joules == pytest.approx(100)
    other()
    assert said[1:] == ["metered"]
