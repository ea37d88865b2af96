"""What diffusion vocoders share: noise schedules, the reverse process, and their one method more than `Vocoder`.

Notation of the papers (Ho et al., 2020): step n = 1 … N adds noise of variance β_n to √(1 − β_n) times the signal;
α_n = 1 − β_n, ᾱ_n = α_1 · … · α_n, so that after n steps the signal is scaled by √ᾱ_n and the noise by √(1 − ᾱ_n).
"""

import logging
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import sqrt
from operator import mul
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from vocoder_pareto.models.chunks import in_chunks
from vocoder_pareto.models.vocoder import Generators, Vocoder, audio_scale_of, draw_noise

# No noised waveform gets further from the signal: 7 standard deviations of the noise. Without a bound, an untrained
# network runs further away with every step until it overflows.
LARGEST_NOISE = 7.0

# Generation begins with noise of deviation 1, and the network is told √(1 − ᾱ_N). Where ᾱ_N is above this, the two are
# more than 3 dB apart. The schedules of the papers end below: WaveGrad's at 0.28, DiffWave's at 0.28 and 0.38.
CLEANEST_END = 0.5

log = logging.getLogger(__name__)

NoisePredictor = Callable[[Tensor, int], Tensor]  # (noisy audio (B, T), step n) -> its noise (B, T)


