"""MelGAN and HiFi-GAN with their discriminators and losses, written from the papers and the official code."""

import librosa
import torch
from reference_networks.layers import conv1d, conv2d, transposed1d
from torch.nn import functional


def melgan_generator(weights, mel, factors, residual_layers):
    """Kumar et al. 2019, section 2.2 and appendix A."""

    def layer(index):
        return f"vocoder.layers.{index}"

    signal = conv1d(weights, layer(1), functional.pad(mel, (3, 3), mode="reflect"))
    index = 2
    for factor in factors:
        signal = transposed1d(
            weights, layer(index + 1), functional.leaky_relu(signal, 0.2), stride=factor,
            padding=factor // 2 + factor % 2, output_padding=factor % 2,
        )  # fmt: skip
        index += 2
        for dilation in (3**each for each in range(residual_layers)):
            hidden = functional.pad(functional.leaky_relu(signal, 0.2), (dilation, dilation), mode="reflect")
            hidden = functional.leaky_relu(conv1d(weights, f"{layer(index)}.block.2", hidden, dilation=dilation), 0.2)
            signal = conv1d(weights, f"{layer(index)}.shortcut", signal) + conv1d(
                weights, f"{layer(index)}.block.4", hidden
            )
            index += 1
    signal = functional.pad(functional.leaky_relu(signal, 0.2), (3, 3), mode="reflect")
    return torch.tanh(conv1d(weights, layer(index + 2), signal)).squeeze(1)


def melgan_discriminator(weights, audio, scales, layers, factor):
    """All outputs of all layers, a list per scale; the last of a list holds the scores."""
    signal, outputs = audio.unsqueeze(1), []
    for scale in range(scales):
        hidden, found = signal, []
        for index in range(layers + 3):
            name = f"discriminator.stacks.{scale}.convolutions.{index}"
            if index == 0:
                hidden = conv1d(weights, name, functional.pad(hidden, (7, 7), mode="reflect"))
            elif index <= layers:
                groups = hidden.shape[1] // 4
                hidden = conv1d(weights, name, hidden, stride=factor, padding=5 * factor, groups=groups)
            else:
                hidden = conv1d(weights, name, hidden, padding=2 if index == layers + 1 else 1)
            hidden = functional.leaky_relu(hidden, 0.2) if index < layers + 2 else hidden
            found.append(hidden)
        outputs.append(found)
        signal = functional.avg_pool1d(signal, 4, 2, padding=1, count_include_pad=False)
    return outputs


def melgan_losses(weights, audio, mel, *, factors, residual_layers, scales, layers, factor):
    """Equations 1 to 4; feature matching with the official factor 4 / (layers + 1) / scales, without the scores."""
    generated = melgan_generator(weights, mel, factors, residual_layers)

    def judged(signal):
        return melgan_discriminator(weights, signal, scales, layers, factor)

    real, guess = judged(audio), judged(generated.detach())
    hinge = sum(functional.relu(1 - each[-1]).mean() for each in real)
    hinge = hinge + sum(functional.relu(1 + each[-1]).mean() for each in guess)
    guess = judged(generated)
    adversarial = -sum(each[-1].mean() for each in guess)
    matching = sum(
        (one.detach() - two).abs().mean()
        for truth, other in zip(real, guess, strict=True)
        for one, two in zip(truth[:-1], other[:-1], strict=True)
    )
    matching = 10 * 4 / (layers + 1) / scales * matching
    return {
        "discriminator": {"discriminator_loss": hinge},
        "generator": {
            "generator_loss": adversarial + matching,
            "adversarial_loss": adversarial,
            "feature_matching_loss": matching,
        },
    }


def hifigan_generator(weights, mel, factors, kernels, residual_kernels, dilations, last_slope=0.01, padding="constant"):
    """Kong et al. 2020, section 2.3 and figure 1, with residual blocks of type 1."""
    signal = hifigan_body(weights, mel, factors, kernels, residual_kernels, dilations, padding)
    signal = functional.pad(functional.leaky_relu(signal, last_slope), (3, 3), mode=padding)
    return torch.tanh(conv1d(weights, "vocoder.last", signal)).squeeze(1)


