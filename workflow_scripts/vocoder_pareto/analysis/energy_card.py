"""The energy card of a system: what it costs, on which device, by which protocol, and what of it has doubts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from vocoder_pareto.analysis.carbon import OURS
from vocoder_pareto.analysis.doubts import doubts_of
from vocoder_pareto.analysis.relative_energy import RelativeEnergy, relative_energies
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.columns import ENERGY, EXACT_GFLOPS, REFERENCE_FAMILY, system_label
from vocoder_pareto.tables.sources import source_of

FUNCTIONAL_UNIT = "1 hour of generated audio"  # R of the Software Carbon Intensity


@dataclass(frozen=True)
class CardInputs:
    """What cards are made of.

    Attributes:
        systems: `systems.csv`.
        carbon: `carbon.csv`.
        energy: records of energy, by system; what a record lacks is null on the card.
        training: summaries of training, by system.
        flags: of each system, see `systems_flags.json`.
        not_publishable: systems whose energy is an estimate or of a short protocol.
        settings: intensity of electricity, site and embodied emissions.
        reference: the system whose energy is 1.
        labels: what readers see for a model.
    """

    systems: pd.DataFrame
    carbon: pd.DataFrame
    energy: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    not_publishable: Sequence[str] = ()
    settings: CarbonSettings = field(default_factory=CarbonSettings)
    reference: str = "hifigan-L"
    labels: Mapping[str, str] = field(default_factory=dict)


def energy_cards(inputs: CardInputs) -> dict[str, dict[str, Any]]:
    """The card of every system but the references, by system: plain values in SI units, None for what is not known."""
    systems = inputs.systems[inputs.systems["family"] != REFERENCE_FAMILY]
    relative = relative_energies(systems, inputs.reference)
    ours = inputs.carbon[inputs.carbon["study"] == OURS].set_index("system")
    return {
        row["system"]: _card(row, ours.loc[row["system"]].to_dict(), relative[row["system"]], inputs)
        for row in systems.to_dict("records")
    }


def _card(
    row: Mapping[Any, Any], carbon: Mapping[Any, Any], relative: RelativeEnergy, inputs: CardInputs
) -> dict[str, Any]:
    system = row["system"]
    return {
        "system": system,
        "name": system_label(row["model"], row["size"], inputs.labels),
        "model": row["model"],
        "size": row["size"],
        "family": row["family"] or None,
        "parameters": known(row["parameters"]),
        EXACT_GFLOPS: known(row[EXACT_GFLOPS]),
        "generation": _generation(row, inputs),
        "relative_energy": asdict(relative),
        "training": _training(row, carbon, inputs.training.get(system, {})),
        "software_carbon_intensity": _intensity(row, carbon, inputs.settings),
        "publishable": system not in inputs.not_publishable,
        "flags": list(inputs.flags.get(system, ())),
        "doubts": doubts_of(inputs.flags).get(system, []),
    }


def _generation(row: Mapping[Any, Any], inputs: CardInputs) -> dict[str, Any]:
    """What a second of audio costs, and how that was found."""
    record = inputs.energy.get(row["system"], {})
    hardware, windows = record.get("hardware", {}), record.get("windows") or [{}]
    return {
        ENERGY: known(row[ENERGY]),
        f"{ENERGY}_ci95": known(row[f"{ENERGY}_ci95"]),
        f"{ENERGY}_systematic": known(row[f"{ENERGY}_systematic"]),
        "energy_source": row["energy_source"] or None,
        "energy_source_meaning": source_of(row["energy_source"]).meaning if row["energy_source"] else None,
        "boundary": record.get("meter", {}).get("boundary"),
        "real_time_factor": known(row["real_time_factor"]),
        "mean_power_watts": known(row["mean_power_watts"]),
        "device": row["device"] or None,
        "driver": (hardware.get("gpu") or {}).get("driver"),
        "measured": windows[0].get("start", {}).get("utc") or record.get("measured_at"),
        "commit": record.get("software", {}).get("git", {}).get("commit"),
        "protocol": record.get("protocol"),
    }


def _training(row: Mapping[Any, Any], carbon: Mapping[Any, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """How the system came to its weights, and what that cost here: steps that a kill lost are part of it."""
    return {
        "weights": row["weights"] or None,
        "weights_source": row["weights_source"] or None,
        "steps": known(row["training_steps"]),
        "hours": known(carbon["training_hours"]),
        "kilowatt_hours": known(carbon["training_kwh"]),
        "kg_co2eq": known(carbon["training_kg_co2eq"]),
        "energy_source": (carbon["training_energy_source"] or None) if known(carbon["training_kwh"]) else None,
        "device": summary.get("device") or None,
    }


def _intensity(row: Mapping[Any, Any], carbon: Mapping[Any, Any], settings: CarbonSettings) -> dict[str, Any]:
    """The Software Carbon Intensity, (E × I + M) per R (ISO/IEC 21031), where R is an hour of audio.

    M, the share of the emissions of making the device, is its emissions × the time that the audio takes / its life.
    Without M, which is then null, the intensity is of operation alone.
    """
    operation = known(carbon["generation_kg_co2eq_per_audio_hour"])
    made, hours = settings.embodied_kg_per_hour, known(row["real_time_factor"])
    embodied = None if made is None or hours is None else made * hours
    kwh = known(carbon["generation_kwh_per_audio_hour"])
    return {
        "functional_unit": FUNCTIONAL_UNIT,
        "energy_kilowatt_hours": None if kwh is None else kwh * settings.power_usage_effectiveness,
        "intensity_kg_per_kwh": settings.intensity_kg_per_kwh,
        "intensity_source": settings.intensity_source,
        "intensity_year": settings.intensity_year,
        "power_usage_effectiveness": settings.power_usage_effectiveness,
        "location": settings.location,
        "embodied_kg_co2eq": embodied,
        "kg_co2eq_per_audio_hour": None if operation is None else operation + (embodied or 0.0),
        "includes_embodied": embodied is not None,
    }


def known(cell: Any) -> Any:
    """A cell of a table as plain Python has it; None where it is missing."""
    if cell is None or pd.isna(cell):
        return None
    return cell.item() if hasattr(cell, "item") else cell
