"""Vocoders and codecs of other projects, in a few lines: any `nn.Module`, or any function of tensors.

    class MyVocoder(MelVocoder):
        def build(self):
            return Generator(self.n_mels)  # mel-spectrogram (B, M, L) -> waveform (B, T) or (B, 1, T)

`waveform` is what is called with the input; a network that wants it in another form, or gives more than the audio, has
its own. Weights of the network are taken by its own names.
"""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder

log = logging.getLogger(__name__)

_PREFIX = "network."


class Adapter(Vocoder):
    """What `MelVocoder` and `WaveformCodec` share.

    Attributes:
        network: What `build` returned.
        draws_noise: Whether it draws from PyTorch's own generator; then that of each clip takes its place.
    """

    Architecture = NoSettings
    draws_noise: ClassVar[bool] = False

    def __init__(self, architecture: Any = None, sampling: Any = None, n_mels: int = 80, hop_length: int = 256):
        settings = self.Architecture() if architecture is None else architecture
        super().__init__(settings, sampling, n_mels, hop_length)
        self.network = self.build()

    @abstractmethod
    def build(self) -> nn.Module | Callable[..., Any]:
        """Return the network, from `self.architecture`, `self.sampling`, `self.n_mels` and `self.hop_length`."""

    def waveform(self, signal: Tensor) -> Tensor:
        """Return the audio of `signal`, (B, T) or (B, 1, T): by default, what the network gives for it.

        Args:
            signal: What the network takes in: mel-spectrograms (B, M, L), or waveforms (B, 1, T) of a codec.
        """
        return self.network(signal)

    @abstractmethod
    def forward(self, mel: Tensor) -> Tensor:
        """Input of the study (B, M, L) → waveforms (B, T), which a training calls too."""

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`; where noise is drawn for several clips, one clip after the other."""
        if not self.draws_noise or generator is None:
            return self(mel)
        if isinstance(generator, torch.Generator):
            with _drawing_from(generator):
                return self(mel)
        clips = []
        for clip, source in zip(mel.split(1), generator, strict=True):
            with _drawing_from(source):
                clips.append(self(clip))
        return torch.cat(clips)

    def by_own_names(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `weights` of the network by the names that they have here.

        Parts of their file that the network does not have at all, such as a front end or a discriminator, are left.
        """
        if all(name.startswith(_PREFIX) for name in weights):
            return dict(weights)
        parts = {name.split(".")[1] for name in self.state_dict() if name.startswith(_PREFIX)}
        left = sorted({name.partition(".")[0] for name in weights} - parts)
        if left:
            log.info("%s: %s of its file of weights is no part of the network, and left", self.name, ", ".join(left))
        return {f"{_PREFIX}{name}": weight for name, weight in weights.items() if name.partition(".")[0] not in left}


class MelVocoder(Adapter):
    """A network or function that makes waveforms (B, T) or (B, 1, T) of mel-spectrograms (B, M, L)."""

    def forward(self, mel: Tensor) -> Tensor:
        """See `Adapter`."""
        return _one_channel(self.waveform(mel))


class WaveformCodec(Adapter):
    """A network or function that makes waveforms (B, T) or (B, 1, T) of waveforms (B, 1, T).

    Its front end has `representation: waveform`, whose columns of `hop_length` samples become the waveform again.
    """

    def __init__(self, architecture: Any = None, sampling: Any = None, n_mels: int = 256, hop_length: int = 256):
        if n_mels != hop_length:
            raise ValueError(
                f"{type(self).__name__} takes the waveform, and its front end gives {n_mels} bands; name a front_end "
                "with representation: waveform"
            )
        super().__init__(architecture, sampling, n_mels, hop_length)

    def forward(self, mel: Tensor) -> Tensor:
        """See `Adapter`."""
        return _one_channel(self.waveform(mel.transpose(1, 2).reshape(len(mel), 1, -1)))


def _one_channel(audio: Any) -> Any:
    """Waveforms (B, 1, T) → (B, T); all else is left to the check of what comes out."""
    return audio.squeeze(1) if isinstance(audio, Tensor) and audio.dim() == 3 and audio.shape[1] == 1 else audio


@contextmanager
def _drawing_from(source: torch.Generator) -> Iterator[None]:
    """Let PyTorch's own generator of the device of `source` go on as `source`; then it is as it was before."""
    before = _state(source.device)
    _set_state(source.get_state(), source.device)
    try:
        yield
        source.set_state(_state(source.device))
    finally:
        _set_state(before, source.device)


def _state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
