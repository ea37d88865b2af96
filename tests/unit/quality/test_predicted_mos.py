"""Predicted MOS: ladders that are what they say, a trial that refuses, and intervals that hold.

Stand-ins with known scores take the predictor's place. The real one is tried where it is installed.
"""

import json
import subprocess
import warnings

import numpy as np
import pytest
import soxr
import torch
from scipy import stats
from seeds import seed_of

from vocoder_pareto.audio.espeak import SAMPLE_RATE, synthesize_speech
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.errors import UserError
from vocoder_pareto.quality.ladders import LADDERS, Ladder, inverted, low_passed, with_noise
from vocoder_pareto.quality.loading import WORDS, loader_of
from vocoder_pareto.quality.predicted_mos import half_width, predict_mos
from vocoder_pareto.quality.predictor_trial import refusal, try_predictor
from vocoder_pareto.quality.predictors import DISTILLMOS, PredictorMissing, distillmos
from vocoder_pareto.quality.utmos import utmos
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings
from vocoder_pareto.tables.sources import PREDICTED, PREDICTED_BY_UTMOS

RATE = 16000
# Of the real ladders, but nothing becomes worse: what they do to a recording is tested by itself.
UNCHANGED = [
    Ladder(ladder.name, [(name, lambda samples, rate, generator: samples) for name, _ in ladder.steps])
    for ladder in LADDERS
]
STEPS = [len(ladder.steps) for ladder in LADDERS]
SENTENCES = (
    "The quick brown fox jumps over the lazy dog, and the dog sleeps on in the warm sun of the afternoon.",
    "A predictor of opinion scores hears what nobody has rated, and says at once how good people will find it.",
)


def recordings(folder, *samples):
    manifest = folder / "ground_truth" / "manifest.csv"
    write_audio_set(manifest, [f"clip{index}" for index in range(len(samples))], samples, RATE, [None] * len(samples))
    return manifest


def noise(seconds, seed=0):
    return np.random.default_rng(seed_of(seed)).uniform(-0.5, 0.5, int(seconds * RATE))


def predictor_of(scores):
    """A predictor that gives `scores` one after the other, whatever it hears."""
    left = iter(scores)
    return lambda: lambda samples: next(left)


def trial(folder, scores, *samples, **settings):
    output = folder / "trial.json"
    manifest = recordings(folder, *(samples or [noise(8)]))
    try_predictor(manifest, PredictedMosSettings(**settings), 0, output, predictor_of(scores), UNCHANGED)
    return json.loads(output.read_text())


# Ladders


@pytest.mark.parametrize("decibels", [20, 10, 0])
def test_noise_is_as_far_below_the_recording_as_its_step_says(decibels):
    samples = noise(4).astype(np.float32)
    added = with_noise(decibels)(samples, RATE, np.random.default_rng(seed_of(2))) - samples
    ratio = 10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(added.astype(float) ** 2))
    assert ratio == pytest.approx(decibels, abs=0.1)


