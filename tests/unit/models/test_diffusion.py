"""Noise schedules, the reverse process, and what WaveGrad and DiffWave have in common."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from calm import calm
from closeness import assert_close
from seeds import seed_of

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.checkpoint import load_vocoder, save_checkpoint
from vocoder_pareto.models.diffusion import LARGEST_NOISE, NoiseSchedule
from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture, DiffWaveSampling
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture, WaveGradSampling
from vocoder_pareto.study.systems import SystemSettings

SCHEDULES = {
    "WaveGrad's": NoiseSchedule.linear(1e-4, 0.05, 50),
    "WaveGrad's of the study": NoiseSchedule.linear(1e-6, 1e-2, 50),
    "DiffWave's": NoiseSchedule(DiffWaveSampling().betas),
    "of one step": NoiseSchedule((0.3,)),
}
SMALL = {
    "wavegrad": lambda: WaveGrad(
        WaveGradArchitecture((8, 8, 8, 6, 4, 4), (2, 4, 4, 6, 8), blocks_per_stage=2), WaveGradSampling(steps=3)
    ),
    "diffwave": lambda: DiffWave(
        DiffWaveArchitecture(residual_layers=4, residual_channels=6, dilation_cycle=3), DiffWaveSampling((1e-4, 0.1))
    ),
}
FULL_SIZE = {
    "wavegrad": lambda: WaveGrad(
        WaveGradArchitecture((256, 256, 256, 128, 64, 64), (32, 64, 64, 128, 256)), WaveGradSampling(steps=2)
    ),
    "diffwave": lambda: DiffWave(DiffWaveArchitecture(residual_channels=128)),
}
families = pytest.mark.parametrize("family", SMALL)
schedules = pytest.mark.parametrize("name", SCHEDULES)
BFLOAT16 = torch.finfo(torch.bfloat16).eps


@pytest.fixture
def small(family):
    torch.manual_seed(seed_of(1))
    return calm(SMALL[family]())


def seeded(seed=0):
    return torch.Generator().manual_seed(seed_of(seed))


def test_a_linear_schedule_is_numpys():
    np.testing.assert_allclose(NoiseSchedule.linear(1e-4, 0.05, 50).betas, np.linspace(1e-4, 0.05, 50), rtol=1e-12)
    assert NoiseSchedule.linear(0.1, 0.2, 1).betas == (0.1,)


@schedules
def test_the_share_of_the_signal_is_the_product_of_all_steps(name):
    schedule = SCHEDULES[name]
    products = np.concatenate([[1.0], np.cumprod(1 - np.array(schedule.betas))])
    np.testing.assert_allclose(schedule.alpha_bars, products, rtol=1e-12)
    np.testing.assert_allclose(schedule.signal_scales, np.sqrt(products), rtol=1e-12)


@schedules
def test_the_posterior_variance_is_that_of_two_gaussians_multiplied(name):
    """Bayes: the precision of y_{n−1} is that of q(y_n | y_{n−1}), α_n / β_n, plus that of q(y_{n−1} | y_0)."""
    schedule = SCHEDULES[name]
    for step in range(2, schedule.steps + 1):
        beta = schedule.betas[step - 1]
        precision = (1 - beta) / beta + 1 / (1 - np.prod(1 - np.array(schedule.betas[: step - 1])))
        assert schedule.posterior_variance(step) == pytest.approx(1 / precision, rel=1e-6)
    assert schedule.posterior_variance(1) == 0


def test_a_schedule_of_two_steps_by_hand():
    schedule = NoiseSchedule((0.1, 0.5))
    assert schedule.alpha_bars == pytest.approx((1, 0.9, 0.45))
    assert schedule.posterior_variance(2) == pytest.approx(0.1 / 0.55 * 0.5)


@pytest.mark.parametrize("betas", [(), (0.0,), (0.1, 1.0), (-0.1,), (float("nan"),)])
def test_an_impossible_schedule_is_refused(betas):
    with pytest.raises(ValueError, match="between 0 and 1"):
        NoiseSchedule(betas)
    with pytest.raises(ValueError, match="at least 1"):
        NoiseSchedule.linear(0.1, 0.2, 0)


def test_generation_noisier_than_training_is_refused():
    """WaveGrad's training ends at √ᾱ = 0.0814; a second way to that number is the exponential of the mean of log."""
    assert np.exp(np.log1p(-np.linspace(1e-6, 0.01, 1000)).sum() / 2) == pytest.approx(0.0814, abs=1e-4)
    small = WaveGradArchitecture((4,) * 6, (2,) * 5)
    WaveGrad(small, WaveGradSampling(1e-6, 0.01, 1000))
    with pytest.raises(ValueError, match=r"ends at √ᾱ = 0\.0\d+, noisier than that of training, 0\.0814; lower"):
        WaveGrad(small, WaveGradSampling(1e-6, 0.011, 1000))
    with pytest.raises(ValueError, match=r"noisier than that of training, 0\.5288"):
        DiffWave(DiffWaveArchitecture(), DiffWaveSampling((0.5, 0.9)))


