"""An energy card in the forms that others read: Markdown with Hugging Face's block, and SPDX 3's AI profile."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from vocoder_pareto.analysis.display_table import markdown_text
from vocoder_pareto.files import canonical_json, write_json, write_text
from vocoder_pareto.tables.columns import ENERGY, EXACT_GFLOPS
from vocoder_pareto.tables.sources import source_of
from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

SPDX_VERSION = "3.0.1"
SPDX_CONTEXT = f"https://spdx.org/rdf/{SPDX_VERSION}/spdx-context.jsonld"
GRAMS_PER_KG = 1000.0
NOT_KNOWN = "not known"
_NAMES = uuid.UUID("6d0f2f1b-9e0b-5a3e-8f4e-0c1f6f8d7a52")  # of the elements of our SPDX documents


def write_cards(cards: Mapping[str, Mapping[str, Any]], paths: Sequence[Path], written: datetime) -> None:
    """Write `{system}.md` and `{system}.json`, which also holds what Hugging Face and SPDX read.

    Args:
        cards: by system, see `energy_card.energy_cards`.
        paths: files to write; each is named by a system and ends in .md or .json.
        written: when; in UTC.
    """
    for path in paths:
        card = cards[path.stem]
        if path.suffix == ".md":
            write_text(path, markdown_card(card))
        else:
            others = {"hugging_face": hugging_face_block(card), "spdx": spdx_document(card, written)}
            write_json(path, {**card, **others})


def hugging_face_block(card: Mapping[str, Any]) -> dict[str, Any] | None:
    """`co2_eq_emissions` of a model card: emissions of the training in grams; None where these are not known.

    Source: the Hub's documentation, "Displaying carbon emissions for your model".
    """
    training, intensity = card["training"], card["software_carbon_intensity"]
    if training["kg_co2eq"] is None:
        return None
    block = {
        "emissions": float(f"{training['kg_co2eq'] * GRAMS_PER_KG:.6g}"),
        "source": f"energy {source_of(training['energy_source'] or '').meaning}; {_electricity(intensity)}",
        "training_type": "pre-training",
        "geographical_location": intensity["location"],
        "hardware_used": training["device"],
    }
    return {"co2_eq_emissions": {key: value for key, value in block.items() if value is not None}}


def spdx_document(card: Mapping[str, Any], written: datetime) -> dict[str, Any]:
    """The card as JSON-LD of SPDX 3.0.1: an AI package with its `EnergyConsumption`.

    Energy of inference is that of an hour of generated audio, as the comment says: SPDX itself names no unit of work.

    Args:
        card: see `energy_card.energy_cards`.
        written: when; in UTC.
    """
    digest = canonical_json({**card, "written": written.isoformat()})
    agent, package, document = (_identifier(f"{kind} {digest}") for kind in ("agent", "package", "document"))
    shared = {"creationInfo": "_:creation"}
    consumption: dict[str, Any] = {"type": "ai_EnergyConsumption"}
    joules, training = card["generation"][ENERGY], card["training"]["kilowatt_hours"]
    if training is not None:
        consumption["ai_trainingEnergyConsumption"] = [_quantity(training)]
    if joules is not None:
        per_hour = joules * SECONDS_PER_HOUR / JOULES_PER_KWH
        consumption["ai_inferenceEnergyConsumption"] = [_quantity(per_hour)]
    of_package = {
        "name": card["name"],
        "comment": _spdx_comment(card),
        "ai_typeOfModel": [card["family"]] if card["family"] else None,
        "ai_energyConsumption": consumption if len(consumption) > 1 else None,
    }
    return {
        "@context": SPDX_CONTEXT,
        "@graph": [
            {
                "type": "CreationInfo",
                "@id": "_:creation",
                "specVersion": SPDX_VERSION,
                "created": written.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "createdBy": [agent],
            },
            {"type": "SoftwareAgent", "spdxId": agent, **shared, "name": "vocoder-pareto"},
            {"type": "ai_AIPackage", "spdxId": package, **shared}
            | {key: value for key, value in of_package.items() if value is not None},
            {
                "type": "SpdxDocument",
                "spdxId": document,
                **shared,
                "name": f"Energy of {card['name']}",
                "profileConformance": ["core"],
                "rootElement": [package],
            },
        ],
    }


def markdown_card(card: Mapping[str, Any]) -> str:
    """The card for readers; the block of YAML at its top is what a model card on the Hugging Face Hub begins with."""
    block = hugging_face_block(card)
    head = f"---\n{yaml.safe_dump(block, allow_unicode=True, sort_keys=False)}---\n" if block else ""
    rows = [f"| {name} | {markdown_text(text)} |" for name, text in _facts(card)]
    state = "" if card["publishable"] else "**Not for publication**: an estimate, or measured by a short protocol.\n\n"
    if card["doubts"]:
        state += f"What speaks against the energy: {', '.join(card['doubts'])}.\n\n"
    text = f"# Energy card: {markdown_text(card['name'])}\n\n{state}| | |\n| :-- | :-- |\n" + "\n".join(rows)
    return f"{head}{text}\n\nThe same with more detail, and as SPDX {SPDX_VERSION}, is in `{card['system']}.json`.\n"


def _facts(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    generation, training = card["generation"], card["training"]
    return [
        ("Parameters", _number(card["parameters"], 1e-6, " M")),
        ("GFLOPs per second of audio", _number(card[EXACT_GFLOPS])),
        ("Energy per second of audio", _energy(generation)),
        ("Relative energy", _relative(card["relative_energy"])),
        ("Real-time factor", _number(generation["real_time_factor"])),
        ("Device", ", driver ".join(filter(None, (generation["device"], generation["driver"]))) or NOT_KNOWN),
        ("Measured", generation["measured"] or NOT_KNOWN),
        ("Protocol", _protocol(generation["protocol"])),
        ("Training", _training(training)),
        ("Software Carbon Intensity", _intensity(card["software_carbon_intensity"])),
        ("Flags", ", ".join(card["flags"]) or "none"),
    ]


def _energy(generation: Mapping[str, Any]) -> str:
    joules = generation[ENERGY]
    if joules is None:
        return NOT_KNOWN
    half, systematic = generation[f"{ENERGY}_ci95"], generation[f"{ENERGY}_systematic"]
    text = f"{joules:.4g} J" + ("" if half is None else f" ± {half:.2g} J (95 %)")
    text += f", {generation['energy_source_meaning'] or 'of unknown source'}"
    return text + ("" if systematic is None else f"; systematic uncertainty {systematic:.0%}")


def _relative(relative: Mapping[str, Any]) -> str:
    if relative["ratio"] is None:
        return f"{NOT_KNOWN}: {relative['why_not']}"
    half = f" ± {relative['ratio_ci95']:.2g}" if relative["ratio_ci95"] else ""
    return f"{relative['ratio']:.3g}{half} times that of {relative['reference']} on this device"


def _protocol(protocol: Mapping[str, Any] | None) -> str:
    if not protocol:
        return NOT_KNOWN
    told = ("clips", "clip_seconds", "batch_size", "precision", "processes", "windows", "min_window_seconds")
    return ", ".join(f"{key} {protocol[key]}" for key in told if protocol.get(key) is not None)


def _training(training: Mapping[str, Any]) -> str:
    if training["weights"] == "untrained":
        return "none: the weights are as they are initialised"
    if training["weights"] == "given":
        return f"weights given ({training['weights_source'] or 'unknown source'}); what they cost is {NOT_KNOWN}"
    kwh, kg, steps = training["kilowatt_hours"], training["kg_co2eq"], training["steps"]
    texts = [f"{steps:,} steps" if steps is not None else "", f"on {training['device']}" if training["device"] else ""]
    if kwh is None:
        return ", ".join(filter(None, [*texts, f"energy {NOT_KNOWN}"]))
    return ", ".join(filter(None, [*texts, f"{kwh:.4g} kWh {source_of(training['energy_source'] or '').meaning}"])) + (
        "" if kg is None else f", {kg:.4g} kgCO2eq"
    )


def _intensity(intensity: Mapping[str, Any]) -> str:
    kg = intensity["kg_co2eq_per_audio_hour"]
    if kg is None:
        return NOT_KNOWN
    made = "with" if intensity["includes_embodied"] else "without"
    return (
        f"{kg * GRAMS_PER_KG:.4g} gCO2eq per {intensity['functional_unit'].removeprefix('1 ')} (ISO/IEC 21031), {made} "
        f"the emissions of making the device; {_electricity(intensity)}"
    )


def _electricity(intensity: Mapping[str, Any]) -> str:
    year = f", {intensity['intensity_year']}" if intensity["intensity_year"] else ""
    return (
        f"{intensity['intensity_kg_per_kwh']:g} kgCO2eq per kWh ({intensity['intensity_source']}{year}), power usage "
        f"effectiveness {intensity['power_usage_effectiveness']:g}"
    )


def _spdx_comment(card: Mapping[str, Any]) -> str:
    generation = card["generation"]
    how = generation["energy_source_meaning"] or "of unknown source"
    quality = "" if card["publishable"] else " An estimate, or measured by a short protocol: not for publication."
    return (
        f"Energy of inference: per hour of generated audio, {how}, on {generation['device'] or 'an unknown device'}."
        f"{quality}"
    )


def _number(value: float | None, factor: float = 1.0, unit: str = "") -> str:
    return NOT_KNOWN if value is None else f"{value * factor:,.4g}{unit}"


def _quantity(kilowatt_hours: float) -> dict[str, str]:
    # xsd:decimal has no exponent
    digits = format(Decimal(f"{kilowatt_hours:.10g}"), "f")
    return {"type": "ai_EnergyConsumptionDescription", "ai_energyQuantity": digits, "ai_energyUnit": "kilowattHour"}


def _identifier(text: str) -> str:
    return uuid.uuid5(_NAMES, text).urn
