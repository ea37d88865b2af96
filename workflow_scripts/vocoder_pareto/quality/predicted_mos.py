"""The predicted MOS of a system: the mean over its passages, and its interval by a bootstrap over them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr
from tqdm import tqdm

from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.intervals import student_quantile_95
from vocoder_pareto.quality.passages import Passage, read_passages
from vocoder_pareto.quality.predictors import SAMPLE_RATE, Predict, PredictorMissing, distillmos

RESAMPLES = 10_000
FEWEST_PASSAGES = 7  # with fewer, resamples are too much alike: intervals of five cover 0.92 instead of 0.95


def predict_mos(
    manifest: str | Path,
    trial: str | Path,
    seed: int,
    output: str | Path,
    load: Callable[[], Predict] = distillmos,
) -> None:
    """Predict the MOS of a system, if the predictor has stood its trial on this corpus, and write it as JSON.

    Written are `system`, `predictor`, `predicted_mos`, `predicted_mos_ci95` (half-width, see `half_width`),
    `predicted_mos_degrees_of_freedom`, `passages` (of each, its `clips` and its `predicted_mos`), and `withheld`: why
    there is no value, null where there is one.

    Args:
        manifest: `generated/{system}/manifest.csv`.
        trial: what `try_predictor` wrote.
        seed: of the bootstrap, at least 0.
        output: the JSON file.
        load: loads the predictor, see `loader_of`.

    Raises:
        UserError: an input is missing or damaged, or the output cannot be written.
    """
    stood = read_json(trial)
    scores: list[tuple[Passage, float]] = []
    withheld = stood["refused"]
    if withheld is None:
        passages = read_passages(manifest, SAMPLE_RATE)
        withheld = _fault_of(passages)
        if withheld is None:
            try:
                predict = load()
                scores = [(each, predict(each.samples)) for each in tqdm(passages, "Predicting MOS", unit="passage")]
            except PredictorMissing as error:
                withheld = str(error)
    values = [score for _, score in scores]
    interval = half_width(values, seed)
    write_json(
        output,
        {
            "system": Path(manifest).parent.name,
            "predictor": stood["predictor"],
            "predicted_mos": float(np.mean(values)) if values else None,
            "predicted_mos_ci95": interval,
            "predicted_mos_degrees_of_freedom": None if interval is None else len(values) - 1,
            "passages": [{"clips": list(each.clip_ids), "predicted_mos": score} for each, score in scores],
            "withheld": withheld,
        },
    )


def half_width(values: Sequence[float], seed: int) -> float | None:
    """Half the width of the 95 % interval of the mean, by a bootstrap over `values`; None for fewer than seven.

    The percentiles are those of the expanded percentile interval (Hesterberg 2015, What teachers should know about the
    bootstrap, section 4.3): so far out that the interval of few values is as wide as Student's where these are normal.
    """
    count = len(values)
    if count < FEWEST_PASSAGES:
        return None
    drawn = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    means = np.asarray(values)[drawn].mean(axis=1)
    tail = ndtr(-np.sqrt(count / (count - 1)) * student_quantile_95(count - 1))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(high - low) / 2


def _fault_of(passages: Sequence[Passage]) -> Any:
    """Why nothing can be predicted of a system that holds these."""
    silent = [passage.clip_ids[0] for passage in passages if passage.is_constant]
    return f"its audio is silent or constant ({', '.join(silent[:3])})" if silent else None