@pytest.mark.parametrize(
    ("build", "end"),
    [
        (lambda: WaveGrad(WaveGradArchitecture((4,) * 6, (2,) * 5), WaveGradSampling(1e-6, 0.01, 50)), "0.88"),
        (lambda: DiffWave(DiffWaveArchitecture(residual_layers=1), DiffWaveSampling((1e-4, 0.1))), "0.95"),
    ],
    ids=["wavegrad", "diffwave"],
)
def test_generation_that_begins_too_clean_is_warned_of(build, end, caplog):
    """The study's schedule of WaveGrad, among others: the network is told noise of 0.47 and given 1."""
    build()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"ends too clean, at √ᾱ = {end}" in record.getMessage()


def test_the_papers_schedules_are_not_warned_of(caplog):
    WaveGrad(WaveGradArchitecture((4,) * 6, (2,) * 5))
    for betas in (DiffWaveSampling().betas, tuple(np.linspace(1e-4, 0.05, 50))):  # both of DiffWave's
        DiffWave(DiffWaveArchitecture(residual_layers=1, residual_channels=2), DiffWaveSampling(betas))
    assert not caplog.records


def oracle(schedule, clean):
    """The noise that turned `clean` into what the reverse process holds."""
    return lambda noisy, step: (noisy - schedule.signal_scales[step] * clean) / np.sqrt(1 - schedule.alpha_bars[step])


@schedules
def test_a_perfect_prediction_recovers_the_clean_signal(name):
    schedule, clean = SCHEDULES[name], torch.rand(2, 500, dtype=torch.float64, generator=seeded()) * 2 - 1
    generator = seeded(1)

    def draw():
        return torch.randn(2, 500, dtype=torch.float64, generator=generator)

    recovered = schedule.denoised(draw(), oracle(schedule, clean), draw)
    # The first levels hold next to no noise: √(1 − ᾱ) is 0.001, and to divide by it multiplies the errors.
    assert_close(recovered, clean, factor=4096)


@schedules
def test_every_state_of_the_reverse_process_has_the_noise_of_its_step(name):
    """Started at its last state, the process repeats the forward one: too little noise between steps would show."""
    schedule, clean, generator = SCHEDULES[name], 0.5, seeded(2)
    deviations = {}
    predict = oracle(schedule, clean)

    def draw():
        return torch.randn(1, 100_000, dtype=torch.float64, generator=generator)

    def watched(noisy, step):
        deviations[step] = float((noisy - schedule.signal_scales[step] * clean).std())
        return predict(noisy, step)

    last = schedule.steps
    start = schedule.signal_scales[last] * clean + np.sqrt(1 - schedule.alpha_bars[last]) * draw()
    schedule.denoised(start, watched, draw)
    assert sorted(deviations) == list(range(1, last + 1))
    for step, deviation in deviations.items():
        assert deviation == pytest.approx(np.sqrt(1 - schedule.alpha_bars[step]), rel=0.02)


