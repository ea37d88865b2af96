"""Energy cards: each number beside its formula written out here, and the forms as readers of others take them."""

import io
import json
import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import yaml

from vocoder_pareto.analysis.carbon import carbon_table
from vocoder_pareto.analysis.card_formats import hugging_face_block, markdown_card, spdx_document, write_cards
from vocoder_pareto.analysis.energy_card import CardInputs, energy_cards
from vocoder_pareto.analysis.relative_energy import ratio_with_interval, relative_energies
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS
from vocoder_pareto.tables.csv_tables import typed

JOULES = {"hifigan-L": 2.0, "melgan-S": 0.5, "own-S": 1e-7}  # per second of audio
CARBON = {
    "intensity_kg_per_kwh": 0.1, "power_usage_effectiveness": 1.2, "embodied_kg": 100.0, "lifetime_hours": 10_000.0,
    "location": "Brest, France",
}  # fmt: skip
WRITTEN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
ENERGY = "energy_joules_per_audio_second"


def table_of(**columns):
    """`systems.csv` of three systems on one GPU; the first was trained with 2 kWh, the others are as initialised."""
    rows = [
        {
            "system": system, "model": system[:-2], "size": system[-1], "family": "GAN", "parameters": 1_030_000,
            ENERGY: joules, f"{ENERGY}_ci95": 0.02 * joules, "energy_source": "nvml", "device": "GPU X",
            "real_time_factor": 0.01, "weights": "untrained", "training_steps": 0,
        }
        for system, joules in JOULES.items()
    ]  # fmt: skip
    rows[0] |= {
        "weights": "trained",
        "training_steps": 1000,
        "training_seconds": 3600.0,
        "training_energy_joules": 2 * 3.6e6,
    }
    return typed(pd.DataFrame(rows).assign(**columns), SYSTEMS_COLUMNS, "the test")


def cards_of(statement, printed, systems, carbon=CARBON, **inputs):
    training = {"hifigan-L": {"energy_source": "nvml", "device": "GPU X"}}
    settings = settings_from(CarbonSettings, carbon, "carbon")
    emissions = carbon_table(statement, printed, settings, systems, training)
    energy = {"melgan-S": {"windows": [{"start": {"utc": "2026-11-26T06:34:54.520+00:00"}}]}}
    return energy_cards(CardInputs(systems, emissions, energy, training, settings=settings, **inputs))


@pytest.fixture
def cards(statement, printed):
    return cards_of(statement, printed, table_of())


def test_the_software_carbon_intensity_is_that_of_its_formula(cards):
    """(E × I + M) per R of ISO/IEC 21031, R an hour of audio, M = made × time in use / life."""
    energy_kwh = 0.5 * 3600 / 3.6e6 * 1.2
    embodied = 100.0 * 0.01 / 10_000
    found = cards["melgan-S"]["software_carbon_intensity"]
    assert found["kg_co2eq_per_audio_hour"] == pytest.approx(energy_kwh * 0.1 + embodied)
    assert (found["energy_kilowatt_hours"], found["embodied_kg_co2eq"]) == pytest.approx((energy_kwh, embodied))
    assert found["includes_embodied"]


def test_what_is_not_known_of_making_the_device_is_null_and_told(statement, printed):
    card = cards_of(statement, printed, table_of(), {"intensity_kg_per_kwh": 0.1})["melgan-S"]
    assert card["software_carbon_intensity"]["embodied_kg_co2eq"] is None
    assert "without the emissions of making the device" in markdown_card(card)
    with pytest.raises(UserError, match="embodied_kg and lifetime_hours belong together"):
        settings_from(CarbonSettings, {"embodied_kg": 1.0}, "carbon")


def test_energies_are_relative_to_the_reference_on_the_same_device_alone():
    found = relative_energies(table_of(), "hifigan-L")
    assert found["melgan-S"].ratio == pytest.approx(0.25)
    assert (found["hifigan-L"].ratio, found["hifigan-L"].ratio_ci95) == (1, 0)
    elsewhere = relative_energies(table_of(device=["GPU X", "GPU Y", "GPU X"]), "hifigan-L")["melgan-S"]
    assert elsewhere.ratio is None
    assert "several devices" in elsewhere.why_not
    estimated = relative_energies(table_of(energy_source=["nvml", "estimated", "nvml"]), "hifigan-L")["melgan-S"]
    assert "not on comparable terms" in estimated.why_not
    assert "not measured beside it" in relative_energies(table_of(), "waveglow-L")["melgan-S"].why_not
    unknown = relative_energies(table_of(**{ENERGY: [np.nan, 1.0, 1.0]}), "hifigan-L")["melgan-S"]
    assert "energy of hifigan-L is not known" in unknown.why_not


