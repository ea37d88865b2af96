"""Audio of every rate is judged over the same stretch of time, and over nothing else."""

import librosa
import numpy as np
import pytest
import soundfile
import torch
from scipy import signal
from seeds import seed_of
from waveform_copy import WaveformCopy

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.audio.judged_mels import prepare_utterances
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.files import write_json
from vocoder_pareto.generation.reference_systems import write_ground_truth
from vocoder_pareto.generation.test_set import generate_test_set
from vocoder_pareto.models.checkpoint import save_checkpoint
from vocoder_pareto.quality.measure import measure_quality
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.csv_files import read_csv

SECONDS = {"a": 0.75, "b": 2.5}  # of the recordings, at 44,100 Hz


@pytest.fixture
def recordings(tmp_path):
    """Noise below 3 kHz, which passes every rate here."""
    for seed, (name, seconds) in enumerate(SECONDS.items()):
        noise = np.random.default_rng(seed_of(seed)).normal(size=round(seconds * 44100))
        low = signal.sosfiltfilt(signal.butter(8, 3000, fs=44100, output="sos"), noise)
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * low / low.std(), 44100, subtype="FLOAT")
    clips = [Clip(row, name, f"{name}.wav", seconds, "test") for row, (name, seconds) in enumerate(SECONDS.items())]
    write_clip_table(tmp_path / "clips.csv", clips)
    write_json(tmp_path / "stats.json", {"log_mel_minimum": 0.0, "log_mel_maximum": 1.0})
    return tmp_path


def copied(recordings, sample_rate, max_seconds, hop_length=256):
    """The audio of a vocoder that gives back its input, at a rate of its own, and natural speech; at 16,000 Hz."""
    front_end = FrontEndSettings(representation="waveform", sample_rate=sample_rate, hop_length=hop_length)
    source = f"{__file__.replace('test_judged_audio', 'waveform_copy')}:WaveformCopy"
    system = SystemSettings("copy", "S", source, n_mels=hop_length, hop_length=hop_length, sample_rate=sample_rate)
    vocoder = WaveformCopy(n_mels=hop_length, hop_length=hop_length)
    save_checkpoint(recordings / "copy-S.ckpt", vocoder, system, {"steps": 0})
    table, mels = recordings / "utterances.csv", recordings / "mels.npy"
    inputs = recordings, recordings / "clips.csv", recordings / "stats.json", DatasetSettings("folder"), front_end
    limits = {"max_clips": None, "max_seconds": max_seconds, "processes": 1}
    prepare_utterances(*inputs, **limits, table=table, mels=mels)
    generated, truth = (recordings / name / "manifest.csv" for name in ("copy-S", "ground_truth"))
    options = {"seed": 0, "batch_size": 1, "compared_rate": 16000, "device": torch.device("cpu")}
    generate_test_set(recordings / "copy-S.ckpt", system, mels, table, generated, **options)
    write_ground_truth(recordings, table, truth, 16000)
    return generated, truth


@pytest.mark.parametrize("limit", [None, 1.024])
@pytest.mark.parametrize(("sample_rate", "hop_length"), [(16000, 256), (22050, 256), (24000, 300)])
def test_audio_of_two_rates_is_of_the_same_stretch_of_time(recordings, sample_rate, hop_length, limit):
    """By cross-correlation: the lag is 0, and nothing but the ends, where a filter ends, differs from the recording."""
    generated, truth = copied(recordings, sample_rate, limit, hop_length)
    entries = read_manifest(generated), read_manifest(truth)
    assert [entry.clip_id for entry in entries[0]] == [entry.clip_id for entry in entries[1]] == ["a", "b"]
    for ours, theirs in zip(*entries, strict=True):
        found, natural = (
            soundfile.read(manifest.parent / entry.file)[0] for manifest, entry in ((generated, ours), (truth, theirs))
        )
        seconds = min(SECONDS[ours.clip_id], limit or np.inf)
        assert len(found) == len(natural) == round(seconds * 16000)
        assert np.argmax(signal.correlate(found, natural)) == len(natural) - 1
        inner = slice(200, -200)
        assert np.abs(found - natural)[inner].max() < 1e-3
        assert ours.original_sample_rate == sample_rate
        frames = soundfile.info(generated.parent / ours.original_file).frames
        assert frames == np.floor(round(seconds * sample_rate, 3))


def test_natural_speech_is_the_recording_by_librosa_and_ends_where_it_ends(recordings):
    _, truth = copied(recordings, 22050, 2.0)
    for entry in read_manifest(truth):
        expected = librosa.load(recordings / f"{entry.clip_id}.wav", sr=16000)[0]
        found = soundfile.read(truth.parent / entry.file)[0]
        assert len(found) == min(len(expected), 32000)
        assert np.abs(found - expected[: len(found)]).max() < 2**-15


def test_a_short_utterance_is_measured_at_its_own_length(recordings, tmp_path):
    """By the equation of SING over 0.75 s. With zeros behind it up to 1.024 s, as clips have, it would be smaller."""
    generated, truth = copied(recordings, 22050, 1.024)
    rng = np.random.default_rng(seed_of(3))
    for entry in read_manifest(generated):
        samples, rate = soundfile.read(generated.parent / entry.file)
        soundfile.write(generated.parent / entry.file, samples + 0.05 * rng.normal(size=len(samples)), rate)
    measure_quality(generated, truth, [], tmp_path / "quality.csv")
    (row, _) = read_csv(tmp_path / "quality.csv").records()
    pair = [soundfile.read(manifest.parent / "a.wav")[0] for manifest in (truth, generated)]
    spectra = [librosa.stft(each, n_fft=1024, hop_length=256, pad_mode="reflect") for each in pair]
    expected = np.abs(np.subtract(*(np.log1p(np.abs(each) ** 2) for each in spectra))).mean()
    assert float(row["d_stft"]) == pytest.approx(expected, rel=1e-4)
    padded = d_stft(*(np.pad(each, (0, 2**14 - len(each))) for each in pair))
    assert padded / expected == pytest.approx(0.75 / 1.024, rel=0.1)
