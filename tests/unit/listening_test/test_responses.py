import csv
import json
from dataclasses import replace

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.rating_tables import write_rating_table
from vocoder_pareto.listening_test.responses import read_responses


@pytest.fixture
def folder(tmp_path, key):
    write_key(tmp_path / "key.json", key)
    return tmp_path


@pytest.fixture
def answers_of(key):
    """Answers of a participant who scores everything 3, as our page writes them, with some fields changed."""

    def make(number=1, **changes):
        session = key.by_number[number]
        ratings = [
            {"stimulus": name, "trial_index": index, "rating": key.by_name[name].expected or 3, "time_ms": 1500,
             "n_plays": 1, "played_to_end": True, "is_training": index < len(session.training)}
            for index, name in enumerate((*session.training, *session.trials))
        ]  # fmt: skip
        return {
            "format": "vocoder-pareto listening test answers", "version": 1, "test_id": key.test_id,
            "simulated": False, "submission_id": f"id{number}", "participant": f"p{number}", "session": number,
            "list_id": session.list_id, "finished_at": "2026-01-01T10:00:00Z", "ratings": ratings,
        } | changes  # fmt: skip

    return make


def save(folder, name, answers):
    (folder / name).write_text(json.dumps(answers))


def reasons(responses):
    return [row.reason for row in responses.rejected]


# --------------------------------------------------------------- our own page


def test_answers_of_the_page_become_ratings_of_systems_and_clips(folder, answers_of, systems, key):
    save(folder, "a.json", answers_of(1))
    responses = read_responses(folder, systems)
    assert responses.mos_source == "listening_test"
    assert not responses.rejected
    counting = [rating for rating in responses.ratings if rating.counts]
    assert {(rating.system, rating.utterance) for rating in counting} == {
        (key.by_name[name].system, key.by_name[name].utterance)
        for name in key.by_number[1].trials
        if key.by_name[name].kind == "rating"
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
    assert sum(rating.counts for rating in ratings) == 10


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
        ({"trial_index": 1e999}, "inf is no finite number"),
        ({"n_plays": 1.5}, "1.5 is no whole number"),
        ({"time_ms": "soon"}, "'soon' is no number"),
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
    other = next(name for name in key.by_number[2].trials if name not in key.by_number[1].trials)
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
    responses = read_responses(folder, systems)
    assert sum(rating.counts for rating in responses.ratings) == 10
    assert all(reason.startswith("duplicate rating of") for reason in reasons(responses))


def test_a_participant_may_come_for_several_lists(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1))
    save(folder, "b.json", answers_of(2, participant="p1"))
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert sum(rating.counts for rating in responses.ratings) == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_id": "another"}, "belongs to the test 'another'"),
        ({"format": "something"}, "not the answers of a listening test"),
        ({"version": 2}, "not the answers of a listening test"),
        ({"session": 99}, "session 99 is not in key.json"),
        ({"session": [1]}, r"session \[1\] is not in key.json"),
        ({"participant": " "}, "damaged"),
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
    with pytest.raises(UserError, match=r"a\.json: not valid JSON, perhaps cut off"):
        read_responses(folder, systems)


def test_answers_without_their_key_are_an_error_that_says_where_it_is(tmp_path, answers_of, systems):
    save(tmp_path, "a.json", answers_of(1))
    with pytest.raises(UserError, match=r"put key\.json of the export"):
        read_responses(tmp_path, systems)


# -------------------------------------------------------------------- folders


def test_a_missing_or_empty_folder_is_an_error(tmp_path, systems):
    with pytest.raises(UserError, match="is no folder"):
        read_responses(tmp_path / "nothing", systems)
    with pytest.raises(UserError, match=r"holds no \.json or \.csv file"):
        read_responses(tmp_path, systems)


def test_a_table_of_no_known_form_is_an_error_that_lists_the_forms(tmp_path, systems):
    (tmp_path / "a.csv").write_text("name,score\nx,1\n")
    with pytest.raises(UserError, match=r"no known form .columns name, score.*webMUSHRA.*P\.808"):
        read_responses(tmp_path, systems)


def test_a_table_that_is_no_text_is_an_error(tmp_path, systems):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="not a CSV file in UTF-8"):
        read_responses(tmp_path, systems)


