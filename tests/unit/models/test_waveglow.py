"""What is WaveGlow's alone; what it shares with WaveFlow is in `test_flow_vocoders.py`."""

import math

import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from small_flows import audio_and_mel, trained_like

from vocoder_pareto.models.flow import to_rows
from vocoder_pareto.models.waveglow import InvertibleConvolution, WaveGlow, WaveGlowArchitecture


@pytest.mark.parametrize("channels", [2, 4, 6, 8])
@pytest.mark.parametrize("seed", range(4))
@torch.no_grad()
def test_mixing_starts_as_a_rotation(channels, seed):
    torch.manual_seed(seed_of(seed))
    mixing = InvertibleConvolution(channels)
    matrix = mixing.convolution.weight[..., 0]
    assert_close(matrix @ matrix.T, torch.eye(channels), factor=16)
    assert_close(torch.linalg.det(matrix), torch.tensor(1.0), factor=16)
    _, log_determinant = mixing(torch.randn(1, channels, 100))
    assert_close((log_determinant / 100).exp(), torch.tensor(1.0), factor=16)


@torch.no_grad()
def test_the_log_determinant_of_mixing_counts_every_column():
    mixing = InvertibleConvolution(4)
    mixing.convolution.weight.mul_(2)  # every sample twice as large
    assert_close(mixing(torch.randn(3, 4, 7))[1], torch.tensor(4 * 7 * math.log(2)), factor=16)


@torch.no_grad()
def test_the_kept_inverse_is_the_inverse():
    mixing = InvertibleConvolution(6)
    mixing.convolution.weight.add_(0.2 * torch.randn(6, 6, 1))
    signal = torch.randn(2, 6, 9)
    mixed, _ = mixing(signal)
    assert_close(mixing.invert(mixed), signal, factor=16)
    mixing.keep_inverse()
    assert_close(mixing.invert(mixed), signal, factor=16)
    assert list(mixing.state_dict()) == ["convolution.weight"]


def test_two_channels_leave_after_every_four_flows():
    architecture = WaveGlowArchitecture()
    assert [architecture.channels_of_flow(flow) for flow in range(12)] == [8] * 4 + [6] * 4 + [4] * 4
    assert [flow for flow in range(12) if architecture.leaves_early(flow)] == [4, 8]


@torch.no_grad()
def test_early_channels_of_the_latent_are_those_that_later_flows_do_not_see():
    """A change of a late flow leaves the early rows as they are, one of the first flow does not."""
    vocoder = trained_like(lambda: WaveGlow(WaveGlowArchitecture(channels=8)))
    audio, mel = audio_and_mel(vocoder)
    before = to_rows(vocoder.encode(audio, mel).latent, 8)
    vocoder.flows[4].network.end.bias.add_(1)
    after = to_rows(vocoder.encode(audio, mel).latent, 8)
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.isclose(before[:, 2:4], after[:, 2:4]).all()
    vocoder.flows[0].network.end.bias.add_(1)
    assert not torch.isclose(after[:, :2], to_rows(vocoder.encode(audio, mel).latent, 8)[:, :2]).all()


@torch.no_grad()
def test_a_coupling_scales_and_shifts_the_second_half_by_what_the_first_half_gives():
    flow = trained_like(lambda: WaveGlow(WaveGlowArchitecture(channels=8))).flows[0]
    signal, mel = torch.randn(1, 8, 5), torch.rand(1, 640, 5)
    mixed, _ = flow.mixing(signal)
    log_sigma, mu = flow.network(mixed[:, :4], mel)
    latent, _ = flow(signal, mel)
    assert torch.equal(latent[:, :4], mixed[:, :4])
    assert_close(latent[:, 4:], mixed[:, 4:] * log_sigma.exp() + mu, factor=16)


@torch.no_grad()
def test_the_upsampled_mel_is_centred_on_its_frame():
    """The transposed convolution spreads a frame equally to both sides of its samples."""
    vocoder = WaveGlow(WaveGlowArchitecture(channels=8))
    vocoder.upsampler.weight.fill_(1)
    vocoder.upsampler.bias.zero_()
    mel = torch.zeros(1, 80, 9)
    mel[:, :, 4] = 1
    reached = vocoder.upsampler(mel)[0, 0].nonzero().flatten()
    assert (reached.min().item(), reached.max().item()) == (4 * 256 - 384, 5 * 256 + 384 - 1)


def test_the_upsampled_mel_may_begin_with_its_frame_as_in_the_authors_code():
    """Frame l with kernel w: y[256 l + i] += w[i] · mel[l], and what lies beyond the last frame is left out."""
    vocoder = WaveGlow(WaveGlowArchitecture(flows=1, channels=2, layers=1, upsample_cut="end"), n_mels=2)
    mel, kernel = torch.rand(1, 2, 7), vocoder.upsampler.weight.detach()
    expected = vocoder.upsampler.bias.detach()[:, None].repeat(1, 7 * 256 + 1024)
    for frame in range(7):
        expected[:, 256 * frame : 256 * frame + 1024] += torch.einsum("ioj,i->oj", kernel, mel[0, :, frame])
    rows = vocoder._squeezed_mel(mel).unflatten(1, (2, 8))[0]  # (M, h, w)
    assert_close(rows.transpose(1, 2).flatten(1), expected[:, : 7 * 256], factor=16)
    latent = torch.randn(1, 20 * 256)
    mel = torch.rand(1, 2, 20)
    assert_close(vocoder.decode_in_chunks(latent, mel, 3), vocoder.decode(latent, mel), factor=64)


@torch.no_grad()
def test_bands_that_are_upsampled_each_by_itself_are_mixed_by_a_matrix_without_other_weights():
    """The full transposed convolution, with zeros off its diagonal."""
    grouped = WaveGlow(WaveGlowArchitecture(flows=1, channels=2, layers=1, upsample_groups=4), n_mels=4)
    full = WaveGlow(WaveGlowArchitecture(flows=1, channels=2, layers=1), n_mels=4)
    assert grouped.upsampler.weight.numel() == full.upsampler.weight.numel() // 4
    full.upsampler.weight.zero_()
    full.upsampler.bias.copy_(grouped.upsampler.bias)
    for band in range(4):
        full.upsampler.weight[band, band] = grouped.upsampler.weight[band, 0]
    mel = torch.rand(1, 4, 7)
    assert_close(grouped._squeezed_mel(mel), full._squeezed_mel(mel), factor=16)


def test_its_latent_is_narrower_at_generation_as_in_the_paper():
    assert WaveGlow(WaveGlowArchitecture(channels=8)).sampling.sigma == 0.6


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: WaveGlow(WaveGlowArchitecture(channels=8), hop_length=100), "groups is 8; it must divide hop_length"),
        (lambda: WaveGlow(WaveGlowArchitecture(upsample_kernel=255)), "upsample_kernel is 255"),
        (lambda: WaveGlow(WaveGlowArchitecture(upsample_kernel=257)), "by an even number"),
        (lambda: WaveGlow(WaveGlowArchitecture(upsample_groups=3)), "upsample_groups is 3; it must divide n_mels, 80"),
        (lambda: WaveGlowArchitecture(groups=7), r"groups \(7\) and early_channels \(2\) must be even"),
        (lambda: WaveGlowArchitecture(flows=17), "8 groups leave no channels to the last flow"),
        (lambda: WaveGlowArchitecture(kernel_size=2), "kernel_size is 2; must be odd"),
        (lambda: WaveGlowArchitecture(channels=0), "must be at least 1"),
    ],
)
def test_an_inconsistent_architecture_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
