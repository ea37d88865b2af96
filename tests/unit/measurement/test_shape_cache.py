import torch
from torch import nn
from torch.nn import functional

from vocoder_pareto.measurement.shape_cache import ShapeCache


def layouts(*tensors):
    return [(tensor.shape, tensor.stride(), tensor.dtype, tensor.device.type) for tensor in tensors]


def program():
    signal = torch.empty(2, 6, 40, device="meta").transpose(1, 2).contiguous().transpose(1, 2)
    layer = nn.Conv1d(6, 6, 3, padding=1, device="meta")
    results = []
    for _ in range(3):
        signal = functional.leaky_relu(layer(signal), 0.2)
        signal += torch.randn_like(signal)
        first, second = signal.chunk(2, dim=1)
        up = functional.interpolate(torch.cat([first.sigmoid() * second.tanh()] * 2, dim=1), scale_factor=2)
        results += [signal, first, up, *torch.max(up, dim=2), up.double().mean(), up > 0]
    counts = torch.empty(3, dtype=torch.int64, device="meta")
    return [*results, counts + 1, counts + 1.0, counts + True]


def test_cached_results_have_the_layout_of_those_that_are_computed():
    expected = layouts(*program())
    with torch.no_grad(), ShapeCache():
        assert layouts(*program()) == expected


def test_what_has_content_is_computed_every_time():
    total = torch.zeros(1)
    with ShapeCache():
        for _ in range(3):
            total += 2
    assert total.item() == 6


def test_views_stay_views():
    base = torch.empty(4, 4, device="meta")
    with ShapeCache():
        views = [base[1:] for _ in range(2)]
    assert all(view._base is base for view in views)


def test_in_place_operations_give_their_own_argument():
    with ShapeCache():
        tensors = [torch.empty(3, device="meta") for _ in range(2)]
        assert all(tensor.mul_(2) is tensor for tensor in tensors)
