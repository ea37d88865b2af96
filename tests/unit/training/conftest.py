"""A small dataset to train the tiny system on."""

import numpy as np
import pytest
import torch
from seeds import seed_of
from tiny_system import FRAMES, HOP_LENGTH, N_MELS
from workbench import Workbench

from vocoder_pareto.audio.dataset import Clip, write_clip_table

TRAIN_CLIPS, TEST_CLIPS = 10, 2


@pytest.fixture
def one_thread():
    """Tiny layers only lose time by threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def bench(tmp_path) -> Workbench:
    folder = tmp_path / "dataset"
    folder.mkdir()
    generator = np.random.default_rng(seed_of(0))
    count = TRAIN_CLIPS + TEST_CLIPS
    splits = ["train"] * TRAIN_CLIPS + ["test"] * TEST_CLIPS
    clips = [Clip(row, f"clip_{row}", f"{row}.wav", 1.0, split) for row, split in enumerate(splits)]
    mels = generator.random((count, N_MELS, FRAMES), dtype=np.float32)
    time = np.arange(FRAMES * HOP_LENGTH) / HOP_LENGTH
    loudness = np.repeat(mels[:, 0], HOP_LENGTH, axis=1)
    np.save(folder / "clips.npy", (0.5 * loudness * np.sin(2 * np.pi * time)).astype(np.float32))
    np.save(folder / "mels.npy", mels)
    write_clip_table(folder / "clips.csv", clips)
    return Workbench(tmp_path)
