"""The test for webMUSHRA (Schoeffler et al. 2018): a configuration per list, and the sounds.

Names of conditions are opaque; key.json resolves them. The last page asks for the participant, whom the results would
not name otherwise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.key import Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.listening_test.webmushra_results import PARTICIPANT_QUESTION

_PAGE = "likert_single_stimulus"


def write_webmushra(folder: str | Path, plan: Plan, texts: Texts) -> None:
    """Write `configs/vocoder_pareto_list{n}.yaml` and `configs/resources/vocoder_pareto/*.wav` below `folder`.

    Copied over a webMUSHRA installation they run as they are, at `?config=vocoder_pareto_list1.yaml`. Repeats are left
    out, since webMUSHRA shows a condition once.

    Raises:
        UserError: the folder cannot be written.
    """
    folder = Path(folder)
    sounds = Path("configs", "resources", "vocoder_pareto")
    for name, samples in plan.sounds.items():
        write_wav(folder / sounds / f"{name}.wav", samples, plan.sample_rate)
    for list_id in sorted({session.list_id for session in plan.key.sessions}):
        content = _configuration(plan, texts, list_id, sounds)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        write_text(folder / "configs" / f"vocoder_pareto_list{list_id}.yaml", text)


def _configuration(plan: Plan, texts: Texts, list_id: int, sounds: Path) -> dict[str, Any]:
    session = next(session for session in plan.key.sessions if session.list_id == list_id)
    trials = [plan.key.by_name[name] for name in dict.fromkeys(session.trials)]  # each once
    training = [plan.key.by_name[name] for name in session.training]

    def page(stimulus: Stimulus, number: str) -> dict[str, Any]:
        return {
            "type": _PAGE,
            "id": f"{number}_{stimulus.name}",
            "name": texts.question,
            "content": None,  # the key must be there
            "mustRate": True,
            "mustPlayback": "ended",
            "stimuli": {stimulus.name: (sounds / f"{stimulus.name}.wav").as_posix()},
            "response": [
                {"value": score, "label": f"{score} {label}".strip()}
                for score, label in enumerate(plan.key.labels, start=1)
            ],
        }

    def prose(name: str, title: str, paragraphs: Sequence[str]) -> dict[str, Any]:
        content = "".join(f"<p>{_escaped(paragraph)}</p>" for paragraph in paragraphs)
        return {"type": "generic", "id": name, "name": title, "content": content}

    volume = plan.named("training")[0]
    return {
        "testname": texts.title,
        "testId": f"vocoder_pareto_{plan.key.test_id}_list{list_id}",
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            prose("welcome", texts.title, with_numbers([*texts.welcome, *texts.consent], plan.numbers)),
            prose("instructions", texts.page["instructions_title"], texts.instructions),
            {
                "type": "volume",
                "id": "volume",
                "name": texts.page["volume_title"],
                "content": _escaped(texts.page["volume_text"]),
                "stimulus": (sounds / f"{volume.name}.wav").as_posix(),
                "defaultVolume": 0.5,
            },
            *(page(stimulus, f"training{number}") for number, stimulus in enumerate(training, start=1)),
            ["random", *(page(stimulus, "trial") for stimulus in trials)],
            {
                "type": "finish",
                "name": texts.page["finish_title"],
                "content": _escaped(texts.page["code_label"]),
                "popupContent": _escaped(texts.page["finish_title"]),
                "showResults": False,
                "writeResults": True,
                "questionnaire": [
                    {
                        "type": "text",
                        "label": texts.page["code_label"],
                        "name": PARTICIPANT_QUESTION,
                        "optional": False,
                    }
                ],
            },
        ],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
