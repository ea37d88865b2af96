"""A training that diverged goes on as a branch, from a state of before, with what mends it changed and told.

The outside is Adam written out from its paper, and a training that nothing disturbed.
"""

import json
from dataclasses import replace

import pytest
import torch
from workbench import assert_same_weights

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.settings import plain, settings_from
from vocoder_pareto.training import job as job_module
from vocoder_pareto.training import train as train_module
from vocoder_pareto.training.other_code import beginning_of
from vocoder_pareto.training.state import StateFolder

ALWAYS = 1.0e-9  # minutes between saved states
SAVED = {"checkpoint_minutes": ALWAYS, "validation_clips": 0}


@pytest.fixture
def trained(bench):
    """A training of 8 steps, with states of steps 8, 7 and some before; its digest is that of the folder."""
    return bench.train(**SAVED)


def branch(bench, steps=12, recipe=None, **changes):
    return bench.train(steps=steps, recipe=recipe, branch_from=bench.job(**SAVED).digest(), **SAVED, **changes)


def state_of(bench, **changes) -> dict:
    return StateFolder(bench.folder / "state" / bench.job(**SAVED, **changes).digest()).load()


def test_a_branch_with_another_learning_rate_takes_the_steps_that_plain_adam_would(trained):
    """Adam as in Kingma and Ba (2015), algorithm 1, from the moments of the state, with the new rate."""
    lower, digest = {"learning_rate": 2.0e-3}, trained.state_folder.name
    parent = StateFolder(trained.state_folder).load()["module"]
    trained.train(recipe=lower, steps=9, branch_from=digest, **SAVED)
    # Epochs are of three steps: two have ended, and each took a tenth of the rate.
    rate, (beta1, beta2), epsilon = 2.0e-3 * 0.9**2, (0.9, 0.999), 1.0e-8
    branched = state_of(trained, recipe=lower, branch_from=digest)["module"]
    for index, name in enumerate(("input.weight", "input.bias", "output.weight", "output.bias")):
        before, after = (each["objective"][f"vocoder.{name}"] for each in (parent, branched))
        m, v = (branched["optimizers"][0]["state"][index][each] for each in ("exp_avg", "exp_avg_sq"))
        step = rate * (m / (1 - beta1**9)) / ((v / (1 - beta2**9)).sqrt() + epsilon)
        torch.testing.assert_close(after, before - step)
    assert parent["optimizers"][0]["param_groups"][0]["lr"] == pytest.approx(1.0e-2 * 0.9**2)
    assert branched["optimizers"][0]["param_groups"][0]["lr"] == pytest.approx(2.0e-3 * 0.9**3)  # step 9 ends an epoch


def test_a_branch_that_changes_nothing_equals_the_training_that_it_leaves(trained):
    whole = trained.elsewhere("undisturbed").train("AdversarialTinyObjective", steps=12, **SAVED)
    pieces = trained.elsewhere("pieces").train("AdversarialTinyObjective", steps=7, **SAVED)
    digest = pieces.state_folder.name
    pieces.train("AdversarialTinyObjective", steps=12, branch_from=digest, branch_step=4, **SAVED)
    assert_same_weights(pieces.weights, whole.weights)
    assert [row["step"] for row in pieces.curve] == [str(step) for step in range(1, 13)]


def test_a_branch_tells_where_it_comes_from_and_what_it_changed(trained):
    parent = trained.job(**SAVED).digest()
    branch(trained, recipe={"learning_rate": 1.0e-3}, gradient_clip=0.5, data_seed=7, branch_step=6)
    (known,) = trained.summary["branched_from"]
    assert (known["digest"], known["steps"]) == (parent, 6)
    assert known["changes"] == {"learning_rate": [None, 1.0e-3], "gradient_clip": [None, 0.5], "data_seed": [None, 7]}
    assert torch.load(trained.outputs.checkpoint)["training"]["branched_from"] == [known]
    assert trained.summary["steps"] == 12


def test_a_branch_of_a_branch_tells_both(trained):
    first = branch(trained, steps=10, data_seed=1)
    digest = first.job(**SAVED, branch_from=first.job(**SAVED).digest(), data_seed=1).digest()
    first.train(steps=12, branch_from=digest, data_seed=2, **SAVED)
    assert [each["steps"] for each in first.summary["branched_from"]] == [8, 10]


def test_another_seed_of_data_meets_other_batches_and_leaves_the_first_weights(trained):
    one, other = (trained.elsewhere(f"seed {seed}").train(steps=1, data_seed=seed) for seed in (1, 2))
    assert not torch.equal(one.weights["input.weight"], other.weights["input.weight"])
    untouched = [
        trained.elsewhere(f"still {seed}").train(steps=1, data_seed=seed, recipe={"learning_rate": 0.0})
        for seed in (1, 2)
    ]
    assert_same_weights(*(each.weights for each in untouched))


def test_what_the_other_training_spent_beyond_the_state_is_lost_and_not_forgotten(trained):
    spent = trained.summary["energy_joules"]
    branch(trained, branch_step=6, data_seed=7)
    assert trained.summary["lost_steps"] == 2
    assert trained.summary["energy_joules"] > spent
    assert trained.summary["seconds"] > 0


