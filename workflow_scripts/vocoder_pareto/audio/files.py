"""The one reader and the one writer of audio files.

The reader refuses what would spoil a study silently: a file that ends before its header says, several channels where
one is expected, no samples, NaN, samples far outside [-1, 1]. It reads what libsndfile reads, of any sample rate.
"""

import io
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.study.sections.dataset import Channels

# Writers that do not know the length of a stream promise 2 GiB or more, less a header; no recording of speech has them.
_STREAM_BYTES = 0x7FFFF000
_STREAM_FRAMES = 2**63 - 1  # what libsndfile says of a FLAC file whose header tells no length
_BLOCK_FRAMES = 1 << 16
# What libsndfile corrected where a chunk is longer than the file, as its log says it of AIFF, AU, W64 and RF64.
_CORRECTED = re.compile(r"^\s*(?:SSND|Data Size|riff|Riff size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
# An MP3 file with the header that Xing gave them, by libsndfile's log; its length is true to an encoder's delay.
_XING_HEADER = re.compile(r"^\s*bitrate mode\s*: variable", re.MULTILINE)
_NEARLY = 0.99

# Decoders and resamplers overshoot full scale by a few decibels; what is further out was never scaled to it.
HIGHEST_PEAK = 2.0
_LARGEST_GAIN = 32.0  # 30 dB: what is below was amplified, what is above has the scale of whole numbers
_INTEGER_BITS = (16, 24, 32)  # of a sample, as recorders and converters have them


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
        samples: The samples that were read, (T,) float32, where 1 is full scale.
        sample_rate: The number of samples per second.
        duration_seconds: The duration of the whole file, also when only its beginning was read.
        channels: How many channels the file has.
    """

    samples: np.ndarray
    sample_rate: int
    duration_seconds: float
    channels: int = 1


def read_audio(
    path: str | Path, wanted_frames: Callable[[int], int] | None = None, channels: Channels = "error"
) -> Recording:
    """Read a file of audio, or its beginning, as one channel.

    Args:
        path: The file, of any format that libsndfile reads.
        wanted_frames: A function of the sample rate that says how many frames to read from the start; None for all.
        channels: What to do with several: take their mean, the first one, or none of them.

    Raises:
        BadAudio: The file is missing, empty, truncated or unreadable, has several channels that are an error, or holds
            NaN, Inf or samples far outside [-1, 1] where it was read.
    """
    path = Path(path)
    try:
        _check_size(path)
        with soundfile.SoundFile(path) as file:
            if file.channels != 1 and channels == "error":
                mend = "mix it down or pick one (of recordings, config key dataset.channels does)"
                raise BadAudio(path, f"has {file.channels} channels, expected 1; {mend}")
            wanted = None if wanted_frames is None else wanted_frames(file.samplerate)
            block, frames = (_read_known if _has_length(file) else _read_stream)(path, file, wanted)
            rate, count = file.samplerate, file.channels
    except soundfile.SoundFileError as error:
        raise BadAudio(path, f"cannot be decoded as audio ({_reason(error)}); convert it to FLAC anew") from error
    except OSError as error:
        raise BadAudio(path, f"cannot be read ({error.strerror or error})") from error
    if frames == 0:
        mend = "one that was never completed can be written anew with ffmpeg -ignore_length 1 -i old.wav new.wav"
        raise BadAudio(path, f"holds no samples by its header; {mend}")
    used = np.ascontiguousarray(block[:, :1]) if channels == "first" else block
    if not np.isfinite(used).all():
        raise BadAudio(path, "holds NaN or Inf")
    if fault := _out_of_scale(used):
        raise BadAudio(path, fault)
    samples = used[:, 0] if used.shape[1] == 1 else used.mean(axis=1, dtype=np.float64).astype(np.float32)
    return Recording(samples, rate, frames / rate, count)


def write_wav(path: str | Path, samples: np.ndarray, sample_rate: int) -> int:
    """Write samples as a WAV file of 16-bit PCM, whole or not at all.

    Args:
        path: The file to write.
        samples: The samples, (T,) or (T, channels) of any type of number; those outside [-1, 1] are clipped.
        sample_rate: The number of samples per second.

    Returns:
        How many samples had to be clipped.

    Raises:
        ValueError: The samples have another rank, there are none, or they hold NaN or Inf.
        UserError: The file cannot be written.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise ValueError(f"samples have shape {samples.shape}; expected (samples,) or (samples, channels), not 0")
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


class _Stream(soundfile.SoundFile):
    """A file whose length is not known, read from its beginning to its end: libsndfile fails to seek there."""

    def seekable(self) -> bool:
        return False


def _has_length(file: soundfile.SoundFile) -> bool:
    """Whether the header tells how long the file is; that of MP3 gives an estimate at best."""
    return file.frames != _STREAM_FRAMES and file.format != "MP3"


def _read_known(path: Path, file: soundfile.SoundFile, wanted: int | None) -> tuple[np.ndarray, int]:
    """The first `wanted` frames (all, if None), (frames, channels), and the number of all frames."""
    log = "" if file.format in ("WAV", "FLAC") else file.extra_info  # these tell it in other ways
    for promised, found in _CORRECTED.findall(log):
        if int(found) < int(promised) < _STREAM_BYTES:
            raise BadAudio(path, f"is truncated: its header promises {promised} bytes of audio, the file has {found}")
    wanted = file.frames if wanted is None else min(file.frames, wanted)
    block = file.read(wanted, dtype="float32", always_2d=True)
    if file.frames:
        file.seek(file.frames - 1)  # fails in a FLAC file whose end is missing, although it may not be wanted
    if len(block) < wanted:
        raise BadAudio(path, f"is truncated: it ends before the {file.frames} frames that its header promises")
    return block, file.frames


def _read_stream(path: Path, file: soundfile.SoundFile, wanted: int | None) -> tuple[np.ndarray, int]:
    """As `_read_known`, of a file whose header tells no length: it is decoded to its end to count the frames."""
    kept, frames = [np.zeros((0, file.channels), np.float32)], 0
    with _Stream(path) as stream:
        while len(block := stream.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
            if wanted is None or frames < wanted:
                kept.append(block)
            frames += len(block)
    if _XING_HEADER.search(file.extra_info) and frames < _NEARLY * file.frames:
        raise BadAudio(path, f"is truncated: it has {frames} of the {file.frames} frames that its header promises")
    return np.concatenate(kept)[:wanted], frames


def _out_of_scale(block: np.ndarray) -> str | None:
    """By how much samples are beyond full scale, and what to divide them by; None if they are not, or a little."""
    peak = float(np.abs(block).max())
    if peak <= HIGHEST_PEAK:
        return None
    told = f"its samples reach ±{peak:.6g}, and ±1 is full scale"
    bits = next((bits for bits in _INTEGER_BITS if peak <= 2 ** (bits - 1)), None)
    if bits is not None and (peak > _LARGEST_GAIN or (block == np.round(block)).all()):
        return f"{told}: they have the scale of {bits}-bit whole numbers; divide all samples by {2 ** (bits - 1)}"
    return f"{told}; divide all samples by {peak:.6g} or more"


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
            return 0 if size >= _STREAM_BYTES else file.tell() + size
        file.seek(size + size % 2, os.SEEK_CUR)  # chunks are padded to even lengths
    return 0


def _reason(error: Exception) -> str:
    return getattr(error, "error_string", str(error)).strip().rstrip(".")
