"""CSV records put together by compiled code, row by row.

In: columns of cells as bytes and offsets. Out: the bytes of the records, and where each ends. Knows nothing
of types: what isn't text comes as text already.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled, copy_bytes

Flags = npt.NDArray[np.bool_]

_COMMA, _QUOTE, _NEWLINE, _RETURN, _APOSTROPHE = map(ord, ",\"\n\r'")
_RUN: Final = np.zeros(256, dtype=np.bool_)
_RUN[list(b"=+-@\t\r")] = True

_AT_ONCE: Final = 16
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
    at = 0
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
    count = 0
    for byte in data:
        count += byte == wanted
    return count


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
    parts, offsets = [], np.empty((len(columns), len(columns[0]) + 1), dtype=np.int64)
    before = 0
    for place, column in enumerate(columns):
        begin, stop = column.offsets[0], column.offsets[-1]
        parts.append(column.data[begin:stop])
        offsets[place] = column.offsets - (begin - before)
        before += stop - begin
    data = np.concatenate(parts)
    # At worst each cell has two quotes, a guard and a comma; one byte more is written over.
    room = before + _count(data, _QUOTE) + 4 * offsets.size + 1
    out, ends = np.empty(room, dtype=np.uint8), np.zeros(offsets.shape[1], dtype=np.int64)
    _write(data, offsets, np.array(plain, dtype=np.bool_), guard, len(columns) == 1, out, ends)
    return Column(out[: ends[-1]], ends)
