"""Only what is stale runs again: decided by content of settings and code, not by times of modification."""

import os
from functools import partial

import pytest
from project import copy_of_project, with_stand_in_conda

pytestmark = pytest.mark.workflow

OF_ONE_SYSTEM = {"train", "generate_audio", "measure_energy", "measure_quality"}
# Of the folder of results.
SPELLINGS = ("./results", "results/", "results//")
# What tells the configuration as a whole, and the page that shows it.
OF_EVERY_CHANGE = {"record_provenance", "build_report"}


def systems_of(jobs, rule):
    return {system for name, system in jobs if name == rule}


def test_a_finished_study_has_nothing_to_do(finished_study):
    assert "Nothing to be done" in finished_study.snakemake("--dry-run").stdout
    assert finished_study.stale_rules() == set()


def test_a_changed_learning_rate_of_one_size_retrains_and_regenerates_that_system_alone(study):
    study.edit(
        "tests/workflow/tiny.yaml", "      S:\n        training: {learning_rate: 1.0e-4}",
        "      S:\n        training: {learning_rate: 5.0e-4}",
    )  # fmt: skip
    jobs = study.stale_jobs()
    for rule in OF_ONE_SYSTEM:
        assert systems_of(jobs, rule) == {"melgan-S"}, rule
    assert not systems_of(jobs, "prepare_clips")


HOW_JOBS_RUN = (
    "training={retries: 3, workers: 1, log_every_steps: 7, checkpoint_minutes: 3, other_code: adopt, meter_seconds: 1, "
    "data_on_device: false, validation_clips: 1, validation_every_steps: 1, on_missing_meter: train}",
    "generation={batch_size: 2, chunk_frames: 32}",
    "meter={unreadable_rapl: error}",
    "energy={reuse: false}",
)


def test_how_jobs_run_and_what_is_remarked_is_no_reason_to_run_them_again(finished_study):
    new = {"tabulate_training_curves", "draw_training_curves"}  # of validations, which the finished study has none of
    assert finished_study.stale_rules("--config", *HOW_JOBS_RUN) <= OF_EVERY_CHANGE | new


def test_a_remark_on_carbon_is_written_on_the_cards_that_state_it(finished_study):
    setting = "carbon={intensity_source: another remark, intensity_year: 2026}"
    assert finished_study.stale_rules("--config", setting) <= OF_EVERY_CHANGE | {"write_energy_cards"}


@pytest.mark.parametrize(
    "setting",
    [
        "carbon={intensity_kg_per_kwh: 0.1}",
        "meter={cpu_watts_per_core: 20}",
        "meter={systematic_uncertainty: {nvml: 0.02}}",
    ],
)
def test_emissions_and_watts_of_an_estimate_are_computed_in_tables(finished_study, setting):
    rules = finished_study.stale_rules("--config", setting)
    assert "tabulate_systems" in rules
    assert not rules & {"train", "measure_energy", "generate_audio", "measure_quality"}


def test_how_much_is_judged_changes_audio_and_what_hears_it_alone(finished_study):
    rules = finished_study.stale_rules("--config", "evaluation={seconds: 2.0}")
    assert {"prepare_utterances", "generate_audio", "generate_reference", "measure_quality"} <= rules
    assert not rules & {
        "prepare_clips",
        "compute_mels",
        "train",
        "cut_energy_clips",
        "measure_energy",
        "measure_reference",
    }


def test_other_clips_to_measure_energy_with_change_energy_alone(finished_study):
    rules = finished_study.stale_rules("--config", "energy={clip_seconds: 0.5}")
    assert {"cut_energy_clips", "measure_energy", "measure_front_end", "measure_reference"} <= rules
    assert not rules & {"compute_mels", "train", "prepare_utterances", "generate_audio", "measure_quality"}


def test_energy_of_another_reader_is_measured_again_and_nothing_is_trained_for_it(finished_study):
    rules = finished_study.stale_rules("--config", "meter={backend: auto}")
    assert "measure_energy" in rules
    assert "train" not in rules


WORDS = {
    "a docstring": ("errors.py", '"""Bad input.', '"""Bad input, in words.'),
    "a message of an error": ("models/vocoder.py", "raise ValueError(", "raise ValueError('in short: ' "),
    "the training curve": ("training/curve.py", None, "\n\nEDITED = True\n"),
    "the description of hardware": ("measurement/hardware.py", None, "\n\nEDITED = True\n"),
    "the writing of files": ("files.py", None, "\n\nEDITED = True\n"),
}


def edit_words(study, what):
    name, old, new = WORDS[what]
    path = study.folder / "workflow_scripts/vocoder_pareto" / name
    text = path.read_text()
    assert old is None or old in text
    path.write_text(text + new if old is None else text.replace(old, new))


def comment(study):
    for file in ("workflow_scripts/train.py", "workflow_scripts/vocoder_pareto/models/melgan.py"):
        path = study.folder / file
        path.write_text(path.read_text() + "\n\n# A remark.\n")


def reorder_keys(study):
    study.edit("tests/workflow/tiny.yaml", "clips: 20\n  voices: [en-us]", "voices: [en-us]\n  clips: 20")


