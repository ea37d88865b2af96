"""Multi-band MelGAN with its filter bank and losses, from the papers and github.com/kan-bayashi/ParallelWaveGAN.

Generator and discriminators are MelGAN's, see `gans.py`; a generator of several outputs is not different.
"""

import numpy as np
import scipy.signal
import torch
from reference_networks.gans import melgan_discriminator, melgan_generator
from reference_networks.univnet import RESOLUTIONS, stft_loss

BAND_RESOLUTIONS = ((384, 30, 150), (683, 60, 300), (171, 10, 60))


def filters(bands, taps=62, cutoff=0.142, beta=9.0):
    """Cosine-modulated filters (bands, taps + 1) of analysis and synthesis, of SciPy's windowed sinc."""
    prototype = scipy.signal.firwin(taps + 1, cutoff, window=("kaiser", beta), scale=False)
    analysis, synthesis = [], []
    for band in range(bands):
        angle = (2 * band + 1) * np.pi / (2 * bands) * (np.arange(taps + 1) - taps / 2)
        sign = (-1) ** band
        analysis.append(2 * prototype * np.cos(angle + sign * np.pi / 4))
        synthesis.append(2 * prototype * np.cos(angle - sign * np.pi / 4))
    return np.array(analysis), np.array(synthesis)


def analysed(audio, bands):
    """Audio (B, T) → bands (B, bands, T / bands): filtered, then every `bands`-th sample."""
    analysis = as_the_library_keeps(filters(bands)[0]).to(audio)
    half = analysis.shape[1] // 2
    padded = torch.nn.functional.pad(audio, (half, half)).unfold(1, analysis.shape[1], 1)  # (B, T, taps + 1)
    return (padded @ analysis.T)[:, ::bands].transpose(1, 2)


def synthesised(signals):
    """Bands (B, bands, T / bands) → audio (B, T): zeros between samples, filtered and summed, times their number."""
    count = signals.shape[1]
    synthesis = as_the_library_keeps(filters(count)[1]).to(signals)
    half = synthesis.shape[1] // 2
    stuffed = torch.zeros(*signals.shape[:2], signals.shape[2] * count, dtype=signals.dtype)
    stuffed[..., ::count] = signals
    padded = torch.nn.functional.pad(stuffed, (half, half)).unfold(2, synthesis.shape[1], 1)  # (B, bands, T, taps + 1)
    return count * (padded * synthesis[:, None]).sum(dim=(1, 3))


def as_the_library_keeps(values):
    """In single precision."""
    return torch.from_numpy(values).float()


def multiband_losses(weights, audio, mel, *, factors, residual_layers, bands, scales, layers, factor):
    """All losses of the second part of a training, by turn."""
    signals = melgan_generator(weights, mel, factors, residual_layers)
    generated = synthesised(signals)
    real = melgan_discriminator(weights, audio, scales, layers, factor)
    guess = melgan_discriminator(weights, generated.detach(), scales, layers, factor)
    pairs = zip(real, guess, strict=True)
    squares = sum(((truth[-1] - 1) ** 2).mean() + (other[-1] ** 2).mean() for truth, other in pairs) / scales
    guess = melgan_discriminator(weights, generated, scales, layers, factor)
    adversarial = 2.5 * sum(((each[-1] - 1) ** 2).mean() for each in guess) / scales
    whole = 0.5 * stft_loss(audio, generated, RESOLUTIONS)
    parts = 0.5 * stft_loss(analysed(audio, bands).flatten(0, 1), signals.flatten(0, 1), BAND_RESOLUTIONS)
    return {
        "discriminator": {"discriminator_loss": squares},
        "generator": {
            "generator_loss": whole + parts + adversarial,
            "stft_loss": whole,
            "band_stft_loss": parts,
            "adversarial_loss": adversarial,
        },
    }
