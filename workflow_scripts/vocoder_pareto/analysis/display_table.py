"""Tables for readers, in Markdown and LaTeX, that mark where every number comes from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vocoder_pareto.tables.sources import SOURCES, Source, source_of

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "×": r"$\times$",
    "†": r"$\dagger$",
}  # fmt: skip


@dataclass(frozen=True)
class DisplayColumn:
    """A column of formatted cells.

    Attributes:
        header: text of the head.
        cells: formatted values, "" where there is none.
        sources: the word of a source per cell (see `tables.sources`), or "" for cells that are no numbers.
        latex_header: the head in LaTeX, if it is more than the escaped text.
    """

    header: str
    cells: Sequence[str]
    sources: Sequence[str] = ()
    latex_header: str = ""

    @property
    def common_source(self) -> str:
        """The source of all numbers of the column, or "" where they differ."""
        used = {source for cell, source in zip(self.cells, self.sources, strict=False) if cell}
        return used.pop() if len(used) == 1 else ""

    def marks(self) -> list[str]:
        """A mark per cell, where the head cannot carry one for all."""
        if self.common_source or not self.sources:
            return [""] * len(self.cells)
        return [_mark(source) if cell else "" for cell, source in zip(self.cells, self.sources, strict=True)]


@dataclass(frozen=True)
class DisplayTable:
    """Columns of equal length, with what stands around them.

    Attributes:
        caption: a sentence.
        columns: the first one names the rows.
        emphasised: rows whose name is set in bold.
        notes: sentences below the table, before the legend of the marks.
        label: LaTeX label.
    """

    caption: str
    columns: Sequence[DisplayColumn]
    emphasised: Sequence[bool]
    notes: Sequence[str] = field(default=())
    label: str = ""

    def to_markdown(self) -> str:
        """GitHub-flavoured Markdown: caption, table, notes."""
        columns = self._shown()
        head = [f"{markdown_text(column.header)}{_superscript(_mark(column.common_source))}" for column in columns]
        body = []
        for row in range(len(self.emphasised)):
            cells = [f"{markdown_text(column.cells[row])}{_superscript(column.marks()[row])}" for column in columns]
            cells[0] = f"**{cells[0]}**" if self.emphasised[row] else cells[0]
            body.append(cells)
        rule = [":--", *["--:"] * (len(columns) - 1)]
        lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)]
        legend = [f"{_superscript(source.mark)} {source.label}" for source in self._legend()]
        notes = [markdown_text(note) for note in self.notes]
        return "\n".join([self.caption, "", *lines, "", " ".join([*notes, f"{'; '.join(legend)}."]), ""])

    def to_latex(self) -> str:
        """A `table` environment with booktabs rules; needs `booktabs` alone."""
        columns = self._shown()
        head = [
            f"{column.latex_header or latex_text(column.header)}{_latex_superscript(_mark(column.common_source))}"
            for column in columns
        ]
        body = []
        for row in range(len(self.emphasised)):
            cells = [f"{latex_text(column.cells[row])}{_latex_superscript(column.marks()[row])}" for column in columns]
            cells[0] = rf"\textbf{{{cells[0]}}}" if self.emphasised[row] else cells[0]
            body.append(" & ".join(cells) + r" \\")
        legend = "; ".join(f"{_latex_superscript(source.mark)} {latex_text(source.label)}" for source in self._legend())
        notes = " ".join(latex_text(note) for note in self.notes)
        return "\n".join(
            [
                r"% needs \usepackage{booktabs}",
                r"\begin{table}[t]",
                r"\centering\small\setlength{\tabcolsep}{4pt}",
                rf"\caption{{{latex_text(self.caption)}}}",
                *([rf"\label{{{self.label}}}"] if self.label else []),
                rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
                r"\toprule",
                " & ".join(head) + r" \\",
                r"\midrule",
                *body,
                r"\bottomrule",
                r"\end{tabular}",
                "",
                rf"\smallskip\parbox{{\linewidth}}{{\footnotesize {notes} {legend}.}}",
                r"\end{table}",
                "",
            ]
        )

    def _shown(self) -> list[DisplayColumn]:
        return [column for index, column in enumerate(self.columns) if index == 0 or any(column.cells)]

    def _legend(self) -> list[Source]:
        """The sources of all numbers, in the order of the table of sources."""
        used = [
            source
            for column in self._shown()
            for cell, source in zip(column.cells, column.sources, strict=False)
            if cell and source
        ]
        return [source_of(word) for word in dict.fromkeys([*SOURCES, *used]) if word in used]


def latex_text(text: str) -> str:
    """`text` with LaTeX's special characters escaped."""
    return "".join(LATEX_SPECIAL.get(character, character) for character in text)


def markdown_text(text: str) -> str:
    """`text` with the characters escaped that Markdown, or GitHub's formulas in it, would not show."""
    return re.sub(r"([\\`*_|<$])", r"\\\1", text)


def _mark(source: str) -> str:
    return source_of(source).mark if source else ""


def _superscript(mark: str) -> str:
    return f"<sup>{mark}</sup>" if mark else ""


def _latex_superscript(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""
