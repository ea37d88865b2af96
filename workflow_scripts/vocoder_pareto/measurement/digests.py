"""Short names for settings and files, to tell later what was measured."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.study.systems import SystemSettings


def system_digest(system: SystemSettings) -> str:
    """The digest of what energy depends on: architecture and sampling."""
    return digest({"architecture": dict(system.architecture), "sampling": dict(system.sampling)})


def digest(settings: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the SHA-256 of the canonical JSON of `settings`."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: str | Path) -> str:
    """The SHA-256 of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
