"""Networks of other projects in this study: what they compute is what they compute alone.

The outside is each network itself, called as its own project would.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from closeness import assert_close
from foreign_vocoders import (
    Generator,
    LearnedCodec,
    MuLaw,
    Noisy,
    NoisyNetwork,
    NoisyUnsaid,
    OfAFunction,
    OfficialLike,
    Quantiser,
    Spectral,
    loudness_of_bands,
)  # fmt: skip

from vocoder_pareto.audio.features import features
from vocoder_pareto.conformance.candidate import Candidate
from vocoder_pareto.conformance.report import check_vocoder
from vocoder_pareto.errors import UserError
from vocoder_pareto.generation.test_set import generate_clips
from vocoder_pareto.measurement.complexity import measure_complexity, parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.checkpoint import load_vocoder, save_checkpoint
from vocoder_pareto.models.given_weights import load_given, read_weights
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.waveforms import UnusableAudio
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import PublishedConvention
from vocoder_pareto.study.systems import SystemSettings

FILE = Path(__file__).with_name("foreign_vocoders.py")
MEL = FrontEndSettings(hop_length=64, n_fft=256)
WAVEFORM = FrontEndSettings(representation="waveform", sample_rate=24000, hop_length=64)

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


def of(kind, front_end=MEL, **settings):
    return SystemSettings(
        "foreign", "S", f"{FILE}:{kind.__name__}", n_mels=front_end.bands, hop_length=front_end.hop_length,
        sample_rate=front_end.sample_rate, **settings,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    monkeypatch.syspath_prepend(str(FILE.parent))


@pytest.mark.parametrize(
    ("kind", "front_end", "unlike"),
    [
        (OfficialLike, MEL, set()),
        (Spectral, MEL, {"device"}),  # torch.istft reads its window
        (Noisy, MEL, set()),
        (OfAFunction, MEL, {"weights", "operations"}),
        (MuLaw, WAVEFORM, {"weights", "operations"}),
        (LearnedCodec, WAVEFORM, set()),
    ],
)
def test_an_adapter_passes_the_checks_of_a_vocoder(kind, front_end, unlike):
    found = list(check_vocoder(Candidate(of(kind, front_end), front_end)))
    assert [str(each) for each in found if each.verdict == "mend"] == []
    without = {"plain form", "chunks", "training"}  # which no adapter has by itself
    assert {each.check for each in found if each.verdict == "left out"} == without | unlike


def test_the_audio_is_that_of_the_network_alone_and_weight_norm_is_folded():
    torch.manual_seed(3)
    vocoder, mel = OfficialLike(n_mels=80, hop_length=64), torch.rand(2, 80, 7)
    torch.manual_seed(3)
    with torch.no_grad():
        expected = Generator(80, 64).eval()(mel)[:, 0]
    assert expected.std() > 1e-3
    assert torch.equal(vocoder.synthesize(mel), expected)
    assert_close(vocoder.prepare_for_inference().synthesize(mel), expected, factor=64)
    assert {name.rpartition(".")[2] for name in vocoder.state_dict()} == {"weight", "bias"}


@pytest.mark.parametrize("nested", [False, True])
def test_weights_are_taken_by_the_names_of_the_network(nested, tmp_path):
    """Although they look like those of a HiFi-GAN that the study knows, they are this network's."""
    torch.manual_seed(4)
    network = Generator(80, 64)
    torch.save({"generator": network.state_dict()} if nested else network.state_dict(), tmp_path / "g.pth")
    vocoder, mel = OfficialLike(n_mels=80, hop_length=64), torch.rand(1, 80, 5)
    load_given(vocoder, read_weights(tmp_path / "g.pth").weights, tmp_path / "g.pth")
    with torch.no_grad():
        assert torch.equal(vocoder.synthesize(mel), network.eval()(mel)[:, 0])


def test_weights_that_do_not_fit_are_refused_by_their_names(tmp_path):
    weights = Generator(80, 64).state_dict()
    del weights["conv_post.bias"]
    with pytest.raises(UserError, match=r"network\.conv_post\.bias is missing"):
        load_given(OfficialLike(n_mels=80, hop_length=64), weights, "g.pth")


def test_a_checkpoint_holds_complex_weights(tmp_path):
    system = of(Spectral, architecture={"channels": 3})
    torch.manual_seed(5)
    vocoder, mel = build_vocoder(system), torch.rand(1, 80, 5)
    save_checkpoint(tmp_path / "s.ckpt", vocoder, system, {"steps": 1})
    torch.manual_seed(6)
    assert torch.equal(load_vocoder(tmp_path / "s.ckpt", system)[0].synthesize(mel), vocoder.synthesize(mel))
    assert parameter_count(vocoder) == 2 * (3 + 80 * 3 + 3 + 3 * 65 + 65)


