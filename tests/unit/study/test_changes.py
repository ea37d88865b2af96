"""What changed is told in the user's words. Recorded values are as Snakemake keeps them: the `repr` of each, sorted."""

import json
import random
import re
from pathlib import Path

import pytest

from vocoder_pareto.files import canonical_json
from vocoder_pareto.study.changes import CONTENTS, KEYS, StaleJob, as_text, changes_of_inputs, changes_of_params
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.file_content import FileDigests
from vocoder_pareto.study.studied_systems import system_settings, training_settings

PROJECT = Path(__file__).parents[3]
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def config():
    return read_configuration([PROJECT / "config.yaml"])


@pytest.fixture
def train(config):
    """The params of a training, as rules/training.smk states them."""
    return {
        "state": "results/training/melgan-S",
        "system": canonical_json(system_settings(config, "melgan", "S").to_train()),
        "determining": canonical_json(training_settings(config, "melgan", "S").determining()),
        "given": None,
        "seed": 0,
        "code": "models.layers=00000001 models.melgan=00000002 my own/waves.py=00000003+00000004 train=00000005",
    }


def recorded(params):
    return sorted(repr(value) for name, value in params.items() if name != "state")


def changes(before, now, rule="train", memory="nothing.json"):
    identifying = [value for name, value in now.items() if name != "state"]
    return changes_of_params(rule, recorded(before), now, identifying, memory)


def edited(params, name, edit):
    values = json.loads(params[name])
    edit(values)
    return {**params, name: canonical_json(values)}


def test_nothing_is_told_of_what_is_the_same(train):
    assert changes(train, train) == []


def test_a_setting_is_told_by_its_key_with_both_values(train):
    now = edited(train, "determining", lambda values: values.update(steps=4, precision="bf16-mixed"))
    assert set(changes(train, now)) == {'training.precision: "32" → "bf16-mixed"', "training.steps: 0 → 4"}


def test_the_recipe_and_the_architecture_of_a_model_are_told_where_the_user_sets_them(train):
    before = edited(train, "system", lambda values: values["recipe"].update(learning_rate=2.0e-4))
    now = edited(train, "system", lambda values: values["recipe"].update(learning_rate=1.0e-4))
    now = edited(now, "system", lambda values: values["architecture"].update(channels=7))
    had = json.loads(before["system"])["architecture"].get("channels", "not there")
    assert set(changes(before, now)) == {
        "models.melgan.training.learning_rate: 0.0002 → 0.0001",
        f"models.melgan.architecture.channels: {had} → 7",
    }


def test_modules_are_told_whose_code_changed_came_or_went(train):
    code = "models.layers=00000001 models.melgan=0000000a my own/waves.py=00000003+0000000b extra=00000009"
    assert changes(train, {**train, "code": code}) == ["code: extra, models.melgan, my own/waves.py, train"]


def test_a_key_that_an_upgrade_adds_or_takes_away_was_or_is_not_there(train):
    older = edited(train, "determining", lambda values: (values.pop("tf32"), values.update(warmup=3)))
    assert set(changes(older, train)) == {"training.tf32: not there → false", "training.warmup: 3 → not there"}


def test_a_param_that_an_upgrade_adds_or_takes_away_is_told(train):
    older = {name: value for name, value in train.items() if name != "determining"}
    assert changes(older, train) == ["training: not there before"]
    (gone,) = changes(train, older)
    assert gone.endswith(": belongs to it no more")


def test_content_of_weights_and_recordings_is_told_without_digests(train):
    one, other = "0123456789abcdef", "1123456789012345"
    given = "content of the given weights: "
    assert changes({**train, "given": one}, {**train, "given": other}) == [given + "changed"]
    assert changes(train, {**train, "given": other}) == [given + "none before"]
    assert changes({**train, "given": one}, train) == [given + "none now"]
    clips = {"dataset_settings": '{"clips":20,"source":"folder"}', "corpus": one, "code": "audio.clips=00000001"}
    recordings = "content of the recordings: changed"
    assert changes(clips, {**clips, "corpus": other}, "prepare_clips") == [recordings]
    spoken = {**clips, "corpus": "audio.clips=00000001 audio.espeak=00000002"}
    assert changes(spoken, clips, "prepare_clips") == [recordings]


