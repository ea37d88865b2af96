import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.configuration import read_configuration


def test_later_files_replace_single_keys_of_earlier_ones(tmp_path):
    (tmp_path / "a.yaml").write_text("seed: 1\nenergy: {clips: 1, windows: 2}\nsystems: [a, b]\n")
    (tmp_path / "b.yaml").write_text("energy: {clips: 10}\nsystems: [c]\n")
    merged = read_configuration([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert merged == {"seed": 1, "energy": {"clips": 10, "windows": 2}, "systems": ["c"]}


def test_missing_and_malformed_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"missing\.yaml: no such file"):
        read_configuration([tmp_path / "missing.yaml"])
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    with pytest.raises(UserError, match=r"bad\.yaml: not valid YAML"):
        read_configuration([tmp_path / "bad.yaml"])
