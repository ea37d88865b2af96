import pytest
import torch
from steady_sensor import HandClock, SteadySensor, let_trainings_go_by

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.training import train as train_module
from vocoder_pareto.training.accounting import EnergyAccount, EnergyTotals
from vocoder_pareto.training.state import StateFolder
from vocoder_pareto.training.validation import Validation


@pytest.fixture
def clock():
    return HandClock()


def account_of(clock, sensor, totals=None, interval_seconds=5.0) -> EnergyAccount:
    return EnergyAccount(Meter(sensor, clock=clock), totals or EnergyTotals(), interval_seconds, clock)


def work(clock, account, seconds, step=1.0):
    """Steps of `step` seconds with an update after each."""
    for _ in range(round(seconds / step)):
        clock.now += step
        account.update()


def test_the_energy_of_all_stretches_is_summed_and_pauses_do_not_count(clock):
    account = account_of(clock, SteadySensor(clock, watts=100.0))
    account.resume()
    work(clock, account, 12.0)
    account.pause()
    clock.now += 1000.0
    account.resume()
    work(clock, account, 8.0)
    account.pause()
    assert account.totals.joules == pytest.approx(2000.0)
    assert account.totals.measured_seconds == pytest.approx(20.0)
    assert account.totals.by_domain == {"gpu": pytest.approx(2000.0)}
    assert account.totals.source == "nvml"
    assert account.totals.flags == []


def test_a_stretch_is_closed_only_when_it_is_long_enough(clock):
    account = account_of(clock, SteadySensor(clock), interval_seconds=5.0)
    account.resume()
    closed = []
    for _ in range(12):
        clock.now += 1.0
        closed.append(account.update())
    assert [index for index, each in enumerate(closed, 1) if each] == [5, 10]


def test_wraps_of_the_counter_lose_nothing_since_stretches_are_shorter_than_a_wrap(clock):
    """100 W wrap a range of 1,000 J every 10 s; the interval shrinks to half of the longest gap."""
    sensor = SteadySensor(clock, watts=100.0, wraps_at=1000.0, longest_gap=8.0)
    account = account_of(clock, sensor, interval_seconds=60.0)
    assert account.interval_seconds == 4.0
    account.resume()
    work(clock, account, 500.0)
    account.pause()
    assert account.totals.joules == pytest.approx(50_000.0)


def test_a_wrap_that_may_have_gone_unseen_makes_the_energy_unknown(clock):
    sensor = SteadySensor(clock, watts=100.0, wraps_at=1000.0, longest_gap=8.0)
    account = account_of(clock, sensor)
    account.resume()
    clock.now += 25.0  # one step of 25 s: two wraps and a half
    account.pause()
    assert account.totals.joules is None
    assert account.totals.flags == ["energy_unknown"]
    assert "wrapped more than once" in account.totals.faults[0]


def test_a_gap_of_less_than_a_hundredth_is_filled_at_the_mean_power_and_flagged(clock):
    sensor = SteadySensor(clock, watts=100.0)
    account = account_of(clock, sensor)
    account.resume()
    work(clock, account, 1995.0)
    sensor.broken = True
    work(clock, account, 5.0)
    sensor.broken = False
    work(clock, account, 5.0)  # begins without a reading, so it is missing too
    work(clock, account, 1995.0)
    account.pause()
    totals = account.totals
    assert totals.missing_seconds == pytest.approx(10.0)
    assert totals.measured_joules == pytest.approx(399_000.0)
    assert totals.joules == pytest.approx(400_000.0)
    assert totals.flags == ["energy_has_gaps"]
    assert any("could not be read (no answer)" in fault for fault in totals.faults)


def test_a_larger_gap_makes_the_energy_unknown_and_not_smaller(clock):
    sensor = SteadySensor(clock)
    account = account_of(clock, sensor)
    account.resume()
    work(clock, account, 50.0)
    sensor.broken = True
    work(clock, account, 5.0)
    account.pause()
    assert account.totals.joules is None
    assert account.totals.source is None


def test_measured_and_estimated_pieces_are_never_summed(clock):
    totals = EnergyTotals()
    for source in ("nvml", "estimated"):
        sensor = SteadySensor(clock)
        sensor.source = source
        account = account_of(clock, sensor, totals)
        account.resume()
        work(clock, account, 10.0)
        account.pause()
    assert totals.sources == ["nvml", "estimated"]
    assert totals.joules is None
    assert totals.flags == ["energy_sources_differ"]


def test_how_the_meter_was_chosen_is_flagged(clock):
    totals = EnergyTotals()
    for _ in range(2):
        EnergyAccount(Meter(SteadySensor(clock), notes={"rapl_unreadable": "RAPL may not be read"}), totals, 5.0)
    assert totals.flags == ["rapl_unreadable"]


def test_a_fault_is_told_once(clock):
    sensor = SteadySensor(clock)
    account = account_of(clock, sensor)
    account.resume()
    sensor.broken = True
    work(clock, account, 1000.0)
    assert len(account.totals.faults) == 1


def test_faults_that_are_always_new_do_not_fill_the_state(clock, monkeypatch):
    def fail(domain):
        raise OSError(f"at {clock():.0f} s")

    sensor = SteadySensor(clock)
    account = account_of(clock, sensor)
    account.resume()
    monkeypatch.setattr(sensor, "read", fail)
    work(clock, account, 1000.0)
    assert len(account.totals.faults) == 20


def test_the_papers_training_emits_what_the_paper_says():
    """36 kWh at 0.7 kg/kWh; a site that uses 1.5 times its computers' energy emits 1.5 times as much."""
    joules = 36 * 3.6e6
    assert CarbonSettings().kg_per_joule * joules == pytest.approx(25.2)
    assert CarbonSettings(power_usage_effectiveness=1.5).kg_per_joule * joules == pytest.approx(37.8)


