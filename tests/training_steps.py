"""One training step of a small network of each family: losses and gradients, as numbers that are stored in `data`.

The numbers are made by `reference_networks`, forms of the networks and their losses that are written from the papers
and use nothing of the library but the names and shapes of its tensors; PyTorch differentiates them, in double
precision. Weights, audio, mel-spectrograms and noise follow from a hash of their names, so that no generator of random
numbers has to stay as it is. Of the gradients, the tensors of a part of the network are told together, by the norm and
by the inner product with numbers that follow from the names, too.

`PYTHONPATH=workflow_scripts:tests python tests/training_steps.py` writes the file anew: after a change of names or of
what is trained, never to make a test pass.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import torch
from reference_networks import bigvgan, constant_q, diffusion, flows, gans, multiband, spectra, univnet

from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.istftnet import ISTFTNet, ISTFTNetArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture
from vocoder_pareto.training.objectives.bigvgan import BigVGANObjective, BigVGANRecipe
from vocoder_pareto.training.objectives.diffwave import DiffWaveObjective, DiffWaveRecipe
from vocoder_pareto.training.objectives.hifigan import HiFiGANObjective, HiFiGANRecipe
from vocoder_pareto.training.objectives.likelihood import LikelihoodObjective, LikelihoodRecipe
from vocoder_pareto.training.objectives.melgan import MelGANObjective, MelGANRecipe
from vocoder_pareto.training.objectives.multiband_melgan import MultiBandMelGANObjective, MultiBandMelGANRecipe
from vocoder_pareto.training.objectives.objective import Batch
from vocoder_pareto.training.objectives.univnet import UnivNetObjective, UnivNetRecipe
from vocoder_pareto.training.objectives.vocos import VocosObjective, VocosRecipe
from vocoder_pareto.training.objectives.wavegrad import WaveGradObjective, WaveGradRecipe

STORED = Path(__file__).parent / "data" / "training_steps.json"
ADVERSARIAL = ("melgan", "hifigan", "univnet", "multiband_melgan", "vocos", "istftnet", "bigvgan", "bigvgan_v2")
FAMILIES = (*ADVERSARIAL, "diffwave", "wavegrad", "waveglow", "waveflow")
STEPS = torch.tensor([7, 41])  # of DiffWave's 50
LEVELS = torch.tensor([0.93, 0.4], dtype=torch.float64)  # √ᾱ of WaveGrad

_MELGAN = {"factors": (4, 2), "residual_layers": 2, "scales": 3, "layers": 2, "factor": 4}
_HIFIGAN = {
    "factors": (16, 16), "kernels": (32, 32), "residual_kernels": (3, 5), "dilations": ((1, 3), (1, 2)),
}  # fmt: skip
_UNIVNET = {"factors": (8, 8, 4), "dilations": (1, 3)}
_MULTIBAND = {"factors": (8, 4), "residual_layers": 2, "bands": 4, "scales": 2, "layers": 2, "factor": 4}
_ISTFTNET = {"n_fft": 64, "factors": (16, 1), "kernels": (32, 1), "residual_kernels": (3,), "dilations": ((1, 3),)}
_DIFFWAVE = {"factors": (4, 2), "layers": 4, "dilation_cycle": 2}
_WAVEGRAD = {
    "factors": (4, 2, 2), "up_dilations": ((1, 2, 4, 8), (1, 2, 1, 2), (1, 2, 1, 2)), "down_dilations": (1, 2, 1),
}  # fmt: skip
_WAVEGLOW = {
    "flows": 3, "groups": 8, "early_every": 2, "early_channels": 2, "layers": 3, "kernel": 3, "hop_length": 16,
}  # fmt: skip
_VOCOS = {"blocks": 2, "n_fft": 1024}
_WAVEFLOW = {"flows": 3, "layers": 3, "height": 4, "kernel": 3, "factors": (4, 4)}
_SHAPES = {  # of the batch: clips, mel bands, frames, samples per frame
    "melgan": (2, 6, 32, 8), "hifigan": (1, 80, 5, 256), "diffwave": (2, 6, 12, 8), "wavegrad": (2, 6, 6, 16),
    "waveglow": (2, 5, 6, 16), "waveflow": (2, 5, 6, 16), "vocos": (1, 6, 5, 256), "istftnet": (1, 80, 5, 256),
    "univnet": (2, 6, 9, 256), "multiband_melgan": (2, 6, 20, 128), "bigvgan": (1, 80, 9, 256),
    "bigvgan_v2": (1, 20, 9, 256),
}  # fmt: skip


def hashed(name, shape):
    """Numbers that look uniform in [-1, 1), float64, by SplitMix64 (Steele et al., 2014) of a name and their places."""
    count = int(np.prod(shape))
    bits = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits += np.uint64(zlib.crc32(name.encode())) << np.uint64(32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) / 2**52 - 1).reshape(shape)


def weight(name, shape):
    """The numbers of a tensor of a checkpoint, of a size that keeps signals alive through many layers."""
    numbers = hashed(name, shape)
    if name.endswith("original0"):  # the norms of filters
        return 0.9 + 0.3 * numbers
    if name.endswith(("_u", "_v")):  # the estimates of singular vectors
        return numbers / numbers.norm()
    if name.endswith(("bias", "alpha", "beta")):
        return 0.1 * numbers
    if name.endswith("sampling.filter"):
        return torch.from_numpy(bigvgan.low_pass_filter()).reshape(shape)
    if ".mixing." in name:
        return torch.eye(shape[0], dtype=torch.float64)[..., None] + 0.3 * numbers
    return numbers * (3 / (numbers.numel() / shape[0])) ** 0.5 * (0.3 if ".end." in name else 1)


def batch_of(family):
    """The batch of `Objective.loss`, in double precision, and the noise that diffusion adds."""
    clips, bands, frames, hop_length = _SHAPES[family]
    audio = 0.5 * hashed(f"audio of {family}", (clips, frames * hop_length))
    mel = 0.5 + 0.5 * hashed(f"mel of {family}", (clips, bands, frames))
    return Batch(audio, mel), 1.7 * hashed(f"noise of {family}", tuple(audio.shape))


def latent_of(family):
    """The noise that UnivNet makes audio of."""
    clips, _, frames, _ = _SHAPES[family]
    return 1.7 * hashed(f"latent of {family}", (clips, 5, frames))


def objective_of(family):
    """The library's objective in double precision, with the weights of `weight`."""
    _, bands, _, hop_length = _SHAPES[family]
    places = {"n_mels": bands, "hop_length": hop_length}
    if family == "melgan":
        vocoder = MelGAN(MelGANArchitecture(4, 2, (4, 2)), **places)
        recipe = MelGANRecipe(discriminator_channels=4, discriminator_layers=2)
        objective = MelGANObjective(vocoder, recipe)
    elif family == "hifigan":
        architecture = HiFiGANArchitecture(
            16, _HIFIGAN["factors"], _HIFIGAN["kernels"], "1", _HIFIGAN["residual_kernels"], _HIFIGAN["dilations"]
        )
        objective = HiFiGANObjective(HiFiGAN(architecture, **places), HiFiGANRecipe(discriminator_channels=128))
    elif family == "univnet":
        architecture = UnivNetArchitecture(4, _UNIVNET["factors"], _UNIVNET["dilations"], 5, 6)
        recipe = UnivNetRecipe(resolution_channels=3, period_channels=32)
        objective = UnivNetObjective(UnivNet(architecture, **places), recipe)
    elif family == "multiband_melgan":
        architecture = MultiBandMelGANArchitecture(16, _MULTIBAND["residual_layers"], _MULTIBAND["factors"])
        recipe = MultiBandMelGANRecipe(
            discriminator_channels=4, discriminator_scales=2, discriminator_layers=2, discriminator_most_channels=32
        )
        objective = MultiBandMelGANObjective(MultiBandMelGAN(architecture, **places), recipe)
    elif family == "istftnet":
        architecture = ISTFTNetArchitecture(
            16, _ISTFTNET["factors"], _ISTFTNET["kernels"], "1", _ISTFTNET["residual_kernels"], _ISTFTNET["dilations"],
            n_fft=_ISTFTNET["n_fft"],
        )  # fmt: skip
        objective = HiFiGANObjective(ISTFTNet(architecture, **places), HiFiGANRecipe(discriminator_channels=128))
    elif family == "bigvgan":
        architecture = BigVGANArchitecture(16, *_HIFIGAN.values())
        recipe = BigVGANRecipe(period_channels=64, resolution_channels=4)
        objective = BigVGANObjective(BigVGAN(architecture, **places), recipe)
    elif family == "bigvgan_v2":
        architecture = BigVGANArchitecture(16, *_HIFIGAN.values(), bound="clip", last_bias=False)
        recipe = BigVGANRecipe(
            mel_weight=15.0, mel_scales="seven", period_channels=64, transform="constant_q", resolution_channels=3
        )
        objective = BigVGANObjective(BigVGAN(architecture, **places), recipe)
    elif family == "diffwave":
        vocoder = DiffWave(DiffWaveArchitecture(4, 6, 2, (4, 2)), **places)
        objective = DiffWaveObjective(vocoder, DiffWaveRecipe())
    elif family == "wavegrad":
        up_dilations, down_dilations = _WAVEGRAD["up_dilations"], _WAVEGRAD["down_dilations"]
        architecture = WaveGradArchitecture((12, 8, 6, 4), (4, 6, 8), (4, 2, 2), up_dilations, down_dilations)
        objective = WaveGradObjective(WaveGrad(architecture, **places), WaveGradRecipe())
    elif family == "vocos":
        recipe = VocosRecipe(period_channels=32, band_channels=2)
        objective = VocosObjective(Vocos(VocosArchitecture(channels=8, blocks=2), **places), recipe)
    elif family == "waveglow":
        vocoder = WaveGlow(WaveGlowArchitecture(3, 8, 2, 2, 3, 6, 3, 32), **places)
        objective = LikelihoodObjective(vocoder, LikelihoodRecipe())
    else:
        vocoder = WaveFlow(WaveFlowArchitecture(3, 3, 6, 4, 3, (4, 4)), **places)
        objective = LikelihoodObjective(vocoder, LikelihoodRecipe())
    state = {name: weight(name, tuple(value.shape)) for name, value in objective.double().state_dict().items()}
    objective.load_state_dict(state)
    return objective


