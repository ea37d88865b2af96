import subprocess
from pathlib import Path

import yaml

from vocoder_pareto import __version__
from vocoder_pareto.study.provenance import PACKAGES, git_state, pinned_versions, provenance_of

PROJECT = Path(__file__).parents[3]


def test_versions_commit_hardware_configuration_and_seed_are_told():
    record = provenance_of({"seed": 7, "systems": "all"}, PROJECT)
    assert record["version"] == __version__
    assert record["packages"].keys() == set(PACKAGES)
    assert None not in record["packages"].values()
    assert record["processor"]
    assert record["logical_cores"] >= 1
    assert record["seed"] == record["config"]["seed"] == 7


def test_the_digest_follows_the_settings_and_not_their_order():
    def digest(config):
        return provenance_of(config, PROJECT)["config_digest"]

    assert digest({"seed": 1, "systems": "all"}) == digest({"systems": "all", "seed": 1})
    assert digest({"seed": 1, "systems": "all"}) != digest({"seed": 2, "systems": "all"})


def test_every_pin_of_an_environment_is_told():
    for file in (PROJECT / "envs").glob("*.yaml"):
        entries = yaml.safe_load(file.read_text())["dependencies"]
        pinned = [entry for entry in entries if isinstance(entry, str) and "=" in entry]
        pinned += next(entry["pip"] for entry in entries if isinstance(entry, dict))
        assert len(pinned_versions(file)) == len(pinned)
    assert pinned_versions(PROJECT / "envs" / "torch.yaml")["python"] == "3.12"


def test_the_commit_and_changes_since_are_told(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert git_state(tmp_path / "nowhere") == {"commit": None, "modified": None}
    git("init")
    (tmp_path / "model.py").write_text("A = 1\n")
    git("add", "model.py")
    git("commit", "--message", "first")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "modified": False}
    (tmp_path / "model.py").write_text("A = 2\n")
    assert git_state(tmp_path)["modified"] is True
    (tmp_path / ".gitignore").write_text("/.venv\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "model.py").touch()
    assert git_state(tmp_path / ".venv") == {"commit": None, "modified": None}
