import json

import pytest
from response_files import reasons, save

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.counts import count_ratings
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.study.sections.listening_test import ScreeningSettings


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


# ------------------------------------------------- parts, skipped sounds, people


def cut_short(answers, count):
    return answers | {"ratings": answers["ratings"][:count], "finished_at": None}


def test_a_part_of_a_session_counts_and_is_marked(folder, answers_of, systems):
    save(folder, "a.json", cut_short(answers_of(1), 9))
    save(folder, "b.json", answers_of(2))
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {name: known.is_partial for name, known in responses.submissions.items()} == {
        ("p1", "1"): True, ("p2", "2"): False
    }  # fmt: skip
    counting, sessions = screen(responses.ratings, ScreeningSettings(min_variance=None), responses.submissions)
    assert {session.participant: (session.kept, session.is_partial) for session in sessions} == {
        "p1": (True, True), "p2": (True, False)
    }  # fmt: skip
    counts = count_ratings(responses, counting, sessions)
    assert (counts.n_sessions_partial, counts.n_sounds_skipped) == (1, 0)
    assert "(0 of 2 sessions; 1 ended early)" in counts.sentence


@pytest.mark.parametrize("name", ["0.json", "z.json"])
def test_of_parts_and_the_whole_of_a_session_the_most_counts_whatever_its_name(folder, answers_of, systems, name):
    save(folder, "a.json", cut_short(answers_of(1), 5))
    save(folder, "b.json", cut_short(answers_of(1), 9))
    save(folder, name, cut_short(answers_of(1), 7))
    responses = read_responses(folder, systems)
    assert (len(responses.ratings), {row.file for row in responses.rejected}) == (9, {"a.json", name})
    save(folder, name, answers_of(1))
    responses = read_responses(folder, systems)
    assert {row.file for row in responses.rejected} == {"a.json", "b.json"}
    assert all(row.sent_again for row in responses.rejected)
    assert not responses.notes


def test_sounds_that_could_not_be_played_are_counted_and_are_no_ratings(folder, answers_of, systems):
    answers = answers_of(1)
    for row in answers["ratings"][4:6]:
        row |= {"rating": None, "time_ms": None, "played_to_end": False, "skipped": "cannot_play"}
    save(folder, "a.json", answers)
    responses = read_responses(folder, systems, max_rejected_share=0)
    assert not responses.rejected
    assert len(responses.ratings) == len(answers["ratings"]) - 2
    assert all(rating.played_to_end for rating in responses.ratings)
    (known,) = responses.submissions.values()
    assert (known.n_skipped, known.is_partial) == (2, False)


def test_a_repeat_whose_first_time_could_not_be_played_is_no_repeat(folder, answers_of, systems, key):
    answers, trials = answers_of(1), key.session_by_number[1].trials
    twice = next(name for name in trials if trials.count(name) == 2)
    first = next(row for row in answers["ratings"] if row["stimulus"] == twice)
    first |= {"rating": None, "skipped": "cannot_play"}
    save(folder, "a.json", answers)
    responses = read_responses(folder, systems)
    assert not responses.rejected
    heard = key.stimulus_by_name[twice]
    (rating,) = [each for each in responses.ratings if (each.system, each.utterance, each.is_training) == (
        heard.system, heard.utterance, False
    )]  # fmt: skip
    assert not rating.is_repeat


def test_a_person_whom_the_link_names_is_one_participant_under_any_code(folder, answers_of, systems):
    ids = {"PROLIFIC_PID": "abc", "STUDY_ID": "s"}
    save(folder, "a.json", answers_of(1, participant="anonymous-1", ids=ids))
    save(folder, "b.json", answers_of(2, participant="anonymous-2", ids=ids, finished_at="2026-01-02T10:00:00Z"))
    save(folder, "c.json", answers_of(1, submission_id="again", participant="anonymous-3", ids=ids, finished_at="2027"))
    save(folder, "d.json", answers_of(3, participant="anonymous-4", ids={"PROLIFIC_PID": None, "STUDY_ID": "s"}))
    responses = read_responses(folder, systems)
    assert {rating.participant for rating in responses.ratings} == {"anonymous-1", "anonymous-4"}
    assert {row.file for row in responses.rejected} == {"c.json"}
    assert set(responses.submissions) == {("anonymous-1", "1"), ("anonymous-1", "2"), ("anonymous-4", "3")}
    assert not responses.notes


def test_two_persons_whom_links_name_keep_their_ratings_under_one_code(folder, answers_of, systems):
    for file, person in (("a.json", "abc"), ("b.json", "def")):
        save(folder, file, answers_of(1, participant="anna", submission_id=person, ids={"PROLIFIC_PID": person}))
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"anna", "anna #2"}


def test_two_people_who_shared_a_code_are_told_of(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    other = answers_of(1, submission_id="other", finished_at="2026-01-01T11:00:00Z")
    other["ratings"][5]["rating"] = 5
    save(folder, "b.json", other)
    (note,) = read_responses(folder, systems).notes
    assert "b.json: is left out, since p1, session 1 came before with other scores (a.json)" in note


@pytest.mark.parametrize(
    ("scores", "score", "kept"),
    [([4, 6], 6, True), ([5], 5, True), ([4, 2], 4, False), ([None], None, True), ([], None, True), ("6", None, True)],
)
def test_the_best_try_of_the_check_for_headphones_screens(folder, answers_of, systems, scores, score, kept):
    save(folder, "a.json", answers_of(1, headphone_scores=scores))
    save(folder, "b.json", answers_of(2))
    responses = read_responses(folder, systems)
    _, sessions = screen(responses.ratings, ScreeningSettings(min_variance=None), responses.submissions)
    assert (sessions[0].headphone_score, sessions[0].kept, sessions[1].kept) == (score, kept, True)


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
