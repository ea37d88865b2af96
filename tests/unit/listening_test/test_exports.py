import csv
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.export import ExportFolders, export_test
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.listening_test.webmushra_export import write_webmushra
from vocoder_pareto.study.sections.listening_test import PageSettings

TEMPLATES = Path(__file__).resolve().parents[3] / "resources" / "listening_test"


@pytest.fixture(scope="module")
def exported(plan, texts, tmp_path_factory):
    root = tmp_path_factory.mktemp("listening_test")
    folders = ExportFolders(root / "page", root / "webmushra", root / "p808", root / "key.json", root / "links.csv")
    export_test(plan, texts, PageSettings(), TEMPLATES, "https://example.org/clips/", folders)
    return root


def embedded(page):
    return json.loads(re.search(r'<script type="application/json" id="test">(.*?)</script>', page, re.S)[1])


# --------------------------------------------------------------- our own page


def test_page_is_one_file_that_fetches_nothing_but_its_sounds(exported):
    page = (exported / "page" / "index.html").read_text()
    assert "{{" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "http" not in page.replace("http-equiv", "")


def test_sounds_are_16_bit_mono_wavs_of_equal_loudness(exported, plan):
    files = sorted((exported / "page" / "stimuli").iterdir())
    assert [file.stem for file in files] == sorted(plan.sounds)
    for file in files:
        information = soundfile.info(file)
        assert (information.subtype, information.channels, information.samplerate) == ("PCM_16", 1, 16000)
    loud = [stimulus.loudness_lufs for stimulus in plan.named("rating") if not stimulus.peak_limited]
    assert len(loud) > 15
    assert np.allclose(loud, -23.0, atol=0.01)


def test_nothing_that_participants_get_tells_systems_clips_or_answers(exported, systems):
    page = (exported / "page" / "index.html").read_text()
    for word in (*systems, *(f"clip{number}" for number in range(1, 7)), "gold", "is_trap", "expected"):
        assert word not in page
    assert set(embedded(page)["sessions"][0]) == {"number", "list_id", "training", "trials"}


def test_page_holds_all_sessions_and_filled_texts(exported, plan):
    test = embedded((exported / "page" / "index.html").read_text())
    assert [tuple(session["trials"]) for session in test["sessions"]] == [
        session.trials for session in plan.key.sessions
    ]
    assert test["test_id"] == plan.key.test_id
    assert f"{plan.numbers['trials']} short sounds" in test["texts"]["welcome"][0]
    assert "{minutes}" not in " ".join(test["texts"]["welcome"])


def test_every_word_that_the_script_and_the_markup_use_exists(texts):
    script = (TEMPLATES / "script.js").read_text()
    used = set(re.findall(r'\b(?:text|notify)\("(\w+)"', script))
    used |= set(re.findall(r'data-text="(\w+)"', (TEMPLATES / "page.html").read_text())) - {"title", "question"}
    used |= set(re.findall(r'^"?(\w+)', "needs_script"))
    assert used == set(texts.page)


def test_hostile_texts_stay_text(plan, texts, tmp_path):
    hostile = "</script><script>alert(1)</script>{{ test }}<b>"
    write_page(tmp_path, plan, replace(texts, title=hostile, welcome=(hostile,)), PageSettings(), TEMPLATES)
    page = (tmp_path / "index.html").read_text()
    assert "<script>alert" not in page
    assert html.escape(hostile) in page
    assert embedded(page)["texts"]["welcome"] == [hostile]


def test_a_submission_address_must_be_one():
    with pytest.raises(ValueError, match="submit_url"):
        PageSettings(submit_url="ftp://somewhere")


