"""What holds for every platform, those of later days included."""

import re

import pytest

from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS, PLATFORMS

BY_NAME = {platform.name: platform for platform in PLATFORMS}


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_names_are_unique_and_fit_for_folders():
    assert len(BY_NAME) == len(PLATFORMS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in BY_NAME)


@pytest.mark.parametrize("name", EXPORTED_PLATFORMS)
def test_an_export_names_no_system_and_no_clip(exported, systems, name):
    clips = [f"clip{number}" for number in range(1, 7)]
    for path, content in files_of(exported / name).items():
        for word in (*systems, *clips):
            assert word not in str(path)
            assert word.encode() not in content


@pytest.mark.parametrize("name", EXPORTED_PLATFORMS)
def test_an_export_holds_or_lists_every_sound_that_is_rated(exported, plan, name):
    files = files_of(exported / name)
    told = " ".join(map(str, files)).encode() + b"".join(files.values())
    assert all(stimulus.name.encode() in told for stimulus in plan.stimuli_of("rating"))


@pytest.mark.parametrize("name", EXPORTED_PLATFORMS)
def test_equal_plans_give_equal_exports(exported, plan, export_settings, tmp_path, name):
    BY_NAME[name].export(plan, tmp_path, export_settings)
    assert files_of(tmp_path) == files_of(exported / name)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_a_table_of_another_kind_is_not_recognised(platform, tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("name,score\nx,1\n")
    assert path.suffix != platform.suffix or not platform.recognises(path)
