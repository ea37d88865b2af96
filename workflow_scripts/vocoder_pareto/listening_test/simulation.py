"""A panel of simulated listeners, for tests and demonstrations alone.

What it writes is marked as simulated in every file, so that no analysis can take it for the answers of people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json
from vocoder_pareto.listening_test.answers import ANSWER_FORMAT, ANSWER_VERSION
from vocoder_pareto.listening_test.key import Key, Session, write_key
from vocoder_pareto.listening_test.responses import KEY_NAME
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE, LOWEST_SCORE

CARELESS_SHARE = 0.1  # of the listeners, who answer at random and miss the checks
LISTENER_SPREAD = 0.4  # standard deviation of how lenient listeners are
UTTERANCE_SPREAD = 0.2  # of how well utterances come out
NOISE = 0.6  # of single ratings


@dataclass(frozen=True)
class Panel:
    """Who answers: simulated listeners, who agree on the systems but for their leniency.

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
    utterance_effects = {
        utterance: generator.normal(scale=UTTERANCE_SPREAD)
        for utterance in sorted({stimulus.utterance for stimulus in key.stimuli})
    }
    careless = set(generator.permutation(panel.listeners)[: int(CARELESS_SHARE * panel.listeners)])
    folder = Path(folder)
    for index, session in enumerate(key.sessions[: panel.listeners]):
        generator_of_session = np.random.default_rng([seed, session.number])
        answers = _answers(key, session, qualities, utterance_effects, index in careless, generator_of_session)
        write_json(folder / f"simulated_{session.number:04}.json", answers)
    write_key(folder / KEY_NAME, key)


def _answers(
    key: Key,
    session: Session,
    qualities: Mapping[str, float],
    utterance_effects: Mapping[str, float],
    careless: bool,
    generator: np.random.Generator,
) -> dict[str, object]:
    leniency = generator.normal(scale=LISTENER_SPREAD)
    ratings = []
    for index, name in enumerate((*session.training, *session.trials)):
        stimulus = key.stimulus_by_name[name]
        if careless:
            score = float(generator.integers(LOWEST_SCORE, HIGHEST_SCORE + 1))
        elif stimulus.expected is not None:
            score = float(stimulus.expected)
        else:
            effects = leniency + utterance_effects[stimulus.utterance] + generator.normal(scale=NOISE)
            score = qualities[stimulus.system] + effects
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
