"""A vocoder whose input is the waveform, which it gives back as it is."""

from vocoder_pareto.models.vocoder import NoSettings, Vocoder


class WaveformCopy(Vocoder):
    """Columns of hop_length samples → the samples."""

    Architecture = NoSettings
    brings_weights = True

    def __init__(self, architecture=None, sampling=None, n_mels=256, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)

    def generate(self, mel, generator=None):
        return mel.transpose(1, 2).flatten(1)
