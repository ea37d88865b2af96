"""Every command that README and docs print works as it is typed: those of Snakemake as a dry run, others for real."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from project import (
    PROJECT,
    Project,
    copy_of_project,
    environment,
    path_with_warm_programs,
    run_snakemake,
    warm_snakemake,
    with_stand_in_conda,
)
from warm_python import warm_torch

pytestmark = pytest.mark.workflow

PAGES = [
    Path("README.md"),
    Path("CONTRIBUTING.md"),
    *sorted(path.relative_to(PROJECT) for path in (PROJECT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(
    r"(snakemake|python|make|pip|conda|docker|tensorboard)( |$)|vocoder-pareto \S+ \S|[A-Z]+=\S+ python "
    r"|\. \S+/activate$"
)
SENTENCE = "snakemake TARGET"  # which README prints above a table of targets
# Commands that are not run here, and what they need; see `in_its_place`.
NEEDS = {
    ". .venv/bin/activate": "what make sets up",
    "make": "the internet",
    "make test": "the internet",
    "make test-wheel": "the internet",
    "make config": "the internet",
    "make coverage": "the internet",
    "make docs": "the internet",
    "make test-conda": "the internet",
    "make test-numerics": "the internet",
    "make test-pretrained": "the internet",
    "make test-slow": "the internet",
    "make test-slurm": "root",
    "pip install .": "the internet",
    'pip install ".[completion]"': "the internet",
    'pip install ".[measure]"': "the internet",
    "vocoder-pareto check my_vocoder.py:MyVocoder": "a vocoder",
    "vocoder-pareto measure my_vocoder.py:Generator --device cpu": "a quiet machine",
    "vocoder-pareto measure my_vocoder.py:Generator --device cuda:0": "a GPU",
    "vocoder-pareto predict-mos generated --recordings recordings": "recordings",
    "pip install zeus": "the internet",
    "pip install pesq": "the internet",
    "pip install onnx onnxscript onnxruntime": "the internet",
    "pip install roc-validator": "the internet",
    "pip install vocos": "the internet",
    "python workflow_scripts/check_vocoder.py --config-files vocos.yaml --system-name vocos-base": "the package vocos",
    "docker build --tag vocoder-pareto .": "Docker",
    'docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/study" --entrypoint vocoder-pareto vocoder-pareto '
    "init my_study": "Docker",
    'docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/study" vocoder-pareto': "Docker",
    "conda create -n study -c conda-forge -c bioconda snakemake": "the internet",
    "tensorboard --logdir results/training": "someone to end it",
    "python workflow_scripts/receive_responses.py --key results/listening_test/key.json --output received": "someone "
    "to end it",
    "python -m vocoder_pareto": "arguments, which stand below it",
    "PYTHONPATH=workflow_scripts python benchmarks/roofline.py": "a finished study",
    "PYTHONPATH=workflow_scripts python benchmarks/measurement_agreement.py": "a quiet machine",
    "PYTHONPATH=workflow_scripts python benchmarks/training_throughput.py --device cuda "
    "--output training_throughput.csv": "a GPU",
    "python workflow_scripts/measure_set.py --config-files presets/paper.yaml --device cuda:0 "
    "--output resources/measured": "a GPU",
    "python workflow_scripts/redraw_figure.py --figure-table results/figure_tables/pareto.csv --figure-settings "
    """'{"medium": "column", "palette": "mako_r"}' --output-figures pareto_column.pdf""": "a finished study",
    "python workflow_scripts/check_cluster.py --config-files presets/paper.yaml": "a cluster",
    "python workflow_scripts/convert_checkpoint.py --checkpoint results/checkpoints/hifigan-L.ckpt "
    "--layout jik876_hifigan --output generator.pt": "a checkpoint",
}


def in_its_place(command: str) -> str | None:
    """What is run for a command that cannot be run here: that its program and its target exist."""
    if command.startswith("make"):
        return command.replace("make", "make --dry-run", 1)
    program = re.match(r"(?:PYTHONPATH=\S+ )?((?:python(?: -m)?|vocoder-pareto) \S+)", command)
    return f"{program[1]} --help" if program else None


@dataclass(frozen=True)
class Printed:
    """A command, and the page that prints it."""

    page: Path
    command: str


def commands_of(page: Path) -> list[str]:
    """The commands of a page: lines of its blocks, and what else is set as code and begins as a command does."""
    text = (PROJECT / page).read_text()
    found = []
    for language, block in FENCE.findall(text):
        if language == "bash":
            found += [line.strip() for line in block.splitlines()]
    found += INLINE.findall(FENCE.sub("", text))
    commands = [command for command in found if COMMAND.match(command)]
    if SENTENCE in commands:
        targets = re.findall(r"^\| (`.*?`) \|", text[text.index(SENTENCE) :], re.MULTILINE)
        commands += [f"snakemake {target}" for cell in targets for target in INLINE.findall(cell)]
        commands.remove(SENTENCE)
    return list(dict.fromkeys(commands))


def depends_on_its_page(command: str) -> bool:
    """Whether a command names settings that its page prints, and not presets alone."""
    return bool(re.search(r"(?<!presets/)\b\w+\.yaml", command))


PRINTED = [Printed(page, command) for page in PAGES for command in commands_of(page)]
ONCE = {(each.command, depends_on_its_page(each.command) and each.page): each for each in PRINTED}
RUN = [each for each in ONCE.values() if each.command not in NEEDS]
TARGETS_ALONE = re.compile(r"snakemake( [\w/.-]*\w)+")

TAKES_LONG = re.compile(r"check[-_]set")  # the FLOPs of 18 systems are counted anew


def is_of_targets_alone(each: Printed) -> bool:
    """Whether a command is one of Snakemake without any option."""
    return bool(TARGETS_ALONE.fullmatch(each.command)) and " -" not in each.command


def run_apart(each: Printed):
    """Commands of targets alone are run together, and one by one by `make test-slow`, as is what takes long."""
    marks = [pytest.mark.slow] if is_of_targets_alone(each) or TAKES_LONG.search(each.command) else []
    return pytest.param(each, id=f"{each.page.stem}: {each.command}", marks=marks)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A fresh clone, with the files that a reader has: tables, and an archive of LJSpeech."""
    project = copy_of_project(tmp_path_factory.mktemp("clone") / "vocoder-pareto")
    (project.folder / "LJSpeech-1.1.tar.bz2").touch()
    rows = "\n".join(f"model {number},{number},{number},{3 + number / 10},0.1" for number in range(5))
    for name in ("my_models.csv", "table.csv"):
        (project.folder / name).write_text(f"model,energy,energy_joules,mos,mos_error\n{rows}\n")
    return project


