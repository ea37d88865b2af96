"""The record of what a system costs on any hardware: parameters, operations, memory."""

from dataclasses import replace
from typing import Any

from torch import nn

from vocoder_pareto.measurement.flops import Operations, count_operations
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.sections.measurement import PublishedConvention
from vocoder_pareto.study.systems import SystemSettings

GIGA = 1.0e9
FLOPS_UNKNOWN = (
    "PyTorch did no product of matrices and no convolution, the only operations that are counted: the work is done "
    "outside of PyTorch, as by NumPy, or there is none"
)


def measure_complexity(
    system: SystemSettings, published: PublishedConvention, clip_seconds: float = 10.0
) -> dict[str, Any]:
    """Count parameters, operations and memory of `system` for a clip; nothing is computed, so any machine will do.

    Args:
        system: says which architecture and sampling are counted.
        published: says what the paper counted.
        clip_seconds: is the length of the clip, rounded to whole frames.

    Returns:
        The content of `measurements/complexity/{system}.json`.

    Raises:
        UnusableAudio: the vocoder gives no waveforms of the right type and shape.
    """
    vocoder = build_vocoder(system)
    parameters = parameter_count(vocoder)
    vocoder = vocoder.prepare_for_inference()
    frames = max(1, round(clip_seconds * system.sample_rate / system.hop_length))
    audio_seconds = frames * system.hop_length / system.sample_rate
    fast, plain = count_operations(vocoder, frames), count_operations(vocoder, frames, plainly=True)
    flops = counted_flops(fast.macs)
    flops_plain = counted_flops(plain.macs)
    return {
        "system": system.name,
        "model": system.model,
        "size": system.size,
        "sample_rate": system.sample_rate,
        "parameters": parameters,
        "parameters_for_inference": parameter_count(vocoder),
        "frames": frames,
        "audio_seconds": audio_seconds,
        "macs": fast.macs or None,
        "flops": flops,
        "gflops_per_audio_second": _giga_per_second(flops, audio_seconds),
        "gflops_plain_per_audio_second": _giga_per_second(flops_plain, audio_seconds),
        "gflops_fft": _giga_per_second(counted_transforms(fast), audio_seconds),
        "gflops_elementwise": _giga_per_second(counted_elementwise(fast), audio_seconds),
        **counted_as_published(system, published),
        "activation_bytes": fast.memory.activation_bytes,
        "activation_bytes_plain": plain.memory.activation_bytes,
        "moved_bytes": fast.memory.moved_bytes,
        "arithmetic_intensity_flops_per_byte": flops / fast.memory.moved_bytes if flops else None,
        "counters": _counters(fast),
        "counters_plain": _counters(plain),
    }


def parameter_count(module: nn.Module) -> int:
    """Numbers that the network learns; each once, whichever modules share it. A complex number is two."""
    return sum(parameter.numel() * (1 + parameter.is_complex()) for parameter in module.parameters())


def counted_flops(macs: int) -> int | None:
    """FLOPs of `macs` multiply-accumulates; None for none, since what no counter knows is not free.

    All that is done outside of PyTorch is such.
    """
    return 2 * macs or None


def counted_transforms(operations: Operations) -> int | None:
    """FLOPs of Fourier transforms, which may be none; None where they cannot be known.

    That is where something was called that no rule knows, and where the vocoder had to compute to be counted but
    neither products nor transforms were seen: then it does its work outside of PyTorch.
    """
    others = operations.others
    seen = operations.from_shapes or operations.macs or others.fft_flops
    return others.fft_flops if seen and not others.unknown else None


def counted_elementwise(operations: Operations) -> int | None:
    """Operations element by element; None as in `counted_transforms`."""
    return None if counted_transforms(operations) is None else operations.others.elementwise_operations


def counted_as_published(system: SystemSettings, published: PublishedConvention) -> dict[str, Any]:
    """The number that the paper's Table 2 would print for `system`, and what it counts."""
    counted = replace(
        system,
        hop_length=published.hop_length or system.hop_length,
        architecture={**system.architecture, **published.architecture},
        sampling={**system.sampling, **published.sampling},
    )
    operations = count_operations(build_vocoder(counted), published.frames, plainly=True)
    flops, flops_published = counted_flops(operations.macs), counted_flops(operations.published_macs)
    return {
        "gflops_published_convention": None if flops_published is None else flops_published / GIGA,
        "published_convention": {
            "frames": published.frames,
            "hop_length": counted.hop_length,
            "audio_seconds": published.frames * counted.hop_length / counted.sample_rate,
            "architecture": dict(published.architecture),
            "sampling": dict(published.sampling),
            "form": "module by module (generate_plainly)",
            "transposed_convolutions": "inputs × C_in × k, where inputs × C_out × k are done",
            "gflops_exact": None if flops is None else flops / GIGA,
        },
    }


def _counters(operations: Operations) -> dict[str, Any]:
    return {
        "thop_macs": operations.layer_macs,
        "functional_macs": operations.functional_macs,
        "flop_counter_macs": operations.flop_counter_macs,
        "agree": operations.counters_agree,
        "fft_flops": operations.others.fft_flops,
        "elementwise_operations": operations.others.elementwise_operations,
        "elementary_functions": operations.others.elementary_functions,
        "elementwise_by_operator": dict(operations.others.elementwise),
        "unknown_operators": dict(operations.others.unknown),
    }


def _giga_per_second(operations: int | None, audio_seconds: float) -> float | None:
    return None if operations is None else operations / audio_seconds / GIGA
