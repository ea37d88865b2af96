"""Every test begins from a seed: that of `seeds.py`, in all generators that a test may draw from."""

import random
import sys

import numpy as np
import pytest
from hypothesis import settings
from seeds import SEED

settings.register_profile("reproducible", deadline=None, database=None, print_blob=True)
settings.load_profile("reproducible")


@pytest.hookimpl(tryfirst=True)  # Hypothesis reads its option in the same hook
def pytest_configure(config):
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(SEED)


@pytest.fixture(autouse=True)
def _seeded():
    """The global generators of Python, NumPy and, where something has imported it, PyTorch."""
    random.seed(SEED)
    np.random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
