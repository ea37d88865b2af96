"""The measure of the numerical tests: what it lets pass, and what it does not."""

import numpy as np
import pytest
import torch
from closeness import assert_close

VALUES = np.random.default_rng(0).standard_normal((3, 200))


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_roundings_pass_and_a_thousandth_does_not_at_any_magnitude(kind, scale):
    values = (scale * VALUES).astype(kind)
    assert_close(values * kind(1 + 4 * np.finfo(kind).eps), values, factor=8)
    with pytest.raises(AssertionError, match="roundings; 1000 are allowed"):
        assert_close(values * kind(1.001), values, factor=1000)


def test_an_error_of_one_small_element_is_judged_by_the_largest():
    assert_close(np.float32([1, 1e-7]), np.float32([1, 0]), factor=8)
    with pytest.raises(AssertionError, match="differs by"):
        assert_close(np.float32([1, 1e-5]), np.float32([1, 0]), factor=8)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_close_to_nothing(bad):
    with pytest.raises(AssertionError):
        assert_close([bad], [bad], factor=8)


def test_shapes_and_zeros_must_agree():
    assert_close(np.zeros(3), np.zeros(3), factor=0)
    with pytest.raises(AssertionError):
        assert_close(np.full(3, 1e-30), np.zeros(3), factor=1000)
    with pytest.raises(AssertionError):
        assert_close(np.ones(3), np.ones((1, 3)), factor=8)


def test_tensors_are_compared_in_the_coarser_type_or_in_the_one_that_is_named():
    single = torch.tensor([1 / 3], requires_grad=True)
    assert_close(single, np.array([1 / 3]), factor=1)
    with pytest.raises(AssertionError):
        assert_close(single.to(torch.bfloat16).float(), single, factor=8)
    assert_close(single.to(torch.bfloat16).float(), single, factor=1, eps=torch.finfo(torch.bfloat16).eps)
