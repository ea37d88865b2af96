"""Every test begins from a seed: that of `seeds.py`, in all generators that a test may draw from."""

import gc
import random
import sys

import numpy as np
import psutil
import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from seeds import SEED
from shared_by_workers import begin_run, end_run

# Else Hypothesis mixes in the numbers that stand in whichever modules are imported by then: examples would depend on
# the order of tests and on their number, and each worker would parse the whole library.
providers.is_local_module_file = lambda path: False
settings.register_profile("reproducible", deadline=None, database=None, print_blob=True)
settings.load_profile("reproducible")


@pytest.hookimpl(tryfirst=True)  # Hypothesis reads its option in the same hook
def pytest_configure(config):
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(SEED)
    if begin_run():
        config.add_cleanup(end_run)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Three on a machine of two threads, since some tests wait for browsers and programs; else what xdist takes."""
    return 3 if psutil.cpu_count() == 2 else None


def pytest_collection_finish(session):
    """What was imported lives to the end: collections of garbage, which some packages ask for often, pass it over."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config):
    gc.unfreeze()  # else extension modules complain at the end of what was not collected


@pytest.fixture(autouse=True)
def _seeded():
    """The global generators of Python, NumPy and, where something has imported it, PyTorch."""
    random.seed(SEED)
    np.random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
