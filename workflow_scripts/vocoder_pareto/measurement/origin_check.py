"""Whether what a stored record says of its system, device, meter, software and weights agrees with itself."""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from vocoder_pareto.measurement.digests import digest
from vocoder_pareto.measurement.hardware import cpu_peak_flops_per_second
from vocoder_pareto.measurement.set_schema import Domain, Gpu, SetRecord
from vocoder_pareto.tables.sources import ESTIMATED

_RESTORE = "restore what was measured"
_UNITS = {"J": 1.0, "mJ": 1e-3, "µJ": 1e-6}
_NVML = "nvml"  # nvml, nvml_module, nvml_power
_READ_BY_PYJOULES = ("nvml", "nvml_module", "rapl")
_MEMORY_METHODS = {
    "cpu": ("peak resident set", "peak resident set since the process began"),
    "cuda": ("torch.cuda.max_memory_allocated",),
}
_SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_CLOCKS_APART = 0.25  # relative; a CPU that has no highest clock tells that of the moment


def faults_of_origin(record: SetRecord) -> Iterator[str]:
    """What of the descriptions in a record contradicts itself, a line each."""
    for faults in (_of_system, _of_versions, _of_frames, _of_device, _of_meter, _of_peak, _of_software, _of_weights):
        yield from faults(record)
    if record.hardware.gpu is not None and record.meter.source.startswith(_NVML):
        yield from _of_gpu(record.hardware.gpu)


def _of_system(record: SetRecord) -> Iterator[str]:
    name = f"{record.model}-{record.size}"
    if record.system != name:
        yield f"model and size are {record.model} and {record.size}, system is {record.system}; {_RESTORE}"
    settings = record.settings
    found = digest({"architecture": settings.architecture, "sampling": settings.sampling})
    if settings.digest != found:
        yield f"settings.digest is {settings.digest}, that of its architecture and sampling is {found}; {_RESTORE}"


def _of_versions(record: SetRecord) -> Iterator[str]:
    """Whether keys that came together with one version of the record are all there, or none of them."""
    if record.is_early == ("limit_cores" in record.hardware.cpu.model_fields_set):
        yield f"settings.n_mels and hardware.cpu.limit_cores stand in a record together, or neither does; {_RESTORE}"
    kept = {"measured_at", "measured_with", "reused"}
    if record.model_fields_set & kept not in (set(), kept) or (record.reused and record.measured_with is None):
        yield f"measured_at, measured_with and reused stand in a record together, or none of them does; {_RESTORE}"
    if kept <= record.model_fields_set and None in (record.measured_at, record.measured_with):
        yield f"measured_at or measured_with is null; {_RESTORE}"


def _of_frames(record: SetRecord) -> Iterator[str]:
    """Whether some usual sample rate makes a frame a whole number of samples, and clips as long as was asked for."""
    protocol = record.protocol
    frame_seconds = protocol.audio_seconds_per_clip / protocol.batch_frames
    hops = [frame_seconds * rate for rate in _SAMPLE_RATES]
    if not any(math.isclose(hop, round(hop), rel_tol=1e-9) and round(hop) for hop in hops):
        yield (
            f"protocol.audio_seconds_per_clip {protocol.audio_seconds_per_clip:g} over batch_frames "
            f"{protocol.batch_frames} is no whole number of samples a frame at any usual sample rate; {_RESTORE}"
        )
    if abs(protocol.audio_seconds_per_clip - protocol.clip_seconds) > frame_seconds:
        yield (
            f"protocol.audio_seconds_per_clip {protocol.audio_seconds_per_clip:g} is not clip_seconds "
            f"{protocol.clip_seconds:g} to a frame; {_RESTORE}"
        )


