"""The configuration: what config.yaml holds, how files join, what is refused and in which words."""

import copy
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vocoder_pareto.audio import synthetic_corpus
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json
from vocoder_pareto.import_paths import load_class
from vocoder_pareto.study import yaml_files
from vocoder_pareto.study.class_settings import declared_settings
from vocoder_pareto.study.configuration import checked, read_configuration
from vocoder_pareto.study.early_checks import PALETTES, SYNTHETIC_CLIPS, require_bands
from vocoder_pareto.study.reference import preset_files
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.settings_faults import keys_of
from vocoder_pareto.study.studied_systems import configured_systems, judged_systems, system_settings, training_settings

PROJECT = Path(__file__).resolve().parents[3]
WRITTEN = yaml.safe_load((PROJECT / "config.yaml").read_text())
CONFIG = checked(WRITTEN)
PRESETS = preset_files(PROJECT / "presets")


def changed(path, value):
    config = copy.deepcopy(WRITTEN)
    *parents, last = path.split(".")
    part = config
    for key in parents:
        part = part[key]
    part[last] = value
    return config


@pytest.mark.parametrize("key", ["training", "models.melgan.training", "models.melgan.sizes.L.training"])
def test_a_table_of_bands_that_is_not_there_is_told_before_the_first_job(key, tmp_path):
    require_bands(CONFIG)
    (tmp_path / "bands.csv").write_text("system\n")
    require_bands(checked(changed(f"{key}.bands", str(tmp_path / "bands.csv"))))
    with pytest.raises(UserError, match=rf"^config key {key}\.bands: .*none\.csv: no such file"):
        require_bands(checked(changed(f"{key}.bands", str(tmp_path / "none.csv"))))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_valid_and_that_of_a_whole_study_has_results_of_its_own(preset):
    config = read_configuration([PROJECT / "config.yaml", *PRESETS[preset]])
    assert preset == "full_energy" or config["results_dir"] != CONFIG["results_dir"]


def test_the_full_energy_protocol_composes_with_any_study_and_is_that_of_the_paper():
    config = PROJECT / "config.yaml"
    paper, full = (PROJECT / "presets" / f"{name}.yaml" for name in ("paper", "full_energy"))
    alone, both = read_configuration([config, full]), read_configuration([config, paper])
    assert read_configuration([config, paper, full]) == both
    assert {key for key in both if alone[key] != CONFIG[key]} == {"energy", "meter"}
    assert alone["energy"] == both["energy"]
    assert settings_from(EnergySettings, alone["energy"], "energy").shortfalls() == []


def test_the_default_study_has_the_18_systems_of_the_paper():
    systems = configured_systems(CONFIG)
    models = ["melgan", "hifigan", "wavegrad", "diffwave", "waveflow", "waveglow"]
    assert list(systems) == [f"{model}-{size}" for model in models for size in "SML"]


def test_systems_with_enough_of_a_budget_or_with_given_weights_are_judged_and_no_others():
    """Of the default study none; of the paper's, which trains, all."""
    assert judged_systems(CONFIG) == []
    paper = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "paper.yaml"])
    assert judged_systems(paper) == list(configured_systems(paper))
    config = changed("models.melgan.sizes.L.training", {"checkpoint": "given.pt"})
    config["models"]["diffwave"]["training"] |= {"steps": 1000}
    config["models"]["diffwave"]["sizes"]["S"]["training"] = {"steps": None, "hours": 1.0}
    config["models"]["diffwave"]["sizes"]["M"]["training"] = {"steps": 0}
    config["models"]["waveflow"]["training"] |= {"steps": None, "energy_kwh": 1.0}
    config["models"]["waveflow"]["sizes"]["S"]["training"] = {"steps": 999}
    config["models"]["waveflow"]["sizes"]["M"]["training"] = {"hours": 0.09}
    assert judged_systems(checked(config)) == ["melgan-L", "diffwave-S", "diffwave-L", "waveflow-L"]
    config["evaluation"] |= {"least_training_steps": 2000, "least_training_hours": 2.0}
    assert judged_systems(checked(config)) == ["melgan-L", "waveflow-L"]


