"""Metrics that come from packages which nobody maintains, against their definitions written out in NumPy and SciPy.

Should such a package die, or another version of it count otherwise, these tests notice; and they are what replaces it.
"""

import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from vocoder_pareto.quality import reconstruction
from vocoder_pareto.quality.speech import mel_cepstral_distortion

RATE = 16000


def magnitudes(signal: np.ndarray, n_fft: int, hop: int, window: int) -> np.ndarray:
    """Frames around every `hop`-th sample of the signal, mirrored at its ends, under a periodic Hann window."""
    padded = np.pad(signal.astype(np.float64), n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    weights = np.zeros(n_fft)
    weights[(n_fft - window) // 2 :][:window] = hann(window, sym=False)
    return np.sqrt(np.maximum(np.abs(np.fft.rfft(frames * weights)) ** 2, 1e-8))


def test_multi_resolution_stft_is_as_parallel_wavegan_defines_it(speech, noisy_speech):
    """Yamamoto et al. 2020, equations 4 to 6, with the three resolutions of their table 1."""
    losses = []
    for n_fft, hop, window in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        wanted, found = (magnitudes(each, n_fft, hop, window) for each in (speech, noisy_speech))
        convergence = np.linalg.norm(wanted - found) / np.linalg.norm(wanted)
        losses.append(convergence + np.mean(np.abs(np.log(wanted) - np.log(found))))
    value = reconstruction.multi_resolution_stft(speech, noisy_speech, RATE)
    assert value == pytest.approx(np.mean(losses), rel=1e-5)


def test_mel_cepstral_distortion_is_as_kubichek_defines_it(speech, noisy_speech):
    """Kubichek 1993: log energies (bel) of 20 triangular mel bands, their cosine transform, coefficients 2 to 16."""
    samples, bands = 512, 20  # 32 ms
    mels = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), bands + 2)
    corners = np.floor((samples + 1) * 700 * (10 ** (mels / 2595) - 1) / RATE).astype(int)
    weights = np.zeros((bands, samples // 2 + 1))
    for band, (left, centre, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        weights[band] = np.interp(np.arange(samples // 2 + 1), [left, centre, right], [0, 1, 0], left=0, right=0)

    def cepstrum(signal: np.ndarray) -> np.ndarray:
        transform = ShortTimeFFT(hann(samples), hop=samples // 4, fs=RATE)
        spectrum = np.maximum(np.abs(transform.stft(signal.astype(np.float64))), 1e-4)
        return dct(np.log10(weights @ spectrum**2), type=2, axis=0)[2:17] / 2

    expected = np.linalg.norm(cepstrum(speech) - cepstrum(noisy_speech), axis=0).mean()
    found = mel_cepstral_distortion(speech, noisy_speech, RATE)
    assert found == pytest.approx(expected, rel=1e-6)
