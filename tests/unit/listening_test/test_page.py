import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from response_files import reasons, save

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.study.sections.listening_test import PageSettings


def embedded(page):
    return json.loads(re.search(r'<script type="application/json" id="test">(.*?)</script>', page, re.S)[1])


# --------------------------------------------------------------------- export


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
    script = (templates / "script.js").read_text()
    used = set(re.findall(r'\b(?:text|notify)\("(\w+)"', script))
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


def test_a_missing_template_is_an_error_that_names_it(plan, export_settings, tmp_path):
    with pytest.raises(UserError, match=r"page\.html: cannot be read"):
        write_page(plan, tmp_path, replace(export_settings, templates=tmp_path))


# -------------------------------------------------------------------- answers


def test_answers_of_the_page_become_ratings_of_systems_and_clips(folder, answers_of, systems, key):
    save(folder, "a.json", answers_of(1))
    responses = read_responses(folder, systems)
    assert responses.mos_source == "listening_test"
    assert not responses.rejected
    counting = [rating for rating in responses.ratings if rating.counts_for_mos]
    assert {(rating.system, rating.utterance) for rating in counting} == {
        (key.stimulus_by_name[name].system, key.stimulus_by_name[name].utterance)
        for name in key.session_by_number[1].trials
        if key.stimulus_by_name[name].kind == "rating"
    }
    first = responses.ratings[0]
    assert (first.participant, first.session, first.list_id, first.trial_index, first.time_ms) == (
        "p1", "1", "1", 0, 1500
    )  # fmt: skip
    assert first.is_training
    assert (first.n_plays, first.played_to_end) == (1, True)


def test_checks_and_repeats_are_told_apart(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    ratings = read_responses(folder, systems).ratings
    assert [sum(getattr(rating, flag) for rating in ratings) for flag in
            ("is_training", "is_trap", "is_gold", "is_repeat")] == [2, 2, 1, 2]  # fmt: skip
    assert all(rating.expected for rating in ratings if rating.is_trap or rating.is_gold)
    assert sum(rating.counts_for_mos for rating in ratings) == 10


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rating": 6}, "rating 6 is not one of 1 to 5"),
        ({"rating": 0}, "rating 0 is not one of 1 to 5"),
        ({"rating": 3.5}, "rating 3.5 is not one of 1 to 5"),
        ({"rating": True}, "rating True is no number"),
        ({"rating": None}, "rating is missing"),
        ({"rating": "good"}, "rating 'good' is no number"),
        ({"stimulus": "s0000"}, "stimulus 's0000' is not in the key"),
        ({"rating": "9" * 400}, "rating '999999999999...9999999999999' is no number"),
        ({"rating": [[[[5]]]]}, "rating [[[[5]]]] is no number"),
        ({"rating": int("9" * 400)}, "rating 999999999999999999...9999999999999999999 is no number"),
        ({"stimulus": {"a": []}}, "stimulus {'a': []} is not in the key"),
        ({"trial_index": 1e999}, "trial_index inf is no number"),
        ({"n_plays": 1.5}, "n_plays 1.5 is no whole number"),
        ({"time_ms": "soon"}, "time_ms 'soon' is no number"),
    ],
)
def test_a_bad_rating_is_rejected_by_name_and_the_others_stay(folder, answers_of, systems, change, reason):
    answers = answers_of(1)
    total = len(answers["ratings"])
    answers["ratings"][4] |= change
    save(folder, "a.json", answers)
    responses = read_responses(folder, systems)
    assert [(row.file, row.row, row.reason) for row in responses.rejected] == [("a.json", 5, reason)]
    assert len(responses.ratings) == total - 1


def test_a_rating_that_is_no_object_is_rejected(folder, answers_of, systems):
    answers = answers_of(1)
    answers["ratings"].append("five")
    save(folder, "a.json", answers)
    assert reasons(read_responses(folder, systems)) == ["is no rating"]


def test_a_sound_that_comes_more_often_than_planned_is_rejected(folder, answers_of, systems):
    answers = answers_of(1)
    once = next(
        row for row in answers["ratings"] if [r["stimulus"] for r in answers["ratings"]].count(row["stimulus"]) == 1
    )
    answers["ratings"].append(once)
    save(folder, "a.json", answers)
    (reason,) = reasons(read_responses(folder, systems))
    assert "comes once in session 1, this is one more" in reason


def test_a_sound_of_another_list_is_rejected(folder, answers_of, systems, key):
    answers = answers_of(1)
    other = next(name for name in key.session_by_number[2].trials if name not in key.session_by_number[1].trials)
    answers["ratings"][4]["stimulus"] = other
    save(folder, "a.json", answers)
    assert "comes 0 times in session 1" in reasons(read_responses(folder, systems))[0]


