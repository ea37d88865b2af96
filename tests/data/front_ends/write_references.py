"""How references.npz was written: mel-spectrograms by the libraries that published vocoders come with.

In an environment of its own: `pip install bigvgan==2.4.1 tacotron2-model==0.2.4 vocos==0.1.0 transformers==5.24.0`,
then `python tests/data/front_ends/write_references.py`. The signal is that of `signal_of_test.py` beside it.
"""

from pathlib import Path

import librosa
import numpy as np
import torch
from bigvgan.meldataset import mel_spectrogram
from signal_of_test import signal_of_test
from tacotron2_model import layers, stft
from transformers import SpeechT5FeatureExtractor
from vocos.feature_extractors import MelSpectrogramFeatures


def references() -> dict[str, np.ndarray]:
    """Mel-spectrograms (M, L) in float32 by the names of front ends."""
    # tacotron2-model gives these by position, as librosa allowed until version 0.9.
    stft.pad_center = lambda window, size: librosa.util.pad_center(window, size=size)
    layers.librosa_mel_fn = lambda sr, n_fft, n_mels, fmin, fmax: librosa.filters.mel(
        sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax
    )
    samples = signal_of_test(3072)
    audio = torch.from_numpy(samples)[None]
    speecht5 = SpeechT5FeatureExtractor()
    return {
        "hifigan_22k": mel_spectrogram(audio, 1024, 80, 22050, 256, 1024, 0, 8000)[0].numpy(),
        "bigvgan_24k": mel_spectrogram(audio, 1024, 100, 24000, 256, 1024, 0, 12000)[0].numpy(),
        "waveglow_22k": layers.TacotronSTFT(1024, 256, 1024, 80, 22050, 0.0, 8000.0).mel_spectrogram(audio)[0].numpy(),
        "vocos_24k": MelSpectrogramFeatures(24000, 1024, 256, 100, "center")(audio)[0].numpy(),
        "speecht5_16k": speecht5(audio_target=samples, sampling_rate=16000)["input_values"][0].T,
    }


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("references.npz"), **references())