def reference_losses(family, turn, weights):
    """The losses of a turn by their names in the library's log, from `reference_networks`; the first is minimised."""
    (audio, mel), noise = batch_of(family)
    if family == "melgan":
        return gans.melgan_losses(weights, audio, mel, **_MELGAN)[turn]
    if family == "hifigan":
        return gans.hifigan_losses(weights, audio, mel, sample_rate=16000, hop_length=256, turn=turn, **_HIFIGAN)
    if family == "univnet":
        return univnet.univnet_losses(weights, audio, mel, latent_of(family), turn, **_UNIVNET)
    if family == "multiband_melgan":
        return multiband.multiband_losses(weights, audio, mel, **_MULTIBAND)[turn]
    if family == "istftnet":

        def generator(*arguments, **sizes):
            return spectra.istftnet_generator(*arguments, hop_length=256, **sizes)

        return gans.hifigan_losses(
            weights, audio, mel, generator, sample_rate=16000, hop_length=256, turn=turn, **_ISTFTNET
        )
    if family == "bigvgan":
        return bigvgan.bigvgan_losses(weights, audio, mel, sample_rate=16000, hop_length=256, turn=turn, **_HIFIGAN)
    if family == "bigvgan_v2":
        return constant_q.bigvgan_v2_losses(weights, audio, mel, sample_rate=16000, octaves=8, turn=turn, **_HIFIGAN)
    if family == "diffwave":
        scales = diffusion.signal_scales(1e-4, 0.05, 50)[STEPS]
        return diffusion.denoising_loss(
            lambda noisy: diffusion.diffwave(weights, noisy, STEPS, mel, **_DIFFWAVE), audio, noise, scales
        )
    if family == "wavegrad":
        return diffusion.denoising_loss(
            lambda noisy: diffusion.wavegrad(weights, noisy, LEVELS, mel, **_WAVEGRAD), audio, noise, LEVELS
        )
    if family == "vocos":
        return spectra.vocos_losses(weights, audio, mel, sample_rate=16000, hop_length=256, **_VOCOS)[turn]
    if family == "waveglow":
        return flows.negative_log_likelihood(*flows.waveglow(weights, audio, mel, **_WAVEGLOW))
    return flows.negative_log_likelihood(*flows.waveflow(weights, audio, mel, **_WAVEFLOW))