def test_the_same_file_twice_is_a_duplicate_submission(folder, answers_of, systems):
    for name in ("a.json", "copy.json"):
        save(folder, name, answers_of(1))
    responses = read_responses(folder, systems)
    assert {row.file for row in responses.rejected} == {"copy.json"}
    assert set(reasons(responses)) == {"duplicate submission of p1, session 1; see a.json"}
    assert len(responses.rejected) == len(answers_of(1)["ratings"])


def test_a_copy_under_another_name_is_a_duplicate_submission(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    save(folder, "b.json", answers_of(1, participant="someone else"))
    responses = read_responses(folder, systems)
    assert {row.file for row in responses.rejected} == {"b.json"}


def test_of_two_submissions_of_a_session_the_one_finished_first_counts(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1, submission_id="later", finished_at="2026-01-02T10:00:00Z"))
    save(folder, "b.json", answers_of(1, submission_id="first"))
    responses = read_responses(folder, systems)
    assert {row.file for row in responses.rejected} == {"a.json"}


def test_a_participant_who_hears_the_same_list_again_does_not_count_twice(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    save(folder, "b.json", answers_of(3, participant="p1"))  # another session of the same list
    responses = read_responses(folder, systems, max_rejected_share=0.5)
    assert sum(rating.counts_for_mos for rating in responses.ratings) == 10
    assert all(reason.startswith("duplicate rating of") for reason in reasons(responses))


def test_a_participant_may_come_for_several_lists(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    save(folder, "b.json", answers_of(2, participant="p1"))
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert sum(rating.counts_for_mos for rating in responses.ratings) == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_id": "another"}, "belongs to the test 'another'"),
        ({"format": "something"}, "not the answers of a listening test"),
        ({"version": 2}, "not the answers of a listening test"),
        ({"session": 99}, "session 99 is not in key.json"),
        ({"session": [1]}, r"session \[1\] is not in key.json"),
        ({"session": True}, r"session True is not in key.json"),
        ({"participant": " "}, "damaged"),
        ({"participant": ["p1"]}, "damaged .without participant"),
        ({"submission_id": {}}, "damaged .without submission_id"),
        ({"ratings": None}, "damaged"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_one_clear_error(folder, answers_of, systems, change, message):
    save(folder, "a.json", answers_of(1, **change))
    with pytest.raises(UserError, match=rf"a\.json: .*{message}"):
        read_responses(folder, systems)


def test_a_file_that_lacks_its_marker_is_refused(folder, answers_of, systems):
    answers = answers_of(1)
    del answers["simulated"]
    save(folder, "a.json", answers)
    with pytest.raises(UserError, match=r"damaged .without simulated"):
        read_responses(folder, systems)


def test_a_truncated_file_is_an_error_that_says_so(folder, answers_of, systems):
    (folder / "a.json").write_text(json.dumps(answers_of(1))[:-20])
    with pytest.raises(UserError, match=r"a\.json: ends too early, so it was cut off on its way; ask for it again"):
        read_responses(folder, systems)


@pytest.mark.parametrize("length", [0, 1, 30, 200, -3])
def test_a_file_is_cut_off_wherever_it_ends(folder, answers_of, systems, length):
    (folder / "a.json").write_text(json.dumps(answers_of(1))[:length])
    with pytest.raises(UserError, match="cut off on its way"):
        read_responses(folder, systems)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_answers_in_another_unicode_encoding_are_read(folder, answers_of, systems, encoding):
    answers = answers_of(1, participant="Jürgen")
    (folder / "a.json").write_text(json.dumps(answers, ensure_ascii=False), encoding=encoding)
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"Jürgen"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, r"cannot be read \(.*recursion"),
        (b"[" + b"9" * 5000 + b"]", r"cannot be read \(Exceeds the limit"),
        ('{"participant": "Jürgen"}'.encode("latin-1"), r"cannot be read \('utf-8' codec can't decode"),
        (b'{"a": 1,, "b": 2}', r"not valid JSON \(Expecting property name.*column 9"),
        (b"PK\x03\x04 a spreadsheet", r"not valid JSON|cannot be read"),
    ],
)
def test_what_is_no_json_is_told_in_one_line_and_not_called_cut_off(folder, systems, content, message):
    (folder / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.json: {message}") as error:
        read_responses(folder, systems)
    assert "cut off" not in str(error.value)
    assert "\n" not in str(error.value)
