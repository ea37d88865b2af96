"""Flow vocoders with all features of the full-size ones, fewer channels and flows, and weights as if trained."""

import torch
from seeds import seed_of

from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture

SMALL = {
    "waveflow of 8 rows": lambda: WaveFlow(WaveFlowArchitecture(flows=4, channels=12, height=8)),
    "waveflow of 16 rows": lambda: WaveFlow(WaveFlowArchitecture(flows=4, channels=8, height=16)),
    "waveflow of 3 flows and 3 layers": lambda: WaveFlow(WaveFlowArchitecture(3, 3, 8, 4, 5, (4, 8, 8))),
    "waveglow": lambda: WaveGlow(WaveGlowArchitecture(flows=8, layers=5, channels=12)),
    "waveglow of 5 flows and 3 layers": lambda: WaveGlow(WaveGlowArchitecture(5, 16, 2, 4, 3, 8, 5, 256)),
}
# 32 samples in 2 frames of 4 bands, small enough for a numerical Jacobian.
TINY = {
    "waveflow": lambda: WaveFlow(WaveFlowArchitecture(3, 3, 4, 4, 3, (4, 4)), n_mels=4, hop_length=16),
    "waveglow": lambda: WaveGlow(WaveGlowArchitecture(5, 8, 2, 2, 3, 4, 3, 32), n_mels=4, hop_length=16),
}


def trained_like(build, strength=1.0):
    """Random weights: σ differs from 1 and μ from 0 in every flow, and mixing scales and shears."""
    torch.manual_seed(seed_of(0))
    vocoder = build()
    for name, parameter in vocoder.named_parameters():
        with torch.no_grad():
            if ".end." in name:
                parameter.normal_(std=strength * (0.15 if name.endswith("weight") else 0.02))
            elif ".mixing." in name:
                parameter.add_(0.1 * strength * torch.randn_like(parameter))
            elif name.startswith("upsampler"):
                parameter.mul_(0 if name.endswith("bias") else 4)  # a fresh one leaves next to nothing of the mel
            elif name.endswith("original0"):  # the scales of weight norm
                parameter.mul_(torch.rand_like(parameter) + 0.5)
    return vocoder


def audio_and_mel(vocoder, batch=2, frames=6, seed=1):
    """White noise of a quarter of full scale, and any numbers from 0 to 1 as its mel-spectrogram."""
    generator = torch.Generator().manual_seed(seed_of(seed))
    audio = 0.25 * torch.randn(batch, frames * vocoder.hop_length, generator=generator)
    return audio, torch.rand(batch, vocoder.n_mels, frames, generator=generator)


def generators(count):
    return [torch.Generator().manual_seed(seed_of(seed)) for seed in range(count)]
