"""A small study as files, as the stages before the tables leave it, and the published numbers."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vocoder_pareto.analysis import published
from vocoder_pareto.analysis.systems_table import systems_published
from vocoder_pareto.files import write_json

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published"
FAMILIES = {
    "melgan": "GAN", "hifigan": "GAN", "wavegrad": "diffusion", "diffwave": "diffusion", "waveflow": "flow",
    "waveglow": "flow",
}  # fmt: skip
LABELS = {
    "melgan": "MelGAN", "hifigan": "HiFi-GAN", "wavegrad": "WaveGrad", "diffwave": "DiffWave", "waveflow": "WaveFlow",
    "waveglow": "WaveGlow",
}  # fmt: skip


@dataclass
class StudyFiles:
    """Writes measurement files of systems one by one; lists of paths are what `read_measurements` takes."""

    folder: Path
    complexity: list[Path] = field(default_factory=list)
    energy: list[Path] = field(default_factory=list)
    training: list[Path] = field(default_factory=list)
    quality: list[Path] = field(default_factory=list)

    def add(
        self,
        system,
        joules,
        gflops=10.0,
        source="nvml",
        device="GPU X",
        distances=(0.1, 0.2),
        publishable=True,
        **energy,
    ):
        model, _, size = system.rpartition("-")
        identity = {"system": system, "model": model, "size": size}
        self._json(
            self.complexity, "complexity", system,
            identity | {
                "parameters": 1_030_000, "gflops_per_audio_second": gflops,
                "gflops_published_convention": gflops * 1.024,
            },
        )  # fmt: skip
        measured = {
            "energy_joules_per_audio_second": joules, "energy_joules_per_audio_second_ci95": joules * 0.01,
            "energy_source": source, "device": device, "mean_power_watts": 200.0, "idle_power_watts": 20.0,
            "real_time_factor": 0.01, "peak_memory_bytes": 2**20, "publishable": publishable, "flags": [],
        }  # fmt: skip
        self._json(self.energy, "energy", system, identity | measured | energy)
        self._json(
            self.training, "training", system,
            {
                "system": system, "steps": 2, "seconds": 7200.0, "energy_joules": 3.6e6, "energy_source": source,
                "flags": [],
            },
        )  # fmt: skip
        self.add_quality(system, distances)
        return self

    def add_quality(self, system, distances):
        path = self.folder / f"{system}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["clip_id", "d_stft"])
            writer.writerows([f"clip{index}", value] for index, value in enumerate(distances))
        self.quality.append(path)
        return self

    def mos(self, rows, source="listening_test"):
        path = self.folder / "mos.csv"
        lines = ["system,mos,mos_ci95,mos_se,n_ratings,n_participants,mos_source"]
        lines += [f"{system},{mos},0.2,0.1,40,20,{source}" for system, mos in rows.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    def _json(self, paths, kind, system, content):
        path = self.folder / f"{kind}-{system}.json"
        write_json(path, content)
        paths.append(path)


@pytest.fixture
def files(tmp_path):
    return StudyFiles(tmp_path)


@pytest.fixture(scope="session")
def printed_quality():
    return published.read_quality(PUBLISHED / "table1_quality.csv")


@pytest.fixture(scope="session")
def printed_cost():
    return published.read_cost(PUBLISHED / "table2_cost.csv")


@pytest.fixture(scope="session")
def conventions():
    return published.read_conventions(PUBLISHED / "conventions.json")


@pytest.fixture(scope="session")
def statement():
    return published.read_carbon_statement(PUBLISHED / "carbon_statement.json")


@pytest.fixture(scope="session")
def printed(printed_quality, printed_cost, conventions, statement):
    """`published/systems.csv`."""
    return systems_published(printed_quality, printed_cost, conventions, statement, FAMILIES)


@pytest.fixture(scope="session")
def labels():
    return LABELS


@pytest.fixture(scope="session")
def families():
    return FAMILIES


@pytest.fixture(scope="session")
def published_folder():
    return PUBLISHED


@pytest.fixture(scope="session")
def as_json():
    return json.dumps
