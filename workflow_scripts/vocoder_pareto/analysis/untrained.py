"""Systems that were not trained, or hardly: they have a cost, and their audio, which is noise, is never judged."""

import pandas as pd

from vocoder_pareto.tables.columns import REFERENCE_FAMILY


def not_judged(systems: pd.DataFrame) -> pd.Series:
    """Which rows of `systems.csv` are of systems whose training is known and whose quality is not; False is the rest.

    A column that the table does not have tells nothing against a row: a user's own table knows of no steps, and where
    it knows of no distances, only those of 0 steps are meant.
    """
    nothing = pd.Series(pd.NA, index=systems.index, dtype="Float64")
    steps = systems.get("training_steps", nothing)
    meant = steps.notna() if "d_stft" in systems else steps.eq(0).fillna(False).astype(bool)
    return meant & systems.get("d_stft", nothing).isna()


def why_not_judged(training_steps: float) -> str:
    """Why the audio of a system is not judged, in a sentence."""
    how = "Trained too briefly" if training_steps else "Not trained"
    return f"{how}, so its audio is not judged."


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
    briefly = unjudged & (systems["training_steps"] > 0).fillna(False).astype(bool)
    texts = []
    for how, those in (("Not trained", unjudged & ~briefly), ("Trained too briefly", briefly)):
        if those.any():
            who = "all systems" if those[competing].all() else ", ".join(names[those])
            texts.append(f"{how}, so not judged: {who}.")
    return " ".join(texts)
