"""Every leaf of stored records, changed one at a time: what the check of a set notices, and what it cannot see.

The stored sets are the outside: real devices measured them, and none of our code wrote the changes.
"""

import copy
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.set_check import faults_of_pair, faults_of_record
from vocoder_pareto.measurement.set_schema import FOLDER

SETS = Path(__file__).resolve().parents[3] / FOLDER
RECORDS = ("amd-epyc", "nvidia-h100-80gb-hbm3")
SYSTEM, NEIGHBOUR = "hifigan-L", "melgan-S"
GONE = object()

ANOTHER, MORE, NULL = "another text", "half as much again", "null"
DESCRIBED = "nothing else in the record depends on it; its form and range are held"
VERSION = "a version, of which no number in the record depends on the spelling"
STATE = "the device may be in any state; what disturbs a window is worked out from it, and its range is held"
# What of a record nobody can tell from what stands beside it: the changes that pass, and why. docs/measured_sets.md
# tells the same in words.
UNSEEN: dict[str, tuple[set[str], str]] = {
    "hardware.cpu.max_mhz": ({MORE, NULL, "number"}, "of the host of a GPU; the peak of a measured CPU follows"),
    "meter.domains.nvidia_gpu_0.highest_watts": ({MORE, NULL}, "a bound that no window here comes near"),
    "note": ({ANOTHER, "text"}, "words for readers"),
    "peak_memory_bytes": ({MORE, NULL}, DESCRIBED),
    "protocol.warmup_passes_done": ({MORE}, "no window holds a pass of the warm-up"),
    "protocol.warmup_stable": ({NULL}, "no window holds a pass of the warm-up"),
    "reused": ({"the other"}, "weights of the same digest may have been measured before"),
    "software.cudnn": ({MORE, NULL}, VERSION),
    "software.git.commit": ({ANOTHER, NULL}, "an installed package knows no commit, and any digest is the form of one"),
    "software.git.modified": ({"the other", NULL}, DESCRIBED),
    **{
        f"software.packages.{name}": ({ANOTHER, NULL}, VERSION)
        for name in ("numpy", "nvidia-ml-py", "psutil", "thop", "zeus")
    },
    "software.python": ({ANOTHER}, VERSION),
    "windows.*.attempt": ({MORE}, "whether a further window was a first or a second retry"),
    **{
        f"windows.*.state_{end}.{name}": (found, STATE)
        for end in ("before", "after")
        for name, found in (
            ("cpu_celsius", {"number"}),
            ("cpu_mhz", {MORE, NULL, "number"}),
            ("memory_clock_mhz", {NULL, "number"}),
            ("power_watts", {MORE, NULL, "number"}),
            ("processes.*", {MORE, "removed"}),
            ("sm_clock_mhz", {NULL, "number"}),
            ("temperature_celsius", {MORE, NULL, "number"}),
        )
    },
    "windows.*.state_before.own_cpu_seconds": ({"number"}, "before the first window a process may have done little"),
    "windows.*.state_after.own_cpu_seconds": ({MORE}, "after the last window, as far as all cores could have worked"),
}  # fmt: skip


def leaves(part: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Every value of a record that holds no others, with its place; empty lists and sections too."""
    below = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    if not below:
        yield path, part
    for key, value in below:
        yield from leaves(value, (*path, key))


def changes(value: Any) -> dict[str, Any]:
    """What is put in the place of a value, by the name of the change."""
    others = {"removed": GONE, "null": None, "text": "zzz", "number": 1.5, "not a number": math.nan}
    if isinstance(value, bool):
        others["the other"] = not value
    elif isinstance(value, int | float):
        others |= {"half as much again": math.ceil(value * 1.5) if isinstance(value, int) else value * 1.5}
        others["negative"] = -value or -1
    elif isinstance(value, str):
        others["another text"] = value[::-1] if value[::-1] != value else f"{value}{value}"
    elif value is None:
        others.pop("null")
        others["a section"] = {"zzz": 1}
    return {name: other for name, other in others.items() if other != value or type(other) is not type(value)}


def changed(record: dict, path: tuple, value: Any) -> dict:
    """The record with one value changed."""
    record = copy.deepcopy(record)
    part = record
    for key in path[:-1]:
        part = part[key]
    if value is GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return record


def silent(device: str, every: int = 1) -> tuple[int, set[tuple[str, str]]]:
    """How many changes were made, and those that nobody noticed, as place (`*` for a number in it) and change."""
    run = SETS / device / "run1"
    record, neighbour = (read_json(run / f"{system}.json") for system in (SYSTEM, NEIGHBOUR))
    made, found = 0, set()
    for path, value in leaves(record):
        for name, other in changes(value).items():
            made += 1
            if made % every:
                continue
            edited = changed(record, path, other)
            if not faults_of_record(edited, SYSTEM) and not faults_of_pair(edited, neighbour, NEIGHBOUR):
                found.add((re.sub(r"\b\d+\b", "*", ".".join(map(str, path))), name))
    return made, found


@pytest.mark.parametrize("device", RECORDS)
def test_the_records_that_are_changed_are_sound(device):
    record, neighbour = (read_json(SETS / device / "run1" / f"{system}.json") for system in (SYSTEM, NEIGHBOUR))
    assert faults_of_record(record, SYSTEM) == []
    assert faults_of_pair(record, neighbour, NEIGHBOUR) == []


def test_every_change_of_a_record_is_noticed_but_those_that_nothing_tells():
    """Both ways: what passes is listed with its reason, and what is listed passes."""
    found: dict[str, set[str]] = {}
    made = 0
    for device in RECORDS:
        changes_made, passed = silent(device)
        made += changes_made
        for place, change in passed:
            found.setdefault(place, set()).add(change)
    assert made > 4000
    assert found == {place: changes for place, (changes, _) in UNSEEN.items()}


def test_what_cannot_be_seen_is_told_to_readers():
    text = (SETS.parents[1] / "docs" / "measured_sets.md").read_text()
    told = text.partition("## What a validator cannot see")[2].partition("\n## ")[0]
    for place in UNSEEN:
        *_, name = place.replace(".*", "").split(".")
        assert f"`{name}`" in told, place
