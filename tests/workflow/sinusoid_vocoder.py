"""A vocoder that no paper describes, in a file outside the package: it sums fixed sinusoids, one per mel band.

It shows all that a new model needs: a `Vocoder` with its `Architecture`, and an `Objective` with its `Recipe`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.vocoder import Generators, Vocoder
from vocoder_pareto.training.objectives.objective import Batch, Objective


@dataclass(frozen=True)
class SinusoidArchitecture:
    """Number of sinusoids, and the highest frequency in cycles per sample."""

    sinusoids: int = 32
    highest: float = 0.4


class SinusoidVocoder(Vocoder):
    """Amplitudes from the mel-spectrogram by one linear layer per frame, interpolated to the audio rate."""

    Architecture = SinusoidArchitecture

    def __init__(self, architecture, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.amplitudes = nn.Conv1d(n_mels, architecture.sinusoids, 1)
        self.register_buffer("frequencies", torch.linspace(0.005, architecture.highest, architecture.sinusoids))

    def forward(self, mel: Tensor) -> Tensor:
        amplitudes = functional.interpolate(self.amplitudes(mel), scale_factor=self.hop_length, mode="linear")
        time = torch.arange(amplitudes.shape[-1], device=mel.device, dtype=mel.dtype)
        waves = torch.sin(2 * torch.pi * self.frequencies[:, None] * time)  # (C, T)
        return torch.tanh((amplitudes * waves).mean(dim=1))  # (B, T)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        return self(mel)


@dataclass(frozen=True)
class SpectralRecipe:
    """Learning rate of Adam."""

    learning_rate: float = 1.0e-3


class SpectralObjective(Objective):
    """L1 distance of log-magnitude spectra."""

    Recipe = SpectralRecipe

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss = functional.l1_loss(self._spectrum(self.vocoder(batch.mel)), self._spectrum(batch.audio))
        return loss, {"spectral_loss": loss.detach()}

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.vocoder.parameters(), lr=self.recipe.learning_rate)

    def _spectrum(self, audio: Tensor) -> Tensor:
        window = torch.hann_window(512, device=audio.device, dtype=audio.dtype)
        return torch.log1p(torch.stft(audio, 512, window=window, return_complex=True).abs())
