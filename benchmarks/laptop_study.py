"""The tables of docs/laptop_study.md from the results of a study that is over: nothing in them is typed by hand.

    PYTHONPATH=workflow_scripts python benchmarks/laptop_study.py --results results_laptop
        --output-document docs/laptop_study.md --output-sounds docs/sounds/laptop_study

Reads systems.csv, systems_flags.json, training_curves.csv and provenance.json, and for the sounds what was generated.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile
from documented import replace_sections, require_sections, table

from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS, METRICS, validations_at
from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.program import run_program
from vocoder_pareto.study.systems import GROUND_TRUTH
from vocoder_pareto.tables.columns import ENERGY, column_of, label_of_system
from vocoder_pareto.tables.csv_tables import read_systems, read_table

SECTIONS = ["machine", "systems", "curves", "spread"]
SHOWN = (
    "parameters", "training_steps", "training_energy_joules", "d_stft", "estoi", "mcd", ENERGY, "real_time_factor"
)  # fmt: skip
LEAST_SECONDS = 2.0  # of the sentence that can be listened to
SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results_dir of the study (one that is over)")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into, between its markers")
    parser.add_argument(
        "--output-sounds", type=Path, help="folder to write a test sentence of each system into, in Ogg Vorbis"
    )
    arguments = parser.parse_args()
    names = [*SECTIONS, "sounds"] if arguments.output_sounds else SECTIONS
    require_sections(arguments.output_document, names)
    systems = read_systems(arguments.results / "systems.csv")
    kinds = {column.name: column.kind for column in CURVE_COLUMNS}
    curves = read_table(arguments.results / "training_curves.csv", kinds)
    provenance = read_json(arguments.results / "provenance.json")
    spreads = read_json(arguments.results / "systems_flags.json")["training_spread"]
    labels = {model: each["label"] or model for model, each in provenance["config"]["models"].items()}
    texts = (
        machine(provenance, systems),
        table_of_systems(systems, labels),
        "\n\n".join(table_of_curves(curves, metric, labels) for metric in METRICS),
        table_of_spreads(spreads),
    )
    sections = dict(zip(SECTIONS, texts, strict=True))
    if arguments.output_sounds:
        written = write_sounds(arguments.results, list(systems["system"]), arguments.output_sounds)
        from_folder = arguments.output_document.parent if arguments.output_document else Path()
        sections["sounds"] = table_of_sounds(written, from_folder, labels)
    replace_sections(arguments.output_document, sections)
    print("\n\n".join(sections.values()))


def machine(provenance: dict[str, Any], systems: pd.DataFrame) -> str:
    """What the numbers were made on, and with."""
    devices = ", ".join(sorted({device for device in systems["device"] if device}))
    sources = ", ".join(sorted({source for source in systems["energy_source"] if source}))
    versions = ", ".join(f"{name} {provenance['packages'].get(name)}" for name in ("torch", "lightning", "numpy"))
    return f"Device: {devices}. Energy: {sources}. Commit {provenance['git']['commit']}; {versions}."


def table_of_systems(systems: pd.DataFrame, labels: dict[str, str]) -> str:
    """A row per system and reference, with the half-widths of intervals."""
    columns = [column_of(name) for name in SHOWN]
    rows = []
    for row in systems.to_dict("records"):
        cells = [label_of_system(row["system"], labels)]
        for column in columns:
            value, half_width = row[column.name], row.get(f"{column.name}_ci95")
            shown = "" if pd.isna(value) else f"{value * column.factor:.3g}"
            with_interval = shown and half_width is not None and not pd.isna(half_width)
            cells.append(f"{shown} ± {half_width * column.factor:.2g}" if with_interval else shown)
        rows.append(cells)
    return table(["system", *(column.axis_label for column in columns)], rows)


def table_of_curves(curves: pd.DataFrame, metric: str, labels: dict[str, str]) -> str:
    """A metric of each system at shares of its budget, and the joules of the whole."""
    rows = []
    for system, group in curves.groupby("system", sort=False):
        cells = [label_of_system(str(system), labels)]
        for share in SHARES:
            value = validations_at(group, share)[metric]
            cells.append("" if value.isna().all() else f"{value.iloc[0]:.3g}")
        rows.append([*cells, "" if pd.isna(group["joules"].max()) else f"{group['joules'].max():.3g}"])
    heads = [f"{share:.0%}" for share in SHARES]
    return f"{column_of(metric).label} of validations:\n\n{table(['system', *heads, 'J in all'], rows)}"


def table_of_spreads(spreads: dict[str, dict[str, float]]) -> str:
    """How far training alone moves each quality."""
    if not spreads:
        return "No system was trained with several seeds."
    rows = [
        [column_of(name).label, f"{each['standard_deviation']:.2g}", str(each["degrees_of_freedom"])]
        for name, each in spreads.items()
    ]
    return table(["quality", "standard deviation between seeds", "degrees of freedom"], rows)


def write_sounds(results: Path, systems: list[str], folder: Path) -> dict[str, Path]:
    """Write the shortest test sentence of at least 2 s, as each system says it, into `folder`; the files by system.

    Raises:
        UserError: No test sentence is that long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sentences = read_manifest(manifest_of(results, GROUND_TRUTH))
    long = [entry for entry in sentences if entry.duration_seconds >= LEAST_SECONDS]
    if not long:
        raise UserError(f"{results}: no test sentence has {LEAST_SECONDS:g} s; a sound of the document needs one")
    sentence = min(long, key=lambda entry: entry.duration_seconds).clip_id
    written = {}
    for system in (GROUND_TRUTH, *(each for each in systems if each != GROUND_TRUTH)):
        manifest = manifest_of(results, system)
        (file,) = (entry.file for entry in read_manifest(manifest) if entry.clip_id == sentence)
        audio = read_audio(manifest.parent / file)
        written[system] = folder / f"{system}.ogg"
        soundfile.write(written[system], audio.samples, audio.sample_rate, format="OGG", subtype="VORBIS")
    return written


def manifest_of(results: Path, system: str) -> Path:
    """The file that tells what a system generated."""
    return results / "generated" / system / "manifest.csv"


def table_of_sounds(written: dict[str, Path], from_folder: Path, labels: dict[str, str]) -> str:
    """A row per system with a link to its sound."""
    rows = [
        [label_of_system(system, labels), f"[listen]({Path(os.path.relpath(file, from_folder)).as_posix()})"]
        for system, file in written.items()
    ]
    return table(["system", "the same test sentence"], rows)


if __name__ == "__main__":
    run_program(main)
