"""Hop lengths that the models of this library cannot make, told before any of them is imported or trained."""

import math
from collections.abc import Mapping
from typing import Any

LIBRARY = "vocoder_pareto.models."
# What the constructors of the models ask of these keys of their architectures; files of users may mean others by them.
PRODUCTS = ("upsampling", "upsample_factors")
DIVISORS = ("groups", "height")
KERNEL = "upsample_kernel"
FRAME = "n_fft"
PARTS = "hops"
PRODUCT_WITH_BANDS, BANDS = "band_upsampling", 4  # and the bands where an architecture does not name them


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
    architecture, faults = {**family["architecture"], **own}, []
    for key, value in architecture.items():
        why = _misfit(key, value, architecture, f"front_ends.{front_end}.hop_length ({hop_length})", hop_length)
        if why:
            where = f"models.{model}.sizes.{size}" if key in own else f"models.{model}"
            shown = list(value) if isinstance(value, list | tuple) else value
            faults.append(
                f"config key {where}.architecture.{key}: {shown} {why}; change one of them, or leave the system out of "
                "`systems`"
            )
    return faults


def _misfit(key: str, value: Any, architecture: Mapping[str, Any], given: str, hop_length: int) -> str:
    """What is wrong with the `value` of `key`, to follow it in a message; empty where nothing is."""
    if FRAME in architecture and key in (FRAME, *PRODUCTS):
        steps = math.prod(factor for name in PRODUCTS for factor in architecture.get(name, ()))
        return _misfit_of_frames(key, value, steps, given, hop_length)
    bands = architecture.get("bands", BANDS)
    if key == PRODUCT_WITH_BANDS and (product := bands * math.prod(value)) != hop_length:
        return f"multiplies with {bands} bands to {product}, and must to {given}"
    if key in PRODUCTS and (product := math.prod(value)) != hop_length:
        return f"multiplies to {product}, and must to {given}"
    if key in DIVISORS and (value < 1 or hop_length % value):
        return f"does not divide {given}"
    if key == PARTS and any(each < 1 or hop_length % each for each in value):
        return f"must each divide {given}"
    if key == KERNEL and (value < hop_length or (value - hop_length) % 2):
        return f"must be {given}, or more by an even number"
    return ""


def _misfit_of_frames(key: str, value: Any, steps: int, given: str, hop_length: int) -> str:
    """The same for what ends with an inverse Fourier transform, of `steps` spectra per frame."""
    if key != FRAME:
        return f"multiplies to {steps}, and must divide {given}" if hop_length % steps else ""
    hop = hop_length // steps
    if hop_length % steps or (value % 2 == 0 and value % hop == 0 and value >= 3 * hop):
        return ""
    return f"must be even and {'' if steps == 1 else f'a {steps}th part of '}{given} times 3 or more"
