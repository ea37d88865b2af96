"""Flow2GAN with the losses of both stages of its training, written from the official code, on weights by name."""

import numpy as np
import torch
import torchaudio
from reference_networks.gans import period_discriminators
from reference_networks.layers import conv1d, linear
from reference_networks.spectra import band_discriminators
from torch.nn import functional


def bias_norm(weights, name, signal):
    """Over the channels of (B, C, L)."""
    power = torch.mean((signal - weights[f"{name}.bias"][:, None]) ** 2, dim=1, keepdim=True)
    return signal * power**-0.5 * torch.exp(weights[f"{name}.log_scale"])


def prelu(weights, name, signal):
    slopes = weights[f"{name}.weight"][:, None]
    return torch.where(signal > 0, signal, slopes * signal)


def block(weights, name, signal, condition=None, embedding=None):
    """Condition (B, E, F) at the rate of the frames, embedding (B, D) of the time."""
    channels = signal.shape[1]
    inner = bias_norm(weights, f"{name}.norm", conv1d(weights, f"{name}.depthwise", signal, padding=3, groups=channels))
    if condition is not None:
        inner = inner + conv1d(weights, f"{name}.condition", condition)
        inner = inner * (1 + linear(weights, f"{name}.time", embedding)[..., None])
    inner = prelu(weights, f"{name}.rectifier", conv1d(weights, f"{name}.expand", inner))
    return conv1d(weights, f"{name}.contract", inner) + weights[f"{name}.shortcut"] * signal


def encoder(weights, mel, blocks):
    signal = bias_norm(weights, "vocoder.encoder.1", conv1d(weights, "vocoder.encoder.0", mel, padding=1))
    for index in range(blocks):
        signal = block(weights, f"vocoder.encoder.{2 + index}", signal)
    return signal


