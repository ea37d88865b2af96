"""RAPL: the energy counters of CPU packages and their memory, in the powercap tree of Linux."""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import torch
from pyJoules.device.rapl_device import RaplDevice, RaplDomain

from vocoder_pareto.measurement.mirrored_dies import Comparison, compare
from vocoder_pareto.measurement.pyjoules_units import joules_per_count, pyjoules_version, unit_name
from vocoder_pareto.measurement.sensor import BackendPassedOver, Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings

POWERCAP = Path("/sys/class/powercap/intel-rapl")
MEND = "sudo chmod -R a+r /sys/class/powercap/intel-rapl"

# Joules over seconds that a package, or the memory of one, does not reach: half as much again as the highest of the
# limits in the tree (short bursts are above the TDP, and boards raise limits), but never more than twice what the
# largest processors are built for (500 W in 2025). It tells a wrap from a counter that was set back, and bounds how
# soon a counter may wrap.
_ABOVE_THE_LIMITS = 1.5
_WATTS_AT_MOST = 1000.0

log = logging.getLogger(__name__)


class _PowercapDomain(RaplDomain):
    """A domain of pyJoules that knows its folder."""

    def __init__(self, kind: str, socket: int, folder: Path):
        self._kind = kind
        self.folder = folder
        super().__init__(socket)

    def get_domain_name(self) -> str:
        return self._kind


class _PowercapDevice(RaplDevice):
    """The RAPL device of pyJoules over any tree, with the packages that its own search leaves out.

    pyJoules only finds a socket whose name is `package-` and its number in the tree, which is not so on CPUs of several
    dies, nor where another zone comes first.
    """

    def __init__(self, root: Path):
        self._root = root
        super().__init__()

    def available_domains(self) -> list[_PowercapDomain]:
        """All packages and their memory; core, uncore and psys would count the same energy twice."""
        domains = []
        for package in _zones(self._root):
            if _name(package).startswith("package"):
                socket = int(package.name.rpartition(":")[2])
                domains.append(_PowercapDomain("package", socket, package))
                memory = [zone for zone in _zones(package) if _name(zone) == "dram"]
                domains += [_PowercapDomain("dram", socket, zone) for zone in memory]
        return domains

    def _get_domain_file_name(self, domain: _PowercapDomain) -> str:
        return str(domain.folder / "energy_uj")

    def _read_energy_value(self, api_file) -> float:
        with api_file:  # pyJoules leaves it open
            return super()._read_energy_value(api_file)


