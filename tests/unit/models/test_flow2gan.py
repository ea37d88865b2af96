"""Flow2GAN: both forms against a network written from the official code, and against each other.

The counts of operations are those of the official code, github.com/k2-fsa/Flow2GAN, by `torch.utils.flop_counter`.
"""

from pathlib import Path

import pytest
import torch
from closeness import assert_close
from reference_networks.flow2gan import flow2gan
from seeds import seed_of
from torch.nn import functional

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.checkpoint import load_vocoder, save_checkpoint
from vocoder_pareto.models.flow2gan import Flow2GAN, Flow2GANArchitecture, Flow2GANSampling
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.spectral_branch import MergedEnds, SpectralEnds, add_repeated, frames_of, overlap_added
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import systems_of
from vocoder_pareto.study.systems import SystemSettings

PROJECT = Path(__file__).parents[3]
SMALL = {
    "hops": (16, 8), "channels": (6, 4), "blocks": 2, "encoder_channels": 6, "encoder_blocks": 1, "time_channels": 8,
}  # fmt: skip
BFLOAT16 = torch.finfo(torch.bfloat16).eps
# At 80 bands; multiply-accumulates are of 625 frames (10 s).
PARAMETERS = 78_918_822
OFFICIAL_MACS = {
    "flow2gan-steps1": 71_799_007_744, "flow2gan-steps2": 139_580_095_488, "flow2gan-steps4": 275_142_270_976,
}  # fmt: skip


def small(steps=2):
    """Weights as after training: those that are fresh hardly hear the time, and their estimates are next to silence."""
    torch.manual_seed(seed_of(1))
    vocoder = Flow2GAN(Flow2GANArchitecture(**SMALL), Flow2GANSampling(steps), n_mels=5, hop_length=16)
    with torch.no_grad():
        for weight in vocoder.parameters():
            fan = weight[0].numel() if weight.dim() > 1 else 0
            weight.normal_(std=fan**-0.5) if fan else weight.add_(0.1 * torch.randn_like(weight))
    return vocoder


def seeded(seed=0):
    return torch.Generator().manual_seed(seed_of(seed))


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_both_forms_are_the_network_of_the_official_code(steps):
    """In double precision, before and after what depends on weights alone is computed."""
    vocoder, mel = small(steps).double(), torch.randn(2, 5, 7, dtype=torch.float64)
    weights = {f"vocoder.{name}": value.detach() for name, value in vocoder.state_dict().items()}
    noise = 0.1 * torch.randn(2, 112, dtype=torch.float64, generator=seeded())
    sizes = {name: SMALL[name] for name in ("hops", "blocks", "encoder_blocks", "time_channels")}
    expected = flow2gan(weights, mel, noise, steps, **sizes)
    assert 0.1 < expected.std() < 10
    assert_close(vocoder(mel, seeded()), expected, factor=1024)
    for form in (vocoder, vocoder.prepare_for_inference()):
        for generate in (form.generate, form.generate_plainly):
            assert_close(generate(mel, seeded()), expected.clamp(-1, 1), factor=1024)


def test_the_last_step_arrives_at_the_estimate():
    vocoder = small(steps=3)
    calls = []

    def estimate(noisy, times, conditions):
        calls.append(float(times[0]))
        return torch.stack([torch.full_like(noisy, 0.25), torch.full_like(noisy, 0.75)], dim=1)

    vocoder.estimates = estimate
    audio = vocoder(torch.randn(1, 5, 4), seeded())
    assert_close(audio, torch.full_like(audio, 0.5), factor=8)
    assert calls == pytest.approx([0, 1 / 3, 2 / 3])


def test_the_ends_of_a_branch_as_matrices_are_its_transforms():
    ends, audio = SpectralEnds(8, 5).double(), torch.randn(2, 40, dtype=torch.float64)
    merged = MergedEnds(ends)
    assert_close(merged.analysed(audio), ends.analysed(audio), factor=64)
    signal = torch.randn(2, 5, 6, dtype=torch.float64)
    assert_close(merged.synthesised(signal), ends.synthesised(signal), factor=64)
    assert not merged.state_dict()


