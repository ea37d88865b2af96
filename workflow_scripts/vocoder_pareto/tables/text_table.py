"""A table of texts, read column by column as what its columns hold; an error names file, line, column and cell."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

from vocoder_pareto.errors import UserError

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WITH_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_INFINITE = re.compile(r"[+-]?inf")


@dataclass(frozen=True)
class TextTable:
    """The cells of a CSV file, as text.

    Attributes:
        where: The name of the file, for messages.
        columns: The names in the header line, without white space around them; all differ.
        rows: The cells of each row, as many as `columns`.
        lines: The line of the file that each row begins in; the first one is 1.
        delimiter: What divides the cells.
    """

    where: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]
    delimiter: str = field(default=",", repr=False)

    def require(self, names: Iterable[str]) -> None:
        """Refuse a file that lacks one of the columns `names`.

        Raises:
            UserError: It names the first that is missing, and those that are there.
        """
        for name in names:
            if name not in self.columns:
                raise UserError(f"{self.where}: column {name!r} is missing; it has {', '.join(self.columns)}")

    def records(self) -> list[dict[str, str]]:
        """The cells of each row by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def texts(self, name: str) -> list[str]:
        """The cells of a column as they are.

        Raises:
            UserError: The column is missing.
        """
        self.require([name])
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def holds_text(self, name: str) -> bool:
        """Whether any cell of a column is neither empty nor a number."""
        cells = (text.strip() for text in self.texts(name))
        return any(cell and self._number(cell, allow_infinite=True) is None for cell in cells)

    def numbers(self, name: str, least: float = -math.inf, allow_infinite: bool = False) -> list[float]:
        """The cells of a column as numbers; NaN where a cell is empty.

        Args:
            name: The column.
            least: The smallest number that is allowed.
            allow_infinite: Whether `inf` and `-inf` are numbers, as in tables of metrics that are infinite.

        Raises:
            UserError: The column is missing, or one of its cells is no number, or a number that is not allowed.
        """
        found = []
        for row, text in enumerate(self.texts(name)):
            cell = text.strip()
            if not cell:
                found.append(math.nan)
                continue
            number = self._number(cell, allow_infinite)
            if number is None:
                self.refuse(row, name, f"is no number; {self._how_numbers_are_written(cell)}")
            if math.isinf(number) and not allow_infinite:
                self.refuse(row, name, "is too large a number")
            if number < least:
                self.refuse(row, name, f"is below {least:g}")
            found.append(number)
        return found

    def whole_numbers(self, name: str) -> list[int | None]:
        """The cells of a column as whole numbers; None where a cell is empty.

        Raises:
            UserError: The column is missing, or one of its cells is no whole number.
        """
        found: list[int | None] = []
        for row, number in enumerate(self.numbers(name)):
            if not math.isnan(number) and not number.is_integer():
                self.refuse(row, name, "is no whole number")
            found.append(None if math.isnan(number) else int(number))
        return found

    def flags(self, name: str) -> list[bool | None]:
        """The cells of a column, which are `true` or `false` in any case; None where a cell is empty.

        Raises:
            UserError: The column is missing, or one of its cells is something else.
        """
        words = {"true": True, "false": False, "": None}
        cells = [text.strip().lower() for text in self.texts(name)]
        for row, cell in enumerate(cells):
            if cell not in words:
                self.refuse(row, name, "is neither true nor false")
        return [words[cell] for cell in cells]

    def refuse(self, row: int, name: str, why: str) -> NoReturn:
        """Refuse a cell.

        Args:
            row: Its row, from 0.
            name: Its column.
            why: What is wrong with it, as words that follow the cell.

        Raises:
            UserError: Always; it names file, line, column and cell.
        """
        cell = self.rows[row][self.columns.index(name)]
        raise UserError(f"{self.where}, line {self.lines[row]}, column {name!r}: {shown(cell)} {why}")

    @cached_property
    def _decimal_comma(self) -> str:
        """The first cell that can only be a number with a decimal comma, in a file that may have such; else empty."""
        if self.delimiter == ",":
            return ""
        cells = (cell.strip() for row in self.rows for cell in row if "," in cell)
        sure = (cell for cell in cells if _WITH_DECIMAL_COMMA.fullmatch(cell) and not _MAYBE_THOUSANDS.fullmatch(cell))
        return next(sure, "")

    def _number(self, cell: str, allow_infinite: bool) -> float | None:
        if self._decimal_comma:
            if "." in cell:
                return None
            if _WITH_DECIMAL_COMMA.fullmatch(cell):
                cell = cell.replace(",", ".")
        allowed = _NUMBER.fullmatch(cell) or (allow_infinite and _INFINITE.fullmatch(cell))
        return float(cell) if allowed else None

    def _how_numbers_are_written(self, cell: str) -> str:
        if self._decimal_comma and "." in cell:
            return (
                f"this file has decimal commas ({self._decimal_comma}): write 1,5 and no points, or points throughout"
            )
        if _MAYBE_THOUSANDS.fullmatch(cell):
            return "its comma may divide thousands or be a decimal one: write 1234 or 1.234"
        if "," in cell and self.delimiter == ",":
            return "write 1.5; decimal commas are read where semicolons divide the cells"
        return "write 1.5 without unit or sign of uncertainty, and nothing at all where there is no value"


def is_number(text: str) -> bool:
    """Whether a text is a number, finite or not, with a point for its decimals."""
    return bool(_NUMBER.fullmatch(text) or _INFINITE.fullmatch(text))


def shown(cell: str) -> str:
    """A cell for a message of one line."""
    return repr(cell if len(cell) <= 60 else f"{cell[:57]}...")
