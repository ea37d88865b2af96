"""What WaveFlow and WaveGlow share: an exact inverse in a fast and a plain form, and the right log-determinant."""

import copy
import csv
from pathlib import Path

import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from small_flows import SMALL, TINY, audio_and_mel, generators, trained_like

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.flow import FlowSampling, from_rows, to_rows
from vocoder_pareto.models.vocoder import draw_noise
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published" / "table2_cost.csv"
FULL_SIZE = {
    "waveflow-S": lambda: WaveFlow(WaveFlowArchitecture(channels=64, height=8)),
    "waveflow-M": lambda: WaveFlow(WaveFlowArchitecture(channels=96, height=16)),
    "waveflow-L": lambda: WaveFlow(WaveFlowArchitecture(channels=128, height=16)),
    "waveglow-S": lambda: WaveGlow(WaveGlowArchitecture(channels=64)),
    "waveglow-M": lambda: WaveGlow(WaveGlowArchitecture(channels=128)),
    "waveglow-L": lambda: WaveGlow(WaveGlowArchitecture(channels=256)),
}
every_small = pytest.mark.parametrize("name", SMALL)
every_tiny = pytest.mark.parametrize("name", TINY)


@pytest.fixture
def small(name):
    return trained_like(SMALL[name])


@pytest.fixture
def tiny(name):
    return trained_like(TINY[name]).double()


@every_small
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("form", ["decode", "decode_plainly"])
@torch.no_grad()
def test_analysis_then_synthesis_returns_the_waveform(small, prepared, form):
    audio, mel = audio_and_mel(small)
    latent, log_determinant = small.encode(audio, mel)
    assert (latent - audio).abs().mean() > 0.1  # not the identity that training starts from
    assert (log_determinant.abs() > 1).all()
    if prepared:
        small.prepare_for_inference()
    assert_close(getattr(small, form)(latent, mel), audio, factor=256)


@every_tiny
def test_the_log_determinant_is_that_of_the_numerical_jacobian(tiny):
    audio, mel = (tensor.double() for tensor in audio_and_mel(tiny, batch=1, frames=2))
    encoding = tiny.encode(audio, mel)
    jacobian = torch.autograd.functional.jacobian(lambda samples: tiny.encode(samples, mel).latent[0], audio)[:, 0]
    assert jacobian.shape == (32, 32)
    assert encoding.log_determinant.abs().item() > 0.1
    # The terms that add up to it are larger than it is.
    assert_close(encoding.log_determinant[0], torch.linalg.slogdet(jacobian).logabsdet, factor=1024)


@every_tiny
@torch.no_grad()
def test_each_clip_of_a_batch_has_its_own_log_determinant(tiny):
    audio, mel = (tensor.double() for tensor in audio_and_mel(tiny, batch=3, frames=2))
    together = tiny.encode(audio, mel).log_determinant
    apart = torch.cat([tiny.encode(audio[index, None], mel[index, None]).log_determinant for index in range(3)])
    assert together.std() > 1e-3
    assert_close(together, apart, factor=256)


@every_small
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("frames", [1, 9])
@torch.no_grad()
def test_the_fast_form_equals_the_plain_one(small, prepared, frames):
    latent, mel = audio_and_mel(small, frames=frames)
    plain, plain_audio = small.decode_plainly(latent, mel), small.generate_plainly(mel, generators(2))
    if prepared:
        small.prepare_for_inference()
    assert plain.std() > 0.1
    assert_close(small.decode(latent, mel), plain, factor=256)
    assert_close(small.generate(mel, generators(2)), plain_audio, factor=256)


@every_small
@torch.no_grad()
def test_folding_weight_norm_keeps_the_output(small):
    latent, mel = audio_and_mel(small)
    folded = copy.deepcopy(small).prepare_for_inference()
    for form in ("decode", "decode_plainly"):
        before, after = (getattr(vocoder, form)(latent, mel) for vocoder in (small, folded))
        assert_close(after, before, factor=256)
    plain_names = {name.replace("parametrizations.", "").replace(".original0", "") for name in small.state_dict()}
    assert set(folded.state_dict()) <= plain_names  # what is derived is not stored


@every_small
@pytest.mark.parametrize("frames", [1, 2, 101])
def test_any_number_of_frames_gives_that_much_audio_in_range(small, frames):
    small.sampling = FlowSampling(sigma=4.0)
    audio = small.prepare_for_inference().synthesize(torch.rand(1, 80, frames))
    assert audio.shape == (1, frames * 256)
    assert audio.abs().max() == 1
    assert torch.isfinite(audio).all()


