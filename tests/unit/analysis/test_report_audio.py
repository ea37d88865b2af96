"""All that the report page plays is equally loud, by pyloudnorm; its spectrograms show the audio as it was made."""

import matplotlib.image
import numpy as np
import pandas as pd
import pyloudnorm
import pytest
import soundfile
from seeds import seed_of

from vocoder_pareto.analysis.report_audio import audio_note, briefly_trained, training_note, write_clips
from vocoder_pareto.analysis.spectrograms import save_spectrogram
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.listening_test import LoudnessSettings

RATE = 16000
LOUDNESS = LoudnessSettings(target_lufs=-23.0, peak_dbfs=-1.0)


def system(folder, name, *clips):
    """The manifest of a system with these clips."""
    generated = folder / "generated" / name
    generated.mkdir(parents=True)
    files = [f"clip{number}.wav" for number in range(len(clips))]
    for file, samples in zip(files, clips, strict=True):
        soundfile.write(generated / file, samples, RATE)
    table = pd.DataFrame({"clip_id": [file.removesuffix(".wav") for file in files], "file": files})
    table.to_csv(generated / "manifest.csv", index=False)
    return generated / "manifest.csv"


def speech(scale, seed=0):
    """Noise with a slow rise and fall, as syllables have."""
    seconds = np.arange(2 * RATE) / RATE
    draw = np.random.default_rng(seed_of(seed)).normal(size=len(seconds))
    return np.clip(scale * np.sin(2 * np.pi * 2 * seconds) ** 2 * draw, -1, 1)


def test_systems_of_any_level_are_played_equally_loud(tmp_path):
    """From near silence to what a network of random weights does: full scale."""
    meter = pyloudnorm.Meter(RATE)
    for scale in (0.01, 0.1, 2.0):
        manifest = system(tmp_path, f"scale{scale}", speech(scale), speech(scale, 1), speech(scale, 2))
        clips = write_clips(manifest, tmp_path / "report", 2, LOUDNESS)
        assert list(clips) == ["clip0", "clip1"], "no more than wanted"
        for clip in clips.values():
            samples, rate = soundfile.read(tmp_path / "report" / clip["sound"])
            assert rate == RATE
            assert meter.integrated_loudness(samples) == pytest.approx(-23.0, abs=0.1)


def test_a_sound_whose_peak_would_exceed_the_limit_stays_quieter(tmp_path):
    click = speech(0.001)
    click[5000] = 0.9
    clips = write_clips(system(tmp_path, "click", click), tmp_path / "report", 1, LOUDNESS)
    samples, _ = soundfile.read(tmp_path / "report" / clips["clip0"]["sound"])
    assert np.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)


def test_silence_stays_silent(tmp_path):
    clips = write_clips(system(tmp_path, "silent", np.zeros(RATE)), tmp_path / "report", 1, LOUDNESS)
    assert not soundfile.read(tmp_path / "report" / clips["clip0"]["sound"])[0].any()


def test_a_spectrogram_shows_the_level_that_was_generated(tmp_path):
    brightness = []
    for name, scale in (("quiet", 0.01), ("loud", 0.3)):
        clips = write_clips(system(tmp_path, name, speech(scale)), tmp_path / "report", 1, LOUDNESS)
        brightness.append(matplotlib.image.imread(tmp_path / "report" / clips["clip0"]["picture"])[..., :3].mean())
    assert brightness[0] < 0.6 * brightness[1]


def test_a_picture_of_a_long_utterance_holds_all_of_it_in_few_columns(tmp_path):
    """Of a tone that stops half-way, in 20 s, the left half of the picture is bright at its height, the right dark."""
    tone = np.sin(2 * np.pi * 2000 * np.arange(20 * RATE) / RATE)
    tone[len(tone) // 2 :] = 0
    save_spectrogram(tone, tmp_path / "long.png")
    picture = matplotlib.image.imread(tmp_path / "long.png")[..., :3].max(axis=(0, 2))
    assert 1000 < len(picture) < 1100
    half = len(picture) // 2
    assert picture[: half - 20].min() > 0.9 > 0.2 > picture[half + 20 :].max()


def test_a_manifest_without_clips_is_named(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.csv: lists no clip; rerun the rule that generates none"):
        write_clips(system(tmp_path, "none"), tmp_path / "report", 1, LOUDNESS)


def test_given_weights_of_unknown_training_are_not_called_briefly_trained():
    systems = pd.DataFrame({
        "system": ["world", "given-L", "short-S"], "family": ["reference", "GAN", "GAN"],
        "training_steps": [pd.NA, pd.NA, 5000], "training_seconds": [np.nan, np.nan, 60.0], "d_stft": [0.1, 0.1, 0.2],
    }).astype({"training_steps": "Int64"})  # fmt: skip
    assert list(systems["system"][briefly_trained(systems).reindex(systems.index, fill_value=False)]) == ["short-S"]
    assert "trained for 5000 steps only" in audio_note(systems, LOUDNESS)
    assert "steps only" not in audio_note(systems.iloc[:2], LOUDNESS)
    assert "(-23 LUFS" in audio_note(systems, LOUDNESS)
    notes = [training_note(row, {}) for row in systems.to_dict("records")]
    assert notes == ["Reference, not trained.", "Training unknown.", "Trained for 5000 steps (60 s)."]
