"""The tables of docs/laptop_study.md come from the results of a study, and find their places in that document."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.files import write_json
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS
from vocoder_pareto.tables.csv_tables import typed, write_table

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def results(tmp_path):
    """A study of Griffin-Lim and one system, which was trained twice."""
    rows = [
        {"system": "griffin_lim", "model": "griffin_lim", "d_stft": 0.125, "device": "CPU X", "energy_source": "rapl"},
        {"system": "melgan-XXS", "model": "melgan", "size": "XXS", "parameters": 92_000, "d_stft": 0.25,
         "d_stft_ci95": 0.05, "training_energy_joules": 3.6e4},
    ]  # fmt: skip
    write_table(typed(pd.DataFrame(rows), SYSTEMS_COLUMNS, "test"), tmp_path / "systems.csv")
    curve = [
        {"system": "melgan-XXS", "model": "melgan", "size": "XXS", "budget_share": share, "step": int(1000 * share),
         "joules": 1e3 * share, "d_stft": 1 - share / 2}
        for share in (0.021, 0.5, 1.0)
    ]  # fmt: skip
    write_table(typed(pd.DataFrame(curve), CURVE_COLUMNS, "test"), tmp_path / "training_curves.csv")
    spread = {"d_stft": {"standard_deviation": 0.0125, "degrees_of_freedom": 1}}
    write_json(tmp_path / "systems_flags.json", {"training_spread": spread})
    models = {"melgan": {"label": "MelGAN"}, "own": {"label": None}}
    provenance = {"config": {"models": models}, "packages": {"torch": "2.11.0"}, "git": {"commit": "abc"}}
    write_json(tmp_path / "provenance.json", provenance)
    return tmp_path


def test_the_tables_of_a_study_are_put_into_the_document(results, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    document = tmp_path / "laptop_study.md"
    document.write_text((PROJECT / "docs" / "laptop_study.md").read_text())
    arguments = ["laptop_study.py", "--results", str(results), "--output-document", str(document)]
    monkeypatch.setattr(sys, "argv", arguments)
    importlib.import_module("laptop_study").main()
    written = document.read_text()
    for row in (
        "Device: CPU X. Energy: rapl. Commit abc; torch 2.11.0, lightning None, numpy None.",
        "| Griffin-Lim |  |  |  | 0.125 |  |  |  |  |",
        "| MelGAN XXS | 0.092 |  | 0.01 | 0.25 ± 0.05 |  |  |  |  |",
        "| MelGAN XXS | 0.99 |  |  |  |  | 0.75 |  | 0.5 | 1e+03 |",
        "| Spectral distance | 0.013 | 1 |",
    ):
        assert row in written, row


def test_the_shortest_sentence_of_two_seconds_can_be_heard_of_each_system(results, tmp_path, monkeypatch):
    """Each system hums its own tone; of sentences of 1.5, 3 and 2.5 s the last is taken, whatever its place."""
    tones = {"ground_truth": 200.0, "griffin_lim": 300.0, "melgan-XXS": 500.0}
    for system, tone in tones.items():
        folder = results / "generated" / system
        folder.mkdir(parents=True)
        seconds = {"0001": 1.5, "0002": 3.0, "0003": 2.5}
        hums = [0.3 * np.sin(2 * np.pi * tone * np.arange(int(16000 * each)) / 16000) for each in seconds.values()]
        write_audio_set(folder / "manifest.csv", list(seconds), hums, 16000, [None] * 3)
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    document = tmp_path / "laptop_study.md"
    document.write_text((PROJECT / "docs" / "laptop_study.md").read_text())
    arguments = ["--output-document", str(document), "--output-sounds", str(tmp_path / "sounds")]
    monkeypatch.setattr(sys, "argv", ["laptop_study.py", "--results", str(results), *arguments])
    importlib.import_module("laptop_study").main()
    for system, tone in tones.items():
        sound, sample_rate = soundfile.read(tmp_path / "sounds" / f"{system}.ogg")
        assert len(sound) == 2.5 * sample_rate
        assert np.abs(np.fft.rfft(sound)).argmax() / 2.5 == tone
    assert "| MelGAN XXS | [listen](sounds/melgan-XXS.ogg) |" in document.read_text()
