import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.page import SCRIPTS, write_page
from vocoder_pareto.study.sections.listening_test import PageSettings


def embedded(page):
    return json.loads(re.search(r'<script type="application/json" id="test">(.*?)</script>', page, re.S)[1])


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
    loud = [stimulus.loudness_lufs for stimulus in plan.stimuli_of("rating") if not stimulus.peak_limited]
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
    assert f"{plan.numbers_in_texts['trials']} short sounds" in test["texts"]["welcome"][0]
    assert "{minutes}" not in " ".join(test["texts"]["welcome"])


def test_every_word_that_the_script_and_the_markup_use_exists(texts, templates):
    script = "".join((templates / name).read_text() for name in SCRIPTS)
    used = set(re.findall(r'\b(?:text|notify|sayOnPlayer)\("(\w+)"', script))
    used |= set(re.findall(r'data-text="(\w+)"', (templates / "page.html").read_text())) - {"title", "question"}
    used |= set(re.findall(r'^"?(\w+)', "needs_script"))
    assert used == set(texts.page)


def test_hostile_texts_stay_text(plan, export_settings, tmp_path):
    hostile = "</script><script>alert(1)</script>{{ test }}<b>"
    hostile_texts = replace(export_settings.texts, title=hostile, welcome=(hostile,))
    write_page(plan, tmp_path, replace(export_settings, texts=hostile_texts))
    page = (tmp_path / "index.html").read_text()
    assert "<script>alert" not in page
    assert html.escape(hostile) in page
    assert embedded(page)["texts"]["welcome"] == [hostile]


def test_a_submission_address_must_be_one():
    with pytest.raises(ValueError, match="submit_url"):
        PageSettings(submit_url="ftp://somewhere")


def test_a_translation_that_lacks_words_is_refused_by_their_name(plan, export_settings, tmp_path):
    page_words = {name: words for name, words in export_settings.texts.page.items() if name not in ("skip", "play")}
    for name, others in (("play", page_words), ("skip", page_words | {"play": "Spielen"})):
        lacking = replace(export_settings, texts=replace(export_settings.texts, page=others))
        with pytest.raises(UserError, match=rf"listening_test\.texts: page\.{name} is missing"):
            write_page(plan, tmp_path, lacking)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "is_warned"),
    [({}, True), ({"contact": "lab@example.org"}, False), ({"submit_url": "https://example.org"}, False)],
)
def test_a_page_whose_answers_go_nowhere_is_warned_of(plan, export_settings, tmp_path, caplog, settings, is_warned):
    write_page(plan, tmp_path, replace(export_settings, page=PageSettings(**settings)))
    assert ("listening_test.page.submit_url" in caplog.text) == is_warned


def test_a_missing_template_is_an_error_that_names_it(plan, export_settings, tmp_path):
    with pytest.raises(UserError, match=r"page\.html: cannot be read"):
        write_page(plan, tmp_path, replace(export_settings, templates=tmp_path))
