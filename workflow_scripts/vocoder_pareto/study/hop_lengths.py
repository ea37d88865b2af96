"""Hop lengths that the models of this library cannot make, told before any of them is imported or trained."""

import math
from collections.abc import Mapping
from typing import Any

LIBRARY = "vocoder_pareto.models."
# What the constructors of the models ask of these keys of their architectures; files of users may mean others by them.
PRODUCTS = ("upsampling", "upsample_factors")
DIVISORS = ("groups", "height")
KERNEL = "upsample_kernel"
PARTS = "hops"


def faults_of_hop_length(
    model: str, size: str, family: Mapping[str, Any], front_end: str, hop_length: int
) -> list[str]:
    """A line for each key of a system's architecture by which it cannot make `hop_length` samples of a frame.

    Args:
        model, size: The system.
        family: What the configuration says of its model.
        front_end: The name of its front end.
        hop_length: That of its front end.
    """
    if not family["vocoder"].startswith(LIBRARY):
        return []
    own = family["sizes"][size]["architecture"]
    faults = []
    for key, value in {**family["architecture"], **own}.items():
        why = _misfit(key, value, f"front_ends.{front_end}.hop_length ({hop_length})", hop_length)
        if why:
            where = f"models.{model}.sizes.{size}" if key in own else f"models.{model}"
            shown = list(value) if isinstance(value, list | tuple) else value
            faults.append(
                f"config key {where}.architecture.{key}: {shown} {why}; change one of them, or leave the system out of "
                "`systems`"
            )
    return faults


def _misfit(key: str, value: Any, given: str, hop_length: int) -> str:
    if key in PRODUCTS and (product := math.prod(value)) != hop_length:
        return f"multiplies to {product}, and must to {given}"
    if key in DIVISORS and (value < 1 or hop_length % value):
        return f"does not divide {given}"
    if key == PARTS and any(each < 1 or hop_length % each for each in value):
        return f"must each divide {given}"
    if key == KERNEL and (value < hop_length or (value - hop_length) % 2):
        return f"must be {given}, or more by an even number"
    return ""
