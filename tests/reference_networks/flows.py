"""WaveGlow and WaveFlow and their likelihood, written from the papers."""

import math

import torch
from reference_networks.layers import conv1d, conv2d, folded, mel_upsampler, transposed1d
from torch.nn import functional


def negative_log_likelihood(latent, log_determinant, sigma=1.0):
    """Nats per sample of audio whose latent (B, T) is white noise of deviation σ."""
    samples = latent.shape[1]
    log_density = -(latent**2).sum(dim=1) / (2 * sigma**2) - samples * math.log(sigma * math.sqrt(2 * math.pi))
    return {"negative_log_likelihood": -((log_density + log_determinant) / samples).mean()}


def waveglow(weights, audio, mel, *, flows, groups, early_every, early_channels, layers, kernel, hop_length):
    """Prenger et al. 2019, section 2: audio (B, T) → latent (B, T) and log-determinant (B,)."""
    upsampler = weights["vocoder.upsampler.weight"].shape[2]
    mel = transposed1d(weights, "vocoder.upsampler", mel, stride=hop_length, padding=(upsampler - hop_length) // 2)
    mel = folded(mel, groups).flatten(1, 2)
    signal, early, log_determinant = folded(audio, groups), [], 0
    for index in range(flows):
        if index and index % early_every == 0:
            early.append(signal[:, :early_channels])
            signal = signal[:, early_channels:]
        matrix = weights[f"vocoder.flows.{index}.mixing.convolution.weight"].squeeze(2)
        signal = torch.einsum("oi,biw->bow", matrix, signal)
        log_determinant = log_determinant + signal.shape[2] * torch.log(torch.abs(torch.linalg.det(matrix)))
        half = signal.shape[1] // 2
        log_sigma, mu = coupling(weights, f"vocoder.flows.{index}.network", signal[:, :half], mel, layers, kernel)
        signal = torch.cat([signal[:, :half], signal[:, half:] * torch.exp(log_sigma) + mu], dim=1)
        log_determinant = log_determinant + log_sigma.sum(dim=(1, 2))
    latent = torch.cat([*early, signal], dim=1)
    return latent.transpose(1, 2).flatten(1), log_determinant


def coupling(weights, name, half, mel, layers, kernel):
    """Section 2.1: half of the channels and the mel-spectrogram → log σ and μ of the other half."""
    hidden = conv1d(weights, f"{name}.start", half)
    conditions = conv1d(weights, f"{name}.conditioner", mel)
    channels, skips = hidden.shape[1], 0
    for layer in range(layers):
        dilation = 2**layer
        condition = conditions[:, 2 * channels * layer : 2 * channels * (layer + 1)]
        padding = dilation * (kernel - 1) // 2
        both = conv1d(weights, f"{name}.convolutions.{layer}", hidden, dilation=dilation, padding=padding) + condition
        output = torch.tanh(both[:, :channels]) * torch.sigmoid(both[:, channels:])
        output = conv1d(weights, f"{name}.outputs.{layer}", output)
        if layer < layers - 1:
            hidden, output = hidden + output[:, :channels], output[:, channels:]
        skips = skips + output
    end = conv1d(weights, f"{name}.end", skips)
    return end[:, : half.shape[1]], end[:, half.shape[1] :]


def waveflow(weights, audio, mel, *, flows, layers, height, kernel, factors):
    """Ping et al. 2020, section 3: audio (B, T) → latent (B, T) and log-determinant (B,)."""
    mel = folded(mel_upsampler(weights, "vocoder.upsampler", mel, factors), height)
    signal, log_determinant = folded(audio, height).unsqueeze(1), 0
    for index in range(flows):
        name = f"vocoder.flows.{index}"
        hidden, skips = conv2d(weights, f"{name}.front", signal[:, :, :-1]), 0  # row i is told the rows above it
        channels = hidden.shape[1]
        for layer in range(layers):
            dilation = 2**layer
            side = dilation * (kernel - 1) // 2
            above = functional.pad(hidden, (side, side, kernel - 1, 0))
            both = conv2d(weights, f"{name}.layers.{layer}.convolution", above, dilation=(1, dilation))
            both = both + conv2d(weights, f"{name}.layers.{layer}.conditioner", mel[:, :, 1:])
            output = torch.tanh(both[:, :channels]) * torch.sigmoid(both[:, channels:])
            output = conv2d(weights, f"{name}.layers.{layer}.output", output)
            hidden, skips = hidden + output[:, :channels], skips + output[:, channels:]
        end = conv2d(weights, f"{name}.end", skips)
        log_sigma, mu = end[:, :1], end[:, 1:]
        signal = torch.cat([signal[:, :, :1], signal[:, :, 1:] * torch.exp(log_sigma) + mu], dim=2)
        log_determinant = log_determinant + log_sigma.sum(dim=(1, 2, 3))
        signal, mel = signal.flip(2), mel.flip(2)
    return signal.squeeze(1).transpose(1, 2).flatten(1), log_determinant
