"""Results that were copied without Snakemake's records; the outside is Snakemake's own class that writes records."""

import shutil

import pytest
from snakemake.cli import get_argument_parser
from snakemake.persistence.file import FilePersistence

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.known_results import WITH_VALUE, require_known, sign

RUN = ("--cores", "2")
RESULTS = ["results", "a/prefix/of a module/results", "/scratch/réunion/" + "long/" * 60 + "results"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(results, file="dataset/clips.npy"):
    (results / file).parent.mkdir(parents=True, exist_ok=True)
    (results / file).write_text("a result")


def record(output, folder=".snakemake"):
    FilePersistence()._io_write(f"{folder}/metadata", {"rule": "prepare_clips"}, output)


def known(results="results", *command):
    require_known(results, ".snakemake", command or RUN)


@pytest.mark.parametrize("place", range(3))
def test_results_that_snakemake_recorded_here_are_known(here, place):
    results = RESULTS[place] if place < 2 else str(here / RESULTS[place][1:])
    make(here / results)
    record(f"{results}/dataset/clips.npy")
    known(results)
    known(results)
    shutil.rmtree(here / ".snakemake" / "metadata")
    known(results)  # by their token now


def test_a_job_that_was_killed_is_ours_too(here):
    FilePersistence()._mark_incomplete("results/dataset/clips.npy", None)
    make(here / "results")
    known()


@pytest.mark.parametrize("recorded", [None, "results_of_another/x.csv", "resultsB/x.csv", "data/LJSpeech-1.1/x.csv"])
@pytest.mark.parametrize("signed", [True, False])
def test_results_from_elsewhere_are_refused_with_the_ways_out(here, recorded, signed):
    make(here / "results")
    if signed:
        sign("results", "elsewhere/.snakemake")
    if recorded:
        record(recorded)
    with pytest.raises(UserError, match=r"results: .*cp -a results \.snakemake.*--touch --forceall.*results_dir"):
        known()


def test_results_that_replace_ours_are_refused(here):
    make(here / "results")
    record("results/dataset/clips.npy")
    known()
    shutil.rmtree(here / "results")
    make(here / "results")
    with pytest.raises(UserError, match="come from another folder"):
        known()


def test_results_that_were_deleted_and_made_again_here_are_ours(here):
    """As in a module, where nothing tells the start of a run."""
    make(here / "results")
    record("results/dataset/clips.npy")
    known()
    shutil.rmtree(here / "results")
    known()
    make(here / "results")
    known()


def test_results_that_were_renamed_are_refused(here):
    """Snakemake names its records by the path of the output, so it has none of `results_old/`."""
    make(here / "results")
    record("results/dataset/clips.npy")
    known()
    (here / "results").rename(here / "results_old")
    with pytest.raises(UserError, match="results_old"):
        known("results_old")


def test_results_copied_with_their_records_are_known(here):
    make(here / "results")
    record("results/dataset/clips.npy")
    sign("results", ".snakemake")
    shutil.copytree(here, here / "clone", ignore=shutil.ignore_patterns("clone"))
    require_known("results", here / "clone" / ".snakemake", RUN)


@pytest.mark.parametrize(
    "command", [("--touch", "--forceall"), ("-tF",), ("-c2", "-F"), ("--forceall", "-j", "4"), ("-Fc1", "--touch")]
)
def test_a_command_that_records_all_of_them_takes_them_over(here, command):
    make(here / "results")
    known("results", *command)
    known()


@pytest.mark.parametrize("command", [("-nF",), ("-np", "--forceall"), ("-t", "-F", "--dry-run"), ("-F", "--dryrun")])
def test_a_dry_run_of_such_a_command_takes_nothing_over(here, command):
    make(here / "results")
    known("results", *command)
    with pytest.raises(UserError):
        known()


@pytest.mark.parametrize("command", [("--touch",), ("-t",), ("-sFast.smk",), ("-pd", "Folder"), ("-c4",)])
def test_other_commands_record_nothing_of_them_and_are_refused(here, command):
    make(here / "results")
    with pytest.raises(UserError):
        known("results", *command)


def test_the_short_options_that_take_values_are_those_of_snakemake():
    actions = get_argument_parser()._actions
    short = {(name[1], action.nargs) for action in actions for name in action.option_strings if len(name) == 2}
    assert {letter for letter, values in short if values != 0} == set(WITH_VALUE)


@pytest.mark.parametrize("command", ["--unlock", "--lint"])
def test_commands_that_concern_no_result_work(here, command):
    make(here / "results")
    known("results", command)


@pytest.mark.parametrize("file", ["README.md", ".gitkeep", "logs/x.log", "data/synthetic/wavs/a.wav"])
def test_what_a_clone_or_a_failed_first_job_holds_is_no_result(here, file):
    make(here / "results", file)
    (here / "results" / "dataset").mkdir()
    known()
    assert not (here / "results" / ".identity").exists()
