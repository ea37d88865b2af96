"""The contract that all vocoders share.

Letters of shapes, here and in every model file: B batch, M mel bands, C channels, L frames, T = L · hop_length samples.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.weight_norm import WeightNorm

from vocoder_pareto.models.chunks import in_chunks
from vocoder_pareto.models.layers import ChannelsLastConv1d, ChannelsLastConvTranspose1d, channels_last
from vocoder_pareto.models.waveforms import require_form

Generators = torch.Generator | Sequence[torch.Generator] | None
LARGEST_AUDIO_SCALE = 1000.0
VocoderClass = TypeVar("VocoderClass", bound="Vocoder")


@dataclass(frozen=True)
class NoSettings:
    """The settings of sampling of a vocoder that has none."""


class Vocoder(nn.Module, ABC):
    """A network that turns mel-spectrograms into waveforms.

    A family writes `generate` and its own `Architecture` dataclass; users call `synthesize`, which checks its input,
    or `synthesize_in_chunks` for long clips.

    Attributes:
        Architecture: The dataclass of what fixes the names and shapes of the weights.
        Sampling: The dataclass of what matters at generation only (noise schedule, temperature); a change needs no
            training.
        architecture: The `Architecture` that this vocoder was built from.
        sampling: The `Sampling` that it generates with; its defaults, where None was given.
        n_mels: M, the number of bands of the mel-spectrograms.
        hop_length: The number of samples per frame.
        sample_rate: The samples per second that the class is made for; None where it takes any. A front end of another
            rate is refused.
        brings_weights: Whether the weights are there once it is built, as where the class loads them itself, or needs
            none: then its audio is judged though nothing trains it. It is read from the source, so write it out.
        exports_plainly: Whether other runtimes get `generate_plainly`: where `generate` writes into parts of a few
            tensors over and over, which a graph without memory has to copy as a whole each time.
        name: What messages call it: the name of its system, once it is built for one.
    """

    Architecture: ClassVar[type[Any]]
    Sampling: ClassVar[type[Any]] = NoSettings
    sample_rate: ClassVar[int | None] = None
    brings_weights: ClassVar[bool] = False
    exports_plainly: ClassVar[bool] = False
    _place: Tensor

    def __init__(self, architecture: Any, sampling: Any = None, n_mels: int = 80, hop_length: int = 256):
        super().__init__()
        self.architecture = architecture
        self.sampling = self.Sampling() if sampling is None else sampling
        self.n_mels = n_mels
        self.hop_length = hop_length
        self.name = type(self).__name__
        # Where a vocoder without weights is, and of which type its input is; it is no part of what is saved.
        self.register_buffer("_place", torch.empty(0), persistent=False)

    @property
    def like(self) -> Tensor:
        """A tensor of the device and the type that its input must have: those of its first real weight."""
        real = (weight for weight in self.parameters() if weight.is_floating_point())
        return next(real, self._place)

    @abstractmethod
    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1], by the fastest form with equal output.

        Args:
            mel: Normalised mel-spectrograms, already checked.
            generator: The source of noise, on the device of the model: one for the batch, or one per item, so that an
                item's audio does not depend on its batch; None for PyTorch's own.
        """

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """The same equations module by module: no queue, no cache, nothing hoisted out of a loop.

        The reference of tests, benchmarks and of FLOPs as published; a family overrides it where `generate` differs.
        """
        return self.generate(mel, generator)

    def context_frames(self) -> int:
        """How many frames on each side a chunk needs to be what it is in the whole clip, see `generate_in_chunks`.

        Raises:
            NotImplementedError: The family does not say.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say how many frames its output depends on; "
            "write its context_frames or generate whole clips"
        )

    def generate_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """The same as `generate`, by pieces of `chunk_frames` frames: the audio of the whole clip but for rounding.

        This form is for one pass without noise; a family with noise draws it for the whole clip and overrides this.
        """
        return in_chunks(
            lambda frames, _: self.generate(mel[..., frames], generator),
            mel.shape[2],
            chunk_frames,
            self.context_frames(),
            self.hop_length,
        )

    @torch.inference_mode()
    def synthesize_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """The same as `synthesize` in bounded memory: networks keep as much as a chunk and its context take.

        Args:
            mel: Mel-spectrograms (B, M, L), see `synthesize`.
            chunk_frames: The number of frames of a chunk, at least 1.
            generator: The source of noise, see `generate`.

        Returns:
            Waveforms (B, L · hop_length) in [-1, 1].

        Raises:
            ValueError: As for `synthesize`, or a chunk has less than one frame.
            NotImplementedError: The family does not say how much context a chunk needs.
            UnusableAudio: As for `synthesize`.
        """
        self._check(mel)
        return require_form(self.generate_in_chunks(mel, chunk_frames, generator), mel, self.hop_length, self.name)

    @torch.inference_mode()
    def synthesize(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """Check `mel`, then generate: the one call that is used and measured.

        Args:
            mel: Normalised mel-spectrograms (B, M, L), floating point of the weights' type, on the weights' device.
            generator: The source of noise, see `generate`.

        Returns:
            Waveforms (B, L · hop_length) in [-1, 1].

        Raises:
            ValueError: `mel` has another rank, type or number of bands, no item, no frame, or holds NaN or Inf.
            UnusableAudio: What the family gives has another type or shape than it must.
        """
        self._check(mel)
        return require_form(self.generate(mel, generator), mel, self.hop_length, self.name)

    def by_own_names(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """The weights of a file by the names that they have here, as an adapter tells; None leaves that to layouts."""
        return None

    def prepare_for_inference(self) -> Self:
        """Fold weight norm into plain weights and leave training mode; the output stays equal to 1e-5.

        Call it on the device that generates: weights of convolutions are stored in the memory layout that their signals
        have there, so that no call has to copy them. Weight norm of PyTorch's old form (`torch.nn.utils.weight_norm`)
        is folded as well as that of its new one.

        Source: Douwes et al. 2023, section 4.3.2, which removes weight normalisation before measuring.
        """
        for module, norm in list(old_weight_norms(self)):
            torch.nn.utils.remove_weight_norm(module, norm.name)
        for module in self.modules():
            if parametrize.is_parametrized(module):
                # PyTorch takes the weight out of the class, which a deep copy shares with its original.
                kind = type(module)
                module.__class__ = type(kind.__name__, kind.__bases__, dict(vars(kind)))
            for name in list(getattr(module, "parametrizations", {})):
                parametrize.remove_parametrizations(module, name)
            if isinstance(module, ChannelsLastConv1d | ChannelsLastConvTranspose1d):
                module.weight.data = channels_last(module.weight.data)
        return self.eval().requires_grad_(False)

    def _check(self, mel: Tensor) -> None:
        weight = self.like
        if mel.dim() != 3 or mel.shape[1] != self.n_mels:
            raise ValueError(f"mel has shape {tuple(mel.shape)}; expected (batch, {self.n_mels}, frames)")
        if mel.shape[0] == 0 or mel.shape[2] == 0:
            raise ValueError(f"mel has shape {tuple(mel.shape)}; batch and frames must be at least 1")
        if mel.dtype != weight.dtype:
            raise ValueError(
                f"mel is {mel.dtype}, the weights are {weight.dtype}; convert it with mel.to({weight.dtype})"
            )
        if not torch.isfinite(mel).all():
            raise ValueError("mel holds NaN or Inf; check the spectrograms it came from")


def copied(vocoder: VocoderClass) -> VocoderClass:
    """A copy that shares nothing with `vocoder`.

    `copy.deepcopy` alone refuses weights under weight norm of PyTorch's old form, which are results of autograd.
    """
    for module, norm in old_weight_norms(vocoder):
        setattr(module, norm.name, getattr(module, norm.name).detach())  # the next call computes it anew
    return copy.deepcopy(vocoder)


def old_weight_norms(network: nn.Module, recurse: bool = True) -> Iterator[tuple[nn.Module, WeightNorm]]:
    """The modules of `network`, or with `recurse` False that itself, under PyTorch's old weight norm, each with it."""
    for module in network.modules() if recurse else (network,):
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):
                yield module, hook