def test_hours_beside_no_steps_are_refused_where_they_are_set():
    with pytest.raises(UserError, match=r"sizes\.S\.training: 0 steps leave hours and energy_kwh unused; set steps"):
        checked(changed("models.melgan.sizes.S.training", {"hours": 1.0}))


def test_a_size_goes_over_its_model_and_the_training_of_a_system_over_the_common_one():
    large, small = system_settings(CONFIG, "melgan", "L"), system_settings(CONFIG, "melgan", "S")
    assert large.architecture == {"upsampling": [8, 8, 2, 2], "channels": 64, "residual_layers": 4}
    assert large.recipe["discriminator_channels"] == 32
    assert small.recipe["discriminator_channels"] == 16
    assert training_settings(CONFIG, "waveflow", "S").gradient_clip == 5.0
    assert "gradient_clip" not in system_settings(CONFIG, "waveflow", "S").recipe
    assert training_settings(CONFIG, "melgan", "S").gradient_clip is None


@pytest.mark.parametrize("name", configured_systems(CONFIG))
def test_the_settings_of_a_system_are_those_that_its_classes_know(name):
    from vocoder_pareto.models.registry import load_class
    from vocoder_pareto.study.settings import settings_from

    system = system_settings(CONFIG, *configured_systems(CONFIG)[name])
    vocoder = load_class(system.vocoder, "vocoder")
    objective = load_class(system.objective, "objective")
    settings_from(vocoder.Architecture, system.architecture, "architecture")
    settings_from(vocoder.Sampling, system.sampling, "sampling")
    settings_from(objective.Recipe, system.recipe, "recipe")