def hifigan_body(weights, mel, factors, kernels, residual_kernels, dilations, padding="constant"):
    """The same up to its last fusion; a factor of 1 is none, as iSTFTNet has them."""

    def same_length(name, signal, size, dilation=1):
        amount = dilation * (size - 1) // 2
        return conv1d(weights, name, functional.pad(signal, (amount, amount), mode=padding), dilation=dilation)

    signal = same_length("vocoder.first", mel, 7)
    for stage, (factor, kernel) in enumerate(zip(factors, kernels, strict=True)):
        if factor > 1:
            signal = functional.leaky_relu(signal, 0.1)
            signal = transposed1d(
                weights, f"vocoder.upsamplings.{stage}", signal, stride=factor, padding=(kernel - factor) // 2
            )
        fused = 0
        for block, (size, of_block) in enumerate(zip(residual_kernels, dilations, strict=True)):
            hidden = signal
            for step, dilation in enumerate(of_block):
                name = f"vocoder.fusions.{stage}.blocks.{block}.{step}.convolutions"
                inner = same_length(f"{name}.0", functional.leaky_relu(hidden, 0.1), size, dilation)
                hidden = hidden + same_length(f"{name}.1", functional.leaky_relu(inner, 0.1), size)
            fused = fused + hidden
        signal = fused / len(residual_kernels)
    return signal


def period_discriminators(weights, audio):
    """All outputs of all layers, a list per period (HiFi-GAN, section 2.4)."""
    outputs = []
    for index, period in enumerate((2, 3, 5, 7, 11)):
        signal = functional.pad(audio.unsqueeze(1), (0, -audio.shape[1] % period), mode="reflect")
        hidden, found = signal.reshape(len(audio), 1, -1, period), []
        for layer, (stride, padding) in enumerate([(3, 2)] * 4 + [(1, 2), (1, 1)]):
            name = f"discriminator.discriminators.0.stacks.{index}.convolutions.{layer}"
            hidden = conv2d(weights, name, hidden, stride=(stride, 1), padding=(padding, 0))
            hidden = functional.leaky_relu(hidden, 0.1) if layer < 5 else hidden
            found.append(hidden)
        outputs.append(found)
    return outputs


def hifigan_discriminators(weights, audio):
    """All outputs of all layers, a list per sub-discriminator: five periods, then three scales (section 2.4)."""
    outputs = period_discriminators(weights, audio)
    settings = [(1, 7, 1), (2, 20, 4), (2, 20, 16), (4, 20, 16), (4, 20, 16), (1, 20, 16), (1, 2, 1), (1, 1, 1)]
    signal = audio.unsqueeze(1)
    for scale in range(3):
        signal = functional.avg_pool1d(signal, 4, 2, padding=2) if scale else signal
        hidden, found = signal, []
        for layer, (stride, padding, groups) in enumerate(settings):
            name = f"discriminator.discriminators.1.stacks.{scale}.convolutions.{layer}"
            hidden = conv1d(weights, name, hidden, stride=stride, padding=padding, groups=groups)
            hidden = functional.leaky_relu(hidden, 0.1) if layer < 7 else hidden
            found.append(hidden)
        outputs.append(found)
    return outputs


def hifigan_log_mel(audio, sample_rate, n_mels, hop_length, highest_hertz=None):
    """ln(max(mel magnitude, 1e-5)) with n_fft 1024: the official front end, in the loss up to half the sample rate."""
    padded = functional.pad(audio, ((1024 - hop_length) // 2,) * 2, mode="reflect")
    window = torch.hann_window(1024, dtype=audio.dtype)
    spectra = torch.stft(padded, 1024, hop_length, window=window, center=False, return_complex=True)
    filters = librosa.filters.mel(sr=sample_rate, n_fft=1024, n_mels=n_mels, fmax=highest_hertz, dtype="float64")
    magnitude = (spectra.real**2 + spectra.imag**2 + 1e-9).sqrt()
    return torch.log(torch.clamp(torch.from_numpy(filters).to(audio) @ magnitude, min=1e-5))


def hifigan_losses(
    weights,
    audio,
    mel,
    generator=hifigan_generator,
    discriminators=hifigan_discriminators,
    *,
    sample_rate,
    hop_length,
    turn,
    **sizes,
):
    """Equations 1 to 6, of one turn, since the spectral norm goes on with every pass; all layers match features."""
    generated = generator(weights, mel, **sizes)
    real = discriminators(weights, audio)
    if turn == "discriminator":
        guess = discriminators(weights, generated.detach())
        pairs = zip(real, guess, strict=True)
        squares = sum(((truth[-1] - 1) ** 2).mean() + (other[-1] ** 2).mean() for truth, other in pairs)
        return {"discriminator_loss": squares}
    guess = discriminators(weights, generated)
    adversarial = sum(((each[-1] - 1) ** 2).mean() for each in guess)
    matching = 2 * sum(
        (one.detach() - two).abs().mean()
        for truth, other in zip(real, guess, strict=True)
        for one, two in zip(truth, other, strict=True)
    )
    log_mels = [hifigan_log_mel(each, sample_rate, mel.shape[1], hop_length) for each in (audio, generated)]
    distance = 45 * (log_mels[0] - log_mels[1]).abs().mean()
    return {
        "generator_loss": adversarial + matching + distance,
        "adversarial_loss": adversarial,
        "feature_matching_loss": matching,
        "mel_loss": distance,
    }
