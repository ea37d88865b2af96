"""A test of pairs as it is planned and exported, against its sounds and its embedded sessions."""

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
import soundfile
from warm_python import warm_torch

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.paired_export import export_paired_test
from vocoder_pareto.listening_test.paired_key import read_paired_key
from vocoder_pareto.listening_test.paired_planning import PAUSE_SECONDS, plan_paired_test
from vocoder_pareto.study.sections.listening_test import LoudnessSettings, PairedSettings

PAIRS = (("hifigan-S", "melgan-S"), ("wavegrad-L", "melgan-S"))
SETTINGS = PairedSettings(pairs=PAIRS, items=3, participants=6, training=2, gold=2)
LABELS = {
    "cmos": ["-3", "-2", "-1", "0", "+1", "+2", "+3"],
    "ab": ["the first", "the second"],
}


def plan_of(manifests, texts, **changes):
    return plan_paired_test(manifests, replace(SETTINGS, **changes), LoudnessSettings(), asdict(texts), seed=3)


@pytest.fixture(scope="module")
def paired_plan(manifests, texts):
    return plan_of(manifests, texts)


@pytest.fixture(scope="module", params=["cmos", "ab"])
def exported_paired(request, manifests, texts, export_settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paired")
    plan = plan_of(manifests, texts, scale=request.param)
    export_paired_test(
        plan, export_settings, folder / "page", folder / "paired_key.json", folder / "invitations.csv", alpha=0.05
    )
    return folder, plan


def test_every_participant_hears_every_pair_with_every_clip_once(paired_plan):
    for session in paired_plan.key.sessions:
        heard = [paired_plan.key.stimulus_by_name[name] for name in session.trials]
        rated = Counter(
            (frozenset((each.first, each.second)), each.utterance) for each in heard if each.kind == "rating"
        )
        assert len(rated) == 6
        assert set(rated.values()) == {1}
        assert sum(each.kind == "gold" for each in heard) == 2
        assert [paired_plan.key.stimulus_by_name[name].kind for name in session.training] == ["training"] * 2


def test_each_order_comes_equally_often_for_every_pair_and_clip(paired_plan):
    orders = Counter(
        (each.first, each.second, each.utterance)
        for session in paired_plan.key.sessions
        for name in session.trials
        if (each := paired_plan.key.stimulus_by_name[name]).kind == "rating"
    )
    assert len(orders) == 2 * 6
    assert set(orders.values()) == {3}  # of six participants
    for session in paired_plan.key.sessions:  # and nobody hears one system first all the time
        first = Counter(paired_plan.key.stimulus_by_name[name].first for name in session.trials)
        assert all(first[system] for system in ("hifigan-S", "wavegrad-L", "melgan-S"))


def test_a_sound_is_the_clip_by_one_system_a_pause_and_the_clip_by_the_other(paired_plan, manifests):
    """The outside is the audio that was generated: each half is it, but for one gain."""
    stimulus = next(each for each in paired_plan.key.stimuli if each.kind == "rating")
    samples, rate = paired_plan.sounds[stimulus.name], paired_plan.sample_rate
    pause = round(PAUSE_SECONDS * rate)
    half = (len(samples) - pause) // 2
    assert not np.any(samples[half : half + pause])
    for system, part in ((stimulus.first, samples[:half]), (stimulus.second, samples[-half:])):
        (entry,) = [each for each in read_manifest(manifests[system]) if each.clip_id == stimulus.utterance]
        original = read_audio(manifests[system].parent / entry.file).samples
        assert np.corrcoef(part, original)[0, 1] > 1 - 1e-9


def test_gold_is_natural_speech_and_noise_in_either_order(paired_plan):
    gold = [each for each in paired_plan.key.stimuli if each.kind == "gold"]
    assert {each.better for each in gold} == {1, 2}
    assert {(each.first, each.second) for each in gold} == {("ground_truth", "ground_truth")}


def test_equal_arguments_give_an_equal_test_and_other_audio_or_words_another(paired_plan, manifests, texts):
    assert plan_of(manifests, texts).key == paired_plan.key
    other_words = replace(texts, paired=texts.paired | {"title": "another"})
    assert plan_of(manifests, other_words).key.test_id != paired_plan.key.test_id
    louder = plan_paired_test(manifests, SETTINGS, LoudnessSettings(target_lufs=-30), asdict(texts), seed=3)
    assert louder.key.test_id != paired_plan.key.test_id
    assert not set(louder.sounds) & set(paired_plan.sounds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": ()}, "there are none"),
        ({"pairs": (("hifigan-S", "hifigan-X"),)}, "'hifigan-X' is unknown or not judged; allowed: ground_truth"),
        ({"items": 7}, r"listening_test\.paired\.items is 7, but only 6 clips"),
    ],
)
def test_a_test_that_cannot_be_made_is_refused(manifests, texts, changes, message):
    with pytest.raises(UserError, match=message):
        plan_of(manifests, texts, **changes)


