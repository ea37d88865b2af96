from dataclasses import replace

import librosa
import numpy as np
import pytest
import pyworld
import soundfile
import torch
from scipy import signal

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.audio.features import features
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.judged_mels import prepare_utterances
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.generation.griffin_lim import linear_mel
from vocoder_pareto.generation.reference_systems import write_griffin_lim, write_ground_truth, write_world
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.generation.world import resynthesised
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings

FRONT_END = FrontEndSettings(sample_rate=8000, n_fft=512, hop_length=128, n_mels=40)
SAMPLES = 4096


def chirp(row):
    seconds = np.arange(SAMPLES) / FRONT_END.sample_rate
    return 0.3 * np.sin(2 * np.pi * (300 + 100 * row + 800 * seconds) * seconds).astype(np.float32)


@pytest.fixture
def dataset(tmp_path):
    """Six recordings, of which the last three are the test set, and the clips that they begin with."""
    np.save(tmp_path / "clips.npy", np.stack([chirp(row) for row in range(6)]))
    splits = ["train"] * 3 + ["test"] * 3
    clips = [Clip(row, f"clip{row}", f"{row}.wav", (SAMPLES + 500) / 8000, split) for row, split in enumerate(splits)]
    for row in range(6):
        soundfile.write(tmp_path / f"{row}.wav", np.append(chirp(row), np.zeros(500)), 8000, subtype="FLOAT")
    write_clip_table(tmp_path / "clips.csv", clips)
    return tmp_path


def judged(dataset, limit=None, front_end=FRONT_END):
    """The table of the utterances: so much of each recording as the clips hold."""
    outputs = {"mels": dataset / "all_mels.npy", "ranges": dataset / "ranges.npy", "stats": dataset / "stats.json"}
    compute_mels(dataset / "clips.npy", dataset / "clips.csv", front_end, processes=1, **outputs)
    table, mels = dataset / "utterances.csv", dataset / "mels.npy"
    options = {"max_clips": limit, "max_seconds": SAMPLES / 8000, "processes": 1, "table": table, "mels": mels}
    inputs = dataset, dataset / "clips.csv", outputs["stats"]
    prepare_utterances(*inputs, DatasetSettings(source="folder"), front_end, **options)
    return table


def invert(dataset, normalization="per_spectrogram", limit=None, seed=0, processes=1, rate=8000, **settings):
    front_end = replace(FRONT_END, normalization=normalization, **settings)
    table = judged(dataset, limit, front_end)
    manifest = dataset / "griffin_lim" / "manifest.csv"
    options = {"iterations": 16, "seed": seed, "processes": processes}
    write_griffin_lim(dataset / "mels.npy", table, manifest, front_end, rate, **options)
    return {entry.clip_id: read_audio(manifest.parent / entry.file).samples for entry in read_manifest(manifest)}


def log_mel_error(samples, row):
    found, wanted = (features(torch.from_numpy(audio), FRONT_END) for audio in (samples, chirp(row)))
    return float((found - wanted).abs().mean() / wanted.abs().mean())


def test_ground_truth_is_the_beginning_of_the_recordings(dataset):
    manifest = dataset / "ground_truth" / "manifest.csv"
    write_ground_truth(dataset, judged(dataset, 2), manifest, 8000)
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
        assert len(samples) == SAMPLES
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


def test_griffin_lim_inverts_other_front_ends_too(dataset):
    """The natural logarithm of magnitudes between 100 and 3,800 Hz, without any normalisation."""
    other = {"power": 1, "logarithm": "ln", "floor": 1e-5, "fmin": 100.0, "fmax": 3800.0, "padding": "center_reflect"}
    audio = invert(dataset, "none", **other)
    for row, samples in zip((3, 4, 5), audio.values(), strict=True):
        assert log_mel_error(samples, row) < 0.25


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "parallel_wavegan_22k"])
def test_what_a_front_end_does_to_a_mel_is_undone(name):
    """Against its own magnitudes or powers, from the same spectrogram without a logarithm to speak of."""
    front_end = BUILT_IN[name]
    if front_end.has_range:
        front_end = replace(front_end, normalization="none")
    audio = torch.from_numpy(np.random.default_rng(3).uniform(-0.5, 0.5, 8 * front_end.hop_length).astype(np.float32))
    plainly = replace(front_end, logarithm="log1p", floor=0.0, normalization="none")
    expected = np.expm1(features(audio, plainly).numpy())
    found = linear_mel(features(audio, front_end).numpy(), front_end)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_audio_of_another_rate_is_brought_to_the_rate_of_the_comparison_and_kept(dataset):
    invert(dataset, rate=16000)
    (first, *_) = read_manifest(dataset / "griffin_lim" / "manifest.csv")
    assert (first.sample_rate, first.original_sample_rate) == (16000, 8000)
    compared, original = (
        read_audio(dataset / "griffin_lim" / file).samples for file in (first.file, first.original_file)
    )
    assert (len(compared), len(original)) == (2 * SAMPLES, SAMPLES)
    again = librosa.resample(original, orig_sr=8000, target_sr=16000, res_type="soxr_hq")
    assert np.abs(again[200:8000] - compared[200:8000]).max() < 2e-3  # both were rounded to 16 bits


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


