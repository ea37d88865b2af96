import csv

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.export import export_test
from vocoder_pareto.listening_test.key import read_key
from vocoder_pareto.study.companions import damaged_companions


def test_every_participant_gets_a_link_to_a_session(exported, plan):
    rows = list(csv.DictReader((exported / "invitations.csv").open()))
    assert [int(row["session"]) for row in rows] == [session.number for session in plan.key.sessions]
    assert len({row["participant"] for row in rows}) == len(rows)
    assert rows[2]["link"] == "index.html?session=3&participant=p3"
    assert rows[2]["webmushra_link"] == "?config=vocoder_pareto_session3.yaml"


def test_the_key_of_the_export_reads_back(exported, key):
    assert read_key(exported / "key.json") == key


def test_only_the_platforms_that_are_asked_for_are_written(plan, export_settings, tmp_path):
    export_test(plan, export_settings, [tmp_path / "p808"], tmp_path / "key.json", tmp_path / "invitations.csv")
    visible = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert visible == ["invitations.csv", "key.json", "p808"]


@pytest.mark.parametrize("name", ["pages", "rating_tables"])
def test_a_folder_that_is_named_after_no_export_is_refused_before_anything_is_written(
    plan, export_settings, tmp_path, name
):
    folders = [tmp_path / "page", tmp_path / name]
    with pytest.raises(UserError, match=rf"{name}: no platform has this name; allowed: page, webmushra, p808"):
        export_test(plan, export_settings, folders, tmp_path / "key.json", tmp_path / "invitations.csv")
    assert not list(tmp_path.iterdir())


def test_a_sound_that_was_deleted_from_an_export_is_told_and_an_edited_text_is_not(plan, export_settings, tmp_path):
    export_test(plan, export_settings, [tmp_path / "page"], tmp_path / "key.json", tmp_path / "invitations.csv")
    (tmp_path / "page" / "index.html").write_text("edited")
    assert damaged_companions(tmp_path / "key.json") == []
    sound = next((tmp_path / "page" / "stimuli").glob("*.wav"))
    sound.unlink()
    assert damaged_companions(tmp_path / "key.json") == [(str(sound), "is missing")]
