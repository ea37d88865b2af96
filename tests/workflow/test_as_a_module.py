"""The study as a module of another workflow, from a path and from a repository as snakedeploy names it.

The example of docs/as_a_module.md is run word for word, from the files that the page prints.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from project import PROJECT, TINY_CONFIG, copy_of_project, run_snakemake

pytestmark = pytest.mark.workflow

PAGE = (PROJECT / "docs" / "as_a_module.md").read_text()
PRINTED = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
MODULE = PRINTED["Snakefile"].partition("\n\nrule ")[0].replace('"config.yaml"', '"own.yaml"')
# What `snakedeploy deploy-workflow https://github.com/someone/vocoder-pareto . --branch main` (0.17.1) writes.
DEPLOYED = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


module vocoder_pareto:
    snakefile:
        github("someone/vocoder-pareto", path="workflow/Snakefile", {reference})
    config:
        config


use rule * from vocoder_pareto
"""
CACHED_CLONE = "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/someone/vocoder-pareto"


def snakemake(folder: Path, *arguments: str, **variables: str) -> str:
    """Run Snakemake in `folder` and return all that it says, or fail."""
    result = run_snakemake(["--cores", "2", *arguments], folder, variables)
    if result.returncode:
        logs = "\n".join(log.read_text() for log in folder.rglob("results/logs/**/*.log"))
        pytest.fail(f"{result.stdout}\n{result.stderr}\n{logs}")
    return result.stdout + result.stderr


def module(snakefile: Path) -> str:
    """What the page prints of a workflow whose module lies elsewhere, and that has no rule of its own."""
    assert MODULE.count('"vocoder-pareto/Snakefile"') == 1
    return MODULE.replace('"vocoder-pareto/Snakefile"', repr(str(snakefile)))


def example(folder: Path) -> Path:
    """The example, as the page prints it."""
    copy_of_project(folder / "vocoder-pareto")
    for name, text in PRINTED.items():
        (folder / name).write_text(text)
    return folder


def outer_workflow(folder: Path, snakefile: Path, **settings) -> None:
    """Another workflow in `folder`, which has the study for a module; `settings` go over those of the tiny study."""
    tiny = yaml.safe_load((PROJECT / TINY_CONFIG).read_text())
    del tiny["models"]["sinusoids"]  # its class lies in a file of the project
    own = {**tiny, "systems": ["melgan-S"], **settings}
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text(yaml.safe_dump({"vocoders": own}))
    (folder / "Snakefile").write_text(module(snakefile))


def test_the_example_of_the_documentation_measures_its_own_models(tmp_path):
    """As a dry run; the next test takes it at its word."""
    assert PRINTED.keys() == {"Snakefile", "config.yaml", "our_vocoder.py"}
    said = snakemake(example(tmp_path), "--dry-run", "--printshellcmds")
    for system in ("ours-narrow", "ours-wide", "hifigan-S"):
        assert f"vocoders/results/measurements/energy/{system}.json" in said
    assert "rule choose_size" in said


@pytest.mark.slow
def test_the_example_of_the_documentation_chooses_the_size_that_costs_less(tmp_path):
    """The wide one has 32 times the operations of the narrow one."""
    snakemake(example(tmp_path))
    system, joules, source = (tmp_path / "chosen.txt").read_text().split()
    assert system == "ours-narrow"
    assert float(joules) > 0
    assert source in ("rapl", "nvml", "estimated")
    assert (tmp_path / "vocoders" / "results" / "pareto_energy.pdf").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {
        *PRINTED,
        "vocoder-pareto",
        "vocoders",
        "chosen.txt",
        ".snakemake",
    }


@pytest.mark.slow
@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_a_module_with_a_prefix_writes_below_it_and_nothing_else(tmp_path, snakefile):
    outer_workflow(tmp_path / "outer", PROJECT / snakefile)
    before = set(PROJECT.iterdir())
    targets = ["vocoders/results/checkpoints/melgan-S.ckpt", "vocoders/results/listening_test/key.json"]
    snakemake(tmp_path / "outer", "--", *targets, "vocoder_published")
    for file in (*targets, "vocoders/results/published/pareto.pdf", "vocoders/results/training/melgan-S/summary.json"):
        assert (tmp_path / "outer" / file).is_file(), file
    assert list((tmp_path / "outer/vocoders/results/training/melgan-S").glob("*/*.pt")), "the state of training"
    made = {path.name for path in (tmp_path / "outer").iterdir()}
    assert made == {"Snakefile", "own.yaml", ".snakemake", "vocoders"}
    assert set(PROJECT.iterdir()) == before
    assert "Nothing to be done" in snakemake(tmp_path / "outer", "--dry-run", "--", *targets, "vocoder_published")


