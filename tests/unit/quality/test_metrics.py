import importlib.util
import math
import sys
import types
from pathlib import Path

import auraloss
import librosa
import numpy as np
import pystoi
import pytest
import pyworld
import torch
from seeds import seed_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.quality import reconstruction
from vocoder_pareto.quality import speech as speech_metrics
from vocoder_pareto.quality.measure import values_of
from vocoder_pareto.quality.metrics import METRICS, UndefinedMetric, metrics_named

RATE = 16000
INSTALLED = [metric for metric in METRICS if metric.name != "pesq_wb" or importlib.util.find_spec("pesq")]


def by_name(metrics):
    return [pytest.param(metric, id=metric.name) for metric in metrics]


@pytest.mark.parametrize("metric", by_name(INSTALLED))
def test_identical_signals_give_the_perfect_value(metric, speech):
    assert metric.measure(speech, speech.copy(), RATE) == pytest.approx(metric.perfect, abs=0.005)


@pytest.mark.parametrize("metric", by_name(INSTALLED))
def test_noise_makes_every_metric_worse_within_its_range(metric, speech, noisy_speech):
    value = metric.measure(speech, noisy_speech, RATE)
    assert metric.lowest <= value <= metric.highest
    assert value > metric.perfect if metric.better == "lower" else value < metric.perfect


@pytest.mark.parametrize("metric", by_name(INSTALLED))
def test_equal_input_gives_equal_values(metric, speech, noisy_speech):
    assert metric.measure(speech, noisy_speech, RATE) == metric.measure(speech, noisy_speech, RATE)


@pytest.mark.parametrize("silent", ["reference", "estimate", "both"])
def test_silence_gives_a_value_or_a_named_reason_for_every_metric(silent, speech):
    silence = np.zeros_like(speech)
    reference = speech if silent == "estimate" else silence
    estimate = speech if silent == "reference" else silence
    values, failures = values_of(METRICS, reference, estimate, RATE)
    assert set(values) | set(failures) == {metric.name for metric in METRICS}
    assert all(math.isfinite(value) for value in values.values())
    assert all(failures.values())
    if silent == "estimate":  # the vocoder's own fault, which its means show
        assert {"d_stft", "log_mel_distance", "mcd", "vuv_error", "mr_stft"} <= set(values)
    else:
        assert values == {}


@pytest.mark.parametrize("samples", [1, 100, 3000])
def test_clips_that_are_too_short_give_a_value_or_a_named_reason(samples, speech, noisy_speech):
    values, failures = values_of(METRICS, speech[-samples:], noisy_speech[-samples:], RATE)
    assert set(values) | set(failures) == {metric.name for metric in METRICS}
    assert ("shorter" if samples > 1 else "reference is constant") in failures["estoi"]


def test_a_metric_that_gives_nan_becomes_a_named_failure(speech):
    broken = METRICS[0].__class__("broken", "", "lower", 0, 1, 0, "", "a package", "", lambda *_: math.nan)
    assert values_of([broken], speech, speech, RATE) == ({}, {"broken": "a package gave NaN"})


def test_si_sdr_equals_its_definition(speech, noisy_speech):
    reference, estimate = speech - speech.mean(dtype=float), noisy_speech - noisy_speech.mean(dtype=float)
    target = reference * (estimate @ reference) / (reference @ reference)
    expected = 10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target)))
    assert reconstruction.si_sdr(speech, noisy_speech, 16000) == pytest.approx(expected, abs=1e-4)


def test_si_sdr_ignores_scale_and_never_ranks(speech, noisy_speech):
    assert reconstruction.si_sdr(speech, 0.5 * noisy_speech, 16000) == pytest.approx(
        reconstruction.si_sdr(speech, noisy_speech, 16000), abs=1e-5
    )
    assert [metric.name for metric in METRICS if not metric.ranks] == ["si_sdr"]