def test_a_folder_without_any_valid_rating_is_an_error_with_the_first_reason(tmp_path, systems):
    (tmp_path / "a.csv").write_text("participant,system,item,rating\np1,melgan-S,c,9\n")
    with pytest.raises(UserError, match=r"no valid rating .1 rows rejected, the first: a\.csv, row 2: rating '9'"):
        read_responses(tmp_path, systems)


# --------------------------------------------------------------- plain tables


def test_a_plain_table_needs_four_columns_and_no_key(tmp_path, systems):
    (tmp_path / "a.csv").write_text("participant,system,item,rating\np1,melgan-S,c1,2\np1,hifigan-S,c1,4.0\n")
    responses = read_responses(tmp_path, systems)
    assert [(r.participant, r.system, r.utterance, r.rating) for r in responses.ratings] == [
        ("p1", "melgan-S", "c1", 2),
        ("p1", "hifigan-S", "c1", 4),
    ]
    assert responses.ratings[0].played_to_end is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("p1,melgan-X,c1,2,", "system 'melgan-X' is unknown; known are ground_truth, griffin_lim, melgan-S"),
        ("p1,melgan-S,c1,7,", "rating '7' is not one of 1 to 5"),
        ("p1,melgan-S,c1,,", "rating is missing"),
        (",melgan-S,c1,3,", "participant is empty"),
        ("p1,melgan-S,,3,", "item is empty"),
        ("p1,melgan-S,c1,3,maybe", "is_gold is 'maybe'; must be true or false"),
        ("p1,hifigan-S,c1,3,", "duplicate rating of hifigan-S, c1 by p1; see a.csv:2"),
        ("p1", "item is empty"),
    ],
)
def test_a_bad_row_of_a_plain_table_is_rejected_by_line(tmp_path, systems, row, reason):
    (tmp_path / "a.csv").write_text(f"participant,system,item,rating,is_gold\np1,hifigan-S,c1,4,\n{row}\n")
    responses = read_responses(tmp_path, systems)
    ((file, line, found),) = [(r.file, r.row, r.reason) for r in responses.rejected]
    assert (file, line) == ("a.csv", 3)
    assert found.startswith(reason)
    assert len(responses.ratings) == 1


def test_a_plain_table_without_a_needed_column_is_an_error(tmp_path, systems):
    (tmp_path / "a.csv").write_text("participant,system,rating\np1,melgan-S,3\n")
    with pytest.raises(UserError, match="column item is missing"):
        read_responses(tmp_path, systems)


def test_canonical_output_reads_back_as_it_was(folder, answers_of, systems, tmp_path_factory):
    save(folder, "a.json", answers_of(1))
    ratings = read_responses(folder, systems).ratings
    other = tmp_path_factory.mktemp("other")
    write_rating_table(other / "ratings.csv", ratings)
    again = read_responses(other, systems)
    assert not again.rejected
    assert [replace(rating, source="") for rating in again.ratings] == [replace(r, source="") for r in ratings]


def test_canonical_columns_begin_as_documented(tmp_path):
    write_rating_table(tmp_path / "ratings.csv", [])
    header = next(csv.reader((tmp_path / "ratings.csv").open()))
    assert header[:12] == [
        "participant", "session", "system", "utterance", "rating", "trial_index", "time_ms", "n_plays", "is_trap",
        "is_gold", "is_training", "list_id",
    ]  # fmt: skip


# ------------------------------------------------------- webMUSHRA and P.808


def webmushra_table(rows, header="session_test_id,participant_id,trial_id,stimuli_rating,stimuli,rating_time"):
    return "\n".join([header, *rows, ""])


