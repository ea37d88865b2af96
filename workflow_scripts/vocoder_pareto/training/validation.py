"""Validation while training: test clips resynthesised and judged, audio to listen to, and signs of collapse."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vocoder_pareto.audio.dataset import Clip
from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.quality.metrics import UndefinedMetric
from vocoder_pareto.quality.spectral_distance import d_stft

SILENCE = 1.0e-4  # standard deviation of samples below which a clip counts as silent or constant


class Judged(NamedTuple):
    """What a validation found.

    Attributes:
        d_stft: The mean D_STFT of the clips whose audio is finite; None if there is none.
        estoi: Their mean ESTOI, of those that have one: 0.41 s of sound, and audio that is not silent.
        collapsed: The names of the clips whose audio is silent or constant (where the recording is not), or not finite.
    """

    d_stft: float | None
    estoi: float | None
    collapsed: list[str]

    @property
    def values(self) -> dict[str, float | None]:
        """The metrics by name."""
        return {"d_stft": self.d_stft, "estoi": self.estoi}


@dataclass(frozen=True)
class Validation:
    """A fixed subset of the test set.

    Attributes:
        clips: The names and rows of the clips.
        audio: Their recordings, (n, T).
        mels: Their mel-spectrograms, (n, M, L).
        sample_rate: Samples per second.
        seed: The seed of the study.
    """

    clips: Sequence[Clip]
    audio: np.ndarray
    mels: np.ndarray
    sample_rate: int
    seed: int

    def judge(self, vocoder: Vocoder, folder: Path) -> Judged:
        """Resynthesise the clips, write them to `folder`, and judge them; `vocoder` stays as it was."""
        device = vocoder.like.device
        training = vocoder.training
        vocoder.eval()
        distances, intelligibilities, collapsed = [], [], []
        for clip, reference, mel in zip(self.clips, self.audio, self.mels, strict=True):
            generator = torch.Generator(device).manual_seed(clip_seed(self.seed, clip.row))
            generated = vocoder.synthesize(torch.from_numpy(mel)[None].to(device), [generator])[0].float().cpu().numpy()
            finite = bool(np.isfinite(generated).all())
            if finite:
                distances.append(d_stft(reference, generated))
                intelligibilities.append(_estoi(reference, generated, self.sample_rate))
            if not finite or generated.std() < SILENCE <= reference.std():
                collapsed.append(clip.clip_id)
            write_wav(folder / f"{clip.clip_id}.wav", np.nan_to_num(generated), self.sample_rate)
        vocoder.train(training)
        return Judged(_mean(distances), _mean([each for each in intelligibilities if each is not None]), collapsed)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _estoi(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float | None:
    from vocoder_pareto.quality.speech import estoi  # a second of imports

    try:
        return estoi(reference, estimate, sample_rate)
    except UndefinedMetric:
        return None
