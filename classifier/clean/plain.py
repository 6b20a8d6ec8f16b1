"""Texts that need no cleaning, and how subject and body become one text: compiled.

In: columns of text as bytes. Out: masks, and a column. May be wrong in one way only: a text that cleaning
would change is marked.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled, copy_bytes

Flags = npt.NDArray[np.bool_]

_NEWLINE, _SPACE, _DELETE = 10, 32, 127
_TAG, _ENTITY = ord("<"), ord("&")
_AFTER_TAG: Final = np.zeros(256, dtype=np.bool_)
_AFTER_TAG[list(b"/!?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True
_AFTER_TAG[0x80:] = True
_AFTER_ENTITY: Final = np.zeros(256, dtype=np.bool_)
_AFTER_ENTITY[list(b"#aAnNlL")] = True


@compiled()
def _mark_markup(data: Bytes, offsets: Offsets, found: Flags) -> None:
    for row in range(len(offsets) - 1):
        stop = offsets[row + 1]
        signs = np.uint8(0)
        # Places that can't be negative: then many bytes are looked at at once.
        for place in range(np.uint64(offsets[row]), np.uint64(stop)):
            byte = data[place]
            sign = (byte == _NEWLINE) | (byte == _TAG) | (byte == _ENTITY)
            signs = np.uint8(signs | np.uint8(sign))
        if not signs:
            continue
        for place in range(offsets[row], stop):
            byte = data[place]
            after = data[place + 1] if place + 1 < stop else _SPACE
            if (
                byte == _NEWLINE
                or (byte == _TAG and _AFTER_TAG[after])
                or (byte == _ENTITY and _AFTER_ENTITY[after])
            ):
                found[row] = True
                break


def may_hold_markup(column: Column) -> Flags:
    """Mark texts with a line break, or with what may begin a tag or a character reference."""
    found = np.zeros(len(column), dtype=np.bool_)
    _mark_markup(column.data, column.offsets, found)
    return found


@compiled()
def _mark_with(data: Bytes, offsets: Offsets, wanted: int, found: Flags) -> None:
    for row in range(len(offsets) - 1):
        found[row] = False
        for place in range(offsets[row], offsets[row + 1]):
            if data[place] == wanted:
                found[row] = True
                break


def holds(column: Column, byte: int) -> Flags:
    """Mark texts that hold a byte."""
    found = np.empty(len(column), dtype=np.bool_)
    _mark_with(column.data, column.offsets, byte, found)
    return found


@compiled()
def _mark_without_signs(data: Bytes, offsets: Offsets, found: Flags) -> None:
    for row in range(len(offsets) - 1):
        found[row] = True
        for place in range(offsets[row], offsets[row + 1]):
            if _SPACE < data[place] < _DELETE:
                found[row] = False
                break


def may_be_blank(column: Column) -> Flags:
    """Mark texts without any ASCII character that shows."""
    found = np.empty(len(column), dtype=np.bool_)
    _mark_without_signs(column.data, column.offsets, found)
    return found


@compiled()
def _join(
    data: Bytes,
    offsets: Offsets,
    ends: Bytes,
    end_offsets: Offsets,
    first: Flags,
    last: Flags,
    places: Offsets,
    out: Bytes,
) -> None:
    at = 0
    for row in range(len(offsets) - 1):
        if first[row]:
            at = copy_bytes(data, offsets[row], offsets[row + 1], out, at)
        if first[row] and last[row]:
            out[at] = _NEWLINE
            at += 1
        if last[row]:
            at = copy_bytes(ends, end_offsets[row], end_offsets[row + 1], out, at)
        places[row + 1] = at


def joined(head: Column, rest: Column, has_head: Flags, has_rest: Flags) -> Column:
    r"""Return head + "\n" + rest where both are there, head alone where it is, else rest as it is."""
    last = has_rest | ~has_head
    room = head.offsets[-1] - head.offsets[0] + rest.offsets[-1] - rest.offsets[0] + len(head)
    places = np.zeros(len(head) + 1, dtype=np.int64)
    out = np.empty(room, dtype=np.uint8)
    _join(head.data, head.offsets, rest.data, rest.offsets, has_head, last, places, out)
    return Column(out[: places[-1]], places)