def test_recordings_that_changed_came_or_went_are_named(tmp_path):
    """The outside is what was done to the files."""
    folder, contents = tmp_path / "recordings", FileDigests(tmp_path / "memory.json")
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.wav").write_bytes(bytes([number]))
    one = contents.together(sorted(folder.iterdir()), folder)
    (folder / "3.wav").write_bytes(b"edited")
    (folder / "5.wav").unlink()
    for name in ("a.wav", "b.wav", "c.wav", "d.wav", "e.wav"):
        (folder / name).write_bytes(b"new")
    other = contents.together(sorted(folder.iterdir()), folder)
    clips = {"dataset_settings": '{"clips":20,"source":"folder"}', "corpus": one, "code": "audio.clips=00000001"}
    assert changes(clips, {**clips, "corpus": other}, "prepare_clips", tmp_path / "memory.json") == [
        "content of the recordings: changed: 3.wav",
        "content of the recordings: new: a.wav, b.wav, c.wav, d.wav, 1 more",
        "content of the recordings: gone: 5.wav",
    ]
    (tmp_path / "memory_together" / f"{one}.json").write_text("half of it")
    assert changes(clips, {**clips, "corpus": other}, "prepare_clips", tmp_path / "memory.json") == [
        "content of the recordings: changed"
    ]


def test_each_of_many_changes_at_once_finds_its_own_value(train):
    """What was recorded has no names: seeds, settings, hashes and digests come in any order."""
    before = edited(train, "system", lambda values: values["recipe"].update(learning_rate=2.0e-4))
    now = edited(before, "system", lambda values: values["recipe"].update(learning_rate=1.0e-4))
    now = edited(now, "determining", lambda values: values.update(steps=9))
    now |= {"seed": 5, "given": "0123456789abcdef", "code": now["code"].replace("00000002", "0000000a")}
    told = {
        "seed: 0 → 5",
        "training.steps: 0 → 9",
        "models.melgan.training.learning_rate: 0.0002 → 0.0001",
        "content of the given weights: none before",
        "code: models.melgan",
    }
    generator = random.Random(0)
    for _ in range(20):
        shuffled = recorded(before)
        generator.shuffle(shuffled)
        identifying = [value for name, value in now.items() if name != "state"]
        assert set(changes_of_params("train", shuffled, now, identifying, "nothing.json")) == told


def test_the_same_name_can_be_another_key_in_another_rule():
    before, now = {"max_clips": "null"}, {"max_clips": "20"}
    assert changes(before, now, "prepare_utterances") == ["generation.clips: null → 20"]
    assert changes(before, now, "vocoders_synthesize_corpus") == ["dataset.clips: null → 20"]


def test_input_files_that_came_and_went_are_told():
    assert changes_of_inputs(["a", "b"], ["b", "c"]) == ["input: c is new", "input: a is none any more"]


def test_jobs_with_the_same_reasons_share_a_row():
    jobs = [
        StaleJob("train", {"system": name}, (f"missing: results/checkpoints/{name}.ckpt", "seed: 0 → 1"))
        for name in ("melgan-S", "melgan-M", "flow-net-L")
    ]
    rows = as_text([*jobs, StaleJob("tabulate", {}, ("follows: train",))]).splitlines()
    assert [re.split(r"  +", row.strip()) for row in rows] == [
        ["rule", "jobs", "of", "why"],
        ["train", "3", "flow-net-L, melgan-{M,S}", "missing: results/checkpoints/{system}.ckpt"],
        ["seed: 0 → 1"],
        ["tabulate", "1", "follows: train"],
    ]


def identifying_params():
    """The names in `params:` of all rules that are no path, no program and not set beside the identity."""
    for file in sorted((PROJECT / "rules").glob("*.smk")):
        for rule, body in RULE.findall(file.read_text()):
            block = re.search(r"^    params:\n(.*?)(?=^    \w)", body, re.MULTILINE | re.DOTALL)
            for name, value in re.findall(r"^        (\w+)=(.*)$", block[1] if block else "", re.MULTILINE):
                if not re.match(r"beside\(|program\(|subpath\(|records_beside|lambda wildcards, input", value):
                    yield rule, name


def test_every_param_of_a_rule_is_told_in_words_of_the_configuration():
    named = {*KEYS, *CONTENTS, "code", "system", "objective_settings", "origin"}
    assert {(rule, name) for rule, name in identifying_params() if name not in named} == set()


def test_the_keys_are_keys_of_the_configuration(config):
    for template in KEYS.values():
        value = config
        for key in re.findall(r"^[\w.]+(?= \()|^[\w.]+$|^[\w.]+?(?=\.\{|\.\*)", template)[:1]:
            for part in key.split("."):
                value = value[part]