def audio_scale_of(architecture: Any) -> float:
    """`audio_scale` of an architecture: what a model of noise multiplies audio in [−1, 1] by; 1 where it has none.

    The papers take audio as it is. Speech then has a deviation of 0.05 to 0.1, beside noise of a deviation of 1: most
    steps of a diffusion drown it and teach little, and a flow has to grow before it can learn. How much the scale of
    the data matters to diffusion is the finding of Chen (2023, "On the importance of noise scheduling for diffusion
    models"), who scales images.

    Raises:
        ValueError: It is not more than 0, or more than `LARGEST_AUDIO_SCALE`.
    """
    scale = float(getattr(architecture, "audio_scale", 1.0))
    if not 0 < scale <= LARGEST_AUDIO_SCALE:
        raise ValueError(f"audio_scale is {scale:g}; must be more than 0 and at most {LARGEST_AUDIO_SCALE:g}")
    return scale


def draw_noise(shape: Sequence[int], like: Tensor, generator: Generators = None) -> Tensor:
    """Standard normal noise of `shape` (B, …), of the type and device of `like`.

    With a generator per item, item i is drawn from generator i alone.

    Raises:
        ValueError: There are several generators, but another number than items.
    """

    def draw(size: Sequence[int], source: torch.Generator | None) -> Tensor:
        return torch.randn(size, generator=source, dtype=like.dtype, device=like.device)

    if generator is None or isinstance(generator, torch.Generator):
        return draw(shape, generator)
    if len(generator) != shape[0]:
        raise ValueError(f"{len(generator)} generators for a batch of {shape[0]}; give one, or one per item")
    return torch.stack([draw(shape[1:], item) for item in generator])
