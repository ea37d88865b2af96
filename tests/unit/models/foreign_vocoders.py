"""Networks as other projects write them, which know nothing of this one, and their adapters, a few lines each."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from vocoder_pareto.models.adapters import MelVocoder, WaveformCodec


class Generator(nn.Module):
    """Mel (B, M, L) → (B, 1, T), under PyTorch's old weight norm, with the names of jik876's HiFi-GAN."""

    def __init__(self, bands, hop, channels=8):
        super().__init__()
        normed = torch.nn.utils.weight_norm
        self.conv_pre = normed(nn.Conv1d(bands, channels, 7, padding=3))
        self.ups = nn.ModuleList([normed(nn.ConvTranspose1d(channels, channels, 2 * hop, hop, padding=hop // 2))])
        self.resblocks = nn.ModuleList(
            [nn.ModuleDict({"convs1": nn.ModuleList([normed(nn.Conv1d(channels, channels, 3, padding=1))])})]
        )
        self.conv_post = normed(nn.Conv1d(channels, 1, 7, padding=3))

    def forward(self, mel):
        hidden = functional.leaky_relu(self.ups[0](self.conv_pre(mel)), 0.1)
        return torch.tanh(self.conv_post(hidden + self.resblocks[0]["convs1"][0](hidden)))


class OfficialLike(MelVocoder):
    def build(self):
        return Generator(self.n_mels, self.hop_length)


@dataclass(frozen=True)
class Width:
    channels: int = 4


class SpectralNetwork(nn.Module):
    """Mel → magnitudes and phases of a short-time Fourier transform by complex weights → (B, T)."""

    def __init__(self, bands, hop, channels):
        super().__init__()
        self.rotation = nn.Parameter(torch.polar(torch.ones(channels), torch.rand(channels)))
        self.input = nn.Linear(bands, channels, dtype=torch.complex64)
        self.output = nn.Linear(channels, 2 * hop // 2 + 1, dtype=torch.complex64)
        self.hop = hop
        self.register_buffer("window", torch.hann_window(2 * hop))

    def forward(self, mel):
        frames = functional.pad(mel, (0, 1), mode="replicate").transpose(1, 2)
        spectrum = self.output(self.input(frames.to(torch.complex64)) * self.rotation).transpose(1, 2)
        audio = torch.istft(spectrum, 2 * self.hop, self.hop, window=self.window)
        return torch.tanh(audio)


class Spectral(MelVocoder):
    Architecture = Width

    def build(self):
        return SpectralNetwork(self.n_mels, self.hop_length, self.architecture.channels)


class NoisyNetwork(Generator):
    """Draws noise in the usual way of other projects."""

    def forward(self, mel):
        return super().forward(mel + 0.1 * torch.randn_like(mel))


class Noisy(MelVocoder):
    draws_noise = True

    def build(self):
        return NoisyNetwork(self.n_mels, self.hop_length)


class NoisyUnsaid(MelVocoder):
    def build(self):
        return NoisyNetwork(self.n_mels, self.hop_length)


def loudness_of_bands(mel):
    """A function and no network: each frame a constant, its mean band."""
    return mel.mean(dim=1).clamp(0, 1).repeat_interleave(64, dim=1)


class OfAFunction(MelVocoder):
    brings_weights = True

    def build(self):
        return loudness_of_bands


class Quantiser(nn.Module):
    """Waveforms (B, 1, T) → themselves in 256 steps of the mu-law (ITU-T G.711's continuous form)."""

    def forward(self, audio):
        compressed = torch.sign(audio) * torch.log1p(255 * audio.abs()) / torch.log(torch.tensor(256.0))
        steps = torch.round(compressed * 127.5) / 127.5
        return torch.sign(steps) * (torch.pow(256.0, steps.abs()) - 1) / 255


class MuLaw(WaveformCodec):
    sample_rate = 24000
    brings_weights = True

    def build(self):
        return Quantiser()


class LearnedCodec(WaveformCodec):
    """Strided convolutions down and up."""

    def build(self):
        return nn.Sequential(nn.Conv1d(1, 4, 8, 8), nn.ConvTranspose1d(4, 1, 8, 8), nn.Tanh())
