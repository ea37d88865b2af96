"""How long Snakemake plans a study: a dry run of the configured systems, and of a zoo of many.

Prints seconds and the number of jobs. Run it in the project's folder:

    python benchmarks/dag.py --system-count 500
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]


def zoo(systems: int) -> dict:
    """A configuration of `systems` systems: those of config.yaml, and one family in many sizes."""
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    known = sum(len(model["sizes"]) for model in config["models"].values())
    sizes = {f"N{channels}": {"architecture": {"channels": channels}} for channels in range(1, systems - known + 1)}
    return {"systems": "all", "models": {"zoo": {**config["models"]["melgan"], "sizes": sizes}}}


def planning_seconds(arguments: list[str]) -> tuple[float, str]:
    """Seconds of a dry run into an empty folder, and how many jobs it plans."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", *arguments]
    begin = time.perf_counter()
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    return seconds, re.search(r"^total\s+(\d+)", result.stdout + result.stderr, re.MULTILINE).group(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--system-count", type=int, default=500, help="how many systems to plan for (default: %(default)s)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "own.yaml")
        own.write_text(yaml.safe_dump({"results_dir": f"{folder}/results"}), encoding="utf-8")
        large = Path(folder, "large.yaml")
        large.write_text(yaml.safe_dump(zoo(arguments.system_count)), encoding="utf-8")
        for name, files in {"configured": [own], f"{arguments.system_count} systems": [own, large]}.items():
            seconds, jobs = planning_seconds(["--configfile", *map(str, files)])
            print(f"{name}: {seconds:.1f} s for {jobs} jobs")


if __name__ == "__main__":
    main()
