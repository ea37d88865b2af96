"""`vocoder-pareto measure` of a vocoder of one's own, from the command line to its files."""

import csv
import hashlib
import json
import math

import pytest
import torch
from warm_python import warm_torch

from vocoder_pareto.commands.measure import report
from vocoder_pareto.conformance.bench import bench_of_candidate, vocoder_of
from vocoder_pareto.conformance.candidate import Candidate
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.columns import ENERGY

OWN = """
import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ConvTranspose1d(80, 1, 256, 256)

    def forward(self, mel):
        return torch.tanh(self.layer(mel))


class Greedy(nn.Module):
    def __init__(self, channels):
        super().__init__()


def silence(mel):
    return torch.zeros(len(mel), 256 * mel.shape[2])
"""
SHORT = """
energy: {idle_seconds: 0, windows: 1, processes: 1, lead_in_seconds: 0, min_window_seconds: 0.02, max_warmup_seconds: 0,
  max_retries: 0}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "short.yaml").write_text(SHORT)
    return tmp_path


def candidate(folder, name):
    return Candidate(SystemSettings("own", "measured", f"{folder}/own.py:{name}"), FrontEndSettings())


def measure(folder, *words):
    words = ["measure", *words, "--device", "cpu", "--config-files", "short.yaml", "--formats", "png"]
    return warm_torch().run(["-m", "vocoder_pareto.commands.main", *words], folder)


@pytest.mark.slow
def test_a_network_that_knows_nothing_of_the_project_is_measured_with_its_weights(folder):
    """Its FLOPs by hand: 80 channels × 256 samples × 2 per frame of 256 samples, at 16,000 samples per second."""
    torch.save({"layer.weight": torch.full((80, 1, 256), 0.1), "layer.bias": torch.zeros(1)}, folder / "weights.pt")
    done = measure(folder, "own.py:Generator", "--weights", "weights.pt")
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "measured/measurement.json").read_text())
    assert record["gflops_per_audio_second"] == pytest.approx(2 * 80 * 16000 * 1e-9)
    assert record["checkpoint_digest"] is not None
    assert record["real_time_factor"] > 0
    rows = list(csv.DictReader((folder / "measured/beside.csv").open()))
    mine = {row["quantity"] for row in rows if row["system"] == "own.py:Generator"}
    assert "gflops_per_audio_second" in mine
    assert (folder / "measured/beside.png").stat().st_size > 1000
    assert "own.py:Generator on " in done.stdout
    assert "0.00256 GFLOPs per second of audio" in done.stdout
    assert "beside NVIDIA RTX A5000 (published): " in done.stdout
    assert "flag short_protocol: " in done.stdout


def bench(folder, weights=None):
    return bench_of_candidate(candidate(folder, "Generator"), weights, EnergySettings(), MeterSettings(), "cpu", 0)


def test_a_network_comes_to_the_bench_with_its_weights_and_its_operations(folder):
    """FLOPs by hand, as above; the bias alone, since a mel-spectrogram of zeros has nothing to weigh."""
    weights = {"layer.weight": torch.zeros(80, 1, 256), "layer.bias": torch.full((1,), 0.25)}
    torch.save(weights, folder / "weights.pt")
    subject = bench(folder, folder / "weights.pt").subject
    assert subject.flops_per_audio_second == pytest.approx(2 * 80 * 16000)
    audio = subject.vocoder.synthesize(torch.zeros(1, 80, 3))
    assert audio.flatten().tolist() == pytest.approx([math.tanh(0.25)] * 768)
    assert subject.mels.shape == (80, 144)
    assert subject.checkpoint_digest == hashlib.sha256((folder / "weights.pt").read_bytes()).hexdigest()
    assert bench(folder).subject.checkpoint_digest is None


def test_weights_that_do_not_fit_are_refused_in_one_line(folder):
    torch.save({"other.weight": torch.zeros(3)}, folder / "weights.pt")
    with pytest.raises(UserError, match=r"weights\.pt"):
        bench(folder, folder / "weights.pt")


def test_a_function_is_a_vocoder_too(folder):
    vocoder = vocoder_of(candidate(folder, "silence"))
    assert vocoder.synthesize(torch.zeros(2, 80, 3)).shape == (2, 768)


def test_a_function_that_makes_its_audio_elsewhere_comes_to_the_bench_without_operations(folder):
    """Its audio is on the CPU whatever its input is on, as that of any code in NumPy."""
    subject = bench_of_candidate(
        candidate(folder, "silence"), None, EnergySettings(), MeterSettings(), "cpu", 0
    ).subject
    assert subject.flops_per_audio_second is None
    assert subject.vocoder.synthesize(torch.zeros(1, 80, 3)).shape == (1, 768)
    told = report("own.py:silence", {ENERGY: 1.0, f"{ENERGY}_ci95": None, "real_time_factor": 0.5, "device": "CPU",
                                     "energy_source": "estimated", "reasons": {}}, None, [])  # fmt: skip
    assert "FLOPs             not counted: PyTorch did no product of matrices" in told


def test_a_network_that_needs_arguments_says_what_to_write(folder):
    with pytest.raises(UserError, match=r"own\.py:Greedy: cannot be built without arguments .*write a subclass"):
        vocoder_of(candidate(folder, "Greedy"))
