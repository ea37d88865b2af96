"""Diffusion vocoders that predict noise as after training, whatever the seed of their weights."""

import torch

from vocoder_pareto.models.diffwave import DiffWave
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.models.wavegrad import WaveGrad


def calm(vocoder: Vocoder) -> Vocoder:
    """The vocoder, predicting noise of about unit size, as after training.

    A fresh WaveGrad predicts up to 30 times as much, with slopes alike: each step of sampling multiplies the errors. A
    fresh DiffWave predicts a constant, whatever its input.
    """
    if isinstance(vocoder, DiffWave):
        vocoder.output.reset_parameters()
    if isinstance(vocoder, WaveGrad):
        with torch.no_grad():
            vocoder.output.weight.mul_(0.1)
            vocoder.output.bias.mul_(0.1)
    return vocoder
