"""The examples of docs/api.md run as they are printed."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = {
    re.search(r"from vocoder_pareto import (.+)", block)[1]: block
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}


def test_the_examples_are_found():
    assert list(EXAMPLES) == ["EnergyMeter", "measure", "front_of_frame, write_front"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "measure" else ()) for name in EXAMPLES]
)
def test_an_example_runs_as_it_is_printed(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[name], "docs/api.md", "exec"), {})
    assert capsys.readouterr().out
