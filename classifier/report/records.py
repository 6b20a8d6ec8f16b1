"""CSV records put together by compiled code, row by row.

In: columns of cells as bytes and offsets. Out: the bytes of the records, and where each ends. Knows nothing
of types: what isn't text comes as text already.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled, copy_bytes, count_bytes

Flags = npt.NDArray[np.bool_]

_COMMA, _QUOTE, _NEWLINE, _RETURN, _APOSTROPHE = map(ord, ",\"\n\r'")
_RUN: Final = np.zeros(256, dtype=np.bool_)
_RUN[list(b"=+-@\t\r")] = True

_AT_ONCE: Final = 16
_ROWS: Final = 1_000
"""Rows that are written at once: few, so that their cells stay near the processor."""

"""Bytes that are copied at once where there is no quote among them."""


@compiled()
def _runs(data: Bytes, begin: int, stop: int) -> bool:
    """Tell whether a spreadsheet would run a cell, or it looks guarded already."""
    while begin < stop and data[begin] == _APOSTROPHE:
        begin += 1
    return bool(begin < stop and _RUN[data[begin]])


@compiled()
def _needs_quotes(data: Bytes, begin: int, stop: int) -> bool:
    found = np.uint8(0)
    # Without a way out and with places that can't be negative: then many bytes are looked at at once.
    for place in range(np.uint64(begin), np.uint64(stop)):
        byte = data[place]
        sign = (byte == _COMMA) | (byte == _QUOTE) | (byte == _NEWLINE) | (byte == _RETURN)
        found = np.uint8(found | np.uint8(sign))
    return bool(found)


@compiled(forceinline=True)
def _each_doubled(data: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    """Write text with each quote twice, byte by byte; return where it ends."""
    one, to = np.uint64(1), np.uint64(at)
    for place in range(np.uint64(begin), np.uint64(stop)):
        byte = data[place]
        # What follows is written over, unless this is a quote.
        out[to], out[to + one] = byte, _QUOTE
        to += one + np.uint64(byte == _QUOTE)
    return int(to)


@compiled()
def _doubled(data: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    """Write text with each quote twice; return where it ends."""
    while begin + _AT_ONCE <= stop:
        found = np.uint8(0)
        for step in range(np.uint64(_AT_ONCE)):
            found = np.uint8(found | np.uint8(data[np.uint64(begin) + step] == _QUOTE))
        if found:
            at = _each_doubled(data, begin, begin + _AT_ONCE, out, at)
        else:
            at = copy_bytes(data, begin, begin + _AT_ONCE, out, at)
        begin += _AT_ONCE
    return int(_each_doubled(data, begin, stop, out, at))


@compiled()
def _text(data: Bytes, begin: int, stop: int, guard: bool, out: Bytes, at: int) -> int:
    """Write a cell of text; return where it ends."""
    quoting = _needs_quotes(data, begin, stop)
    if quoting:
        out[at] = _QUOTE
        at += 1
    if guard and _runs(data, begin, stop):
        out[at] = _APOSTROPHE
        at += 1
    if not quoting:
        return int(copy_bytes(data, begin, stop, out, at))
    at = _doubled(data, begin, stop, out, at)
    out[at] = _QUOTE
    return at + 1


@compiled()
def _write(
    data: Bytes,
    offsets: npt.NDArray[np.int64],
    plain: Flags,
    guard: bool,
    alone: bool,
    out: Bytes,
    ends: Offsets,
) -> None:
    at = ends[0]
    for row in range(offsets.shape[1] - 1):
        for column in range(offsets.shape[0]):
            begin, stop = offsets[column, row], offsets[column, row + 1]
            if alone and begin == stop:
                # A record that is an empty line would be taken for no record at all.
                out[at] = out[at + 1] = _QUOTE
                at += 2
            elif plain[column]:
                at = copy_bytes(data, begin, stop, out, at)
            elif begin < stop:
                at = _text(data, begin, stop, guard, out, at)
            out[at] = _COMMA
            at += 1
        out[at - 1] = _NEWLINE
        ends[row + 1] = at


@compiled()
def _count(data: Bytes, wanted: int) -> int:
    return int(count_bytes(data, 0, len(data), 0xFF, wanted))


def records(columns: Sequence[Column], plain: Sequence[bool], *, guard: bool) -> Column:
    """Return columns of cells as CSV records (RFC 4180, but each ending in LF), one after the other.

    Parameters
    ----------
    columns
        At least one; all with as many rows.
    plain
        For each column, whether its cells need neither quotes nor a guard.
    guard
        Whether text that a spreadsheet would run gets an apostrophe first.
    """
    rows, kinds = len(columns[0]), np.array(plain, dtype=np.bool_)
    out = np.empty(_room(columns, plain), dtype=np.uint8)
    ends = np.zeros(rows + 1, dtype=np.int64)
    for start in range(0, rows, _ROWS):
        stop = min(start + _ROWS, rows)
        data, offsets = _together(columns, start, stop)
        _write(data, offsets, kinds, guard, len(columns) == 1, out, ends[start : stop + 1])
    return Column(out[: ends[-1]], ends)


def _room(columns: Sequence[Column], plain: Sequence[bool]) -> int:
    """Return an upper bound of the bytes of all records."""
    room = 1
    for column, is_plain in zip(columns, plain, strict=True):
        own = column.data[column.offsets[0] : column.offsets[-1]]
        # At worst each cell has two quotes, a guard and a comma; a plain one that is alone two quotes.
        room += len(own) + (1 if is_plain and len(columns) > 1 else 4) * len(column.offsets)
        room += 0 if is_plain else _count(own, _QUOTE)
    return room


def _together(columns: Sequence[Column], start: int, stop: int) -> tuple[Bytes, Offsets]:
    """Return the bytes of some rows, column after column, and where each cell begins."""
    parts, offsets = [], np.empty((len(columns), stop - start + 1), dtype=np.int64)
    before = 0
    for place, column in enumerate(columns):
        own = column.offsets[start : stop + 1]
        begin, end = own[0], own[-1]
        parts.append(column.data[begin:end])
        np.subtract(own, begin - before, out=offsets[place])
        before += end - begin
    return np.concatenate(parts), offsets