def test_the_page_asks_in_the_words_of_the_scale_and_tells_no_system(exported_paired, systems):
    folder, plan = exported_paired
    page = (folder / "page" / "index.html").read_text()
    test = json.loads(re.search(r'<script type="application/json" id="test">(.*?)</script>', page, re.S)[1])
    assert [score["face"] for score in test["scores"]] == LABELS[plan.key.scale]
    assert test["scores"][0]["value"] == -test["scores"][-1]["value"] < 0
    for word in (*systems, *(f"clip{number}" for number in range(1, 7)), "gold", 'better": '):
        assert word not in page
    assert f"{plan.numbers_in_texts['trials']} pairs" in test["texts"]["welcome"][0]
    names = {path.stem for path in (folder / "page" / "stimuli").iterdir()}
    assert names == set(plan.sounds)
    assert {name for session in test["sessions"] for name in session["training"] + session["trials"]} <= names
    assert soundfile.info(folder / "page" / "stimuli" / f"{test['volume']}.wav").channels == 1


def test_the_key_reads_back_and_everyone_has_a_link(exported_paired):
    folder, plan = exported_paired
    assert read_paired_key(folder / "paired_key.json") == plan.key
    rows = list(csv.DictReader((folder / "invitations.csv").open()))
    assert rows[1]["link"] == "index.html?session=2&participant=p2"
    assert len(rows) == 6


@pytest.mark.parametrize(("participants", "is_warned"), [(6, True), (7, False)])
def test_a_design_whose_sign_test_cannot_be_significant_is_warned_of(
    manifests, texts, export_settings, tmp_path, caplog, participants, is_warned
):
    """Two pairs: 2 · 2 / 2^6 = 0.0625 and 2 · 2 / 2^7 = 0.031, at 0.05."""
    plan = plan_of(manifests, texts, participants=participants)
    files = (tmp_path / "page", tmp_path / "paired_key.json", tmp_path / "invitations.csv")
    export_paired_test(plan, export_settings, *files, alpha=0.05)
    assert ("cannot be significant" in caplog.text) == is_warned


def test_a_translation_without_labels_of_the_scale_is_refused(manifests, texts, export_settings, tmp_path):
    lacking = replace(texts, paired=texts.paired | {"labels": {"cmos": ["schlechter", "besser"]}})
    plan = plan_of(manifests, texts)
    files = (tmp_path / "page", tmp_path / "paired_key.json", tmp_path / "invitations.csv")
    with pytest.raises(UserError, match=r"paired\.labels\.cmos hold 7 labels"):
        export_paired_test(plan, replace(export_settings, texts=lacking), *files, alpha=0.05)


def test_the_key_of_another_test_is_refused(exported, tmp_path):
    with pytest.raises(UserError, match="not the key of a paired test"):
        read_paired_key(exported / "key.json")


def test_the_programs_export_and_analyse(manifests, tmp_path):
    def run(program, *arguments):
        return warm_torch().run([f"workflow_scripts/{program}.py", *map(str, arguments)])

    settings = {"pairs": [["hifigan-S", "melgan-S"]], "scale": "ab", "items": 2, "participants": 2}
    done = run(
        "export_paired_test", "--manifests", *manifests.values(), "--paired-settings", json.dumps(settings),
        "--texts", "resources/listening_test/texts.json", "--templates", "resources/listening_test",
        "--output-page", tmp_path / "page", "--output-key", tmp_path / "paired_key.json",
        "--output-invitations", tmp_path / "invitations.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING: Paired test: the sign test of 2 participants" in done.stderr
    key = read_paired_key(tmp_path / "paired_key.json")
    answers = tmp_path / "answers"
    answers.mkdir()
    shutil.copy(tmp_path / "paired_key.json", answers)
    ratings = [
        {"stimulus": name, "rating": 1 if key.stimulus_by_name[name].better != 1 else -1, "played_to_end": True}
        for name in key.sessions[0].trials
    ]
    content = {
        "format": "vocoder-pareto listening test answers", "version": 1, "test_id": key.test_id, "simulated": False,
        "submission_id": "1", "participant": "p1", "session": 1, "finished_at": "2026", "ratings": ratings,
    }  # fmt: skip
    (answers / "a.json").write_text(json.dumps(content))
    tables = (tmp_path / "preferences.csv", tmp_path / "screening.csv")
    outputs = ("--output-preferences-table", tables[0], "--output-screening-table", tables[1])
    done = run("analyse_paired_responses", "--responses", answers, *outputs)
    assert done.returncode == 0, done.stderr
    assert "2 answers of 1 of 1 sessions count" in done.stderr
    (row,) = csv.DictReader(tables[0].open())
    assert (row["n_answers"], row["n_for_a"], row["n_for_b"], row["mean_score_ci95_low"]) == ("2", "1", "1", "")
    done = run("analyse_paired_responses", "--responses", tmp_path / "none", *outputs)
    assert done.stderr.startswith("error: config key listening_test.paired.responses")