def _of_device(record: SetRecord) -> Iterator[str]:
    hardware = record.hardware
    kind, cpu, gpu = hardware.device.partition(":")[0], hardware.cpu, hardware.gpu
    names = {"hardware.device_name": hardware.device_name}
    if kind == "cpu":
        names |= {} if cpu.model is None else {"hardware.cpu.model": cpu.model}
    elif gpu is not None:
        names |= {"hardware.gpu.name": gpu.name}
    for key, name in names.items():
        if name != record.device:
            yield f"{key} is {name}, device is {record.device}; {_RESTORE}"
    if (kind == "cpu") != (gpu is None):
        yield f"hardware.device is {hardware.device}, hardware.gpu is {'null' if gpu is None else 'there'}; {_RESTORE}"
    if cpu.physical_cores is not None and cpu.physical_cores > cpu.logical_cores:
        yield f"hardware.cpu.physical_cores {cpu.physical_cores} is above logical_cores {cpu.logical_cores}; {_RESTORE}"
    if cpu.affinity is not None and not 0 < len(set(cpu.affinity)) == len(cpu.affinity) <= cpu.logical_cores:
        yield f"hardware.cpu.affinity {cpu.affinity} are no cores of {cpu.logical_cores}, each once; {_RESTORE}"
    if record.peak_memory_method not in _MEMORY_METHODS.get(kind, (record.peak_memory_method,)):
        yield f"peak_memory_method is {record.peak_memory_method!r}, which is not that of {hardware.device}; {_RESTORE}"
    memory = hardware.memory_bytes if gpu is None else gpu.memory_bytes
    if record.peak_memory_bytes is not None and memory is not None and record.peak_memory_bytes > memory:
        yield f"peak_memory_bytes {record.peak_memory_bytes} is more than the device has, {memory}; {_RESTORE}"


def _of_gpu(gpu: Gpu) -> Iterator[str]:
    """Whether a GPU is described in full, and its power limits lie between each other."""
    if missing := sorted(Gpu.model_fields.keys() - gpu.model_fields_set):
        yield f"hardware.gpu lacks {', '.join(missing)}; {_RESTORE}"
    lowest, highest = gpu.min_power_limit_watts, gpu.max_power_limit_watts
    for key in ("enforced_power_limit_watts", "default_power_limit_watts"):
        ordered = [watts for watts in (lowest, getattr(gpu, key), highest) if watts is not None]
        if any(low > high for low, high in pairwise(ordered)):
            yield f"hardware.gpu.{key} does not lie between min_power_limit_watts and max_power_limit_watts; {_RESTORE}"


def _of_meter(record: SetRecord) -> Iterator[str]:
    meter, gpu = record.meter, record.hardware.gpu
    if meter.source != record.energy_source:
        yield f"meter.source {meter.source} is not energy_source {record.energy_source}; {_RESTORE}"
    if missing := [name for name in meter.headline if name not in meter.domains]:
        yield f"meter.headline {missing[0]} is no counter of meter.domains; {_RESTORE}"
    if meter.source in _READ_BY_PYJOULES and "pyJoules" not in meter.readers:
        yield f"meter.readers lacks pyJoules, which reads {meter.source}; {_RESTORE}"
    if missing := [note for note in meter.notes if note not in record.flags]:
        yield f"flags lack {missing[0]}, which meter.notes holds; {_RESTORE}"
    for name, domain in meter.domains.items():
        of_source = _of_estimate if meter.source == ESTIMATED.word else _of_counter
        yield from (f"meter.domains.{name}.{fault}" for fault in of_source(domain, record, name in meter.headline))
    limit, expected = meter.power_limit_watts, meter.power_limit_watts
    if meter.source == ESTIMATED.word:
        expected = sum(domain.joules_per_unit for domain in meter.domains.values()) * record.hardware.cpu.logical_cores
    elif meter.source.startswith(_NVML) and gpu is not None:
        expected = gpu.enforced_power_limit_watts
    if limit != expected:
        yield f"meter.power_limit_watts is {limit}, {expected} by the device and the meter; {_RESTORE}"


