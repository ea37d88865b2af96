"""Long clips in chunks: equal to the whole clip, in memory that does not grow with it."""

import pytest
import torch
from calm import calm
from closeness import assert_close
from seeds import seed_of
from small_flows import trained_like
from torch import nn

from vocoder_pareto.measurement.memory_traffic import MemoryWatch
from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.chunks import in_chunks
from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture, DiffWaveSampling
from vocoder_pareto.models.flow2gan import Flow2GAN, Flow2GANArchitecture, Flow2GANSampling
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.istftnet import ISTFTNet, ISTFTNetArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture, WaveGradSampling

# Few channels, but the kernels, dilations and factors of the full-size models, except where flows would reach too far.
SMALL = {
    "melgan": lambda: MelGAN(MelGANArchitecture(4, 4)),
    "melgan of odd factors": lambda: MelGAN(MelGANArchitecture(4, 2, (3, 5)), hop_length=15),
    "hifigan type 1": lambda: HiFiGAN(HiFiGANArchitecture(channels=32)),
    "hifigan type 2": lambda: HiFiGAN(
        HiFiGANArchitecture(32, (8, 8, 4), (16, 16, 8), "2", (3, 5, 7), ((1, 2), (2, 6), (3, 12)))
    ),
    "multiband melgan": lambda: MultiBandMelGAN(MultiBandMelGANArchitecture(32)),
    "univnet": lambda: UnivNet(UnivNetArchitecture(4, predictor_channels=8)),
    "istftnet": lambda: ISTFTNet(ISTFTNetArchitecture(channels=16)),
    "istftnet C8C1I": lambda: ISTFTNet(ISTFTNetArchitecture(16, (8, 1), (16, 1), n_fft=128)),
    "vocos": lambda: Vocos(VocosArchitecture(channels=8, blocks=4)),
    "vocos, not centred": lambda: Vocos(VocosArchitecture(channels=8, blocks=2, n_fft=768, padding="same")),
    "bigvgan": lambda: BigVGAN(BigVGANArchitecture(16, residual_kernels=(7,), residual_dilations=((1, 3, 5),))),
    "flow2gan": lambda: Flow2GAN(
        Flow2GANArchitecture((256, 64), (24, 16), blocks=2, encoder_channels=8, encoder_blocks=2, time_channels=8),
        Flow2GANSampling(steps=2),
    ),
    "wavegrad": lambda: WaveGrad(
        WaveGradArchitecture((8, 8, 8, 6, 4, 4), (2, 4, 4, 6, 8), blocks_per_stage=2), WaveGradSampling(steps=2)
    ),
    "diffwave": lambda: DiffWave(DiffWaveArchitecture(10, 4), DiffWaveSampling((1e-3, 0.1))),
    "waveflow": lambda: WaveFlow(WaveFlowArchitecture(flows=3, layers=5, channels=8, height=8)),
    "waveglow": lambda: WaveGlow(WaveGlowArchitecture(flows=5, layers=3, channels=8)),
}
each = pytest.mark.parametrize("name", SMALL)


def small(name):
    vocoder = calm(trained_like(SMALL[name]))
    with torch.no_grad():
        for key, parameter in vocoder.named_parameters():
            is_logarithm = isinstance(vocoder, ISTFTNet) and key.startswith("last.")
            gans = MelGAN | HiFiGAN | MultiBandMelGAN | UnivNet | BigVGAN
            if key.endswith("original0") and isinstance(vocoder, gans) and not is_logarithm:
                # The scales of weight norm: fresh ones give near silence.
                parameter.uniform_(*((0.3, 0.9) if isinstance(vocoder, BigVGAN) else (0.5, 1.5)))
            if key.endswith("weight") and isinstance(vocoder, Flow2GAN) and parameter.dim() > 1:
                parameter.normal_(std=parameter[0].numel() ** -0.5)  # the same
    return vocoder.prepare_for_inference()


def generators(count):
    return [torch.Generator().manual_seed(seed_of(seed)) for seed in range(count)]


