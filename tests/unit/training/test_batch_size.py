import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seeds import seed_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.training import dataset as dataset_module
from vocoder_pareto.training.batch_size import largest_batch_size, largest_that_fits, step_fits
from vocoder_pareto.training.batches import ClipDataset
from vocoder_pareto.training.objectives.registry import new_objective

CPU = torch.device("cpu")


@given(limit=st.integers(0, 5000), largest=st.integers(1, 4096))
def test_the_search_finds_a_size_that_fits_within_a_sixteenth_of_the_limit(limit, largest):
    tried = []

    def fits(size):
        tried.append(size)
        return size <= limit

    found = largest_that_fits(fits, largest)
    best = min(limit, largest)
    assert found <= best
    assert best - found <= max(0, found // 16)
    assert max(tried) <= largest
    assert len(tried) <= 20


def objective_and_data(bench, objective="TinyObjective", recipe=None, clips=10, **settings):
    job = bench.job(objective, recipe, **settings)
    generator = np.random.default_rng(seed_of(0))
    dataset = ClipDataset(
        generator.random((clips, 1024), dtype=np.float32), generator.random((clips, 4, 64), dtype=np.float32),
        np.arange(clips),
    )  # fmt: skip
    return new_objective(job.system, build_vocoder(job.system)), dataset, job.settings


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
def test_a_trial_takes_real_steps_and_changes_no_weights(bench, precision):
    objective, dataset, settings = objective_and_data(bench, "AdversarialTinyObjective", precision=precision)
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    assert step_fits(objective, dataset, CPU, settings, 25)
    assert all(torch.equal(value, before[name]) for name, value in objective.state_dict().items())


def test_the_share_of_the_margin_is_taken_of_what_fits(bench):
    objective, dataset, settings = objective_and_data(
        bench, "HungryObjective", {"at_step": 20}, clips=100, batch_size="auto", batch_size_margin=0.75
    )
    assert largest_batch_size(objective, dataset, CPU, settings) == 15


def test_a_small_training_set_is_taken_whole(bench):
    objective, dataset, settings = objective_and_data(bench, "HungryObjective", {"at_step": 20}, batch_size="auto")
    assert largest_batch_size(objective, dataset, CPU, settings) == 10


def test_a_device_that_holds_not_even_one_clip_is_an_error(bench):
    objective, dataset, settings = objective_and_data(bench, "HungryObjective", {"at_step": 0}, batch_size="auto")
    with pytest.raises(UserError, match="not even one clip fits cpu"):
        largest_batch_size(objective, dataset, CPU, settings)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        MemoryError(),
    ],
)
def test_the_search_knows_a_lack_of_memory_by_other_names(bench, monkeypatch, error):
    objective, dataset, settings = objective_and_data(bench, clips=100, batch_size="auto", batch_size_margin=1.0)
    loss = type(objective).loss

    def loss_of_few(self, turn, batch):
        if len(batch.mel) > 20:
            raise error
        return loss(self, turn, batch)

    monkeypatch.setattr(type(objective), "loss", loss_of_few)
    assert largest_batch_size(objective, dataset, CPU, settings) == 20


def test_other_errors_of_a_trial_are_not_taken_for_a_lack_of_memory(bench):
    objective, dataset, settings = objective_and_data(bench)
    dataset.mels = dataset.mels[:, :2]
    with pytest.raises(RuntimeError, match="channels"):
        largest_batch_size(objective, dataset, CPU, settings)


def test_a_step_that_runs_out_of_memory_says_what_to_change(bench):
    with pytest.raises(UserError, match=r"out of memory with batches of 3 clips; lower training\.batch_size"):
        bench.train("HungryObjective", {"at_step": 2})


def test_training_clips_that_the_device_cannot_hold_are_told_by_the_key(bench, monkeypatch):
    def too_many(audio, mels, rows, device):
        assert device.type == "cuda"
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(dataset_module, "ClipDataset", too_many)
    with pytest.raises(UserError, match=r"training\.data_on_device: cuda:0 cannot hold the training clips .*to false"):
        dataset_module.training_dataset(bench.job(data_on_device=True), torch.device("cuda:0"))
