"""A backend as docs/extending.md describes it: a meter in the wall socket that keeps its counter in a file."""

from pathlib import Path

from vocoder_pareto.measurement.sensor import Domain, MeterUnavailable, Sensor

COUNTER = Path("/run/plug/energy_wh")


class PlugSensor(Sensor):
    """Watt-hours of the whole machine, as the plug writes them to `COUNTER` several times a second."""

    source = "plug"
    boundary = "the whole machine at the wall socket"
    reader = "psutil"  # in the place of the package of a real plug

    def __init__(self):
        self.domains = (Domain("plug", "Wh", joules_per_unit=3600.0, where=str(COUNTER)),)

    @classmethod
    def serves(cls, device):
        return device.type == "cpu" and COUNTER.exists()

    @classmethod
    def open(cls, device, settings):
        sensor = cls()
        try:
            sensor.read(sensor.domains[0])
        except OSError as error:
            raise MeterUnavailable(f"{COUNTER}: cannot be read ({error}); plug the meter in") from error
        return sensor

    def read(self, domain):
        try:
            return float(COUNTER.read_text())
        except ValueError as error:
            raise OSError(f"{COUNTER}: {error}") from error

    @property
    def power_limit_watts(self):
        return 2300.0  # 10 A at 230 V

    @classmethod
    def describe(cls, device):
        return {"name": "a plug"}

    @classmethod
    def state(cls, device):
        return {"processes": [1, 2], "throttle_reasons": ["power_cap"]}
