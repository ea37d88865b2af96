from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.training.batches import ClipDataset, ShuffledBatches, batch_loader

CLIPS = np.arange(12 * 8, dtype=np.float32).reshape(12, 8)
MELS = np.arange(12 * 6, dtype=np.float32).reshape(12, 2, 3)
ROWS = np.array([1, 3, 4, 7, 8, 9, 11])


def first(batches, count):
    return list(islice(batches, count))


@given(clips=st.integers(1, 40), batch_size=st.integers(1, 50), seed=st.integers(0, 2**31), done=st.integers(0, 60))
def test_a_stream_that_begins_at_any_batch_goes_on_as_the_whole_one_does(clips, batch_size, seed, done):
    whole = first(ShuffledBatches(clips, batch_size, seed), done + 10)
    assert first(ShuffledBatches(clips, batch_size, seed, done), 10) == whole[done:]


@given(clips=st.integers(1, 40), batch_size=st.integers(1, 50))
def test_an_epoch_has_whole_batches_of_different_clips(clips, batch_size):
    batches = ShuffledBatches(clips, batch_size, 0)
    for epoch in range(2):
        seen = first(
            ShuffledBatches(clips, batch_size, 0, epoch * batches.batches_per_epoch), batches.batches_per_epoch
        )
        numbers = [number for batch in seen for number in batch]
        assert {len(batch) for batch in seen} == {min(batch_size, clips)}
        assert len(set(numbers)) == len(numbers) > clips - batch_size
        assert set(numbers) <= set(range(clips))


def test_the_order_changes_with_epoch_and_seed():
    order = first(ShuffledBatches(100, 100, 0), 2)
    assert order[0] != order[1] != sorted(order[1])
    assert first(ShuffledBatches(100, 100, 1), 1) != order[:1]


@pytest.mark.parametrize(("count", "rows"), [(1, [1]), (3, [1, 4, 8]), (7, ROWS), (50, ROWS)])
def test_a_few_clips_are_from_all_over_the_training_set(count, rows):
    audio, mel = ClipDataset(CLIPS, MELS, ROWS).every_so_many(count)
    np.testing.assert_array_equal(audio, CLIPS[rows])
    np.testing.assert_array_equal(mel, MELS[rows])


def test_every_clip_is_seen_though_batches_leave_some_over():
    seen = {number for batch in first(ShuffledBatches(10, 3, 0), 60) for number in batch}
    assert seen == set(range(10))


def test_a_batch_holds_rows_of_the_training_split():
    batch = ClipDataset(CLIPS, MELS, ROWS).__getitems__([2, 0])
    assert torch.equal(batch.audio, torch.from_numpy(CLIPS[[4, 1]]))
    assert torch.equal(batch.mel, torch.from_numpy(MELS[[4, 1]]))


def test_data_on_the_device_give_the_same_batches_as_data_on_disk(tmp_path):
    np.save(tmp_path / "clips.npy", CLIPS)
    mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
    disk, resident = ClipDataset(mapped, MELS, ROWS), ClipDataset(mapped, MELS, ROWS, torch.device("cpu"))
    loaders = [batch_loader(dataset, ShuffledBatches(7, 3, 0), 0, False) for dataset in (disk, resident)]
    for one, other in islice(zip(*loaders, strict=True), 5):
        assert torch.equal(one.audio, other.audio)
        assert torch.equal(one.mel, other.mel)


def test_loading_processes_give_the_same_batches_and_stop_on_no_signal(tmp_path):
    dataset = ClipDataset(CLIPS, MELS, ROWS)
    alone = first(batch_loader(dataset, ShuffledBatches(7, 3, 0), 0, False), 6)
    together = first(batch_loader(dataset, ShuffledBatches(7, 3, 0), 2, False), 6)
    assert all(torch.equal(one.audio, other.audio) for one, other in zip(alone, together, strict=True))


def test_loading_draws_nothing_from_the_generator_of_the_losses():
    torch.manual_seed(0)
    expected = torch.rand(())
    torch.manual_seed(0)
    first(batch_loader(ClipDataset(CLIPS, MELS, ROWS), ShuffledBatches(7, 3, 0), 0, False), 2)
    assert torch.rand(()) == expected


@pytest.mark.parametrize("workers", [0, 3])
def test_data_on_the_device_need_no_processes(workers):
    resident = ClipDataset(CLIPS, MELS, ROWS, torch.device("cpu"))
    assert batch_loader(resident, ShuffledBatches(7, 3, 0), workers, False).num_workers == 0
