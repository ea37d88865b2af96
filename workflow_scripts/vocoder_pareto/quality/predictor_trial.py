"""Whether a predictor of MOS may speak of a corpus: it must know good recordings, and put what is worse below them.

A predictor was trained on other speech than that of a study, and may be worthless there: DistillMOS gives the voice of
eSpeak 2.3, and 2.5 with noise at 20 dB. So each study first lets it hear its own recordings, and ladders made of them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from vocoder_pareto.files import write_json
from vocoder_pareto.quality.ladders import LADDERS, Ladder
from vocoder_pareto.quality.loading import WORDS
from vocoder_pareto.quality.passages import LEAST_SECONDS, Passage, read_passages
from vocoder_pareto.quality.predictors import SAMPLE_RATE, Predict, PredictorMissing, distillmos
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings

RECORDINGS = "recordings"


def try_predictor(
    manifest: str | Path,
    settings: PredictedMosSettings,
    seed: int,
    output: str | Path,
    load: Callable[[], Predict] = distillmos,
    ladders: Sequence[Ladder] = LADDERS,
) -> None:
    """Let a predictor hear the recordings and ladders made of them, and write whether it may be used, as JSON.

    Written are `predictor`; `passages`, how many it heard of each step; `recordings`, their mean, and `bound`, which
    that must exceed; `ladders`, the mean of each step, none where the recordings do not; `refused`, why it may not be
    used, null where it may.

    Args:
        manifest: manifest.csv of the ground truth.
        settings: the section predicted_mos.
        seed: of the noise and of the phases that Griffin-Lim starts from, at least 0.
        output: the JSON file.
        load: loads the predictor, see `loader_of`.
        ladders: what it must put in order.

    Raises:
        UserError: the manifest or its audio is missing or damaged, or the output cannot be written.
    """
    passages = read_passages(manifest, SAMPLE_RATE, settings.trial_passages)
    bound = settings.recordings_above
    found: dict[str, Any] = {RECORDINGS: None, "ladders": []}
    try:
        if passages:
            found = _heard(load(), passages, ladders, seed, bound)
        found["refused"] = refusal(found[RECORDINGS], found["ladders"], bound)
    except PredictorMissing as error:
        found["refused"] = str(error)
    word = WORDS[settings.predictor or "distillmos"]
    write_json(output, {"predictor": word, "passages": len(passages), "bound": bound, **found})


def refusal(recordings: float | None, ladders: Sequence[dict[str, Any]], bound: float) -> str | None:
    """Why a predictor may not be used; None where it may.

    Args:
        recordings: the mean of the recordings; None where there are too few.
        ladders: of each, its `name` and its `steps`, each with `name` and `predicted_mos`, from mild to worst.
        bound: what the recordings must exceed.
    """
    if recordings is None:
        return f"the test set has less than {LEAST_SECONDS:g} s of speech"
    faults = [] if recordings > bound else [f"the recordings score {recordings:.2f}, not above {bound:g}"]
    for ladder in ladders:
        named = [(RECORDINGS, recordings), *((step["name"], step["predicted_mos"]) for step in ladder["steps"])]
        scores = [score for _, score in named]
        if any(worse >= better for better, worse in pairwise(scores)):
            told = ", ".join(f"{name} {score:.2f}" for name, score in named)
            faults.append(f"{ladder['name']} does not come out in order ({told})")
    return "; ".join(faults) or None


def _heard(
    predict: Predict, passages: Sequence[Passage], ladders: Sequence[Ladder], seed: int, bound: float
) -> dict[str, Any]:
    steps = 1 + sum(len(ladder.steps) for ladder in ladders)
    with tqdm(total=steps * len(passages), desc="Trying the predictor", unit="passage") as bar:

        def mean_of(sounds: Sequence[np.ndarray]) -> float:
            scores = []
            for sound in sounds:
                scores.append(predict(sound))
                bar.update()
            return float(np.mean(scores))

        recordings = mean_of([passage.samples for passage in passages])
        tried = ladders if recordings > bound else ()  # they could not save it, and take the longest
        found = [{"name": each.name, "steps": _steps(each, passages, seed, mean_of)} for each in tried]
    return {RECORDINGS: recordings, "ladders": found}


def _steps(
    ladder: Ladder, passages: Sequence[Passage], seed: int, mean_of: Callable[[Sequence[np.ndarray]], float]
) -> list[dict[str, Any]]:
    found = []
    for name, degrade in ladder.steps:
        generator = np.random.default_rng(seed)
        sounds = [degrade(passage.samples, SAMPLE_RATE, generator) for passage in passages]
        found.append({"name": name, "predicted_mos": mean_of(sounds)})
    return found
