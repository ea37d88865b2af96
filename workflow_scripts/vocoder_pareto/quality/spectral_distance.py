"""The paper's D_STFT: the spectral distance of SING (Défossez et al., 2018, section 3.3).

What lies beyond the ends of a signal is stated neither by the paper nor by SING, which pads nothing. The code of the
study's authors leaves it to `torch.stft`, which reflects, and so do we: their Table 1 was presumably made so. Zeros
would mostly make the distance smaller, since they soften the first and last frames of both signals.
"""

import numpy as np
from scipy.fft import rfft

N_FFT = 1024
HOP_LENGTH = 256


def d_stft(reference: np.ndarray, estimate: np.ndarray, _sample_rate: int | None = None) -> float:
    """Mean of |log(1 + |STFT reference|²) − log(1 + |STFT estimate|²)| over all bins and frames.

    The STFT has a periodic Hann window of 1024 samples and frames centred on the multiples of 256, unnormalised. Both
    ends are continued by reflection, signals of up to 512 samples as often as needed. The value is 0 for equal signals
    and has no upper bound; it is dimensionless.

    Source: `spectral_dist` in src/utils.py of github.com/ConstanceDws/neural-audio-energy, with `multiband=False`.

    Args:
        reference: (T,) samples in [-1, 1].
        estimate: (T,) samples in [-1, 1], aligned with the reference.

    Raises:
        ValueError: the signals are not one-dimensional, are empty, differ in length or hold NaN or infinity.
    """
    reference, estimate = _checked(reference, "reference"), _checked(estimate, "estimate")
    if len(reference) != len(estimate):
        raise ValueError(
            f"reference has {len(reference)} samples and estimate {len(estimate)}; "
            "D_STFT compares signals of equal length, so trim both to the same clip"
        )
    difference = _log_power(reference) - _log_power(estimate)
    return float(np.mean(np.abs(difference)))


def _log_power(signal: np.ndarray) -> np.ndarray:
    padded = np.pad(signal, N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH]  # (frames, n_fft)
    window = np.hanning(N_FFT + 1)[:-1]  # scipy.signal would cost every program half a second of import
    spectrum = rfft(frames * window)  # (frames, n_fft / 2 + 1)
    return np.log1p(spectrum.real**2 + spectrum.imag**2)


def _checked(signal: np.ndarray, name: str) -> np.ndarray:
    signal = np.asarray(signal, dtype=np.float64)
    if signal.ndim != 1 or signal.size == 0:
        raise ValueError(f"{name} has the shape {signal.shape}; expected one channel of at least one sample, (T,)")
    if not np.isfinite(signal).all():
        raise ValueError(f"{name} holds NaN or infinity; D_STFT is defined for finite samples")
    return signal
