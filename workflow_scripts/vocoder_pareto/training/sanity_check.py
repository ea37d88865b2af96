"""Whether given weights do what vocoders do: the mel-spectrogram of a recording in, its distance to the recording out.

Weights may fit a network to the last shape and yet be made for other mel-spectrograms, in another order or scale. What
comes out is then noise or a hum, and every step after this one would take it for the sound of that system.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.models.vocoder import Vocoder, copied
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.training.job import TrainingJob

log = logging.getLogger(__name__)

LIKE_NOISE = "weights_give_noise"  # a flag
SILENCE = 1.0e-4  # RMS of a recording below which it checks nothing
_CANDIDATES = 16  # test clips of which the loudest is taken


@dataclass(frozen=True)
class SanityCheck:
    """What came out for a known recording.

    Attributes:
        clip: The name of the recording.
        d_stft: The D_STFT of the audio to it, without its mean and at the level of the recording; None where the audio
            is constant or not finite.
        d_stft_of_noise: That of white noise at the level of the recording.
        d_stft_of_silence: That of silence.
    """

    clip: str
    d_stft: float | None
    d_stft_of_noise: float
    d_stft_of_silence: float

    @property
    def is_like_noise(self) -> bool:
        """Whether the audio is no nearer to the recording than noise or silence, which no network is needed for."""
        return self.d_stft is None or self.d_stft >= min(self.d_stft_of_noise, self.d_stft_of_silence)

    @property
    def words(self) -> str:
        """Why they are said to give noise."""
        if self.d_stft is None:
            return f"what these weights generate for {self.clip} is silent or not finite"
        return (
            f"what these weights generate for {self.clip} is no nearer to it than noise or silence (D_STFT "
            f"{self.d_stft:.2f}; of white noise {self.d_stft_of_noise:.2f}, of silence {self.d_stft_of_silence:.2f})"
        )


def checked_weights(vocoder: Vocoder, job: TrainingJob) -> SanityCheck | None:
    """Generate the loudest of the first test clips with `vocoder`, which stays as it is, and judge the audio.

    Returns:
        What came out; None where these clips are all silent.

    Raises:
        UserError: A file of the dataset is missing or damaged.
    """
    clips = read_clip_table(job.table)
    recordings = open_array(job.clips, (len(clips), None), "prepare_clips")
    mels = open_array(job.mels, (len(clips), job.system.n_mels, None), "compute_mels")
    loudest = max(clips_of(clips, "test", _CANDIDATES), key=lambda clip: _rms(recordings[clip.row]))
    reference = recordings[loudest.row].astype(np.float64)
    if _rms(reference) < SILENCE:
        return None
    own = copied(vocoder).prepare_for_inference()
    mel = torch.from_numpy(np.array(mels[loudest.row]))[None]
    audio = own.synthesize(mel, [torch.Generator().manual_seed(job.seed)])[0].double().numpy()
    noise = np.random.default_rng(job.seed).standard_normal(len(reference))
    of_audio, of_noise = _distance(reference, audio), _distance(reference, noise)
    assert of_noise is not None  # noise is neither silent nor infinite
    return SanityCheck(loudest.clip_id, of_audio, of_noise, d_stft(reference, 0 * reference))


def _distance(reference: np.ndarray, audio: np.ndarray) -> float | None:
    """D_STFT of `audio` at the level of `reference`: of faint noise or a constant it would be that of silence."""
    swings = audio - audio.mean()
    if not np.isfinite(audio).all() or _rms(swings) <= 1e-6 * _rms(audio):
        return None
    return d_stft(reference, swings * (_rms(reference) / _rms(swings)))


def _rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))
