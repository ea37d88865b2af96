"""Other forms of deployment, and streams, of networks whose audio and cost are known."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import deployment, deployment_sweep
from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.deployment import Compiled, OfOnnxRuntime, UnsupportedForm, in_form
from vocoder_pareto.measurement.deployment_sweep import sweep_chunks, sweep_forms, write_chunks, write_forms
from vocoder_pareto.measurement.energy import Bench, Subject
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.own_process import ProcessEndedError
from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture
from vocoder_pareto.models.layers import channels_last
from vocoder_pareto.models.vocoder import draw_noise
from vocoder_pareto.study.sections.measurement import DeploymentSettings, EnergySettings

CPU = torch.device("cpu")
QUICK = EnergySettings(
    clips=2, clip_seconds=0.16, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=0, windows=1,
    min_window_seconds=0.01, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip
MEL = torch.rand(1, 80, 10, generator=torch.Generator().manual_seed(5))


class Streaming(SmallVocoder):
    """Its convolutions see one frame (k 3), one (two strides) and two samples on each side."""

    def context_frames(self):
        return 3


class Noisy(SmallVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel + draw_noise(mel.shape, mel, generator))


@pytest.fixture
def here(monkeypatch):
    """Measurements in this process: what another one would have to load takes longer than all the rest."""
    monkeypatch.setattr(deployment_sweep, "in_own_process", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(
        deployment_sweep, "in_own_process_within", lambda seconds, function, *arguments: function(*arguments)
    )


def bench_of(kind):
    def open_bench():
        torch.manual_seed(0)
        subject = Subject(kind(), SMALL, {}, None, MEL[0].numpy())
        return Bench(subject, Meter(CpuTimeSensor(10.0)), CPU)

    return open_bench


@pytest.fixture
def onnx():
    for name in deployment.ONNX_PACKAGES:
        pytest.importorskip(name)


def test_a_form_that_is_not_to_be_had_is_a_row_with_the_reason(here, monkeypatch, tmp_path):
    monkeypatch.setattr(deployment, "_installed", lambda name: name != "onnxruntime")
    rows = sweep_forms(bench_of(SmallVocoder), QUICK, DeploymentSettings(forms=("onnxruntime",)), seed=0)
    write_forms(tmp_path / "forms.csv", rows)
    with (tmp_path / "forms.csv").open() as file:
        base, refused = csv.DictReader(file)
    assert (base["form"], base["d_stft_to_float32"], base["refused"]) == ("pytorch", "0.0", "")
    assert float(base["energy_joules_per_audio_second"]) > 0
    assert refused["refused"] == "onnxruntime missing; pip install onnxruntime"
    assert [refused[name] for name in ("energy_joules_per_audio_second", "d_stft_to_float32", "flags")] == [""] * 3


def test_a_form_whose_process_is_killed_is_a_row_too(monkeypatch):
    def here_until_killed(function, open_bench, form, *rest):
        if form == "pytorch":
            return function(open_bench, form, *rest)
        raise UserError("the process that measures was killed")

    monkeypatch.setattr(deployment_sweep, "in_own_process", here_until_killed)
    base, killed = sweep_forms(bench_of(SmallVocoder), QUICK, DeploymentSettings(forms=("torch_compile",)), seed=0)
    assert killed["refused"] == "the process that measures was killed"
    assert [killed[name] for name in ("system", "form")] == [base["system"], "torch_compile"]


def test_an_export_that_takes_too_long_is_a_row_for_each_form_with_onnx_alone(here, monkeypatch):
    def ended(seconds, function, *arguments):
        raise ProcessEndedError(f"the process was not done after {seconds / 60:g} minutes")

    monkeypatch.setattr(deployment_sweep, "in_own_process_within", ended)
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    base, compiled, *exported = sweep_forms(
        bench_of(SmallVocoder), QUICK, DeploymentSettings(max_export_minutes=2.0), seed=0
    )
    assert "refused" not in base | compiled
    reason = "its export as ONNX: the process was not done after 2 minutes"
    assert [row["refused"] for row in exported] == [reason] * 2
    assert [row["system"] for row in exported] == [base["system"]] * 2


def test_the_distance_of_a_form_is_that_of_its_audio_from_pytorchs(here, monkeypatch):
    """Written out: half the amplitude is a quarter of the power, log 4 less in each bin of a loud signal."""

    class Loud(SmallVocoder):
        def generate(self, mel, generator=None):
            return 1e4 * torch.randn(1, 2560, generator=torch.Generator().manual_seed(1))

    class Halved(deployment.OtherForm):
        def generate(self, mel, generator=None):
            return self.vocoder.generate(mel, generator) / 2

    def in_form(vocoder, form, folder=None):
        return vocoder if form == "pytorch" else Halved(vocoder)

    monkeypatch.setattr(deployment_sweep, "in_form", in_form)
    rows = sweep_forms(bench_of(Loud), QUICK, DeploymentSettings(forms=("torch_compile",)), seed=0)
    assert rows[1]["d_stft_to_float32"] == pytest.approx(np.log(4), rel=1e-3)
    assert rows[1]["relative_difference_to_float32"] == pytest.approx(0.5, rel=1e-6)


def test_chunks_of_a_stream_wait_for_their_frames_and_are_measured(here, tmp_path):
    settings = DeploymentSettings(forms=(), chunk_frames=(2, 5))
    rows = sweep_chunks(bench_of(Streaming), QUICK, settings, seed=0)
    write_chunks(tmp_path / "chunks.csv", rows)
    with (tmp_path / "chunks.csv").open() as file:
        told = list(csv.DictReader(file))
    assert [row["chunk_frames"] for row in told] == ["2", "5"]
    assert [float(row["awaited_seconds"]) for row in told] == pytest.approx([(2 + 3) * 0.016, (5 + 3) * 0.016])
    assert all(float(row["first_audio_seconds"]) > 0 for row in told)
    assert all(float(row["energy_joules_per_audio_second"]) > 0 for row in told)


def test_what_is_measured_chunk_by_chunk_is_the_audio_of_the_whole_clip():
    vocoder = Streaming()
    whole = vocoder.prepare_for_inference().synthesize(MEL)
    torch.testing.assert_close(deployment.InChunks(vocoder, 4).synthesize(MEL), whole, atol=1e-6, rtol=0)


def small_diffusion():
    return DiffWave(DiffWaveArchitecture(residual_layers=1, residual_channels=2))


@pytest.mark.parametrize(
    ("kind", "why"),
    [(SmallVocoder, "does not say how many frames"), (small_diffusion, "each step of diffusion goes through")],
)
def test_what_cannot_stream_says_why(here, kind, why):
    (row,) = sweep_chunks(bench_of(kind), QUICK, DeploymentSettings(chunk_frames=(4,)), seed=0)
    assert why in row["refused"]
    assert "energy_joules_per_audio_second" not in row


def test_the_step_of_diffusion_is_compiled_and_else_the_whole_pass(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function, **options: compiled.append(options) or function)
    for vocoder in (SmallVocoder(), small_diffusion()):
        form = in_form(vocoder, "torch_compile").prepare_for_inference()
        assert isinstance(form, Compiled)
        form.synthesize(MEL, torch.Generator().manual_seed(0))
    assert compiled == [{"mode": "default", "dynamic": False}, {"mode": "default"}]


@pytest.mark.slow
def test_a_compiled_vocoder_gives_the_same_audio():
    vocoder = SmallVocoder()
    expected = vocoder.prepare_for_inference().synthesize(MEL)
    torch.testing.assert_close(Compiled(vocoder).prepare_for_inference().synthesize(MEL), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("values", [{"forms": ("onnxruntime",) * 2}, {"chunk_frames": (1, 1)}])
def test_a_form_or_length_is_named_once(values):
    with pytest.raises(ValueError, match="twice"):
        DeploymentSettings(**values)


def test_onnx_runtime_computes_the_same_with_as_many_threads_which_do_not_spin(onnx):
    vocoder = SmallVocoder()
    form = OfOnnxRuntime(vocoder).prepare_for_inference()
    torch.testing.assert_close(form.synthesize(MEL), vocoder.synthesize(MEL), atol=1e-5, rtol=0)
    (session,) = form._sessions.values()
    options = session.get_session_options()
    assert options.intra_op_num_threads == torch.get_num_threads()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.get_providers() == ["CPUExecutionProvider"]


class ChannelsLast(SmallVocoder):
    """Its convolutions take their weights in another shape than they lie in."""

    def generate(self, mel, generator=None):
        return super().generate(channels_last(mel))


def test_eight_bits_change_the_audio_a_little(onnx, here):
    rows = sweep_forms(
        bench_of(ChannelsLast), QUICK, DeploymentSettings(forms=("onnxruntime", "onnxruntime_int8")), seed=0
    )
    float32, int8 = (row["d_stft_to_float32"] for row in rows[1:])
    assert 10 * float32 < int8 < 1
    assert all(row["energy_joules_per_audio_second"] > 0 for row in rows)


def test_of_diffusion_a_step_is_exported_and_its_noise_is_that_of_the_generator(onnx):
    vocoder = small_diffusion()
    torch.nn.init.normal_(vocoder.output.weight)
    expected = small_diffusion()
    expected.load_state_dict(vocoder.state_dict())
    form = OfOnnxRuntime(vocoder).prepare_for_inference()
    assert not form.draws_noise_of_its_own
    audio = form.synthesize(MEL, torch.Generator().manual_seed(3))
    ours = expected.prepare_for_inference().synthesize(MEL, torch.Generator().manual_seed(3))
    torch.testing.assert_close(audio, ours, atol=1e-4, rtol=0)
    assert len(form._sessions) == 1


def test_audio_with_another_noise_is_not_compared(onnx, here):
    rows = sweep_forms(bench_of(Noisy), replace(QUICK, clips=1), DeploymentSettings(forms=("onnxruntime",)), seed=0)
    assert rows[1]["energy_joules_per_audio_second"] > 0
    assert "d_stft_to_float32" not in rows[1]


class Overwriting(SmallVocoder):
    exports_plainly = True

    def generate(self, mel, generator=None):
        raise AssertionError("is not exported")

    def generate_plainly(self, mel, generator=None):
        return super().generate(mel)


def test_the_plain_form_is_exported_where_the_fast_one_overwrites_its_own_results(onnx):
    expected = SmallVocoder()
    vocoder = Overwriting()
    vocoder.load_state_dict(expected.state_dict())
    audio = OfOnnxRuntime(vocoder).prepare_for_inference().synthesize(MEL)
    torch.testing.assert_close(audio, expected.prepare_for_inference().synthesize(MEL), atol=1e-5, rtol=0)


def test_what_was_exported_is_kept_for_the_next(onnx, tmp_path, monkeypatch):
    vocoder = SmallVocoder()
    expected = OfOnnxRuntime(vocoder, folder=tmp_path).prepare_for_inference().synthesize(MEL)
    assert [path.suffix for path in tmp_path.iterdir()][:1] == [".onnx"]
    monkeypatch.setattr(deployment, "_export", None)
    again = OfOnnxRuntime(vocoder, folder=tmp_path).prepare_for_inference().synthesize(MEL)
    torch.testing.assert_close(again, expected, atol=0, rtol=0)


def test_what_cannot_be_exported_says_why(onnx):
    class Sorting(SmallVocoder):
        def generate(self, mel, generator=None):
            return super().generate(mel if mel.sum().item() > 0 else -mel)

    with pytest.raises(UnsupportedForm, match="cannot be exported as ONNX: "):
        OfOnnxRuntime(Sorting()).prepare_for_inference().synthesize(MEL)
