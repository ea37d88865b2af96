"""The report page: the study in one folder that opens from disk, with an interactive front, audio and a table."""

import json
import shutil
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from matplotlib.colors import to_hex

from vocoder_pareto.analysis.doubts import MARK, doubts_of, explanation
from vocoder_pareto.analysis.figure_style import REFERENCE_COLOUR, marker_of, size_colours
from vocoder_pareto.analysis.partly_known import computed_elsewhere
from vocoder_pareto.analysis.predictions import not_told_apart
from vocoder_pareto.analysis.report_answer import answer, state
from vocoder_pareto.analysis.report_audio import (
    COLLAPSED,
    audio_note,
    briefly_trained,
    training_note,
    write_clips,
)
from vocoder_pareto.analysis.untrained import sentence
from vocoder_pareto.audio.dataset_summary import SPLITS, DatasetSummary
from vocoder_pareto.files import write_text
from vocoder_pareto.study.companions import forget_companions, record_companions
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.listening_test import LoudnessSettings
from vocoder_pareto.study.systems import GROUND_TRUTH, REFERENCE_SYSTEMS
from vocoder_pareto.tables.columns import (
    ENERGY,
    EXACT_GFLOPS,
    FRONT_END_ENERGY,
    PREDICTED_MOS,
    REFERENCE_FAMILY,
    SYSTEMS_COLUMNS,
    Column,
    model_label,
    system_label,
)
from vocoder_pareto.tables.csv_tables import read_systems
from vocoder_pareto.tables.sources import source_of

TITLE = "Energy-aware evaluation of neural vocoders"
LIKE_NOISE = "weights_give_noise"
AXES = (ENERGY, "mos")  # to begin with
# Of the table, before a reader asks for all.
MAIN_COLUMNS = (
    "system", "mos", ENERGY, "real_time_factor", "parameters", EXACT_GFLOPS, "d_stft", PREDICTED_MOS, "energy_source",
    "weights",
)  # fmt: skip
FOLDERS = ("audio", "pictures", "downloads")  # beside the page


@dataclass(frozen=True)
class ReportInputs:
    """Files that the page shows.

    Attributes:
        systems: `systems.csv`.
        manifests: `generated/{system}/manifest.csv` of every system that has audio.
        downloads: tables and figures to copy beside the page.
        dataset: what became of the recordings.
        provenance: `provenance.json`.
        template_folder: holds page.html, style.css and script.js.
        labels: what readers see for a model, `HiFi-GAN` for `hifigan`; their order gives the markers.
        figures: settings of the figures, whose colours the page takes.
        flags: what was found amiss with the training or measurement of each system, by its name.
        ratings: what became of the ratings of a listening test, in a sentence; empty if there was none.
        loudness: how loud all audio of the page is.
        predicted: of predicted MOS, why it is `withheld` and its `resolution`, see `predictions`.
    """

    systems: Path
    manifests: Sequence[Path]
    downloads: Sequence[Path]
    dataset: DatasetSummary
    provenance: Mapping[str, Any]
    template_folder: Path
    labels: Mapping[str, str]
    figures: FigureSettings
    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ratings: str = ""
    loudness: LoudnessSettings = field(default_factory=LoudnessSettings)
    predicted: Mapping[str, Any] = field(default_factory=dict)


def build_report(inputs: ReportInputs, page: Path, clips_limit: int) -> None:
    """Write the page and, beside it, `audio/`, `pictures/` and `downloads/`; the page comes last.

    Args:
        inputs: what the page shows.
        page: `index.html` to write.
        clips_limit: number of clips in the listening grid.

    Raises:
        UserError: a file is missing or damaged, or a manifest has no clip.
    """
    systems = read_systems(inputs.systems)
    folder = page.parent
    forget_companions(page)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    by_name = {path.parent.name: path for path in inputs.manifests}
    audio = [
        {
            "system": row["system"],
            "label": system_label(row["model"], row["size"], inputs.labels),
            "note": training_note(row, inputs.flags),
            "clips": write_clips(by_name[row["system"]], folder, clips_limit, inputs.loudness),
        }
        for row in _natural_speech_first(systems).to_dict("records")
        if row["system"] in by_name
    ]
    downloads = _copy_downloads([inputs.systems, *inputs.downloads], folder)
    data = {
        "columns": [
            {
                "name": column.name,
                "label": column.axis_label,
                "direction": column.direction,
                "kind": column.kind,
                "main": column.name in MAIN_COLUMNS,
            }
            for column in sorted(SYSTEMS_COLUMNS, key=_place_in_table)
            if _is_shown(column, systems)
        ],
        "systems": _rows(systems, inputs),
        "clips": list(dict.fromkeys(clip for system in audio for clip in system["clips"])),
        "audio": audio,
        "axes": dict(zip("xy", AXES, strict=True)),
        "doubtMark": MARK,
        "doubtful": [column.name for column in SYSTEMS_COLUMNS if column.record == "energy" and column.direction],
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(inputs.template_folder), autoescape=True, undefined=jinja2.StrictUndefined
    )
    text = environment.get_template("page.html").render(
        title=TITLE,
        style=_asset(inputs.template_folder / "style.css"),
        script=_asset(inputs.template_folder / "script.js"),
        answer=answer(systems, dict(zip(systems["system"], _names(systems, inputs), strict=True))),
        state=state(systems, inputs.flags),
        notes=_notes(systems, inputs),
        audio_note=audio_note(systems, inputs.loudness),
        methods=_methods(systems, inputs),
        downloads=downloads,
        data=_embedded_json(data),
    )
    record_companions(page, [file for name in FOLDERS for file in (folder / name).rglob("*") if file.is_file()])
    write_text(page, text)


