"""What flow vocoders share: an invertible map between waveforms and noise, and their one method more than `Vocoder`.

Letters of shapes beside those of `vocoder.py`: h rows, w columns, h · w = T. Row i of a waveform holds the samples i,
i + h, i + 2h, …, so that a column holds h samples that follow one another.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vocoder_pareto.models.chunks import in_chunks
from vocoder_pareto.models.vocoder import Generators, Vocoder, audio_scale_of, draw_noise


@dataclass(frozen=True)
class FlowSampling:
    """How the latent is drawn.

    Attributes:
        sigma: The standard deviation of the latent at generation, at least 0.

    Raises:
        ValueError: `sigma` is negative.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma >= 0:
            raise ValueError(f"sigma is {self.sigma}; must be at least 0")


class Encoding(NamedTuple):
    """A waveform as noise.

    Attributes:
        latent: The noise, (B, T).
        log_determinant: log |det ∂ latent / ∂ audio| of each item, (B,), in nats.
    """

    latent: Tensor
    log_determinant: Tensor


class FlowVocoder(Vocoder):
    """A vocoder that is trained as an invertible map from audio to white noise, and generates by its inverse.

    Attributes:
        audio_scale: What audio is multiplied by before it is encoded, and what decoded audio is divided by, see
            `audio_scale_of`. `encode` and `decode` know nothing of it.

    Raises:
        ValueError: `audio_scale` is out of its range.
    """

    Sampling = FlowSampling
    sampling: FlowSampling

    def __init__(
        self, architecture: Any, sampling: FlowSampling | None = None, n_mels: int = 80, hop_length: int = 256
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.audio_scale = audio_scale_of(architecture)

    @abstractmethod
    def encode(self, audio: Tensor, mel: Tensor) -> Encoding:
        """Audio (B, T) and its mel-spectrogram (B, M, L) → the latent and the log-determinant, for the likelihood."""

    @abstractmethod
    def decode(self, latent: Tensor, mel: Tensor) -> Tensor:
        """The inverse of `encode`: latent (B, T), mel-spectrogram (B, M, L) → audio (B, T), not clamped."""

    def decode_plainly(self, latent: Tensor, mel: Tensor) -> Tensor:
        """The same as `decode`, module by module as `Vocoder.generate_plainly`, for families whose `decode` differs."""
        return self.decode(latent, mel)

    @torch.no_grad()
    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: the inverse of noise of standard deviation `sigma`, clamped."""
        return self._clamped(self.decode(self._draw_latent(mel, generator), mel))

    @torch.no_grad()
    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: as `generate`, by `decode_plainly`."""
        return self._clamped(self.decode_plainly(self._draw_latent(mel, generator), mel))

    @torch.no_grad()
    def generate_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """See `Vocoder`; the noise is that of the whole clip, cut."""
        latent = self._draw_latent(mel, generator)
        return self._clamped(self.decode_in_chunks(latent, mel, chunk_frames))

    def decode_in_chunks(self, latent: Tensor, mel: Tensor, chunk_frames: int) -> Tensor:
        """The same as `decode`, by pieces of `chunk_frames` frames, each with `context_frames` on both sides."""
        return in_chunks(
            lambda frames, samples: self.decode(latent[:, samples], mel[..., frames]),
            mel.shape[2],
            chunk_frames,
            self.context_frames(),
            self.hop_length,
        )

    def _clamped(self, decoded: Tensor) -> Tensor:
        return decoded.div_(self.audio_scale).clamp_(-1, 1)

    def _draw_latent(self, mel: Tensor, generator: Generators) -> Tensor:
        shape = (mel.shape[0], mel.shape[2] * self.hop_length)
        return draw_noise(shape, mel, generator).mul_(self.sampling.sigma)


def to_rows(signal: Tensor, height: int) -> Tensor:
    """Fold a signal: (…, T) → (…, h, w) without a copy, where the height h divides T."""
    return signal.unflatten(-1, (-1, height)).transpose(-1, -2)


def from_rows(rows: Tensor) -> Tensor:
    """The inverse of `to_rows`: (…, h, w) → (…, T)."""
    return rows.transpose(-1, -2).flatten(-2)


def gated(hidden: Tensor) -> Tensor:
    """WaveNet's activation (van den Oord et al., 2016, equation 2): (B, 2 C, …) → tanh · sigmoid, (B, C, …)."""
    filtered, gate = hidden.chunk(2, dim=1)
    return torch.tanh(filtered) * torch.sigmoid(gate)