@pytest.mark.parametrize("hertz", [4000, 2000, 1000])
def test_a_low_pass_keeps_the_tone_below_and_takes_the_one_above(hertz):
    time = np.arange(2 * RATE) / RATE
    for frequency, kept in ((hertz / 2, 1.0), (hertz * 1.5, 0.0)):
        tone = np.sin(2 * np.pi * frequency * time)
        inner = slice(RATE // 2, -RATE // 2)
        passed = low_passed(hertz)(tone, RATE, np.random.default_rng(0))[inner]
        assert passed @ tone[inner] / (tone[inner] @ tone[inner]) == pytest.approx(kept, abs=0.02)


def test_more_iterations_of_griffin_lim_come_closer_to_the_spectrogram(speech):
    def distance(estimate):
        window = stats.norm.pdf(np.linspace(-3, 3, 512))
        frames = [np.lib.stride_tricks.sliding_window_view(each, 512)[::128] for each in (speech, estimate)]
        spectra = [np.abs(np.fft.rfft(each[:100] * window)) for each in frames]
        return np.linalg.norm(spectra[0] - spectra[1]) / np.linalg.norm(spectra[0])

    many, few = (distance(inverted(count)(speech, RATE, np.random.default_rng(0))) for count in (60, 2))
    assert many < few


# The trial


def in_order():
    return [4.3, *(step for count in STEPS for step in np.linspace(3.5, 1.5, count))]


def test_a_predictor_that_knows_the_recordings_and_orders_the_ladders_may_speak(tmp_path):
    found = trial(tmp_path, in_order())
    assert found["refused"] is None
    assert (found["predictor"], found["passages"], found["recordings"]) == (DISTILLMOS, 1, 4.3)
    assert [len(ladder["steps"]) for ladder in found["ladders"]] == STEPS


def test_a_score_is_the_mean_over_passages(tmp_path):
    scores = [score + shift for score in in_order() for shift in (-0.2, 0.2)]
    found = trial(tmp_path, scores, noise(8), noise(8, 1))
    assert (found["passages"], found["recordings"]) == (2, pytest.approx(4.3))


def test_no_more_passages_are_heard_than_are_configured(tmp_path):
    assert trial(tmp_path, in_order(), noise(8), noise(8, 1), trial_passages=1)["passages"] == 1


def test_low_recordings_are_refused_with_their_score_and_the_bound(tmp_path):
    """And heard no further: there is one score to give."""
    found = trial(tmp_path, [3.3])
    assert found["refused"] == "the recordings score 3.30, not above 3.5"
    assert found["ladders"] == []


@pytest.mark.parametrize("place", range(1, 1 + sum(STEPS)))
def test_each_step_that_is_not_worse_than_the_one_before_is_refused(tmp_path, place):
    scores = in_order()
    scores[place] = 5.0
    assert "does not come out in order (recordings 4.30, " in trial(tmp_path, scores)["refused"]


def test_equal_scores_are_no_order():
    ladder = {"name": "noise", "steps": [{"name": "some", "predicted_mos": 4.0}]}
    assert refusal(4.0, [ladder], 3.5) == "noise does not come out in order (recordings 4.00, some 4.00)"


def test_too_little_speech_is_refused(tmp_path):
    assert trial(tmp_path, [], noise(6.9))["refused"] == "the test set has less than 7 s of speech"


def missing():
    raise PredictorMissing("package distillmos is not installed")


def test_a_predictor_that_is_not_installed_is_told_and_ends_nothing(tmp_path):
    output = tmp_path / "trial.json"
    try_predictor(recordings(tmp_path, noise(8)), PredictedMosSettings(), 0, output, missing)
    assert json.loads(output.read_text())["refused"] == "package distillmos is not installed"


# A system


def predicted(folder, scores, *samples, refused=None):
    (folder / "trial.json").write_text(json.dumps({"predictor": DISTILLMOS, "refused": refused}))
    predict_mos(
        recordings(folder, *samples), folder / "trial.json", 0, folder / "out.json",
        missing if scores is None else predictor_of(scores),
    )  # fmt: skip
    return json.loads((folder / "out.json").read_text())


def test_the_predicted_mos_is_the_mean_over_passages_with_an_interval(tmp_path):
    scores = [3.9, 4.0, 4.1, 4.2, 4.3, 4.4, 4.5]
    found = predicted(tmp_path, scores, *(noise(7, seed) for seed in range(7)))
    assert found["predicted_mos"] == pytest.approx(4.2)
    assert found["predicted_mos_ci95"] == pytest.approx(stats.t.ppf(0.975, 6) * stats.sem(scores), rel=0.15)
    assert (found["predicted_mos_degrees_of_freedom"], found["withheld"]) == (6, None)
    assert [each["clips"] for each in found["passages"]] == [[f"clip{index}"] for index in range(7)]


def test_one_passage_has_a_value_and_no_interval(tmp_path):
    found = predicted(tmp_path, [4.0], noise(8))
    assert (found["predicted_mos"], found["predicted_mos_ci95"]) == (4.0, None)
    assert found["predicted_mos_degrees_of_freedom"] is None


@pytest.mark.parametrize(
    ("scores", "samples", "refused", "why"),
    [
        ([], noise(8), "the recordings score 2.18, not above 3.5", "the recordings score 2.18, not above 3.5"),
        ([], np.zeros(8 * RATE), None, "its audio is silent or constant (clip0)"),
        (None, noise(8), None, "package distillmos is not installed"),
    ],
)
def test_what_is_withheld_has_no_number_and_a_reason(tmp_path, scores, samples, refused, why):
    found = predicted(tmp_path, scores, samples, refused=refused)
    assert (found["predicted_mos"], found["predicted_mos_ci95"], found["withheld"]) == (None, None, why)


@pytest.mark.parametrize("count", [7, 22])
def test_intervals_cover_the_true_mean_95_times_in_100(count):
    """Of scores as of LJSpeech: normal about 4.4 with a deviation of 0.15 between utterances."""
    rng = np.random.default_rng(seed_of(count))
    covered = 0
    for seed in range(600):
        values = rng.normal(4.4, 0.15, count)
        covered += abs(values.mean() - 4.4) <= half_width(values, seed)
    assert 0.9 <= covered / 600 <= 0.985  # four standard errors about 0.94 and 0.95


def test_an_interval_of_many_values_is_the_normal_one():
    values = np.random.default_rng(seed_of(3)).normal(4.0, 0.3, 400)
    assert half_width(values, 0) == pytest.approx(1.96 * stats.sem(values), rel=0.05)


def test_the_word_of_the_source_names_the_predictor():
    assert PREDICTED.word == f"predicted:{DISTILLMOS}"
    assert PREDICTED_BY_UTMOS.word == f"predicted:{WORDS['utmos']}"


# UTMOS, of a file


class LoudnessAsScore(torch.nn.Module):
    """1 plus four times the mean magnitude of samples (1, T): a score that is known."""

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return 1 + 4 * samples.abs().mean(dim=1)


@pytest.fixture
def utmos_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch would have another format; that of the field is this one
        torch.jit.script(LoudnessAsScore()).save(str(tmp_path / "utmos.pt"))
    return tmp_path / "utmos.pt"


def sha256sum(file):
    return subprocess.run(["sha256sum", file], check=True, capture_output=True, text=True).stdout.split()[0]


def test_the_file_of_utmos_is_asked_for_a_score_of_samples_as_they_are(tmp_path, utmos_file):
    """By its own formula; the checksum is that of coreutils."""
    settings = PredictedMosSettings("utmos", str(utmos_file), sha256sum(utmos_file), recordings_above=1.5)
    output, samples = tmp_path / "trial.json", noise(8)
    try_predictor(recordings(tmp_path, samples), settings, 0, output, loader_of(settings), UNCHANGED)
    found = json.loads(output.read_text())
    assert found["predictor"] == "utmos22-strong"
    assert found["recordings"] == pytest.approx(1 + 4 * np.abs(samples).mean(), abs=1e-3)
    assert "does not come out in order" in found["refused"]


@pytest.mark.parametrize("file", [None, "nowhere.pt"])
def test_without_the_file_of_utmos_nothing_is_predicted_and_the_reason_is_told(tmp_path, file):
    settings = PredictedMosSettings("utmos", file)
    output = tmp_path / "trial.json"
    try_predictor(recordings(tmp_path, noise(8)), settings, 0, output, loader_of(settings))
    where = "no file is given" if file is None else "nowhere.pt is not there"
    refused = json.loads(output.read_text())["refused"]
    assert refused == f"UTMOS is not on this machine: {where} (predicted_mos.utmos_file)"


def test_another_file_than_the_checksum_says_or_none_of_torchscript_is_a_mistake(tmp_path, utmos_file):
    with pytest.raises(UserError, match=f"has SHA-256 {sha256sum(utmos_file)}, not {'0' * 64}; mend it, or"):
        utmos(utmos_file, "0" * 64)
    utmos_file.write_bytes(b"no network")
    with pytest.raises(UserError, match=r"utmos_file: .*utmos\.pt is no TorchScript module"):
        utmos(utmos_file, None)


# The real predictor, where it is installed


@pytest.fixture(scope="module")
def real():
    pytest.importorskip("distillmos")
    predict = distillmos()
    return lambda: predict


def test_the_voice_of_espeak_is_refused(tmp_path, real):
    spoken = np.concatenate([np.frombuffer(synthesize_speech(text), np.int16) / 2**15 for text in SENTENCES])
    output = tmp_path / "trial.json"
    voice = soxr.resample(spoken, SAMPLE_RATE, RATE)[: 8 * RATE]
    try_predictor(recordings(tmp_path, voice), PredictedMosSettings(trial_passages=1), 0, output, real)
    found = json.loads(output.read_text())
    assert found["recordings"] < 3.0
    assert "the recordings score" in found["refused"]


def test_scores_do_not_depend_on_the_level(real):
    samples = noise(8).astype(np.float32)
    assert real()(samples / 8) == pytest.approx(real()(samples), abs=1e-3)
