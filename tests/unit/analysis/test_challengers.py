"""Which systems of the paper's front newer ones undercut: against closed forms of normal values."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from vocoder_pareto.analysis.challengers import challengers_display, find_challengers
from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.columns import ENERGY

PUBLISHED = pd.DataFrame(
    {"system": ["melgan-S", "hifigan-S", "hifigan-L", "waveglow-S"], "on_front_energy": [True, True, True, False]}
)


def systems_of(joules, half_width=0.1, systematic=0.0, device="CPU"):
    rows = [
        {
            "system": system, "model": system.split("-")[0], "size": system.split("-")[1], "family": "GAN",
            ENERGY: value, f"{ENERGY}_ci95": half_width, f"{ENERGY}_degrees_of_freedom": np.nan,
            f"{ENERGY}_systematic": systematic, "energy_source": "rapl", "device": device,
        }
        for system, value in joules.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


JOULES = {"melgan-S": 1.0, "hifigan-S": 2.0, "hifigan-L": 20.0, "waveglow-S": 30.0, "vocos-L": 1.95, "bigvgan-v2": 80.0}


def test_a_system_survives_on_cost_alone_where_nothing_newer_is_cheaper():
    """The difference of two normal values is normal: 0.05 with a standard error of √2 · 0.1 / 1.96."""
    found = find_challengers(systems_of(JOULES), PUBLISHED, draws=40_000).set_index("system")
    assert list(found.index) == ["melgan-S", "hifigan-S", "hifigan-L"]
    chance = norm.cdf(0.05 / (np.sqrt(2) * 0.1 / 1.96))
    assert found["survival_probability"].tolist() == pytest.approx([1, 1 - chance, 0], abs=0.01)
    assert found["cheaper_for_sure"].tolist() == ["", "", "vocos-L"]
    assert found["perhaps_cheaper"].tolist() == ["", "vocos-L", ""]
    assert found["cheapest_newcomer"].tolist() == ["vocos-L"] * 3
    assert found["energy_ratio"].tolist() == pytest.approx([1.95, 0.975, 0.0975])


def test_the_interval_of_a_ratio_is_that_of_its_parts():
    """To first order, relative errors add up as squares: 5 % and 1 % make 5.1 %."""
    systems = systems_of({"hifigan-S": 2.0, "vocos-L": 10.0})
    row = find_challengers(systems, PUBLISHED, draws=40_000).iloc[0]
    half_width = 5 * np.hypot(0.05, 0.01)
    assert (row["energy_ratio_high"] - row["energy_ratio_low"]) / 2 == pytest.approx(half_width, rel=0.03)


def test_what_a_device_measures_wrongly_of_all_alike_moves_none_before_another():
    systems = systems_of({"hifigan-S": 2.0, "vocos-L": 2.4}, half_width=0.0, systematic=0.5)
    common = find_challengers(systems, PUBLISHED, common_share=1.0).iloc[0]
    assert common["energy_ratio_low"] == pytest.approx(common["energy_ratio_high"])
    assert common["survival_probability"] == 1
    assert find_challengers(systems, PUBLISHED, common_share=0.0).iloc[0]["survival_probability"] < 0.9


def test_readers_get_the_verdict_in_words():
    found = find_challengers(systems_of(JOULES), PUBLISHED)
    text = challengers_display(found, {"melgan": "MelGAN", "hifigan": "HiFi-GAN", "vocos": "Vocos"}).to_markdown()
    assert "| **MelGAN S**" in text
    assert text.count("| survives |") == 1
    assert "| Vocos L | none |" in text
    assert "0.10 times it" in text
    assert "survives with a probability of 2" in text


@pytest.mark.parametrize(
    ("systems", "why"),
    [
        (systems_of({"melgan-S": 1.0}), "no system that is not the paper's"),
        (systems_of({"vocos-L": 1.0}), "no system of the paper's front"),
        (
            pd.concat([systems_of({"melgan-S": 1.0}), systems_of({"vocos-L": 1.0}, device="GPU")]),
            "costs do not compare: measured on several devices",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(systems, why):
    with pytest.raises(UserError, match=why):
        find_challengers(systems, PUBLISHED)
