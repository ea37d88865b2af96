"""Tests that share what is dear to make stay on one worker of pytest-xdist; versions of pytest have broken that."""

import os

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there are no workers")
def test_a_group_reaches_the_scheduler(request):
    assert request.node.nodeid.endswith("@together"), "see requirements.txt for the version of pytest"