@schedules
def test_the_reverse_process_is_algorithm_2(name):
    """The papers' lines, written down again: noise while n > 1, none after the last step."""
    betas = np.array(SCHEDULES[name].betas)
    draws = np.random.default_rng(seed_of(0)).standard_normal((len(betas), 1, 20))
    alphas, bars = 1 - betas, np.cumprod(1 - betas)
    expected = draws[0]
    for n in range(len(betas), 0, -1):
        predicted = 0.3 * expected + 0.01 * n
        mean = (expected - (1 - alphas[n - 1]) / np.sqrt(1 - bars[n - 1]) * predicted) / np.sqrt(alphas[n - 1])
        expected = mean
        if n > 1:
            expected = mean + np.sqrt((1 - bars[n - 2]) / (1 - bars[n - 1]) * betas[n - 1]) * draws[len(betas) + 1 - n]

    queue = [torch.tensor(draw) for draw in draws]
    given = SCHEDULES[name].denoised(queue.pop(0), lambda y, n: 0.3 * y + 0.01 * n, lambda: queue.pop(0))
    assert_close(given, expected, factor=4096)  # divided by √(1 − ᾱ), 0.001 at the first level
    assert not queue


def test_a_network_that_runs_away_ends_finite():
    schedule = SCHEDULES["WaveGrad's"]
    ended = schedule.denoised(torch.randn(1, 50), lambda noisy, step: -1e4 * noisy**3, lambda: torch.randn(1, 50))
    assert ended.abs().max() <= 1 + LARGEST_NOISE


@families
@pytest.mark.parametrize("way", ["generate", "generate_plainly"])
def test_a_network_that_learned_scaled_audio_gives_audio_of_its_own_loudness(family, way, monkeypatch):
    """An oracle that knows 5 times the audio, louder than any sample of [−1, 1], gives back the audio."""
    vocoder = SMALL[family]()
    architecture = dataclasses.replace(vocoder.architecture, audio_scale=5.0)
    vocoder = type(vocoder)(architecture, vocoder.sampling)
    audio = torch.rand(1, 512, generator=seeded()) * 2 - 1
    knows = oracle(vocoder.schedule, 5 * audio)
    steps = {level: step for step, level in enumerate(vocoder.noise_levels, start=1)}
    monkeypatch.setattr(vocoder, "noise_predictor", lambda mel: knows)
    monkeypatch.setattr(vocoder, "predict_noise", lambda noisy, level, mel: knows(noisy, steps[float(level[0])]))
    given = getattr(vocoder, way)(torch.rand(1, 80, 2), seeded())
    assert_close(given, audio, factor=4096)


@families
@pytest.mark.parametrize("scale", [0, -1.0, float("inf"), float("nan")])
def test_audio_of_no_loudness_is_refused(family, scale):
    with pytest.raises(ValueError, match=r"audio_scale is .*; must be more than 0"):
        type(SMALL[family]())(dataclasses.replace(SMALL[family]().architecture, audio_scale=scale))


@pytest.mark.parametrize("family", FULL_SIZE)
def test_the_fast_form_equals_the_plain_form_at_full_size(family):
    vocoder, mel, noisy = calm(FULL_SIZE[family]()).requires_grad_(False), torch.rand(1, 80, 2), torch.randn(1, 512)
    predict = vocoder.noise_predictor(mel)
    for step, level in enumerate(vocoder.noise_levels, start=1):
        plain = vocoder.predict_noise(noisy, torch.tensor([level], dtype=torch.float64), mel)
        assert_close(predict(noisy, step), plain, factor=256)
    fast, plain = vocoder.generate(mel, seeded()), vocoder.generate_plainly(mel, seeded())
    assert_close(fast, plain, factor=256)
    assert (fast.abs() < 1).float().mean() > 0.2  # the comparison is not of clipped samples alone


@families
def test_the_fast_form_equals_the_plain_form_in_a_batch(small):
    mel = torch.rand(3, 80, 5)
    plain = small.generate_plainly(mel, seeded())
    assert_close(small.generate(mel, seeded()), plain, factor=256)
    small.prepare_for_inference()
    assert_close(small.synthesize(mel, seeded()), plain, factor=256)
    assert_close(small.generate_plainly(mel, seeded()), plain, factor=256)


