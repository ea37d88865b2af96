"""Write the answers of simulated listeners to an exported test, marked as simulated; for tests and demonstrations."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.published import read_quality
from vocoder_pareto.listening_test.key import read_key
from vocoder_pareto.listening_test.simulation import Panel, simulate_responses
from vocoder_pareto.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", type=Path, required=True, help="key.json of export_listening_test.py")
    parser.add_argument(
        "--published-quality",
        type=Path,
        required=True,
        help="table 1 as printed (CSV; its MOS are the true ones)",
    )
    parser.add_argument("--listeners", type=int, required=True, help="how many, at most the prepared sessions")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    known = read_quality(arguments.published_quality)
    panel = Panel(arguments.listeners, dict(zip(known["system"], known["mos"], strict=True)))
    simulate_responses(read_key(arguments.key), panel, arguments.output, arguments.seed)


if __name__ == "__main__":
    run_program(main)
