"""The RO-Crate of a study: what it says, and that the community's own validator accepts it where it is installed."""

import json
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.research_crate import CONTEXTS, METADATA, CrateInputs, write_crate

PROJECT = Path(__file__).resolve().parents[3]
WRITTEN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
PROVENANCE = {
    "git": {"commit": "0123abc", "modified": True}, "packages": {"snakemake": "9.27.1"}, "config": {"seed": 0},
}  # fmt: skip


@pytest.fixture
def crate(tmp_path):
    """A small study with a table, audio of two systems and the report; the validator takes no folder with a space."""
    results = tmp_path / "results"
    files = [
        "systems.csv",
        "pareto.pdf",
        "report/index.html",
        "generated/a-S/manifest.csv",
        "generated/b-S/manifest.csv",
    ]
    for name in files:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("some content")
    (results / "provenance.json").write_text(json.dumps(PROVENANCE))
    workflow = [PROJECT / "Snakefile", *sorted((PROJECT / "rules").glob("*.smk"))]
    inputs = CrateInputs([results / name for name in [*files, "provenance.json"]], workflow, PROVENANCE)
    write_crate(inputs, results, WRITTEN)
    return results


@pytest.fixture
def graph(crate):
    return {entity["@id"]: entity for entity in json.loads((crate / METADATA).read_text())["@graph"]}


def test_every_file_that_is_named_lies_in_the_folder_and_every_reference_leads_somewhere(crate, graph):
    parts = [each["@id"] for each in graph["./"]["hasPart"]]
    assert len(parts) == len(set(parts))
    for part in parts:
        assert (crate / part).is_dir() if part.endswith("/") else (crate / part).is_file(), part
    assert {"systems.csv", "generated/a-S/", "report/", "workflow/Snakefile", "workflow/config.json"} <= set(parts)

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else ()
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    found = {each for entity in graph.values() for each in references(entity)}
    assert {each for each in found if not each.startswith("https://")} <= set(graph)


def test_the_workflow_says_by_which_commit_and_language_and_the_action_what_it_made(graph):
    workflow, action = graph["workflow/Snakefile"], graph["#study"]
    assert workflow["version"] == "0123abc, modified"
    assert graph[workflow["programmingLanguage"]["@id"]]["version"] == "9.27.1"
    assert action["instrument"] == {"@id": "workflow/Snakefile"} == graph["./"]["mainEntity"]
    assert {"@id": "systems.csv"} in action["result"]
    assert action["endTime"] == "2026-11-26T10:00:00+00:00"


def test_a_file_that_is_missing_or_lies_elsewhere_is_named(tmp_path):
    workflow = [PROJECT / "Snakefile"]
    with pytest.raises(UserError, match=r"none\.csv: no such file"):
        write_crate(CrateInputs([tmp_path / "none.csv"], workflow, PROVENANCE), tmp_path, WRITTEN)
    with pytest.raises(UserError, match="does not lie below"):
        write_crate(CrateInputs([PROJECT / "README.md"], workflow, PROVENANCE), tmp_path, WRITTEN)


def test_the_validator_of_ro_crate_finds_nothing_that_the_profile_requires(crate):
    """roc-validator of PyPI, against Workflow Run Crate. It needs the network for the contexts of JSON-LD."""
    services = pytest.importorskip("rocrate_validator.services")
    models = pytest.importorskip("rocrate_validator.models")
    try:
        urllib.request.urlopen(CONTEXTS[0], timeout=20).close()
    except OSError as error:
        pytest.skip(f"{CONTEXTS[0]} cannot be reached: {error}")
    settings = services.ValidationSettings(
        rocrate_uri=str(crate), profile_identifier="workflow-run-crate", requirement_severity=models.Severity.REQUIRED
    )
    result = services.validate(settings)
    assert [issue.message for issue in result.get_issues()] == []
    assert result.passed()
