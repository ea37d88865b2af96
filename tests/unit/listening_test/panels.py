"""Panels of listeners whose truth is known: designs, and ratings that follow the mixed model."""

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.crossed_effects import CrossedDesign

# Standard deviations in points, written out here and not taken from the code.
DEVIATIONS = {
    "listener": 0.4,
    "sentence": 0.2,
    "listener_sentence": 0.2,
    "system_listener": 0.3,
    "system_sentence": 0.3,
    "residual": 0.6,
}


def crossed(systems, people, sentences, lists=1):
    """Every listener rates each system on all sentences, or on a share of them, as a Latin square deals it."""
    system, person, sentence = (axis.ravel() for axis in np.indices((systems, people, sentences)))
    heard = (system + sentence) % lists == person % lists
    return CrossedDesign(pd.RangeIndex(systems), system[heard], person[heard], sentence[heard])


def ratings_of(design, qualities, generator, deviations=DEVIATIONS, whole=False):
    """(N,) ratings: continuous, or whole points from 1 to 5 as a page takes them.

    The deviation of an effect on systems may be an array, one for each system.
    """

    def effect(name, *levels):
        drawn = generator.normal(size=[level.max() + 1 for level in levels])[levels]
        return drawn * (deviations[name][levels[0]] if np.ndim(deviations[name]) else deviations[name])

    system, person, sentence = design.system, design.participant, design.utterance
    ratings = np.asarray(qualities, dtype=float)[system]
    ratings += effect("listener", person) + effect("sentence", sentence) + effect("listener_sentence", person, sentence)
    ratings += effect("system_listener", system, person) + effect("system_sentence", system, sentence)
    ratings += generator.normal(scale=deviations["residual"], size=len(ratings))
    return np.clip(np.round(ratings), 1, 5) if whole else ratings


def true_mos(qualities, deviations=DEVIATIONS, whole=False):
    """The mean of ratings by all listeners on all sentences; of whole points, by the normal distribution."""
    qualities = np.asarray(qualities, dtype=float)
    spread = np.sqrt(sum(deviation**2 for deviation in deviations.values()))
    return (
        1 + sum(stats.norm.sf((bound - qualities) / spread) for bound in (1.5, 2.5, 3.5, 4.5)) if whole else qualities
    )


def table_of(design, ratings):
    """The ratings as a table, as the analysis reads them."""
    columns = {"participant": design.participant, "system": design.system, "utterance": design.utterance}
    names = {name: [f"{name[0]}{code:02}" for code in codes] for name, codes in columns.items()}
    return pd.DataFrame(names | {"rating": ratings})


def mean_squares(cells):
    """Those of the analysis of variance of one system: listeners, sentences and what is left of (P, U) ratings."""
    people, sentences = cells.shape
    of_people, of_sentences = cells.mean(axis=1), cells.mean(axis=0)
    left = cells - of_people[:, None] - of_sentences + cells.mean()
    return (
        sentences * of_people.var(ddof=1),
        people * of_sentences.var(ddof=1),
        np.sum(left**2) / ((people - 1) * (sentences - 1)),
    )


def alike_cells(qualities, people, sentences, generator):
    """(2, P, U) ratings of two systems that spread alike, of which no component of variance is estimated to be zero.

    Where one is, it would be below zero in the analysis of variance, which differs there from a fit.
    """
    design = crossed(2, people, sentences)
    while True:
        cells = ratings_of(design, qualities, generator).reshape(2, people, sentences)
        means = cells.mean(axis=(1, 2), keepdims=True)
        cells = means + (cells - means) / cells.std(axis=(1, 2), keepdims=True)
        found = design.estimate(cells.reshape(-1, 1))
        if (found.variances > 0).all() and (found.own > 0).all():
            return cells
