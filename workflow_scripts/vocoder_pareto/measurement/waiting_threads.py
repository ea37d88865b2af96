"""How the threads of OpenMP wait: spinning, which counts as CPU time, or asleep."""

import os

import torch


def waiting_policy() -> str:
    """`passive`, `active` or `default`, which spins for some milliseconds, as the environment of this process says.

    A number of spins, which comes before any policy, is told as it is: `GOMP_SPINCOUNT=1000`.
    """
    spins = os.environ.get("GOMP_SPINCOUNT")
    if spins is not None:
        return "passive" if spins == "0" else f"GOMP_SPINCOUNT={spins}"
    return os.environ.get("OMP_WAIT_POLICY", "default").lower()


def threads_spin() -> bool:
    """Whether threads of this process may spin while they wait for each other, as single ones never do."""
    return waiting_policy() != "passive" and torch.get_num_threads() > 1
