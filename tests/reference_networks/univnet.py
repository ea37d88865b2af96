"""UnivNet with its discriminators and losses, written from the paper and github.com/maum-ai/univnet."""

import torch
from reference_networks.layers import conv1d, conv2d, transposed1d
from torch.nn import functional

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # n_fft, hop, window


def leaky(signal):
    return functional.leaky_relu(signal, 0.2)


def kernel_predictor(weights, name, mel, layers, channels):
    """Kernels (B, layers, taps, C, 2 C, L), in the order of the library's channels, and biases (B, layers, 2 C, L)."""
    hidden = leaky(conv1d(weights, f"{name}.first", mel, padding=2))
    for block in range(3):
        inner = leaky(conv1d(weights, f"{name}.blocks.{block}.0", hidden, padding=1))
        hidden = hidden + leaky(conv1d(weights, f"{name}.blocks.{block}.1", inner, padding=1))
    kernels = conv1d(weights, f"{name}.kernels", hidden, padding=1)
    biases = conv1d(weights, f"{name}.biases", hidden, padding=1)
    return kernels.unflatten(1, (layers, 3, channels, 2 * channels)), biases.unflatten(1, (layers, 2 * channels))


def location_variable_convolution(signal, kernels, biases):
    """An ordinary convolution for each item and frame, of the piece that it sees, put together: (B, 2 C, T).

    Kernels are (B, taps, C, 2 C, L), biases (B, 2 C, L).
    """
    frames = kernels.shape[-1]
    hop = signal.shape[-1] // frames
    padded = functional.pad(signal, (1, 1))
    items = []
    for item in range(len(signal)):
        pieces = [
            functional.conv1d(
                padded[item : item + 1, :, frame * hop : (frame + 1) * hop + 2],
                kernels[item, ..., frame].permute(2, 1, 0),  # (2 C, C, taps)
                biases[item, :, frame],
            )
            for frame in range(frames)
        ]
        items.append(torch.cat(pieces, dim=2))
    return torch.cat(items)


def univnet_generator(weights, noise, mel, factors, dilations):
    """Figure 1, left: noise (B, N, L) and mel-spectrogram (B, M, L) → audio (B, T)."""
    signal = conv1d(weights, "vocoder.first", functional.pad(noise, (3, 3), mode="reflect"))
    channels = signal.shape[1]
    for index, factor in enumerate(factors):
        name = f"vocoder.blocks.{index}"
        signal = transposed1d(
            weights, f"{name}.upsampling", leaky(signal), stride=factor, padding=factor // 2 + factor % 2,
            output_padding=factor % 2,
        )  # fmt: skip
        kernels, biases = kernel_predictor(weights, f"{name}.predictor", mel, len(dilations), channels)
        for layer, dilation in enumerate(dilations):
            hidden = conv1d(weights, f"{name}.convolutions.{layer}", leaky(signal), dilation=dilation, padding=dilation)
            gated = location_variable_convolution(leaky(hidden), kernels[:, layer], biases[:, layer])
            signal = signal + torch.sigmoid(gated[:, :channels]) * torch.tanh(gated[:, channels:])
    padded = functional.pad(leaky(signal), (3, 3), mode="reflect")
    return torch.tanh(conv1d(weights, "vocoder.last", padded)).squeeze(1)


def resolution_scores(weights, audio):
    """The scores of three resolutions, each over a rectangular window's magnitudes."""
    scores = []
    for index, (n_fft, hop, samples) in enumerate(RESOLUTIONS):
        padded = functional.pad(audio[:, None], ((n_fft - hop) // 2,) * 2, mode="reflect")[:, 0]
        window = torch.ones(samples, dtype=audio.dtype)
        spectra = torch.stft(padded, n_fft, hop, samples, window, center=False, return_complex=True)
        hidden = (spectra.real**2 + spectra.imag**2).sqrt()[:, None]
        for layer, (stride, padding) in enumerate([(1, 4), (2, 4), (2, 4), (2, 4), (1, 1), (1, 1)]):
            name = f"discriminator.discriminators.0.stacks.{index}.convolutions.{layer}"
            hidden = conv2d(weights, name, hidden, stride=(1, stride), padding=(1, padding))
            hidden = leaky(hidden) if layer < 5 else hidden
        scores.append(hidden)
    return scores


def period_scores(weights, audio):
    """The scores of five periods."""
    scores = []
    for index, period in enumerate((2, 3, 5, 7, 11)):
        padded = functional.pad(audio[:, None], (0, -audio.shape[1] % period), mode="reflect")
        hidden = padded.reshape(len(audio), 1, -1, period)
        for layer, (stride, padding) in enumerate([(3, 2)] * 4 + [(1, 2), (1, 1)]):
            name = f"discriminator.discriminators.1.stacks.{index}.convolutions.{layer}"
            hidden = conv2d(weights, name, hidden, stride=(stride, 1), padding=(padding, 0))
            hidden = leaky(hidden) if layer < 5 else hidden
        scores.append(hidden)
    return scores


def stft_loss(audio, guess, resolutions=RESOLUTIONS):
    """The mean over resolutions of spectral convergence and log magnitude, with `torch.stft`'s centred frames."""
    total = 0
    for n_fft, hop, samples in resolutions:
        window = torch.hann_window(samples, dtype=audio.dtype)
        powers = [
            torch.stft(signal, n_fft, hop, samples, window, return_complex=True).abs() ** 2 for signal in (audio, guess)
        ]
        real, fake = (torch.sqrt(torch.clamp(power, min=1e-7)) for power in powers)
        convergence = ((real - fake) ** 2).sum().sqrt() / (real**2).sum().sqrt()
        total = total + convergence + (torch.log(real) - torch.log(fake)).abs().mean()
    return total / len(resolutions)


def univnet_losses(weights, audio, mel, noise, turn, **sizes):
    """Section 2.3, of one turn."""
    generated = univnet_generator(weights, noise, mel, **sizes)

    def judged(signal):
        return resolution_scores(weights, signal) + period_scores(weights, signal)

    if turn == "discriminator":
        pairs = list(zip(judged(audio), judged(generated.detach()), strict=True))
        squares = sum(((real - 1) ** 2).mean() + (fake**2).mean() for real, fake in pairs)
        return {"discriminator_loss": squares / len(pairs)}
    scores = judged(generated)
    adversarial = sum(((score - 1) ** 2).mean() for score in scores) / len(scores)
    distance = 2.5 * stft_loss(audio, generated)
    return {"generator_loss": adversarial + distance, "adversarial_loss": adversarial, "stft_loss": distance}
