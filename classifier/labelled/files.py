"""Files of labelled data -> rows, each with its place for messages.

In: a CSV, TSV, JSON lines or Parquet file. Out: its rows, names of columns folded. Never leaves a row out.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifier.errors import InputError
from classifier.labelled.cells import BODIES
from classifier.labels import LABELS

_SUFFIXES: Final = {
    ".csv": "row",
    ".tsv": "row",
    ".jsonl": "line",
    ".ndjson": "line",
    ".parquet": "row",
}
_COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd"}
_FIELD_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True)
class Row:
    """One row with its column names folded to lower case; `place` is where it stands, for messages."""

    place: str
    values: Mapping[str, Any]


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file, in order.

    Raises
    ------
    InputError
        If it can't be read, holds no row, or lacks a column.
    """
    compressed = path.suffix.lower() in _COMPRESSIONS
    suffix = Path(path.stem if compressed else path.name).suffix.lower()
    if suffix not in _SUFFIXES or (compressed and suffix == ".parquet"):
        raise InputError(
            f"{path}: labelled data is read from files that end in {', '.join(_SUFFIXES)}"
            f" (text kinds also {', '.join(_COMPRESSIONS)}); save it as one of these"
        )
    read = {".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}.get(suffix, _csv)
    numbered = read(path)
    if not numbered:
        raise InputError(f"{path}: holds no rows; labelled data needs at least one, with text and labels")
    _check_columns(path, {name for _, values in numbered for name in values})
    return [Row(f"{path} {_SUFFIXES[suffix]} {number}", values) for number, values in numbered]


def _check_columns(path: Path, found: set[str]) -> None:
    columns = ", ".join(sorted(found)) or "none"
    if not found & {*BODIES}:
        raise InputError(
            f"{path}: no text; columns found: {columns};"
            f" name the text column 'text', or 'body' (or 'description'), and that of subjects 'subject'"
        )
    missing = [label for label in LABELS if label not in found]
    if "labels" in found and len(missing) < len(LABELS):
        named = ", ".join(sorted(found & set(LABELS)))
        raise InputError(f"{path}: labels given twice, in 'labels' and in {named}; leave one of them out")
    if "labels" not in found and missing:
        raise InputError(
            f"{path}: no labels; columns found: {columns}; add a column 'labels' (joined by ';', empty for"
            f" none), or true/false columns (missing: {', '.join(missing)})"
        )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    compression = _COMPRESSIONS.get(path.suffix.lower())
    if compression is None:
        return content
    import pyarrow as pa

    try:
        unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(content), compression).read()
    except OSError as error:
        raise InputError(f"{path}: isn't whole {compression} data; unpack it or make it anew") from error
    return unpacked


def _decoded(path: Path) -> str:
    try:
        return _content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8, in a spreadsheet 'CSV UTF-8'"
        ) from None


def _folded(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in values.items()}


def _json_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    numbered = []
    # Not splitlines: it also cuts at the Unicode line separators that a JSON string may hold.
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path} line {number}: not JSON: {error.msg} at column {error.colno};"
                " each line must be one whole object"
            ) from None
        if not isinstance(values, dict):
            raise InputError(f"{path} line {number}: a JSON {type(values).__name__}, not an object")
        numbered.append((number, _folded(values)))
    return numbered


def _csv(path: Path) -> list[tuple[int, dict[str, Any]]]:
    text = _decoded(path)
    header_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    # The limit of 131,072 characters is the csv module's own, and global; long letters pass it.
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num}: broken quoting: {error}") from None
    header = [name.strip().lower() for name in lines[0]] if lines else []
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} stands there twice; rename one of them")
    numbered = []
    for number, cells in enumerate(lines[1:], start=1):
        if cells and len(cells) != len(header):
            raise InputError(
                f"{path} row {number}: {len(cells)} cells, but the header has {len(header)};"
                f" quote the cells that hold {delimiter!r} or line breaks"
            )
        if cells:
            numbered.append((number, dict(zip(header, cells, strict=True))))
    return numbered


def _parquet(path: Path) -> list[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = _content(path)
    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file, or a damaged one; write it anew") from error
    return [(number, _folded(values)) for number, values in enumerate(rows, start=1)]