def test_a_missing_template_is_an_error_that_names_it(plan, texts, tmp_path):
    with pytest.raises(UserError, match=r"page\.html: cannot be read"):
        write_page(tmp_path, plan, texts, PageSettings(), tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scales": {"paper": ["bad", "perfect"]}}, "scales.paper has 2 labels; must be 5"),
        ({"trap_sentence": "Choose well."}, "does not hold {score}"),
        ({"question": 3}, "question: 3 is not allowed"),
    ],
)
def test_texts_that_would_break_the_test_are_refused(tmp_path, change, message):
    content = json.loads((TEMPLATES / "texts.json").read_text()) | change
    (tmp_path / "texts.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        read_texts(tmp_path / "texts.json")


def test_an_unknown_scale_is_refused_with_the_known_ones(texts):
    with pytest.raises(UserError, match="'likert' is unknown; allowed: paper, acr"):
        texts.labels("likert")


def test_every_participant_gets_a_link_to_a_session(exported, plan):
    rows = list(csv.DictReader((exported / "links.csv").open()))
    assert [int(row["session"]) for row in rows] == [session.number for session in plan.key.sessions]
    assert len({row["participant"] for row in rows}) == len(rows)
    assert rows[2]["link"] == "index.html?session=3&participant=p3"


# ------------------------------------------------------------------ webMUSHRA


@pytest.fixture(scope="module")
def webmushra(exported):
    return yaml.safe_load((exported / "webmushra" / "configs" / "vocoder_pareto_list1.yaml").read_text())


def test_webmushra_has_a_configuration_per_list(exported):
    names = sorted(file.name for file in (exported / "webmushra" / "configs").glob("*.yaml"))
    assert names == ["vocoder_pareto_list1.yaml", "vocoder_pareto_list2.yaml"]


def test_webmushra_pages_are_what_it_expects(webmushra, exported):
    assert webmushra["remoteService"] == "service/write.php"
    shuffled = next(page for page in webmushra["pages"] if isinstance(page, list))
    assert shuffled[0] == "random"
    training = [page for page in webmushra["pages"] if isinstance(page, dict) and "response" in page]
    assert len(training) == 2
    for page in (*shuffled[1:], *training):
        assert page["type"] == "likert_single_stimulus"
        assert {"id", "name", "content"} <= set(page)
        assert (page["mustRate"], page["mustPlayback"]) == (True, "ended")
        ((name, path),) = page["stimuli"].items()
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name)
        assert (exported / "webmushra" / path).is_file()
        assert [response["value"] for response in page["response"]] == [1, 2, 3, 4, 5]
        assert all(isinstance(response["label"], str) for response in page["response"])


def test_webmushra_asks_for_the_participant_at_the_end(webmushra):
    finish = webmushra["pages"][-1]
    assert finish["type"] == "finish"
    (question,) = finish["questionnaire"]
    assert (question["name"], question["optional"]) == ("participant_id", False)


def test_webmushra_rates_the_list_with_its_checks_each_sound_once(webmushra, plan):
    shuffled = next(page for page in webmushra["pages"] if isinstance(page, list))
    rated = [next(iter(page["stimuli"])) for page in shuffled[1:]]
    session = next(session for session in plan.key.sessions if session.list_id == 1)
    assert sorted(rated) == sorted(set(session.trials))


def test_webmushra_ids_are_unique(webmushra):
    ids = [page["id"] for page in webmushra["pages"] if isinstance(page, dict) and "id" in page]
    ids += [page["id"] for page in next(page for page in webmushra["pages"] if isinstance(page, list))[1:]]
    assert len(ids) == len(set(ids))


def test_webmushra_texts_are_escaped(plan, texts, tmp_path):
    write_webmushra(tmp_path, plan, replace(texts, welcome=("a <b> & c",)))
    content = yaml.safe_load((tmp_path / "configs" / "vocoder_pareto_list1.yaml").read_text())
    assert "a &lt;b&gt; &amp; c" in content["pages"][0]["content"]


# ---------------------------------------------------------------- P.808 Toolkit


def test_p808_lists_address_all_sounds_of_their_kind(exported, plan):
    rows = list(csv.DictReader((exported / "p808" / "rating_clips.csv").open()))
    assert [row["rating_clips"] for row in rows] == [
        f"https://example.org/clips/{stimulus.name}.wav" for stimulus in plan.named("rating")
    ]


def test_p808_checks_come_with_their_answers(exported, plan):
    traps = list(csv.DictReader((exported / "p808" / "trapping_clips.csv").open()))
    assert [int(row["trapping_ans"]) for row in traps] == [stimulus.expected for stimulus in plan.named("trap")]
    gold = list(csv.DictReader((exported / "p808" / "gold_clips.csv").open()))
    assert [row["gold_clips_ans"] for row in gold] == ["1"]