def test_log_mel_distance_equals_the_one_of_librosa_spectra(speech, noisy_speech):
    def log_mel(signal):
        options = {"sr": RATE, "n_fft": 2048, "hop_length": 256, "n_mels": 80, "pad_mode": "reflect"}
        power = librosa.feature.melspectrogram(y=signal.astype(float), **options)
        return np.log1p(power[:, : len(signal) // 256])

    expected = np.mean(np.abs(log_mel(speech) - log_mel(noisy_speech)))
    assert reconstruction.log_mel_distance(speech, noisy_speech, RATE) == pytest.approx(expected, rel=1e-5)


def test_multi_resolution_stft_compares_the_estimate_with_the_reference_not_the_reverse(speech, noisy_speech):
    # Spectral convergence divides by the reference, so the order of the two matters.
    loss = auraloss.freq.MultiResolutionSTFTLoss()
    pair = [torch.from_numpy(signal.astype(float))[None, None] for signal in (noisy_speech, speech)]
    assert reconstruction.multi_resolution_stft(speech, noisy_speech, 16000) == pytest.approx(loss(*pair).item())
    assert reconstruction.multi_resolution_stft(noisy_speech, speech, 16000) != pytest.approx(loss(*pair).item())


UNHEARD = {
    "digital silence": np.zeros(16384, np.float32),
    "constant": np.full(16384, 0.2, np.float32),
    "next to no sound": np.random.default_rng(seed_of(0)).normal(scale=1e-4, size=16384).astype(np.float32),
}


@pytest.mark.parametrize("kind", UNHEARD)
def test_nothing_is_compared_with_silence_and_no_ratio_with_next_to_no_sound(speech, noisy_speech, kind):
    """By auraloss, speech is over ten times as far from next to no sound as from noisy speech: such a mean is lost."""
    values, failures = values_of(METRICS, UNHEARD[kind], speech, RATE)
    if kind == "next to no sound":
        for name in ("mr_stft", "si_sdr"):
            assert failures[name] == f"reference has too little sound: {kind}"
        assert {"d_stft", "log_mel_distance"} <= set(values)
    else:
        assert values == {}
        assert set(failures.values()) == {f"reference is {kind}"}
    loss = auraloss.freq.MultiResolutionSTFTLoss()
    far, near = (
        loss(*(torch.from_numpy(signal.astype(float))[None, None] for signal in (speech, reference))).item()
        for reference in (UNHEARD[kind], noisy_speech)
    )
    assert far > 10 * near or kind == "constant"


def test_a_clip_that_is_mostly_padding_has_its_values(speech):
    padded = np.where(np.arange(16384) < 7000, speech, 0).astype(np.float32)
    values, _ = values_of(METRICS, padded, 0.5 * padded, RATE)
    assert {"mr_stft", "si_sdr"} <= set(values)


def test_estoi_is_the_extended_measure_of_pystoi(speech, noisy_speech):
    assert speech_metrics.estoi(speech, noisy_speech, RATE) == pytest.approx(
        pystoi.stoi(speech, noisy_speech, RATE, extended=True), abs=1e-9
    )


def test_estoi_leaves_the_global_random_generator_as_it_was(speech, noisy_speech):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    speech_metrics.estoi(speech, noisy_speech, RATE)
    assert np.random.random() == expected


def tone(frequency: float) -> np.ndarray:
    times = np.arange(16384) / RATE
    return sum(0.2 / k * np.sin(2 * np.pi * k * frequency * times) for k in range(1, 8))


def test_f0_rmse_of_tones_a_semitone_apart_is_100_cents():
    assert speech_metrics.f0_rmse(tone(150.0), tone(150.0 * 2 ** (1 / 12)), RATE) == pytest.approx(100, abs=2)


def test_voicing_error_of_a_tone_that_stops_halfway_is_one_half():
    stopped = tone(150.0)
    stopped[8192:] = 0
    assert speech_metrics.voicing_error(tone(150.0), stopped, RATE) == pytest.approx(0.5, abs=0.05)


def test_pitch_is_the_one_of_world(speech, noisy_speech):
    tracks = []
    for signal in (speech.astype(float), noisy_speech.astype(float)):
        raw, times = pyworld.dio(signal, RATE)
        tracks.append(pyworld.stonemask(signal, raw, times, RATE))
    both = (tracks[0] > 0) & (tracks[1] > 0)
    expected = np.sqrt(np.mean((1200 * np.log2(tracks[0][both] / tracks[1][both])) ** 2))
    assert speech_metrics.f0_rmse(speech, noisy_speech, RATE) == pytest.approx(expected)


def test_mel_cepstral_distortion_ignores_gain_well_above_the_quantisation_floor(speech, noisy_speech):
    louder = speech_metrics.mel_cepstral_distortion(speech, 2 * noisy_speech, RATE)
    assert louder == pytest.approx(speech_metrics.mel_cepstral_distortion(speech, noisy_speech, RATE), rel=0.02)


def test_pesq_without_its_package_is_a_named_failure(monkeypatch, speech):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UndefinedMetric, match="pesq is not installed"):
        speech_metrics.pesq_wideband(speech, speech, RATE)


@pytest.fixture
def stand_in_for_pesq(monkeypatch):
    """A module with pesq's interface, since the real one needs a compiler."""
    module = types.ModuleType("pesq")
    module.PesqError = type("PesqError", (RuntimeError,), {})
    module.calls = []

    def pesq(rate, reference, estimate, mode):
        module.calls.append((rate, mode))
        if not np.any(reference):
            raise module.PesqError(b"No utterances detected")
        return 3.5

    module.pesq = pesq
    monkeypatch.setitem(sys.modules, "pesq", module)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: module)
    return module


def test_pesq_is_asked_for_wide_band(stand_in_for_pesq, speech):
    assert speech_metrics.pesq_wideband(speech, speech, RATE) == 3.5
    assert stand_in_for_pesq.calls == [(RATE, "wb")]


def test_pesq_that_finds_no_speech_is_a_named_failure(stand_in_for_pesq, speech):
    with pytest.raises(UndefinedMetric, match="No utterances detected"):
        speech_metrics.pesq_wideband(np.zeros_like(speech), speech, RATE)


def test_pesq_at_another_sample_rate_is_a_named_failure(stand_in_for_pesq, speech):
    with pytest.raises(UndefinedMetric, match="not at 22050"):
        speech_metrics.pesq_wideband(speech, speech, 22050)


def test_unknown_metrics_are_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"quality\.metrics: 'pesk' is unknown; allowed: d_stft, mr_stft"):
        metrics_named(["estoi", "pesk"])


def test_d_stft_comes_first_and_is_always_measured():
    assert [metric.name for metric in metrics_named(["si_sdr", "estoi", "estoi"])] == ["d_stft", "estoi", "si_sdr"]
    assert [metric.name for metric in metrics_named([])] == ["d_stft"]


def test_the_documented_table_is_the_one_of_the_code():
    def number(value):
        return f"{value:g}".replace("inf", "∞")

    documented = (Path(__file__).resolve().parents[3] / "docs" / "listening_test.md").read_text()
    for metric in METRICS:
        cells = [f"`{metric.name}`", metric.better, f"{number(metric.lowest)} to {number(metric.highest)}",
                 number(metric.perfect), metric.unit, metric.package, metric.source]  # fmt: skip
        assert "| " + " | ".join(cells).replace("|  |", "| |") + " |" in documented
