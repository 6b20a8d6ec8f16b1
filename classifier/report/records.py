"""CSV records put together by compiled code, row by row.

In: columns of cells as bytes and offsets. Out: the bytes of the records. Knows nothing of types: what isn't
text comes as text already.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, compiled

Flags = npt.NDArray[np.bool_]

_COMMA, _QUOTE, _NEWLINE, _APOSTROPHE = ord(","), ord('"'), ord("\n"), ord("'")
_QUOTED: Final = np.zeros(256, dtype=np.bool_)
_QUOTED[list(b'",\r\n')] = True
_RUN: Final = np.zeros(256, dtype=np.bool_)
_RUN[list(b"=+-@\t\r")] = True


@compiled()
def _runs(data: Bytes, begin: int, stop: int) -> bool:
    """Tell whether a spreadsheet would run a cell, or it looks guarded already."""
    while begin < stop and data[begin] == _APOSTROPHE:
        begin += 1
    return bool(begin < stop and _RUN[data[begin]])


@compiled()
def _copied(data: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    for place in range(stop - begin):
        out[at + place] = data[begin + place]
    return at + stop - begin


@compiled()
def _text(data: Bytes, begin: int, stop: int, guard: bool, out: Bytes, at: int) -> int:
    """Write a cell of text; return where it ends."""
    quoting = False
    for place in range(begin, stop):
        quoting |= _QUOTED[data[place]]
    if quoting:
        out[at] = _QUOTE
        at += 1
    if guard and _runs(data, begin, stop):
        out[at] = _APOSTROPHE
        at += 1
    if not quoting:
        return int(_copied(data, begin, stop, out, at))
    for place in range(begin, stop):
        byte = data[place]
        out[at] = byte
        at += 1
        if byte == _QUOTE:
            out[at] = _QUOTE
            at += 1
    out[at] = _QUOTE
    return at + 1


@compiled()
def _write(
    data: Bytes, offsets: npt.NDArray[np.int64], plain: Flags, guard: bool, alone: bool, out: Bytes
) -> int:
    at = 0
    for row in range(offsets.shape[1] - 1):
        for column in range(offsets.shape[0]):
            begin, stop = offsets[column, row], offsets[column, row + 1]
            if alone and begin == stop:
                # A record that is an empty line would be taken for no record at all.
                out[at] = out[at + 1] = _QUOTE
                at += 2
            elif plain[column]:
                at = _copied(data, begin, stop, out, at)
            elif begin < stop:
                at = _text(data, begin, stop, guard, out, at)
            out[at] = _COMMA
            at += 1
        out[at - 1] = _NEWLINE
    return at


def records(columns: Sequence[Column], plain: Sequence[bool], *, guard: bool) -> bytes:
    """Return columns of cells as CSV records (RFC 4180, but each ending in LF).

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
    # At worst each byte is a quote, and each cell has two more, a guard and a comma.
    room = 2 * before + 4 * offsets.size
    out = np.empty(room, dtype=np.uint8)
    flags = np.array(plain, dtype=np.bool_)
    size = _write(np.concatenate(parts), offsets, flags, guard, len(columns) == 1, out)
    return out[:size].tobytes()