@families
def test_the_forms_agree_under_autocast(small):
    mel = torch.rand(2, 80, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert_close(small.generate(mel, seeded()), small.generate_plainly(mel, seeded()), factor=16, eps=BFLOAT16)


@families
def test_the_seed_decides_the_audio(small):
    mel = torch.rand(2, 80, 3)
    assert torch.equal(small.synthesize(mel, seeded(3)), small.synthesize(mel, seeded(3)))
    assert not torch.equal(small.synthesize(mel, seeded(3)), small.synthesize(mel, seeded(4)))


@families
def test_a_batch_gives_the_audio_of_its_items(small):
    mel = torch.rand(3, 80, 4)
    batch = small.synthesize(mel, [seeded(item) for item in range(3)])
    for item in range(3):
        alone = small.synthesize(mel[item : item + 1], [seeded(item)])
        assert_close(batch[item : item + 1], alone, factor=256)


@families
@pytest.mark.parametrize("frames", [1, 2, 7, 625])  # up to 10 s
def test_any_number_of_frames_gives_bounded_audio(small, frames):
    audio = small.synthesize(torch.rand(1, 80, frames), seeded())
    assert audio.shape == (1, frames * 256)
    assert torch.isfinite(audio).all()
    assert audio.abs().max() <= 1


@families
@pytest.mark.parametrize(
    ("mel", "message"),
    [
        (torch.zeros(1, 79, 4), r"expected \(batch, 80, frames\)"),
        (torch.zeros(0, 80, 4), "at least 1"),
        (torch.zeros(1, 80, 0), "at least 1"),
        (torch.full((1, 80, 4), float("nan")), "NaN"),
        (torch.zeros(1, 80, 4, dtype=torch.float64), "float64"),
    ],
    ids=["bands", "batch", "frames", "nan", "type"],
)
def test_a_wrong_mel_spectrogram_is_refused(small, mel, message):
    with pytest.raises(ValueError, match=message):
        small.synthesize(mel)


@families
def test_gradients_reach_all_weights_and_an_update_changes_them(small):
    before = copy.deepcopy(small.state_dict())
    optimizer = torch.optim.SGD(small.parameters(), 0.1)
    level = torch.tensor([0.9, 0.8] if isinstance(small, WaveGrad) else [3, 40])
    small.predict_noise(torch.randn(2, 1024), level, torch.rand(2, 80, 4)).abs().mean().backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    optimizer.step()
    assert not any(torch.equal(before[name], value) for name, value in small.named_parameters())


@families
def test_the_prediction_depends_on_noise_level_and_mel_spectrogram(small):
    noisy, mel = torch.randn(1, 1024), torch.rand(1, 80, 4)
    levels = [0.9, 0.7] if isinstance(small, WaveGrad) else [3, 40]
    with torch.no_grad():
        first, second = (small.predict_noise(noisy, torch.tensor([level]), mel) for level in levels)
        other = small.predict_noise(noisy, torch.tensor(levels[:1]), 1 - mel)
    assert (first - second).abs().mean() > 1e-4 * first.abs().mean()
    assert (first - other).abs().mean() > 1e-4 * first.abs().mean()  # the mel counts for little in a fresh DiffWave


@families
def test_both_counters_agree_on_both_forms_and_the_fast_one_does_less(small):
    small.prepare_for_inference()
    assert count_operations(small, 4).macs < count_operations(small, 4, plainly=True).macs


@pytest.mark.parametrize(
    "system",
    [
        SystemSettings(
            "wavegrad", "S", vocoder="vocoder_pareto.models.wavegrad.WaveGrad", sampling={"steps": 2},
            architecture={"up_channels": [8, 8, 8, 4, 4, 4], "down_channels": [2, 4, 4, 4, 8]},
        ),
        SystemSettings(
            "diffwave", "S", vocoder="vocoder_pareto.models.diffwave.DiffWave", sampling={"betas": [0.001, 0.1]},
            architecture={"residual_layers": 3, "residual_channels": 4},
        ),
    ],
    ids=lambda system: system.model,
)  # fmt: skip
def test_a_checkpoint_gives_the_same_audio(system, tmp_path):
    vocoder, mel = calm(build_vocoder(system)), torch.rand(1, 80, 3)
    audio = vocoder.synthesize(mel, seeded())
    save_checkpoint(tmp_path / "x.ckpt", vocoder.prepare_for_inference(), system, {})
    loaded, _ = load_vocoder(tmp_path / "x.ckpt", system)
    assert_close(loaded.synthesize(mel, seeded()), audio, factor=256)
