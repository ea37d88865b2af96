"""Labels and places of models as columns of a figure's table, so that the table alone gives names and markers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from vocoder_pareto.tables.columns import Kind

COLUMNS: Mapping[str, Kind] = {"model_label": "text", "model_place": "integer"}


def rows_of_figure(figure: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Kind]) -> pd.DataFrame:
    """`rows` as a table of `columns` but for those of this module; text that a row lacks is empty.

    Args:
        figure: which kind of figure it is, for the column `figure`.
        rows: the cells of each row, by the names of `columns`.
        columns: what the columns of the table of such a figure hold.
    """
    own = {name: kind for name, kind in columns.items() if name not in COLUMNS}
    table = pd.DataFrame([{"figure": figure, **row} for row in rows], columns=list(own))
    texts = [name for name, kind in own.items() if kind == "text"]
    return (
        table.astype(dict.fromkeys(texts, object)).fillna(dict.fromkeys(texts, "")).astype(dict.fromkeys(texts, "str"))
    )


def with_labels(rows: pd.DataFrame, labels: Mapping[str, str], models: Iterable[str]) -> pd.DataFrame:
    """`rows` with what readers see for each model, empty where nobody gave it a label, and its place among all (1, …).

    Args:
        rows: with a column `model`.
        labels: of all models of the configuration, in its order.
        models: those shown, which follow where they have no label, see `figure_style.marker_of`.
    """
    places = {model: place for place, model in enumerate(dict.fromkeys([*labels, *models]), 1)}
    return rows.assign(
        model_label=[labels.get(model, "") for model in rows["model"]],
        model_place=pd.array([places.get(model) for model in rows["model"]], dtype="Int64"),
    )


def labels_of(table: pd.DataFrame) -> dict[str, str]:
    """The labels that `with_labels` wrote, in an order that gives each model of `table` the same place again."""
    known = table[table["model_place"].notna()]
    labelled = known[known["model_label"] != ""]
    names = dict(
        zip(labelled["model_place"], zip(labelled["model"], labelled["model_label"], strict=True), strict=True)
    )
    follow = known["model_place"][known["model_label"] == ""]
    last = int(follow.min()) - 1 if len(follow) else max(names, default=0)
    return dict(names.get(place, (f"model {place} of the study", "")) for place in range(1, last + 1))