@pytest.mark.slow
def test_a_prefix_does_not_concern_a_users_own_files_and_those_of_the_workflow(tmp_path):
    """The workflow lies in a folder of the outer one, so that paths to both are inside it."""
    outer = tmp_path / "outer"
    copy_of_project(outer / "modules" / "vocoder-pareto")
    models = {"melgan": {"sizes": {"S": {"training": {"checkpoint": "mine/weights.pt"}}}}}
    listening = {"texts": "mine/texts.json", "responses": "mine/answers"}
    outer_workflow(outer, Path("modules/vocoder-pareto/Snakefile"), models=models, listening_test=listening)
    (outer / "mine" / "answers").mkdir(parents=True)
    shutil.copy(PROJECT / "resources/listening_test/texts.json", outer / "mine")
    for name in ("weights.pt", "answers/one.csv"):
        (outer / "mine" / name).touch()
    said = snakemake(outer, "--dry-run", "--printshellcmds", "--", "vocoder_all", "vocoder_listening_test")
    words = set(said.replace(",", " ").split())
    assert {"mine/texts.json", "mine/weights.pt", "modules/vocoder-pareto/workflow_scripts/take_weights.py"} <= words
    assert not [word for word in words if word.startswith(("vocoders/mine", "vocoders/modules", "results/"))]


@pytest.mark.slow
def test_a_module_need_not_repeat_the_defaults(tmp_path):
    (tmp_path / "own.yaml").write_text("vocoders: {systems: [hifigan-L]}")
    (tmp_path / "Snakefile").write_text(module(PROJECT / "Snakefile"))
    said = snakemake(tmp_path, "--dry-run", "--quiet", "rules", "--", "vocoder_all")
    assert "vocoder_train" in said


def test_rules_stay_on_the_machine_of_snakemake_whatever_a_module_calls_them(tmp_path):
    outer_workflow(tmp_path, PROJECT / "Snakefile")
    assert "localrules directive specifies rules that are not present" not in snakemake(tmp_path, "--dry-run")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["branch", "commit"])
def test_a_study_that_snakedeploy_deployed_runs_from_the_repository(tmp_path, kind):
    """The clone of GitHub that Snakemake would make is there already, so that nothing is downloaded."""
    source = copy_of_project(tmp_path / "source").folder
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "--quiet", "--initial-branch", "main"], ["add", "--all"], ["commit", "--quiet", "-m", "a"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    clone = tmp_path / "cache" / CACHED_CLONE
    subprocess.run(["git", "clone", "--quiet", "--bare", str(source), str(clone)], check=True)

    deployed = tmp_path / "deployed"
    for folder in ("config", "profiles"):
        shutil.copytree(source / folder, deployed / folder)
    reference = 'branch="main"' if kind == "branch" else f'commit="{commit}"'
    (deployed / "workflow").mkdir()
    (deployed / "workflow" / "Snakefile").write_text(DEPLOYED.format(reference=reference))

    variables = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert "train" in snakemake(deployed, "--dry-run", "--quiet", "rules", **variables)
    snakemake(deployed, "published", "results/dataset/paper/mels.npy", **variables)
    assert (deployed / "results/published/table1.md").is_file()
    assert {path.name for path in deployed.iterdir()} == {"config", "profiles", "workflow", ".snakemake", "results"}
    said = snakemake(deployed, "--dry-run", "published", "results/dataset/paper/mels.npy", **variables)
    assert "Nothing to be done" in said


def test_the_files_of_the_workflow_catalog_are_there():
    """As https://github.com/snakemake/snakemake-workflow-catalog asks for standardised use."""
    assert (PROJECT / "workflow" / "Snakefile").is_file()
    assert (PROJECT / "config" / "README.md").is_file()
    usage = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True
    assert (PROJECT / "config/config.yaml").read_text() == (PROJECT / "config.yaml").read_text()
