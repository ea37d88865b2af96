"""Systems that nobody trained: they have a cost, and their audio, which is noise, is never judged."""

import pandas as pd

from vocoder_pareto.tables.columns import REFERENCE_FAMILY

NOT_JUDGED = "Not trained, so its audio is not judged."


def not_judged(systems: pd.DataFrame) -> pd.Series:
    """Which rows of `systems.csv` are of systems with 0 steps of training and without a quality; False is the rest.

    A column that the table does not have tells nothing against a row: a user's own table knows of no steps.
    """
    nothing = pd.Series(pd.NA, index=systems.index, dtype="Float64")
    steps, distances = (systems.get(name, nothing) for name in ("training_steps", "d_stft"))
    return steps.eq(0).fillna(False).astype(bool) & distances.isna()


def sentence(systems: pd.DataFrame, names: pd.Series) -> str:
    """Which of `systems` are not judged, for readers: "Not trained, so not judged: all systems."; "" if all are.

    Args:
        systems: rows of `systems.csv`.
        names: what readers call each of them, in the same order and with the same index.
    """
    unjudged = not_judged(systems)
    if not unjudged.any():
        return ""
    competing = systems.get("family", pd.Series("", index=systems.index)) != REFERENCE_FAMILY
    which = "all systems" if unjudged[competing].all() else ", ".join(names[unjudged])
    return f"Not trained, so not judged: {which}."
