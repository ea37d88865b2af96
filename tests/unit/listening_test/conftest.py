from pathlib import Path

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.listening_test.design import DesignSettings
from vocoder_pareto.listening_test.plan import plan_test
from vocoder_pareto.listening_test.stimuli import LoudnessSettings
from vocoder_pareto.listening_test.texts import read_texts

PROJECT = Path(__file__).resolve().parents[3]
SYSTEMS = ("ground_truth", "griffin_lim", "melgan-S", "hifigan-S", "wavegrad-L")


@pytest.fixture(scope="session")
def systems():
    return SYSTEMS


@pytest.fixture(scope="session")
def texts():
    return read_texts(PROJECT / "resources" / "listening_test" / "texts.json")


@pytest.fixture(scope="session")
def manifests(tmp_path_factory):
    """Six clips of noise by five systems, each at its own level."""
    folder = tmp_path_factory.mktemp("generated")
    times = np.arange(16384) / 16000
    for index, system in enumerate(SYSTEMS):
        generator = np.random.default_rng(seed_of(index))
        clips = {
            f"clip{number}": 0.03 * (index + 1) * generator.normal(size=16384) * np.sin(2 * np.pi * number * times)
            for number in range(1, 7)
        }
        write_audio_set(folder / system / "manifest.csv", list(clips), clips.values(), 16000, [None] * len(clips))
    return {system: folder / system / "manifest.csv" for system in SYSTEMS}


@pytest.fixture(scope="session")
def design():
    return DesignSettings(items=4, lists=2, participants=6, training=2, traps=2, gold=1, repeats=2)


@pytest.fixture(scope="session")
def plan(manifests, design, texts):
    return plan_test(manifests, design, LoudnessSettings(), texts, texts.labels("paper"), seed=seed_of(0))


@pytest.fixture(scope="session")
def key(plan):
    return plan.key
