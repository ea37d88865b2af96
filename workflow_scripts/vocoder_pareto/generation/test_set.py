"""The test set as a trained vocoder generates it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from vocoder_pareto.audio.comparison import Comparison
from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.device_memory import is_out_of_memory
from vocoder_pareto.errors import UserError
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.models.waveforms import own_noise_alone, require_sound
from vocoder_pareto.study.systems import SystemSettings


def generate_test_set(
    checkpoint: str | Path,
    system: SystemSettings,
    mels: str | Path,
    table: str | Path,
    manifest: str | Path,
    *,
    limit: int | None,
    seed: int,
    batch_size: int,
    chunk_frames: int | None = None,
    comparison: Comparison | None = None,
    front_end: Mapping[str, Any] | None = None,
    device: torch.device,
) -> None:
    """Write a wav for each of the first `limit` test clips (all, if None), and their manifest.

    The manifest holds the training steps of the checkpoint, which tell the audio of a briefly trained model.

    Args:
        checkpoint: The checkpoint of the vocoder, from `save_checkpoint`.
        system: The settings that build the vocoder.
        mels: The normalised mel-spectrograms, mels.npy (N, n_mels, L).
        table: The table of clips, clips.csv, N rows.
        manifest: manifest.csv to write, with the wavs beside it.
        limit: The number of test clips, at least 1; None for all.
        seed: The seed of the study, at least 0, from which each clip's seed is derived.
        batch_size: The number of clips that are generated at once, at least 1.
        chunk_frames: The number of frames of the chunks in which longer clips are generated; None for whole clips.
        comparison: The rate and the stretch of time of the wavs; None leaves both as they are generated.
        front_end: What made the mel-spectrograms, see `front_end_of`; None leaves it unchecked but for what `system`
            tells.
        device: The device that generates.

    Raises:
        UserError: An input is missing or damaged, the checkpoint was made for another front end or architecture, what
            the vocoder gives is no audio (see `waveforms`), or an output cannot be written.
    """
    clips = read_clip_table(table)
    spectrograms = open_array(mels, (len(clips), system.n_mels, None), "compute_mels")
    vocoder, training = load_vocoder(checkpoint, system, front_end)
    vocoder.to(device).prepare_for_inference()
    tests = clips_of(clips, "test", limit)
    seeds = [clip_seed(seed, clip.row) for clip in tests]
    audio = generate_clips(vocoder, spectrograms, [clip.row for clip in tests], seeds, batch_size, chunk_frames)
    write_audio_set(
        manifest,
        [clip.clip_id for clip in tests],
        audio,
        system.sample_rate,
        seeds,
        training.get("steps"),
        comparison,
    )


def generate_clips(
    vocoder: Vocoder,
    mels: np.ndarray,
    rows: Sequence[int],
    seeds: Sequence[int],
    batch_size: int,
    chunk_frames: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the audio of some clips, (L · hop_length,) float32 each, in batches on the vocoder's device.

    Each clip draws its noise from its own seed, so its audio does not depend on its batch, but for rounding; nor does
    it depend on `chunk_frames`, which bounds the memory that long clips take (see `Vocoder.synthesize_in_chunks`).

    Args:
        vocoder: The vocoder, on the device that generates.
        mels: The normalised mel-spectrograms (N, M, L).
        rows: The rows of `mels` to generate.
        seeds: The seed of each row's noise, 0 to 2^32 − 1.
        batch_size: The number of clips that are generated at once, at least 1.
        chunk_frames: The number of frames of the chunks in which longer clips are generated; None for whole clips.

    Raises:
        UserError: The memory of the GPU is too small for a batch, or the vocoder cannot generate in chunks.
        UnusableAudio: What it gives is no audio of the right length, finite, in range and decided by the seeds.
        ValueError: The batch size is below 1, or there is another number of seeds than of rows.
    """
    if batch_size < 1 or len(seeds) != len(rows):
        raise ValueError(f"batch_size {batch_size} must be at least 1, and seeds ({len(seeds)}) as many as rows")
    weights = vocoder.like
    with tqdm(total=len(rows), desc="Generating audio", unit="clip") as bar:
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            mel = torch.from_numpy(mels[rows[batch]]).to(weights)  # (B, M, L)
            generators = [torch.Generator(weights.device).manual_seed(item) for item in seeds[batch]]
            try:
                with own_noise_alone(vocoder.name):
                    audio = _synthesized(vocoder, mel, generators, chunk_frames)  # (B, L · hop_length)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise UserError(
                    f"config key generation.batch_size: {len(mel)} clips of {mel.shape[2]} frames at once do not fit "
                    f"into the memory of {weights.device}; lower it, set generation.chunk_frames, or set device to cpu"
                ) from error
            yield from require_sound(audio, vocoder.name).float().cpu().numpy()
            bar.update(len(mel))


def _synthesized(
    vocoder: Vocoder, mel: torch.Tensor, generators: list[torch.Generator], chunk_frames: int | None
) -> torch.Tensor:
    if chunk_frames is None or mel.shape[2] <= chunk_frames:
        return vocoder.synthesize(mel, generators)
    try:
        return vocoder.synthesize_in_chunks(mel, chunk_frames, generators)
    except NotImplementedError as error:
        raise UserError(f"config key generation.chunk_frames: {error}; set it to null") from error
