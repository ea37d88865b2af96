"""Metrics of speech: intelligibility, cepstrum, pitch and voicing, and perceived quality where PESQ is installed."""

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import mel_cepstral_distance
import numpy as np
import pystoi
import pyworld
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from vocoder_pareto.quality.metrics import UndefinedMetric

_ESTOI_SECONDS = 0.41  # 30 frames of 256 samples with half overlap at 10 kHz
_FRAME_MILLISECONDS = 32.0
_FRAME_SHIFT_MILLISECONDS = 5.0  # of the pitch track
# What rounding to 16 bits leaves in a bin of a 32 ms spectrum: digital silence gets this floor instead of log(0).
_QUANTISATION_FLOOR = 1e-4


def estoi(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Extended short-time objective intelligibility, about 0 (none) to 1.

    Source: Jensen and Taal 2016, `pystoi`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: one of the signals is silent, or the reference has less than 0.41 s of sound.
    """
    for name, signal in (("reference", reference), ("estimate", estimate)):
        if not np.any(signal):
            raise UndefinedMetric(f"{name} is silent")
    if len(reference) < _ESTOI_SECONDS * sample_rate:
        raise UndefinedMetric(f"clip is shorter than {_ESTOI_SECONDS} s")
    with warnings.catch_warnings(), _repeatable_noise():
        warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
        try:
            return float(pystoi.stoi(reference, estimate, sample_rate, extended=True))
        except RuntimeWarning as error:
            raise UndefinedMetric(f"reference has less than {_ESTOI_SECONDS} s of sound") from error


def mel_cepstral_distortion(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Mean distance of mel-cepstra (coefficients 2 to 16 of 20 bands, in bel), frame by frame without warping.

    Source: Kubichek 1993, `mel_cepstral_distance`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: the clip is shorter than a window of 32 ms.
    """
    samples = int(_FRAME_MILLISECONDS / 1000 * sample_rate)
    if len(reference) < samples:
        raise UndefinedMetric(f"clip has {len(reference)} samples, needs {samples}")
    transform = ShortTimeFFT(hann(samples), hop=samples // 4, fs=sample_rate)

    def amplitudes(signal: np.ndarray) -> np.ndarray:
        spectrum = transform.stft(np.asarray(signal, np.float64)).T  # (frames, samples / 2 + 1)
        return np.maximum(np.abs(spectrum), _QUANTISATION_FLOOR)

    distance, _ = mel_cepstral_distance.compare_amplitude_spectrograms(
        amplitudes(reference), amplitudes(estimate), sample_rate, _FRAME_MILLISECONDS, aligning="pad"
    )
    return float(distance)


def f0_rmse(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Root mean square difference of the pitch in cents, over frames that are voiced in both signals.

    Source: WORLD's DIO and StoneMask (Morise et al. 2016), `pyworld`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: no frame is voiced in both.
    """
    pitches = _pitch(reference, sample_rate), _pitch(estimate, sample_rate)
    voiced = (pitches[0] > 0) & (pitches[1] > 0)
    if not voiced.any():
        raise UndefinedMetric("no frame is voiced in both signals")
    cents = 1200 * np.log2(pitches[0][voiced] / pitches[1][voiced])
    return float(np.sqrt(np.mean(cents**2)))


def voicing_error(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Share of frames that are voiced in one signal and unvoiced in the other, 0 to 1.

    Source: as `f0_rmse`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.
    """
    return float(np.mean((_pitch(reference, sample_rate) > 0) != (_pitch(estimate, sample_rate) > 0)))


def pesq_wideband(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Perceptual evaluation of speech quality, wide band: a predicted MOS-LQO of about 1.02 to 4.64.

    Source: ITU-T P.862.2, the optional package `pesq`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second; PESQ-WB is defined at 16,000 alone.

    Raises:
        UndefinedMetric: the package is not installed, the sample rate is another, the estimate is silent, or the
            package finds no speech.
    """
    if importlib.util.find_spec("pesq") is None:
        raise UndefinedMetric("package pesq is not installed (pip install pesq, needs a C compiler)")
    import pesq

    if sample_rate != 16000:
        raise UndefinedMetric(f"defined at 16000 Hz, not at {sample_rate}")
    if not np.any(estimate):
        raise UndefinedMetric("estimate is silent")
    try:
        return float(pesq.pesq(sample_rate, reference, estimate, "wb"))
    except pesq.PesqError as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise UndefinedMetric(reason.decode() if isinstance(reason, bytes) else str(reason)) from error


@contextmanager
def _repeatable_noise() -> Iterator[None]:
    """Give numpy's global generator a fixed seed: pystoi draws from it where a band is silent."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)


def _pitch(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Fundamental frequency in hertz every 5 ms, 0 where unvoiced: (frames,)."""
    signal = np.ascontiguousarray(signal, np.float64)
    pitch, times = pyworld.dio(signal, sample_rate, frame_period=_FRAME_SHIFT_MILLISECONDS)
    return pyworld.stonemask(signal, pitch, times, sample_rate)
