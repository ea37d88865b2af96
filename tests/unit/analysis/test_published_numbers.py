"""How the printed numbers are read: every reading is recomputed from the tables."""

import pytest

from vocoder_pareto.analysis import published
from vocoder_pareto.errors import UserError

A5000_FLOPS_PER_JOULE = 27.8e12 / 230  # float32 peak / board power


def test_with_the_inferred_interval_wavegrad_m_and_l_cannot_be_told_apart(printed_quality):
    rows = printed_quality.set_index("system")
    one, other = rows.loc["wavegrad-M"], rows.loc["wavegrad-L"]
    assert one["mos"] - one["mos_ci95"] < other["mos"] < one["mos"] < other["mos"] + other["mos_ci95"]


def test_the_printed_energy_is_joules_not_millijoules(printed_cost):
    flops = printed_cost["gflops"] * 1e9 / 1.024 * published.GENERATED_SECONDS
    as_joules = flops / printed_cost["e_gen_as_printed_mj"]
    assert as_joules.max() < 5 * A5000_FLOPS_PER_JOULE  # WaveFlow's count is of more operations than are needed
    assert (as_joules * 1000).max() > 1000 * A5000_FLOPS_PER_JOULE
    exact = printed_cost["model"].isin(["melgan", "hifigan", "diffwave", "waveglow"])
    assert as_joules[exact].max() < A5000_FLOPS_PER_JOULE
    assert (as_joules[printed_cost["model"] == "wavegrad"] * 1000).min() > 100 * A5000_FLOPS_PER_JOULE


def test_energy_per_second_is_a_hundredth_of_the_printed_number(printed_cost):
    row = printed_cost.set_index("system").loc["melgan-S"]
    assert row["energy_joules_per_audio_second"] == pytest.approx(0.4908)


def test_exact_gflops_are_given_only_where_the_printed_count_holds_them(printed):
    exact = printed.set_index("system")["gflops_per_audio_second"].dropna()
    assert set(exact.index) == {f"{model}-{size}" for model in ("diffwave", "waveglow") for size in "SML"}
    assert exact["diffwave-S"] == pytest.approx(79.43 / 1.024)


def test_each_size_has_its_own_convention_over_that_of_its_model(conventions):
    assert conventions.of("wavegrad", "M").audio_seconds == 2.048
    assert conventions.of("wavegrad", "L").audio_seconds is None
    assert "not published" in conventions.of("wavegrad", "L").parameters
    assert conventions.of("newcomer", "S") == published.Convention()


def test_a_distance_of_hifigan_says_what_the_authors_code_did_otherwise(conventions):
    assert all("small.yaml is V3" in conventions.of("hifigan", size).d_stft for size in "SM")
    assert "does not decay" in conventions.of("hifigan", "L").d_stft
    assert "small.yaml" not in conventions.of("hifigan", "L").d_stft
    assert conventions.of("melgan", "S").d_stft == ""


def test_the_published_table_has_natural_speech_and_18_systems_with_their_sources(printed):
    assert len(printed) == 19
    assert printed["system"].iloc[0] == "ground_truth"
    systems = printed[printed["family"] != "reference"]
    assert set(systems["energy_source"]) == {"published"}
    assert set(printed["mos_source"]) == {"published"}
    assert systems["parameters"].iloc[0] == 1_030_000
    assert printed["energy_source"].iloc[0] == ""
    assert systems["training_energy_joules"].unique() == pytest.approx([36 * 3.6e6])


def test_both_published_fronts_are_those_of_the_paper(printed):
    for column in ("on_front_energy", "on_front_gflops"):
        front = set(printed.loc[printed[column].fillna(False), "system"])
        assert front == {"melgan-S", "hifigan-S", "hifigan-L"}


def test_a_published_table_without_a_column_names_it(tmp_path):
    path = tmp_path / "table1.csv"
    path.write_text("model,size\nmelgan,S\n")
    with pytest.raises(UserError, match="'suggested_by_authors' is missing"):
        published.read_quality(path)
