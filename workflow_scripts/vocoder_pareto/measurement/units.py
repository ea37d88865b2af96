"""The one place that knows in which unit a sensor counts energy."""

from importlib import metadata

from vocoder_pareto.errors import UserError

# Joules per count of what `get_energy` of a pyJoules device returns. The documentation of pyJoules says microjoules for
# all devices; its NVIDIA device returns the millijoules of NVML as they are (read in the source of 0.5.1). Source
# that is newer than this release multiplies them by 1,000, hence the version.
_JOULES_PER_COUNT = {"0.5.1": {"nvml": 1.0e-3, "rapl": 1.0e-6}}
_NAMES = {1.0e-3: "mJ", 1.0e-6: "µJ"}


def joules_per_count(source: str, version: str) -> float:
    """Joules per count of the pyJoules device for `source` (`nvml` or `rapl`) in release `version` of pyJoules.

    Raises:
        UserError: nobody has checked the units of that release.
    """
    if version not in _JOULES_PER_COUNT:
        known = ", ".join(_JOULES_PER_COUNT)
        raise UserError(
            f"pyJoules {version}: its units have not been checked; install one that has (pip install pyJoules=={known})"
        )
    return _JOULES_PER_COUNT[version][source]


def unit_name(joules: float) -> str:
    """The name of a unit of so many joules: `mJ`, `µJ`."""
    return _NAMES[joules]


def pyjoules_version() -> str:
    """The installed release of pyJoules."""
    return metadata.version("pyJoules")