def run(project: Project, command: str, **variables: str) -> subprocess.CompletedProcess:
    """What `bash` does with a command; of one of Snakemake, bash tells the words, and they go to the warm one."""
    if command.startswith("snakemake "):
        words = f'snakemake() {{ printf "%s\\0" "$@"; }}; {command}'
        words = subprocess.run(["bash", "-c", words], cwd=project.folder, capture_output=True, text=True, check=True)
        return run_snakemake(words.stdout.split("\0")[:-1], project.folder, variables)
    if command.startswith("vocoder-pareto "):
        words = ["-m", "vocoder_pareto.commands.main", *shlex.split(command)[1:]]
        return warm_torch().run(words, project.folder)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=project.folder, env={**environment(), **warm_path(command), **variables},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def warm_path(command: str) -> dict[str, str]:
    """The variables with which the `python` of a shell has PyTorch imported, unless the command sets some for it."""
    return {"PATH": path_with_warm_programs()} if command.startswith("python ") else {}


def write_files_of(page: Path, project: Project) -> None:
    """Write the files that a page prints: settings that its commands name, each the block before them, and code."""
    text = (PROJECT / page).read_text()
    for language, block in FENCE.findall(text):
        if language == "python" and (name := re.match(r"# (\w+\.py)\n", block)):
            (project.folder / name[1]).write_text(block)
    for command in re.finditer(r"--configfile (?:presets/\S+ )?(\w+\.yaml)", text):
        printed = [block for language, block in FENCE.findall(text[: command.start()]) if language == "yaml"]
        if printed:
            (project.folder / command[1]).write_text(printed[-1].replace("/data/", "./"))


def test_commands_are_found():
    assert {page.name for page in PAGES} > {"README.md", "operation.md", "training.md"}
    assert len(RUN) > 20
    for text in ("snakemake results/pareto_energy.pdf", "snakemake published", "snakemake energy_sweeps"):
        assert text in [each.command for each in RUN]


def test_every_block_says_what_it_is():
    for page in PAGES:
        for language, block in FENCE.findall((PROJECT / page).read_text()):
            assert language in ("bash", "yaml", "python", "text"), f"{page}: {block}"


def test_what_is_not_run_is_printed_somewhere_and_is_no_command_of_snakemake():
    assert NEEDS.keys() - {each.command for each in PRINTED} == set()
    assert not [command for command in NEEDS if command.startswith("snakemake")]


def test_commands_of_targets_alone_work_in_one(project):
    """A target that is not there would be named: of one it makes no difference which others are asked for."""
    together = [each.command.removeprefix("snakemake ") for each in RUN if is_of_targets_alone(each)]
    assert len(together) > 15
    done = run(project, f"snakemake --dry-run {' '.join(together)}")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("each", [run_apart(each) for each in RUN])