def test_the_ends_are_pytorchs_transforms():
    """With projections that leave spectra as they are."""
    ends, audio = SpectralEnds(8, 18).double(), torch.randn(2, 40, dtype=torch.float64)
    for layer in (ends.first, ends.last):
        torch.nn.init.dirac_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    options = {"n_fft": 16, "hop_length": 8, "window": torch.hann_window(16, dtype=torch.float64)}
    spectra = torch.stft(audio, **options, return_complex=True)
    assert_close(ends.analysed(audio), torch.cat([spectra.real, spectra.imag], dim=1), factor=64)
    changed = torch.randn(2, 18, 6, dtype=torch.float64)
    expected = torch.istft(torch.complex(changed[:, :9], changed[:, 9:]), **options)
    assert_close(ends.synthesised(changed), expected, factor=64)


def test_frames_that_are_added_after_windows_of_half_overlap():
    audio = torch.randn(1, 24)
    halves = overlap_added(0.5 * frames_of(audio, 8))
    assert_close(halves, audio, factor=8)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_condition_is_added_to_as_many_frames_as_it_stands_for(repeats):
    condition = torch.randn(2, 4, 6)
    signal = torch.randn(2, 4, 5 * repeats + 1)
    repeated = condition.repeat_interleave(repeats, dim=2)[..., : 5 * repeats + 1]
    if repeats > 1:  # the last frame stands for itself alone
        repeated[..., -1] = condition[..., -1]
    assert_close(add_repeated(signal.clone(), condition, repeats), signal + repeated, factor=4)


@pytest.mark.parametrize("frames", [1, 2, 7, 300])
def test_any_number_of_frames_gives_bounded_audio(frames):
    audio = small().prepare_for_inference().synthesize(torch.rand(1, 5, frames), seeded())
    assert audio.shape == (1, frames * 16)
    assert torch.isfinite(audio).all()
    assert audio.abs().max() <= 1


def test_a_batch_gives_the_audio_of_its_items():
    vocoder, mel = small().prepare_for_inference(), torch.rand(3, 5, 4)
    batch = vocoder.synthesize(mel, [seeded(item) for item in range(3)])
    for item in range(3):
        alone = vocoder.synthesize(mel[item : item + 1], [seeded(item)])
        assert_close(batch[item : item + 1], alone, factor=256)


def test_the_seed_decides_the_audio():
    vocoder, mel = small(), torch.rand(1, 5, 4)
    assert torch.equal(vocoder.synthesize(mel, seeded(3)), vocoder.synthesize(mel, seeded(3)))
    assert not torch.equal(vocoder.synthesize(mel, seeded(3)), vocoder.synthesize(mel, seeded(4)))


def test_the_forms_agree_under_autocast():
    vocoder, mel = small(), torch.rand(2, 5, 4)
    with torch.autocast("cpu", torch.bfloat16):
        fast, plain = vocoder.generate(mel, seeded()), vocoder.generate_plainly(mel, seeded())
    assert_close(fast, plain, factor=16, eps=BFLOAT16)


def test_the_audio_depends_on_the_time_and_on_the_mel_spectrogram():
    vocoder, noisy, mel = small(), torch.randn(1, 64), torch.rand(1, 5, 4)
    conditions = vocoder.conditions(mel)
    with torch.no_grad():
        first, second = (vocoder.estimates(noisy, torch.tensor([time]), conditions) for time in (0.0, 0.5))
        other = vocoder.estimates(noisy, torch.tensor([0.0]), vocoder.conditions(1 - mel))
    for changed in (second, other):
        assert ((changed - first).abs().mean(dim=2) > 1e-3 * first.abs().mean(dim=2)).all()