def test_noise_of_pytorchs_own_generator_follows_the_seed_of_each_clip():
    """Alone, in a batch and after other draws; the process's generator stays as it was."""
    torch.manual_seed(7)
    vocoder = Noisy(n_mels=80, hop_length=64)
    mels = np.random.default_rng(0).random((3, 80, 5), dtype=np.float32)
    seeds = [11, 12, 13]
    torch.manual_seed(7)
    network = NoisyNetwork(80, 64).eval()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    batched = list(generate_clips(vocoder, mels, seeds, batch_size=3))
    alone = list(generate_clips(vocoder, mels, seeds, batch_size=1))
    assert torch.equal(torch.get_rng_state(), before)
    for row, seed in enumerate(seeds):
        torch.manual_seed(seed)
        with torch.no_grad():
            expected = network(torch.from_numpy(mels[row : row + 1]))[0, 0].numpy()
        assert np.array_equal(batched[row], expected)
        assert np.array_equal(alone[row], expected)


def test_one_source_of_noise_goes_on_from_call_to_call():
    vocoder, mel = Noisy(n_mels=80, hop_length=64), torch.rand(2, 80, 5)
    source = torch.Generator().manual_seed(1)
    first, second = vocoder.synthesize(mel, source), vocoder.synthesize(mel, source)
    assert not torch.equal(first, second)
    source.manual_seed(1)
    assert torch.equal(vocoder.synthesize(mel, source), first)


def test_noise_that_the_adapter_does_not_declare_is_refused_where_audio_is_generated():
    with pytest.raises(UnusableAudio, match=r"draws random numbers from PyTorch's generator.* draws_noise = True"):
        list(generate_clips(NoisyUnsaid(hop_length=64), np.zeros((1, 80, 4), np.float32), [1], 1))


def test_a_function_is_a_vocoder_whose_operations_are_unknown():
    mel = torch.rand(1, 80, 5)
    assert torch.equal(OfAFunction(hop_length=64).synthesize(mel), loudness_of_bands(mel))
    record = measure_complexity(of(OfAFunction), PublishedConvention(), clip_seconds=0.1)
    assert record["parameters"] == 0
    for name in ("flops", "macs", "gflops_per_audio_second", "gflops_published_convention"):
        assert record[name] is None, name
    means_and_bounds = (80 + 2) * record["frames"]
    assert record["gflops_elementwise"] * record["audio_seconds"] == pytest.approx(means_and_bounds / 1e9)


def test_the_operations_of_a_network_are_those_of_its_layers():
    """Written out: k · C_in · C_out for each output of a convolution, or input of a transposed one."""
    frames, hop, channels = 5, 64, 8
    samples = frames * hop
    macs = (
        7 * 80 * channels * frames + 2 * hop * channels**2 * frames + 3 * channels**2 * samples + 7 * channels * samples
    )
    assert count_operations(OfficialLike(n_mels=80, hop_length=hop), frames).macs == macs


def test_a_codec_gets_the_waveform_and_gives_it_back():
    audio = 0.5 * torch.randn(2, 640, generator=torch.Generator().manual_seed(0)).clamp(-1.9, 1.9)
    columns = features(audio, WAVEFORM)
    codec = build_vocoder(of(MuLaw, WAVEFORM))
    assert torch.equal(codec.synthesize(columns), Quantiser()(audio[:, None])[:, 0])
    assert (codec.synthesize(columns) - audio).abs().max() < 0.05


def test_a_codec_behind_a_mel_spectrogram_is_refused_by_the_key_to_mend():
    with pytest.raises(UserError, match=r"LearnedCodec takes the waveform.*representation: waveform"):
        build_vocoder(of(LearnedCodec, MEL))


def test_a_network_for_another_sample_rate_is_refused_by_the_key_to_mend():
    with pytest.raises(
        UserError, match=r"foreign\.sizes\.S\.front_end: MuLaw is made for 24000 Hz.*sample_rate: 24000"
    ):
        build_vocoder(of(MuLaw, FrontEndSettings(representation="waveform", hop_length=64)))


def test_an_unknown_key_of_an_architecture_is_refused():
    with pytest.raises(UserError, match=r"architecture\.channels"):
        build_vocoder(of(OfficialLike, architecture={"channels": 3}))