@every_small
def test_a_batch_gives_the_audio_of_its_items(small):
    _, mel = audio_and_mel(small.prepare_for_inference(), batch=3)
    together = small.synthesize(mel, generators(3))
    apart = [small.synthesize(mel[index, None], generator) for index, generator in enumerate(generators(3))]
    assert_close(together, torch.cat(apart), factor=256)


@every_small
def test_a_seed_determines_the_audio(small):
    _, mel = audio_and_mel(small.prepare_for_inference())
    first, again, other = (small.synthesize(mel, torch.Generator().manual_seed(seed_of(seed))) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.05


@every_small
@torch.no_grad()
def test_the_latent_of_generated_audio_is_the_noise_that_was_drawn(name):
    vocoder = trained_like(SMALL[name], strength=0.2)
    vocoder.sampling = FlowSampling(sigma=0.1)
    _, mel = audio_and_mel(vocoder)
    audio = vocoder.generate(mel, generators(2))
    assert audio.abs().max() < 1  # nothing was clamped
    noise = 0.1 * draw_noise(audio.shape, mel, generators(2))
    assert_close(vocoder.encode(audio, mel).latent, noise, factor=256)


@every_small
def test_an_update_reaches_all_parameters(small):
    latent, log_determinant = small.encode(*audio_and_mel(small))
    (latent.square().mean() - log_determinant.mean()).backward()
    # A filter of one weight has no direction that weight norm could turn: its gradient is zero but for rounding.
    weights = {
        key: value
        for key, value in small.named_parameters()
        if not (key.endswith("original1") and value[0].numel() == 1)
    }
    assert [key for key, value in weights.items() if value.grad is None or not value.grad.any()] == []


@every_small
@torch.no_grad()
def test_training_starts_from_a_rotation_of_the_samples(name):
    """The networks give σ = 1 and μ = 0 at first, so the latent has the energy of the audio and no volume changes."""
    vocoder = SMALL[name]()
    audio, mel = audio_and_mel(vocoder)
    latent, log_determinant = vocoder.encode(audio, mel)
    assert_close(latent.square().sum(dim=1), audio.square().sum(dim=1), factor=16)
    assert_close((log_determinant / audio.shape[1]).exp(), torch.ones(2), factor=16)


@every_small
def test_the_mel_spectrogram_changes_the_audio_around_its_frame(small):
    _, mel = audio_and_mel(small, batch=1, frames=24)
    other = mel.clone()
    other[:, :, 12] = 0
    first, second = (small.generate(each, torch.Generator().manual_seed(seed_of(0))) for each in (mel, other))
    change = (first - second).abs()[0]
    assert change[12 * 256 : 13 * 256].mean() > 1e-3
    assert change[:256].mean() < 0.1 * change[12 * 256 : 13 * 256].mean()


@every_small
@torch.no_grad()
def test_samples_keep_their_precision_where_the_networks_compute_in_a_reduced_one(name):
    small = trained_like(SMALL[name], strength=0.2)  # else the inverse multiplies the errors, as much as chance has it
    audio, mel = audio_and_mel(small)
    exact = small.encode(audio, mel).latent
    with torch.autocast("cpu", torch.bfloat16):
        encoded = small.encode(audio, mel)
        decoded = [small.decode(exact, mel), small.decode_plainly(exact, mel)]
    assert all(tensor.dtype == torch.float32 for tensor in (*encoded, *decoded))
    for result, expected in ((encoded.latent, exact), (decoded[0], audio), (decoded[1], audio)):
        error = (result - expected).abs().mean()
        assert 0 < error < 0.02 * expected.abs().mean()


@pytest.mark.parametrize("name", FULL_SIZE)
def test_parameters_agree_with_table_2_to_the_printed_digits(name):
    with PUBLISHED.open() as file:
        printed = {f"{row['model']}-{row['size']}": row["parameters_millions"] for row in csv.DictReader(file)}[name]
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in FULL_SIZE[name]().parameters())
    assert round(count / 1e6, 2) == float(printed)


@pytest.mark.slow  # full sizes
@pytest.mark.parametrize(("name", "gigabytes"), [("waveflow-S", 0.45), ("waveglow-L", 0.6)])
def test_memory_for_ten_seconds_is_bounded(name, gigabytes):
    memory = count_operations(FULL_SIZE[name]().prepare_for_inference(), frames=625).memory
    assert memory.activation_bytes < gigabytes * 1e9


def test_rows_hold_every_hth_sample():
    samples = torch.arange(12).reshape(1, 12)
    assert to_rows(samples, 3).tolist() == [[[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]]
    assert torch.equal(from_rows(to_rows(samples, 3)), samples)


def test_a_negative_sigma_is_refused():
    with pytest.raises(ValueError, match=r"sigma is -0\.1"):
        FlowSampling(sigma=-0.1)
