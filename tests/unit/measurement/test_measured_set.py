from dataclasses import replace

import pytest
from small_vocoder import SMALL

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import system_digest
from vocoder_pareto.measurement.measured_set import adopted, folder_of, measure_run
from vocoder_pareto.study.configuration import checked, systems_of

SYSTEMS = [replace(SMALL, size=size) for size in "SML"]


def record(system, energy):
    return {
        "system": system.name, "device": "NVIDIA Imaginary", "energy_source": "nvml", "publishable": True,
        "energy_joules_per_audio_second": energy,
        "settings": {"digest": system_digest(system), "architecture": {}, "sampling": {}},
    }  # fmt: skip


@pytest.fixture
def two_runs(tmp_path):
    for energy in (10.0, 11.0):
        measure_run(tmp_path, SYSTEMS, lambda system, energy=energy: record(system, energy), seed=0)
    return tmp_path


def test_every_call_is_another_run_of_all_systems(two_runs):
    assert sorted(path.relative_to(two_runs).as_posix() for path in two_runs.rglob("small-*.json")) == [
        f"run{run}/small-{size}.json" for run in (1, 2) for size in "LMS"
    ]


def test_a_run_that_was_broken_off_goes_on(tmp_path):
    measured = []

    def measure(system):
        measured.append(system.name)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return record(system, 10.0)

    with pytest.raises(KeyboardInterrupt):
        measure_run(tmp_path, SYSTEMS, measure, seed=0)
    measure_run(tmp_path, SYSTEMS, measure, seed=0)
    assert len(measured) == 4
    assert set(measured) == {system.name for system in SYSTEMS}
    assert not (tmp_path / "run2").exists()


def test_the_order_of_systems_is_random_and_differs_between_runs(tmp_path):
    orders = []
    for _ in range(3):
        order = []
        measure_run(tmp_path, SYSTEMS, lambda system, order=order: order.append(system.size) or record(system, 1.0), 0)
        orders.append("".join(order))
    assert len(set(orders)) > 1


def test_the_summary_puts_runs_side_by_side(two_runs):
    summary = read_json(two_runs / "set.json")
    assert (summary["device"], summary["runs"]) == ("NVIDIA Imaginary", 2)
    found = summary["systems"]["small-S"]
    assert found["energy_joules_per_audio_second"] == [10.0, 11.0]
    assert found["relative_spread"] == pytest.approx(1.0 / 10.5)


def test_a_stored_record_is_adopted_with_the_spread_between_runs(two_runs):
    found = adopted(two_runs, SYSTEMS[1])
    assert found["energy_joules_per_audio_second"] == 10.0
    assert found["energy_source"] == "nvml"
    assert found["runs"]["relative_spread"] == pytest.approx(1.0 / 10.5)
    assert found["stored_in"] == two_runs.as_posix()


def test_a_system_that_is_not_in_the_set_is_named(two_runs):
    with pytest.raises(UserError, match=r"run1/small-X\.json.*measurements\.from: null"):
        adopted(two_runs, replace(SMALL, size="X"))


def test_a_record_of_other_settings_is_refused(two_runs):
    with pytest.raises(UserError, match=r"small-S\.json: measured with architecture"):
        adopted(two_runs, replace(SMALL, sampling={"steps": 6}))


def test_a_record_of_another_system_is_refused(two_runs):
    write_json(two_runs / "run1" / "small-S.json", record(SYSTEMS[1], 10.0))
    with pytest.raises(UserError, match="not a record of the energy of small-S"):
        adopted(two_runs, SYSTEMS[0])


@pytest.mark.parametrize("source", [None, "", 3])
def test_a_record_that_does_not_say_where_its_joules_come_from_is_refused(two_runs, source):
    write_json(two_runs / "run1" / "small-S.json", record(SYSTEMS[0], 10.0) | {"energy_source": source})
    with pytest.raises(UserError, match="not a record of the energy of small-S"):
        adopted(two_runs, SYSTEMS[0])


def test_folders_are_named_after_the_device():
    assert folder_of("NVIDIA RTX A5000") == "nvidia-rtx-a5000"
    assert folder_of("Intel(R) Xeon(R) CPU @ 2.20GHz") == "intel-r-xeon-r-cpu-2-20ghz"


def test_systems_come_from_the_configuration():
    config = {
        "systems": ["small-S"],
        "models": {
            "small": {
                "vocoder": SMALL.vocoder,
                "objective": "o",
                "sampling": {"steps": 2},
                "sizes": {"S": {"architecture": {"channels": 4}, "training": {"steps": 5}}, "M": {}},
            }
        },
    }
    (system,) = systems_of(checked(config))
    assert system == replace(SMALL, objective="o", sampling={"steps": 2}, architecture={"channels": 4})