def test_the_interval_of_a_ratio_is_that_of_drawn_ratios():
    generator = np.random.default_rng(0)
    half_widths = np.array([0.1, 0.04])
    drawn = np.array([3.0, 2.0])[:, None] + half_widths[:, None] / 1.96 * generator.standard_normal((2, 200_000))
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    ratio, half_width = ratio_with_interval(3.0, 0.1, 2.0, 0.04)
    assert ratio == 1.5
    assert half_width == pytest.approx((high - low) / 2, rel=0.02)
    assert ratio_with_interval(3.0, None, 2.0, 0.04) == (1.5, None)
    assert ratio_with_interval(3.0, 0.1, 2.0, float("nan")) == (1.5, None)


def test_the_block_of_hugging_face_tells_the_training_in_grams(cards):
    """Its fields and unit are those of the Hub's documentation, "Displaying carbon emissions for your model"."""
    text = markdown_card(cards["hifigan-L"])
    block = yaml.safe_load(re.match(r"---\n(.*?)---\n", text, re.DOTALL)[1])["co2_eq_emissions"]
    assert block["emissions"] == pytest.approx(2 * 1.2 * 0.1 * 1000)
    assert block["training_type"] == "pre-training"
    assert block["geographical_location"] == "Brest, France"
    assert block["hardware_used"] == "GPU X"
    assert "NVML" in block["source"]


def test_a_system_that_was_not_trained_claims_no_emissions_of_training(cards):
    card = cards["melgan-S"]
    assert hugging_face_block(card) is None
    assert markdown_card(card).startswith("# Energy card: melgan S")
    assert card["training"]["kilowatt_hours"] is None
    assert "trainingEnergyConsumption" not in json.dumps(spdx_document(card, WRITTEN))


def test_energies_in_spdx_are_decimals_without_exponent(cards):
    """xsd:decimal has none; kWh of an hour of audio, times 3.6 MJ, are the joules of 3,600 seconds."""
    for system, joules in JOULES.items():
        graph = spdx_document(cards[system], WRITTEN)["@graph"]
        package = next(element for element in graph if element["type"] == "ai_AIPackage")
        (quantity,) = package["ai_energyConsumption"]["ai_inferenceEnergyConsumption"]
        assert re.fullmatch(r"\d+\.\d+", quantity["ai_energyQuantity"])
        assert float(quantity["ai_energyQuantity"]) * 3.6e6 == pytest.approx(joules * 3600)
        assert quantity["ai_energyUnit"] == "kilowattHour"


def test_the_project_of_spdx_reads_the_document(cards):
    """Its bindings (spdx-python-model of PyPI), generated from the model of SPDX, refuse what is not of it."""
    spdx = pytest.importorskip("spdx_python_model").v3_0_1
    objects = spdx.SHACLObjectSet()
    document = json.dumps(spdx_document(cards["hifigan-L"], WRITTEN)).encode()
    spdx.JSONLDDeserializer().read(io.BytesIO(document), objects)
    objects.link()
    (package,) = objects.foreach_type(spdx.ai_AIPackage)
    assert package.ai_energyConsumption.ai_trainingEnergyConsumption[0].ai_energyQuantity == pytest.approx(2.0)
    assert objects.missing_ids == set()


def test_names_with_signs_of_markdown_and_yaml_stay_names(statement, printed):
    card = cards_of(statement, printed, table_of(), labels={"hifigan": "a|b *c* {d}: <e>"})["hifigan-L"]
    text = markdown_card(card)
    assert "a\\|b" in text
    assert r"\<e>" in text
    assert yaml.safe_load(text.split("---\n")[1])


def test_cards_are_written_with_what_is_unknown_as_null(cards, tmp_path):
    paths = [tmp_path / "melgan-S.md", tmp_path / "melgan-S.json"]
    write_cards(cards, paths, WRITTEN)
    card = json.loads(paths[1].read_text())
    assert card["generation"]["measured"] == "2026-11-26T06:34:54.520+00:00"
    assert card["generation"]["driver"] is None
    assert card["gflops_per_audio_second"] is None
    assert card["spdx"]["@graph"][0]["created"] == "2026-11-26T10:00:00Z"
    first = [path.read_bytes() for path in paths]
    write_cards(cards, paths, WRITTEN)
    assert [path.read_bytes() for path in paths] == first