def test_a_command_works_as_it_is_typed(project, each):
    write_files_of(each.page, project)
    dry = each.command != "snakemake --unlock"
    command = re.sub(r"^snakemake\b", "snakemake --dry-run", each.command) if dry else each.command
    variables = with_stand_in_conda() if "--use-conda" in command else {}
    done = run(project, command, **variables)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("command", [*filter(None, map(in_its_place, NEEDS))])
def test_so_does_what_stands_for_a_command_that_cannot_run_here(project, command):
    python, *words = command.split()
    done = warm_torch().run(words, project.folder) if python == "python" else run(project, command)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_no_command_needs_a_number_of_cores(project):
    """A dry run asks for none, so that one command is really run."""
    done = run(project, "snakemake results/published/table1.md")
    assert done.returncode == 0, done.stderr
    assert "Provided cores" in done.stderr


def test_jobs_are_not_taken_for_cores(project):
    done = run(project, "snakemake -j 2 results/published/table1.md --forceall")
    assert done.returncode != 0
    assert "set --cores (-c) instead" in done.stderr


def test_the_terminal_shows_what_is_wrong_with_a_job(project):
    """A recording that is truncated, and a job that works in several processes."""
    corpus = project.folder / "recordings"
    corpus.mkdir()
    for number in range(3):
        (corpus / f"{number}.wav").write_bytes(b"RIFF")
    (project.folder / "mine.yaml").write_text(
        "results_dir: results_mine\ndataset: {source: folder, path: recordings, clips: null}\n"
    )
    done = run(project, "snakemake --configfile mine.yaml -- results_mine/dataset/paper/clips.npy")
    assert done.returncode != 0
    log = (project.folder / "results_mine/logs/prepare_clips/paper.log").read_text().splitlines()
    assert log[-1].startswith("error: 3 of the recordings cannot be used: ")
    assert log[-1] in (done.stdout + done.stderr).splitlines()


def fragments(heading: str) -> list[str]:
    """The settings that operation.md prints for the profile of Slurm."""
    blocks = [
        block for language, block in FENCE.findall((PROJECT / "docs/operation.md").read_text()) if language == "yaml"
    ]
    return [block for block in blocks if block.startswith(f"# {heading}")]


def merge(settings: dict, changes: dict) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            merge(settings[key], value)
        else:
            settings[key] = value


SINFO = """
gpu|4:00:00|gpu01|32|128000|gpu:a100:4(S:0-1)|idle
cpu|1-00:00:00|cpu01|64|8000|(null)|idle
"""


def check_cluster(project: Project, *options: str) -> subprocess.CompletedProcess:
    (project.folder / "sinfo.txt").write_text(SINFO)
    words = ["workflow_scripts/check_cluster.py", "--sinfo", "sinfo.txt", *options]
    return warm_snakemake().run(words, project.folder, timeout=120)


def test_the_examples_for_slurm_are_found():
    assert len(fragments("profiles/slurm/config.yaml")) == 4
    assert len(fragments("presets/paper.yaml")) == 1


@pytest.mark.parametrize("example", fragments("profiles/slurm/config.yaml"))
def test_an_example_for_the_profile_of_slurm_gives_jobs_that_fit(project, example):
    """Short jobs of training, so that they fit the partition of four hours, and what the example sets."""
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    merge(profile, yaml.safe_load(example))
    (project.folder / "profiles/mine").mkdir(exist_ok=True)
    (project.folder / "profiles/mine/config.yaml").write_text(yaml.safe_dump(profile))
    (project.folder / "short.yaml").write_text(fragments("presets/paper.yaml")[0])
    done = check_cluster(project, "--profile", "profiles/mine", "--config-files", "presets/paper.yaml", "short.yaml")
    assert done.returncode == 0, done.stderr


def test_an_example_reaches_the_jobs(project):
    """With a type of GPU that the cluster lacks, and with time limits as the profile is, the check says so."""
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    (typed,) = [yaml.safe_load(each) for each in fragments("profiles/slurm/config.yaml") if "gpu_model" in each]
    merge(profile, yaml.safe_load(yaml.safe_dump(typed).replace("a100", "h100")))
    (project.folder / "profiles/h100").mkdir(exist_ok=True)
    (project.folder / "profiles/h100/config.yaml").write_text(yaml.safe_dump(profile))
    done = check_cluster(project, "--profile", "profiles/h100", "--config-files", "presets/paper.yaml")
    assert "train (18 jobs): asks for 1440 minutes, and partition gpu allows 240" in done.stderr
    assert "measure_energy (18 jobs): asks for 1 GPU of type h100, and partition gpu has a100" in done.stderr
