"""A vocoder of a user's own on the bench: built, with its weights and input, and the open meter of a device."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vocoder_pareto.conformance.candidate import CLIPS, MOST_FRAMES, Candidate
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.import_paths import load_class
from vocoder_pareto.measurement.complexity import counted_flops
from vocoder_pareto.measurement.digests import file_digest
from vocoder_pareto.measurement.energy import Bench, Subject
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.models.adapters import MelVocoder
from vocoder_pareto.models.given_weights import load_given, read_weights
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings


def bench_of_candidate(
    candidate: Candidate,
    weights: str | Path | None,
    settings: EnergySettings,
    meter: MeterSettings,
    device: str,
    seed: int,
) -> Bench:
    """What `measure_in_processes` opens: `candidate` with its weights, and mel-spectrograms of harmonics and noise.

    Args:
        candidate: The vocoder.
        weights: A file of its weights, see `read_weights`; None for those that it has once it is built.
        settings: Say how long a clip is, of which FLOPs are counted.
        meter: How energy is read.
        device: auto, cpu, cuda or cuda:N.
        seed: Of random weights.

    Raises:
        UserError: The class, a file, the device or its meter is not there, or the weights do not fit.
    """
    resolved = resolve_device(device)
    torch.manual_seed(seed)
    vocoder = vocoder_of(candidate)
    if weights is not None:
        load_given(vocoder, read_weights(weights).weights, weights)
    system = candidate.system
    frames = max(1, round(settings.clip_seconds * system.sample_rate / system.hop_length))
    flops = counted_flops(count_operations(vocoder, frames).macs)
    per_second = None if flops is None else flops / (frames * system.hop_length / system.sample_rate)
    mels = torch.cat(list(candidate.mel(MOST_FRAMES, CLIPS)), dim=1).numpy()
    digest = None if weights is None else file_digest(weights)
    return Bench(Subject(vocoder, system, {}, per_second, mels, digest), open_meter(resolved, meter), resolved)


def vocoder_of(candidate: Candidate) -> Vocoder:
    """The vocoder of `candidate`; another network, or a function, is wrapped as `MelVocoder` does.

    Raises:
        UserError: There is no such class or function, or it cannot be built.
    """
    found: Any = load_class(candidate.system.vocoder, f"models.{candidate.system.model}.vocoder")
    is_network = isinstance(found, type) and issubclass(found, nn.Module) and not issubclass(found, Vocoder)
    if not is_network and (isinstance(found, type) or not callable(found)):
        return build_vocoder(candidate.system)

    class Wrapped(MelVocoder):
        """A network or function that knows nothing of this project."""

        def build(self):
            return found() if is_network else found

    try:
        vocoder = Wrapped(n_mels=candidate.system.n_mels, hop_length=candidate.system.hop_length)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{candidate.system.vocoder}: cannot be built without arguments ({first_line(error)}); write a subclass "
            "of MelVocoder that builds it (docs/adding_a_model.md)"
        ) from error
    vocoder.name = candidate.system.name
    return vocoder.eval()


def named(candidate: Candidate, size: str) -> Candidate:
    """The same vocoder under another second half of its name."""
    return replace(candidate, system=replace(candidate.system, size=size))
