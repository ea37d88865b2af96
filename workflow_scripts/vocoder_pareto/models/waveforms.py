"""What a vocoder gives, judged in one place wherever it is used: its form, its sound, and where its noise comes from.

The form costs a comparison of shapes, so that every call is held to it, the measured ones and those on tensors without
content among them. The sound is looked at where weights mean something: what random weights give has a cost alone.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.errors import UserError

# Networks that end without tanh swing over by some percent, which a wav clips and a manifest counts; beyond this factor
# the scale is another one.
LARGEST_SAMPLE = 2.0
_INTEGER_SCALE = 2.0**15


class UnusableAudio(UserError):
    """What a vocoder gives is no audio for its input; the message names the system, what is wrong and the mend."""


def require_form(audio: Any, mel: Tensor, hop_length: int, name: str) -> Tensor:
    """Return `audio` if it has the form of waveforms for `mel`: type, device, shape.

    Args:
        audio: What a vocoder gave.
        mel: What it was given, (B, M, L).
        hop_length: Samples per frame.
        name: What a message calls the vocoder.

    Raises:
        UnusableAudio: It has not.
    """
    if not isinstance(audio, Tensor):
        raise UnusableAudio(
            f"{name}: gives a {type(audio).__name__}, and must give a tensor of waveforms (batch, samples)"
            f"{_mend_of_type(audio)}"
        )
    if not audio.is_floating_point():
        kind = str(audio.dtype).removeprefix("torch.")
        mend = "take their real part" if audio.is_complex() else "convert and divide them by full scale"
        raise UnusableAudio(f"{name}: gives samples of type {kind}, and must give real floating-point ones; {mend}")
    batch, samples = mel.shape[0], mel.shape[2] * hop_length
    if audio.shape != (batch, samples):
        raise UnusableAudio(
            f"{name}: gives waveforms of shape {tuple(audio.shape)} for {mel.shape[2]} frames of {hop_length} samples, "
            f"and must give {(batch, samples)}; {_mend_of_shape(tuple(audio.shape), batch, samples)}"
        )
    if audio.device != mel.device:
        raise UnusableAudio(
            f"{name}: gives audio on {audio.device} for input on {mel.device}; make all tensors on the device of the "
            "input, and keep those that stay as buffers (register_buffer)"
        )
    return audio


def require_sound(audio: Tensor, name: str) -> Tensor:
    """Return `audio` if its samples are finite and no larger than full scale, but for what a wav clips.

    Args:
        audio: Waveforms, of any shape.
        name: What a message calls the vocoder.

    Raises:
        UnusableAudio: They are not.
    """
    if not torch.isfinite(audio).all():
        raise UnusableAudio(
            f"{name}: generates NaN or Inf; if it was trained here, its training diverged: delete the checkpoint, "
            "lower the learning rate and train again; else mend its weights or its code"
        )
    peak = float(audio.abs().max())
    if peak > LARGEST_SAMPLE:
        raise UnusableAudio(
            f"{name}: generates samples up to {peak:.4g}, and full scale is 1; "
            + (
                f"divide them by {_INTEGER_SCALE:.0f} if they are those of 16-bit integers"
                if peak > 0.01 * _INTEGER_SCALE
                else "divide them by the scale that it was trained at, or end it with torch.tanh"
            )
        )
    return audio


@contextmanager
def own_noise_alone(name: str) -> Iterator[None]:
    """Refuse noise from the sources that all of a process share: the same seed would not give the same audio.

    Args:
        name: What a message calls the vocoder.

    Raises:
        UnusableAudio: What was called within drew from one of them.
    """
    before = shared_sources()
    yield
    if drawn := changed_sources(before):
        raise UnusableAudio(
            f"{name}: draws random numbers from {' and '.join(drawn)}, which the whole process shares, so its audio is "
            "another one in every run; draw them by draw_noise(shape, like, generator), or in a MelVocoder or "
            "WaveformCodec that draws by PyTorch set draws_noise = True"
        )


def shared_sources() -> dict[str, Any]:
    """The states of the generators of random numbers that all of a process shares, by their names for readers."""
    states: dict[str, Any] = {"PyTorch's generator": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        states["CUDA's generator"] = torch.cat(torch.cuda.get_rng_state_all())
    kind, keys, *rest = np.random.get_state(legacy=True)
    states["NumPy's generator"] = (kind, keys.tobytes(), *rest)  # type: ignore[union-attr]
    states["Python's generator"] = random.getstate()
    return states


def changed_sources(before: dict[str, Any]) -> list[str]:
    """Which of the states of `shared_sources` are others now."""
    now = shared_sources()
    return [name for name, state in before.items() if not _equal(state, now[name])]


def _equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) else one == other


def _mend_of_type(audio: Any) -> str:
    if isinstance(audio, np.ndarray):
        return "; end with torch.from_numpy"
    if isinstance(audio, tuple | list):
        return f"; take the right one of its {len(audio)} parts"
    return ""


def _mend_of_shape(shape: tuple[int, ...], batch: int, samples: int) -> str:
    """What to do about audio of `shape` where (batch, samples) is expected."""
    if shape == (batch, 1, samples):
        return "take its one channel by squeeze(1)"
    if len(shape) != 2:
        return "give one channel without a dimension of its own"
    if shape[0] != batch:
        return "give one waveform per item of the batch"
    if shape[1] and (samples % shape[1] == 0 or shape[1] % samples == 0):
        return (
            f"it has {_ratio(shape[1], samples)} the samples: name a front_end with the hop length and the sample rate "
            "that it is made for, or mend its upsampling"
        )
    surplus = shape[1] - samples
    return (
        f"cut the {surplus} samples that it pads with"
        if surplus > 0
        else f"{-surplus} samples are missing: pad its input, as by functional.pad(mel, (0, 1), mode='replicate')"
    )


def _ratio(found: int, expected: int) -> str:
    whole = f"{found // expected} times" if found >= expected else f"1/{expected // found} of"
    return {"2 times": "twice", "1/2 of": "half"}.get(whole, whole)
