"""BigVGAN-v2's discriminators and losses, written from the papers and the official code, on weights by name."""

import librosa
import numpy as np
import torch
from reference_networks.bigvgan import bigvgan_generator
from reference_networks.gans import period_discriminators
from reference_networks.layers import conv2d
from torch.nn import functional

LOWEST_HERTZ = 32.70


def low_pass(signal):
    """Under a sinc that ends at half of half the rate, in a Kaiser window of 65 samples and beta 8; (B, T)."""
    places = torch.arange(-32, 33, dtype=signal.dtype)
    taps = torch.sinc(places / 2) / 2 * torch.from_numpy(np.kaiser(65, 8.0))
    return functional.conv1d(signal.unsqueeze(1), taps.flip(0)[None, None], padding=32).squeeze(1)


def doubled(signal):
    """A zero after each sample, filtered; twice as loud."""
    return low_pass(torch.stack([2 * signal, torch.zeros_like(signal)], dim=-1).flatten(1))


def constant_q(audio, sample_rate, octaves, bins, hop):
    """Brown (1991), (B, T) → complex (B, frames, octaves · bins): a lower octave is the same of the halved signal."""
    signals = [doubled(audio)]
    while len(signals) < octaves:
        signals.append(low_pass(signals[-1])[:, ::2])
    quality = 1 / (2 ** (1 / bins) - 1)
    found = []
    for octave in range(octaves):
        level = octaves - 1 - octave  # how often the rate was halved
        rate, step = 2 * sample_rate / 2**level, hop // 2**level
        padded = functional.pad(signals[level], (2048, 2049))
        for index in range(bins):
            hertz = LOWEST_HERTZ * 2 ** (octave + index / bins)
            length = quality * rate / hertz
            places = torch.arange(-2048, 2049, dtype=audio.dtype)
            window = torch.cos(np.pi * places / length) ** 2 * (2 * places.abs() < length)
            wave = window / window.sum() * torch.exp(-2j * np.pi * hertz / rate * places)
            frames = padded.unfold(1, 4097, step).to(wave.dtype)
            found.append(frames @ wave * (quality * 2 * sample_rate / hertz) ** 0.5)
    return torch.stack(found, dim=-1)


def constant_q_discriminators(weights, audio, sample_rate, octaves):
    """All outputs of all layers, a list per resolution."""
    outputs = []
    for index, (hop, bins) in enumerate(((512, 24), (256, 36), (256, 48))):
        name = f"discriminator.discriminators.1.stacks.{index}"
        spectrum = torch.view_as_real(constant_q(audio, sample_rate, octaves, bins, hop)).movedim(-1, 1)
        parts = [
            conv2d(weights, f"{name}.octaves.{octave}", spectrum[..., octave * bins :][..., :bins], padding=(1, 4))
            for octave in range(octaves)
        ]
        hidden, found = torch.cat(parts, dim=-1), []
        for layer, (size, stride, dilation) in enumerate(((9, 1, 1), (9, 2, 1), (9, 2, 2), (9, 2, 4), (3, 1, 1))):
            options = {"stride": (1, stride), "dilation": (dilation, 1), "padding": (dilation, size // 2)}
            hidden = functional.leaky_relu(conv2d(weights, f"{name}.convolutions.{layer}", hidden, **options), 0.1)
            found.append(hidden)
        outputs.append([*found, conv2d(weights, f"{name}.last", hidden, padding=1)])
    return outputs


def seven_scales(audio, generated, sample_rate):
    """The sum of the mean absolute differences of log10 max(mel magnitude, 1e-5) (Kumar et al., 2023, section 3.4)."""
    total = 0
    for window, bands in zip((32, 64, 128, 256, 512, 1024, 2048), (5, 10, 20, 40, 80, 160, 320), strict=True):
        filters = torch.from_numpy(librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=bands, dtype="float64"))
        hann = torch.hann_window(window, dtype=audio.dtype)
        logs = []
        for each in (audio, generated):
            spectrum = torch.stft(each, window, window // 4, window=hann, center=True, return_complex=True)
            logs.append(torch.log10(torch.clamp(filters @ spectrum.abs(), min=1e-5)))
        total = total + (logs[0] - logs[1]).abs().mean()
    return total


def bigvgan_v2_losses(weights, audio, mel, *, sample_rate, octaves, turn, **sizes):
    """Least squares, feature matching (without the scores of the constant-Q stacks), and 15 times the mel distance."""

    def judged(signal):
        by_period = period_discriminators(weights, signal)
        return by_period, constant_q_discriminators(weights, signal, sample_rate, octaves)

    generated = bigvgan_generator(weights, mel, bound="clip", **sizes)
    (periods, spectra), (of_periods, of_spectra) = (
        judged(audio),
        judged(generated.detach() if turn == "discriminator" else generated),
    )
    pairs = list(zip(periods + spectra, of_periods + of_spectra, strict=True))
    if turn == "discriminator":
        squares = sum(((truth[-1] - 1) ** 2).mean() + (other[-1] ** 2).mean() for truth, other in pairs)
        return {"discriminator_loss": squares}
    adversarial = sum(((other[-1] - 1) ** 2).mean() for _, other in pairs)
    matched = pairs[:5] + [(truth[:-1], other[:-1]) for truth, other in pairs[5:]]
    matching = 2 * sum((one.detach() - two).abs().mean() for pair in matched for one, two in zip(*pair, strict=True))
    distance = 15 * seven_scales(audio, generated, sample_rate)
    return {
        "generator_loss": adversarial + matching + distance,
        "adversarial_loss": adversarial,
        "feature_matching_loss": matching,
        "mel_loss": distance,
    }