def reference_step(family, turn):
    """What is stored of a turn, by `reference_networks`."""
    tensors = {name: value.requires_grad_() for name, value in _tensors_of(family).items()}
    network = "discriminator." if turn == "discriminator" else "vocoder."
    losses = reference_losses(family, turn, tensors)
    trained = [name for name in tensors if name.startswith(network) and not name.endswith(("_u", "_v", ".filter"))]
    gradients = torch.autograd.grad(next(iter(losses.values())), [tensors[name] for name in trained])
    return summary(losses, dict(zip(trained, gradients, strict=True)))


def _tensors_of(family):
    shapes = {name: tuple(value.shape) for name, value in objective_of(family).state_dict().items()}
    return {name: weight(name, shape) for name, shape in shapes.items()}


def summary(losses, gradients):
    """Losses by name, and for each part of a network norm and projection of its gradients: what is stored of a turn."""
    parts = {}
    for name, gradient in gradients.items():
        pieces = name.split(".")
        part = ".".join(pieces[: 5 if pieces[1] == "discriminators" else 3])
        norm, projection = parts.get(part, (0.0, 0.0))
        direction = hashed(f"direction of {name}", tuple(gradient.shape))
        parts[part] = (
            float(np.hypot(norm, gradient.norm().item())), projection + (gradient * direction).sum().item()
        )  # fmt: skip
    return {
        "losses": {name: float(value.detach()) for name, value in losses.items()},
        "gradients": {part: list(numbers) for part, numbers in parts.items()},
    }


def turns_of(family):
    return ("discriminator", "generator") if family in ADVERSARIAL else ("generator",)


def main():
    steps = {family: {turn: reference_step(family, turn) for turn in turns_of(family)} for family in FAMILIES}
    STORED.write_text(json.dumps(_rounded(steps), indent=1) + "\n")


def _rounded(numbers):
    if isinstance(numbers, dict):
        return {name: _rounded(value) for name, value in numbers.items()}
    if isinstance(numbers, list):
        return [_rounded(value) for value in numbers]
    return float(f"{numbers:.9g}")


if __name__ == "__main__":
    main()
