import csv
from dataclasses import replace

import pytest
from response_files import save

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.rating_tables import write_rating_table
from vocoder_pareto.listening_test.responses import read_responses


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
        ("p1,melgan-S,c1,=1+3,", "rating '=1+3' is no number"),
        ("p1,melgan-S,c1,nan,", "rating 'nan' is no number"),
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


def test_the_marker_survives_the_canonical_table(folder, answers_of, systems, tmp_path_factory):
    save(folder, "a.json", answers_of(1, simulated=True))
    other = tmp_path_factory.mktemp("other")
    write_rating_table(other / "ratings.csv", read_responses(folder, systems).ratings)
    assert read_responses(other, systems).mos_source == "simulated"
