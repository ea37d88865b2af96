"""Reconstructions of the test set by a trained vocoder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.models.vocoder import Vocoder
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
    device: torch.device,
) -> None:
    """Write a wav for each of the first `limit` test clips (all, if None), and their manifest.

    Clips of more than `chunk_frames` frames are generated in chunks, see `generate_clips`. The manifest holds the
    training steps of the checkpoint, which tell the audio of a briefly trained model.

    Raises:
        UserError: an input is missing or damaged, the audio is not finite, or an output cannot be written.
    """
    clips = read_clip_table(table)
    spectrograms = open_array(mels, (len(clips), system.n_mels, None), "compute_mels")
    vocoder, training = load_vocoder(checkpoint, system)
    vocoder.to(device).prepare_for_inference()
    tests = clips_of(clips, "test", limit)
    seeds = [clip_seed(seed, clip.row) for clip in tests]
    audio = generate_clips(vocoder, spectrograms, [clip.row for clip in tests], seeds, batch_size, chunk_frames)
    write_audio_set(
        manifest,
        [clip.clip_id for clip in tests],
        _finite(audio, checkpoint),
        system.sample_rate,
        seeds,
        training["steps"],
    )


def generate_clips(
    vocoder: Vocoder,
    mels: np.ndarray,
    rows: Sequence[int],
    seeds: Sequence[int],
    batch_size: int,
    chunk_frames: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the audio (L · hop_length,) of each of `rows` of mels (N, M, L), in batches on the vocoder's device.

    Each clip draws its noise from its own seed, so its audio does not depend on its batch, but for rounding; nor does
    it depend on `chunk_frames`, which bounds the memory that long clips take (see `Vocoder.synthesize_in_chunks`).

    Raises:
        UserError: the memory of the GPU is too small for a batch, or the vocoder cannot generate in chunks.
        ValueError: a batch size below 1, or another number of seeds than rows.
    """
    if batch_size < 1 or len(seeds) != len(rows):
        raise ValueError(f"batch_size {batch_size} must be at least 1, and seeds ({len(seeds)}) as many as rows")
    weights = next(vocoder.parameters())
    with tqdm(total=len(rows), desc="Generating audio", unit="clip") as bar:
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            mel = torch.from_numpy(mels[rows[batch]]).to(weights)  # (B, M, L)
            generators = [torch.Generator(weights.device).manual_seed(item) for item in seeds[batch]]
            try:
                if chunk_frames is None or mel.shape[2] <= chunk_frames:
                    audio = vocoder.synthesize(mel, generators)  # (B, L · hop_length)
                else:
                    audio = vocoder.synthesize_in_chunks(mel, chunk_frames, generators)
            except torch.OutOfMemoryError as error:
                raise UserError(
                    f"config key generation.batch_size: {len(mel)} clips of {mel.shape[2]} frames at once do not fit "
                    f"into the memory of {weights.device}; lower it, set generation.chunk_frames, or set device to cpu"
                ) from error
            except NotImplementedError as error:
                raise UserError(f"config key generation.chunk_frames: {error}; set it to null") from error
            yield from audio.float().cpu().numpy()
            bar.update(len(mel))


def _finite(audio: Iterator[np.ndarray], checkpoint: str | Path) -> Iterator[np.ndarray]:
    for samples in audio:
        if not np.isfinite(samples).all():
            raise UserError(
                f"{checkpoint}: its vocoder generates NaN or Inf, so its training diverged; "
                "delete the checkpoint, lower the learning rate and train again"
            )
        yield samples