def _place_in_table(column: Column) -> int:
    """The main columns stand first, in their order; the sort keeps that of the others."""
    return MAIN_COLUMNS.index(column.name) if column.name in MAIN_COLUMNS else len(MAIN_COLUMNS)


def _natural_speech_first(systems: pd.DataFrame) -> pd.DataFrame:
    return systems.sort_values("system", key=lambda names: names != GROUND_TRUTH, kind="stable")


def _is_shown(column: Column, systems: pd.DataFrame) -> bool:
    """Whether the page has a column: one that tells something of a system, and to readers."""
    if column.name in AXES:
        return True
    cells = systems[column.name]
    return not column.name.endswith("_degrees_of_freedom") and bool((cells.notna() & (cells != "")).any())


def _copy_downloads(files: Sequence[Path], folder: Path) -> list[dict[str, str]]:
    copied = []
    (folder / "downloads").mkdir(parents=True, exist_ok=True)
    for file in {file.name: file for file in files}.values():  # each once
        shutil.copyfile(file, folder / "downloads" / file.name)
        copied.append({"name": file.name, "href": f"downloads/{file.name}"})
    return copied


def _rows(systems: pd.DataFrame, inputs: ReportInputs) -> list[dict[str, Any]]:
    factors = {column.name: column.factor for column in SYSTEMS_COLUMNS if column.kind in ("number", "integer")}
    with_size = systems[systems["size"].astype(bool)]
    colours = size_colours(inputs.figures, list(with_size["size"]), list(with_size["model"]))
    doubts = doubts_of(inputs.flags)
    with_energy = systems[ENERGY].notna() & (systems["family"] != REFERENCE_FAMILY)
    elsewhere = set(systems["system"][computed_elsewhere(systems, [ENERGY], with_energy)])
    rows = []
    for record in systems.to_dict("records"):
        row: dict[str, Any] = {str(name): None if pd.isna(cell) else cell for name, cell in record.items()}
        row |= {name: float(row[name]) * factor for name, factor in factors.items() if row[name] is not None}
        row["label"] = system_label(record["model"], record["size"], inputs.labels)
        row["modelLabel"] = model_label(record["model"], inputs.labels)
        row["elsewhere"] = record["system"] in elsewhere
        row["doubt"] = "; ".join(doubts.get(record["system"], ()))
        row["colour"] = to_hex(colours[record["size"]]) if record["size"] in colours else REFERENCE_COLOUR
        row["marker"] = marker_of(record["model"], inputs.labels, systems["model"])
        rows.append(row)
    return rows


def _notes(systems: pd.DataFrame, inputs: ReportInputs) -> list[dict[str, str]]:
    devices = ", ".join(sorted(set(systems["device"]) - {""})) or "no device"
    notes = [
        _note("Energy", systems["energy_source"], "not measured", f", on {devices}"),
        _note("Mean opinion scores", systems["mos_source"], "not rated"),
        *({"kind": remark.kind, "text": f"Dataset: {remark.text}"} for remark in inputs.dataset.remarks()),
    ]
    told = [inputs.ratings, *_of_predictions(systems, inputs)]
    notes += [{"kind": "note", "text": text.removesuffix(".")} for text in told if text]
    if briefly_trained(systems).any():
        notes.append({"kind": "warning", "text": "The audio is of briefly trained models: not what they can do"})
    if untrained := sentence(systems, _names(systems, inputs)):
        notes.append({"kind": "note", "text": untrained.removesuffix(".")})
    names = {
        row["system"]: system_label(row["model"], row["size"], inputs.labels)
        for row in systems[systems[ENERGY].notna()].to_dict("records")
    }
    if doubts := explanation(doubts_of(inputs.flags), names):
        notes.append({"kind": "warning", "text": f"Energies to doubt: {doubts}"})
    if collapsed := _flagged(systems, inputs, COLLAPSED):
        notes.append({"kind": "warning", "text": f"The generator has collapsed: {', '.join(collapsed)}"})
    if noisy := _flagged(systems, inputs, LIKE_NOISE):
        notes.append({"kind": "warning", "text": f"The given weights generate noise: {', '.join(noisy)}"})
    return notes