@dataclass(frozen=True)
class NoiseSchedule:
    """The variances of a diffusion process and what follows from them, in double precision.

    Attributes:
        betas: β_1 … β_N, each in (0, 1).

    Raises:
        ValueError: There is no step, or a variance outside of (0, 1).
    """

    betas: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.betas or not all(0 < beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be one or more numbers between 0 and 1, not {list(self.betas)}")

    @classmethod
    def linear(cls, first: float, last: float, steps: int) -> Self:
        """The schedule of `steps` equally spaced variances from `first` to `last`, both in (0, 1).

        Raises:
            ValueError: There is no step, or a variance outside of (0, 1).
        """
        if steps < 1:
            raise ValueError(f"a noise schedule has {steps} steps; give it at least 1")
        return cls(tuple(first + (last - first) * step / max(steps - 1, 1) for step in range(steps)))

    @property
    def steps(self) -> int:
        """The number of steps, N."""
        return len(self.betas)

    @property
    def ends_too_clean(self) -> bool:
        """Whether more of the power is the signal's than the noise's after all steps, where generation begins."""
        return self.alpha_bars[-1] > CLEANEST_END

    @cached_property
    def alpha_bars(self) -> tuple[float, ...]:
        """ᾱ_0 = 1, ᾱ_1, …, ᾱ_N: the share of the signal in the power, decreasing."""
        return tuple(accumulate((1 - beta for beta in self.betas), mul, initial=1.0))

    @cached_property
    def signal_scales(self) -> tuple[float, ...]:
        """√ᾱ_0 = 1, √ᾱ_1, …, √ᾱ_N: what WaveGrad calls the noise level."""
        return tuple(sqrt(alpha_bar) for alpha_bar in self.alpha_bars)

    def posterior_variance(self, step: int) -> float:
        """The variance of y_{n−1} given y_n and the clean signal, (1 − ᾱ_{n−1}) / (1 − ᾱ_n) · β_n; 0 for n = 1.

        Source: equation 7 of Ho et al. (2020).
        """
        return (1 - self.alpha_bars[step - 1]) / (1 - self.alpha_bars[step]) * self.betas[step - 1]

    def denoised(
        self, noisy: Tensor, predict_noise: NoisePredictor, draw: Callable[[], Tensor], largest_signal: float = 1.0
    ) -> Tensor:
        """Go back from step N to the clean signal (B, T), with ε the noise that the network predicts.

        For n = N … 1: y_{n−1} = (y_n − β_n / √(1 − ᾱ_n) · ε(y_n, n)) / √(1 − β_n), and noise of the posterior variance
        on top of it for n > 1. Samples are kept within ±(`largest_signal` + `LARGEST_NOISE`).

        Args:
            noisy: y_N, standard normal noise (B, T), which is overwritten with the result.
            predict_noise: The function ε of a noisy waveform (B, T) and its step.
            draw: A function that gives standard normal noise (B, T).
            largest_signal: The largest sample of a clean signal.

        Source: Algorithm 2 of Chen et al. (2021) and of Kong et al. (2021).
        """
        largest = largest_signal + LARGEST_NOISE
        for step in range(self.steps, 0, -1):
            beta = self.betas[step - 1]
            noise = predict_noise(noisy, step)
            noisy.sub_(noise, alpha=beta / sqrt(1 - self.alpha_bars[step])).mul_(1 / sqrt(1 - beta))
            noisy.clamp_(-largest, largest)
            if step > 1:
                noisy.add_(draw(), alpha=sqrt(self.posterior_variance(step)))
        return noisy


class DiffusionArchitecture(Protocol):
    """What the `Architecture` of every diffusion vocoder holds: the linear noise schedule that it is trained with."""

    @property
    def first_beta(self) -> float:
        """β_1, in (0, 1)."""

    @property
    def last_beta(self) -> float:
        """β_N, in (0, 1)."""

    @property
    def diffusion_steps(self) -> int:
        """N, at least 1."""


def training_schedule(architecture: DiffusionArchitecture) -> NoiseSchedule:
    """The noise schedule that the network is trained with."""
    return NoiseSchedule.linear(architecture.first_beta, architecture.last_beta, architecture.diffusion_steps)


class DiffusionVocoder(Vocoder):
    """A vocoder that starts from white noise and removes, step by step, the noise that its network predicts.

    Attributes:
        audio_scale: What audio is multiplied by before it is noised, and what generated audio is divided by, see
            `audio_scale_of`.
        schedule: The noise schedule of generation.
        trained_schedule: The noise schedule of training. Generation stays within its levels.
        noise_levels: What `predict_noise` is told of the noise at each step 1 … N of `schedule`.

    Raises:
        ValueError: `schedule` ends noisier than the schedule of training does, or `audio_scale` is out of its range.
            Where the schedule ends too clean (`NoiseSchedule.ends_too_clean`), a warning is logged.
    """

    def __init__(
        self,
        architecture: Any,
        sampling: Any,
        n_mels: int,
        hop_length: int,
        schedule: NoiseSchedule,
        noise_levels: list[float],
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.schedule = schedule
        self.trained_schedule = training_schedule(architecture)
        self.noise_levels = noise_levels
        self.audio_scale = audio_scale_of(architecture)
        _check_end(schedule, self.trained_schedule)

    @abstractmethod
    def predict_noise(self, noisy: Tensor, noise_level: Tensor, mel: Tensor) -> Tensor:
        """Noisy waveform (B, T), its noise level (B,) in float64, mel-spectrogram (B, M, L) → the noise in it (B, T).

        The family says in which unit the level is: WaveGrad √ᾱ, DiffWave the step of the training schedule.
        """

    @abstractmethod
    def noise_predictor(self, mel: Tensor) -> NoisePredictor:
        """The function `predict_noise` of `mel` (B, M, L) at the steps of `schedule`.

        What does not depend on the noisy waveform is computed here, once.
        """

    def step_predictor(self, mel: Tensor) -> NoisePredictor:
        """The same as `noise_predictor`, for a single call, so that nothing is worth keeping."""
        return self.noise_predictor(mel)

    @torch.no_grad()
    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: the reverse process with the noise predictor that prepares as much as it can."""
        return self._denoised(mel, self.noise_predictor(mel), generator)

    @torch.no_grad()
    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: the whole network at every step, as in training."""

        def predict(noisy: Tensor, step: int) -> Tensor:
            level = torch.full((len(mel),), self.noise_levels[step - 1], dtype=torch.float64, device=mel.device)
            return self.predict_noise(noisy, level, mel)

        return self._denoised(mel, predict, generator)

    @torch.no_grad()
    def generate_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """See `Vocoder`; each step goes through all chunks, so that the context is that of one step, not of them all.

        What `generate` keeps from step to step is computed in each step anew.
        """
        context_frames = self.context_frames()

        def predict(noisy: Tensor, step: int) -> Tensor:
            return in_chunks(
                lambda frames, samples: self.step_predictor(mel[..., frames])(noisy[:, samples], step),
                mel.shape[2],
                chunk_frames,
                context_frames,
                self.hop_length,
            )

        return self._denoised(mel, predict, generator)

    def _denoised(self, mel: Tensor, predict_noise: NoisePredictor, generator: Generators) -> Tensor:
        def draw() -> Tensor:
            return draw_noise((len(mel), mel.shape[2] * self.hop_length), mel, generator)

        audio = self.schedule.denoised(draw(), predict_noise, draw, self.audio_scale)
        return audio.div_(self.audio_scale).clamp_(-1, 1)


def _check_end(schedule: NoiseSchedule, trained: NoiseSchedule) -> None:
    end, noisiest = schedule.signal_scales[-1], trained.signal_scales[-1]
    if end < noisiest:
        raise ValueError(
            f"the noise schedule of generation ends at √ᾱ = {end:.4f}, noisier than that of training, {noisiest:.4f}; "
            "lower the betas of sampling or raise last_beta or diffusion_steps"
        )
    if schedule.ends_too_clean:
        log.warning(
            "the noise schedule of generation ends too clean, at √ᾱ = %.2f: it begins with noise of deviation 1, the "
            "network is told %.2f, and takes too little away; raise the betas of sampling until √ᾱ is at most %.2f",
            end,
            sqrt(1 - schedule.alpha_bars[-1]),
            sqrt(CLEANEST_END),
        )
