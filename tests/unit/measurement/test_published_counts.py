"""The 18 systems of the study against the paper's Table 2, and both counters of operations against each other."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from vocoder_pareto.measurement.complexity import counted_as_published, parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import published_convention, systems_of

PROJECT = Path(__file__).parents[3]
CONFIG = read_configuration([PROJECT / "config.yaml"])
SYSTEMS = {system.name: system for system in systems_of({**CONFIG, "systems": "all"})}
with (PROJECT / "resources" / "published" / "table2_cost.csv").open() as file:
    TABLE_2 = {f"{row['model']}-{row['size']}": row for row in csv.DictReader(file)}
NOT_PUBLISHED = {"wavegrad-L"}  # its configuration
# What counts a size counts them all; that the larger ones are as large as printed, `make test-slow` tells.
COUNTED = [pytest.param(name, marks=[] if name.endswith("-S") else [pytest.mark.slow]) for name in TABLE_2]


def last_digit(printed: str) -> float:
    """What the last printed digit is worth; the table rounds some numbers and cuts others."""
    return 10.0 ** -len(printed.partition(".")[2])


@pytest.mark.parametrize("name", TABLE_2)
def test_parameters_agree_with_table_2_to_its_printed_digits(name):
    printed = TABLE_2[name]["parameters_millions"]
    millions = parameter_count(build_vocoder(SYSTEMS[name])) / 1e6
    assert millions == pytest.approx(float(printed), abs=last_digit(printed))


@pytest.mark.parametrize("name", COUNTED)
def test_flops_by_the_published_convention_agree_with_table_2_within_one_percent(name):
    system = SYSTEMS[name]
    counted = counted_as_published(system, published_convention(CONFIG, system.model, system.size))
    ratio = counted["gflops_published_convention"] / float(TABLE_2[name]["gflops"])
    assert (abs(ratio - 1) < 0.01) == (name not in NOT_PUBLISHED), ratio


@pytest.mark.parametrize("plainly", [False, True])
@pytest.mark.parametrize("name", COUNTED)
def test_both_counters_agree_on_the_form_that_is_measured_and_on_the_plain_one(name, plainly):
    system = SYSTEMS[name]
    if "steps" in system.sampling:  # all steps of a sampler are alike
        system = replace(system, sampling={**system.sampling, "steps": 2})
    operations = count_operations(build_vocoder(system), frames=8, plainly=plainly)
    assert operations.macs == operations.flop_counter_macs > 0
