"""On a simulated GPU: tensors with a device and a shape but no content, of which PyTorch refuses to mix devices.

It tells what a machine without a GPU would not: a constant that stays on the CPU, a noise that is drawn there.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from vocoder_pareto.audio import features
from vocoder_pareto.models.registry import build_vocoder, load_class
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.studied_systems import systems_of
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.objectives.objective import Batch

# What is the same code again is done twice at most.
FEWER = {
    "flows": 2, "early_every": 1, "layers": 2, "residual_layers": 2, "dilation_cycle": 2,
    "steps": 2, "betas": [1e-4, 0.5],
}  # fmt: skip


def fewer(settings: dict) -> dict:
    """The settings with fewer repetitions, see `FEWER`."""
    return {key: FEWER.get(key, value) for key, value in settings.items()}


CONFIG = read_configuration([Path(__file__).parents[2] / "config.yaml"])
SYSTEMS = [
    replace(system, architecture=fewer(system.architecture), sampling=fewer(system.sampling))
    for system in systems_of({**CONFIG, "systems": "all"})
    if system.size == "S"
]
GPU = torch.device("cuda", 0)
FRAMES = 2


def simulated(module: nn.Module) -> nn.Module:
    """What `module.to(GPU)` does, in place: parameters and buffers move, and nothing else."""
    for part in module.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                part._parameters[name] = nn.Parameter(torch.empty(weight.shape, dtype=weight.dtype, device=GPU))
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device=GPU)
    return module


def mels(system: SystemSettings) -> torch.Tensor:
    return torch.rand(2, system.n_mels, FRAMES, device=GPU)


def precision(kind: torch.dtype | None) -> AbstractContextManager:
    """What `bf16-mixed` and `16-mixed` do on a GPU; its list of operations is not that of a CPU."""
    if kind is None:
        return nullcontext()
    with (
        mock.patch("torch.cuda.is_available", return_value=True),
        mock.patch("torch.cuda.is_bf16_supported", return_value=True),
    ):
        return torch.autocast("cuda", kind)


each_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)


def test_mixed_devices_are_refused_as_by_a_gpu():
    with FakeTensorMode(), pytest.raises(RuntimeError, match="device"):
        torch.ones(2, device=GPU) + torch.ones(2)


def test_products_are_computed_in_the_reduced_type_as_by_a_gpu():
    with FakeTensorMode(), precision(torch.bfloat16):
        assert (torch.rand(2, 2, device=GPU) @ torch.rand(2, 2, device=GPU)).dtype == torch.bfloat16


# Devices are mixed in a reduced type where they are in full precision, and what mixes types shows in one of them alone.
each_precision = pytest.mark.parametrize(
    "kind", [torch.bfloat16, *(pytest.param(kind, marks=pytest.mark.slow) for kind in (None, torch.float16))], ids=str
)


@each_precision
@each_system
def test_generation_stays_on_the_gpu(system, kind, monkeypatch):
    monkeypatch.setattr(Vocoder, "_check", lambda self, mel: None)  # reads values, and there are none
    vocoder = build_vocoder(system).eval()
    with FakeTensorMode(), precision(kind):
        vocoder, mel = simulated(vocoder), mels(system)
        plain = vocoder.generate_plainly(mel)
        vocoder.prepare_for_inference()
        ours = vocoder.synthesize(mel)
        chunks = vocoder.synthesize_in_chunks(mel, FRAMES // 2)
    for audio in (plain, ours, chunks):
        assert (audio.device, audio.shape) == (GPU, (2, FRAMES * system.hop_length))


@each_precision
@each_system
def test_losses_stay_on_the_gpu(system, kind, monkeypatch):
    monkeypatch.setattr(features, "_analysis", window_and_filters)
    objective_class = load_class(system.objective, system.name)
    recipe = settings_from(objective_class.Recipe, system.recipe, system.name)
    objective = objective_class(build_vocoder(system), recipe, system.sample_rate)
    with FakeTensorMode(), precision(kind):
        simulated(objective)
        batch = Batch(torch.rand(2, FRAMES * system.hop_length, device=GPU), mels(system))
        for turn in objective.turns:
            objective.begin_turn(turn)
            loss, parts = objective.loss(turn, batch)
            assert (loss.device, loss.dtype, loss.shape) == (GPU, torch.float32, ())
            assert {part.device for part in parts.values()} == {GPU}


def window_and_filters(front_end, device, dtype):
    """Shapes of what is computed from values, and moved, once."""
    assert dtype in (torch.float32, torch.float64), "cuFFT has no bfloat16, and float16 for powers of 2 only"
    bins = front_end.n_fft // 2 + 1
    window = torch.empty(front_end.n_fft, device=device, dtype=dtype)
    return window, torch.empty(bins, front_end.n_mels, device=device, dtype=dtype)
