"""Ours beside the printed numbers: ratios by the paper's convention, reasons, ranks, and who moves on the front."""

import numpy as np
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.analysis.comparison import agreement, compare_with_published, to_markdown

ENERGY = "energy_joules_per_audio_second"


def ours_from(printed, **changes):
    """A study like the printed one, measured by NVML on another GPU."""
    ours = printed.assign(energy_source=printed["energy_source"].replace({"published": "nvml"}), device="GPU X")
    ours["gflops_per_audio_second"] = ours["gflops_published_convention"] / 2
    return ours.assign(**changes)


def rows(table, quantity):
    return table[table["quantity"] == quantity].set_index("system")


def test_ratios_compare_by_the_convention_of_the_paper(printed, conventions, statement):
    ours = ours_from(printed, gflops_published_convention=printed["gflops_published_convention"] * 1.004)
    gflops = rows(compare_with_published(ours, printed, conventions, statement), "gflops")
    assert gflops["ratio"].tolist() == pytest.approx([1.004] * 18)
    assert gflops["agrees"].all()
    assert gflops.loc["waveflow-S", "ours_exact"] == pytest.approx(852.85 / 2)
    assert not rows(
        compare_with_published(
            ours_from(printed, gflops_published_convention=ours["gflops_published_convention"] * 1.02),
            printed, conventions, statement,
        ), "gflops",
    )["agrees"].any()  # fmt: skip


def test_every_difference_of_counts_has_its_reason(printed, conventions, statement):
    table = compare_with_published(ours_from(printed), printed, conventions, statement)
    reasons = rows(table, "gflops")["reason"]
    assert all("64 frames" in reason for reason in reasons)
    for system, words in {
        "melgan-S": "C_in² · k", "hifigan-L": "C_in² · k", "wavegrad-M": "hop length 512",
        "wavegrad-L": "not published", "waveflow-S": "convolution queue",
    }.items():  # fmt: skip
        assert words in reasons[system]
    parameters = rows(table, "parameters")["reason"]
    assert "weight normalisation" in parameters["waveglow-S"]
    assert "not published" in parameters["wavegrad-L"]
    assert parameters["melgan-S"] == ""


def test_energy_compares_only_where_a_gpu_was_measured(printed, conventions, statement):
    measured = rows(compare_with_published(ours_from(printed), printed, conventions, statement), "energy")
    assert measured["ratio"].tolist() == pytest.approx([1.0] * 18)
    assert all("46 J" in reason for reason in measured["reason"])
    assert measured["reason"].str.contains("exchanged").sum() == 2
    ours = ours_from(printed, energy_source="estimated")
    estimated = rows(compare_with_published(ours, printed, conventions, statement), "energy")
    assert estimated["ratio"].isna().all()
    assert estimated["ours_exact"].notna().all()
    assert all("Not on comparable terms" in reason for reason in estimated["reason"])


@pytest.mark.parametrize("source", ["estimated", "rapl"])
def test_of_energies_that_do_not_compare_no_sentence_ranks_or_counts(printed, conventions, statement, labels, source):
    """What the table withholds as a ratio, the text below must not tell as a rank, a front or a factor."""
    cheap = printed[ENERGY].where(printed["system"] != "waveflow-L", 0.5)
    ours = ours_from(printed, energy_source=source, **{ENERGY: cheap})
    agreed = agreement(ours, printed)
    found = agreed["energy"]
    assert (found["systems"], found["spearman"], found["kendall"], found["front_here"]) == (0, None, None, None)
    assert found["joined"] is found["left"] is None
    assert found["ratio_to_median_ratio"] == {}
    ((why, systems),) = found["not_compared"].items()
    assert why.startswith("not on comparable terms")
    assert len(systems) == 18
    text = to_markdown(compare_with_published(ours, printed, conventions, statement), agreed, conventions, labels)
    of_energy = text.partition("- Energy here")[2].partition("- Exact GFLOPs")[0]
    assert "no system compares" in of_energy
    assert why in of_energy
    assert not any(word in of_energy for word in ("Spearman", "joins", "leaves", "times the published", "Front"))
    assert "Spearman 1.000" in text  # counts compare as before


def test_measured_systems_are_ranked_and_the_estimated_ones_among_them_are_named(printed):
    source = printed["energy_source"].replace({"published": "nvml"}).where(printed["model"] != "wavegrad", "estimated")
    found = agreement(ours_from(printed, energy_source=source), printed)["energy"]
    assert found["systems"] == 15
    assert list(found["not_compared"].values()) == [["wavegrad-S", "wavegrad-M", "wavegrad-L"]]


def test_systems_measured_on_two_devices_are_not_ranked(printed):
    device = ["GPU X"] * 10 + ["GPU Y"] * 9
    found = agreement(ours_from(printed, device=device), printed)
    assert found["energy"]["systems"] == 0
    assert list(found["energy"]["not_compared"]) == ["measured on several devices: GPU X, GPU Y"]
    assert found["gflops"]["systems"] == 18


