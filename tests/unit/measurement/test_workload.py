import numpy as np
import pytest
import torch
from small_vocoder import SmallVocoder

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.workload import (
    input_batches,
    mels_of_clips,
    numeric_precision,
    prepared_work,
)
from vocoder_pareto.study.sections.measurement import EnergySettings


def test_mels_of_clips_lie_one_after_the_other_in_time(tmp_path):
    np.save(tmp_path / "mels.npy", np.repeat(np.arange(1, 3, dtype=np.float32), 80 * 4).reshape(2, 80, 4))
    mels = mels_of_clips(tmp_path / "mels.npy", 80)
    assert mels.shape == (80, 8)
    assert mels[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_clips_follow_each_other_and_begin_again_at_the_end_of_the_mels():
    mels = np.arange(8, dtype=np.float32) + np.zeros((80, 1), dtype=np.float32)
    batches = input_batches(mels, frames=3, clips=5, batch_size=2)
    assert [batch.shape for batch in batches] == [(2, 80, 3), (2, 80, 3), (1, 80, 3)]
    heard = torch.cat(batches)[:, 7].tolist()
    assert heard == [[0, 1, 2], [3, 4, 5], [6, 7, 0], [1, 2, 3], [4, 5, 6]]


def test_a_pass_generates_a_batch_and_counts_its_audio():
    vocoder = SmallVocoder().prepare_for_inference()
    batches = input_batches(np.zeros((80, 9), dtype=np.float32), frames=3, clips=3, batch_size=2)
    work = prepared_work(vocoder, batches, EnergySettings(precision="float32"), seed=0, audio_seconds_per_clip=0.048)
    assert work.audio_seconds == pytest.approx([0.096, 0.048])
    for run in work.passes:
        run()


def test_float32_means_that_no_convolution_uses_tf32():
    before = torch.backends.cudnn.allow_tf32
    with numeric_precision(torch.device("cpu"), "float32"):
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.parametrize(("precision", "override"), [("tf32", "0"), ("float32", "1"), ("bf16", "1")])
def test_an_environment_that_overrides_the_precision_is_refused(monkeypatch, precision, override):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", override)
    words = f"NVIDIA_TF32_OVERRIDE={override} overrides config key energy.precision: {precision}; unset it"
    with pytest.raises(UserError, match=words), numeric_precision(torch.device("cuda:0"), precision):
        pass
    with numeric_precision(torch.device("cpu"), "float32"):
        pass


def test_tf32_is_used_where_the_gpu_has_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    with numeric_precision(torch.device("cuda:0"), "tf32"):
        assert torch.backends.cudnn.allow_tf32
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(UserError, match="Ampere"), numeric_precision(torch.device("cuda:0"), "tf32"):
        pass
