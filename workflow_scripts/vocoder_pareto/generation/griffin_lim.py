"""Mel-spectrograms inverted without a network: the reference system that every vocoder should beat."""

import librosa
import numpy as np

from vocoder_pareto.audio.format import AudioFormat


def invert_mel(
    mel: np.ndarray, value_range: np.ndarray, audio_format: AudioFormat, iterations: int, seed: int
) -> np.ndarray:
    """Normalised log-mel-spectrogram (M, L) → waveform (L · hop_length,) in float32.

    Args:
        mel: A row of mels.npy, in [0, 1].
        value_range: The same row of mel_ranges.npy, (2,): the log-mel values that became 0 and 1.
        audio_format: The format that the spectrogram was computed in.
        iterations: The number of iterations of the phase reconstruction, at least 1.
        seed: The seed of the random phase that it starts from, 0 to 2^32 − 1.

    The steps of `librosa.feature.inverse.mel_to_audio`, which cannot be seeded.
    Source: Griffin & Lim (1984); with momentum, Perraudin et al. (2013).
    """
    log_mel = value_range[0] + mel * (value_range[1] - value_range[0])
    magnitude = librosa.feature.inverse.mel_to_stft(
        np.expm1(log_mel), sr=audio_format.sample_rate, n_fft=audio_format.n_fft, power=2.0
    )
    # L · hop_length samples have L + 1 centred frames, of which the dataset keeps L: the last is repeated.
    return librosa.griffinlim(
        np.pad(magnitude, ((0, 0), (0, 1)), mode="edge"),
        n_iter=iterations,
        hop_length=audio_format.hop_length,
        n_fft=audio_format.n_fft,
        length=mel.shape[1] * audio_format.hop_length,
        pad_mode="reflect",
        random_state=seed,
    ).astype(np.float32)
