"""Rows of XLSX workbooks.

In: a workbook and perhaps the name of a sheet. Out: its header and rows as text. Never computes a
formula: the value that was saved with it counts.
"""

import difflib
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np

from classifier.errors import InputError
from classifier.read.opening import Input
from classifier.read.records import plain
from classifier.read.rows import Fault, Rows, table_of

_CHUNK_ROWS = 5_000
_LAST_ROW = 1_048_576
"""No sheet has more rows; one that claims to would be read for hours, row by empty row."""

_ZEROS = re.compile("00+")
"""Number formats that show leading zeros: 42 is 00042, an id."""

# An underscore that only looks like the start of one is written _x005F_; halves of surrogate pairs stay.
_ESCAPE = re.compile(r"_x((?!D[89A-F])[0-9A-F]{4})_", re.IGNORECASE)
_DAMAGED = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, IndexError, EOFError, OSError)


@dataclass(frozen=True)
class Sheet:
    """A sheet with a header; `header_row` is its 1-based row, `others` the workbook's other sheets."""

    name: str
    names: tuple[str, ...]
    header_row: int
    others: tuple[str, ...]


def find_sheet(source: Input, wanted: str) -> Sheet:
    """Return the sheet called `wanted`, else the first that holds anything.

    A workbook that holds nothing gives a sheet without names.

    Raises
    ------
    InputError
        If the workbook is damaged, or has no sheet of that name.
    """
    with _workbook(source) as book:
        titles = [sheet.title for sheet in book.worksheets]
        if wanted and wanted not in titles:
            near = difflib.get_close_matches(wanted, titles, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(map(repr, titles))
            raise InputError(f"{source.name}: no sheet {wanted!r}{hint}; the workbook has {listed}")
        for title in [wanted] if wanted else titles:
            header_row, names = _header(book[title])
            if names:
                return Sheet(title, names, header_row, tuple(other for other in titles if other != title))
        return Sheet(wanted or titles[0], (), 0, tuple(titles[1:]))


def sheet_rows(source: Input, sheet: Sheet) -> Iterator[Rows]:
    """Yield the rows below the header; a row's number counts from the header, empty rows too.

    Raises
    ------
    InputError
        If the workbook is damaged.
    """
    if not sheet.names:
        return
    width = len(sheet.names)
    good: list[list[str]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    with _workbook(source) as book:
        for number, values in enumerate(_shown(book, sheet), 1):
            cells = [_text(value) for value in values]
            if any(cells[width:]):
                reason = f"{len(cells)} cells where the header has {width}"
                faults.append(Fault(number, reason, cells=cells))
            elif any(cells):
                good.append(cells[:width] + [""] * (width - len(cells)))
                numbers.append(number)
            if len(numbers) >= _CHUNK_ROWS:
                yield _chunk(good, numbers, faults, width)
                good, numbers, faults = [], [], []
    yield _chunk(good, numbers, faults, width)


def _chunk(good: list[list[str]], numbers: list[int], faults: list[Fault], width: int) -> Rows:
    columns: list[list[str]] = [list(column) for column in zip(*good, strict=True)] or [[]] * width
    return Rows(table_of(columns), np.array(numbers, dtype=np.int64), tuple(faults))


@contextmanager
def _workbook(source: Input) -> Iterator[Any]:
    # Takes a tenth of a second to import.
    import openpyxl

    try:
        with source.path.open("rb") as stream:
            with warnings.catch_warnings():
                # Styles and validations that openpyxl doesn't know are none of ours.
                warnings.simplefilter("ignore", UserWarning)
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            try:
                yield book
            finally:
                book.close()
    except _DAMAGED as error:
        raise InputError(
            f"{source.name}: the workbook is damaged ({type(error).__name__}); open and save it again"
        ) from error


def _values(sheet: Any, first_row: int = 1, *, cells: bool = False) -> Iterator[Sequence[Any]]:
    # Some writers give a size that is too small, and openpyxl would believe it.
    sheet.reset_dimensions()
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(
        min_row=first_row, max_row=_LAST_ROW, values_only=not cells
    )
    return rows


def _shown(book: Any, sheet: Sheet) -> Iterator[Sequence[Any]]:
    """Yield the values of the rows below the header, whole numbers with the zeros that their format shows."""
    first_row = sheet.header_row + 1
    # Formats are looked up cell by cell, which takes time: only where the workbook has such ones.
    if not any(map(_ZEROS.fullmatch, getattr(book, "_number_formats", ()))):
        yield from _values(book[sheet.name], first_row)
        return
    for row in _values(book[sheet.name], first_row, cells=True):
        yield [_with_zeros(cell) for cell in row]


def _with_zeros(cell: Any) -> Any:
    value = cell.value
    if type(value) is int and _ZEROS.fullmatch(cell.number_format):
        return f"{value:0{len(cell.number_format)}d}"
    return value


def _header(sheet: Any) -> tuple[int, tuple[str, ...]]:
    for number, values in enumerate(_values(sheet), 1):
        cells = [_text(value).strip() for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            return number, tuple(cell or f"column {place}" for place, cell in enumerate(cells, 1))
    return 0, ()


def _unescaped(text: str) -> str:
    """Decode what Excel writes for characters that XML can't hold: _x000D_ is a carriage return."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _text(value: Any) -> str:
    if type(value) is str:
        return _unescaped(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return plain(value) if value is None or isinstance(value, bool | int | float) else str(value)