def vowel(fundamental, sample_rate=16000, seconds=1.024):
    """A steady vowel as a pulse train through two resonances (Klatt 1980): its pitch and formants are known."""
    pulses = np.zeros(round(seconds * sample_rate))
    pulses[:: round(sample_rate / fundamental)] = 1.0
    for formant, bandwidth in ((700.0, 80.0), (1220.0, 90.0)):
        radius, angle = np.exp(-np.pi * bandwidth / sample_rate), 2 * np.pi * formant / sample_rate
        pulses = signal.lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], pulses)
    return (0.5 * pulses / np.abs(pulses).max()).astype(np.float32)


def test_world_is_the_example_of_its_documentation(dataset):
    """pyworld's readme, function by function; at twice 8,000 Hz, since D4C looks up to 7,900 Hz."""
    manifest = dataset / "world" / "manifest.csv"
    write_world(dataset, judged(dataset, 2), manifest, 8000)
    entries = read_manifest(manifest)
    assert [(entry.clip_id, entry.seed, entry.sample_rate) for entry in entries] == [
        ("clip3", None, 8000), ("clip4", None, 8000),
    ]  # fmt: skip
    for entry, row in zip(entries, (3, 4), strict=True):
        speech = librosa.resample(chirp(row).astype(np.float64), orig_sr=8000, target_sr=16000)
        pitch, times = pyworld.dio(speech, 16000)
        pitch = pyworld.stonemask(speech, pitch, times, 16000)
        envelope = pyworld.cheaptrick(speech, pitch, times, 16000)
        aperiodicity = pyworld.d4c(speech, pitch, times, 16000)
        synthesised = pyworld.synthesize(pitch, envelope, aperiodicity, 16000)
        expected = librosa.resample(synthesised, orig_sr=16000, target_sr=8000)[:SAMPLES]
        found = read_audio(manifest.parent / entry.file).samples
        expected = np.clip(np.pad(expected, (0, SAMPLES - len(expected))), -1, 1)  # as wavs of 16 bits are
        np.testing.assert_allclose(found, expected, atol=1.01 * 2**-15)


def test_world_is_wav2world_where_the_rate_allows_it():
    speech = chirp(3).astype(np.float64)
    expected = pyworld.synthesize(*pyworld.wav2world(speech, 16000), 16000)[: len(speech)]
    np.testing.assert_array_equal(resynthesised(speech, 16000), expected.astype(np.float32))


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 16000])
def test_world_does_not_depend_on_what_memory_held_before(rate):
    speech, found = chirp(3), []
    for seed in range(8):
        filling = np.random.default_rng(seed).normal(size=200_000) * 1e3
        del filling
        found.append(resynthesised(speech, rate))
    assert all(np.array_equal(each, found[0]) for each in found)


@pytest.mark.parametrize("fundamental", [100.0, 200.0])
def test_world_gives_back_the_pitch_and_the_envelope_of_a_known_vowel(fundamental):
    """The pitch by autocorrelation; the harmonics by projection on sinusoids of the known frequencies."""
    original = vowel(fundamental)
    found = resynthesised(original, 16000)
    assert (found.dtype, found.shape) == (np.float32, original.shape)
    middle = found[4000:12000].astype(np.float64)
    correlation = signal.correlate(middle, middle, "full")[len(middle) - 1 :]
    assert 16000 / (40 + np.argmax(correlation[40:200])) == pytest.approx(fundamental, rel=0.02)
    harmonics = fundamental * np.arange(1, 13)
    waves = np.exp(-2j * np.pi * harmonics[:, None] * np.arange(4000, 12000) / 16000)
    levels = [20 * np.log10(np.abs(waves @ audio[4000:12000].astype(np.float64))) for audio in (original, found)]
    assert np.abs(levels[0] - levels[1]).max() < 4.0  # decibels
    assert np.abs(levels[0] - levels[1]).mean() < 1.5


def test_world_of_equal_samples_is_equal_in_every_process_and_whatever_was_resynthesised_before(dataset):
    first, again = (dataset / name / "manifest.csv" for name in ("first", "again"))
    write_world(dataset, judged(dataset), first, 8000)
    write_world(dataset, judged(dataset, 2), again, 8000, processes=2)
    for entry in read_manifest(again):
        assert (again.parent / entry.file).read_bytes() == (first.parent / entry.file).read_bytes()


@pytest.mark.parametrize("samples", [np.zeros(16384), np.full(16384, 0.5), np.zeros(100), np.eye(1, 16384, 8000)[0]])
def test_world_of_what_is_no_speech_is_finite_and_as_long(samples):
    found = resynthesised(samples, 16000)
    assert found.shape == samples.shape
    assert np.isfinite(found).all()
