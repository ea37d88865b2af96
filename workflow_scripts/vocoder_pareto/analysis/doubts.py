"""Which energies to doubt, and why, in the words that stand beside them in tables, figures and on the report page."""

from collections.abc import Collection, Iterable, Mapping, Sequence

MARK = "†"
# Flags of a measurement that speak against its number; the others say how it was made (docs/measurement.md).
WORDS = {
    "wide_interval": "wide interval",
    "busy_machine": "busy machine",
    "threads_spin": "threads spinning",
    "other_processes": "other processes on the GPU",
    "throttled": "throttled",
    "drift": "drifting",
    "unstable_warm_up": "not settled",
    "invalid_window": "invalid windows",
    "implausible_power": "implausible power",
    "implausible_flops_per_joule": "implausible FLOPs per joule",
}


def doubts_of(flags: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What speaks against the energy of each system, in words; systems that nothing speaks against are left out.

    Args:
        flags: are those of each system, see `systems_flags.json`.
    """
    found = {system: in_words(own) for system, own in flags.items()}
    return {system: words for system, words in found.items() if words}


def in_words(flags: Collection[str]) -> list[str]:
    """What speaks against the energy of a measurement with these `flags`, in words."""
    return [words for flag, words in WORDS.items() if flag in flags]


def doubts_of_rows(systems: Iterable[str], flags: Iterable[str]) -> dict[str, list[str]]:
    """As `doubts_of`, where a system has several rows: all that speaks against one of them.

    Args:
        systems: is the system of each row.
        flags: are those of each row, with spaces between, as in the tables of sweeps.
    """
    together: dict[str, list[str]] = {}
    for system, own in zip(systems, flags, strict=True):
        together.setdefault(system, []).extend(own.split())
    return doubts_of(together)


def explanation(doubts: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> str:
    """What the mark means: "† busy machine: HiFi-GAN L; wide interval: HiFi-GAN L, WaveFlow S."; "" without doubts.

    Args:
        doubts: of each system, see `doubts_of`.
        names: are what readers call the systems that are shown; others are left out.
    """
    systems_of: dict[str, list[str]] = {}
    for system, words in doubts.items():
        for word in words if system in names else ():
            systems_of.setdefault(word, []).append(names[system])
    texts = [
        f"{word}: {'all' if len(systems) == len(names) > 1 else ', '.join(systems)}"
        for word, systems in systems_of.items()
    ]
    return f"{MARK} {'; '.join(texts)}." if texts else ""
