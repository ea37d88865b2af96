"""The sweep over forms of deployment and chunks of streams, through the Snakefile."""

import json

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

SWEEP = {"deployment": {"forms": ["onnxruntime"], "chunk_frames": [4]}}


def test_forms_and_streams_are_measured_and_drawn(study):
    study.snakemake("--config", 'systems=["melgan-S"]', f"measurements={json.dumps(SWEEP)}", "--", "deployment_sweeps")
    measurements = study.folder / "results" / "measurements"
    forms = pd.read_csv(measurements / "deployment" / "melgan-S.csv").set_index("form")
    energy = "energy_joules_per_audio_second"
    assert forms.loc["pytorch", energy] > 0
    assert forms.loc["onnxruntime", energy] > 0 or forms.loc["onnxruntime", "refused"]  # where it is not installed
    chunks = pd.read_csv(measurements / "streaming" / "melgan-S.csv")
    assert list(chunks["chunk_frames"]) == [4]
    assert (chunks["first_audio_seconds"] > 0).all()
    assert (study.folder / "results" / "deployment_sweeps.pdf").exists()
