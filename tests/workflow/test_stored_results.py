"""What lies in the folder of results: files that no rule declares, and results that were copied here."""

import json
import shutil
from urllib.parse import unquote

import pytest
from project import Project, copy_of_project

pytestmark = pytest.mark.workflow

MANIFEST = "results/generated/ground_truth/manifest.csv"
OTHER_SETTINGS = ("--config", "seed=7")


def without(finished_study, tmp_path, *patterns) -> Project:
    """A copy of the finished study but for files and folders with names like `patterns`."""
    shutil.copytree(finished_study.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(*patterns))
    return Project(tmp_path / "copy")


def cut(file):
    file.write_bytes(file.read_bytes()[:1000])


def remove(file):
    file.unlink()


@pytest.mark.parametrize("damage", [cut, pytest.param(remove, marks=pytest.mark.slow)])
def test_a_damaged_file_beside_a_manifest_is_told_and_made_again_with_nothing_else(study, damage):
    wav = sorted((study.folder / MANIFEST).parent.glob("*.wav"))[1]
    whole = wav.read_bytes()
    damage(wav)
    assert study.stale_rules("--", MANIFEST) == {"generate_reference"}
    said = study.snakemake("--", MANIFEST)
    assert str(wav.relative_to(study.folder)) in said.stdout + said.stderr
    assert wav.read_bytes() == whole
    assert study.stale_rules("--", MANIFEST) == set()
    assert {path.name for path in (study.folder / MANIFEST).parent.glob("*.csv")} == {"manifest.csv"}


def test_what_another_snakemake_uses_is_not_set_aside(study):
    """Snakemake's locks list the files that a running one reads and writes."""
    next((study.folder / MANIFEST).parent.glob("*.wav")).unlink()
    (study.folder / ".snakemake/locks").mkdir(exist_ok=True)
    (study.folder / ".snakemake/locks/0.input.lock").write_text(f"{MANIFEST}\n")
    study.snakemake("--dry-run", "--", MANIFEST)
    assert (study.folder / MANIFEST).is_file()


@pytest.mark.slow
def test_recordings_are_made_again_only_if_clips_are_to_be_made_of_them(study):
    shutil.rmtree(study.folder / "results/data/synthetic/wavs")
    assert study.stale_rules("--", MANIFEST) == set()
    (study.folder / "results/dataset/paper/clips.npy").unlink()
    assert study.stale_rules("--", "results/dataset/paper/clips.npy") == {"synthesize_corpus", "prepare_clips"}


def test_results_without_the_memory_of_snakemake_are_refused_until_they_are_taken_over(finished_study, tmp_path):
    project = without(finished_study, tmp_path, ".snakemake")
    for words in ((), ("--dry-run", *OTHER_SETTINGS)):
        refused = project.snakemake(*words, "--", MANIFEST, check=False)
        assert refused.returncode
        assert "results: these results come from another folder" in refused.stdout + refused.stderr
    touched = project.snakemake("--touch", "--forceall", "--", MANIFEST)
    assert "Nothing was made: --touch took over the results that were there" in touched.stderr
    assert project.stale_rules("--", MANIFEST) == set()
    assert project.stale_rules(*OTHER_SETTINGS, "--", MANIFEST) == {"generate_reference"}


def test_results_of_an_earlier_version_stay(finished_study, tmp_path):
    """They have neither a token nor sizes of what lies beside them."""
    project = without(finished_study, tmp_path, "*.companions.json", ".identity", "known_results.json")
    next((project.folder / MANIFEST).parent.glob("*.wav")).unlink()
    project.snakemake("--", MANIFEST)
    assert not list((project.folder / "results").rglob("*.companions.json"))
    known = json.loads((project.folder / ".snakemake/vocoder_pareto/known_results.json").read_text())
    assert known == {"results": (project.folder / "results/.identity").read_text().strip()}


def test_a_second_folder_of_work_does_not_take_the_results_of_the_first_for_its_own(finished_study, tmp_path):
    """Both name the same folder, on a shared disk for example."""
    second = copy_of_project(tmp_path / "second")
    shared = ("--dry-run", "--config", f"results_dir={finished_study.folder}/results", "--")
    refused = second.snakemake(*shared, f"{finished_study.folder}/{MANIFEST}", check=False)
    assert "these results come from another folder" in refused.stdout + refused.stderr


def test_the_crate_of_a_study_holds_all_that_it_names_and_is_made_again_where_some_of_it_is_gone(study):
    """The outside is the tree itself: the files of the workflow, and the tables that redraw the figures."""
    crate = "results/ro-crate-metadata.json"
    study.snakemake("--", crate)
    results = study.folder / "results"
    graph = {each["@id"]: each for each in json.loads((study.folder / crate).read_text())["@graph"]}
    parts = [unquote(each["@id"]) for each in graph["./"]["hasPart"]]
    assert [part for part in parts if not (results / part).exists()] == []
    assert {"systems.csv", "pareto.pdf", "figure_tables/pareto.csv", "workflow/config.json", "report/"} <= set(parts)
    for file in [study.folder / "Snakefile", *(study.folder / "rules").glob("*.smk")]:
        name = file.relative_to(study.folder).as_posix()
        assert (results / "workflow" / name).read_bytes() == file.read_bytes()
        assert f"workflow/{name}" in parts
    assert study.stale_rules("--", crate) == set()
    shutil.rmtree(results / "workflow" / "rules")
    assert study.stale_rules("--", crate) == {"write_crate"}
