import numpy as np
import pytest
import soundfile
from seeds import seed_of


@pytest.fixture
def noise():
    """Factory of reproducible white noise (samples,) float32 in [-0.9, 0.9]."""

    def make(samples, seed=0):
        return np.random.default_rng(seed_of(seed)).uniform(-0.9, 0.9, samples).astype(np.float32)

    return make


@pytest.fixture
def ljspeech_folder(tmp_path, noise):
    """A corpus of ten short recordings in the layout of LJSpeech."""
    folder = tmp_path / "LJSpeech-1.1"
    (folder / "wavs").mkdir(parents=True)
    clip_ids = [f"LJ001-{number:04d}" for number in range(1, 11)]
    for seed, clip_id in enumerate(clip_ids):
        soundfile.write(folder / "wavs" / f"{clip_id}.wav", noise(30000, seed), 22050)
    lines = [f"{clip_id}|Said in 1 go.|Said in one go.\n" for clip_id in clip_ids]
    (folder / "metadata.csv").write_text("".join(lines), encoding="utf-8")
    return folder
