"""Vocos with its discriminators and losses, and iSTFTNet, written from the papers and from what code is published."""

import librosa
import torch
from reference_networks.gans import hifigan_body, period_discriminators
from reference_networks.layers import conv1d, conv2d, linear
from torch.nn import functional


def vocos_generator(weights, mel, blocks, n_fft, hop_length):
    """Siuzdak 2024, section 3: ConvNeXt blocks, magnitudes by exp, phases on the unit circle, an inverse STFT."""

    def normalised(name, signal):
        centred = signal - signal.mean(dim=2, keepdim=True)
        scaled = centred / (centred.square().mean(dim=2, keepdim=True) + 1e-6).sqrt()
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    signal = conv1d(weights, "vocoder.first", mel, padding=3).transpose(1, 2)
    signal = normalised("vocoder.first_norm", signal)
    for block in range(blocks):
        name = f"vocoder.blocks.{block}"
        hidden = conv1d(weights, f"{name}.depthwise", signal.transpose(1, 2), padding=3, groups=signal.shape[2])
        hidden = linear(weights, f"{name}.expand", normalised(f"{name}.norm", hidden.transpose(1, 2)))
        hidden = hidden * (1 + torch.erf(hidden / 2**0.5)) / 2
        signal = signal + weights[f"{name}.scale"] * linear(weights, f"{name}.contract", hidden)
    spectrum = linear(weights, "vocoder.head", normalised("vocoder.last_norm", signal)).transpose(1, 2)
    magnitude, phase = spectrum[:, : n_fft // 2 + 1], spectrum[:, n_fft // 2 + 1 :]
    spectrum = torch.clamp(torch.exp(magnitude), max=100) * (torch.cos(phase) + 1j * torch.sin(phase))
    window = torch.hann_window(n_fft, dtype=mel.dtype)
    return torch.istft(spectrum, n_fft, hop_length, window=window, length=mel.shape[2] * hop_length)


def istftnet_generator(weights, mel, factors, n_fft, hop_length, **sizes):
    """Kaneko et al. 2022: HiFi-GAN's body, magnitudes by exp, phases by sin, an inverse STFT."""
    signal = functional.leaky_relu(hifigan_body(weights, mel, factors, **sizes), 0.01)
    spectrum = conv1d(weights, "vocoder.last", functional.pad(signal, (1, 0), mode="reflect"), padding=3)
    magnitude, phase = torch.exp(spectrum[:, : n_fft // 2 + 1]), torch.sin(spectrum[:, n_fft // 2 + 1 :])
    window, hop = torch.hann_window(n_fft, dtype=mel.dtype), mel.shape[2] * hop_length // signal.shape[2]
    return torch.istft(magnitude * torch.exp(1j * phase), n_fft, hop, window=window)


def band_discriminators(weights, audio):
    """All outputs of all layers but the first of each band, a list per resolution, then the scores."""
    outputs = []
    for index, n_fft in enumerate((2048, 1024, 512)):
        name = f"discriminator.discriminators.1.stacks.{index}"
        signal = audio - audio.mean(dim=1, keepdim=True)
        signal = 0.8 * signal / (signal.abs().max(dim=1, keepdim=True).values + 1e-9)
        window = torch.hann_window(n_fft, dtype=audio.dtype)
        spectra = torch.stft(signal, n_fft, n_fft // 4, window=window, return_complex=True, pad_mode="reflect")
        image = torch.stack([spectra.real, spectra.imag], dim=1).transpose(2, 3)  # (B, 2, L, bins)
        bins, found, ends = n_fft // 2 + 1, [], []
        for band, (low, high) in enumerate(((0, 0.1), (0.1, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1))):
            hidden = image[..., int(low * bins) : int(high * bins)]
            for layer, stride in enumerate((1, 2, 2, 2, 1)):
                padding = (1, 4) if layer < 4 else 1
                hidden = conv2d(weights, f"{name}.bands.{band}.{layer}", hidden, stride=(1, stride), padding=padding)
                hidden = functional.leaky_relu(hidden, 0.1)
                found += [hidden] if layer else []
            ends.append(hidden)
        outputs.append([*found, conv2d(weights, f"{name}.last", torch.cat(ends, dim=3), padding=1)])
    return outputs


def vocos_log_mel(audio, sample_rate, hop_length, n_mels=100):
    """ln(max(mel magnitude, 1e-7)) with n_fft 1024 and filters on the HTK scale, without the frame on the very end."""
    window = torch.hann_window(1024, dtype=audio.dtype)
    spectra = torch.stft(audio, 1024, hop_length, window=window, return_complex=True, pad_mode="reflect")
    filters = librosa.filters.mel(sr=sample_rate, n_fft=1024, n_mels=n_mels, htk=True, norm=None, dtype="float64")
    return torch.log(torch.clamp(torch.from_numpy(filters).to(audio) @ spectra.abs(), min=1e-7))[..., :-1]


def vocos_losses(weights, audio, mel, *, sample_rate, hop_length, **sizes):
    """Those of the official code, with its numbers: means over periods, and a tenth of those over resolutions."""
    generated = vocos_generator(weights, mel, hop_length=hop_length, **sizes)

    def judged(signal):
        """A list per kind, of a list per sub-discriminator, of what matches features, with the scores last."""
        return [each[1:] for each in period_discriminators(weights, signal)], band_discriminators(weights, signal)

    def weighted(loss_of, *judgements):
        """The mean of `loss_of` over the sub-discriminators of both kinds, the second kind a tenth."""
        by_kind = []
        for kind in zip(*judgements, strict=True):
            losses = [loss_of(*each) for each in zip(*kind, strict=True)]
            by_kind.append(sum(losses) / len(losses))
        return by_kind[0] + 0.1 * by_kind[1]

    def hinge(real, guess):
        return functional.relu(1 - real[-1]).mean() + functional.relu(1 + guess[-1]).mean()

    def distance(real, guess):
        return sum((one.detach() - two).abs().mean() for one, two in zip(real, guess, strict=True))

    real, guess = judged(audio), judged(generated)
    adversarial = weighted(lambda each: functional.relu(1 - each[-1]).mean(), guess)
    matching = weighted(distance, real, guess)
    log_mels = [vocos_log_mel(each, sample_rate, hop_length) for each in (audio, generated)]
    mel_loss = 45 * (log_mels[0] - log_mels[1]).abs().mean()
    return {
        "discriminator": {"discriminator_loss": weighted(hinge, real, judged(generated.detach()))},
        "generator": {
            "generator_loss": adversarial + matching + mel_loss,
            "adversarial_loss": adversarial,
            "feature_matching_loss": matching,
            "mel_loss": mel_loss,
        },
    }