def mel_of(vocoder, frames, batch=2):
    return torch.rand(batch, vocoder.n_mels, frames, generator=torch.Generator().manual_seed(seed_of(1)))


@each
@pytest.mark.parametrize("chunk_frames", [pytest.param(1, marks=pytest.mark.slow), 13, 100])
def test_chunks_are_the_whole_clip(name, chunk_frames):
    vocoder = small(name)
    mel = mel_of(vocoder, frames=40)
    whole = vocoder.synthesize(mel, generators(2))
    assert 0.001 < whole.std() < 0.99
    chunked = vocoder.synthesize_in_chunks(mel, chunk_frames, generators(2))
    assert_close(chunked, whole, factor=256)


@each
def test_without_context_the_seams_differ(name, monkeypatch):
    vocoder = small(name)
    mel = mel_of(vocoder, frames=40)
    monkeypatch.setattr(vocoder, "context_frames", lambda: 0)
    whole = vocoder.synthesize(mel, generators(2))
    difference = vocoder.synthesize_in_chunks(mel, 13, generators(2)) - whole
    assert difference.abs().max() > 1e-3 * whole.abs().max()


@each
def test_the_context_is_shorter_than_the_test_clip(name):
    """Else, the chunks of the other tests would all be the whole clip."""
    assert small(name).context_frames() < 26


def most_alive_bytes(vocoder, generate, mel):
    watch = MemoryWatch(vocoder, mel)
    with torch.inference_mode(), watch:
        generate(mel, generator=generators(1))
    return watch.traffic.activation_bytes


@each
def test_memory_does_not_grow_with_the_clip(name):
    vocoder = small(name)

    def in_chunks(mel, generator):
        return vocoder.synthesize_in_chunks(mel, 10, generator)

    short, long = (mel_of(vocoder, frames, batch=1) for frames in (60, 120))
    audio_bytes = 4 * 60 * vocoder.hop_length  # by which the long clip is longer
    growth = most_alive_bytes(vocoder, in_chunks, long) - most_alive_bytes(vocoder, in_chunks, short)
    # The audio itself, the noise of two steps, and the mel that is checked.
    assert growth <= 6 * audio_bytes
    whole = most_alive_bytes(vocoder, vocoder.synthesize, long) - most_alive_bytes(vocoder, vocoder.synthesize, short)
    assert whole > 2 * growth


def test_fewer_than_one_frame_per_chunk_are_refused():
    with pytest.raises(ValueError, match="chunk_frames is 0; must be at least 1"):
        small("melgan").synthesize_in_chunks(torch.rand(1, 80, 4), 0)


def test_a_signal_without_a_frame_is_refused():
    with pytest.raises(ValueError, match="frames is 0; must be at least 1"):
        in_chunks(lambda frames, samples: torch.zeros(1, samples.stop - samples.start), 0, 4, 2, hop_length=3)


def test_a_wrong_mel_is_refused():
    with pytest.raises(ValueError, match=r"expected \(batch, 80, frames\)"):
        small("melgan").synthesize_in_chunks(torch.rand(1, 79, 4), 2)


def test_a_family_that_does_not_know_its_reach_says_so():
    class Unknown(Vocoder):
        Architecture = NoSettings

        def __init__(self):
            super().__init__(NoSettings())
            self.layer = nn.Linear(1, 1)

        def generate(self, mel, generator=None):
            return mel

    with pytest.raises(NotImplementedError, match="Unknown does not say how many frames"):
        Unknown().synthesize_in_chunks(torch.rand(1, 80, 4), 2)


def test_every_chunk_is_seen_with_its_context_and_the_ends_without():
    seen = []

    def compute(frames, samples):
        seen.append((frames.start, frames.stop))
        return torch.arange(samples.start, samples.stop)[None]

    assert in_chunks(compute, 10, 4, 2, hop_length=3)[0].tolist() == list(range(30))
    assert seen == [(0, 6), (2, 10), (6, 10)]
