"""DiffWave and WaveGrad and their loss, written from the papers."""

import math

import torch
from reference_networks.layers import conv1d, linear, mel_upsampler
from torch.nn import functional


def signal_scales(first_beta, last_beta, steps):
    """√ᾱ_0 … √ᾱ_N of a linear schedule, float64."""
    betas = [first_beta + (last_beta - first_beta) * step / (steps - 1) for step in range(steps)]
    return torch.tensor([math.sqrt(math.prod(1 - beta for beta in betas[:step])) for step in range(steps + 1)]).double()


def denoising_loss(predicted_from, audio, noise, scales):
    """The L1 distance of noise and predicted noise, where the signal is scaled by `scales`, √ᾱ (B,)."""
    noisy = scales[:, None] * audio + (1 - scales**2).sqrt()[:, None] * noise
    return {"noise_l1_loss": (noise - predicted_from(noisy)).abs().mean()}


def diffwave(weights, noisy, steps, mel, *, factors, layers, dilation_cycle):
    """Kong et al. 2021, section 3 and figure 2: noisy audio (B, T), whole steps (B,) → its noise."""
    exponents = torch.arange(64).double() * 4 / 63
    angles = steps.double()[:, None] * 10**exponents
    embedding = torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)
    embedding = functional.silu(linear(weights, "vocoder.embedding.layers.0", embedding))
    embedding = functional.silu(linear(weights, "vocoder.embedding.layers.2", embedding))
    mel = mel_upsampler(weights, "vocoder.upsampler", mel, factors)
    signal = functional.relu(conv1d(weights, "vocoder.input", noisy.unsqueeze(1)))
    skips = 0
    for index in range(layers):
        name, dilation = f"vocoder.layers.{index}", 2 ** (index % dilation_cycle)
        hidden = signal + linear(weights, f"{name}.step", embedding).unsqueeze(2)
        hidden = conv1d(weights, f"{name}.dilated", hidden, dilation=dilation, padding=dilation)
        hidden = hidden + conv1d(weights, f"{name}.conditioner", mel)
        channels = signal.shape[1]
        gated = torch.tanh(hidden[:, :channels]) * torch.sigmoid(hidden[:, channels:])
        output = conv1d(weights, f"{name}.output", gated)
        signal, skips = (signal + output[:, :channels]) / math.sqrt(2), skips + output[:, channels:]
    skips = functional.relu(conv1d(weights, "vocoder.skip", skips / math.sqrt(layers)))
    return conv1d(weights, "vocoder.output", skips).squeeze(1)


def wavegrad(weights, noisy, levels, mel, *, factors, up_dilations, down_dilations, level_scale=5000, is_nearest=False):
    """Chen et al. 2021, figures 3 to 6: noisy audio (B, T), √ᾱ (B,) → its noise."""

    def activated(signal):
        return functional.leaky_relu(signal, 0.2)

    def resampled(signal, length):
        same = signal.shape[2] == length
        if is_nearest:  # each sample stands for those that follow it, and of several the first stands for all
            return signal[..., torch.arange(length) * signal.shape[2] // length]
        return signal if same else functional.interpolate(signal, size=length, mode="linear", align_corners=False)

    def same_length(name, signal, dilation=1):
        return conv1d(weights, name, signal, dilation=dilation, padding=dilation)

    features = [conv1d(weights, "vocoder.waveform_convolution", noisy.unsqueeze(1), padding=2)]
    for stage, factor in enumerate(factors[:0:-1]):  # the first factor belongs to the mel-spectrogram alone
        name, signal = f"vocoder.downsampling.{stage}.0", resampled(features[-1], features[-1].shape[2] // factor)
        hidden = signal
        for index, dilation in enumerate(down_dilations):
            hidden = same_length(f"{name}.convolutions.{index}", activated(hidden), dilation)
        features.append(hidden + conv1d(weights, f"{name}.skip", signal))
    signal = same_length("vocoder.mel_convolution", mel)
    for stage, (factor, dilations) in enumerate(zip(factors, up_dilations, strict=True)):
        film, block = f"vocoder.films.{stage}.0", f"vocoder.upsampling.{stage}.0"
        hidden = activated(same_length(f"{film}.input", features[-1 - stage]))
        channels = hidden.shape[1]
        places = torch.arange(channels // 2).double()
        angles = level_scale * levels[:, None] / 10000 ** (2 * places / channels)
        hidden = hidden + torch.cat([torch.sin(angles), torch.cos(angles)], dim=1).unsqueeze(2)
        modulation = same_length(f"{film}.modulation", hidden)
        scale, shift = modulation.chunk(2, dim=1)
        length = signal.shape[2] * factor
        hidden = same_length(f"{block}.first", resampled(activated(signal), length), dilations[0])
        hidden = same_length(f"{block}.rest.0", activated(scale * hidden + shift), dilations[1])
        signal = hidden + conv1d(weights, f"{block}.skip", resampled(signal, length))
        hidden = same_length(f"{block}.rest.1", activated(scale * signal + shift), dilations[2])
        signal = signal + same_length(f"{block}.rest.2", activated(scale * hidden + shift), dilations[3])
    return same_length("vocoder.output", signal).squeeze(1)