def test_simulated_listeners_move_nobody_on_the_front(printed, conventions, statement, labels):
    ours = ours_from(printed, mos=5 - printed["mos"] * 0.9, mos_source="simulated")
    agreed = agreement(ours, printed)
    assert agreed["energy"]["front_here"] is None
    assert agreed["energy"]["spearman"] == pytest.approx(1.0)
    text = to_markdown(compare_with_published(ours, printed, conventions, statement), agreed, conventions, labels)
    assert "Fronts are not compared: MOS of SIMULATED listeners" in text
    assert "joins the front" not in text


def test_distances_compare_only_after_the_papers_training(printed, conventions, statement):
    full = rows(compare_with_published(ours_from(printed), printed, conventions, statement), "d_stft")
    assert full["ratio"].tolist() == pytest.approx([1.0] * 18)  # natural speech, 0 by nature, is not compared
    short = compare_with_published(ours_from(printed, training_seconds=60.0), printed, conventions, statement)
    assert rows(short, "d_stft")["ratio"].isna().all()


def test_systems_that_the_paper_lacks_are_not_compared(printed, conventions, statement):
    ours = ours_from(printed)
    ours["system"] = ours["system"].replace({"melgan-S": "newcomer-S"})
    assert "newcomer-S" not in set(compare_with_published(ours, printed, conventions, statement)["system"])


def test_rank_correlations_are_those_of_scipy(printed):
    generator = np.random.default_rng(seed_of(0))
    ours = ours_from(printed, **{ENERGY: printed[ENERGY] * np.exp(generator.normal(size=19))})
    found = agreement(ours, printed)["energy"]
    systems = printed[ENERGY].notna()
    one, other = ours.loc[systems, ENERGY], printed.loc[systems, ENERGY]
    assert found["spearman"] == pytest.approx(stats.pearsonr(one.rank(), other.rank()).statistic)
    concordance = [
        np.sign((a - b) * (c - d)) for a, c in zip(one, other, strict=True) for b, d in zip(one, other, strict=True)
    ]
    assert found["kendall"] == pytest.approx(sum(concordance) / (18 * 17))
    assert found["systems"] == 18


def test_who_joins_and_leaves_the_front_is_named_with_the_cause(printed):
    cheap = printed[ENERGY].where(printed["system"] != "wavegrad-M", 0.55)
    dear = cheap.where(printed["system"] != "hifigan-S", 5.0)
    found = agreement(ours_from(printed, **{ENERGY: dear}), printed)["energy"]
    assert found["front_published"] == ["melgan-S", "hifigan-S", "hifigan-L"]
    assert found["joined"] == {"wavegrad-M": {"was_dominated_by": ["hifigan-S", "hifigan-L"]}}
    assert found["left"] == {"hifigan-S": {"is_dominated_by": ["hifigan-L"]}}
    assert found["ratio_to_median_ratio"]["hifigan-S"] == pytest.approx(5.0 / 0.5928, rel=1e-3)


def test_too_few_systems_have_no_ranks(printed):
    few = printed[printed["system"].isin(["melgan-S", "melgan-M"])]
    found = agreement(ours_from(few), printed)["energy"]
    assert (found["spearman"], found["kendall"], found["systems"]) == (None, None, 2)


def test_the_text_tells_all_of_it(printed, conventions, statement, labels):
    cheap = printed[ENERGY].where(printed["system"] != "waveflow-L", 0.5)
    ours = ours_from(printed, **{ENERGY: cheap})
    text = to_markdown(
        compare_with_published(ours, printed, conventions, statement), agreement(ours, printed), conventions, labels
    )
    assert "18 of 18 agree within 1 %." in text
    assert "| WaveFlow S | 852.9 | 852.9 | 426.4 | 1.000 | counted |" in text
    assert "WaveFlow L joins the front: no longer dominated by HiFi-GAN S" in text
    assert "Spearman" in text
    assert "Kendall" in text


def test_the_text_ends_with_what_the_authors_code_does_otherwise(printed, conventions, statement, labels):
    """Of the models at hand; the deviations of WaveGrad's noise by numpy."""
    ours = ours_from(printed[printed["model"].isin(["wavegrad", "waveglow", "melgan"])])
    text = to_markdown(
        compare_with_published(ours, printed, conventions, statement), agreement(ours, printed), conventions, labels
    )
    _, _, end = text.partition("## What the authors' code does otherwise")
    told = [line.split(":")[0] for line in end.splitlines() if line.startswith("- ")]
    assert set(told) == {"- WaveGrad", "- WaveGlow"}
    assert "σ = 1.0; the WaveGlow paper and ours: 0.6" in end
    theirs, papers = (np.sqrt(1 - np.prod(1 - np.linspace(*ends, 50))) for ends in ((1e-6, 0.01), (1e-4, 0.05)))
    assert f"end at a noise of deviation {theirs:.2f}, and starts from noise of 1;" in end
    assert f"which end at {papers:.2f}." in end


def test_a_study_without_any_published_system_still_has_a_comparison(printed, conventions, statement, labels):
    ours = ours_from(printed).assign(system=[f"own-{index}" for index in range(19)])
    table = compare_with_published(ours, printed, conventions, statement)
    assert table.empty
    text = to_markdown(table, agreement(ours, printed), conventions, labels)
    assert "no system has both" in text
    assert "authors' code" not in text
