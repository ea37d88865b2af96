"""How close two computations of the same numbers must be: in units of their type, by the size of what they compute."""

import numpy as np


def assert_close(actual, expected, factor: float, eps: float | None = None) -> None:
    """Assert that `actual` and `expected` differ nowhere by more than `factor` · eps · max |expected|.

    Both are arrays, tensors or numbers of one shape and any real type; NaN and infinity are close to nothing.

    A sum in another order, a fused operation or another instruction set changes every rounding, each by up to half of
    eps of the largest number at hand. So errors are judged by the largest expected magnitude and not by their own
    element, which may be near zero after cancellation; and `factor` counts the roundings that may add up: 8 for a few
    operations, 16 for a layer, 64 for a transform, 256 for a network and for what is computed and then undone, more
    only where the test says what multiplies the errors. In float32 even 1,000 are less than a thousandth of the whole.

    eps is that of the coarser type of both unless it is given, as for what was computed in another type in between.
    """
    kinds = [_eps_of(value) for value in (actual, expected)]
    actual, expected = (np.asarray(_detached(value), dtype=np.float64) for value in (actual, expected))
    assert actual.shape == expected.shape
    assert np.isfinite(actual).all()
    assert np.isfinite(expected).all()
    unit = (max(kinds) if eps is None else eps) * np.abs(expected).max(initial=0)
    difference = np.abs(actual - expected).max(initial=0)
    assert difference <= factor * unit, (
        f"differs by {difference:.3g}, {difference / unit if unit else np.inf:.1f} roundings; {factor} are allowed"
    )


def _detached(value):
    return value.detach() if hasattr(value, "detach") else value


def _eps_of(value) -> float:
    kind = np.asarray(_detached(value)).dtype
    return float(np.finfo(kind if np.issubdtype(kind, np.floating) else np.float64).eps)
