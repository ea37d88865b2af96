"""How well each objective metric orders systems as listeners do: rank correlations with MOS."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.analysis.untrained import not_judged
from vocoder_pareto.errors import UserError
from vocoder_pareto.quality.metrics import CLIP, D_STFT, METRICS, Metric
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.csv_tables import read_systems
from vocoder_pareto.tables.sources import PUBLISHED

COLUMNS = (
    "metric", "label", "better", "unit", "ranks_systems", "n_systems", "spearman", "spearman_ci95_low",
    "spearman_ci95_high", "spearman_p", "kendall", "kendall_p", "agreement", "mos_source", "not_comparable",
    "not_judged",
)  # fmt: skip
RESAMPLES = 2000
FEWEST_SYSTEMS = 5  # whose audio is real; with fewer, a rank correlation says nothing


def read_scores(
    systems: str | Path, quality: Sequence[str | Path], metrics: Sequence[Metric] = METRICS
) -> pd.DataFrame:
    """A row per rated vocoder: the columns of `systems.csv`, and the mean over clips of every other metric.

    Natural speech and the low anchor are left out: the one is perfect in every metric by definition.

    Args:
        systems: systems.csv.
        quality: CSV files of measure_quality.py, each named by its system; D_STFT is taken from `systems`.
        metrics: columns of these files that count, see `known_metrics`.

    Raises:
        UserError: a file is missing or malformed, or its system is not in `systems`.
    """
    table = read_systems(systems)
    means = {}
    for path in map(Path, quality):
        clips = read_csv(path, [CLIP])
        if path.stem not in set(table["system"]):
            raise UserError(f"{path}: {path.stem} is no system of {systems}; name the file by its system")
        measured = [metric.name for metric in metrics if metric.name in clips.columns and metric is not D_STFT]
        cells = {name: clips.numbers(name, allow_infinite=True) for name in measured}
        means[path.stem] = pd.DataFrame(cells, dtype="float64").mean()
    own = pd.DataFrame(means).T
    joined = table.set_index("system").drop(columns=own.columns.intersection(table.columns)).join(own)
    rated = joined["mos"].notna() & ~joined.index.isin(REFERENCE_SYSTEMS)
    return joined[rated]


def correlate_with_mos(scores: pd.DataFrame, seed: int, metrics: Sequence[Metric] = METRICS) -> pd.DataFrame:
    """A row per metric that `scores` holds, D_STFT in any case: its rank correlations with MOS over systems.

    `agreement` is Spearman's coefficient with the sign turned so that 1 means: orders the systems as listeners do.
    Intervals are percentiles of a bootstrap over systems. Cells are empty for fewer than 5 systems or where a metric is
    constant. `not_comparable` says what speaks against the comparison, and `not_judged` which systems (joined by `;`)
    are no part of it, since their audio is noise.

    Args:
        scores: as `read_scores` returns it.
        seed: of the bootstrap.
        metrics: what to look for in `scores`.
    """
    held = [name for name in scores.columns if name == D_STFT.name or scores[name].notna().any()]
    rows = [_row(metric, scores, seed) for metric in metrics if metric.name in held]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(metric: Metric, scores: pd.DataFrame, seed: int) -> Mapping[str, object]:
    known = scores[[metric.name, "mos", "mos_source"]].dropna()
    values, mos = known[metric.name].to_numpy(float), known["mos"].to_numpy(float)
    row = {
        "metric": metric.name,
        "label": metric.label,
        "better": metric.better,
        "unit": metric.unit,
        "ranks_systems": metric.ranks,
        "n_systems": len(known),
        "mos_source": ", ".join(sorted(set(known["mos_source"]))),
        "not_comparable": why_not_comparable(scores) if len(known) else "",
        "not_judged": ";".join(scores.index[not_judged(scores).to_numpy()]),
    }
    if len(known) < FEWEST_SYSTEMS or np.ptp(stats.rankdata(values)) == 0 or np.ptp(mos) == 0:
        return row
    spearman, kendall = stats.spearmanr(values, mos), stats.kendalltau(values, mos)
    row |= {"spearman": spearman.statistic, "spearman_p": spearman.pvalue}
    row |= {"kendall": kendall.statistic, "kendall_p": kendall.pvalue}
    row["agreement"] = spearman.statistic if metric.better == "higher" else -spearman.statistic
    row["spearman_ci95_low"], row["spearman_ci95_high"] = _interval(values, mos, seed)
    return row


def why_not_comparable(scores: pd.DataFrame) -> str:
    """Why metrics and MOS are of different audio, in words; "" where they are of the same.

    Printed MOS are of what the paper's authors trained, metrics of what was trained here.
    """
    steps = sorted(set(scores.loc[~not_judged(scores), "training_steps"].dropna()))
    if PUBLISHED.word not in set(scores["mos_source"]) or not steps:
        return ""
    trained = f"{steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    return f"the metrics are of checkpoints trained here for {trained} steps, not of those that were heard"


def _interval(values: np.ndarray, mos: np.ndarray, seed: int) -> tuple[float, float]:
    drawn = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    ranks = stats.rankdata(values[drawn], axis=1), stats.rankdata(mos[drawn], axis=1)
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    norms = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    defined = norms > 0  # a resample of one system alone has no order
    coefficients = (centred[0] * centred[1]).sum(axis=1)[defined] / norms[defined]
    return tuple(np.percentile(coefficients, [2.5, 97.5]))
