"""Where the time of a study goes: work, start-up of programs, and Snakemake between the jobs.

Reads what Snakemake recorded of the jobs of one complete run in this folder (say `snakemake --cores 2` in a fresh
clone), times the start-up of every program (`--help`: Python, all that the program imports, and its end), and prints a
table; `--output-document docs/performance.md` puts it there, too.

    PYTHONPATH=workflow_scripts python benchmarks/study_time.py
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from documented import replace_sections, require_sections, table
from tqdm import tqdm

from vocoder_pareto.program import run_program

PROGRAMS = Path(__file__).parents[1] / "workflow_scripts"
STAGES = {
    "preprocessing": [
        "synthesize_corpus.py",
        "fetch_ljspeech.py",
        "prepare_clips.py",
        "compute_mels.py",
        "prepare_utterances.py",
        "cut_energy_clips.py",
    ],
    "training": ["train.py"],
    "generation": ["generate_audio.py", "generate_reference.py"],
    "counting of FLOPs": ["measure_complexity.py"],
    "measurement of energy": ["measure_energy.py", "measure_front_end.py", "measure_reference.py"],
    "objective quality": ["measure_quality.py"],
    "predicted MOS": ["try_predictor.py", "predict_mos.py"],
}
OTHERS = "tables, figures, report"


@dataclass(frozen=True)
class Job:
    """One job as Snakemake recorded it; times are seconds since the epoch."""

    program: str
    begin: float
    end: float


def recorded_jobs(folder: Path) -> list[Job]:
    """The jobs whose outputs lie in `folder`, each once, though it is recorded with every output."""
    records = [
        json.loads(file.read_text()) for file in (folder / ".snakemake" / "metadata").rglob("*") if file.is_file()
    ]
    jobs = {}
    for record in records:
        command = record["shellcmd"] or ""
        program = next((Path(word).name for word in command.split() if word.endswith(".py")), None)
        if program:
            jobs[command] = Job(program, record["starttime"], record["endtime"])
    return sorted(jobs.values(), key=lambda job: job.begin)


def start_up_seconds(program: str, rounds: int) -> float:
    """The shortest of some starts of a program that prints its help: files are in memory, as in a running study."""
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run([sys.executable, str(PROGRAMS / program), "--help"], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def seconds_without_jobs(jobs: list[Job]) -> float:
    """Time between the first job's begin and the last one's end in which no job ran; `jobs` in order of begin."""
    idle, until = 0.0, jobs[0].begin
    for job in jobs:
        idle += max(job.begin - until, 0.0)
        until = max(until, job.end)
    return idle


def breakdown(jobs: list[Job], rounds: int) -> pd.DataFrame:
    """A row per stage: its jobs, their seconds, and how many of these were start-up."""
    stage_of = {program: stage for stage, programs in STAGES.items() for program in programs}
    start_up = {
        program: start_up_seconds(program, rounds)
        for program in tqdm(sorted({job.program for job in jobs}), desc="Timing the start-up of programs")
    }
    rows = pd.DataFrame(
        {
            "stage": stage_of.get(job.program, OTHERS),
            "seconds": job.end - job.begin,
            "start_up_seconds": min(start_up[job.program], job.end - job.begin),
        }
        for job in jobs
    )
    stages = rows.groupby("stage", sort=False).agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), start_up_seconds=("start_up_seconds", "sum")
    )
    order = [stage for stage in [*STAGES, OTHERS] if stage in stages.index]
    return stages.loc[order]


def report(jobs: list[Job], stages: pd.DataFrame) -> str:
    """The table, and what it comes to."""
    between = seconds_without_jobs(jobs)
    spent = stages["seconds"].sum() + between
    rows = [
        [stage, f"{row.jobs:.0f}", f"{row.seconds:.0f}", f"{row.start_up_seconds:.0f}", f"{row.seconds / spent:.0%}"]
        for stage, row in stages.iterrows()
    ]
    rows.append(["Snakemake between jobs", "", f"{between:.0f}", "", f"{between / spent:.0%}"])
    overhead = stages["start_up_seconds"].sum() + between
    wall = max(job.end for job in jobs) - jobs[0].begin
    return (
        f"{table(['stage', 'jobs', 'seconds in jobs', 'of these start-up', 'share of all'], rows)}\n\n"
        f"{wall:.0f} s from the first job to the last; overhead (start-up, and between jobs): {overhead / spent:.0%}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(), help="folder where Snakemake ran (default: here)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often to repeat (default: %(default)s starts of each program)"
    )
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["study"])
    jobs = recorded_jobs(arguments.folder)
    if not jobs:
        parser.error(f"no record of a job in {arguments.folder / '.snakemake'}; run the study there first")
    text = report(jobs, breakdown(jobs, arguments.rounds))
    print(text)
    replace_sections(arguments.output_document, {"study": text})


if __name__ == "__main__":
    run_program(main)
