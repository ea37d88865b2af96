import librosa
import numpy as np
import pytest
import torch

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram
from vocoder_pareto.generation.reference_systems import write_griffin_lim, write_ground_truth
from vocoder_pareto.generation.seeds import clip_seed

FORMAT = AudioFormat(sample_rate=8000, clip_samples=4096, n_fft=512, hop_length=128, n_mels=40)


def chirp(row):
    seconds = np.arange(FORMAT.clip_samples) / FORMAT.sample_rate
    return 0.3 * np.sin(2 * np.pi * (300 + 100 * row + 800 * seconds) * seconds).astype(np.float32)


@pytest.fixture
def dataset(tmp_path):
    """Six clips, of which the last three are the test set, and their mel-spectrograms."""
    np.save(tmp_path / "clips.npy", np.stack([chirp(row) for row in range(6)]))
    splits = ["train"] * 3 + ["test"] * 3
    clips = [Clip(row, f"clip{row}", "a.wav", 1.0, split) for row, split in enumerate(splits)]
    write_clip_table(tmp_path / "clips.csv", clips)
    return tmp_path


def invert(dataset, normalization="per_spectrogram", limit=None, seed=0, processes=1):
    mels, ranges = dataset / "mels.npy", dataset / "ranges.npy"
    table = dataset / "clips.csv"
    outputs = {"mels": mels, "ranges": ranges, "stats": dataset / "stats.json"}
    compute_mels(dataset / "clips.npy", table, FORMAT, normalization, processes=1, **outputs)
    manifest = dataset / "griffin_lim" / "manifest.csv"
    options = {"limit": limit, "iterations": 16, "seed": seed, "processes": processes}
    write_griffin_lim(mels, ranges, table, manifest, FORMAT, **options)
    return {entry.clip_id: read_audio(manifest.parent / entry.file).samples for entry in read_manifest(manifest)}


def log_mel_error(samples, row):
    found, wanted = (log_mel_spectrogram(torch.from_numpy(audio), FORMAT) for audio in (samples, chirp(row)))
    return float((found - wanted).abs().mean() / wanted.abs().mean())


def test_ground_truth_is_the_test_clips(dataset):
    manifest = dataset / "ground_truth" / "manifest.csv"
    write_ground_truth(dataset / "clips.npy", dataset / "clips.csv", manifest, FORMAT, limit=2)
    entries = read_manifest(manifest)
    assert [entry.clip_id for entry in entries] == ["clip3", "clip4"]
    assert {(entry.seed, entry.training_steps, entry.sample_rate) for entry in entries} == {(None, None, 8000)}
    for entry, row in zip(entries, (3, 4), strict=True):
        np.testing.assert_allclose(read_audio(manifest.parent / entry.file).samples, chirp(row), atol=2**-15)


@pytest.mark.parametrize("normalization", ["per_spectrogram", "dataset"])
def test_griffin_lim_restores_the_spectrogram_with_its_loudness(dataset, normalization):
    audio = invert(dataset, normalization)
    assert list(audio) == ["clip3", "clip4", "clip5"]
    for row, samples in zip((3, 4, 5), audio.values(), strict=True):
        assert len(samples) == FORMAT.clip_samples
        assert log_mel_error(samples, row) < 0.25
        assert min(log_mel_error(0.5 * samples, row), log_mel_error(2 * samples, row)) > 0.4


def test_griffin_lim_is_what_librosa_makes_of_the_same_mel(dataset):
    samples = invert(dataset, limit=1, seed=5)["clip3"]
    options = {"sr": 8000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "pad_mode": "reflect"}
    mel = librosa.feature.melspectrogram(y=chirp(3), **options)[:, :32]
    magnitude = librosa.feature.inverse.mel_to_stft(mel, sr=8000, n_fft=512)
    magnitude = np.concatenate([magnitude, magnitude[:, -1:]], axis=1)
    expected = librosa.griffinlim(
        magnitude, n_iter=16, hop_length=128, length=4096, random_state=clip_seed(5, 3), pad_mode="reflect"
    )
    assert np.abs(samples - expected).max() < 0.05 * np.abs(expected).max()  # 16 iterations spread what differs


def test_griffin_lim_depends_on_the_seed_and_on_nothing_else(dataset):
    first = invert(dataset)
    assert all(np.array_equal(first[name], again) for name, again in invert(dataset, processes=2).items())
    assert all(np.array_equal(first[name], alone) for name, alone in invert(dataset, limit=2).items())
    assert not any(np.array_equal(first[name], other) for name, other in invert(dataset, seed=1).items())


def test_the_manifest_holds_the_seed_of_each_clip(dataset):
    invert(dataset, seed=3)
    seeds = [entry.seed for entry in read_manifest(dataset / "griffin_lim" / "manifest.csv")]
    assert seeds == [clip_seed(3, row) for row in (3, 4, 5)]
    assert len(set(seeds)) == 3
