"""The one reader and the one writer of audio files.

The reader refuses what would spoil a study silently: a file that ends before its header says, several channels, no
samples, NaN. It reads WAV and FLAC of any sample rate with libsndfile.
"""

import io
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole

_UNKNOWN_SIZE = 0xFFFFFFFF  # a data chunk of a stream, whose size was not known when the header was written


class BadAudio(UserError):
    """An audio file that cannot be used.

    Attributes:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: str | Path, reason: str):
        super().__init__(str(path), reason)
        self.path = str(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Recording:
    """Samples of one channel.

    Attributes:
        samples: The samples that were read, (T,) float32 in [-1, 1].
        sample_rate: The number of samples per second.
        duration_seconds: The duration of the whole file, also when only its beginning was read.
    """

    samples: np.ndarray
    sample_rate: int
    duration_seconds: float


def read_audio(path: str | Path, wanted_frames: Callable[[int], int] | None = None) -> Recording:
    """Read a mono WAV or FLAC file, or its beginning.

    Args:
        path: The file.
        wanted_frames: A function of the sample rate that says how many frames to read from the start; None for all.

    Raises:
        BadAudio: The file is missing, empty, truncated, unreadable, not mono, or holds NaN or Inf where it was read.
    """
    path = Path(path)
    try:
        _check_size(path)
        with soundfile.SoundFile(path) as file:
            if file.channels != 1:
                raise BadAudio(path, f"has {file.channels} channels; only mono is supported: mix it down or pick one")
            if file.frames == 0:
                raise BadAudio(path, "holds no samples")
            wanted = file.frames if wanted_frames is None else min(file.frames, wanted_frames(file.samplerate))
            samples = file.read(wanted, dtype="float32")
            file.seek(file.frames - 1)  # fails in a FLAC file whose end is missing, although it may not be wanted
            if len(samples) < wanted:
                raise BadAudio(path, f"is truncated: it ends before the {file.frames} frames that its header promises")
            recording = Recording(samples, file.samplerate, file.frames / file.samplerate)
    except soundfile.SoundFileError as error:
        raise BadAudio(path, f"cannot be decoded as WAV or FLAC ({_reason(error)})") from error
    except OSError as error:
        raise BadAudio(path, f"cannot be read ({error.strerror or error})") from error
    if not np.isfinite(recording.samples).all():
        raise BadAudio(path, "holds NaN or Inf")
    return recording


def write_wav(path: str | Path, samples: np.ndarray, sample_rate: int) -> int:
    """Write samples as a mono WAV file of 16-bit PCM, whole or not at all.

    Args:
        path: The file to write.
        samples: The samples, (T,) of any type of number; those outside [-1, 1] are clipped.
        sample_rate: The number of samples per second.

    Returns:
        How many samples had to be clipped.

    Raises:
        ValueError: The samples have another rank, there are none, or they hold NaN or Inf.
        UserError: The file cannot be written.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1 or len(samples) == 0:
        raise ValueError(f"samples have shape {samples.shape}; expected (samples,) with at least one")
    if not np.isfinite(samples).all():
        raise ValueError("samples hold NaN or Inf; nothing was written")
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    # The reader divides by 2^15, so a file that is read and written again keeps its samples.
    pcm = np.clip(np.round(samples * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16)
    encoded = io.BytesIO()  # libsndfile does not tell why it cannot write a file
    soundfile.write(encoded, pcm, sample_rate, subtype="PCM_16", format="WAV")
    with written_whole(path) as temporary:
        temporary.write_bytes(encoded.getbuffer())
    return clipped


def _check_size(path: Path) -> None:
    """Raise BadAudio for an empty file, or a WAV file whose data chunk is longer than the file.

    libsndfile shortens such a chunk silently.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise BadAudio(path, "is empty")
        promised_end = _promised_end(file)
    if promised_end > size:
        raise BadAudio(path, f"is truncated: its header promises {promised_end} bytes, the file has {size}")


def _promised_end(file: BinaryIO) -> int:
    """Where the audio of a WAV file ends by its header; 0 for other files and for unknown lengths."""
    header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return 0
    while len(chunk := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return 0 if size == _UNKNOWN_SIZE else file.tell() + size
        file.seek(size + size % 2, os.SEEK_CUR)  # chunks are padded to even lengths
    return 0


def _reason(error: Exception) -> str:
    return getattr(error, "error_string", str(error)).strip().rstrip(".")
