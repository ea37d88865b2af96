"""Pictures of spectrograms for the report page."""

from pathlib import Path

import matplotlib.image
import numpy as np
from scipy import signal

from vocoder_pareto.files import written_whole

N_FFT = 512
HOP_LENGTH = 64
MOST_COLUMNS = 1024  # of pixels: a picture of a long utterance is no larger than the page needs
RANGE_DECIBELS = 70.0


def save_spectrogram(audio: np.ndarray, path: str | Path) -> None:
    """Write the magnitude spectrogram of `audio` (T,) as a PNG without axes: time to the right, frequency upwards.

    The level runs over 70 dB below full scale, the same for all pictures, so that they compare.
    """
    audio = np.pad(audio, (0, max(0, N_FFT - len(audio))))
    window = signal.windows.hann(N_FFT, sym=False)
    hop = max(HOP_LENGTH, -(-len(audio) // MOST_COLUMNS))
    transform = signal.ShortTimeFFT(window, hop, fs=1.0, scale_to="magnitude")
    decibels = 20 * np.log10(np.abs(transform.stft(audio)) + 1e-10)
    with written_whole(path) as temporary:
        matplotlib.image.imsave(
            temporary, decibels, cmap="magma", vmin=-RANGE_DECIBELS - 20, vmax=-20, origin="lower", format="png"
        )
