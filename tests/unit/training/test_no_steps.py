"""A budget of no steps: the weights as they are initialised, and a summary that claims no measurement."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from workbench import TINY_FILE, assert_same_weights

from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training import train as train_module
from vocoder_pareto.training.other_code import beginning_of
from vocoder_pareto.training.weights import obtain_weights

LIBRARY = Path(train_module.__file__).parents[2]


def no_training(*arguments, **keywords):
    raise AssertionError("it must not train")


@pytest.fixture
def untrained(bench, monkeypatch):
    """Weights of no steps, made without a training, a meter or a dataset."""
    monkeypatch.setattr(train_module, "train", no_training)
    (bench.folder / "dataset").rename(bench.folder / "elsewhere")
    return bench.train(steps=0)


def test_the_weights_are_those_that_the_seed_initialises(untrained):
    torch.manual_seed(untrained.job().seed)
    assert_same_weights(untrained.weights, build_vocoder(untrained.job().system).state_dict())


def test_the_weights_are_those_with_which_a_training_begins(bench):
    """An optimiser whose learning rate is 0 leaves them as they were."""
    without = bench.train(steps=0).weights
    assert_same_weights(without, bench.train(recipe={"learning_rate": 0.0}, steps=3).weights)


def test_the_summary_tells_no_steps_and_no_number_that_looks_measured(untrained):
    summary = untrained.summary
    assert (summary["steps"], summary["stopped_by"], summary["flags"]) == (0, "steps", ["untrained"])
    for name in ("seconds", "energy_joules", "energy_source", "mean_power_watts", "lost_energy_joules", "device"):
        assert summary[name] is None, name
    assert untrained.outputs.metrics.read_text() == "step\n"
    assert not (untrained.folder / "state").exists()


def test_the_checkpoint_says_that_it_is_untrained(untrained):
    """By which the measurement of energy tells records of untrained weights from others."""
    _, training = load_vocoder(untrained.outputs.checkpoint, untrained.job().system)
    assert training["steps"] == 0


def without_objective(bench, kind):
    job = bench.job(steps=0)
    return replace(job, system=replace(job.system, vocoder=f"{TINY_FILE}:{kind}", objective=None))


def test_weights_that_a_class_brings_are_taken_as_if_they_were_given(bench):
    obtain_weights(without_objective(bench, "TinyWithWeights"), bench.outputs)
    summary = bench.summary
    assert (summary["steps"], summary["stopped_by"], summary["checkpoint"]) == (None, "weights_of_its_class", None)
    assert "untrained" not in summary["flags"]
    assert summary["sanity_check"]["d_stft"] > 0
    assert load_vocoder(bench.outputs.checkpoint, bench.job().system)[1]["steps"] is None


def test_weights_of_a_class_that_nothing_trains_are_random_and_told(bench, caplog):
    obtain_weights(without_objective(bench, "TinyVocoder"), bench.outputs)
    assert (bench.summary["steps"], bench.summary["flags"]) == (0, ["untrained"])
    assert "tiny-S: its weights are random, since it has no weights and no objective" in caplog.text


def test_a_longer_training_of_before_is_neither_taken_nor_lost(bench, monkeypatch):
    trained = bench.train(steps=3).weights
    without = bench.train(steps=0).weights
    assert not all(torch.equal(trained[name], value) for name, value in without.items())
    monkeypatch.setattr(train_module, "_fit", no_training)
    assert_same_weights(bench.train(steps=3).weights, trained)


def test_given_weights_count_as_trained_whatever_the_budget(bench):
    torch.save(bench.train(steps=0).weights, bench.folder / "given.pt")
    settings = TrainingSettings(steps=0, checkpoint=str(bench.folder / "given.pt"))
    assert not settings.is_untrained
    bench.train(steps=0, checkpoint=settings.checkpoint)
    assert (bench.summary["stopped_by"], bench.summary["steps"]) == ("given_checkpoint", None)


def test_explanations_say_that_nothing_is_trained(bench):
    job = bench.job(steps=0)
    files = job.clips, job.table, job.mels, job.state_root
    system = {"model": "tiny", "size": "S", "vocoder": job.system.vocoder, "objective": job.system.objective}
    assert beginning_of(system, {"steps": 0}, *files, 0) == "has 0 steps: the weights stay as they are initialised"


def test_what_trains_is_not_imported_for_it():
    """Lightning and TensorBoard take seconds, for each of 18 systems."""
    code = (
        "import sys; from vocoder_pareto.training.weights import obtain_weights; "
        "print([name for name in ('lightning', 'tensorboard', 'torch.utils.tensorboard') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=LIBRARY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