MISTAKES = [
    ("dataset.clip", 40, "config key dataset.clip: unknown (did you mean 'clips'?); allowed here: source, path, clips"),
    ("trainin", {}, "config key trainin: unknown (did you mean 'training'?)"),
    ("training.steps", -1, "config key training.steps: -1 is not allowed; must be at least 0"),
    ("training.steps", 1.5, "config key training.steps: 1.5 is not allowed; expected integer or null"),
    ("training.batch_size", "all", "config key training.batch_size: 'all' is not allowed; expected integer or auto"),
    ("training.batch_size", -3, "config key training.batch_size: -3 is not allowed; must be at least 1"),
    ("training.tf32", "yes", "config key training.tf32: 'yes' is not allowed; expected true or false"),
    ("training.precision", "fp8", "'fp8' is not allowed; allowed: 32 | bf16-mixed | 16-mixed"),
    ("dataset.source", "web", "'web' is not allowed; allowed: synthetic | ljspeech | cmu_arctic | folder"),
    ("front_ends.paper.sample_rate", 0, "front_ends.paper.sample_rate: 0 is not allowed; must be at least 500"),
    ("dataset.voices", [], "config key dataset.voices: [] is not allowed; must have at least 1"),
    ("dataset.test_share", 1, "config key dataset.test_share: 1 is not allowed; must be less than 1"),
    ("systems", ["melgan-XL"], "'melgan-XL' is not a system (did you mean 'melgan-L'?); allowed: melgan-S, melgan-M"),
    ("systems", [], "config key systems: the list is empty"),
    ("systems", ["melgan-S", "melgan-S"], "config key systems: a system is named twice"),
    ("device", "gpu", "config key device: 'gpu' is not allowed; allowed: auto | cpu | cuda | cuda:0"),
    ("front_ends.paper.n_fft", 128, "config key front_ends.paper: hop_length is 256; must be at most n_fft (128)"),
    ("models.hifigan.front_end", "hifigan_22", "is not a front end (did you mean 'hifigan_22k'?); allowed: paper, "),
    (
        "models.hifigan.front_end", "parallel_wavegan_22k",
        "key front_ends.parallel_wavegan_22k.normalization: mean and scale are null; give those of the checkpoint",
    ),
    ("front_ends.paper.normalization", {"scale": 0}, "normalization: scale is 0; must be another number"),
    ("front_ends.paper.normalization", {"scal": 1}, "paper.normalization.scal: unknown (did you mean 'scale'?)"),
    ("front_ends.paper.representation", "waveform", "'waveform' is not allowed, since Griffin-Lim inverts its mel"),
    ("front_ends.mine", {"fmax": 9000}, "front_ends.mine: fmin is 0 and fmax 9000; must be in rising order"),
    ("front_ends.mine", {"logarithm": "ln"}, "front_ends.mine: floor is 0; must be more than 0 for the logarithm ln"),
    ("front_ends.mine", {"padding": "reflect", "hop_length": 255}, "mine: hop_length is 255; n_fft (2048) less it"),
    ("front_ends.mine", {"normalization": {"mean": [1, 2]}}, "mean has 2 numbers; must be one or n_mels (80)"),
    ("models.melgan.sizes.S.architectur", {}, "S.architectur: unknown (did you mean 'architecture'?)"),
    ("models.melgan.vocoder", None, "config key models.melgan.vocoder: None is not allowed; expected text"),
    ("models.melgan.sizes.S.training", {"steps": -1}, "models.melgan.sizes.S.training.steps: -1 is not allowed"),
    ("models.melgan.training.betas", [0.5], "config key models.melgan.training.betas"),
    ("models.melgan.training.learning_rate", 0, "learning_rate: 0 is not allowed; must be greater than 0"),
    ("models.melgan.training.learning_rate", "fast", "learning_rate: 'fast' is not allowed; expected number or null"),
    ("energy", None, "config key energy: None is not allowed; expected a section of keys"),
    ("energy", [], "config key energy: [] is not allowed; expected a section of keys"),
    ("quality.metrics", ["estoi", "estoi"], "config key quality: metrics names one twice"),
    ("listening_test.page.submit_url", "ftp:/x", "'ftp:/x' is not allowed; allowed: https://… | http://…"),
    ("listening_test.page.return_url", "https://x.org/{WHO}", "listening_test.page: return_url holds {WHO}; allowed"),
    ("listening_test.page.ids_from_link", ["A", "A"], "listening_test.page: ids_from_link names one twice"),
    ("listening_test.page.ids_from_link", ["a b"], "page.ids_from_link.0: 'a b' is not allowed"),
    ("listening_test.page.headphone_check", "some", "headphone_check: 'some' is not allowed; allowed: none | record"),
    ("listening_test.paired.pairs", [["a", "a"]], "listening_test.paired: pairs has a against itself"),
    ("listening_test.paired.pairs", [["a", "b"], ["b", "a"]], "listening_test.paired: pairs has b and a twice"),
    ("listening_test.paired.pairs", [["a", "b", "c"]], "config key listening_test.paired.pairs.0"),
    ("pareto.objectives", [{"name": "A B", "columns": {"d_stft": "min", "mos": "max"}}], "objectives.0.name: 'A B'"),
    ("pareto.objectives", [{"name": "a", "columns": {"mos": "max"}}], "objectives.0.columns: {'mos': 'max'} is not"),
    ("results_dir", "", "config key results_dir: '' is not allowed; must not be empty"),
    ("results_dir", "x/..", "results_dir: 'x/..' is the current folder; give the results a folder"),
    # What passed, or ended with a traceback, while a schema alone checked it.
    ("dataset.clips", 200.0, "config key dataset.clips: 200.0 is not allowed; expected integer or null; write 200"),
    ("training.hours", float("nan"), "config key training.hours: nan is not allowed; must be a finite number"),
    ("energy.max_relative_interval", float("inf"), "interval: inf is not allowed; must be a finite number"),
    ("seed", 10**30, f"config key seed: {10**30} is not allowed; must be at most {2**63 - 1}"),
    ("seed", True, "config key seed: True is not allowed; expected integer"),
    ("models.melgan.sizes", {64: {}}, 'models.melgan.sizes: the name 64 is not text; write it in quotes, "64"'),
    ("models.melgan.sizes.S.architecture", {"channels": float("nan")}, "architecture.channels: nan is not allowed"),
    # What a stranger tried.
    ("models.melgan.sizes", {"griffin-lim": {}}, "letters, digits and _ (A to Z, a to z, 0 to 9), such as griffin_lim"),
    ("models.melgan.sizes", {"v1.0": {}}, "the name 'v1.0' is not allowed; a name holds letters, digits and _"),
    ("models", {"hifi-gan.v1": {"vocoder": "a.B", "sizes": {"S": {}}}}, "models.hifi-gan.v1: the name 'hifi-gan.v1'"),
    ("front_ends", {"my-mel": {}}, "front_ends.my-mel: the name 'my-mel' is not allowed"),
    ("systems", ["hifi-gan-S"], "'hifi-gan-S' is not a system (did you mean 'hifigan-S'?)"),
    # What nothing trains.
    ("models.melgan.objective", None, "melgan.training.learning_rate: nothing trains melgan; name its Objective"),
    ("seed", "\ud800", "config key seed: '\\ud800' is not allowed: it holds what no file can"),
    ("results_dir", "a\0b", "config key results_dir: 'a\\x00b' is not allowed"),
    ("results_dir", "..", "config key results_dir: '..' is a folder around the current one"),
    ("results_dir", "/", "config key results_dir: '/' is a folder around the current one"),
    ("results_dir", "{system}", "config key results_dir: '{system}' is not allowed"),
    ("results_dir", "~nosuchuser/x", "config key results_dir: '~nosuchuser/x' is not allowed"),
    ("carbon.intensity_kg_per_kwh", "1e400", "intensity_kg_per_kwh: '1e400' is not allowed; expected number"),
    ("pareto.objectives", [{"name": "a", "columns": {"mr_stft": "min", "mos": "max"}}], "'mr_stft' is not measured"),
    ("pareto.objectives", [{"name": "a", "columns": {"d_stf": "min", "mos": "max"}}], "(did you mean 'd_stft'?)"),
    ("pareto.objectives", [{"name": "a", "columns": {"system": "min", "mos": "max"}}], "'system' is no objective"),
    # What no study is.
    ("evaluation.sample_rate", 1, "config key evaluation.sample_rate: 1 is not allowed; must be at least 4000"),
    ("evaluation.seconds", 1e12, "config key evaluation.seconds: 1000000000000.0 is not allowed; must be at most 3600"),
    ("energy.windows", 10**9, "config key energy.windows: 1000000000 is not allowed; must be at most 10000"),
    ("models.melgan.sizes", {"S": {}, "s": {}}, "config key models: the systems melgan-S and melgan-s differ by case"),
    ("models.MelGAN", {"vocoder": "a.B", "sizes": {"S": {}}}, "the systems melgan-S and MelGAN-S differ by case"),
    ("models.ground", {"vocoder": "a.B", "sizes": {"truth": {}}}, "ground-truth and ground_truth differ by"),
    ("front_ends", {"Paper": {}}, "config key front_ends: the front ends paper and Paper differ by case"),
    # What its first job alone told.
    ("models.melgan.vocoder", "mine/vocoder.py:Mine", "models.melgan.vocoder: mine/vocoder.py:Mine: no such file"),
    ("models.melgan.vocoder", "vocoder_pareto.models.mine.Mine", "models.melgan.vocoder: vocoder_pareto.models.mine"),
    ("models.melgan.objective", "nowhere.Mine", "config key models.melgan.objective: nowhere.Mine: no such file"),
    ("models.melgan.architecture.upsampling", [8, 8, 2], "multiplies to 128, and must to front_ends.paper."),
    ("models.waveflow.sizes.M.architecture.height", 12, "M.architecture.height: 12 does not divide front_ends"),
    ("models.hifigan.training.mel_wieght", 45, "hifigan.training.mel_wieght: unknown (did you mean 'mel_weight'?)"),
    ("models.melgan.training.gradient_clp", 1, "training.gradient_clp: unknown (did you mean 'gradient_clip'?)"),
    ("models.melgan.sizes.L.training.discriminator_chanels", 8, "(did you mean 'discriminator_channels'?)"),
    ("models.hifigan.sizes.S.architecture.chanels", 8, "S.architecture.chanels: unknown (did you mean 'channels'?)"),
    ("models.waveflow.sampling.sigm", 1.0, "models.waveflow.sampling.sigm: unknown (did you mean 'sigma'?)"),
    ("models.melgan.sampling", {"sigma": 1.0}, "models.melgan.sampling.sigma: unknown; allowed here: none"),
    ("models.hifigan.architecture.residual_type", 1, "residual_type: 1 is not allowed"),
    ("models.hifigan.sizes.S.architecture.channels", "many", "channels: 'many' is not allowed; expected integer"),
    ("models.wavegrad.published_convention.architecture", {"upsample_factor": [4]}, "mean 'upsample_factors'?)"),
    ("dataset.clips", 5, "config key dataset.clips: 5 is not allowed; a synthetic corpus has 20 to 13100 clips"),
    ("dataset.clips", 13101, "config key dataset.clips: 13101 is not allowed"),
    ("dataset.voices", ["en-us", "klingon-us"], "dataset.voices: eSpeak NG has no voice 'klingon-us'; try en-us"),
    ("dataset.voices", ["en-us+nobody"], "config key dataset.voices: 'en-us+nobody' is not allowed"),
    ("dataset.voices", [False], "False is not allowed; expected text; YAML reads yes, no, on and off as true"),
    ("listening_test.simulate", 13, "listening_test: simulate is 13 and design.participants 12; at most as many"),
    ("figures.palette", "viridsi", "config key figures.palette: 'viridsi' is not allowed (did you mean 'viridis'?)"),
    ("models.melgan.sizes", {False: {}}, "the name False is not text; write it in quotes, since YAML reads yes, no"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES)
def test_a_mistake_is_named_with_key_value_and_what_is_allowed(path, value, words):
    with pytest.raises(UserError) as error:
        checked(changed(path, value))
    assert words in str(error.value)


def numeric_keys(config, path=()):
    for key, value in config.items():
        if isinstance(value, dict):
            yield from numeric_keys(value, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield ".".join((*path, key))


@pytest.mark.parametrize("path", list(numeric_keys({key: value for key, value in WRITTEN.items() if key != "models"})))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", [], {}, True])
def test_no_numeric_key_takes_what_is_no_number(path, value):
    with pytest.raises(UserError, match=path):
        checked(changed(path, value))


def test_a_line_for_every_fault():
    config = changed("training.steps", -1)
    config["seed"] = -2
    config["dataset"]["clip"] = 3
    with pytest.raises(UserError) as error:
        checked(config)
    assert len(str(error.value).splitlines()) == 3


def test_no_budget_at_all_is_refused():
    with pytest.raises(UserError, match="training: no budget; set at least one of steps, hours, energy_kwh"):
        checked(changed("training.steps", None))


def test_answers_of_people_and_of_a_simulated_panel_are_not_mixed():
    config = changed("listening_test.simulate", 3)
    config["listening_test"]["responses"] = "answers"
    with pytest.raises(UserError, match="config key listening_test: responses and simulate are both set"):
        checked(config)


def test_what_is_left_out_is_the_default_study():
    assert checked({"models": WRITTEN["models"]}) == CONFIG
    assert checked(CONFIG) == CONFIG


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("training.gradient_clip", "1e-4", 1e-4),
        ("models.melgan.training.learning_rate", "1e-4", 1e-4),
        ("models.wavegrad.sampling.first_beta", "1e-6", 1e-6),
        # As Snakemake hands on `--config training="{steps: 5, hours: null, tf32: true}"`.
        ("training.steps", "5", 5),
        ("training.batch_size", "4", 4),
        ("training.meter_seconds", "1.5", 1.5),
        ("training.energy_kwh", "null", None),
        ("training.tf32", "true", True),
        ("dataset.path", "null", None),
        ("training.precision", "32", "32"),
        # As it hands on `--config models="{hifigan: {sizes: {S: {architecture: {channels: 128}}}}}"`.
        ("models.hifigan.sizes.S.architecture.channels", "128", 128),
        ("models.hifigan.architecture.residual_type", "1", "1"),
        ("models.hifigan.architecture.upsampling", ["8", "8", "2", "2"], [8, 8, 2, 2]),
        ("models.hifigan.training.mel_weight", "45", 45.0),
        ("models.hifigan.training.mel_weight", 45, 45.0),
        ("models.wavegrad.published_convention.architecture.upsample_factors", ["4", "4"], [4, 4]),
        ("measurements.sweep.batch_sizes", ["1", "2"], [1, 2]),
        ("seed", 7, 7),
    ],
)
def test_text_that_spells_a_number_is_read_as_one(path, text, value):
    found = checked(changed(path, text))
    for key in path.split("."):
        found = found[key]
    assert found == value
    assert type(found) is type(value)


