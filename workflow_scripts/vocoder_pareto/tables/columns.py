"""The columns of `systems.csv`: their order, meaning, unit, direction and scale, in one place.

Tables, figures and the report page take labels and directions from here, so that a quantity has one name everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

# Names of columns that several modules ask for.
ENERGY = "energy_joules_per_audio_second"
ENERGY_SYSTEMATIC = f"{ENERGY}_systematic"
FRONT_END_ENERGY = f"front_end_{ENERGY}"
EXACT_GFLOPS = "gflops_per_audio_second"
PRINTED_GFLOPS = "gflops_published_convention"
PREDICTED_MOS = "predicted_mos"
REPLICATE_OF = "replicate_of"
CLIPS_LEFT_OUT = "clips_left_out"

REFERENCE_FAMILY = "reference"
REFERENCE_LABELS = {"ground_truth": "Ground truth", "griffin_lim": "Griffin-Lim", "world": "WORLD"}
SIZE_ORDER = ("S", "M", "L")  # the paper's
SMALLER_SIZES = ("XXS", "XS")

Kind = Literal["text", "number", "integer", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: as in the file; quantities carry their SI unit.
        label: what readers see.
        unit: as readers see it; empty for counts, scores and text.
        kind: what its cells hold; `integer` columns may have empty cells.
        direction: which way is better; None where neither is.
        scale: the axis that suits it.
        factor: what cells are multiplied with for the shown `unit`.
        record: the JSON file of a system that holds it; None where `analysis.systems_table` computes it.
        key: its name in that file, where it has another.
    """

    name: str
    label: str
    unit: str = ""
    kind: Kind = "number"
    direction: Literal["min", "max"] | None = None
    scale: Literal["linear", "log"] = "linear"
    factor: float = 1.0
    record: Literal["complexity", "energy", "training"] | None = None
    key: str = ""

    @property
    def axis_label(self) -> str:
        """Label with the unit in parentheses."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _of_metric(
    name: str, label: str, unit: str = "", direction: Literal["min", "max"] | None = "min"
) -> tuple[Column, Column, Column]:
    """The columns of a metric of `quality.metrics`, which is called so there: its mean over clips, and its interval."""
    return (
        Column(name, label, unit, "number", direction),
        Column(f"{name}_ci95", f"{label}, half-width of the 95 % interval", unit),
        Column(f"{name}_degrees_of_freedom", f"{label}, degrees of freedom of its interval"),
    )


_METRICS = (
    _of_metric("d_stft", "Spectral distance"),
    _of_metric("mr_stft", "Multi-resolution STFT"),
    _of_metric("log_mel_distance", "Log-mel distance"),
    _of_metric("estoi", "ESTOI", direction="max"),
    _of_metric("mcd", "Mel-cepstral distortion", "bel"),
    _of_metric("f0_rmse", "F0 RMSE", "cents"),
    _of_metric("vuv_error", "V/UV error"),
    _of_metric("si_sdr", "SI-SDR", "dB", None),
    _of_metric("pesq_wb", "PESQ-WB", "MOS-LQO", "max"),
)
METRIC_COLUMNS = tuple(columns[0].name for columns in _METRICS)

SYSTEMS_COLUMNS = (
    Column("system", "System", kind="text"),
    Column("model", "Model", kind="text", record="complexity"),
    Column("size", "Size", kind="text", record="complexity"),
    Column("family", "Family", kind="text"),
    Column("front_end", "Front end", kind="text"),
    Column("sample_rate", "Sample rate", "Hz", "integer", record="complexity"),
    Column("parameters", "Parameters", "M", "integer", "min", "log", 1e-6, record="complexity"),
    Column(EXACT_GFLOPS, "GFLOPs per second of audio", "", "number", "min", "log", record="complexity"),
    Column("gflops_fft", "GFLOPs of FFTs per second of audio", "", "number", "min", record="complexity"),
    Column("gflops_elementwise", "Giga-operations on elements per second of audio", "", "number", "min", "log",
           record="complexity"),
    Column(PRINTED_GFLOPS, "GFLOPs as the paper counts them", "", "number", "min", "log", record="complexity"),
    Column(ENERGY, "Energy per second of audio", "J", "number", "min", "log", record="energy"),
    Column(f"{ENERGY}_ci95", "Energy, half-width of the 95 % interval", "J", record="energy"),
    Column(f"{ENERGY}_degrees_of_freedom", "Energy, degrees of freedom of its interval", record="energy"),
    Column(ENERGY_SYSTEMATIC, "Energy, systematic uncertainty", "%", factor=100.0, record="energy"),
    Column("energy_source", "Source of the energy", kind="text", record="energy"),
    Column("device", "Device", kind="text", record="energy"),
    Column("mean_power_watts", "Mean power", "W", "number", "min", record="energy"),
    Column("idle_power_watts", "Idle power", "W", "number", "min", record="energy"),
    Column("real_time_factor", "Real-time factor", "", "number", "min", "log", record="energy"),
    Column("peak_memory_bytes", "Peak memory", "MiB", "integer", "min", "log", 2.0**-20, record="energy"),
    Column(FRONT_END_ENERGY, "Energy of the front end per second of audio", "J"),
    Column("front_end_real_time_factor", "Real-time factor of the front end"),
    *(column for columns in _METRICS for column in columns),
    Column(CLIPS_LEFT_OUT, "Utterances without a value", kind="text"),
    Column(PREDICTED_MOS, "Predicted quality", "predicted MOS", "number", "max"),
    Column(f"{PREDICTED_MOS}_ci95", "Predicted MOS, half-width of the 95 % interval"),
    Column(f"{PREDICTED_MOS}_degrees_of_freedom", "Predicted MOS, degrees of freedom of its interval"),
    Column(f"{PREDICTED_MOS}_source", "Source of the predicted MOS", kind="text"),
    Column("mos", "Quality", "MOS", "number", "max"),
    Column("mos_ci95", "MOS, half-width of the 95 % interval"),
    Column("mos_degrees_of_freedom", "MOS, degrees of freedom of its interval"),
    Column("mos_comparison_ci95", "MOS, half-width of the 95 % interval for comparisons within the test"),
    Column("mos_comparison_degrees_of_freedom", "MOS, degrees of freedom of the interval for comparisons"),
    Column("mos_source", "Source of the MOS", kind="text"),
    Column("weights", "Weights", kind="text"),
    Column("weights_source", "Source of the weights", kind="text"),
    Column(REPLICATE_OF, "Further seed of", kind="text"),
    Column("training_steps", "Training steps", kind="integer", record="training", key="steps"),
    Column(
        "training_seconds", "Training time", "h", "number", "min", "log", 1 / SECONDS_PER_HOUR,
        record="training", key="seconds",
    ),
    Column(
        "training_energy_joules", "Energy of training", "kWh", "number", "min", "log", 1 / JOULES_PER_KWH,
        record="training", key="energy_joules",
    ),
    Column("co2eq_kg_training", "Emissions of training", "kg CO2eq", "number", "min", "log"),
    Column("on_front_energy", "On the front of energy and MOS", kind="flag"),
    Column("on_front_gflops", "On the front of GFLOPs and MOS", kind="flag"),
)  # fmt: skip

_BY_NAME = {column.name: column for column in SYSTEMS_COLUMNS}


def column_of(name: str) -> Column:
    """The column called `name`; one that is not of `systems.csv` is a plain number labelled with its own name."""
    return _BY_NAME.get(name) or Column(name, name.replace("_", " "))


def model_label(model: str, labels: Mapping[str, str]) -> str:
    """What readers see for a model, `HiFi-GAN` for `hifigan`: `labels` from the configuration, else the name."""
    return labels.get(model) or REFERENCE_LABELS.get(model) or model


def system_label(model: str, size: str, labels: Mapping[str, str]) -> str:
    """What readers see for a system: `HiFi-GAN S`."""
    return f"{model_label(model, labels)} {size}".rstrip()


def label_of_system(system: str, labels: Mapping[str, str]) -> str:
    """What readers see for the system called `system` (`hifigan-S`, `griffin_lim`): `HiFi-GAN S`, `Griffin-Lim`."""
    model, _, size = system.rpartition("-")
    return system_label(model, size, labels) if model in labels else model_label(system, labels)


def size_rank(size: str) -> tuple[int, str]:
    """Sorts sizes from small to large: XXS, XS, S, M, L; others follow by name."""
    known = (*SMALLER_SIZES, *SIZE_ORDER)
    return (known.index(size), "") if size in known else (len(known), size)
