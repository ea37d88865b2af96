"""The printed MOS stays with the paper's systems: a name is not enough."""

import pytest

from vocoder_pareto.analysis.printed_mos import Study, sentence, withheld_mos
from vocoder_pareto.analysis.published import read_cost
from vocoder_pareto.analysis.systems_table import mos_of_paper, read_measurements, systems_measured
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS

# Of Table 2: what HiFi-GAN S has there, and what this project counts for it.
PRINTED = (928_000, 2.56)
COUNTED = (928_514, 2.540)


def counts(system="hifigan-S", parameters=COUNTED[0], gflops=COUNTED[1], **others):
    model, _, size = system.rpartition("-")
    return {
        "system": system, "model": model, "size": size, "parameters": parameters, "sample_rate": 16000,
        "gflops_per_audio_second": gflops / 1.024, "gflops_published_convention": gflops, **others,
    }  # fmt: skip


@pytest.fixture
def paper(published_folder):
    return Study(corpus="ljspeech", printed_cost=read_cost(published_folder / "table2_cost.csv"))


def test_the_counts_of_the_paper_are_those_of_its_systems(paper):
    printed = paper.printed_cost.set_index("system").loc["hifigan-S"]
    assert (printed["parameters"], printed["gflops"]) == PRINTED
    assert withheld_mos([counts()], paper) == {}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"parameters": 60_000}, "it has 6e+04 parameters, the paper's has 9.28e+05"),
        ({"gflops": 1.2}, "it has 1.2 GFLOPs by the paper's convention, the paper's has 2.56"),
        ({"sample_rate": 8000}, "its rate is 8000 Hz, the paper's is 16000 Hz"),
    ],
)
def test_a_system_of_the_name_alone_has_no_printed_mos(paper, changed, reason):
    assert withheld_mos([counts(**changed)], paper) == {"hifigan-S": reason}


def test_another_number_of_sampling_steps_is_another_system(paper):
    """WaveGrad S with 6 steps instead of 50: 4.18 M parameters, an eighth of the printed GFLOPs."""
    assert withheld_mos([counts("wavegrad-S", 4_176_513, 887.4)], paper) == {}
    assert "GFLOPs" in withheld_mos([counts("wavegrad-S", 4_176_513, 106.5)], paper)["wavegrad-S"]


def test_natural_speech_is_that_of_the_paper_on_its_recordings_alone(paper, printed_quality):
    digits = Study(corpus="folder", printed_cost=paper.printed_cost)
    assert set(withheld_mos([counts()], digits)) == set(REFERENCE_SYSTEMS)
    assert "LJSpeech" in withheld_mos([], digits)["ground_truth"]


def test_a_name_that_the_paper_lacks_needs_no_reason(paper):
    assert withheld_mos([counts("newcomer-S", 5)], paper) == {}


def test_withheld_mos_are_empty_cells(files, printed_quality, families, paper):
    """The counts of these files are another network's."""
    files.add("hifigan-S", 0.6)
    measured = read_measurements(files.complexity, files.energy, files.training, files.quality)
    table = systems_measured(measured, mos_of_paper(printed_quality), families, CarbonSettings(), paper)
    assert table.set_index("system")["mos"].isna()["hifigan-S"]
    assert table.set_index("system")["on_front_energy"].isna()["hifigan-S"]


def test_readers_are_told_whose_mos_is_missing_and_why():
    withheld = {"ground_truth": "no LJSpeech", "melgan-S": "reason 1", "hifigan-S": "reason 2", "hifigan-M": "reason 3"}
    told = "The printed MOS is of another network than melgan-S (reason 1), hifigan-S (reason 2) and 1 more."
    assert sentence(withheld) == told
    assert sentence({"ground_truth": "no LJSpeech"}) == ""
