"""What a configuration holds is data: no shell and no YAML tag runs it."""

import pytest
import yaml
from project import TINY_CONFIG, copy_of_project

pytestmark = pytest.mark.workflow

HOSTILE_FOLDER = "results $(touch harmed) `touch harmed`; touch harmed 'q' \"d\" é"


@pytest.fixture
def project(tmp_path):
    return copy_of_project(tmp_path / "study")


def test_a_folder_named_like_a_command_is_a_folder(project):
    (project.folder / "own.yaml").write_text(yaml.safe_dump({"results_dir": HOSTILE_FOLDER}))
    table = f"{HOSTILE_FOLDER}/published/table1.csv"
    project.snakemake("--configfile", TINY_CONFIG, "own.yaml", "--", table)
    assert (project.folder / table).is_file()
    assert not list(project.folder.rglob("harmed"))


def test_a_yaml_tag_that_names_a_function_is_refused(project):
    (project.folder / "own.yaml").write_text('seed: !!python/object/apply:os.system ["touch harmed"]\n')
    result = project.snakemake("--dry-run", "--configfile", TINY_CONFIG, "own.yaml", check=False)
    assert result.returncode != 0
    assert "Config file is not valid JSON or YAML" in result.stdout + result.stderr
    assert not list(project.folder.rglob("harmed"))