def test_a_branch_is_resumed_from_its_own_state(trained, monkeypatch):
    branch(trained, steps=10, data_seed=7)
    whole = trained.weights
    for file in (trained.outputs.checkpoint, trained.outputs.summary):
        file.unlink()
    monkeypatch.setattr(train_module, "state_of_branch", None)
    branch(trained, steps=10, data_seed=7)
    assert_same_weights(trained.weights, whole)
    assert trained.summary["lost_steps"] == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 2}, "batch_size of .* differ; a branch may change learning_rate, gradient_clip, data_seed"),
        ({"recipe": {"noise": 0.5}}, "noise of .* differ"),
        ({"precision": "16-mixed"}, "precision of .* differ"),
        ({"branch_step": 1}, r"holds no state of at most 1 steps .branch_step.; steps of its states: 8, 7"),
        ({"branch_from": "0" * 16}, r"there is no state .*0000; states there: [0-9a-f]{16}$"),
    ],
)
def test_what_a_branch_cannot_be_is_refused_in_words(trained, changes, words):
    with pytest.raises(UserError, match=words):
        trained.train(**{"steps": 13, "branch_from": trained.job(**SAVED).digest(), **SAVED, **changes})


def test_another_dataset_is_no_branch(trained):
    digest = trained.job(**SAVED).digest()
    content = bytearray(trained.job().mels.read_bytes())
    content[-1] ^= 1
    trained.job().mels.write_bytes(content)
    with pytest.raises(UserError, match=r"the dataset of \S+ differ"):
        trained.train(branch_from=digest, **SAVED)


def test_a_branch_of_what_other_code_made_asks_first(bench, monkeypatch):
    monkeypatch.setattr(job_module, "code_version", lambda *arguments: {"vocoder_pareto.training.module": "1"})
    digest = bench.train(**SAVED).state_folder.name
    monkeypatch.setattr(job_module, "code_version", lambda *arguments: {"vocoder_pareto.training.module": "2"})
    with pytest.raises(
        UserError, match=r"made by other code .changed: training.module.; set training.other_code: adopt"
    ):
        bench.train(steps=9, branch_from=digest, data_seed=3, **SAVED)
    bench.train(steps=9, branch_from=digest, data_seed=3, other_code="adopt", **SAVED)
    assert bench.summary["branched_from"][0]["changed_code"] == ["training.module"]


def test_explanations_say_that_it_is_a_branch(trained):
    job = trained.job(branch_from=trained.job(**SAVED).digest(), data_seed=9, **SAVED)
    files = job.clips, job.table, job.mels, job.state_root
    words = beginning_of(plain(job.system), plain(job.settings), *files, job.seed)
    assert words == f"begins as a branch of {job.settings.branch_from}"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"branch_step": 3}, "branch_step belongs to branch_from"),
        ({"branch_from": "latest"}, "branch_from: 'latest' is not allowed"),
        ({"branch_from": 1234567890123456}, "branch_from: 1234567890123456 is not allowed"),
    ],
)
def test_impossible_branches_are_named(settings, words):
    with pytest.raises(UserError, match=words):
        settings_from(TrainingSettings, {"steps": 1, **settings}, "training")


# ---------------------------------------------------------------------- divergence

DIVERGES = {"objective": "DivergingObjective", "recipe": {"at_step": 4}, "log_every_steps": 1, **SAVED}


def steps_taken(bench, monkeypatch) -> list[int]:
    """The number of times that `_fit` is called, as the length of a list that grows."""
    calls, fit = [], train_module._fit
    monkeypatch.setattr(train_module, "_fit", lambda *arguments: (calls.append(1), fit(*arguments)))
    return calls


def test_a_training_that_diverges_twice_alike_is_not_trained_a_third_time(bench, monkeypatch):
    """The objective fails at its fourth call, from wherever it begins: so from the same state at the same step."""
    pieces = steps_taken(bench, monkeypatch)
    job = {**DIVERGES, "checkpoint_minutes": 60.0}
    for _ in range(30):  # as `retries: 30` would
        with pytest.raises(UserError, match="diverged") as error:
            bench.train(**job)
    assert len(pieces) == 2
    assert "diverged twice after step 0 (the generator loss of step 4 is nan;" in str(error.value)
    assert "models.tiny.sizes.S.training" in str(error.value)
    (bench.state_folder / "divergences.json").unlink()
    with pytest.raises(UserError, match="loss of step 4 is nan"):
        bench.train(**job)
    assert len(pieces) == 3


def test_divergences_that_come_further_each_time_are_tried_again(bench, monkeypatch):
    pieces = steps_taken(bench, monkeypatch)
    for last in (3, 6, 9):
        with pytest.raises(UserError, match=rf"loss of step {last + 1} is nan.*steps of its states: {last}, "):
            bench.train(**{**DIVERGES, "steps": 40})
    assert len(pieces) == 3


def test_the_message_of_a_divergence_holds_what_a_branch_needs(bench):
    with pytest.raises(UserError) as error:
        bench.train(**{**DIVERGES, "steps": 40})
    digest = bench.state_folder.name
    assert f'with branch_from: "{digest}" there' in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="loss of step 7 is nan"):
        bench.train(**{**DIVERGES, "steps": 40, "branch_from": digest, "gradient_clip": 1.0})
    mended = {**DIVERGES, "recipe": {"at_step": 4}, "branch_from": digest, "branch_step": 2, "data_seed": 1}
    bench.train(**{**mended, "steps": 5})
    assert bench.summary["branched_from"][0]["steps"] == 2
    assert bench.summary["lost_steps"] == 2  # steps 3 and 4 of the other training


@pytest.mark.parametrize("text", ["", "[1]", '[{"step": 1}]'])
def test_a_damaged_memory_of_divergences_is_none(bench, text):
    bench.train(steps=2, **SAVED)
    (bench.state_folder / "divergences.json").write_text(text)
    bench.train(steps=4, **SAVED)
    assert json.loads(bench.outputs.summary.read_text())["steps"] == 4


def test_a_seed_of_the_study_is_that_of_the_data_unless_it_has_its_own(bench):
    job = replace(bench.job(), seed=5)
    assert job.data_seed == 5
    assert replace(bench.job(data_seed=0), seed=5).data_seed == 0
