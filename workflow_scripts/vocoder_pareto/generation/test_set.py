"""The test set as a trained vocoder generates it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.audio.utterances import open_mels, read_utterances
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
    seed: int,
    batch_size: int,
    chunk_frames: int | None = None,
    compared_rate: int | None = None,
    front_end: Mapping[str, Any] | None = None,
    device: torch.device,
) -> None:
    """Write a wav for each utterance that is judged, and their manifest.

    The manifest holds the training steps of the checkpoint, which tell the audio of a briefly trained model.

    Args:
        checkpoint: The checkpoint of the vocoder, from `save_checkpoint`.
        system: The settings that build the vocoder.
        mels: The mel-spectrograms of the utterances, mels.npy of `prepare_utterances`.
        table: Their table, utterances.csv.
        manifest: manifest.csv to write, with the wavs beside it.
        seed: The seed of the study, at least 0, from which each utterance's seed is derived.
        batch_size: The number of utterances of equal length that are generated at once, at least 1.
        chunk_frames: The number of frames of the chunks in which longer ones are generated; None for whole ones.
        compared_rate: The sample rate of the wavs, cut to what is judged; None leaves audio as it is generated.
        front_end: What made the mel-spectrograms, see `front_end_of`; None leaves it unchecked but for what `system`
            tells.
        device: The device that generates.

    Raises:
        UserError: An input is missing or damaged, the checkpoint was made for another front end or architecture, what
            the vocoder gives is no audio (see `waveforms`), or an output cannot be written.
    """
    utterances = read_utterances(table)
    spectrograms = open_mels(mels, utterances, system.n_mels)
    vocoder, training = load_vocoder(checkpoint, system, front_end)
    vocoder.to(device).prepare_for_inference()
    seeds = [clip_seed(seed, utterance.row) for utterance in utterances]
    inputs = [utterance.mel_in(spectrograms) for utterance in utterances]
    audio = generate_clips(vocoder, inputs, seeds, batch_size, chunk_frames)
    write_audio_set(
        manifest,
        [utterance.clip_id for utterance in utterances],
        audio,
        system.sample_rate,
        seeds,
        training.get("steps"),
        [utterance.compared_at(compared_rate) for utterance in utterances] if compared_rate else None,
    )


def generate_clips(
    vocoder: Vocoder,
    mels: Sequence[np.ndarray],
    seeds: Sequence[int],
    batch_size: int,
    chunk_frames: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the audio of some clips, (L · hop_length,) float32 each, in batches on the vocoder's device.

    Each clip draws its noise from its own seed, so its audio does not depend on its batch, but for rounding; nor does
    it depend on `chunk_frames`, which bounds the memory that long clips take (see `Vocoder.synthesize_in_chunks`).
    Clips that follow each other and are equally long share a batch: none is padded, since networks hear padding.

    Args:
        vocoder: The vocoder, on the device that generates.
        mels: The normalised mel-spectrogram of each clip, (M, L), of any length each.
        seeds: The seed of each clip's noise, 0 to 2^32 − 1.
        batch_size: The number of clips that are generated at once, at least 1.
        chunk_frames: The number of frames of the chunks in which longer clips are generated; None for whole clips.

    Raises:
        UserError: The memory of the GPU is too small for a batch, or the vocoder cannot generate in chunks.
        UnusableAudio: What it gives is no audio of the right length, finite, in range and decided by the seeds.
        ValueError: The batch size is below 1, or there is another number of seeds than of clips.
    """
    if batch_size < 1 or len(seeds) != len(mels):
        raise ValueError(f"batch_size {batch_size} must be at least 1, and seeds ({len(seeds)}) as many as clips")
    weights = vocoder.like
    with tqdm(total=len(mels), desc="Generating audio", unit="clip") as bar:
        for batch in _batches([mel.shape[1] for mel in mels], batch_size):
            mel = torch.from_numpy(np.stack(mels[batch])).to(weights)  # (B, M, L)
            generators = [torch.Generator(weights.device).manual_seed(item) for item in seeds[batch]]
            try:
                with own_noise_alone(vocoder.name):
                    audio = _synthesized(vocoder, mel, generators, chunk_frames)  # (B, L · hop_length)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise UserError(
                    f"config key generation.batch_size: {len(mel)} clips of {mel.shape[2]} frames at once do not fit "
                    f"into the memory of {weights.device}; lower it, lower generation.chunk_frames, or set device to "
                    "cpu"
                ) from error
            yield from require_sound(audio, vocoder.name).float().cpu().numpy()
            bar.update(len(mel))


def _batches(lengths: Sequence[int], batch_size: int) -> Iterator[slice]:
    """Runs of at most `batch_size` equal lengths, in their order."""
    start = 0
    while start < len(lengths):
        stop = start + 1
        while stop < min(len(lengths), start + batch_size) and lengths[stop] == lengths[start]:
            stop += 1
        yield slice(start, stop)
        start = stop


def _synthesized(
    vocoder: Vocoder, mel: torch.Tensor, generators: list[torch.Generator], chunk_frames: int | None
) -> torch.Tensor:
    if chunk_frames is None or mel.shape[2] <= chunk_frames:
        return vocoder.synthesize(mel, generators)
    try:
        return vocoder.synthesize_in_chunks(mel, chunk_frames, generators)
    except NotImplementedError as error:
        raise UserError(f"config key generation.chunk_frames: {error}; set it to null") from error
