"""The rules of what may be compared, against the cases that the documentation lists, and nothing else that decides."""

import re
from pathlib import Path

import pytest

from vocoder_pareto.tables.comparability import (
    comparable,
    why_costs_differ,
    why_distances_differ,
    why_no_finding,
    why_not_beside_published,
    why_protocols_differ,
    why_ratings_differ,
    why_sources_differ,
)

LIBRARY = Path(__file__).resolve().parents[3] / "workflow_scripts" / "vocoder_pareto"


@pytest.mark.parametrize("words", [["nvml", "published"], ["nvml", "nvml"], ["wattmeter", "wattmeter"], []])
def test_energies_of_gpus_and_of_one_source_compare(words):
    assert comparable(words)
    assert why_sources_differ(words) == ""


@pytest.mark.parametrize(
    "words",
    [
        ["nvml", "estimated"], ["rapl", "published"], ["estimated", "published"], ["wattmeter", "nvml"], ["", "nvml"],
        [""], ["nvml", "published", "rapl"],
    ],
)  # fmt: skip
def test_nothing_else_does_and_the_reason_names_the_sources(words):
    assert not comparable(words)
    assert why_sources_differ(words).startswith("not on comparable terms: ")


def test_the_reason_is_in_the_words_of_readers():
    assert why_sources_differ(["estimated", "nvml"]) == (
        "not on comparable terms: estimated from CPU time and measured by NVML"
    )
    assert "printed by Douwes et al. 2023" in why_not_beside_published("rapl")
    assert why_not_beside_published("nvml") == ""


def test_costs_of_one_source_compare_on_one_device():
    assert why_costs_differ(["nvml", "nvml"], ["A", "A"]) == ""
    assert why_costs_differ(["nvml", "nvml"], ["B", "A"]) == "measured on several devices: A, B"
    assert "NVML" in why_costs_differ(["nvml", "rapl"], ["A", "B"])


def test_joules_of_other_precision_batch_or_length_of_clips_do_not_compare():
    one = {"precision": "float32", "batch_size": 1, "clip_seconds": 10.0, "windows": 3}
    assert why_protocols_differ(one, {**one, "windows": 5}) == ""
    assert why_protocols_differ(one, {"batch_size": 1}) == ""
    assert why_protocols_differ(one, {**one, "clip_seconds": 0.4}).endswith("measured with clip_seconds 10.0 and 0.4")
    assert "batch_size 1 and 8" in why_protocols_differ(one, {**one, "batch_size": 8})


def test_ratings_of_one_test_compare_and_simulated_ones_are_no_finding():
    assert why_ratings_differ(["published"] * 3) == ""
    assert "several tests" in why_ratings_differ(["published", "listening_test"])
    assert why_no_finding(["listening_test"]) == why_no_finding(["published"]) == why_no_finding([]) == ""
    assert "SIMULATED" in why_no_finding(["simulated"])


def test_distances_compare_from_nine_tenths_of_the_papers_time_on():
    assert why_distances_differ(0.9 * 120 * 3600, 120) == ""
    assert "trained for 1 h, the paper's for 120 h" in why_distances_differ(3600.0, 120)
    assert "not known" in why_distances_differ(float("nan"), 120)


def test_no_other_module_decides_what_compares():
    """The table of sources is read for its decision in one module alone."""
    for file in LIBRARY.rglob("*.py"):
        if file.name not in ("comparability.py", "sources.py"):
            assert not re.search(r"compares_with|\bcomparable\(", file.read_text(encoding="utf-8")), file
