"""Validation while training: test clips resynthesised, their D_STFT, audio to listen to, and signs of collapse."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vocoder_pareto.audio.dataset import Clip
from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.seeds import clip_seed

SILENCE = 1.0e-4  # standard deviation below which a clip counts as silent or constant


@dataclass(frozen=True)
class Validation:
    """A fixed subset of the test set.

    Attributes:
        clips: which rows of the arrays, and their names.
        audio: (n, T) references.
        mels: (n, M, L).
        sample_rate: samples per second.
        seed: of the study.
    """

    clips: Sequence[Clip]
    audio: np.ndarray
    mels: np.ndarray
    sample_rate: int
    seed: int

    @torch.no_grad()
    def run(self, vocoder: Vocoder, folder: Path) -> tuple[float, bool]:
        """Mean D_STFT of the resynthesised clips, and whether any is silent or constant; audio goes to `folder`."""
        device = next(vocoder.parameters()).device
        training = vocoder.training
        vocoder.eval()
        distances, collapsed = [], False
        for clip, reference, mel in zip(self.clips, self.audio, self.mels, strict=True):
            generator = torch.Generator(device).manual_seed(clip_seed(self.seed, clip.row))
            generated = vocoder.synthesize(torch.from_numpy(mel)[None].to(device), [generator])[0].float().cpu().numpy()
            distances.append(d_stft(reference, generated))
            collapsed = collapsed or not np.isfinite(generated).all() or float(generated.std()) < SILENCE
            write_wav(folder / f"{clip.clip_id}.wav", np.nan_to_num(generated), self.sample_rate)
        vocoder.train(training)
        return float(np.mean(distances)), collapsed
