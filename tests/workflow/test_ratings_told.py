"""What became of the ratings of a listening test stands wherever their mean does, and on the terminal."""

import json

import pytest

pytestmark = pytest.mark.workflow


def test_numbers_of_ratings_stand_on_the_terminal_in_captions_tables_and_the_report(study):
    results = study.folder / "results"
    counts = json.loads((results / "listening_test" / "counts.json").read_text())
    assert counts["n_used"] > 0
    assert counts["n_read"] == sum(
        counts[f"n_{kind}"] for kind in ("used", "screened_out", "checks", "rejected", "sent_again")
    )
    for name in ("table1.md", "report/index.html", "pareto_energy.json"):
        assert counts["sentence"].removesuffix(".") in (results / name).read_text(encoding="utf-8"), name
    (results / "listening_test" / "counts.json").unlink()
    done = study.snakemake("--", "results/listening_test/counts.json")
    assert counts["sentence"] in done.stderr
