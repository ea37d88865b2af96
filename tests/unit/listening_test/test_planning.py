from collections import Counter

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest, write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import read_key, write_key
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.study.sections.listening_test import DesignSettings, LoudnessSettings


@pytest.fixture
def plan_with(manifests, texts):
    def make(design=None, seed=0, chosen=manifests, labels=None):
        return plan_test(chosen, design or DesignSettings(4, 2, 6), LoudnessSettings(), texts,
                         labels or texts.labels("paper"), seed)  # fmt: skip

    return make


def test_every_system_is_rated_on_every_chosen_clip(plan, systems):
    pairs = Counter((stimulus.system, stimulus.utterance) for stimulus in plan.stimuli_of("rating"))
    assert set(pairs.values()) == {1}
    assert {system for system, _ in pairs} == set(systems)
    assert len({utterance for _, utterance in pairs}) == 4


def test_participants_of_all_lists_rate_everything_equally_often(plan):
    heard = Counter(
        name
        for session in plan.key.sessions
        for name in set(session.trials)
        if plan.key.stimulus_by_name[name].kind == "rating"
    )
    assert set(heard.values()) == {len(plan.key.sessions) // 2}
    assert len(heard) == len(plan.stimuli_of("rating"))


def test_training_and_gold_use_clips_that_are_not_rated(plan):
    rated = {stimulus.utterance for stimulus in plan.stimuli_of("rating")}
    for kind in ("training", "gold"):
        assert not rated & {stimulus.utterance for stimulus in plan.stimuli_of(kind)}


def test_training_begins_with_the_best_and_the_worst(plan):
    first = [plan.key.stimulus_by_name[name].system for name in plan.key.sessions[0].training]
    assert first == ["ground_truth", "griffin_lim"]


def test_checks_have_answers_and_ratings_have_none(plan):
    for stimulus in plan.key.stimuli:
        assert (stimulus.expected is not None) == (stimulus.kind in ("gold", "trap"))
    assert [stimulus.expected for stimulus in plan.stimuli_of("gold")] == [1]
    assert len({stimulus.expected for stimulus in plan.stimuli_of("trap")}) == 2


def test_names_tell_nothing_and_are_safe_everywhere(plan):
    for stimulus in plan.key.stimuli:
        assert stimulus.name[0] == "s"
        assert stimulus.name.isalnum()
        assert stimulus.utterance not in stimulus.name
    assert len({stimulus.name for stimulus in plan.key.stimuli}) == len(plan.key.stimuli)


def test_a_sound_of_other_audio_has_another_name(plan_with, manifests, tmp_path):
    """So scores of an older export are never taken for scores of this one, on whatever platform they were given."""
    clips = {f"clip{number}": np.full(16384, 0.1) * (-1.0) ** np.arange(16384) for number in range(1, 7)}
    write_audio_set(tmp_path / "melgan-S" / "manifest.csv", list(clips), clips.values(), 16000, [None] * 6)
    first = plan_with().key
    again = plan_with(chosen={**manifests, "melgan-S": tmp_path / "melgan-S" / "manifest.csv"}).key
    for kept, system in ((False, "melgan-S"), (True, "hifigan-S"), (True, "ground_truth"), (True, "")):
        names = [{each.name for each in key.stimuli if each.system == system} for key in (first, again)]
        assert len(names[0]) > 1
        assert names[0] == names[1] if kept else not names[0] & names[1]


def test_sessions_have_different_orders(plan):
    assert len({session.trials for session in plan.key.sessions}) == len(plan.key.sessions)


def test_equal_arguments_give_an_equal_test(plan_with):
    first, again = plan_with(), plan_with()
    assert first.key == again.key
    assert all(np.array_equal(first.sounds[name], again.sounds[name]) for name in first.sounds)


def test_test_id_changes_with_seed_labels_and_audio(plan_with, manifests, texts, tmp_path):
    ids = {plan_with().key.test_id, plan_with(seed=1).key.test_id, plan_with(labels=texts.labels("acr")).key.test_id}
    clips = {f"clip{number}": np.full(16384, 0.1) * (-1.0) ** np.arange(16384) for number in range(1, 7)}
    write_audio_set(tmp_path / "melgan-S" / "manifest.csv", list(clips), clips.values(), 16000, [None] * 6)
    ids.add(plan_with(chosen={**manifests, "melgan-S": tmp_path / "melgan-S" / "manifest.csv"}).key.test_id)
    assert len(ids) == 4


def test_with_no_clip_to_spare_training_reuses_rated_ones(plan_with):
    plan = plan_with(DesignSettings(items=6, lists=1, participants=1, training=3, gold=2))
    assert len(plan.stimuli_of("training")) == 3
    assert len(plan.stimuli_of("gold")) == 2


def test_too_few_clips_are_an_error_that_says_how_many_there_are(plan_with):
    with pytest.raises(UserError, match=r"design\.items is 8, but only 6 clips exist"):
        plan_with(DesignSettings(items=8, lists=2))


def with_unfit_clips(manifests, folder, unfit):
    """The audio of `manifests`, and clips beside it whose recordings are `unfit`, of which systems make noise."""
    chosen = {}
    for system, manifest in manifests.items():
        clips = {entry.clip_id: read_audio(manifest.parent / entry.file).samples for entry in read_manifest(manifest)}
        noise = np.random.default_rng(seed_of(0)).normal(scale=0.1, size=16384)
        clips |= {name: samples if system == "ground_truth" else noise for name, samples in unfit.items()}
        chosen[system] = folder / system / "manifest.csv"
        write_audio_set(chosen[system], list(clips), clips.values(), 16000, [None] * len(clips))
    return chosen


def test_recordings_with_too_little_sound_are_never_drawn_and_change_no_test(plan_with, manifests, tmp_path, caplog):
    noise = np.random.default_rng(seed_of(1)).normal(scale=0.1, size=16384)
    unfit = {
        "a silent": np.zeros(16384),
        "b constant": np.full(16384, 0.5),
        "c faint": 1e-3 * noise,
        "d padded": np.where(np.arange(16384) < 7000, noise, 0),
    }
    chosen = with_unfit_clips(manifests, tmp_path, unfit)
    for seed in range(5):
        plan = plan_with(chosen=chosen, seed=seed)
        assert plan.key == plan_with(seed=seed).key
        assert not {stimulus.utterance for stimulus in plan.key.stimuli} & set(unfit)
    assert caplog.messages[0] == (
        "Listening test: 4 clips have too little sound to be rated and are not drawn: a silent (digital silence), "
        "b constant (constant), c faint (next to no sound) and 1 more"
    )


def test_too_few_clips_with_sound_are_told_with_their_mend(plan_with, manifests, tmp_path):
    chosen = with_unfit_clips(manifests, tmp_path, {"a": np.zeros(16384), "b": np.full(16384, 0.1)})
    with pytest.raises(UserError) as raised:
        plan_with(DesignSettings(items=8, lists=2), chosen=chosen)
    assert (
        "only 6 clips exist in every system without 2 that have too little sound: a (digital silence), b (con"
        in str(raised.value)
    )
    assert str(raised.value).endswith("generate more of them, or set items to at most 6")


@pytest.mark.parametrize("anchor", ["ground_truth", "griffin_lim"])
def test_a_test_without_its_anchors_is_refused(plan_with, manifests, anchor):
    with pytest.raises(UserError, match=f"{anchor} is missing"):
        plan_with(chosen={system: path for system, path in manifests.items() if system != anchor})


def test_the_key_survives_its_file(key, tmp_path):
    write_key(tmp_path / "key.json", key)
    assert read_key(tmp_path / "key.json") == key


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not the key"),
        ('{"format": "something"}', "not the key"),
        ('{"format": "vocoder-pareto listening test key", "version": 1}', "damaged"),
        ("{", "not valid JSON"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path, content, message):
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_key(tmp_path / "key.json")
