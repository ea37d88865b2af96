from pathlib import Path

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.listening_test.export import export_test
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.study.sections.listening_test import DesignSettings, LoudnessSettings, PageSettings

TEMPLATES = Path(__file__).resolve().parents[3] / "resources" / "listening_test"
SYSTEMS = ("ground_truth", "griffin_lim", "melgan-S", "hifigan-S", "wavegrad-L")


@pytest.fixture(scope="session")
def systems():
    return SYSTEMS


@pytest.fixture(scope="session")
def texts():
    return read_texts(TEMPLATES / "texts.json")


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


@pytest.fixture(scope="session")
def templates():
    return TEMPLATES


@pytest.fixture(scope="session")
def export_settings(texts):
    return ExportSettings(texts, PageSettings(), TEMPLATES, "https://example.org/clips/")


@pytest.fixture(scope="session")
def exported(plan, export_settings, tmp_path_factory):
    """A folder with the export of every platform, under its name."""
    root = tmp_path_factory.mktemp("listening_test")
    folders = [root / name for name in EXPORTED_PLATFORMS]
    export_test(plan, export_settings, folders, root / "key.json", root / "invitations.csv")
    return root


@pytest.fixture
def folder(tmp_path, key):
    """A folder of responses that holds the key."""
    write_key(tmp_path / "key.json", key)
    return tmp_path


@pytest.fixture
def answers_of(key):
    """Answers of a participant who scores everything 3, as our page writes them, with some fields changed."""

    def make(number=1, **changes):
        session = key.session_by_number[number]
        ratings = [
            {"stimulus": name, "trial_index": index, "rating": key.stimulus_by_name[name].expected or 3,
             "time_ms": 1500, "n_plays": 1, "played_to_end": True, "is_training": index < len(session.training)}
            for index, name in enumerate((*session.training, *session.trials))
        ]  # fmt: skip
        return {
            "format": "vocoder-pareto listening test answers", "version": 1, "test_id": key.test_id,
            "simulated": False, "submission_id": f"id{number}", "participant": f"p{number}", "session": number,
            "list_id": session.list_id, "finished_at": "2026-01-01T10:00:00Z", "ratings": ratings,
        } | changes  # fmt: skip

    return make
