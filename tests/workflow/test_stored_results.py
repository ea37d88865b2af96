"""What lies in the folder of results: files that no rule declares, and results that were copied here."""

import json
import shutil

import pytest
from project import Project, copy_of_project

pytestmark = pytest.mark.workflow

MANIFEST = "results/generated/ground_truth/manifest.csv"
OTHER_SETTINGS = ("--config", "seed=7")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """The clips, their mel-spectrograms and the audio of a reference system. Do not change it."""
    project = copy_of_project(tmp_path_factory.mktemp("a reference") / "study")
    project.snakemake("--", MANIFEST)
    return project


def copied(finished, tmp_path, *without) -> Project:
    shutil.copytree(finished.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(*without))
    return Project(tmp_path / "copy")


def cut(file):
    file.write_bytes(file.read_bytes()[:1000])


def remove(file):
    file.unlink()


@pytest.mark.parametrize("damage", [cut, remove])
def test_a_damaged_file_beside_a_manifest_is_told_and_made_again_with_nothing_else(finished, tmp_path, damage):
    project = copied(finished, tmp_path)
    wav = sorted((project.folder / MANIFEST).parent.glob("*.wav"))[1]
    whole = wav.read_bytes()
    damage(wav)
    assert project.stale_rules("--", MANIFEST) == {"generate_reference"}
    said = project.snakemake("--", MANIFEST)
    assert str(wav.relative_to(project.folder)) in said.stdout + said.stderr
    assert wav.read_bytes() == whole
    assert project.stale_rules("--", MANIFEST) == set()
    assert {path.name for path in (project.folder / MANIFEST).parent.glob("*.csv")} == {"manifest.csv"}


def test_what_another_snakemake_uses_is_not_set_aside(finished, tmp_path):
    """Snakemake's locks list the files that a running one reads and writes."""
    project = copied(finished, tmp_path)
    next((project.folder / MANIFEST).parent.glob("*.wav")).unlink()
    (project.folder / ".snakemake/locks").mkdir(exist_ok=True)
    (project.folder / ".snakemake/locks/0.input.lock").write_text(f"{MANIFEST}\n")
    project.snakemake("--dry-run", "--", MANIFEST)
    assert (project.folder / MANIFEST).is_file()


def test_recordings_are_made_again_only_if_clips_are_to_be_made_of_them(finished, tmp_path):
    project = copied(finished, tmp_path)
    shutil.rmtree(project.folder / "results/data/synthetic/wavs")
    assert project.stale_rules("--", MANIFEST) == set()
    (project.folder / "results/dataset/paper/clips.npy").unlink()
    assert project.stale_rules("--", "results/dataset/paper/clips.npy") == {"synthesize_corpus", "prepare_clips"}


def test_results_without_the_memory_of_snakemake_are_refused_until_they_are_taken_over(finished, tmp_path):
    project = copied(finished, tmp_path, ".snakemake")
    for words in ((), ("--dry-run", *OTHER_SETTINGS)):
        refused = project.snakemake(*words, "--", MANIFEST, check=False)
        assert refused.returncode
        assert "results: these results come from another folder" in refused.stdout + refused.stderr
    project.snakemake("--touch", "--forceall", "--", MANIFEST)
    assert project.stale_rules("--", MANIFEST) == set()
    assert project.stale_rules(*OTHER_SETTINGS, "--", MANIFEST) == {"generate_reference"}


def test_results_of_an_earlier_version_stay(finished, tmp_path):
    """They have neither a token nor sizes of what lies beside them."""
    project = copied(finished, tmp_path, "*.companions.json", ".identity", "known_results.json")
    next((project.folder / MANIFEST).parent.glob("*.wav")).unlink()
    project.snakemake("--", MANIFEST)
    assert not list((project.folder / "results").rglob("*.companions.json"))
    known = json.loads((project.folder / ".snakemake/vocoder_pareto/known_results.json").read_text())
    assert known == {"results": (project.folder / "results/.identity").read_text().strip()}


def test_a_second_folder_of_work_does_not_take_the_results_of_the_first_for_its_own(finished, tmp_path):
    """Both name the same folder, on a shared disk for example."""
    second = copy_of_project(tmp_path / "second")
    shared = ("--dry-run", "--config", f"results_dir={finished.folder}/results", "--")
    refused = second.snakemake(*shared, f"{finished.folder}/{MANIFEST}", check=False)
    assert "these results come from another folder" in refused.stdout + refused.stderr
