"""Programs that measure have told OpenMP to let waiting threads sleep before PyTorch has loaded it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vocoder_pareto.study.source_facts import facts_of

PROGRAMS_THAT_MEASURE = (
    "generate_reference", "measure_energy", "measure_front_end", "measure_reference", "measure_set",
    "sweep_deployments", "sweep_energy", "train",
)  # fmt: skip
PROGRAMS = Path(__file__).parents[2] / "workflow_scripts"


def policy_of(program, **variables):
    """The policy that OpenMP itself says it has read, as it is asked to when it is loaded."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    ran = subprocess.run(
        [sys.executable, PROGRAMS / program, "--help"],
        capture_output=True, text=True, check=True,
        env={**environment, "OMP_DISPLAY_ENV": "true", **variables},
    )  # fmt: skip
    found = [line.split("=")[1].strip(" '") for line in ran.stderr.splitlines() if "OMP_WAIT_POLICY" in line]
    if not found:
        pytest.skip("this OpenMP does not tell its policy")
    return found[0]


def test_threads_that_wait_sleep_where_cpu_time_counts_as_energy():
    assert policy_of("measure_energy.py") == "PASSIVE"


@pytest.mark.parametrize("program", PROGRAMS_THAT_MEASURE)
def test_so_it_is_in_all_programs_that_measure_since_it_is_their_first_import(program):
    names = [name for name, _ in facts_of(PROGRAMS / f"{program}.py").imports]
    first = next(name for name in names if name.partition(".")[0] not in sys.stdlib_module_names)
    assert first == "vocoder_pareto.passive_threads"


def test_a_policy_of_the_user_is_left_alone():
    assert policy_of("measure_energy.py", OMP_WAIT_POLICY="active") == "ACTIVE"


@pytest.mark.parametrize("variables", [{}, {"OPENBLAS_NUM_THREADS": "2"}])  # as Snakemake says to a job of two threads
def test_openblas_whose_threads_spin_whatever_the_policy_has_one(variables):
    """threadpoolctl asks the library itself; where NumPy brings another one, there is nothing to see."""
    code = """
import vocoder_pareto.passive_threads, numpy, scipy.linalg, threadpoolctl
print(*(found["num_threads"] for found in threadpoolctl.threadpool_info() if found["internal_api"] == "openblas"))
"""
    environment = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROGRAMS, env={**environment, **variables}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    if not ran.stdout.strip() or (os.cpu_count() or 1) < 2:
        pytest.skip("no OpenBLAS here, or a single core")
    assert set(map(int, ran.stdout.split())) == {1}
