import csv

import pytest
import torch
from small_vocoder import SmallVocoder

from vocoder_pareto.measurement.complexity import parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.layer_profile import COLUMNS, profile_layers, write_profile


@pytest.fixture
def vocoder():
    return SmallVocoder().prepare_for_inference()


def test_layers_add_up_to_the_network(vocoder):
    costs = profile_layers(vocoder, torch.zeros(1, 80, 10), passes=2)
    assert sum(cost.macs for cost in costs) == count_operations(vocoder, 10).macs
    assert sum(cost.parameters for cost in costs) == parameter_count(vocoder)
    assert all(cost.latency_seconds > 0 for cost in costs)


def test_calls_are_those_of_one_pass(vocoder):
    costs = {cost.layer: cost for cost in profile_layers(vocoder, torch.zeros(1, 80, 10), passes=3)}
    assert costs["linear"].calls == 2
    assert costs["linear"].macs == 2 * 2560 * 2 * 2
    assert costs["linear"].output_bytes == 2 * 2560 * 2 * 4
    assert costs["activation"].macs == 0


def test_profiling_leaves_no_hooks(vocoder):
    profile_layers(vocoder, torch.zeros(1, 80, 4), passes=1)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in vocoder.modules())


def test_the_table_has_shares_that_add_up_to_one(vocoder, tmp_path):
    write_profile(tmp_path / "layers.csv", profile_layers(vocoder, torch.zeros(1, 80, 10), passes=1))
    with (tmp_path / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert sum(float(row["latency_share"]) for row in rows) == pytest.approx(1.0)
    assert int(rows[0]["flops"]) == 2 * int(rows[0]["macs"])


def test_layers_are_timed_in_float32(vocoder, monkeypatch):
    """PyTorch allows TF32 to convolutions on NVIDIA GPUs, which `energy.precision: float32` does not."""
    seen = []

    def watched(mel, generator=None):
        seen.append(torch.backends.cudnn.allow_tf32)
        return SmallVocoder.generate(vocoder, mel, generator)

    monkeypatch.setattr(vocoder, "generate", watched)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    profile_layers(vocoder, torch.rand(1, 80, 4), passes=1)
    assert seen == [False, False]
    assert torch.backends.cudnn.allow_tf32
