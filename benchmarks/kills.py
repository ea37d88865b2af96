"""Kills a small study at random moments, each time with all its jobs, and lets it go on; then compares it with one that
nothing disturbed: weights, audio, data, counts, quality and tables must be equal, and nothing half-written may remain.

Snakemake and what it started get SIGKILL together, as from a machine that loses power. Some ten minutes:

    PYTHONPATH=workflow_scripts python benchmarks/kills.py --kill-count 20
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from checkout import copy_of_checkout, environment_of_user

from vocoder_pareto.errors import UserError
from vocoder_pareto.program import run_program
from vocoder_pareto.tables.csv_files import read_csv

PROJECT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "tests/workflow/tiny.yaml", "own.yaml"]
# Long enough that kills fall into a training, with a state after every few steps.
OWN = "training: {steps: 40, checkpoint_minutes: 1.0e-3}\n"
EQUAL = ("dataset/*/*.npy", "dataset/*/*.csv", "data/**/*.wav", "generated/*/*.wav", "measurements/quality/*.csv",
         "measurements/complexity/*.json", "published/**/*.csv")  # fmt: skip
EQUAL_BUT_FOR_MEASURED = ("systems.csv", "training/*/metrics.csv")
# Columns of these that are measured anew in every run.
MEASURED = ("energy", "power", "watts", "seconds", "real_time_factor", "memory", "latency", "co2eq", "joules")


def prepared(folder: Path) -> None:
    """A copy of this checkout in `folder`, with the settings of the study."""
    copy_of_checkout(PROJECT, folder)
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")


def started(folder: Path, *arguments: str) -> subprocess.Popen:
    """Snakemake in a session of its own, so that it and all its jobs can be killed at once."""
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, env=environment_of_user(), stdout=said,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def finished(folder: Path, *arguments: str) -> float:
    """Run Snakemake to its end; its seconds."""
    begin = time.monotonic()
    if started(folder, *arguments).wait():
        raise UserError(f"the study failed:\n{(folder / 'said.txt').read_text()[-3000:]}")
    return time.monotonic() - begin


def kill_after(folder: Path, seconds: float) -> str:
    """Start the study, kill it after so long, and return what it was doing; `ended` if it was faster."""
    snakemake = started(folder)
    try:
        snakemake.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(snakemake.pid, signal.SIGKILL)
        snakemake.wait()
        jobs = [line for line in (folder / "said.txt").read_text().splitlines() if line.startswith("Job ")]
        finished(folder, "--unlock")
        return f"killed after {seconds:5.1f} s, {(jobs or ['while planning'])[-1]}"
    return "ended"


def contents(results: Path) -> dict[str, str]:
    """Digests of what two runs must have in common, by file."""
    found = {}
    for pattern in EQUAL:
        for file in results.glob(pattern):
            found[str(file.relative_to(results))] = hashlib.sha256(file.read_bytes()).hexdigest()
    for file in results.glob("checkpoints/*.ckpt"):
        weights = torch.load(file, weights_only=True)["state_dict"]
        digest = hashlib.sha256(b"".join(value.numpy().tobytes() for _, value in sorted(weights.items())))
        found[str(file.relative_to(results))] = digest.hexdigest()
    for file in [file for pattern in EQUAL_BUT_FOR_MEASURED for file in results.glob(pattern)]:
        table = read_csv(file)
        same = {name: table.texts(name) for name in table.columns if not any(word in name for word in MEASURED)}
        found[str(file.relative_to(results))] = hashlib.sha256(repr(same).encode()).hexdigest()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kill-count", type=int, default=20, help="how often to kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments (default: %(default)s)")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed, disturbed = Path(temporary, "undisturbed"), Path(temporary, "disturbed")
        prepared(undisturbed)
        prepared(disturbed)
        seconds = finished(undisturbed)
        print(f"undisturbed: {seconds:.0f} s", flush=True)
        start_up = 3.0
        for number in range(arguments.kill_count):
            # Exponential, so that every moment is as likely; about the whole study's length over all kills.
            pause = start_up + moments.expovariate(arguments.kill_count / seconds)
            print(f"{number + 1:2}: {kill_after(disturbed, pause)}", flush=True)
        finished(disturbed)
        one, other = contents(undisturbed / "results"), contents(disturbed / "results")
        differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
        left = sorted(str(file.relative_to(disturbed)) for file in (disturbed / "results").rglob("*partial*"))
        print(f"{len(one)} files compared, {len(differing)} differ, {len(left)} half-written files remain")
        if differing or left:
            raise UserError("; ".join([*differing, *left]))


if __name__ == "__main__":
    run_program(main)
