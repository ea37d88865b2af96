"""The checks of a vocoder: those of the study pass, and what breaks one demand is told which, and the mend.

The outside is the vocoders: those that have tests of their own, and others that were broken on purpose, each in one
way.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from warm_python import warm_torch

from vocoder_pareto.conformance.candidate import Candidate
from vocoder_pareto.conformance.chosen import chosen_candidate
from vocoder_pareto.conformance.report import check_vocoder
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.studied_systems import systems_of
from vocoder_pareto.study.systems import SystemSettings

PROJECT = Path(__file__).parents[3]
HERE = Path(__file__).parent
CONFIG = PROJECT / "config.yaml"
ALL = read_configuration([CONFIG, PROJECT / "presets" / "modern.yaml"])
FRONT_END = FrontEndSettings(hop_length=64, n_fft=256)
# The families with few channels and steps: architecture, sampling, recipe.
SMALL = {
    "melgan": ({"channels": 4}, {}, {"discriminator_channels": 4}),
    "hifigan": ({"channels": 32}, {}, {"discriminator_channels": 128}),
    "bigvgan": (
        {"channels": 16, "residual_kernels": [3], "residual_dilations": [[1, 3]]},
        {},
        {"period_channels": 32, "resolution_channels": 2},
    ),
    "flow2gan": (
        {"channels": [8, 6, 4], "blocks": 1, "encoder_channels": 8, "encoder_blocks": 1, "time_channels": 8},
        {},
        {"period_channels": 32, "band_channels": 2},
    ),
    "wavegrad": ({"up_channels": [8, 8, 8, 6, 4, 4], "down_channels": [2, 4, 4, 6, 8]}, {"steps": 2}, {}),
    "diffwave": ({"residual_channels": 4}, {"betas": [1e-3, 0.1]}, {}),
    "waveflow": ({"flows": 3, "layers": 5, "channels": 8}, {}, {}),
    "waveglow": ({"flows": 5, "layers": 5, "channels": 8, "upsample_kernel": 256}, {}, {}),
    "multiband_melgan": ({"channels": 16}, {}, {"discriminator_channels": 4}),
    "univnet": ({"channels": 4}, {}, {"resolution_channels": 2, "period_channels": 16}),
    "istftnet": ({"channels": 16}, {}, {"discriminator_channels": 128}),
    "vocos": ({"channels": 8, "blocks": 1}, {}, {"period_channels": 32, "band_channels": 2}),
}
OF_EACH_KIND = ("melgan", "diffwave", "waveglow")
SMALLEST = {
    "multiband_melgan": "M", "univnet": "c16", "istftnet": "C8C1I", "bigvgan": "base", "flow2gan": "steps2",
}  # else S  # fmt: skip
TOO_LARGE = ("bigvgan-v2", "flow2gan-steps4")  # they differ from sizes that are checked by channels and steps alone


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


def findings(system, front_end=FRONT_END):
    return {finding.check: finding for finding in check_vocoder(Candidate(system, front_end))}


def of_file(name, file="broken_vocoders.py", objective=None):
    objective = f"{HERE / file}:{objective}" if objective else None
    return SystemSettings(name, "S", f"{HERE / file}:{name}", objective, hop_length=64)


def to_mend(system):
    return {name: found.words for name, found in findings(system).items() if found.verdict == "mend"}


def full_size():
    """All systems but for `TOO_LARGE`; WaveGrad with 4 of its 50 steps, which take as long as all else together."""
    for system in systems_of(ALL):
        if system.name not in TOO_LARGE:
            steps = {"steps": 4} if system.model == "wavegrad" else {}
            system = replace(system, sampling={**system.sampling, **steps})
            yield pytest.param(system, id=system.name, marks=pytest.mark.slow)


def small():
    for system in systems_of(ALL):
        if system.model in SMALL and system.size == SMALLEST.get(system.model, "S"):
            parts = zip(("architecture", "sampling", "recipe"), SMALL[system.model], strict=True)
            changed = {name: {**getattr(system, name), **part} for name, part in parts}
            marks = () if system.model in OF_EACH_KIND else pytest.mark.slow
            yield pytest.param(replace(system, **changed), id=f"small {system.model}", marks=marks)


@pytest.mark.parametrize("system", [*full_size(), *small()])
def test_the_vocoders_of_the_study_pass_every_check(system):
    found = findings(system, FrontEndSettings())
    assert [str(each) for each in found.values() if each.verdict != "ok"] == [
        str(each) for each in found.values() if each.words == "generate is the plain form"
    ]
    assert len(found) == 16


def test_a_vocoder_of_ones_own_that_does_all_passes_every_check():
    found = findings(of_file("SoundVocoder", "sound_vocoder.py", "SoundObjective"))
    assert {each.verdict for each in found.values()} == {"ok"}


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("TwiceTheSamples", "length", r"twice the samples: name a front_end .* or mend its upsampling"),
        (
            "SomeSamplesMore",
            "length",
            r"\(1, 69\) for 1 frames of 64 samples, and must give \(1, 64\); cut the 5 samples",
        ),
        ("OneHopShort", "length", r"pad its input"),
        ("KeepsItsChannel", "length", r"squeeze\(1\)"),
        ("GivesOneOfABatch", "length", r"one waveform per item of the batch"),
        ("GivesATuple", "length", r"gives a tuple.*the right one of its 2 parts"),
        ("GivesAnArray", "length", r"gives a ndarray.*torch\.from_numpy"),
        ("GivesIntegers", "length", r"type int16.*divide them by full scale"),
        ("GivesComplexNumbers", "length", r"type complex64.*real part"),
        ("FiftyTimesTooLoud", "sound", r"samples up to \d\d(\.\d+)?, and full scale is 1; divide them"),
        ("OfTheScaleOfIntegers", "sound", r"divide them by 32768 if they are those of 16-bit integers"),
        ("GivesNaN", "sound", r"generates NaN or Inf"),
        ("DrawsByPyTorch", "seed", r"draws random numbers from PyTorch's generator, .* draw_noise"),
        ("DrawsByNumPy", "seed", r"draws random numbers from NumPy's generator"),
        ("DrawsByPython", "seed", r"draws random numbers from Python's generator"),
        ("KeepsState", "seed", r"same seed gives other audio; .* keep nothing from one call to the next"),
        ("NormalisesOverTheBatch", "batch", r"in a batch and alone differs by .*normalise no value over the batch"),
        ("ChangesItsInput", "input", r"changes its input; .*mel\.clone\(\)"),
        ("HidesAWeight", "checkpoint", r"register_buffer"),
        ("HidesAWeight", "device", r"leaves hidden behind; make them buffers"),
        ("HidesAWeightInAList", "checkpoint", r"register_buffer"),
        ("MakesTensorsOnTheProcessor", "device", r"mixes tensors of two devices .*device=mel\.device"),
        ("IsNotPrepared", "folding", r"weights of layer are still computed at every call; call super"),
        ("StaysInTraining", "folding", r"still in training mode"),
        ("ChangesWhenPrepared", "folding", r"its audio after prepare_for_inference differs"),
        ("IsAnotherOnePlainly", "plain form", r"generate and generate_plainly give differs by 0\.1"),
        ("SeesFartherThanItSays", "chunks", r"chunks of 4 frames differs .*say more context_frames than 0"),
        ("SharesWeightsWithCopies", "copy", r"shares its weights"),
        ("IsBuiltByNumPy", "build", r"built twice from one seed it has other values in level"),
        ("BeginsWithNaN", "weights", r"layer\.bias hold NaN or Inf"),
        ("TakesAllThreads", "build", r"building it changes the number of threads of the whole process"),
        ("HasAFault", "length", r"AttributeError: .*no_such_layer.* \(broken_vocoders\.py, line \d+\)"),
        ("CannotBeBuilt", "build", r"no such thing"),
        ("NoVocoder", "build", r"is not a subclass of Vocoder"),
        ("NotThere", "import", r"has no class 'NotThere'"),
    ],
)
def test_what_breaks_a_demand_is_told_which_and_how_to_mend_it(name, check, words):
    threads = torch.get_num_threads()
    try:
        told = to_mend(of_file(name))
    finally:
        torch.set_num_threads(threads)
    assert re.search(words, told[check]), told
    assert "SoundVocoder" not in " ".join(told.values())


@pytest.mark.parametrize(
    ("name", "objective", "words"),
    [
        ("LeavesAWeightAlone", "SoundObjective", "no gradient reaches unused"),
        ("SoundVocoder", "LearnsNothing", "a step changes no weight"),
        ("SoundVocoder", "LossOfManyNumbers", "must be one finite number"),
        ("SoundVocoder", "KeepsGradients", "keep their gradients; detach them"),
    ],
)
def test_what_an_objective_does_wrong_is_told(name, objective, words):
    assert words in to_mend(of_file(name, objective=objective))["training"]


def test_an_import_that_seeds_or_changes_the_process_is_told(tmp_path):
    file = tmp_path / "seeding.py"
    file.write_text("import torch\ntorch.manual_seed(987654321)\nfrom sound_vocoder import SoundVocoder\n")
    found = findings(SystemSettings("seeding", "S", f"{file}:SoundVocoder", hop_length=64))
    assert "draws from or seeds PyTorch's generator" in found["import"].words
    assert {each.verdict for name, each in found.items() if name not in ("import", "training")} == {"ok"}


def test_what_cannot_be_built_is_checked_no_further():
    assert list(findings(of_file("CannotBeBuilt"))) == ["import", "build"]


def run_program(*arguments, folder=PROJECT):
    return warm_torch().run([str(PROJECT / "workflow_scripts" / "check_vocoder.py"), *map(str, arguments)], folder)


def test_the_program_prints_a_line_per_check_and_ends_well(tmp_path):
    """A class of a file whose name has a hyphen and dots, beside a module that it imports."""
    (tmp_path / "my-vocoder.v1.0.py").write_text((HERE / "sound_vocoder.py").read_text())
    done = run_program("my-vocoder.v1.0.py:SoundVocoder", "--front-end", "hifigan_22k", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-2]] == ["ok"] * 15
    assert lines[-2].startswith("left out  training    no objective is given")
    assert lines[-1] == "my-vocoder.v1.0.py:SoundVocoder does what the study asks of a vocoder."


def test_the_program_ends_with_status_1_where_something_is_to_be_mended(tmp_path):
    for name in ("sound_vocoder.py", "broken_vocoders.py"):
        (tmp_path / name).write_text((HERE / name).read_text())
    done = run_program("broken_vocoders.py:TwiceTheSamples", folder=tmp_path)
    assert done.returncode == 1
    assert "mend      length      TwiceTheSamples-checked: gives waveforms" in done.stdout
    assert done.stderr.startswith("error: broken_vocoders.py:TwiceTheSamples: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ((None, None, None, None), "either path/to/file.py:Class, or a system by --system-name"),
        (("a.py:B", "melgan-S", None, None), "either"),
        ((None, "melgan-X", None, None), "--system-name: 'melgan-X' is not a system"),
        (("a.py:B", None, "vocos", None), "--front-end: 'vocos' is none .*did you mean 'vocos_24k'"),
        (("a.py:B", None, "parallel_wavegan_22k", None), "mean and scale are null"),
    ],
)
def test_what_is_checked_must_be_named(choice, words):
    with pytest.raises(UserError, match=words):
        chosen_candidate([CONFIG], *choice)


def test_a_system_of_a_configuration_is_checked_with_its_settings():
    candidate = chosen_candidate([CONFIG], None, "waveglow-M", None, None)
    assert candidate.system.architecture["channels"] == 128
    assert candidate.front_end == FrontEndSettings()