def write_numbers_in_another_way(study):
    study.edit("tests/workflow/tiny.yaml", "training: {learning_rate: 1.0e-4}", "training: {learning_rate: 1e-4}")
    study.edit("tests/workflow/tiny.yaml", "width_inches: 3.4", 'width_inches: "3.40"')
    study.edit("tests/workflow/tiny.yaml", "max_warmup_seconds: 0.0", "max_warmup_seconds: 0")


def touch_every_source_file(study):
    for file in study.folder.rglob("*"):
        if ".snakemake" not in file.parts and "results" not in file.relative_to(study.folder).parts and file.is_file():
            os.utime(file)


# None of these changes a result.
CHANGES = {
    **{what: partial(edit_words, what=what) for what in WORDS},
    "a comment": comment,
    "the order of keys": reorder_keys,
    "numbers written in another way": write_numbers_in_another_way,
    "a touch of every source file": touch_every_source_file,
}


def test_changes_that_change_no_result_rerun_nothing_all_together(study):
    for change in CHANGES.values():
        change(study)
    assert study.stale_rules() == set()


@pytest.mark.slow  # which of them it is, where together they do
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_changes_no_result_reruns_nothing(study, change):
    CHANGES[change](study)
    assert study.stale_rules() == set()


def test_a_changed_figure_option_redraws_figures_alone(study):
    study.edit("tests/workflow/tiny.yaml", "width_inches: 3.4", "width_inches: 5.0")
    rules = study.stale_rules()
    assert "draw_pareto" in rules
    assert not rules & {"prepare_clips", "train", "measure_energy", "tabulate_systems", "tabulate_results"}


@pytest.mark.parametrize(
    "written",
    ["x/../results", "{folder}/results", *(pytest.param(each, marks=pytest.mark.slow) for each in SPELLINGS)],
)
def test_the_folder_of_results_written_in_another_way_reruns_nothing(finished_study, written):
    folder = written.format(folder=finished_study.folder)
    assert finished_study.stale_rules("--config", f"results_dir={folder}") == set()


def test_a_fresh_clone_with_copied_results_reruns_nothing(finished_study, tmp_path):
    clone = copy_of_project(tmp_path / "clone", with_results_of=finished_study.folder)
    touch_every_source_file(clone)  # those of a clone are newer than the results
    assert clone.stale_rules() == set()


def test_a_run_with_conda_finds_nothing_to_do_after_one_without(finished_study):
    result = finished_study.snakemake("--dry-run", "--use-conda", variables=with_stand_in_conda())
    assert "Nothing to be done" in result.stdout


def test_a_real_edit_of_melgan_reruns_melgan_alone(study):
    path = study.folder / "workflow_scripts/vocoder_pareto/models/melgan.py"
    stat = path.stat()
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    os.utime(path, (stat.st_atime - 1e6, stat.st_mtime - 1e6))  # content counts, not the time
    jobs = study.stale_jobs()
    for rule in OF_ONE_SYSTEM | {"measure_complexity"}:
        assert systems_of(jobs, rule) == {"melgan-S", "melgan-M"}, rule
    assert not systems_of(jobs, "prepare_clips")


@pytest.mark.slow
def test_a_reverted_edit_reruns_nothing(study):
    path = study.folder / "workflow_scripts/vocoder_pareto/models/melgan.py"
    original = path.read_text()
    path.write_text(original + "\n\nEDITED = True\n")
    assert study.stale_rules()
    path.write_text(original)
    assert study.stale_rules() == set()


def test_an_edit_of_a_module_beside_a_users_own_vocoder_reruns_that_system_alone(study):
    vocoder = study.folder / "tests/workflow/sinusoid_vocoder.py"
    (vocoder.parent / "waves.py").write_text("CYCLES = 1\n")
    vocoder.write_text(vocoder.read_text().replace("import torch\n", "import torch\nfrom waves import CYCLES\n", 1))
    study.snakemake("--touch")
    assert study.stale_rules() == set()
    (vocoder.parent / "waves.py").write_text("CYCLES = 2\n")
    jobs = study.stale_jobs()
    for rule in OF_ONE_SYSTEM | {"measure_complexity"}:
        assert systems_of(jobs, rule) == {"sinusoids-S"}, rule


def test_an_edit_of_the_figures_code_redraws_and_measures_nothing(study):
    path = study.folder / "workflow_scripts/draw_pareto.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    rules = study.stale_rules()
    assert "draw_pareto" in rules
    assert not rules & {"train", "measure_energy", "tabulate_systems"}


def test_files_beside_outputs_that_were_deleted_or_cut_are_made_again(study):
    """Of a trained system's audio, the page, and the listening test."""
    results = study.folder / "results"
    for pattern in ("generated/melgan-S/*.wav", "report/audio/ground_truth/*.wav", "listening_test/page/stimuli/*.wav"):
        next(results.glob(pattern)).unlink()
    picture = next((results / "report/pictures/griffin_lim").glob("*.png"))
    picture.write_bytes(picture.read_bytes()[:50])
    jobs = study.stale_jobs("--", "all", "listening_test")
    assert systems_of(jobs, "generate_audio") == {"melgan-S"}
    assert {"build_report", "export_listening_test"} <= {rule for rule, _ in jobs}
    assert not {rule for rule, _ in jobs} & {"train", "measure_energy", "prepare_clips"}
