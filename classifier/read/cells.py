"""Cells as text.

In: columns of any Arrow type. Out: pandas `str` columns, empty where nothing was. Never changes a
letter: only NUL goes, CR LF becomes LF, and accents are composed (NFC).
"""

import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classifier.read.records import plain


def text_of(column: pa.ChunkedArray) -> pd.Series:
    """Return a column as text: true/false, whole numbers without point, ISO dates, lists ";"-joined."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if _is_text(kind):
        texts = column.cast(pa.large_string())
    elif pa.types.is_null(kind):
        texts = pa.chunked_array([pa.array([""] * len(column), pa.large_string())])
    elif _is_castable(kind):
        texts = column.cast(pa.large_string())
    elif pa.types.is_list(kind) and _is_text(kind.value_type):
        texts = pc.binary_join(column, ";").cast(pa.large_string())
    else:
        texts = pa.chunked_array(
            [pa.array([_plain(value) for value in column.to_pylist()], pa.large_string())]
        )
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    series: pd.Series = texts.to_pandas()
    return series if series.dtype == "str" else series.astype("str")


def is_scalar(kind: pa.DataType) -> bool:
    """Tell whether a column holds one plain value per row."""
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def tidy(texts: pd.Series) -> pd.Series:
    """Return texts without NUL, with LF line ends, in NFC; plain ASCII costs a look only."""
    # Compiled code takes half a second to load: only where rows are read.
    from classifier.buffers import Column

    column = Column.of(texts)
    array = before = column.array()
    content = column.data[column.offsets[0] : column.offsets[-1]]
    # NumPy looks several times as fast as Arrow finds.
    for mark, unwanted, instead in ((0, "\0", ""), (ord("\r"), "\r\n", "\n")):
        if (content == mark).any():
            array = pc.replace_substring(array, unwanted, instead)
    array = _composed(array)
    if array is before:
        return texts
    return pd.Series(array.to_pandas().array, index=texts.index, name=texts.name)


def _composed(array: pa.Array) -> pa.Array:
    from classifier.buffers import Column
    from classifier.composed import may_change

    odd = np.flatnonzero(may_change(Column.of(array)))
    texts = array.take(odd).to_pylist()
    composed = [
        text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
        for text in texts
    ]
    if composed == texts:
        return array
    mask = np.zeros(len(array), dtype=np.bool_)
    mask[odd] = True
    return pc.replace_with_mask(array, pa.array(mask), pa.array(composed, pa.large_string()))


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        # Some writers keep text as bytes.
        try:
            return plain(value.decode())
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ";".join(map(_plain, value))
    if value is None or isinstance(value, str | bool | int | float | list | dict):
        return plain(value)
    return str(value)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _is_castable(kind: pa.DataType) -> bool:
    tests = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_temporal, pa.types.is_decimal)
    return any(test(kind) for test in tests)
