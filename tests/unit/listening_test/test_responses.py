import re

import pytest
from response_files import reasons, save

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.responses import read_responses


def test_a_missing_or_empty_folder_is_an_error(tmp_path, systems):
    with pytest.raises(UserError, match="is no folder"):
        read_responses(tmp_path / "nothing", systems)
    with pytest.raises(UserError, match=r"holds no \.json or \.csv file$"):
        read_responses(tmp_path, systems)
    (tmp_path / "votes.xlsx").touch()
    (tmp_path / "key.json").touch()
    with pytest.raises(UserError, match=r"holds no \.json or \.csv file, only votes\.xlsx"):
        read_responses(tmp_path, systems)


def test_a_table_of_no_known_form_is_an_error_that_lists_the_forms(tmp_path, systems):
    (tmp_path / "a.csv").write_text("name,score\nx,1\n")
    with pytest.raises(UserError, match=r"no known form .columns name, score.*webMUSHRA.*P\.808"):
        read_responses(tmp_path, systems)


def test_a_table_that_is_no_text_is_an_error(tmp_path, systems):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="not a CSV file in UTF-8"):
        read_responses(tmp_path, systems)


def table(count=60, system="melgan-S"):
    rows = [f"p{number},{system},c{number % 5},{number % 5 + 1}" for number in range(count)]
    return "\n".join(["participant,system,item,rating", *rows, ""])


def test_capitals_count_and_what_systems_leave_behind_is_skipped(tmp_path, systems):
    (tmp_path / "B.CSV").write_text(table())
    for litter in ("._B.CSV", "~$B.csv", ".DS_Store", ".hidden.json", "Thumbs.db", "desktop.ini"):
        (tmp_path / litter).write_bytes(b"\0\1")
    responses = read_responses(tmp_path, systems)
    assert len(responses.ratings) == 60
    assert not responses.notes


def test_everything_else_that_is_not_read_is_named(tmp_path, systems):
    (tmp_path / "a.csv").write_text(table())
    for name in ("b.tsv", "c.xlsx", "d.csv.gz", "e"):
        (tmp_path / name).touch()
    for name in ("old.csv", "more"):
        (tmp_path / name).mkdir()
    (note,) = read_responses(tmp_path, systems).notes
    assert "not read: b.tsv, c.xlsx, d.csv.gz, e, more/, old.csv/ (read are .json and .csv files)" in note


def test_the_key_is_found_with_capitals(folder, answers_of, systems):
    (folder / "key.json").rename(folder / "KEY.JSON")
    save(folder, "A.JSON", answers_of(1))
    assert not read_responses(folder, systems).rejected


def test_too_many_rows_that_are_no_ratings_stop_with_the_reasons(tmp_path, systems):
    (tmp_path / "a.csv").write_text(table())
    (tmp_path / "b.csv").write_text(table(4, "HiFi-GAN"))
    with pytest.raises(UserError, match=r"4 of 64 rows \(6%\) are no ratings: 4 × system 'HiFi-GAN' is unknown; known "
                       r"are .*\(b\.csv, row 2\)\. .* listening_test\.max_rejected_share"):  # fmt: skip
        read_responses(tmp_path, systems)
    assert len(read_responses(tmp_path, systems, max_rejected_share=0.07).rejected) == 4


def test_reasons_with_any_code_of_a_participant_stay_one_line(tmp_path, systems):
    code = "x\n" * 1000
    (tmp_path / "table.csv").write_text(
        "participant,system,item,rating\n" + "".join(f'"{code}",melgan-S,c1,{score}\n' for score in (3, 4, 5))
    )
    with pytest.raises(UserError) as caught:
        read_responses(tmp_path, systems)
    message = str(caught.value)
    assert "duplicate rating of melgan-S, c1 by x x x" in message
    assert len(message.splitlines()) == 1
    assert len(message) < len(str(tmp_path)) + 800


def test_one_row_or_a_few_in_a_hundred_are_rejected_and_the_rest_counts(tmp_path, systems):
    (tmp_path / "a.csv").write_text(table() + "p90,melgan-S,c1,\np91,melgan-S,c1,good\n")
    responses = read_responses(tmp_path, systems)
    assert reasons(responses) == ["rating is missing", "rating 'good' is no number"]
    assert len(responses.ratings) == 60


