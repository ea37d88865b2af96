import pytest
import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError


@pytest.fixture
def gpus(monkeypatch):
    """Let PyTorch see so many GPUs."""

    def install(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return install


@pytest.mark.parametrize(
    ("count", "name", "device"),
    [
        (0, "auto", "cpu"),
        (0, "cpu", "cpu"),
        (2, "auto", "cuda:0"),
        (2, "cuda", "cuda:0"),
        (2, "cuda:1", "cuda:1"),
        (2, "cpu", "cpu"),
    ],
)
def test_a_name_means_a_device_that_exists(gpus, count, name, device):
    gpus(count)
    assert resolve_device(name) == torch.device(device)


@pytest.mark.parametrize(
    ("count", "name", "seen"),
    [(0, "cuda", "no GPU here"), (0, "cuda:0", "no GPU here"), (2, "cuda:2", "cuda:0, cuda:1")],
)
def test_a_gpu_that_does_not_exist_is_named_with_those_that_do(gpus, count, name, seen):
    gpus(count)
    with pytest.raises(UserError, match=f"there is no {name}; PyTorch sees {seen}.*Set device to auto or cpu"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cuda:-1", "mps", "CPU"])
def test_another_name_is_refused_with_those_that_are_allowed(gpus, name):
    gpus(1)
    with pytest.raises(UserError, match=r"is not allowed; allowed: auto \| cpu \| cuda"):
        resolve_device(name)
