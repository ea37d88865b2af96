"""The constant-Q transform against its definition, SciPy's filters and librosa; what its discriminator is made of."""

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from closeness import assert_close
from seeds import seed_of

from vocoder_pareto.models.constant_q import ConstantQResolution, ConstantQTransform
from vocoder_pareto.models.constant_q_discriminator import ConstantQDiscriminator, resolutions_at

RATE = 16000
RESOLUTION = ConstantQResolution(hop_length=256, octaves=8, bins_per_octave=12)
QUALITY = 1 / (2 ** (1 / 12) - 1)


@pytest.fixture(scope="module")
def audio():
    return np.random.default_rng(seed_of(1)).standard_normal(24000)


def transformed(audio, resolution=RESOLUTION):
    """Complex, (bins from the lowest, frames)."""
    found = ConstantQTransform(RATE, resolution)(torch.from_numpy(audio)[None])[0].double().numpy()
    return (found[0] + 1j * found[1]).reshape(found.shape[1], -1).T


def at_twice_the_rate(audio):
    taps = scipy.signal.firwin(65, 0.5, window=("kaiser", 8.0))
    return 2 * scipy.signal.upfirdn(taps, audio, up=2)[32 : 32 + 2 * len(audio)]


def test_bins_are_those_of_the_definition_by_browns_windows(audio):
    """Equation 3 summed as it stands, at the full rate: what halving the rate changes is below a part in 2,000.

    But for frames whose window meets an end, beyond which what the filters move is lost.
    """
    found, signal = transformed(audio), at_twice_the_rate(audio)
    for index in (0, 7, 40, 70, 95):
        hertz = 32.70 * 2 ** (index / 12)
        samples = QUALITY * 2 * RATE / hertz
        places = np.arange(-int(samples / 2), int(samples / 2) + 1)
        window = np.cos(np.pi * places / samples) ** 2
        wave = window / window.sum() * np.exp(-2j * np.pi * hertz * places / (2 * RATE))
        padded = np.pad(signal, len(places) // 2)
        expected = [padded[start : start + len(places)] @ wave for start in range(0, len(signal) + 1 - 256, 256)]
        expected = np.sqrt(samples) * np.array(expected)
        difference = np.abs(found[index, : len(expected)] - expected)[52:-52].max()
        assert difference < 5e-4 * np.abs(expected).max()


def test_it_is_librosas(audio):
    """Whose bandwidth is another by 3 %, which `filter_scale` takes back, and whose windows are whole samples.

    These are as loud and as late in all octaves; what is left is noise of 2 %.
    """
    signal = at_twice_the_rate(audio)
    ratio = 2 ** (2 / 12)
    expected = librosa.cqt(
        signal, sr=2 * RATE, hop_length=256, fmin=32.70, n_bins=96, bins_per_octave=12, pad_mode="constant",
        filter_scale=QUALITY * (ratio - 1) / (ratio + 1), sparsity=0.0, res_type="soxr_vhq",
    )  # fmt: skip
    found = transformed(audio)
    assert found.shape == expected.shape
    for ours, theirs in zip(found[:, 20:-20].reshape(8, -1), expected[:, 20:-20].reshape(8, -1), strict=True):
        gain = np.vdot(theirs, ours) / np.vdot(theirs, theirs)
        assert abs(gain - 1) < 0.01
        assert np.linalg.norm(ours - theirs) < 0.04 * np.linalg.norm(theirs)


def test_a_tone_is_as_loud_as_half_the_root_of_its_window_and_turns_by_its_frequency():
    """In the middle of the clip, by hand: the mean of a window times a cosine of amplitude 1 is a half."""
    index = 60
    hertz = 32.70 * 2 ** (index / 12)
    found = transformed(np.cos(2 * np.pi * hertz * np.arange(RATE) / RATE))[:, 40:80]
    assert (np.abs(found).argmax(axis=0) == index).all()
    assert np.abs(found[index]) == pytest.approx(np.sqrt(QUALITY * 2 * RATE / hertz) / 2, rel=2e-3)
    turns = np.angle(found[index, 1:] / found[index, :-1])
    assert np.abs(np.angle(np.exp(1j * (turns - 2 * np.pi * hertz * 128 / RATE)))).max() < 1e-2


@pytest.mark.parametrize("samples", [1, 100, 4096, 4097])
def test_frames_are_a_hop_apart_from_the_first_sample_to_the_end(samples):
    audio = torch.randn(2, samples, requires_grad=True)
    found = ConstantQTransform(RATE, RESOLUTION)(audio)
    assert found.shape == (2, 2, -(-2 * samples // 128) * 128 // 256 + 1, 8, 12)
    found.square().sum().backward()
    assert torch.isfinite(audio.grad).all()


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_it_keeps_its_precision_where_networks_do_not(kind):
    audio = torch.randn(1, 4096).to(kind)
    transform = ConstantQTransform(RATE, RESOLUTION)
    expected = transform(audio.double())
    with torch.autocast("cpu", kind):
        assert_close(transform(audio), expected, factor=256, eps=2**-23)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((256, 0, 12), "octaves is 0"),
        ((256, 8, 0), "bins_per_octave 0"),
        ((192, 8, 12), "hop_length is 192; must be a multiple of 128, since 8 octaves halve it 7 times"),
    ],
)
def test_an_impossible_resolution_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ConstantQResolution(*settings)


def test_octaves_beyond_the_sample_rate_are_refused():
    with pytest.raises(ValueError, match=r"9 octaves from 32\.7 Hz end above the sample rate, 16000"):
        ConstantQTransform(16000, ConstantQResolution(256, 9, 12))


@pytest.mark.parametrize(("sample_rate", "octaves"), [(8000, 7), (16000, 8), (22050, 9), (24000, 9), (44100, 9)])
def test_there_are_octaves_up_to_half_the_sample_rate_and_nine_at_most(sample_rate, octaves):
    for resolution in resolutions_at(sample_rate):
        assert resolution.octaves == octaves
        ConstantQTransform(sample_rate, resolution)


def test_it_has_the_parameters_of_the_official_one():
    """Three resolutions; per octave two channels of 3 · 9, then five layers, of which the first has no weight norm."""
    octaves = 9 * 2 * (2 * 27 + 1)
    hidden = 128 * (2 * 27 + 1) + 3 * 128 * (128 * 27 + 2) + 128 * (128 * 9 + 2)
    total = 3 * (octaves + hidden + 128 * 9 + 2)
    assert sum(weight.numel() for weight in ConstantQDiscriminator(24000).parameters()) == total


def test_its_features_are_of_the_hidden_layers_alone():
    discriminator = ConstantQDiscriminator(RATE, channels=2)
    for judgement in discriminator(torch.randn(1, 2048)):
        assert len(judgement.layers) == 5
        assert all(layer.shape[1] == 2 for layer in judgement.layers)
    assert not [name for name in discriminator.state_dict() if "transform" in name]
