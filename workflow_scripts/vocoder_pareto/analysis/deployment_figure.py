"""Joules of systems in other forms than PyTorch's, and as streams against their latency."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.figure_style import (
    INK,
    label_with_sources,
    marker_of,
    new_figure,
    number_logarithmic,
    points,
    sheet,
    size_colours,
    write_below,
)
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY, Kind, label_of_system, model_label
from vocoder_pareto.tables.sources import source_of

_SYSTEM: Mapping[str, Kind] = dict.fromkeys(("system", "model", "size"), "text")
_RESULTS: Mapping[str, Kind] = {
    **dict.fromkeys((ENERGY, f"{ENERGY}_ci95", "estimated_watts_per_core"), "number"),
    **dict.fromkeys(("energy_source", "device"), "text"),
}
FORM_COLUMNS: Mapping[str, Kind] = {**_SYSTEM, "form": "text", "d_stft_to_float32": "number", **_RESULTS}
CHUNK_COLUMNS: Mapping[str, Kind] = {
    **_SYSTEM, "chunk_frames": "integer", "awaited_seconds": "number", "first_audio_seconds": "number", **_RESULTS,
}  # fmt: skip
FIGURE = "deployments"
TABLE_COLUMNS: Mapping[str, Kind] = {
    "figure": "text", "panel": "text", **FORM_COLUMNS, **CHUNK_COLUMNS, **table_labels.COLUMNS,
}  # fmt: skip
FORMS_PANEL, STREAMS_PANEL = "forms", "streams"
# Label, marker and fill of each form.
FORMS = {
    "pytorch": ("PyTorch, float32", "o", "full"),
    "torch_compile": ("torch.compile", "s", "none"),
    "onnxruntime": ("ONNX Runtime", "^", "none"),
    "onnxruntime_int8": ("ONNX Runtime, int8", "v", "bottom"),
}
INCHES_PER_SYSTEM = 0.2


def deployment_table(forms: pd.DataFrame, chunks: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """All that the figure shows, see `draw_deployments`: rows of the panel `forms`, then of the panel `streams`."""
    rows = pd.concat([forms.assign(panel=FORMS_PANEL), chunks.assign(panel=STREAMS_PANEL)], ignore_index=True)
    rows["form"] = rows["form"].fillna("")
    streaming = chunks.dropna(subset=ENERGY)["model"]
    return table_labels.with_labels(rows.assign(figure=FIGURE), labels, streaming)[list(TABLE_COLUMNS)]


def draw_deployment_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `deployment_table` describes; call it within `figure_style.drawing`."""
    forms, chunks = (table[table["panel"] == panel] for panel in (FORMS_PANEL, STREAMS_PANEL))
    return draw_deployments(forms, chunks, settings, table_labels.labels_of(table))


def draw_deployments(
    forms: pd.DataFrame, chunks: pd.DataFrame, settings: FigureSettings, labels: Mapping[str, str]
) -> Figure:
    """Draw joules of all forms, a line per system, and beside them joules against latency; call it within `drawing`.

    Args:
        forms: rows of the systems in their forms (columns `FORM_COLUMNS`); those without energy are left out.
        chunks: rows of the systems in chunks (columns `CHUNK_COLUMNS`); those without energy are left out.
        settings: size and style; the width is that of one panel.
        labels: what readers see for each model; their order gives the markers.
    """
    measured, streams = forms.dropna(subset=ENERGY), chunks.dropna(subset=ENERGY)
    systems = list(dict.fromkeys(forms["system"]))
    height = max(0.65 * settings.width_inches, INCHES_PER_SYSTEM * len(systems) + 1)
    columns, width = sheet(settings, 2, 2)
    figure = new_figure(width, height * 2 / columns)
    left, right = figure.subplots(2 // columns, columns).flat
    _draw_forms(left, measured, systems, labels)
    _draw_streams(right, streams, settings, labels)
    joules = label_with_sources(
        "J per second of audio", pd.concat([measured, streams])["energy_source"], False, settings
    )
    left.set_xlabel(joules)
    right.set_ylabel(joules)
    write_below(figure, _caption(measured, streams), settings)
    return figure


def _draw_forms(axes: Axes, rows: pd.DataFrame, systems: Sequence[str], labels: Mapping[str, str]) -> None:
    for form, (label, marker, fill) in FORMS.items():
        drawn = rows[rows["form"] == form]
        if len(drawn):
            axes.errorbar(
                drawn[ENERGY], [systems.index(system) for system in drawn["system"]],
                xerr=drawn[f"{ENERGY}_ci95"].fillna(0), marker=marker, fillstyle=fill, linestyle="none", color=INK,
                markersize=4, markeredgewidth=0.8, elinewidth=0.8, label=label,
            )  # fmt: skip
    axes.set_yticks(range(len(systems)), [label_of_system(system, labels) for system in systems])
    axes.set_ylim(len(systems) - 0.5, -0.5)
    axes.set_title("Forms")
    axes.grid(True)
    if len(rows):
        axes.set_xscale("log")
        number_logarithmic(axes.xaxis, *axes.get_xlim())
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2 / max(1, len(systems) * INCHES_PER_SYSTEM)), ncols=2)


def _draw_streams(axes: Axes, rows: pd.DataFrame, settings: FigureSettings, labels: Mapping[str, str]) -> None:
    axes.set_title("Streams")
    axes.set_xlabel("Latency to the first audio (s)")
    if not len(rows):
        axes.text(0.5, 0.5, "no system streams", transform=axes.transAxes, ha="center", va="center")
        return
    colours = size_colours(settings, list(rows["size"]), list(rows["model"]))
    models = list(dict.fromkeys(rows["model"]))
    for _, line in rows.groupby("system", sort=False):
        model, size = line["model"].iloc[0], line["size"].iloc[0]
        axes.errorbar(
            line["awaited_seconds"] + line["first_audio_seconds"], line[ENERGY],
            yerr=line[f"{ENERGY}_ci95"].fillna(0), marker=marker_of(model, labels, models), color=colours[size],
            markersize=3.6, markeredgewidth=0.8, linewidth=1, capsize=1.5,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    number_logarithmic(axes.xaxis, *axes.get_xlim())
    number_logarithmic(axes.yaxis, *axes.get_ylim())
    axes.grid(True)
    handles = [
        Line2D([], [], color=INK, linestyle="none", marker=marker_of(model, labels, models), markersize=4,
               label=model_label(model, labels))
        for model in models
    ]  # fmt: skip
    shown = set(rows["size"])
    handles += [
        Line2D([], [], color=colour, linewidth=1.5, label=size) for size, colour in colours.items() if size in shown
    ]
    axes.legend(handles=handles, frameon=False, fontsize=points(settings, -1.5))


def _caption(measured: pd.DataFrame, streams: pd.DataFrame) -> str:
    both = pd.concat([measured, streams])
    labels = [source_of(word).label for word in sorted(set(both["energy_source"].astype(str)))]
    devices = sorted(set(both["device"].astype(str)))
    energy = f"Energy: {', '.join([*labels, *devices])}." if labels else "Energy: nothing measured."
    return (
        f"{energy} Bars: 95 % intervals. Streams: chunks of {_lengths(streams)} frames, from the left; the latency is "
        "how long the frames of the first chunk and its context last, and what it takes to compute."
    )


def _lengths(streams: pd.DataFrame) -> str:
    lengths = sorted(set(streams["chunk_frames"]))
    return ", ".join(map(str, lengths)) if lengths else "no"
