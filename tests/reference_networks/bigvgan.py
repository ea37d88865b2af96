"""BigVGAN with its discriminators and losses, written from the paper and the official code, on weights by name."""

import numpy as np
import scipy.signal
import torch
from reference_networks.gans import hifigan_losses, period_discriminators
from reference_networks.layers import conv1d, conv2d, transposed1d
from torch.nn import functional


def low_pass_filter():
    """12 taps at twice the rate, by SciPy; the official code gives Kaiser's formula half of the taps."""
    attenuation = scipy.signal.kaiser_atten(6, 4 * 0.3)
    window = scipy.signal.windows.kaiser(12, scipy.signal.kaiser_beta(attenuation))
    taps = window * np.sinc(0.5 * (np.arange(12) - 5.5))
    return taps / taps.sum()


def alias_free_snake(signal, frequencies, divisors):
    """Lee et al. 2023, section 3.3: zeros between samples, a filter, x + sin²(αx)/β, a filter, every other sample."""
    taps = torch.from_numpy(low_pass_filter()).to(signal)[None, None]
    flat = functional.pad(signal, (5, 5), mode="replicate").reshape(-1, 1, signal.shape[-1] + 10)
    stuffed = torch.stack([flat, torch.zeros_like(flat)], dim=-1).flatten(-2)  # a sample, a zero, …
    doubled = 2 * functional.conv1d(functional.pad(stuffed, (11, 11)), taps)[..., 15:][..., : 2 * signal.shape[-1]]
    doubled = doubled.reshape(*signal.shape[:-1], -1)
    bent = doubled + torch.sin(frequencies[:, None] * doubled) ** 2 / (divisors[:, None] + 1e-9)
    bent = functional.pad(bent, (5, 6), mode="replicate")
    filtered = functional.conv1d(bent.reshape(-1, 1, bent.shape[-1]), taps)[..., ::2]
    return filtered.reshape(signal.shape)


def bigvgan_generator(weights, mel, factors, kernels, residual_kernels, dilations, bound="tanh"):
    """Lee et al. 2023, section 3, with residual blocks of type 1."""

    def activated(name, signal):
        return alias_free_snake(signal, weights[f"{name}.alpha"].exp(), weights[f"{name}.beta"].exp())

    signal = conv1d(weights, "vocoder.first", mel, padding=3)
    for stage, (factor, kernel) in enumerate(zip(factors, kernels, strict=True)):
        signal = transposed1d(
            weights, f"vocoder.upsamplings.{stage}", signal, stride=factor, padding=(kernel - factor) // 2
        )
        fused = 0
        for block, (size, of_block) in enumerate(zip(residual_kernels, dilations, strict=True)):
            hidden = signal
            for step, dilation in enumerate(of_block):
                inner = hidden
                for half, each in enumerate((dilation, 1)):
                    name = f"vocoder.fusions.{stage}.blocks.{block}.{step}"
                    inner = activated(f"{name}.activations.{half}", inner)
                    padding = each * (size - 1) // 2
                    inner = conv1d(weights, f"{name}.convolutions.{half}", inner, dilation=each, padding=padding)
                hidden = hidden + inner
            fused = fused + hidden
        signal = fused / len(residual_kernels)
    audio = conv1d(weights, "vocoder.last", activated("vocoder.activation", signal), padding=3).squeeze(1)
    return torch.tanh(audio) if bound == "tanh" else torch.clamp(audio, -1, 1)


def bigvgan_discriminators(weights, audio):
    """All outputs of all layers, a list per sub-discriminator: five periods, then three resolutions."""
    outputs = period_discriminators(weights, audio)
    for index, (n_fft, hop, window) in enumerate(((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))):
        padded = functional.pad(audio.unsqueeze(1), ((n_fft - hop) // 2,) * 2, mode="reflect").squeeze(1)
        ones = torch.ones(window, dtype=audio.dtype)
        spectra = torch.stft(padded, n_fft, hop, window, ones, center=False, return_complex=True)
        hidden, found = (spectra.real**2 + spectra.imag**2).sqrt().unsqueeze(1), []
        for layer, (width, stride) in enumerate([(9, 1), (9, 2), (9, 2), (9, 2), (3, 1), (3, 1)]):
            name = f"discriminator.discriminators.1.stacks.{index}.convolutions.{layer}"
            hidden = conv2d(weights, name, hidden, stride=(1, stride), padding=(1, width // 2))
            hidden = functional.leaky_relu(hidden, 0.1) if layer < 5 else hidden
            found.append(hidden)
        outputs.append(found)
    return outputs


def bigvgan_losses(weights, audio, mel, *, turn, **options):
    """HiFi-GAN's equations 1 to 6, with other networks."""
    return hifigan_losses(weights, audio, mel, bigvgan_generator, bigvgan_discriminators, turn=turn, **options)