class RaplSensor(Sensor):
    """Packages and their memory below `root`.

    Raises:
        MeterUnavailable: a counter cannot be read; Linux lets only root do so unless told otherwise.
    """

    source = "rapl"
    boundary = "all CPU packages and, where it has counters, their memory"
    reader: ClassVar[str | None] = "pyJoules"

    def __init__(self, root: Path):
        nameless = [zone for zone in _zones(root) if zone.exists() and not _name(zone)]
        if nameless:
            raise MeterUnavailable(
                f"{nameless[0]}/name: cannot be read, so that nobody knows whether this counter is of a package; run "
                f"`{MEND}`, or set meter.unreadable_rapl: estimate"
            )
        joules = joules_per_count("rapl", pyjoules_version())
        self._devices: dict[str, _PowercapDevice] = {}
        domains = []
        for zone in _PowercapDevice(root).available_domains():
            device = _PowercapDevice(root)
            device.configure([zone])
            domain = _domain(zone, joules)
            self._devices[domain.name] = device
            domains.append(domain)
        for domain in domains:
            self._check_readable(domain)
        comparisons = [each for dies in _dies_of_sockets(domains) for each in self._compared(dies)]
        self.findings = {"dies": [asdict(each) for each in comparisons]} if comparisons else {}
        mirrors = {each.other for each in comparisons if each.mirrored}
        self.domains = tuple(domain for domain in domains if domain.where not in mirrors)
        self.boundary = _boundary([domain.name.rpartition("_")[0] for domain in self.domains])
        self._limits = [_power_limit_watts(root / f"intel-rapl:{socket}") for socket in _sockets(self.domains)]

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether the device is a CPU, and the powercap tree of this machine has a package, readable or not."""
        return device.type == "cpu" and rapl_exists(POWERCAP)

    @classmethod
    def open(cls, device: torch.device, settings: MeterSettings) -> Self:
        """The counters of this machine; passed over if they may not be read and `settings` allow the estimate."""
        try:
            return cls(POWERCAP)
        except MeterUnavailable as error:
            if settings.unreadable_rapl == "error":
                raise
            raise BackendPassedOver(str(error), "rapl_unreadable", "RAPL exists but may not be read") from error

    def read(self, domain: Domain) -> float:
        """The microjoules since the counter last wrapped."""
        try:
            return self._devices[domain.name].get_energy()[0]
        except ValueError as error:
            raise OSError(f"{domain.where}: {error}") from error

    @property
    def power_limit_watts(self) -> float | None:
        """The sum over packages of their highest limit (that of short bursts); memory has none of its own."""
        known = [limit for limit in self._limits if limit is not None]
        return sum(known) if known and len(known) == len(self._limits) else None

    def _compared(self, dies: Sequence[Domain]) -> list[Comparison]:
        counters = [(domain.where, partial(self.read, domain)) for domain in dies]
        try:
            return compare(counters, dies[0].wraps_at, time.sleep)
        except OSError as error:
            raise MeterUnavailable(f"{error}; it could be read before: check the driver intel_rapl") from error

    def _check_readable(self, domain: Domain) -> None:
        try:
            self.read(domain)
        except PermissionError as error:
            raise MeterUnavailable(
                f"{domain.where}: only root may read it; run `{MEND}` (until the next start of the machine), "
                "or set meter.unreadable_rapl: estimate"
            ) from error
        except OSError as error:
            raise MeterUnavailable(f"{domain.where}: cannot be read ({error}); check the driver intel_rapl") from error


def rapl_exists(root: Path) -> bool:
    """Whether the tree at `root` has a package, readable or not."""
    return root.is_dir() and bool(_PowercapDevice(root).available_domains())


def _domain(zone: _PowercapDomain, joules: float) -> Domain:
    wraps_at = _number(zone.folder / "max_energy_range_uj")
    watts = _highest_watts(zone.folder)
    return Domain(
        name=repr(zone),
        unit=unit_name(joules),
        joules_per_unit=joules,
        where=str(zone.folder / "energy_uj"),
        wraps_at=wraps_at,
        longest_gap_seconds=wraps_at * joules / watts if wraps_at else None,
        highest_watts=watts,
    )


def _boundary(kinds: Sequence[str]) -> str:
    if "dram" not in kinds:
        return "all CPU packages; their memory has no counter"
    if kinds.count("dram") < kinds.count("package"):
        return "all CPU packages; the memory of some has no counter"
    return "all CPU packages and their memory"


def _dies_of_sockets(domains: Sequence[Domain]) -> list[list[Domain]]:
    """The counters of one kind, packages or memory, that belong to dies of one socket, where those are several."""
    groups: dict[tuple[str, str], list[Domain]] = {}
    for domain in domains:
        kind = domain.name.rpartition("_")[0]
        folder = Path(domain.where).parent
        die = re.fullmatch(r"(package-\d+)-die-\d+", _name(folder if kind == "package" else folder.parent))
        if die:
            groups.setdefault((kind, die[1]), []).append(domain)
    return [dies for dies in groups.values() if len(dies) > 1]


def _zones(folder: Path) -> list[Path]:
    numbered = [path for path in folder.glob("intel-rapl:*") if re.fullmatch(r"[\d:]+", path.name.partition(":")[2])]
    return sorted(numbered, key=lambda path: [int(part) for part in path.name.split(":")[1:]])


def _sockets(domains: Sequence[Domain]) -> list[int]:
    return [int(domain.name.rpartition("_")[2]) for domain in domains if domain.name.startswith("package")]


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:
        return ""


def _power_limit_watts(zone: Path) -> float | None:
    return max(_watts_in(zone, "constraint_*_power_limit_uw"), default=None)


def _highest_watts(zone: Path) -> float:
    """More than a zone can draw over a second."""
    known = [*_watts_in(zone, "constraint_*_power_limit_uw"), *_watts_in(zone, "constraint_*_max_power_uw")]
    return min(_ABOVE_THE_LIMITS * max(known, default=_WATTS_AT_MOST), _WATTS_AT_MOST)


def _watts_in(zone: Path, pattern: str) -> list[float]:
    """What the files of a zone tell; 0 stands for not known."""
    return [microwatts * 1.0e-6 for file in zone.glob(pattern) if (microwatts := _number(file))]


def _number(file: Path) -> float | None:
    try:
        return float(file.read_text())
    except (OSError, ValueError) as error:
        log.debug("%s: %s", file, error)
        return None
