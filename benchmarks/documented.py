"""Tables of benchmarks: read back, and put between two markers of a document, which the benchmark rewrites."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text, written_whole
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.csv_tables import read_table


def read_measured(path: Path, texts: Collection[str]) -> pd.DataFrame:
    """The table of an earlier call; all of its columns but `texts` hold numbers.

    Raises:
        UserError: see `read_table`.
    """
    return read_table(path, {name: "text" if name in texts else "number" for name in read_csv(path).columns})


def write_measured(rows: pd.DataFrame, path: Path | None) -> None:
    """Write a table that `read_measured` reads, whole or not at all; nothing for no path."""
    if path is not None:
        with written_whole(path) as temporary:
            rows.to_csv(temporary, index=False)


def replace_sections(document: Path | None, sections: Mapping[str, str]) -> None:
    """Put each text between the lines `<!-- {name}:begin -->` and `<!-- {name}:end -->` of a document, if there is one.

    Raises:
        UserError: see `require_sections`.
    """
    if document is None:
        return
    require_sections(document, sections)
    content = document.read_text(encoding="utf-8")
    for name, text in sections.items():
        begin, end = _markers(name)
        before, _, rest = content.partition(begin)
        content = f"{before}{begin}\n{text.strip()}\n\n{end}{rest.partition(end)[2]}"
    write_text(document, content)


def require_sections(document: Path | None, names: Mapping[str, str] | list[str]) -> None:
    """Refuse a document without these sections, before anything is measured; None is no document, and right.

    Raises:
        UserError: the document is missing, or it does not have the markers of a section once each.
    """
    if document is None:
        return
    try:
        content = document.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{document}: cannot be read ({error.strerror}); name an existing document") from error
    for name in names:
        begin, end = _markers(name)
        if content.count(begin) != 1 or content.count(end) != 1 or content.index(begin) > content.index(end):
            raise UserError(f"{document}: needs the lines {begin.strip()} and {end}, once each and in this order")


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
