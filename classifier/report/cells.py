"""Columns as the text of their cells: CSV and JSON, a whole column at a time.

In: a DataFrame typed by schema.py. Out: bytes of CSV records or JSON lines. Never loops over
cells in Python except those few that need it (very large numbers, escapes).
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from classifier.buffers import Column

GUARDED = r"^'*[=+\-@\t\r]"
"""Text cells that get one leading apostrophe: what a spreadsheet would run, and what already looks
guarded, so that taking one apostrophe away gives every text back."""

DECIMALS = 6
# From here on `value * 10**6` is no longer a whole number that a double can hold.
_EXACT_BELOW = 2.0**53 / 10**DECIMALS

_NULL = pa.scalar(None, pa.large_string())


def csv_header(columns: Sequence[str]) -> bytes:
    """Return the header record of a CSV file."""
    return csv_records(pd.DataFrame([list(columns)], columns=list(columns), dtype="str"), guard=False)


def csv_records(frame: pd.DataFrame, *, guard: bool = True) -> bytes:
    """Return the rows of `frame` as CSV records (RFC 4180, but each ending in LF), without header.

    Missing values and empty text are empty cells. Only text is guarded against being run as a
    formula: numbers, times and flags are written as they are.
    """
    return b"" if frame.empty else csv_lines(frame, guard=guard).data.tobytes()


def csv_lines(frame: pd.DataFrame, *, guard: bool = True) -> "Column":
    """Do as `csv_records`, and tell where each record ends; at least one column."""
    # Compiled code takes half a second to load: only where something is written.
    from classifier.buffers import Column
    from classifier.report.records import records

    columns = [frame[name] for name in frame.columns]
    cells = [Column.of(column if column.dtype == "str" else _csv_cells(column)) for column in columns]
    return records(cells, [not _is_text(column) for column in columns], guard=guard)


def json_lines(frame: pd.DataFrame, *, raw: Sequence[str] = ()) -> bytes:
    """Return the rows of `frame` as JSON objects, one per line; missing values are null.

    Parameters
    ----------
    frame
        Any typed table.
    raw
        Text columns that hold JSON already: written as lists or objects, not as text.
    """
    if frame.empty:
        return b""
    cells = []
    for position, name in enumerate(frame.columns):
        key = ("," if position else "") + json.dumps(str(name), ensure_ascii=False) + ":"
        values = _json_cells(frame[name], is_json=name in raw)
        cells.append(pc.binary_join_element_wise(pa.scalar(key, pa.large_string()), values, _text("")))
    return _joined(cells, "", "{", "}\n")


def _joined(cells: list[pa.Array], separator: str, start: str, end: str) -> bytes:
    rows = pc.binary_join_element_wise(*cells, _text(separator))
    rows = pc.binary_join_element_wise(_text(start), rows, _text(end), _text(""))
    buffer = rows.buffers()[2]
    return buffer.to_pybytes() if buffer is not None else b""


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def _csv_cells(column: pd.Series) -> pa.Array:
    if pd.api.types.is_bool_dtype(column.dtype):
        return _flags(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return pc.fill_null(_times(column), "")
    if pd.api.types.is_integer_dtype(column.dtype):
        return pc.fill_null(pa.array(column).cast(pa.large_string()), "")
    if pd.api.types.is_float_dtype(column.dtype):
        return pc.fill_null(decimals(column), "")
    return _large_text(column)


def _is_text(column: pd.Series) -> bool:
    kind = column.dtype
    typed = pd.api.types.is_numeric_dtype(kind) or isinstance(kind, pd.DatetimeTZDtype)
    return not (typed or pd.api.types.is_bool_dtype(kind))


def _json_cells(column: pd.Series, *, is_json: bool) -> pa.Array:
    if pd.api.types.is_bool_dtype(column.dtype):
        return _flags(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        quoted = pc.binary_join_element_wise(_text('"'), _times(column), _text('"'), _text(""))
        return pc.fill_null(quoted, "null")
    if pd.api.types.is_integer_dtype(column.dtype):
        return pc.fill_null(pa.array(column).cast(pa.large_string()), "null")
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        finite = pa.array(values, mask=~np.isfinite(values))
        return pc.fill_null(finite.cast(pa.large_string()), "null")
    text = _large_text(column)
    if is_json:
        return _replace_where(text, pc.equal(text, ""), _text("[]"))
    return _json_text(text)


def _flags(column: pd.Series) -> pa.Array:
    return pc.if_else(pa.array(column.to_numpy(dtype=bool)), _text("true"), _text("false"))


def _times(column: pd.Series) -> pa.Array:
    """Return ISO 8601 in UTC; a fraction only where it isn't zero."""
    stamps = pa.array(column.dt.as_unit("us"))
    whole = pc.floor_temporal(stamps, unit="second")
    text = whole.cast(pa.timestamp("s")).cast(pa.large_string())
    text = pc.replace_substring(text, " ", "T")
    micros = pc.subtract(stamps.cast(pa.int64()), whole.cast(pa.int64()))
    fraction = pc.utf8_lpad(micros.cast(pa.large_string()), 6, "0")
    fraction = pc.utf8_rtrim(pc.binary_join_element_wise(_text("."), fraction, _text("")), "0.")
    return pc.binary_join_element_wise(text, fraction, _text("Z"), _text(""))


def decimals(column: pd.Series) -> pa.Array:
    """Return numbers as text with at most six decimals, no exponent and no trailing zeros."""
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    missing = np.isnan(values)
    plain = np.abs(values) < _EXACT_BELOW
    # Adding 0.0 turns -0.0 into 0.0.
    rounded = np.round(np.where(plain, values, 0.0), DECIMALS) + 0.0
    text = pa.array(rounded, mask=missing).cast(pa.large_string())
    rare = np.flatnonzero(~plain & ~missing)
    if not rare.size:
        return text
    spelled = [_spelled(values[row]) for row in rare]
    return pc.replace_with_mask(text, pa.array(~plain & ~missing), pa.array(spelled, pa.large_string()))


def _spelled(value: float) -> str:
    text = f"{value:.{DECIMALS}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _large_text(column: pd.Series) -> pa.Array:
    array = pa.array(column.astype("str"), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return pc.fill_null(array.cast(pa.large_string()), "")


def _json_text(text: pa.Array) -> pa.Array:
    quoted = pc.binary_join_element_wise(_text('"'), text, _text('"'), _text(""))
    escaping = pc.match_substring_regex(text, r'["\\\x00-\x1f]')
    if pc.any(escaping).as_py():
        escaped = [json.dumps(value, ensure_ascii=False) for value in text.filter(escaping).to_pylist()]
        quoted = pc.replace_with_mask(quoted, escaping, pa.array(escaped, pa.large_string()))
    return pc.if_else(pc.equal(text, ""), _NULL, quoted).fill_null("null")


def _replace_where(text: pa.Array, mask: pa.Array, value: pa.Scalar) -> pa.Array:
    return pc.if_else(mask, value, text)
