"""Mel-spectrograms inverted without a network: the reference system that every vocoder should beat."""

import librosa
import numpy as np

from vocoder_pareto.study.sections.front_ends import FrontEndSettings, GivenNormalization


def invert_mel(
    mel: np.ndarray, value_range: np.ndarray, front_end: FrontEndSettings, iterations: int, seed: int
) -> np.ndarray:
    """Normalised log-mel-spectrogram (M, L) → waveform (L · hop_length,) in float32.

    Args:
        mel: A row of mels.npy.
        value_range: The same row of mel_ranges.npy, (2,): the log-mel values that became 0 and 1.
        front_end: The settings that the spectrogram was computed by.
        iterations: The number of iterations of the phase reconstruction, at least 1.
        seed: The seed of the random phase that it starts from, 0 to 2^32 − 1.

    The steps of `librosa.feature.inverse.mel_to_audio`, which cannot be seeded.
    Source: Griffin & Lim (1984); with momentum, Perraudin et al. (2013).
    """
    log_mel = value_range[0] + mel * (value_range[1] - value_range[0])
    magnitude = librosa.feature.inverse.mel_to_stft(
        linear_mel(log_mel, front_end),
        sr=front_end.sample_rate,
        n_fft=front_end.n_fft,
        power=float(front_end.power),
        fmin=front_end.fmin,
        fmax=front_end.highest_hertz,
        htk=front_end.mel_scale == "htk",
        norm=None if front_end.mel_norm == "none" else front_end.mel_norm,
    )
    # L · hop_length samples have L + 1 centred frames, of which the dataset keeps L: the last is repeated.
    return librosa.griffinlim(
        np.pad(magnitude, ((0, 0), (0, 1)), mode="edge"),
        n_iter=iterations,
        hop_length=front_end.hop_length,
        win_length=front_end.window_samples,
        n_fft=front_end.n_fft,
        length=mel.shape[1] * front_end.hop_length,
        pad_mode="constant" if front_end.padding == "center_zeros" else "reflect",
        random_state=seed,
    ).astype(np.float32)


def linear_mel(values: np.ndarray, front_end: FrontEndSettings) -> np.ndarray:
    """What a front end makes of a mel-spectrogram (M, L) → its magnitudes or powers, as `front_end.power` says.

    A range that became 0 and 1 must be undone before. What a floor or clamp has cut stays cut.
    """
    given = front_end.normalization
    if isinstance(given, GivenNormalization):
        scale, mean = (np.asarray(each, values.dtype) for each in (given.scale, given.mean))
        values = values * scale[..., None] + mean[..., None]
    match front_end.logarithm:
        case "log1p":
            return np.expm1(values)
        case "ln":
            return np.exp(values)
        case "log10":
            return 10.0**values
        case "dB":
            return 10.0 ** (values * front_end.power / 20)
