"""Which change runs how many jobs again: one change at a time to a finished small study, through the real Snakefile.

Each checkout of the project that is named runs a study of a few small systems on recordings of its own, then is changed
in a copy, where `snakemake --dry-run` counts the jobs that it would run. Prints a table with a column per checkout and
writes it as CSV; `--output-document docs/operation.md` puts it there, too. Some five minutes per checkout:

    PYTHONPATH=workflow_scripts python benchmarks/stale_jobs.py --projects before=../older now=. --output stale_jobs.csv
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml
from checkout import copy_of_checkout, environment_of_user
from documented import replace_sections, require_sections, table
from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.program import run_program

LOG = re.compile(r"&>>? (?:'[^']*/logs/|\S*?logs/)(\w+)(?:/([\w.-]+))?\.log")
LIBRARY = "workflow_scripts/vocoder_pareto"
VOCODER, HELPER = "tests/workflow/sinusoid_vocoder.py", "tests/workflow/waves.py"
OWN = {
    "systems": ["melgan-S", "sinusoids-S", "sinusoids-G"],
    "dataset": {"source": "folder", "path": "recordings", "clips": None},
    "models": {"sinusoids": {"sizes": {"G": {"architecture": {"sinusoids": 16}, "training": {"checkpoint": "w.pt"}}}}},
}
SAVE_WEIGHTS = """
import sys, torch
sys.path[:0] = ["workflow_scripts", "tests/workflow"]
from sinusoid_vocoder import SinusoidArchitecture, SinusoidVocoder
torch.manual_seed(int(sys.argv[1]))
torch.save(SinusoidVocoder(SinusoidArchitecture(sinusoids=16)).state_dict(), "w.pt")
"""


@dataclass(frozen=True)
class Study:
    """A checkout of the project with a finished study in it."""

    folder: Path

    def snakemake(self, *arguments: str) -> str:
        """What Snakemake says; it ends the benchmark if it fails."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2"]
        return self.run([*command, "--configfile", "tests/workflow/tiny.yaml", "own.yaml", *arguments])

    def run(self, command: list[str]) -> str:
        """Run a command in the study's folder."""
        variables = {
            **environment_of_user(),
            "PYTHONPATH": str(Path(HELPER).parent),
        }
        done = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"{self.folder}: {' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout + done.stderr

    def stale_jobs(self, arguments: tuple[str, ...]) -> list[tuple[str, str]]:
        """The jobs of a dry run: rule, and system or other wildcard."""
        return sorted(set(LOG.findall(self.snakemake("--dry-run", "--printshellcmds", *arguments))))

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace the first place of `old` in a file."""
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise UserError(f"{file}: does not hold {old!r}, which this benchmark edits")
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, name: str) -> None:
        """A real edit of a module."""
        with (self.folder / LIBRARY / name).open("a", encoding="utf-8") as file:
            file.write("\n\nEDITED = True\n")

    def replace_weights(self) -> None:
        """Other given weights, in a file with the time stamp of the old one, less an hour."""
        before = (self.folder / "w.pt").stat()
        self.run([sys.executable, "-c", SAVE_WEIGHTS, "1"])
        os.utime(self.folder / "w.pt", (before.st_atime - 3600, before.st_mtime - 3600))

    def edit_recording(self) -> None:
        """Other samples in a recording, at equal size and time."""
        file = self.recordings()[0]
        before, content = file.stat(), bytearray(file.read_bytes())
        content[-2000:] = bytes(2000)
        content[1000:9000] = content[9000:1000:-1]
        file.write_bytes(content)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    def move_recordings(self) -> None:
        """The same recordings in another folder, which the configuration names."""
        (self.folder / "recordings").rename(self.folder / "moved")
        self.replace("own.yaml", "path: recordings", "path: moved")

    def recordings(self) -> list[Path]:
        """The files of the corpus."""
        return sorted((self.folder / "recordings").glob("*.wav"))

    def audio(self) -> Path:
        """A reconstruction that one of the systems generated."""
        return min((self.folder / "results/generated/melgan-S").glob("*.wav"))


@dataclass(frozen=True)
class Change:
    """What is changed, what should run again, and how it is done; `arguments` go to Snakemake."""

    name: str
    expected: str
    apply: Callable[[Study], object] = lambda study: None
    arguments: tuple[str, ...] = ()


def touch(study: Study) -> None:
    """Give every recording, weight and program a new time stamp."""
    for file in [*study.recordings(), study.folder / "w.pt", *(study.folder / LIBRARY).rglob("*.py")]:
        os.utime(file)


def config(name: str, expected: str, setting: str) -> Change:
    """A change of settings."""
    return Change(name, expected, arguments=("--config", setting))


ONE_SYSTEM = "one system"
NOTHING = "nothing"
RECORD = "record and page"
TABLES = "tables, figures"
CHANGES = (
    Change("none", NOTHING),
    Change("a recording edited at equal size and time", "all but FLOPs", Study.edit_recording),
    Change("the same recordings in another folder", RECORD, Study.move_recordings),
    Change("given weights of other content and older time", ONE_SYSTEM, Study.replace_weights),
    Change("a module beside one's own vocoder edited", "its systems", lambda study: study.replace(HELPER, "1", "2")),
    Change("generated audio deleted", ONE_SYSTEM, lambda study: study.audio().unlink()),
    Change("generated audio truncated", ONE_SYSTEM, lambda study: os.truncate(study.audio(), 100)),
    Change("audio of the report page deleted", "page", lambda s: shutil.rmtree(s.folder / "results/report/audio")),
    Change("results copied without .snakemake", "refused", lambda s: shutil.rmtree(s.folder / ".snakemake")),
    Change("everything touched", NOTHING, touch),
    Change("a docstring of errors.py", NOTHING, lambda s: s.replace(f"{LIBRARY}/errors.py", '"""', '"""Now: ')),
    Change("a comment in melgan.py", NOTHING, lambda s: s.replace(f"{LIBRARY}/models/melgan.py", "\n\n", "\n# x\n\n")),
    Change("training/curve.py edited", NOTHING, lambda study: study.append("training/curve.py")),
    Change("measurement/hardware.py edited", NOTHING, lambda study: study.append("measurement/hardware.py")),
    Change("files.py edited", NOTHING, lambda study: study.append("files.py")),
    Change("melgan.py edited", ONE_SYSTEM, lambda study: study.append("models/melgan.py")),
    config("a learning rate", ONE_SYSTEM, "models={melgan: {sizes: {S: {training: {learning_rate: 0.0003}}}}}"),
    config("training.retries", RECORD, "training={retries: 7}"),
    config("training.workers", RECORD, "training={workers: 1}"),
    config("training.log_every_steps", RECORD, "training={log_every_steps: 7}"),
    config("training.checkpoint_minutes", RECORD, "training={checkpoint_minutes: 3}"),
    config("a remark on carbon", "record, page and cards", "carbon={intensity_source: another}"),
    config("carbon.intensity_kg_per_kwh", TABLES, "carbon={intensity_kg_per_kwh: 0.1}"),
    config("meter.cpu_watts_per_core", TABLES, "meter={cpu_watts_per_core: 20}"),
    config("another spelling of results_dir", NOTHING, "results_dir=./results/"),
    config("width of figures", "figures", "figures={width_inches: 5.0}"),
)  # fmt: skip


def prepared(project: Path, folder: Path) -> Study:
    """A copy of the tracked files of `project` with recordings, given weights and a finished study."""
    copy_of_checkout(project, folder)
    study = Study(folder)
    study.replace(VOCODER, "import torch\n", "import torch\nfrom waves import CYCLES\n")
    (folder / HELPER).write_text("CYCLES = 1\n", encoding="utf-8")
    study.run([sys.executable, "-c", SAVE_WEIGHTS, "0"])
    (folder / "own.yaml").write_text("dataset: {source: synthetic}\n", encoding="utf-8")
    study.snakemake("--", "results/data/synthetic/metadata.csv")
    shutil.copytree(folder / "results/data/synthetic/wavs", folder / "recordings")
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / ".snakemake")
    (folder / "own.yaml").write_text(yaml.safe_dump(OWN), encoding="utf-8")
    study.snakemake()
    return study


def counted(study: Study, change: Change, folder: Path) -> dict[str, object]:
    """How many jobs a change runs again, and which; in a copy of the study in `folder`, which is removed."""
    shutil.copytree(study.folder, folder, symlinks=True)
    changed = Study(folder)
    try:
        change.apply(changed)
        jobs = changed.stale_jobs(change.arguments)
    except UserError as error:
        if "failed" not in str(error):
            raise
        return {"jobs": "refused", "rules": ""}
    finally:
        shutil.rmtree(folder)
    return {"jobs": str(len(jobs)), "rules": " ".join(sorted({rule for rule, _ in jobs}))}


def measured(projects: dict[str, Path]) -> pd.DataFrame:
    """A row per change: what should run again, and the jobs and rules that run again in each checkout."""
    rows = pd.DataFrame({"change": [each.name for each in CHANGES], "expected": [each.expected for each in CHANGES]})
    for name, project in projects.items():
        with tempfile.TemporaryDirectory() as temporary:
            study = prepared(project, Path(temporary, "study"))
            found = [
                counted(study, change, Path(temporary, "changed"))
                for change in tqdm(CHANGES, desc=f"Changing the study of {name}")
            ]
        rows[f"jobs_{name}"] = [each["jobs"] for each in found]
        rows[f"rules_{name}"] = [each["rules"] for each in found]
    return rows


def named_folders(texts: list[str]) -> dict[str, Path]:
    """The folders of `name=folder`, by name."""
    found = {}
    for text in texts:
        name, _, folder = text.partition("=")
        if not folder or not Path(folder, "Snakefile").is_file():
            raise UserError(f"--projects {text}: is not name=folder of a checkout")
        found[name] = Path(folder)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", nargs="+", required=True, help="checkouts to compare, as name=folder")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    parser.add_argument("--output-document", type=Path, help="document to write the table into (docs/operation.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["stale_jobs"])
    rows = measured(named_folders(arguments.projects))
    rows.to_csv(arguments.output, index=False)
    shown = [name for name in rows if not name.startswith("rules_")]
    text = table([name.replace("_", " ") for name in shown], rows[shown].to_numpy().tolist())
    print(text)
    replace_sections(arguments.output_document, {"stale_jobs": text})


if __name__ == "__main__":
    run_program(main)