def test_results_of_webmushra_are_resolved_by_the_key(folder, key, systems):
    name = next(stimulus.name for stimulus in key.stimuli if stimulus.kind == "rating")
    trap = next(stimulus for stimulus in key.stimuli if stimulus.kind == "trap")
    # webMUSHRA's service writes a rating with a blank on either side.
    rows = [f'vocoder_pareto_x_list2,p1,trial_{name}," 4 ",{name},2345',
            f'vocoder_pareto_x_list2,p1,trial_{trap.name}," 1 ",{trap.name},999']  # fmt: skip
    (folder / "lss.csv").write_text(webmushra_table(rows))
    rating, check = read_responses(folder, systems).ratings
    assert (rating.system, rating.utterance) == (key.by_name[name].system, key.by_name[name].utterance)
    assert (rating.participant, rating.rating, rating.time_ms, rating.list_id) == ("p1", 4, 2345, "2")
    assert (check.is_trap, check.expected) == (True, trap.expected)


def test_missing_ratings_and_unknown_conditions_of_webmushra_are_rejected(folder, key, systems):
    first, second = [stimulus.name for stimulus in key.stimuli if stimulus.kind == "rating"][:2]
    rows = [f"t,p1,x,5,{first},1", f"t,p1,x,NA,{second},1", "t,p1,x,3,C1,1", f"t,,x,3,{second},1", "t,p1"]
    (folder / "lms.csv").write_text(webmushra_table(rows))
    responses = read_responses(folder, systems)
    assert len(responses.ratings) == 1
    assert reasons(responses) == [
        "rating is missing",
        "condition 'C1' is not in the key",
        "participant is empty",
        "condition None is not in the key",
    ]  # fmt: skip


def test_results_of_webmushra_without_participants_are_refused(folder, systems):
    header = "session_test_id,trial_id,stimuli_rating,stimuli,rating_time"
    (folder / "lss.csv").write_text(webmushra_table(["t,x,3,s1,1"], header))
    with pytest.raises(UserError, match=r"lss\.csv: has no column participant_id"):
        read_responses(folder, systems)


def test_results_of_webmushra_without_a_column_are_refused(folder, systems):
    (folder / "lss.csv").write_text("participant_id,stimuli,stimuli_rating\np1,s1,3\n")
    with pytest.raises(UserError, match="column session_test_id is missing"):
        read_responses(folder, systems)


def test_votes_of_the_p808_toolkit_are_resolved_by_their_file_names(folder, key, systems):
    first, second = [stimulus for stimulus in key.stimuli if stimulus.kind == "rating"][:2]
    rows = [
        "HITId,workerid,file,short_file_name,vote,Unknown",
        f"H1,W1,https://example.org/{first.name}.wav,{first.name}.wav,2,NoCondition",
        f"H1,W2,https://example.org/{first.name}.wav,{first.name}.wav,3,NoCondition",
        f"H2,W1,https://example.org/{first.name}.wav,{first.name}.wav,5,NoCondition",
        f"H2,W1,https://example.org/{second.name}.wav,{second.name}.wav,12,NoCondition",
        "H2,W1,https://example.org/other.wav,other.wav,3,NoCondition",
    ]
    (folder / "batch_votes_per_worker_acr.csv").write_text("\n".join(rows))
    responses = read_responses(folder, systems)
    assert [(r.participant, r.session, r.system, r.rating) for r in responses.ratings] == [
        ("W1", "H1", first.system, 2),
        ("W2", "H1", first.system, 3),
    ]
    assert len(responses.rejected) == 3


# ------------------------------------------------------------------ simulation


def test_simulated_answers_are_marked_as_such(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1, simulated=True))
    responses = read_responses(folder, systems)
    assert responses.mos_source == "simulated"


@pytest.mark.parametrize("marker", ["false", 0, None, "no", []])
def test_whatever_is_not_plainly_false_counts_as_simulated(folder, answers_of, systems, marker):
    save(folder, "a.json", answers_of(1, simulated=marker))
    assert read_responses(folder, systems).mos_source == "simulated"


def test_the_marker_survives_the_canonical_table(folder, answers_of, systems, tmp_path_factory):
    save(folder, "a.json", answers_of(1, simulated=True))
    other = tmp_path_factory.mktemp("other")
    write_rating_table(other / "ratings.csv", read_responses(folder, systems).ratings)
    assert read_responses(other, systems).mos_source == "simulated"


def test_simulated_and_real_answers_never_mix(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1, simulated=True))
    save(folder, "b.json", answers_of(2))
    with pytest.raises(UserError, match=r"mixes simulated responses .a\.json:1. with real ones"):
        read_responses(folder, systems)