def test_one_code_for_everyone_does_not_lose_their_ratings_in_silence(tmp_path, systems):
    (tmp_path / "a.csv").write_text(re.sub(r"p\d+,", "anonymous,", table()))
    with pytest.raises(UserError, match=r"55 of 60 rows \(92%\) are no ratings: 11 × duplicate rating of melgan-S"):
        read_responses(tmp_path, systems)


def test_answers_that_were_sent_twice_are_no_reason_to_stop(folder, answers_of, systems):
    for name in ("a.json", "a (1).json"):
        save(folder, name, answers_of(1))
    responses = read_responses(folder, systems)
    assert all(row.sent_again for row in responses.rejected)
    assert len(responses.rejected) == len(responses.ratings)


@pytest.mark.parametrize("lowest", [0, 1])
def test_natural_speech_that_never_gets_the_best_score_is_told(tmp_path, systems, lowest):
    """Of a scale of 0 to 4 without zeros nobody can be certain."""
    scores = [f"p{number},ground_truth,c1,{min(4, 3 + number % 3) + lowest}" for number in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["participant,system,item,rating", *scores]))
    notes = read_responses(tmp_path, systems).notes
    assert ["none of 20 ratings of natural speech is 5; if the scale was 0 to 4" in note for note in notes] == (
        [True] if lowest == 0 else []
    )


def test_one_file_of_another_scale_stops_among_good_ones(tmp_path, systems):
    (tmp_path / "a.csv").write_text(table(600))
    (tmp_path / "b.csv").write_text("participant,system,item,rating\nx,melgan-S,c1,8\nx,hifigan-S,c1,10\n")
    with pytest.raises(UserError, match=r"b\.csv: 2 of 2 scores .*\(8, 10\); they look like a scale of 1 to 10"):
        read_responses(tmp_path, systems)


def test_a_folder_without_any_valid_rating_is_an_error_with_the_first_reason(tmp_path, systems):
    (tmp_path / "a.csv").write_text("participant,system,item,rating\np1,melgan-S,c,9\n")
    with pytest.raises(UserError, match=r"no valid rating .1 rows rejected, the first: a\.csv, row 2: rating '9'"):
        read_responses(tmp_path, systems)


def test_answers_without_their_key_are_an_error_that_says_where_it_is(tmp_path, answers_of, systems):
    save(tmp_path, "a.json", answers_of(1))
    with pytest.raises(UserError, match=r"put key\.json of the export"):
        read_responses(tmp_path, systems)


def test_responses_of_several_platforms_may_be_mixed(folder, answers_of, systems, key):
    name = next(name for name in key.session_by_number[1].trials if key.stimulus_by_name[name].kind == "rating")
    save(folder, "a.json", answers_of(1))
    place = [*key.session_by_number[1].training, *key.session_by_number[1].trials].index(name) + 1
    (folder / "lss.csv").write_text(
        "session_test_id,participant_id,trial_id,stimuli_rating,stimuli,rating_time\n"
        f"vocoder_pareto_{key.test_id},w1,session1_sound{place}_{name},5,{name},1\n"
    )
    (folder / "votes.csv").write_text(f"HITId,workerid,file,vote\nH1,c1,{name}.wav,4\n")
    (folder / "table.csv").write_text("participant,system,item,rating\nt1,melgan-S,c1,2\n")
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"p1", "w1 (p1)", "c1", "t1"}


# ------------------------------------------------------------------ simulation


def test_simulated_answers_are_marked_as_such(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1, simulated=True))
    responses = read_responses(folder, systems)
    assert responses.mos_source == "simulated"


@pytest.mark.parametrize("marker", ["false", 0, None, "no", []])
def test_whatever_is_not_plainly_false_counts_as_simulated(folder, answers_of, systems, marker):
    save(folder, "a.json", answers_of(1, simulated=marker))
    assert read_responses(folder, systems).mos_source == "simulated"


def test_simulated_and_real_answers_never_mix(folder, answers_of, systems):
    save(folder, "a.json", answers_of(1, simulated=True))
    save(folder, "b.json", answers_of(2))
    with pytest.raises(UserError, match=r"mixes simulated responses .a\.json:1. with real ones"):
        read_responses(folder, systems)
