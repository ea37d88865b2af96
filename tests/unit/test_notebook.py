"""The notebook of the documentation: its cells run in their order, as they are printed, and it holds no output.

What they find is held against operations counted by hand, and the front of figure 2 of Douwes et al. 2023. Cells run
in this process: no kernel of Jupyter is needed, and none would run other code.
"""

import shutil
from pathlib import Path

import nbformat
import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "measure_your_vocoder.ipynb"
CELLS = nbformat.read(NOTEBOOK, as_version=4).cells


def test_it_is_a_notebook_without_outputs():
    nbformat.validate(nbformat.read(NOTEBOOK, as_version=4))
    code = [cell for cell in CELLS if cell.cell_type == "code"]
    assert len(code) >= 5
    assert not [cell for cell in code if cell.outputs or cell.execution_count is not None]


def test_its_cells_run_in_their_order(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    shutil.copytree(DOCS.parent / "resources" / "published", tmp_path / "resources" / "published")
    monkeypatch.chdir(tmp_path / "docs")
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict = {}
    for number, cell in enumerate(CELLS):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{NOTEBOOK.name}, cell {number}", "exec"), names)

    cost = names["cost"]
    multiplications = 80 * 2048 + 5 * 2048**2 + 2048 * 1026  # of a frame
    seconds = 63 * 256 / 16000  # between the middles of the first frame and of the last
    assert cost.gflops_per_audio_second == pytest.approx(2 * 64 * multiplications / seconds * 1e-9)
    assert cost.joules_per_audio_second > 0
    assert names["front"].summary["front"] == ["melgan-S", "hifigan-S", "hifigan-L"]
    assert names["front"].summary["left_out"] == {"mine": ["mos"]}
    assert "The best that is no dearer is hifigan-S" in capsys.readouterr().out
    assert (tmp_path / "results" / "notebook" / "front.png").is_file()
