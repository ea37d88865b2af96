"""The measurement of a vocoder of a user's own, as the study measures its systems: in processes of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from vocoder_pareto.conformance.bench import bench_of_candidate, named
from vocoder_pareto.conformance.chosen import chosen_candidate
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.measurement.energy import Bench, measure_in_processes
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from

# Of the quick protocol on an accelerator: clips as long as those of the paper and of the stored sets, since a short one
# leaves most of it idle. On a CPU, whose joules compare with none of them, a clip of the quick study is enough.
CLIP_SECONDS_ON_ACCELERATORS = 10.0


@dataclass(frozen=True)
class OwnMeasurement:
    """What was measured.

    Attributes:
        record: What `measure_energy` returns.
        gflops: Operations per second of audio, in 10^9; None where no counter knows them.
    """

    record: Mapping[str, Any]
    gflops: float | None


def measure_own(
    config_files: Sequence[str | Path],
    vocoder: str,
    front_end: str | None,
    weights: str | Path | None,
    device: str,
    is_quick: bool,
) -> OwnMeasurement:
    """Measure the class, network or function at the import path `vocoder`.

    Args:
        config_files: The configuration, which has the front ends, the protocol, the meter and the seed.
        vocoder: The import path.
        front_end: The name of what makes its input; None for `paper`.
        weights: A file of its weights, or None.
        device: auto, cpu, cuda or cuda:N.
        is_quick: Whether an accelerator may be given longer clips than the default of the configuration.

    Raises:
        UserError: The vocoder, the front end, the weights, the device or its meter is not there or does not fit, or the
            vocoder fails.
    """
    config = read_configuration(config_files)
    candidate = named(chosen_candidate(config_files, vocoder, None, front_end, None), "measured")
    settings = settings_from(EnergySettings, config["energy"], "energy")
    is_short = is_quick and settings.clip_seconds == EnergySettings().clip_seconds
    if is_short and in_own_process(_is_accelerator, device):
        settings = replace(settings, clip_seconds=CLIP_SECONDS_ON_ACCELERATORS)
    meter = settings_from(MeterSettings, config["meter"], "meter")
    bench = partial(bench_of_candidate, candidate, weights, settings, meter, device, config["seed"])
    try:
        gflops = in_own_process(_gflops, bench)
        return OwnMeasurement(measure_in_processes(bench, settings, config["seed"]), gflops)
    except UserError:
        raise
    except Exception as error:  # of code that is not ours
        raise UserError(
            f"{vocoder}: fails on mel-spectrograms of {candidate.system.n_mels} bands ({first_line(error)}); name the "
            "front end that it takes (--front-end), or let `vocoder-pareto check` say what is wrong"
        ) from error


def _is_accelerator(device: str) -> bool:
    return resolve_device(device).type != "cpu"


def _gflops(open_bench: Callable[[], Bench]) -> float | None:
    flops = open_bench().subject.flops_per_audio_second
    return None if flops is None else flops * 1e-9
