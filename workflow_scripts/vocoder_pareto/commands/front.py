"""The Pareto front of any table: `vocoder-pareto front table.csv --minimise energy --maximise quality`.

Writes the front as CSV, JSON and Markdown, and a figure, and prints the optimal rows. Columns with a name of
systems.csv are taken to be in its units; `NAME_ci95` holds half-widths of 95 % intervals of `NAME`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings

HELP = "find and draw the Pareto front of a CSV file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("table", help="CSV file, a row per system")
    parser.add_argument("--minimise", nargs="+", default=[], metavar="COLUMN", help="columns of which less is better")
    parser.add_argument("--maximise", nargs="+", default=[], metavar="COLUMN", help="columns of which more is better")
    parser.add_argument(
        "--name", metavar="COLUMN", help="column that names the rows (default: the first with text, else the first)"
    )
    parser.add_argument("--group", metavar="COLUMN", help="column of groups, such as families of models")
    parser.add_argument(
        "--interval", nargs=2, action="append", default=[], metavar=("OBJECTIVE", "COLUMN"),
        help="column of half-widths of the 95 %% intervals of an objective",
    )  # fmt: skip
    parser.add_argument(
        "--exact", nargs="*", default=[], metavar="OBJECTIVE",
        help="objectives whose values are exact, such as counts (default: of one without an interval nothing is known)",
    )  # fmt: skip
    parser.add_argument("--draws", type=int, default=10_000, help="Monte Carlo draws (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws (default: %(default)s)")
    parser.add_argument("--style", choices=["improved", "paper"], default="improved", help="style of the figure")
    parser.add_argument(
        "--width-inches",
        type=float,
        default=FigureSettings().width_inches,
        help="inches of a panel (default: %(default)s)",
    )
    parser.add_argument("--font", default=FigureSettings().font, help="font of the figure (default: %(default)s)")
    parser.add_argument(
        "--formats", nargs="+", choices=["pdf", "svg", "png"], default=["pdf", "svg"],
        help="formats of the figure: pdf, svg, png",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=Path("front"), help="folder to write (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Find the front, write it, and print its members."""
    from vocoder_pareto.analysis.front_of_table import front_of_file, objectives_of, omissions, write_front
    from vocoder_pareto.study.settings import settings_from

    settings = {"style": arguments.style, "width_inches": arguments.width_inches, "font": arguments.font}
    front = front_of_file(
        arguments.table,
        objectives_of(arguments.minimise, arguments.maximise),
        arguments.name,
        arguments.group,
        _intervals(arguments.interval),
        arguments.exact,
        arguments.draws,
        arguments.seed,
    )
    files = write_front(front, arguments.output, arguments.formats, settings_from(FigureSettings, settings, "figures"))
    print(f"Pareto optimal, {len(front.summary['front'])} of {front.summary['systems']}:")
    print("\n".join(f"  {name}" for name in front.summary["front"]))
    print("".join(f"{sentence}\n" for sentence in omissions(front)), end="")
    print("Written: " + ", ".join(map(str, files)))


def _intervals(given: Sequence[Sequence[str]]) -> dict[str, str]:
    """Columns of intervals by objective, each of which is named once.

    Raises:
        UserError: One is named twice.
    """
    found: dict[str, str] = {}
    for objective, column in given:
        if objective in found:
            raise UserError(f"--interval {objective} {column}: {objective} has {found[objective]} already; name one")
        found[objective] = column
    return found
