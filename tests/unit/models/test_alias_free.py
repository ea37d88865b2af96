"""BigVGAN's activation, against SciPy's resampling and against what a signal of limited bandwidth must become."""

import numpy as np
import pytest
import scipy.signal
import torch
from closeness import assert_close
from reference_networks.bigvgan import low_pass_filter

from vocoder_pareto.models.alias_free import REACH, AliasFreeSnake
from vocoder_pareto.models.layers import channels_last

FORMS = {"fast": AliasFreeSnake.forward, "plain": AliasFreeSnake.plainly}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


@pytest.fixture
def activation():
    activation = AliasFreeSnake(3)
    with torch.no_grad():
        activation.alpha.copy_(torch.tensor([0.5, -0.3, 0.0]))
        activation.beta.copy_(torch.tensor([-0.5, 0.2, 0.7]))
    return activation


def by_scipy(signal, alpha, beta):
    """One channel: `upfirdn` with zeros between the samples, the function, `upfirdn` that leaves out every other."""
    taps = low_pass_filter()
    doubled = scipy.signal.upfirdn(2 * taps, np.pad(signal, 5, mode="edge"), up=2)[15:][: 2 * len(signal)]
    bent = doubled + np.sin(np.exp(alpha) * doubled) ** 2 / np.exp(beta)
    return scipy.signal.upfirdn(taps, np.pad(bent, (5, 6), mode="edge"), down=1)[11:-11:2]


@forms
@pytest.mark.parametrize("samples", [1, 2, 3, 40])
def test_both_forms_are_a_function_between_scipys_changes_of_rate(activation, form, samples):
    signal = 2 * torch.randn(2, 3, samples)
    expected = np.stack([
        [by_scipy(*each) for each in zip(clip, activation.alpha.tolist(), activation.beta.tolist(), strict=True)]
        for clip in signal.double().numpy()
    ])  # fmt: skip
    assert_close(form(activation, signal), expected, factor=64, eps=2**-23)


@forms
def test_a_constant_becomes_its_value_of_the_function(activation, form):
    """Filters of sum 1 leave constants as they are."""
    value = torch.tensor([0.3, -1.2, 2.0])
    expected = value + torch.sin(activation.alpha.exp() * value) ** 2 / activation.beta.exp()
    found = form(activation, value[None, :, None].expand(1, 3, 20))
    assert_close(found, expected[None, :, None].expand(1, 3, 20), factor=32)


@forms
def test_what_the_function_adds_beyond_half_the_rate_hardly_folds_back(form):
    """A tone at 0.35 of the rate: the square in it is at 0.7, which without a doubled rate is heard at 0.3."""
    activation, times = AliasFreeSnake(1), torch.arange(1000, dtype=torch.float64)
    tone = 0.3 * torch.cos(2 * torch.pi * 0.35 * times)[None, None]
    naive = tone + torch.sin(tone) ** 2
    folded = [
        np.abs(np.fft.rfft(each[0, 0].detach().numpy() * np.hanning(1000)))[300]
        for each in (form(activation.double(), tone), naive)
    ]
    assert folded[0] < folded[1] / 3  # filters of 12 taps are not steep


@forms
def test_the_reach_is_that_of_both_filters(activation, form):
    signal = torch.randn(1, 3, 41)
    changed = signal.clone()
    changed[..., 20] += 1
    places = (form(activation, changed) != form(activation, signal)).any(dim=1)[0].nonzero().flatten()
    assert (places.min(), places.max()) == (20 - REACH, 20 + REACH)


def test_the_fast_form_keeps_the_memory_layout(activation):
    signal = torch.randn(2, 3, 50)
    there = activation(channels_last(signal))
    assert there.transpose(1, 2).is_contiguous()
    assert activation(signal).is_contiguous()
    assert_close(there, activation(signal), factor=32)


def test_both_forms_have_the_same_gradients(activation):
    signal, direction = torch.randn(2, 3, 30, dtype=torch.float64), torch.randn(2, 3, 30, dtype=torch.float64)
    activation.double()
    found = []
    for form in FORMS.values():
        inputs = (signal.clone().requires_grad_(), activation.alpha, activation.beta)
        found.append(torch.autograd.grad((form(activation, inputs[0]) * direction).sum(), inputs))
    for fast, plain in zip(*found, strict=True):
        assert_close(fast, plain, factor=256)


def test_the_filter_is_no_trained_weight_and_lies_among_the_weights(activation):
    assert dict(activation.named_parameters()).keys() == {"alpha", "beta"}
    filters = [value for name, value in activation.state_dict().items() if name.endswith(".filter")]
    assert len(filters) == 2
    for each in filters:
        assert_close(each[0, 0], low_pass_filter(), factor=8)
    assert filters[0].sum().item() == pytest.approx(1, abs=1e-6)