# ---------------------------------------------------------------------- in a training


@pytest.fixture
def sensor(monkeypatch, clock):
    """Of trainings whose steps take 10 s each, by a clock that nothing else moves, at 100 W."""
    sensor = SteadySensor(clock, watts=100.0)
    let_trainings_go_by(clock, sensor, 10.0, monkeypatch.setattr)
    return sensor


def test_a_training_ends_when_its_energy_is_used_up_over_all_pieces(bench, sensor):
    bench.train(steps=3)
    assert bench.summary["energy_joules"] == pytest.approx(3000.0)
    bench.train(steps=None, hours=120.0, energy_kwh=5000.0 / 3.6e6)
    summary = bench.summary
    assert (summary["stopped_by"], summary["steps"], summary["pieces"]) == ("energy_kwh", 5, 2)
    assert summary["energy_joules"] == pytest.approx(5000.0)
    assert summary["energy_source"] == "nvml"
    assert summary["mean_power_watts"] == pytest.approx(100.0)


def test_a_training_ends_when_its_hours_are_used_up(bench, sensor):
    bench.train(steps=None, hours=75.0 / 3600)
    assert bench.summary["steps"] == 8
    assert bench.summary["seconds"] == pytest.approx(80.0)


def test_time_and_energy_of_validation_and_saving_do_not_count(bench, sensor, clock, monkeypatch):
    def slowly(owner, name):
        quick = getattr(owner, name)

        def slow(*arguments):
            clock.now += 1000.0
            return quick(*arguments)

        monkeypatch.setattr(owner, name, slow)

    slowly(Validation, "judge")
    slowly(StateFolder, "save")
    bench.train(steps=6, validation_every_steps=2, checkpoint_minutes=0.5)
    assert bench.summary["seconds"] == pytest.approx(60.0)
    assert bench.summary["energy_joules"] == pytest.approx(6000.0)
    assert [float(row["seconds"]) for row in bench.curve] == pytest.approx([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])


def test_without_a_reading_an_energy_budget_is_an_error_that_loses_nothing(bench, sensor):
    bench.train(steps=3)
    sensor.broken = True
    with pytest.raises(UserError, match=r"training\.energy_kwh: the energy is not known .*could not be read"):
        bench.train(steps=None, energy_kwh=1.0)
    sensor.broken = False
    bench.train(steps=None, energy_kwh=4000.0 / 3.6e6)
    assert bench.summary["steps"] == 4


def test_without_a_reading_a_budget_of_steps_goes_on_and_the_energy_is_null(bench, sensor):
    sensor.broken = True
    bench.train(steps=3)
    summary = bench.summary
    unknown = ("energy_joules", "energy_source", "mean_power_watts")
    assert {name: summary[name] for name in unknown} == dict.fromkeys(unknown)
    assert summary["flags"] == ["energy_unknown"]
    assert summary["energy_unmeasured_seconds"] == pytest.approx(30.0)
    assert all(row["joules"] == "" for row in bench.curve)


@pytest.fixture
def no_meter(monkeypatch):
    def refuse(device, settings):
        raise MeterUnavailable("cuda:0: is a MIG slice, whose energy no counter tells")

    monkeypatch.setattr(train_module, "open_meter", refuse)


def test_without_a_meter_training_is_refused_with_the_mend(bench, no_meter):
    with pytest.raises(UserError, match=r"MIG slice.*training\.on_missing_meter: train"):
        bench.train(steps=3)
    assert not bench.outputs.checkpoint.exists()


def test_without_a_meter_one_may_train_and_the_energy_is_null(bench, no_meter):
    bench.train(steps=3, on_missing_meter="train")
    summary = bench.summary
    assert summary["steps"] == 3
    assert (summary["energy_joules"], summary["energy_source"]) == (None, None)
    assert summary["flags"] == ["energy_unknown"]
    assert summary["energy_faults"] == [
        "unmetered could not be read (cuda:0: is a MIG slice, whose energy no counter tells)"
    ]


def test_a_budget_of_energy_needs_a_meter(bench, no_meter):
    with pytest.raises(MeterUnavailable, match="MIG slice"):
        bench.train(steps=None, energy_kwh=1.0, on_missing_meter="train")


def test_the_whole_training_is_predicted_from_its_beginning_and_checked_at_its_end(bench, sensor, caplog):
    with caplog.at_level("INFO"):
        bench.train(steps=40, log_every_steps=40, validation_clips=0)
    # 40 steps of 10 s and 1,000 J, as the sensor and the clock of the test have them.
    assert "predicted for the whole run: 40 steps, 0.111 h, 0.0111 kWh, " in caplog.text
    prediction = bench.summary["prediction"]
    assert prediction["at_step"] == 4
    assert prediction["seconds"] == pytest.approx(400.0)
    assert prediction["joules"] == pytest.approx(40_000.0)
    assert bench.summary["prediction_errors"] == pytest.approx({"steps": 0.0, "seconds": 0.0, "joules": 0.0})


def test_a_larger_budget_is_predicted_anew(bench, sensor):
    bench.train(steps=4)
    bench.train(steps=20)
    assert bench.summary["prediction"]["budget"]["steps"] == 20
    assert bench.summary["prediction"]["at_step"] == 5


def test_an_estimate_by_threads_that_may_spin_is_noted(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    for policy, notes in (("ACTIVE", ["threads_spin"]), ("PASSIVE", [])):
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
        totals = EnergyTotals()
        EnergyAccount(Meter(CpuTimeSensor(10.0)), totals, 1.0)
        assert totals.notes == notes