def test_a_number_that_is_text_stays_text():
    assert checked(WRITTEN)["models"]["hifigan"]["architecture"]["residual_type"] == "1"


def test_whole_numbers_and_fractions_of_one_value_are_one_setting():
    assert checked(changed("training.meter_seconds", 3)) == checked(changed("training.meter_seconds", 3.0))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("./x", "x"),
        ("x/", "x"),
        ("a//b/./c", "a/b/c"),
        ("a/../x", "x"),
        ("{here}/x", "x"),
        ("~/x", "{home}/x"),
        ("../x", "{here_above}/x"),
        ("/tmp/x/", "/tmp/x"),
    ],
)
def test_a_folder_has_one_spelling_whatever_is_written(written, meant, tmp_path, monkeypatch):
    here, home = tmp_path / "study", tmp_path / "home"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    names = {"here": here, "home": home, "here_above": ".."}
    for key in ("results_dir", "listening_test.responses", "dataset.path"):
        found = checked(changed(key, written.format(**names)))
        for part in key.split("."):
            found = found[part]
        assert found == meant.format(**names)


def test_later_files_replace_single_keys_of_earlier_ones(tmp_path):
    (tmp_path / "a.yaml").write_text("seed: 1\nenergy: {clips: 1, windows: 2}\nsystems: [a, b]\n")
    (tmp_path / "b.yaml").write_text("energy: {clips: 10}\nsystems: [c]\n")
    merged = yaml_files.merged([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert merged == {"seed": 1, "energy": {"clips": 10, "windows": 2}, "systems": ["c"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1\n", "not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "the key a stands twice in one section, in lines 1 and 3; join the two"),
        (
            "training:\n  steps: 1\n  hours: 2\n  steps: 3\n",
            "the key steps stands twice in one section, in lines 2",
        ),
        ("a: {b: 1, b: 2}\n", "the key b stands twice"),
        ("? [a]\n: 1\n", "not valid YAML"),
        ("[1]\n", "holds no sections"),
        ("0\n", "holds no sections"),
        ("a: " + "[" * 3000 + "]" * 3000, "not valid YAML"),
        ("a: " + "[" * 200_000, "not valid YAML"),
        ("a: &a [1, *a]\n", "the alias *a in line 1 stands inside of what it names; write the value out"),
        ("a: &a\n  b: {c: *a}\n", "the alias *a in line 2 stands inside"),
        ("seed: 017\n", 'line 1: YAML reads 017 as 15, in base 8; write 15 if that is meant, or "017" in quotes'),
        ("a: [1:30]\n", "line 1: YAML reads 1:30 as 90, in base 60; write 90 if that is meant"),
    ],
)
def test_a_file_that_says_two_things_or_nothing_is_named(tmp_path, text, words):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        yaml_files.require_unique_keys([file])
    assert words in str(error.value)
    assert str(file) in str(error.value)


def test_keys_of_one_name_in_different_sections_and_merged_anchors_are_no_fault(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text("\ufeffa: &a {clips: 1}\nb: {<<: *a, clips: 2}\nc: {<<: *a}\n", encoding="utf-8")
    assert yaml_files.merged([file]) == {"a": {"clips": 1}, "b": {"clips": 2}, "c": {"clips": 1}}


@pytest.mark.parametrize("text", ['a: "017"\nb: "1:30"', "a: 0\nb: 00\nc: 0.5", "a: &a [1]\nb: [*a, *a]", "a: x:30"])
def test_numbers_as_they_look_and_texts_in_quotes_are_no_fault(tmp_path, text):
    (tmp_path / "good.yaml").write_text(text)
    assert yaml_files.merged([tmp_path / "good.yaml"]) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "file",
    [
        PROJECT / "config.yaml",
        *(files[-1] for files in PRESETS.values()),
        PROJECT / "tests" / "workflow" / "tiny.yaml",
    ],
)
def test_files_are_read_as_by_the_plain_loader_of_pyyaml(file):
    assert yaml_files.merged([file]) == yaml.load(file.read_text(), Loader=yaml.SafeLoader)


def test_the_palettes_are_those_of_seaborn():
    import seaborn

    for name in PALETTES:
        assert len(seaborn.color_palette(f"{name}_r", 3)) == len(seaborn.color_palette(name, 3)) == 3


def test_the_clips_of_a_synthetic_corpus_are_as_many_as_it_makes():
    assert SYNTHETIC_CLIPS == (synthetic_corpus.MIN_CLIPS, synthetic_corpus.MAX_CLIPS)


def test_a_required_key_that_is_missing_is_named_with_its_size(tmp_path):
    (tmp_path / "own.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass\nclass Settings:\n    units: int\n\n"
        "class Own:\n    Architecture = Settings\n"
    )
    config = changed("models.hifigan.vocoder", f"{tmp_path}/own.py:Own")
    config["models"]["hifigan"]["architecture"] = {}
    config["models"]["hifigan"]["sizes"] = {"S": {"architecture": {"units": 3}}, "M": {}}
    with pytest.raises(UserError) as error:
        checked(config)
    assert str(error.value) == "config key models.hifigan.sizes.M.architecture.units: missing; give it a value"


@pytest.mark.parametrize("name", configured_systems(CONFIG))
def test_what_the_source_of_a_class_tells_is_what_the_class_declares(name):
    """The source is read, the class imported: both have the same fields and types, and need the same values."""
    system = system_settings(CONFIG, *configured_systems(CONFIG)[name])
    for path, attribute in (
        (system.vocoder, "Architecture"), (system.vocoder, "Sampling"), (system.objective, "Recipe"),
    ):  # fmt: skip
        declared, real = declared_settings(path, attribute), getattr(load_class(path, name), attribute)
        assert keys_of(declared.kind) == keys_of(real)
        assert declared.required == tuple(
            each.name for each in dataclasses.fields(real)
            if each.default is each.default_factory is dataclasses.MISSING
        )  # fmt: skip


OWN_FILE = """
from dataclasses import dataclass, field
from typing import ClassVar
from layers import Base, Shared
import elsewhere

@dataclass(frozen=True)
class Mine(Shared):
    units: int
    rates: tuple[int, ...] = field(default=(1,))
    kind: "str" = "a"
    note: ClassVar[str] = "no setting"

class Vocoder(Base):
    Architecture = Mine

class Computed(Base):
    Architecture = elsewhere.make()

class Inherits(Vocoder):
    pass
"""


def test_the_settings_of_a_users_own_file_are_read_from_it_and_the_files_beside_it(tmp_path):
    (tmp_path / "own.py").write_text(OWN_FILE)
    (tmp_path / "layers.py").write_text(
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Shared:\n    width: float = 1.0\n"
        "class Base:\n    class Sampling:\n        pass\n"
    )
    for name in ("Vocoder", "Inherits"):
        declared = declared_settings(f"{tmp_path}/own.py:{name}", "Architecture")
        assert list(keys_of(declared.kind)) == ["width", "units", "rates", "kind"]
        assert declared.required == ("units",)
    assert declared_settings(f"{tmp_path}/own.py:Computed", "Architecture") is None
    assert declared_settings(f"{tmp_path}/own.py:Vocoder", "Sampling") is None
    assert declared_settings(f"{tmp_path}/own.py:Absent", "Architecture") is None
    assert declared_settings(f"{tmp_path}/absent.py:Vocoder", "Architecture") is None


def test_a_configuration_is_checked_without_importing_a_model():
    code = (
        "import sys; from vocoder_pareto.study.configuration import read_configuration\n"
        "read_configuration(['config.yaml']); print(sorted({'torch', 'numpy', 'seaborn'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow_scripts")}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, env=environment)
    assert shown.stdout == "[]\n", shown.stderr


def test_dots_leave_the_folder_that_a_link_leads_to_as_in_a_shell(tmp_path, monkeypatch):
    """The outside is the shell: `ls link/../x` and `pwd -P`."""
    (tmp_path / "far" / "inner").mkdir(parents=True)
    (tmp_path / "far" / "x").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "far" / "inner")
    monkeypatch.chdir(tmp_path / "here")
    meant = subprocess.run(
        "ls -d $(cd -P link/../x && pwd -P)", shell=True, capture_output=True, text=True
    ).stdout.strip()
    assert checked(changed("results_dir", "link/../x"))["results_dir"] == meant
    assert checked(changed("results_dir", "link/x"))["results_dir"] == "link/x"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"missing\.yaml: no such file"):
        yaml_files.merged([tmp_path / "missing.yaml"])


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})
