import subprocess
import sys

import librosa
import numpy as np
import pytest
import scipy.signal
from seeds import seed_of

from vocoder_pareto.quality.spectral_distance import d_stft

CLIP_SAMPLES = 16384


@pytest.fixture
def clip():
    return np.random.default_rng(seed_of(0)).normal(scale=0.1, size=CLIP_SAMPLES).astype(np.float32)


@pytest.fixture
def other_clip():
    return np.random.default_rng(seed_of(1)).normal(scale=0.05, size=CLIP_SAMPLES).astype(np.float32)


def distance_of_spectra(reference, estimate):
    return np.mean(np.abs(np.log(1 + np.abs(reference) ** 2) - np.log(1 + np.abs(estimate) ** 2)))


def test_equal_signals_have_distance_zero(clip):
    assert d_stft(clip, clip.copy()) == 0.0


def test_distance_is_symmetric(clip, other_clip):
    assert d_stft(clip, other_clip) == d_stft(other_clip, clip) > 0


@pytest.mark.filterwarnings("ignore:n_fft=1024 is too large")
@pytest.mark.parametrize("length", [CLIP_SAMPLES, 5000, 1023, 1])
def test_distance_equals_the_definition_on_librosa_spectra(clip, other_clip, length):
    reference, estimate = clip[:length].astype(float), other_clip[:length].astype(float)
    settings = {"n_fft": 1024, "hop_length": 256, "window": "hann", "center": True, "pad_mode": "constant"}
    expected = distance_of_spectra(librosa.stft(reference, **settings), librosa.stft(estimate, **settings))
    assert d_stft(reference, estimate) == pytest.approx(expected, rel=1e-10)


def test_distance_equals_the_definition_on_scipy_spectra(clip, other_clip):
    window = scipy.signal.get_window("hann", 1024)

    def spectrum(signal):
        # scipy normalises by the sum of the window; D_STFT does not.
        settings = {"window": window, "nperseg": 1024, "noverlap": 768, "padded": False}
        return scipy.signal.stft(signal.astype(float), **settings)[2] * window.sum()

    assert d_stft(clip, other_clip) == pytest.approx(
        distance_of_spectra(spectrum(clip), spectrum(other_clip)), rel=1e-10
    )


def test_distance_of_an_impulse_to_silence_is_the_mean_log_window_power():
    # The spectrum of an impulse at sample 512 is flat: the window's value at the impulse, in every bin of a frame.
    impulse = np.zeros(1025)
    impulse[512] = 1.0
    window = np.hanning(1025)[:-1]
    centres = np.arange(0, 1025, 256)
    values = [window[512 - centre + 512] if 0 <= 512 - centre + 512 < 1024 else 0.0 for centre in centres]
    assert d_stft(impulse, np.zeros(1025)) == pytest.approx(np.mean(np.log(1 + np.square(values))), rel=1e-9)


def test_two_silences_have_distance_zero():
    assert d_stft(np.zeros(CLIP_SAMPLES), np.zeros(CLIP_SAMPLES)) == 0.0


def test_unequal_lengths_are_refused_with_both_lengths(clip):
    with pytest.raises(ValueError, match="16384 samples and estimate 16000"):
        d_stft(clip, clip[:16000])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (np.zeros(0), "at least one sample"),
        (np.zeros((2, 100)), "one channel"),
        (np.array([0.0, np.nan]), "NaN or infinity"),
        (np.array([0.0, np.inf]), "NaN or infinity"),
    ],
)
def test_signals_that_have_no_distance_are_refused(broken, message):
    with pytest.raises(ValueError, match=message):
        d_stft(broken, broken)


def test_module_imports_neither_torch_nor_librosa():
    code = "import sys, vocoder_pareto.quality.spectral_distance; print({'torch', 'librosa'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="workflow_scripts"
    )
    assert done.stdout.strip() == "set()"
