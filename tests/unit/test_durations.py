"""A clock that somebody sets, or that jumps by a leap, changes no duration."""

import ast
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vocoder_pareto.measurement import meter as meter_module
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.sensor import Domain, Sensor

PROJECT = Path(__file__).parents[2]
SOURCES = [file for folder in ("workflow_scripts", "benchmarks") for file in (PROJECT / folder).rglob("*.py")]
AGES_OF_FILES = {"partial_files.py"}  # a file system notes the time of day
OF_THE_DAY = {"datetime.now", "datetime.utcnow", "datetime.today"}


def measures_with_the_time_of_day(text: str) -> bool:
    if "time.time" in text:
        return True
    differences = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    ]
    calls = [each for node in differences for each in ast.walk(node) if isinstance(each, ast.Call)]
    return any(ast.unparse(call.func) in OF_THE_DAY for call in calls)


def test_the_time_of_day_is_noted_and_never_subtracted():
    found = {file.name for file in SOURCES if measures_with_the_time_of_day(file.read_text(encoding="utf-8"))}
    assert found == AGES_OF_FILES
    assert measures_with_the_time_of_day("seconds = (datetime.now(UTC) - begin).total_seconds()")
    assert measures_with_the_time_of_day("begin = time.time()")


class Counter(Sensor):
    """Joules of a device that draws 100 W."""

    source = "plug"
    domains = (Domain("plug", "J", 1.0, "a simulation"),)

    def read(self, domain):
        return 100.0 * time.monotonic()

    @property
    def power_limit_watts(self):
        return None


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(days=400)], ids=str)
def test_a_clock_that_is_set_between_two_readings_changes_neither_seconds_nor_watts(monkeypatch, jump):
    class Set(datetime):
        offset = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.offset

    monkeypatch.setattr(meter_module, "datetime", Set)
    meter = Meter(Counter())
    begin = time.monotonic()
    start = meter.read()
    time.sleep(0.05)
    Set.offset = jump
    end = meter.read()
    elapsed = time.monotonic() - begin
    energy = meter.energy_between(start, end)
    assert 0.05 <= energy.seconds <= elapsed
    noted = datetime.fromisoformat(end.utc) - datetime.fromisoformat(start.utc)
    assert abs(noted - jump) < timedelta(minutes=1), "the time of day is noted as it was told"
    assert datetime.fromisoformat(start.utc).tzinfo == UTC