def _of_counter(domain: Domain, record: SetRecord, is_headline: bool) -> Iterator[str]:
    meter, gpu = record.meter, record.hardware.gpu
    if _UNITS.get(domain.unit) != domain.joules_per_unit:
        yield f"joules_per_unit is {domain.joules_per_unit:g}, unit is {domain.unit}; {_RESTORE}"
    if not is_headline:
        return
    if domain.highest_watts is not None and (meter.power_limit_watts or 0.0) > domain.highest_watts:
        yield f"highest_watts {domain.highest_watts:g} is below meter.power_limit_watts; {_RESTORE}"
    if meter.source.startswith(_NVML) and gpu is not None:
        if gpu.uuid is not None and gpu.uuid not in domain.where:
            yield f"where is {domain.where}, hardware.gpu.uuid {gpu.uuid}; {_RESTORE}"
        if domain.wraps_at is not None:
            yield f"wraps_at is {domain.wraps_at:g}, and NVML's counter wraps nowhere; set it to null"


def _of_estimate(domain: Domain, record: SetRecord, is_headline: bool) -> Iterator[str]:
    if domain.unit != "CPU seconds" or not domain.where.endswith(f" {domain.joules_per_unit:g} W"):
        yield f"unit, joules_per_unit and where are not one estimate: {domain.joules_per_unit:g} J, {domain.where}"
    for key, found in (("wraps_at", domain.wraps_at), ("highest_watts", domain.highest_watts)):
        if found is not None:
            yield f"{key} is {found:g}, and an estimate has none; set it to null"


def _of_peak(record: SetRecord) -> Iterator[str]:
    """Whether what the device can do at most follows from its description."""
    gpu, cpu, peak = record.hardware.gpu, record.hardware.cpu, record.bounds.peak_flops_per_second
    precision = record.protocol.precision
    if gpu is None and precision == "tf32":
        yield f"protocol.precision is tf32, which no CPU has; {_RESTORE}"
        return
    if gpu is None:
        expected = cpu_peak_flops_per_second(cpu.logical_cores, cpu.max_mhz, precision)
        is_so = peak is not None and math.isclose(peak, expected, rel_tol=_CLOCKS_APART)
    elif gpu.cuda_cores is None or gpu.max_sm_clock_mhz is None:
        expected, is_so = None, peak is None
    else:
        expected = gpu.cuda_cores * 2 * gpu.max_sm_clock_mhz * 1e6
        # Tensor cores do a power of two times as much with shorter numbers.
        times = 0.0 if peak is None else peak / expected
        is_so = math.isclose(times, 1) if precision == "float32" else times >= 1 and math.log2(times).is_integer()
    if not is_so:
        yield f"bounds.peak_flops_per_second is {peak}, hardware tells of {expected} at float32; {_RESTORE}"


def _of_software(record: SetRecord) -> Iterator[str]:
    packages, meter = record.software.packages, record.meter
    if packages.get("torch") is None:
        yield f"software.packages.torch is missing; {_RESTORE}"
    for key, name, told in (
        ("meter.pyjoules", "pyJoules", meter.pyjoules),
        *((f"meter.readers.{name}", name, version) for name, version in meter.readers.items()),
    ):
        if name in packages and packages[name] != told:
            yield f"{key} is {told}, software.packages.{name} {packages[name]}; {_RESTORE}"


def _of_weights(record: SetRecord) -> Iterator[str]:
    of_today = (record.checkpoint_digest, record.training)
    if record.checkpoint_digest is None and (record.training.steps, record.training.seconds) != (None, None):
        yield f"training is {record.training.steps} steps, and checkpoint_digest null; {_RESTORE}"
    if not record.training.steps and record.training.seconds:
        yield f"training.seconds is {record.training.seconds:g} without steps; {_RESTORE}"
    measured = record.measured_with
    if measured is not None and not record.reused and (measured.checkpoint_digest, measured.training) != of_today:
        yield f"measured_with is not checkpoint_digest and training, though reused is false; {_RESTORE}"
    if record.measured_at is not None and not _is_after(record.measured_at, record.windows[-1].end.utc):
        yield f"measured_at {record.measured_at} is no time after the last window; {_RESTORE}"
    if (record.cross_check is None) != (record.protocol.cross_check == "none"):
        yield f"cross_check is not as protocol.cross_check {record.protocol.cross_check} says; {_RESTORE}"


def _is_after(time: str, other: str) -> bool:
    """Whether a time, told in whole seconds, is not before another."""
    try:
        return datetime.fromisoformat(time) >= datetime.fromisoformat(other).replace(microsecond=0)
    except ValueError:
        return False
