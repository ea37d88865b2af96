"""A panel of simulated listeners, for tests and demonstrations alone.

What it writes is marked as simulated in every file, so that no analysis can take it for the answers of people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json
from vocoder_pareto.listening_test.answers import ANSWER_FORMAT, ANSWER_VERSION
from vocoder_pareto.listening_test.key import Key, Session, write_key
from vocoder_pareto.listening_test.responses import KEY_NAME
from vocoder_pareto.listening_test.sensitivity import ASSUMED_DEVIATIONS
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE, LOWEST_SCORE

CARELESS_SHARE = 0.1  # of the listeners, who answer at random and miss the checks


@dataclass(frozen=True)
class Panel:
    """Who answers: simulated listeners, whose scores are those of the mixed model, rounded and kept on the scale.

    Attributes:
        listeners: How many there are (>= 1), at most as many as sessions were prepared.
        qualities: The true MOS by system, 1 to 5; a system that is missing gets one at random.
    """

    listeners: int
    qualities: Mapping[str, float]


def simulate_responses(key: Key, panel: Panel, folder: str | Path, seed: int) -> None:
    """Write the answers of a panel and the key into `folder`, in the form of our page, each marked as simulated.

    Args:
        key: The key of the exported test.
        panel: Who answers.
        folder: The folder to write.
        seed: The seed of everything random.

    Raises:
        UserError: There are more listeners than sessions, or the folder cannot be written.
    """
    if not 1 <= panel.listeners <= len(key.sessions):
        raise UserError(
            f"config key listening_test.simulate is {panel.listeners}; allowed is 1 to "
            f"{len(key.sessions)}, the prepared sessions (listening_test.design.participants)"
        )
    generator = np.random.default_rng(seed)
    qualities = {system: panel.qualities.get(system, generator.uniform(1.5, 4.5)) for system in key.systems}
    utterances = sorted({stimulus.utterance for stimulus in key.stimuli})
    of_utterances = _effects("sentence", utterances, generator)
    renditions = [(system, utterance) for system in key.systems for utterance in utterances]
    suited = _effects("system_sentence", renditions, generator)
    true_scores = {pair: qualities[pair[0]] + of_utterances[pair[1]] + suited[pair] for pair in renditions}
    careless = set(generator.permutation(panel.listeners)[: int(CARELESS_SHARE * panel.listeners)])
    folder = Path(folder)
    for index, session in enumerate(key.sessions[: panel.listeners]):
        generator_of_session = np.random.default_rng([seed, session.number])
        answers = _answers(key, session, true_scores, index in careless, generator_of_session)
        write_json(folder / f"simulated_{session.number:04}.json", answers)
    write_key(folder / KEY_NAME, key)


def _effects(name: str, levels: Sequence[Any], generator: np.random.Generator) -> dict[Any, float]:
    return dict(zip(levels, generator.normal(scale=ASSUMED_DEVIATIONS[name], size=len(levels)), strict=True))


def _answers(
    key: Key,
    session: Session,
    true_scores: Mapping[tuple[str, str], float],
    careless: bool,
    generator: np.random.Generator,
) -> dict[str, object]:
    leniency = generator.normal(scale=ASSUMED_DEVIATIONS["listener"])
    of_utterances = _effects("listener_sentence", sorted({utterance for _, utterance in true_scores}), generator)
    of_systems = _effects("system_listener", key.systems, generator)
    ratings = []
    for index, name in enumerate((*session.training, *session.trials)):
        stimulus = key.stimulus_by_name[name]
        if careless:
            score = float(generator.integers(LOWEST_SCORE, HIGHEST_SCORE + 1))
        elif stimulus.expected is not None:
            score = float(stimulus.expected)
        else:
            of_listener = leniency + of_utterances[stimulus.utterance] + of_systems[stimulus.system]
            noise = generator.normal(scale=ASSUMED_DEVIATIONS["residual"])
            score = true_scores[stimulus.system, stimulus.utterance] + of_listener + noise
        ratings.append(
            {
                "stimulus": name,
                "trial_index": index,
                "rating": int(np.clip(round(score), LOWEST_SCORE, HIGHEST_SCORE)),
                "time_ms": round(float(generator.uniform(2000, 6000))),
                "n_plays": int(generator.integers(1, 4)),
                "played_to_end": True,
                "is_training": index < len(session.training),
            }
        )
    return {
        "format": ANSWER_FORMAT,
        "version": ANSWER_VERSION,
        "test_id": key.test_id,
        "simulated": True,
        "submission_id": f"simulated-{key.test_id}-{session.number}",
        "participant": f"simulated-{session.number:04}",
        "session": session.number,
        "list_id": session.list_id,
        "listening_device": "simulated",
        "started_at": None,
        "finished_at": None,
        "reloads": 0,
        "ratings": ratings,
    }
