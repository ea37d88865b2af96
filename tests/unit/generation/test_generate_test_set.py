import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from closeness import assert_close
from noisy_vocoder import NoisyVocoder
from seeds import seed_of
from warm_python import warm_torch

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.audio.utterances import COLUMNS
from vocoder_pareto.errors import UserError
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.generation.test_set import generate_clips, generate_test_set
from vocoder_pareto.models.checkpoint import save_checkpoint
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.csv_files import write_csv

PROJECT = Path(__file__).parents[3]
SYSTEM = SystemSettings("noisy", "S", f"{Path(__file__).parent / 'noisy_vocoder.py'}:NoisyVocoder", hop_length=64)


FRAMES = {5: 16, 6: 9, 7: 16, 8: 16, 9: 3}  # of five utterances by their rows, unequally long


@pytest.fixture
def study(tmp_path):
    """Mel-spectrograms of five utterances, and a checkpoint of 3 training steps."""
    rng = np.random.default_rng(seed_of(0))
    np.save(tmp_path / "mels.npy", rng.uniform(0, 1, (sum(FRAMES.values()), 80)).astype(np.float32))
    judge(tmp_path)
    stats = {"front_end": plain(FrontEndSettings(hop_length=64))}
    (tmp_path / "mel_stats.json").write_text(json.dumps(stats))
    torch.manual_seed(seed_of(0))
    save_checkpoint(tmp_path / "noisy-S.ckpt", NoisyVocoder(hop_length=64), SYSTEM, {"steps": 3})
    return tmp_path


def judge(study, limit=5):
    """The first utterances alone: their table, and their mel-spectrograms one after the other."""
    rows = [(f"clip{row}", "a.wav", row, frames * 64 / 16000, frames, 0, 1) for row, frames in FRAMES.items()][:limit]
    write_csv(study / "utterances.csv", COLUMNS, rows)
    mels = np.load(study / "mels.npy")
    np.save(study / "mels.npy", mels[: sum(row[4] for row in rows)])


def mel_of(study, row):
    first = sum(frames for other, frames in FRAMES.items() if other < row)
    return np.load(study / "mels.npy")[first : first + FRAMES[row]].T


def generate(study, seed=0, batch_size=1, name="generated", **options):
    manifest = study / name / "manifest.csv"
    generate_test_set(
        study / "noisy-S.ckpt",
        SYSTEM,
        study / "mels.npy",
        study / "utterances.csv",
        manifest,
        seed=seed,
        batch_size=batch_size,
        device=torch.device("cpu"),
        **options,
    )
    return {entry.clip_id: (manifest.parent / entry.file).read_bytes() for entry in read_manifest(manifest)}


def test_every_utterance_has_a_wav_of_its_length_and_a_row(study):
    assert list(generate(study)) == [f"clip{row}" for row in range(5, 10)]
    entries = read_manifest(study / "generated" / "manifest.csv")
    assert [entry.duration_seconds for entry in entries] == [frames * 64 / 16000 for frames in FRAMES.values()]
    assert {entry.sample_rate for entry in entries} == {16000}
    for entry, frames in zip(entries, FRAMES.values(), strict=True):
        assert soundfile.info(study / "generated" / entry.file).frames == frames * 64


def test_the_manifest_tells_that_the_model_was_hardly_trained(study):
    judge(study, 1)
    generate(study)
    assert [entry.training_steps for entry in read_manifest(study / "generated" / "manifest.csv")] == [3]


def test_equal_seeds_give_equal_bytes_and_other_seeds_others(study):
    first = generate(study)
    assert generate(study, name="again") == first
    other = generate(study, seed=1)
    assert not any(first[name] == other[name] for name in first)


def test_a_clip_is_the_same_alone_and_among_others(study):
    everything = generate(study)
    judge(study, 2)
    assert generate(study) == {name: everything[name] for name in ("clip5", "clip6")}


@pytest.mark.parametrize("batch_size", [2, 3, 5, 16])
def test_the_batch_does_not_change_a_clip_but_for_rounding(study, batch_size):
    """Nor do longer ones beside it, for whose sake it would have to be padded."""
    generate(study)
    generate(study, batch_size=batch_size, name="batched")
    for row in range(5, 10):
        alone, batched = (read_audio(study / name / f"clip{row}.wav").samples for name in ("generated", "batched"))
        assert np.abs(alone - batched).max() <= 2.0**-15


def test_chunks_do_not_change_a_clip_and_are_used_for_longer_clips_only(monkeypatch):
    vocoder = MelGAN(MelGANArchitecture(4, 1)).prepare_for_inference()
    rng = np.random.default_rng(seed_of(0))
    mels = [rng.uniform(0, 1, (80, frames)).astype(np.float32) for frames in (30, 30, 7, 19)]
    chunks = []
    context_frames = vocoder.context_frames

    def watched():
        chunks.append(context_frames())
        return chunks[-1]

    monkeypatch.setattr(vocoder, "context_frames", watched)
    whole, long_enough, chunked = (
        list(generate_clips(vocoder, mels, [0, 1, 2, 3], 2, frames)) for frames in (None, 30, 7)
    )
    assert len(chunks) == 2  # a call for each batch of the last way, but for the one that is short enough
    for mel, one, same, pieces in zip(mels, whole, long_enough, chunked, strict=True):
        assert len(one) == mel.shape[1] * 256
        assert np.array_equal(one, same)
        assert_close(pieces, one, factor=256)


