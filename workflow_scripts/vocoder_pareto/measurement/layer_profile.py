"""Where in a network the parameters, the operations and the time are: a row per layer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.complexity import parameter_count
from vocoder_pareto.measurement.operations import rule_of_module, weight_of
from vocoder_pareto.measurement.workload import numeric_precision
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.tables.csv_files import write_csv

COLUMNS = ("layer", "kind", "calls", "parameters", "macs", "flops", "output_bytes", "latency_seconds", "latency_share")


@dataclass
class LayerCost:
    """What one layer costs in one call of the vocoder.

    Attributes:
        layer: its name in the network; the last row, `(outside of layers)`, is what no layer accounts for.
        kind: its class.
        calls: how often the vocoder calls it.
        parameters: the number of its own.
        macs: multiply-accumulates of all calls together.
        output_bytes: the size of all results together.
        latency_seconds: the time of all calls together, with the device synchronised around each, so that layers do
            not overlap.
    """

    layer: str
    kind: str
    calls: int = 0
    parameters: int = 0
    macs: int = 0
    output_bytes: int = 0
    latency_seconds: float = 0.0


def profile_layers(vocoder: Vocoder, mel: Tensor, passes: int = 5) -> list[LayerCost]:
    """Profile `synthesize` of `vocoder` (prepared for inference, on its device) for `mel` (B, M, L).

    Latencies are means over `passes` calls after one that warms up. Layers that the vocoder does not call through
    their `forward` (functional forms) are not seen; their time is in the last row. All is computed in float32, without
    the TF32 that PyTorch allows to convolutions.
    """
    layers = {name: module for name, module in vocoder.named_modules() if not list(module.children()) and name}
    costs = {name: LayerCost(name, type(module).__name__) for name, module in layers.items()}
    clock = clock_of(mel.device)
    hooks = []
    for name, module in layers.items():
        costs[name].parameters = parameter_count(module)
        watch = _LayerWatch(costs[name], clock.synchronise)
        hooks += [module.register_forward_pre_hook(watch.begin), module.register_forward_hook(watch.end)]
    try:
        with torch.inference_mode(), numeric_precision(mel.device, "float32"):
            vocoder.synthesize(mel)
            for cost in costs.values():
                cost.calls = cost.macs = cost.output_bytes = 0
                cost.latency_seconds = 0.0
            clock.synchronise()
            begin = time.perf_counter()
            for _ in range(passes):
                vocoder.synthesize(mel)
            clock.synchronise()
            total = (time.perf_counter() - begin) / passes
    finally:
        for hook in hooks:
            hook.remove()
    for cost in costs.values():
        cost.calls //= passes
        cost.macs //= passes
        cost.output_bytes //= passes
        cost.latency_seconds /= passes
    rest = total - sum(cost.latency_seconds for cost in costs.values())
    own = parameter_count(vocoder) - sum(cost.parameters for cost in costs.values())
    return [*costs.values(), LayerCost("(outside of layers)", "", 1, own, latency_seconds=rest)]


def write_profile(path: str | Path, costs: Sequence[LayerCost]) -> None:
    """Write the CSV file of `profile_layers`, in the order of the network."""
    total = sum(cost.latency_seconds for cost in costs)
    rows = [vars(cost) | {"flops": 2 * cost.macs, "latency_share": cost.latency_seconds / total} for cost in costs]
    write_csv(path, COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


class _LayerWatch:
    """Hooks that add up one layer's cost."""

    def __init__(self, cost: LayerCost, synchronise: Callable[[], None]):
        self._cost = cost
        self._synchronise = synchronise
        self._begin = 0.0

    def begin(self, module: nn.Module, inputs: tuple) -> None:
        self._synchronise()
        self._begin = time.perf_counter()

    def end(self, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        self._synchronise()
        self._cost.latency_seconds += time.perf_counter() - self._begin
        self._cost.calls += 1
        self._cost.output_bytes += output.numel() * output.element_size()
        rules = rule_of_module(module)
        self._cost.macs += rules.exact(inputs[0], weight_of(module), output) if rules else 0