def _of_predictions(systems: pd.DataFrame, inputs: ReportInputs) -> list[str]:
    """Who predicted the MOS, why there is none, and which differences of it say nothing."""
    scores = systems[PREDICTED_MOS]
    words = sorted(set(systems[f"{PREDICTED_MOS}_source"]) - {""})
    apart = not_told_apart(dict(zip(_names(systems, inputs), scores, strict=True)), inputs.predicted.get("resolution"))
    meant = [f"Predicted MOS: {source_of(f'predicted:{word}').meaning}" for word in words]
    return [*meant, inputs.predicted.get("withheld", ""), apart]


def _note(what: str, words: pd.Series, without: str, where: str = "") -> dict[str, str]:
    """A note that names the sources of a column; a warning if one stands in for a meter or for listeners."""
    sources = [source_of(word) for word in sorted(set(words) - {""})]
    kind = "warning" if any(source.stands_in for source in sources) else "note"
    return {"kind": kind, "text": f"{what}: {', '.join(source.meaning for source in sources) or without}{where}"}


def _flagged(systems: pd.DataFrame, inputs: ReportInputs, flag: str) -> list[str]:
    """What readers call the systems that have `flag`."""
    rows = systems[[flag in inputs.flags.get(name, ()) for name in systems["system"]]]
    return list(_names(rows, inputs))


def _names(systems: pd.DataFrame, inputs: ReportInputs) -> pd.Series:
    """What readers call each system."""
    pairs = zip(systems["model"], systems["size"], strict=True)
    return pd.Series([system_label(*pair, inputs.labels) for pair in pairs], systems.index, dtype="object")


def _methods(systems: pd.DataFrame, inputs: ReportInputs) -> list[dict[str, str]]:
    provenance = inputs.provenance
    config = provenance["config"]
    packages = ", ".join(f"{name} {version}" for name, version in provenance["packages"].items() if version)
    dataset, energy = config["dataset"], config["energy"]
    return [
        {"term": "Pareto optimality", "text": "Section 4.1 of Douwes et al., Is quality enough?, ICASSP 2023."},
        {
            "term": "Data",
            "text": f"{dataset['source']} corpus; the first {dataset['clip_seconds']:g} s of each recording; "
            f"{inputs.dataset.test} of {inputs.dataset.train + inputs.dataset.test} clips for testing, "
            f"{SPLITS[inputs.dataset.split]}; compared at {config['evaluation']['sample_rate']} Hz.",
        },
        {"term": "Front ends", "text": _front_ends(systems, config["front_ends"])},
        {"term": "Energy", "text": f"{_sources(systems, 'energy_source')} Protocol: {_plain(energy)}."},
        {"term": "Mean opinion score", "text": _sources(systems, "mos_source")},
        {"term": "FLOPs", "text": "Counted: two per multiply-accumulate, for the form of generation that is measured."},
        {"term": "Training", "text": f"Budget: {_plain(config['training'])}."},
        {"term": "Flags", "text": _flags(systems, inputs)},
        {"term": "Machine", "text": f"{provenance['processor']}, {provenance['logical_cores']} logical cores."},
        {"term": "Commit", "text": str(provenance["git"]["commit"] or "unknown")},
        {"term": "Packages", "text": packages},
    ]


def _front_ends(systems: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """What each front end in use takes from a waveform, and what that costs."""
    used = systems[systems["front_end"] != ""].drop_duplicates("front_end")
    return "; ".join(_front_end(row, settings[row["front_end"]]) for row in used.to_dict("records")) or "unknown"


def _front_end(row: Mapping[Hashable, Any], settings: Mapping[str, Any]) -> str:
    is_mel = settings["representation"] == "mel"
    form = f"{settings['n_mels']} mel bands, FFT {settings['n_fft']}, " if is_mel else "the waveform, "
    text = f"{row['front_end']}: {settings['sample_rate']} Hz, {form}hop {settings['hop_length']}"
    joules, seconds = row[FRONT_END_ENERGY], row["front_end_real_time_factor"]
    if pd.isna(joules) or pd.isna(seconds):
        return f"{text}; its cost was not measured"
    return f"{text}; {joules:.2g} J and {seconds:.2g} s per second of audio, beside those of the vocoder"


def _flags(systems: pd.DataFrame, inputs: ReportInputs) -> str:
    vocoders = set(_names(systems[~systems["system"].isin(REFERENCE_SYSTEMS)], inputs))
    texts = []
    for flag in dict.fromkeys(flag for flags in inputs.flags.values() for flag in flags):
        names = _flagged(systems, inputs, flag)
        texts.append(f"{flag}: {'all systems' if vocoders <= set(names) else ', '.join(names)}")
    return "; ".join(texts) + "." if texts else "None."


def _sources(systems: pd.DataFrame, column: str) -> str:
    counts = systems.loc[systems[column] != "", column].value_counts()
    return "; ".join(f"{count} systems {source_of(str(word)).meaning}" for word, count in counts.items()) + "."


def _plain(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if isinstance(value, int | float | str))


def _asset(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))


def _embedded_json(value: Any) -> Markup:
    # Inside <script> only "<" can end the element early; as < it stays the same JSON.
    return Markup(json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"))
