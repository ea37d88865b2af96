"""What identifies a training: all that its weights depend on, but for its budget and its device, in readable parts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json, read_json, write_json
from vocoder_pareto.study.code_version import changed_modules, digest_of_code
from vocoder_pareto.study.sections.training import NOT_IN_DIGEST, TrainingSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.state import digest_of

IDENTITY_FILE = "identity.json"
SETTINGS_FILE = "settings.json"  # all that states of earlier versions of this project tell of themselves
SYSTEM_DEFAULTS, SETTINGS_DEFAULTS = plain(SystemSettings("", "", "")), plain(TrainingSettings())


@dataclass(frozen=True)
class TrainingIdentity:
    """The parts of the digest that names the folder of a training's state.

    Attributes:
        system: The system but for its sampling, as plain values.
        settings: The settings of training that matter to the weights, as plain values.
        seed: The seed; None where it was not recorded.
        code: Hashes of the code of the vocoder, its objective, the step and the order of the data, by module; None
            where they were not recorded.
        data: A digest of the files of the dataset; None where it was not recorded.
    """

    system: dict[str, Any]
    settings: dict[str, Any]
    seed: int | None
    code: dict[str, str] | None
    data: str | None

    @classmethod
    def of(cls, system: SystemSettings, settings: TrainingSettings, seed: int, code: dict[str, str], data: str) -> Self:
        """The identity of the training of `system` with `settings`."""
        return cls(_identifying_of_system(plain(system)), _identifying(plain(settings)), seed, code, data)

    @classmethod
    def recorded(cls, folder: Path) -> Self | None:
        """The identity of the training whose state lies in `folder`; None where it does not tell.

        An earlier version of this project recorded no seed, code and data: they are None.
        """
        try:
            parts = read_json(folder / IDENTITY_FILE)
            return cls(parts["system"], parts["settings"], parts["seed"], parts["code"], parts["data"])
        except (UserError, KeyError, TypeError):
            pass
        try:
            parts = read_json(folder / SETTINGS_FILE)
            return cls(_identifying_of_system(parts["system"]), _identifying(parts["run"]), None, None, None)
        except (UserError, KeyError, TypeError, AttributeError):
            return None

    @property
    def digest(self) -> str:
        """16 hex digits for all parts together, which name the folder of the state."""
        return digest_of(
            canonical_json(self.system),
            canonical_json(self.settings),
            str(self.seed),
            digest_of_code(self.code or {}),
            str(self.data),
        )

    @property
    def is_complete(self) -> bool:
        """Whether seed, code and data were recorded."""
        return None not in (self.seed, self.code, self.data)

    def changed_code(self, other: "TrainingIdentity") -> list[str]:
        """The modules whose code differs from that of `other`, and the keys that only one of them has, sorted."""
        keys = sorted((self.system.keys() ^ other.system.keys()) | (self.settings.keys() ^ other.settings.keys()))
        modules = changed_modules(self.code or {}, other.code or {})
        return [*modules, *(f"the key {key}" for key in keys)]

    def differs_in_code_alone(self, other: "TrainingIdentity") -> bool:
        """Whether `other` is the same training, made by other code; what was not recorded is taken as the same.

        A key that only one of them has came or went with an upgrade of this project: it is no difference as long as it
        is at its default, or is gone.
        """
        recorded = [(self.seed, other.seed), (self.data, other.data)]
        return (
            all(None in pair or pair[0] == pair[1] for pair in recorded)
            and _same_but_for_upgrades(self.system, other.system, SYSTEM_DEFAULTS)
            and _same_but_for_upgrades(self.settings, other.settings, SETTINGS_DEFAULTS)
        )

    def write(
        self, folder: Path, adopted_from: list[dict[str, Any]], branched_from: list[dict[str, Any]] | None = None
    ) -> None:
        """Write the parts into `folder`, and from which other states this one was taken or is a branch."""
        history = {"adopted_from": adopted_from, "branched_from": branched_from or []}
        write_json(folder / IDENTITY_FILE, {**asdict(self), **history})


def adopted_from(folder: Path) -> list[dict[str, Any]]:
    """From which states of other code the one in `folder` was taken, the first one first."""
    return _told(folder, "adopted_from")


def branched_from(folder: Path) -> list[dict[str, Any]]:
    """From which states of other settings the one in `folder` is a branch, the first one first."""
    return _told(folder, "branched_from")


def _told(folder: Path, part: str) -> list[dict[str, Any]]:
    try:
        return list(read_json(folder / IDENTITY_FILE)[part])
    except (UserError, KeyError, TypeError):
        return []


def _identifying_of_system(system: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in system.items() if key != "sampling"}


def _identifying(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in NOT_IN_DIGEST}


def _same_but_for_upgrades(now: Mapping[str, Any], before: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    return all(
        canonical_json(value) == canonical_json(before[key] if key in before else defaults.get(key))
        for key, value in now.items()
    )
