"""Scored files read back.

In: files that `classifier score` wrote (.csv, .jsonl, .parquet; text kinds also .gz, .zst).
Out: one table typed by schema.SCORED, kept columns behind. Never repeats a cell in an error.
"""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classifier import schema
from classifier.errors import InputError
from classifier.report.cells import GUARDED
from classifier.report.writers import COMPRESSIONS, RAW_JSON

# A record of pyarrow's CSV reader must fit into one block; `spans` of a very long ticket is large.
_CSV_BLOCK_BYTES = 64 << 20
_FLAGS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}


def read_scored(paths: Sequence[str | Path], *, format: str = "") -> pd.DataFrame:
    """Read scored files into one table, in the order given.

    Parameters
    ----------
    paths
        At least one; "-" is standard input and needs `format`.
    format
        csv or jsonl, for "-" only.

    Returns
    -------
    Table SCORED, then the kept columns of all files as text ("" where a file lacks one).

    Raises
    ------
    InputError
        If a file is missing, damaged, or not one that `classifier score` wrote.
    """
    return join_scored([_read_one(str(path), format) for path in paths])


def join_scored(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put scored tables below each other; a kept column that one lacks is "" there."""
    extra = list(
        dict.fromkeys(name for frame in frames for name in frame.columns if name not in schema.SCORED)
    )
    if not frames:
        return schema.empty(schema.SCORED)
    complete = [frame.assign(**{name: "" for name in extra if name not in frame}) for frame in frames]
    typed = [schema.conform(frame, schema.SCORED, extra=extra) for frame in complete]
    return pd.concat(typed, ignore_index=True)


def read_table(path: Path, table: schema.Table) -> pd.DataFrame:
    """Read a CSV table of a run's folder back, with exactly the columns of `table`.

    Raises
    ------
    InputError
        If the file is missing, damaged, or another table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}; run again to make it anew") from error
    return schema.conform(_typed(_csv(content, str(path), table), str(path), table), table)


def _read_one(path: str, format: str) -> pd.DataFrame:
    kind = _stdin_format(format) if path == "-" else _kind_of(path)
    try:
        return _typed(_KINDS[kind](path), path, schema.SCORED)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: the compressed file is damaged or cut short; copy it again") from error
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or 'damaged file'}") from error


def _stdin_format(format: str) -> str:
    if format not in ("csv", "jsonl"):
        raise InputError(f"standard input can't be read as {format!r}; add --format csv or --format jsonl")
    return format


def _kind_of(path: str) -> str:
    parts = [part for part in Path(path).name.lower().split(".")[1:] if part not in COMPRESSIONS]
    if not parts or parts[-1] not in _KINDS:
        raise InputError(
            f"{path}: not a scored file by its name (.csv, .jsonl, .parquet; also .csv.gz, .jsonl.zst); "
            f"make one with `classifier score INPUT --out scored.csv`, "
            "or give the export itself to `classifier run`"
        )
    return parts[-1]


def _content(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    content = Path(path).read_bytes()
    if path.lower().endswith(".gz"):
        return gzip.decompress(content)
    if path.lower().endswith(".zst"):
        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            return bytes(stream.read())
    return content


def _parquet(path: str) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        return pd.DataFrame(pq.read_table(path).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not a Parquet file, or damaged; score the input again") from error


def _scored_csv(path: str) -> pd.DataFrame:
    return _csv(_content(path), path, schema.SCORED)


def _csv(content: bytes, path: str, table: schema.Table) -> pd.DataFrame:
    from pyarrow import csv as arrow_csv

    names = _csv_names(content, path)
    try:
        cells = arrow_csv.read_csv(
            io.BytesIO(content),
            read_options=arrow_csv.ReadOptions(block_size=_CSV_BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path}: not a complete CSV file (a row has too many or too few cells, or isn't UTF-8); "
            "score the input again"
        ) from error
    columns = {}
    for name in cells.column_names:
        column = cells[name]
        if table.get(name, schema.STR) == schema.STR:
            column = _unguarded(column)
        columns[name] = column.to_pandas().astype("str")
    return pd.DataFrame(columns)


def _csv_names(content: bytes, path: str) -> list[str]:
    head = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        return next(csv.reader(head))
    except (StopIteration, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: empty, or not UTF-8 text; score the input again") from error


def _unguarded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    guarded = pc.match_substring_regex(column, GUARDED.replace("'*", "'+", 1))
    return pc.if_else(guarded, pc.utf8_slice_codeunits(column, start=1), column)


def _json_lines(path: str) -> pd.DataFrame:
    import orjson

    rows = []
    for number, line in enumerate(_content(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path} line {number}: not JSON; score the input again") from error
        if not isinstance(row, dict):
            raise InputError(f"{path} line {number}: not a JSON object; score the input again")
        for name in RAW_JSON:
            row[name] = orjson.dumps(row[name]).decode() if row.get(name) else "[]"
        rows.append(row)
    if not rows:
        return schema.empty(schema.SCORED)
    return pd.DataFrame(rows)


def _typed(frame: pd.DataFrame, path: str, table: schema.Table) -> pd.DataFrame:
    missing = [name for name in table if name not in frame.columns]
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        kind, remedy = _SCORED_REMEDY if table is schema.SCORED else _TABLE_REMEDY
        raise InputError(
            f"{path}: not a {kind}: {len(missing)} of its {len(table)} columns "
            f"are missing ({shown}); {remedy}"
        )
    return frame.assign(
        **{name: _column(frame[name], dtype, path) for name, dtype in table.items() if dtype != schema.STR}
    )


def _column(column: pd.Series, dtype: str, path: str) -> pd.Series:
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return column
    text = column.astype("str").fillna("").str.strip()
    values = _parsed(text, dtype)
    unread = values.isna() & ((text != "") | (dtype in (schema.FLAG, schema.INT)))
    if unread.any():
        row = int(np.flatnonzero(unread)[0]) + 1
        raise InputError(
            f"{path} row {row} (the header not counted), column {column.name!r}: "
            f"can't be read as {_MEANING[dtype]}; score the input again"
        )
    return values.astype("bool") if dtype == schema.FLAG else values


def _parsed(text: pd.Series, dtype: str) -> pd.Series:
    """Return values, missing where the text is empty or can't be read."""
    if dtype == schema.FLAG:
        return text.str.lower().map(_FLAGS)
    given = text.mask(text == "")
    if dtype == schema.TIME:
        return pd.to_datetime(given, utc=True, format="ISO8601", errors="coerce")
    numbers = pd.to_numeric(given, errors="coerce")
    return numbers if dtype == schema.REAL else numbers.where(numbers == np.floor(numbers))


_KINDS: Mapping[str, Callable[[str], pd.DataFrame]] = {
    "csv": _scored_csv,
    "jsonl": _json_lines,
    "parquet": _parquet,
}
_MEANING = {
    schema.FLAG: "true or false",
    schema.TIME: "an ISO 8601 time",
    schema.REAL: "a number",
    schema.INT: "a whole number",
    "Int64": "a whole number",
}

_SCORED_REMEDY = ("scored file", "make one with `classifier score INPUT --out scored.csv`")
_TABLE_REMEDY = ("table of this version", "run again to make it anew")