def test_clips_share_a_batch_with_those_of_their_length_that_follow(monkeypatch):
    vocoder, shapes = NoisyVocoder(), []
    synthesize = vocoder.synthesize
    monkeypatch.setattr(vocoder, "synthesize", lambda mel, *more: shapes.append(mel.shape) or synthesize(mel, *more))
    mels = [np.zeros((80, frames), np.float32) for frames in (4, 4, 4, 2, 4, 4)]
    assert [len(audio) for audio in generate_clips(vocoder, mels, range(6), 2)] == [
        mel.shape[1] * vocoder.hop_length for mel in mels
    ]
    assert [(shape[0], shape[2]) for shape in shapes] == [(2, 4), (1, 4), (1, 2), (2, 4)]


def test_chunks_of_a_vocoder_that_does_not_know_its_context_are_refused(study):
    with pytest.raises(UserError, match=r"generation\.chunk_frames: NoisyVocoder does not say .* set it to null"):
        list(generate_clips(NoisyVocoder(), np.zeros((1, 80, 4), dtype=np.float32), [1], 1, 2))


def test_audio_is_that_of_the_vocoder_for_the_clips_own_mel_and_seed(study):
    generate(study, seed=4)
    torch.manual_seed(seed_of(0))
    vocoder = NoisyVocoder(hop_length=64)
    mel = torch.from_numpy(mel_of(study, 7).copy())[None]
    expected = vocoder.synthesize(mel, torch.Generator().manual_seed(clip_seed(4, 7)))[0].numpy()
    np.testing.assert_allclose(read_audio(study / "generated" / "clip7.wav").samples, expected, atol=2.0**-15)


def test_seeds_of_clips_differ_from_each_other_and_between_seeds():
    seeds = {clip_seed(seed, row) for seed in range(10) for row in range(100)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_diverged_model_is_named_and_leaves_no_manifest(study):
    vocoder = NoisyVocoder(hop_length=64)
    vocoder.layer.bias.data.fill_(float("nan"))
    save_checkpoint(study / "noisy-S.ckpt", vocoder, SYSTEM, {"steps": 3})
    with pytest.raises(UserError, match=r"noisy-S: generates NaN.*lower the learning rate"):
        generate(study)
    assert not (study / "generated" / "manifest.csv").exists()


def test_mels_of_another_number_of_bands_are_refused(study):
    np.save(study / "mels.npy", np.zeros((sum(FRAMES.values()), 40), dtype=np.float32))
    with pytest.raises(UserError, match=r"mels\.npy: holds .*rerun the rule `prepare_utterances`"):
        generate(study)


@pytest.mark.parametrize(("batch_size", "seeds"), [(0, [1, 2]), (1, [1])])
def test_a_batch_that_cannot_be_is_a_fault(batch_size, seeds):
    with pytest.raises(ValueError, match="batch_size"):
        list(generate_clips(NoisyVocoder(), np.zeros((2, 80, 4), dtype=np.float32), seeds, batch_size))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"), MemoryError()],
)
def test_a_batch_that_does_not_fit_into_the_gpu_is_named(monkeypatch, error):
    def out_of_memory(*arguments):
        raise error

    vocoder = NoisyVocoder()
    monkeypatch.setattr(vocoder, "synthesize", out_of_memory)
    with pytest.raises(UserError, match=r"generation\.batch_size: 2 clips of 4 frames .*lower it"):
        list(generate_clips(vocoder, np.zeros((2, 80, 4), dtype=np.float32), [1, 2], 2))


def run_program(study, *options):
    settings = {"model": "noisy", "size": "S", "vocoder": SYSTEM.vocoder, "hop_length": 64}
    command = [PROJECT / "workflow_scripts" / "generate_audio.py", "--system", json.dumps(settings)]
    command += [
        "--checkpoint",
        study / "noisy-S.ckpt",
        "--mels",
        study / "mels.npy",
        "--mel-stats",
        study / "mel_stats.json",
    ]
    command += ["--utterance-table", study / "utterances.csv", "--output", study / "program" / "manifest.csv", *options]
    command += ["--compared-rate", "16000"]
    return warm_torch().run([*map(str, command)])


def test_the_program_writes_what_the_library_does(study):
    result = run_program(study, "--device", "cpu", "--seed", "9")
    assert result.returncode == 0, result.stderr
    audio = generate(study, seed=9, compared_rate=16000)
    assert all((study / "program" / f"{name}.wav").read_bytes() == content for name, content in audio.items())
    assert "Generating audio" in result.stderr


def test_the_program_refuses_mel_spectrograms_of_another_front_end_than_the_checkpoint_was_trained_on(study):
    """The shapes are the same, and the audio would be noise."""
    trained_on = {"sample_rate": 16000, "hop_length": 64, "n_mels": 80, "n_fft": 1024}
    save_checkpoint(study / "noisy-S.ckpt", NoisyVocoder(hop_length=64), SYSTEM, {"steps": 3}, trained_on)
    result = run_program(study, "--device", "cpu")
    assert result.returncode == 1
    assert "another front end: n_fft 1024 (here 2048); name one of front_ends with n_fft: 1024" in result.stderr
    assert not (study / "program").exists()


def test_the_program_names_a_gpu_that_does_not_exist(study):
    result = run_program(study, "--device", "cuda:99")
    assert result.returncode == 1
    assert result.stderr.startswith("error: config key device: there is no cuda:99; PyTorch sees")