def test_gradients_reach_all_weights():
    vocoder = small()
    vocoder(torch.rand(2, 5, 4), seeded()).square().mean().backward()
    unreached = [name for name, weight in vocoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unreached == []


def test_a_checkpoint_gives_the_same_audio(tmp_path):
    system = SystemSettings(
        "flow2gan", "S", vocoder="vocoder_pareto.models.flow2gan.Flow2GAN", sampling={"steps": 2}, n_mels=5,
        architecture={name: list(each) if isinstance(each, tuple) else each for name, each in SMALL.items()},
        hop_length=16,
    )  # fmt: skip
    vocoder, mel = build_vocoder(system), torch.rand(1, 5, 3)
    vocoder.load_state_dict(small().state_dict())
    audio = vocoder.synthesize(mel, seeded())
    save_checkpoint(tmp_path / "x.ckpt", vocoder.prepare_for_inference(), system, {})
    loaded, _ = load_vocoder(tmp_path / "x.ckpt", system)
    assert_close(loaded.synthesize(mel, seeded()), audio, factor=256)


@pytest.fixture(scope="module")
def of_full_size():
    config = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"])
    systems = {system.name: system for system in systems_of({**config, "systems": "all"})}
    with torch.device("meta"):
        return {name: build_vocoder(systems[name]) for name in OFFICIAL_MACS}


@pytest.mark.parametrize("name", OFFICIAL_MACS)
def test_parameters_and_operations_are_those_of_the_official_code(name, of_full_size):
    vocoder = of_full_size[name]
    assert sum(parameter.numel() for parameter in vocoder.parameters()) == PARAMETERS
    plain = count_operations(vocoder, 625, plainly=True)
    assert plain.counters_agree
    assert plain.macs == OFFICIAL_MACS[name]


def test_the_fast_form_does_less(of_full_size):
    """By hand: what is computed once, and matrices of transforms that are narrower than spectra."""
    vocoder, frames = of_full_size["flow2gan-steps4"], 20
    fast, plain = (count_operations(vocoder, frames, plainly=plainly) for plainly in (False, True))
    assert fast.counters_agree
    saved = 0
    for hop, channels in ((256, 768), (128, 512), (64, 384)):
        there, here = frames * 256 // hop + 1, frames + 1
        condition = 2 * 3 * 512 * 512 + 8 * 512 * channels
        saved += 4 * there * condition - here * condition
        saved += 4 * (2 * 3 * 512 * 512 + 8 * 512 * channels)  # of the time
        saved += 4 * there * 2 * 2 * channels  # a matrix of 2 · hop in the place of 2 · hop + 2
    assert plain.macs - fast.macs == saved
    assert plain.macs > 1.15 * fast.macs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hops": (256, 128)}, "must have the same length"),
        ({"hops": (), "channels": ()}, "of at least 1"),
        ({"channels": (8, 0, 8)}, "must be at least 1"),
        ({"blocks": 0}, "blocks is 0; must be at least 1"),
        ({"encoder_blocks": -1}, "encoder_blocks is -1; must be at least 0"),
        ({"time_channels": 7}, "time_channels is 7; must be even"),
        ({"noise_scale": 0.0}, "noise_scale is 0.0; must be greater than 0"),
    ],
)
def test_an_inconsistent_architecture_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Flow2GANArchitecture(**options)


def test_hops_that_are_no_part_of_a_frame_and_no_steps_are_refused():
    with pytest.raises(ValueError, match=r"hops are \[256, 128, 64\]; each must be a part of hop_length, 300"):
        Flow2GAN(Flow2GANArchitecture(), hop_length=300)
    with pytest.raises(ValueError, match="steps is 0; must be at least 1"):
        Flow2GANSampling(0)


def test_the_encoded_mel_spectrogram_ends_in_zeros_under_the_last_frame():
    """Whatever the mel-spectrogram is."""
    vocoder = small()
    encoded = vocoder.encoder(torch.rand(1, 5, 3))
    expected = vocoder.branches[0].conditions(functional.pad(encoded, (0, 1)))
    for found, other in zip(vocoder.conditions(torch.rand(1, 5, 3))[0], expected, strict=True):
        assert_close(found[..., -1], other[..., -1], factor=16)
