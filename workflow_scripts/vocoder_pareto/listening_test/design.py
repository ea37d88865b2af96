"""Who rates what, in which order: a Latin square over systems and utterances, with checks and repeats in between."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from vocoder_pareto.listening_test.key import Stimulus
from vocoder_pareto.listening_test.paired_key import PairedStimulus

SystemUtterance = tuple[str, str]  # system, utterance
OfUtterance = TypeVar("OfUtterance", Stimulus, PairedStimulus)


def latin_square(
    systems: Sequence[str], utterances: Sequence[str], lists: int, generator: np.random.Generator
) -> list[list[SystemUtterance]]:
    """Deal all pairs of system and utterance to `lists`, each pair to one of them.

    List l gets the pairs with (row + column) mod lists = l, after rows and columns were shuffled: each system comes
    equally often in every list, and so does each utterance, give or take one.
    """
    rows, columns = generator.permutation(list(systems)), generator.permutation(list(utterances))
    return [
        [
            (str(system), str(utterance))
            for row, system in enumerate(rows)
            for column, utterance in enumerate(columns)
            if (row + column) % lists == number
        ]
        for number in range(lists)
    ]


def shuffled_apart(stimuli: Sequence[OfUtterance], generator: np.random.Generator) -> list[OfUtterance]:
    """The stimuli in random order, with no utterance twice in a row wherever that is possible."""
    remaining = [stimuli[index] for index in generator.permutation(len(stimuli))]
    ordered: list[OfUtterance] = []
    while remaining:
        previous = ordered[-1].utterance if ordered else None
        most, count = Counter(stimulus.utterance for stimulus in remaining).most_common(1)[0]
        # An utterance that makes up more than half of what is left must come now, or two of it will meet later.
        urgent = 2 * count > len(remaining)
        allowed = [
            index
            for index, stimulus in enumerate(remaining)
            if (stimulus.utterance == most if urgent else stimulus.utterance != previous)
        ]
        ordered.append(remaining.pop(allowed[0] if allowed else 0))
    return ordered


def session_order(
    ratings: Sequence[Stimulus],
    gold: Sequence[Stimulus],
    traps: Sequence[Stimulus],
    repeats: int,
    generator: np.random.Generator,
) -> list[Stimulus]:
    """The trials of one session in order.

    Ratings and gold are shuffled. Repeats are drawn from the first third and come again in the last third. Traps are
    spread over equal parts of the session, at a random place within each.
    """
    ordered = shuffled_apart([*ratings, *gold], generator)
    third = len(ordered) // 3
    early = [stimulus for stimulus in ordered[: max(third, 1)] if stimulus.kind == "rating"]
    for index in generator.permutation(len(early))[:repeats]:
        ordered.insert(int(generator.integers(len(ordered) - third, len(ordered) + 1)), early[index])
    parts = np.array_split(np.arange(len(ordered)), max(len(traps), 1))
    for part, trap in reversed(list(zip(parts, traps, strict=False))):
        ordered.insert(int(generator.choice(part)) + 1 if len(part) else len(ordered), trap)
    return ordered
