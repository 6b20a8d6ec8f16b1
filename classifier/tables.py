"""The four tables beside the feedback: claims, capabilities, accounts, objectives.

In: a CSV file. Out: the table typed by schema.py, optional columns filled. Never drops a row: a
faulty table is refused whole, with every fault named.
"""

import csv
import difflib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from classifier import schema
from classifier.amounts import dots_part_thousands
from classifier.errors import InputError

STATUSES: Final = ("available", "planned", "not_planned")


@dataclass(frozen=True)
class _Kind:
    """What a table must hold: the columns that may not be missing, and the one that is its key."""

    table: schema.Table
    required: tuple[str, ...]
    key: str
    option: str


KINDS: Final[Mapping[str, _Kind]] = {
    "claims": _Kind(schema.CLAIMS, ("claim_id", "claim"), "claim_id", "--claims"),
    "capabilities": _Kind(
        schema.CAPABILITIES, ("capability_id", "capability", "status"), "capability_id", "--capabilities"
    ),
    "accounts": _Kind(schema.ACCOUNTS, ("account",), "account", "--accounts"),
    "objectives": _Kind(schema.OBJECTIVES, ("objective_id", "objective"), "objective_id", "--objectives"),
}


def read_table(path: Path, kind: str) -> pd.DataFrame:
    """Read one of the four tables; empty if the file has a header alone.

    Parameters
    ----------
    path
        CSV (comma, semicolon or tab), UTF-8 with or without byte order mark, else cp1252.
    kind
        A key of KINDS.

    Raises
    ------
    InputError
        If the file can't be read, lacks a column, or holds a faulty or repeated value: all of them.
    """
    expected = KINDS[kind]
    header, numbers, rows = _rows(path, expected)
    missing = [name for name in expected.required if name not in header]
    if missing:
        raise InputError(f"{path}: {_missing(missing, header)}")
    faults: list[str] = []
    columns = {
        name: _column(name, dtype, numbers, [row.get(name, "") for row in rows], faults)
        for name, dtype in expected.table.items()
    }
    faults += _key_faults(expected.key, numbers, [row[expected.key] for row in rows])
    if kind == "capabilities":
        faults += _status_faults(numbers, [row["status"] for row in rows])
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults[:20])
        more = f"\n  … and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise InputError(f"{path}: {len(faults)} value(s) to mend for {expected.option}:\n{shown}{more}")
    return schema.conform(pd.DataFrame(columns), expected.table)


def _rows(path: Path, expected: _Kind) -> tuple[list[str], list[int], list[dict[str, str]]]:
    """Return the header, and of each row that isn't blank its number and its cells."""
    text = _text(path, expected)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num}: {error}; save it as CSV UTF-8") from None
    header = [name.strip().lower().replace(" ", "_") for name in lines[0]] if lines else []
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} stands there twice; rename or drop one of them")
    numbers: list[int] = []
    rows: list[dict[str, str]] = []
    for number, cells in enumerate(lines[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputError(
                f"{path} row {number}: {len(cells)} cells, the header has {len(header)}; "
                "put a value that holds a delimiter into double quotes"
            )
        numbers.append(number)
        rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True)})
    return header, numbers, rows


def _text(path: Path, expected: _Kind) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (given with {expected.option})") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror} (given with {expected.option})") from error
    if b"\0" in content:
        raise InputError(f"{path}: not a CSV file (it holds NUL bytes); save it as CSV UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _missing(missing: Sequence[str], header: Sequence[str]) -> str:
    hints = []
    for name in missing:
        near = difflib.get_close_matches(name, header, n=1)
        hints.append(f"{name!r}" + (f" (is {near[0]!r} it? rename it)" if near else ""))
    return f"no column {', '.join(hints)}; found: {', '.join(header) or 'nothing'}"


def _column(name: str, dtype: str, numbers: Sequence[int], cells: list[str], faults: list[str]) -> pd.Series:
    column = pd.Series(cells, dtype="str")
    blank = column == ""
    if dtype == schema.REAL:
        plain = column
        if dots_part_thousands(column):
            plain = column.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        values: pd.Series = pd.to_numeric(plain.mask(blank), errors="coerce")
        values = values.mask(values.abs() == math.inf)
    elif dtype == schema.TIME:
        values = pd.to_datetime(column.mask(blank), errors="coerce", utc=True, format="ISO8601")
    else:
        return column
    what = "a number" if dtype == schema.REAL else "an ISO 8601 date such as 2026-03-31"
    wrong = values.index[values.isna() & ~blank]
    faults += [f"row {numbers[row]}: {name} {cells[row]!r} is not {what}" for row in wrong]
    return values


def _key_faults(key: str, numbers: Sequence[int], values: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    faults = []
    for row, value in zip(numbers, values, strict=True):
        if not value:
            faults.append(f"row {row}: {key} is empty")
        elif value in seen:
            faults.append(f"row {row}: {key} {value!r} stands in row {seen[value]} already")
        seen.setdefault(value, row)
    return faults


def _status_faults(numbers: Sequence[int], values: Sequence[str]) -> list[str]:
    return [
        f"row {row}: status {value!r} is none of {', '.join(STATUSES)}"
        for row, value in zip(numbers, values, strict=True)
        if value not in STATUSES
    ]
