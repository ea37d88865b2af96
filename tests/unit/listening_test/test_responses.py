import pytest
from response_files import save

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.responses import read_responses


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


def test_answers_without_their_key_are_an_error_that_says_where_it_is(tmp_path, answers_of, systems):
    save(tmp_path, "a.json", answers_of(1))
    with pytest.raises(UserError, match=r"put key\.json of the export"):
        read_responses(tmp_path, systems)


def test_responses_of_several_platforms_may_be_mixed(folder, answers_of, systems, key):
    name = next(stimulus.name for stimulus in key.stimuli if stimulus.kind == "rating")
    save(folder, "a.json", answers_of(1))
    (folder / "lss.csv").write_text(
        f"session_test_id,participant_id,trial_id,stimuli_rating,stimuli,rating_time\nt_list1,w1,x,5,{name},1\n"
    )
    (folder / "votes.csv").write_text(f"HITId,workerid,file,vote\nH1,c1,{name}.wav,4\n")
    (folder / "table.csv").write_text("participant,system,item,rating\nt1,melgan-S,c1,2\n")
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"p1", "w1", "c1", "t1"}


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