def branch(weights, name, audio, times, encoded, hop, blocks, time_channels):
    """Audio (B, T), times (B,), encoded (B, E, L) → the estimate of a branch."""
    options = {"n_fft": 2 * hop, "hop_length": hop, "window": torch.hann_window(2 * hop, dtype=audio.dtype)}
    spectra = torch.stft(audio, **options, return_complex=True)  # (B, bins, F)
    condition = torch.repeat_interleave(encoded, audio.shape[1] // encoded.shape[2] // hop, dim=2)
    condition = functional.pad(condition, (0, spectra.shape[2] - condition.shape[2]))
    condition = conv1d(weights, f"{name}.condition.0", condition)
    condition = conv1d(weights, f"{name}.condition.2", prelu(weights, f"{name}.condition.1", condition))
    half = time_channels // 2
    frequencies = 10000.0 ** (-torch.arange(half, dtype=audio.dtype) / (half - 1))
    angles = 1000 * times[:, None] * frequencies
    embedding = linear(weights, f"{name}.time.0", torch.cat([torch.sin(angles), torch.cos(angles)], dim=1))
    embedding = linear(weights, f"{name}.time.2", embedding * torch.sigmoid(embedding))
    signal = conv1d(weights, f"{name}.ends.first", torch.cat([spectra.real, spectra.imag], dim=1))
    signal = bias_norm(weights, f"{name}.norm", signal)
    for index in range(blocks):
        signal = block(weights, f"{name}.blocks.{index}", signal, condition, embedding)
    real, imaginary = conv1d(weights, f"{name}.ends.last", signal).chunk(2, dim=1)
    return torch.istft(torch.complex(real, imaginary), **options)


def estimate(weights, audio, times, encoded, *, hops, blocks, time_channels):
    """The mean of the branches."""
    names = [f"vocoder.branches.{index}" for index in range(len(hops))]
    estimates = [
        branch(weights, name, audio, times, encoded, hop, blocks, time_channels)
        for name, hop in zip(names, hops, strict=True)
    ]
    return sum(estimates) / len(estimates)


def flow2gan(weights, mel, noise, steps, *, encoder_blocks, **sizes):
    """Euler's solver from noise (B, T), at its own deviation, by velocities (end − x) / (1 − t)."""
    encoded, audio = encoder(weights, mel, encoder_blocks), noise
    for time in np.arange(steps) / steps:
        times = torch.full((len(mel),), time, dtype=mel.dtype)
        velocity = (estimate(weights, audio, times, encoded, **sizes) - audio) / (1 - time)
        audio = audio + velocity / steps
    return audio


def band_powers(signal, sample_rate):
    """256 triangles over the bins of Hann windows of 1,024 samples, by NumPy's interpolation: (B, 256, L)."""
    spectra = torch.stft(
        signal, 1024, 256, window=torch.hann_window(1024, dtype=signal.dtype), return_complex=True
    ).abs() ** 2  # fmt: skip
    edges, bins = np.linspace(0, sample_rate // 2, 258), np.linspace(0, sample_rate // 2, 513)
    triangles = [np.interp(bins, edges[band : band + 3], [0, 1, 0], 0, 0) for band in range(256)]
    return torch.from_numpy(np.array(triangles)).to(signal) @ spectra


def flow_matching_loss(weights, audio, mel, noise, times, *, sample_rate, encoder_blocks, **sizes):
    """Stage one, without a branch left out."""
    noisy = (1 - times[:, None]) * noise + times[:, None] * audio
    found = estimate(weights, noisy, times, encoder(weights, mel, encoder_blocks), **sizes)
    importance = torch.clamp((band_powers(audio, sample_rate) + 1e-7) ** -0.5, 1e-2, 1e2)
    loss = (band_powers(found - audio, sample_rate) * importance).mean()
    return {"flow_matching_loss": loss}


def mel_distance(one, other, sample_rate):
    """Stage two: natural logarithms of mel magnitudes of seven scales, by torchaudio's filters, as the official code.

    They are of float32: others differ by up to 4e-5, and so in the signs of small differences of logarithms.
    """
    total = 0
    for window, bands in zip((32, 64, 128, 256, 512, 1024, 2048), (5, 10, 20, 40, 80, 160, 320), strict=True):
        filters = torchaudio.functional.melscale_fbanks(window // 2 + 1, 0.0, sample_rate / 2, bands, sample_rate)
        mels = []
        for signal in (one, other):
            spectra = torch.stft(
                signal, window, window // 4, window=torch.hann_window(window, dtype=signal.dtype), return_complex=True
            ).abs()
            mels.append(torch.log(torch.clamp(filters.T.to(signal) @ spectra, min=1e-7)))
        total = total + (mels[0] - mels[1]).abs().mean()
    return total


def discriminators(weights, audio):
    """The layers that match features, then the scores, of each sub-discriminator, and its weight."""
    by_period = [(1.0, found[1:]) for found in period_discriminators(weights, audio)]
    return by_period + [(0.1, found) for found in band_discriminators(weights, audio)]


def adversarial_losses(weights, audio, mel, noise, steps, *, sample_rate, **sizes):
    """Stage two by turn, without a branch left out."""
    generated = flow2gan(weights, mel, noise, steps, **sizes)
    real = discriminators(weights, audio)
    guess = discriminators(weights, generated.detach())
    hinge = sum(weight * torch.relu(1 - found[-1]).mean() for weight, found in real)
    hinge = hinge + sum(weight * torch.relu(1 + found[-1]).mean() for weight, found in guess)
    guess = discriminators(weights, generated)
    adversarial = sum(weight * torch.relu(1 - found[-1]).mean() for weight, found in guess)
    matching = sum(
        weight * (one.detach() - two).abs().mean()
        for (weight, truth), (_, other) in zip(real, guess, strict=True)
        for one, two in zip(truth, other, strict=True)
    )
    distance = 45 * mel_distance(audio, generated, sample_rate)
    return {
        "discriminator": {"discriminator_loss": hinge},
        "generator": {
            "generator_loss": adversarial + matching + distance,
            "adversarial_loss": adversarial,
            "feature_matching_loss": matching,
            "mel_loss": distance,
        },
    }
