"""What the energies of the paper's Table 2 are made of: a fit of operations counted here to the 18 printed values.

    E = constant + a · FLOPs + b · bytes moved + c · operations called,      a, b, c and the constant not negative

by least squares of relative residuals, once with WaveGlow M and L as printed and once with the two exchanged. Counts
are for 10 clips of 10 s, module by module as the authors' code generates, but for WaveFlow with its queue. They are
counted in a few minutes on a CPU, nothing is computed:

    PYTHONPATH=workflow_scripts python benchmarks/printed_energies.py --output benchmarks/measured/printed_energies.csv

`--measured-table` takes the counts of an earlier call, and `--output-document docs/analysis.md` puts the table there.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from documented import read_measured, replace_sections, require_sections, table, write_measured
from generation import chosen_systems
from scipy.optimize import nnls
from tqdm import tqdm

from vocoder_pareto.analysis.published import read_cost
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.program import run_program

PRINTED = Path(__file__).resolve().parents[1] / "resources" / "published" / "table2_cost.csv"
SECTION = "printed-energies"
CLIPS, CLIP_SECONDS = 10, 10.0  # section 4.3.2 of the paper
COUNTS = ("flops", "moved_bytes", "operations")
EXCHANGED = {"waveglow-M": "waveglow-L", "waveglow-L": "waveglow-M"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/analysis.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, [SECTION])
    counts = read_measured(arguments.measured_table, ("system", "form")) if arguments.measured_table else counted()
    write_measured(counts, arguments.output)
    text = report(counts, printed_joules())
    print(text)
    replace_sections(arguments.output_document, {SECTION: text})


def counted() -> pd.DataFrame:
    """FLOPs, bytes moved and operations called for all clips, a row per system and form (`plain`, `queue`)."""
    rows = []
    for system in tqdm(chosen_systems([]), desc="Counting"):
        vocoder = build_vocoder(system)
        frames = round(CLIP_SECONDS * system.sample_rate / system.hop_length)
        for form in ("plain", "queue") if system.model == "waveflow" else ("plain",):
            found = count_operations(vocoder, frames, plainly=form == "plain")
            values = (2 * found.macs, found.memory.moved_bytes, found.memory.operations)
            of_all_clips = (CLIPS * value for value in values)
            rows.append({"system": system.name, "form": form, **dict(zip(COUNTS, of_all_clips, strict=True))})
    return pd.DataFrame(rows)


def printed_joules() -> pd.Series:
    """E_gen as printed, read as joules, by system."""
    return read_cost(PRINTED).set_index("system")["e_gen_as_printed_mj"]


def as_generated(counts: pd.DataFrame) -> pd.DataFrame:
    """The counts of what the authors' code does: plain, and the queue where there is one. A row per system."""
    return counts.drop_duplicates("system", keep="last").set_index("system")[list(COUNTS)]


def fitted(counts: pd.DataFrame, joules: pd.Series) -> np.ndarray:
    """Joules of the constant, and joules per FLOP, byte and operation."""
    scales = counts.max().to_numpy(dtype=float)
    terms = np.column_stack([np.ones(len(counts)), counts.to_numpy(dtype=float) / scales])
    found, _ = nnls(terms / joules.to_numpy()[:, None], np.ones(len(joules)))
    return found / np.append(1.0, scales)


def predicted(counts: pd.DataFrame, coefficients: np.ndarray) -> pd.Series:
    """Joules by system."""
    return coefficients[0] + counts[list(COUNTS)].astype(float) @ coefficients[1:]


def report(counts: pd.DataFrame, joules: pd.Series) -> str:
    """The two fits, and each system beside its printed value."""
    here = as_generated(counts).loc[joules.index]
    exchanged = joules.rename(EXCHANGED).loc[joules.index]
    fits = {"as printed": fitted(here, joules), "exchanged": fitted(here, exchanged)}
    lines = []
    for (name, found), values in zip(fits.items(), (joules, exchanged), strict=True):
        without_one = [fitted(here.drop(system), values.drop(system))[0] for system in joules.index]
        misfit = ((predicted(here, found) / values - 1) ** 2).mean() ** 0.5
        lines.append([
            name, f"{found[0]:.1f} ({min(without_one):.1f}–{max(without_one):.1f})", f"{found[1] * 1e12:.1f}",
            f"{found[2] * 1e12:.0f}", f"{found[3] * 1e3:.1f}", f"{misfit:.0%}",
        ])  # fmt: skip
    columns = ["WaveGlow M and L", "constant, J (without one system)", "pJ per FLOP", "pJ per byte"]
    fit_table = table([*columns, "mJ per operation", "relative misfit"], lines)
    constant = fits["exchanged"][0]
    rows = [
        [system, f"{value:.0f}", f"{fit:.0f}", f"{fit / value:.2f}", f"{constant / value:.0%}"]
        for system, value, fit in zip(joules.index, joules, predicted(here, fits["exchanged"]), strict=True)
    ]
    heads = ["system", "printed, J", "fit (exchanged), J", "fit / printed", "constant / printed"]
    return f"{fit_table}\n\n{table(heads, rows)}"


if __name__ == "__main__":
    run_program(main)
