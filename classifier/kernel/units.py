"""The rules of `split.py`, compiled: whole columns of text.

In: a column of strings. Out: where its units are. Never differs from the reference.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.buffers import Column, at, compiled
from classifier.chars import APOSTROPHE, CLOSER, DIGIT, LETTER, LOWER, NEWLINE, SPACE, TERMINAL, UPPER
from classifier.features import FNV_OFFSET, hash_chars
from classifier.kernel.text import Codes, Hashes, Kinds, hash_folded, read, tables, trim_end, trim_start
from classifier.split import (
    ABBREVIATIONS,
    ANYTHING,
    FULL_WIDTH,
    LONGEST_ABBREVIATION,
    MAX_UNIT,
    NO_CAPITAL,
    WRAPPED,
)

_FULL_STOP = ord(".")
_PAUSES = (ord(","), ord(";"), ord(":"))
_BRACKET = ord("(")
_I = ord("I")
_WIDE_MARKS = tuple(map(ord, FULL_WIDTH))
_SHORTEST_WRAPPED, _LONGEST_WRAPPED = WRAPPED


def _slots() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the abbreviations by the lowest bits of their hashes, so many bits that no two share a slot."""
    hashes = np.array([hash_chars([ord(char) for char in word]) for word in ABBREVIATIONS], dtype=np.uint32)
    size = 64
    while len(np.unique(hashes % size)) < len(hashes):
        size *= 2
    # What an empty slot holds belongs to another one.
    filled, unless = np.arange(size, dtype=np.uint32) ^ np.uint32(1), np.zeros(size, dtype=np.int64)
    filled[hashes % size], unless[hashes % size] = hashes, list(ABBREVIATIONS.values())
    return filled, unless


_ABBREVIATION_HASHES, _ABBREVIATION_UNLESS = _slots()


@dataclass(frozen=True)
class Units:
    """The units of a column: rows `first[i]:first[i + 1]` of `start` and `end` belong to row i."""

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.start)


@compiled(forceinline=True)
def _abbreviated(codes: Codes, kinds: Kinds, folds: Codes, start: int, mark: int, then: int) -> bool:
    begin = mark
    digits = True
    while begin > start and kinds[at(begin - 1)] & (LETTER | DIGIT):
        begin -= 1
        digits = digits and kinds[at(begin)] & DIGIT != 0
    length = mark - begin
    if length == 0:
        return False
    starts = trim_start(kinds, start, mark) == begin
    if digits:
        return length <= 3 and starts
    if length == 1 and (starts or _initial(codes, kinds, begin)):
        return True
    if length > LONGEST_ABBREVIATION or (not starts and kinds[at(begin - 1)] & APOSTROPHE):
        return False
    value = np.uint32(FNV_OFFSET)
    for place in range(begin, mark):
        value = hash_folded(value, codes[at(place)], folds)
    slot = int(value) & (len(_ABBREVIATION_HASHES) - 1)
    if _ABBREVIATION_HASHES[at(slot)] != value:
        return False
    unless = _ABBREVIATION_UNLESS[at(slot)]
    if unless == ANYTHING:
        return True
    return bool(not then & UPPER) if unless == NO_CAPITAL else bool(then & DIGIT)


@compiled()
def _initial(codes: Codes, kinds: Kinds, begin: int) -> bool:
    before = begin - 1
    if codes[at(before)] == _FULL_STOP:
        return True
    alone = kinds[at(before)] & SPACE or codes[at(before)] == _BRACKET
    return bool(alone and kinds[at(begin)] & UPPER and codes[at(begin)] != _I)


@compiled()
def _ends_line(kinds: Kinds, count: int, start: int, place: int) -> bool:
    following = place + 1
    if following >= count or not kinds[at(following)] & LOWER:
        return True
    last = place - 1
    while last >= start and kinds[at(last)] & SPACE and not kinds[at(last)] & NEWLINE:
        last -= 1
    if last < start or kinds[at(last)] & (TERMINAL | NEWLINE | CLOSER):
        return True
    first = last
    while first > 0 and last - first < _LONGEST_WRAPPED and not kinds[at(first - 1)] & NEWLINE:
        first -= 1
    return bool(not _SHORTEST_WRAPPED <= last - first + 1 <= _LONGEST_WRAPPED)


@compiled()
def _ends_unspaced(
    codes: Codes, kinds: Kinds, folds: Codes, count: int, start: int, mark: int, following: int
) -> bool:
    code = codes[at(mark)]
    if code in _WIDE_MARKS:
        return bool(not kinds[at(following)] & (TERMINAL | CLOSER))
    if following != mark + 1 or following + 1 >= count:
        return False
    if not (kinds[at(following)] & UPPER and kinds[at(following + 1)] & (LOWER | SPACE | APOSTROPHE)):
        return False
    last = mark
    while last > start and kinds[at(last)] & TERMINAL:
        last -= 1
    first = last
    while first > start and kinds[at(first - 1)] & (LETTER | APOSTROPHE):
        first -= 1
    if not kinds[at(last)] & LOWER or last == first or (first > 0 and not kinds[at(first - 1)] & SPACE):
        return False
    return code != _FULL_STOP or not _abbreviated(codes, kinds, folds, start, mark, UPPER)


@compiled(forceinline=True)
def _ends_sentence(codes: Codes, kinds: Kinds, folds: Codes, count: int, start: int, place: int) -> bool:
    if kinds[at(place)] & NEWLINE:
        return bool(_ends_line(kinds, count, start, place))
    following = place + 1
    if following >= count or kinds[at(following)] & NEWLINE:
        return False
    mark = place
    while mark > start and kinds[at(mark)] & CLOSER and not kinds[at(mark)] & TERMINAL:
        mark -= 1
    if not kinds[at(mark)] & TERMINAL:
        return False
    if not kinds[at(following)] & SPACE:
        return bool(_ends_unspaced(codes, kinds, folds, count, start, mark, following))
    following = trim_start(kinds, following, count)
    then = kinds[at(following)] if following < count else np.uint16(0)
    if mark != place:
        return bool(not then & LOWER)
    return codes[at(mark)] != _FULL_STOP or not _abbreviated(codes, kinds, folds, start, mark, then)


@compiled()
def _cut_place(codes: Codes, kinds: Kinds, start: int) -> int:
    limit = start + MAX_UNIT
    for place in range(limit - 1, start + MAX_UNIT // 2, -1):
        if codes[at(place)] in _PAUSES and kinds[at(place + 1)] & SPACE:
            return place + 1
    for place in range(limit, start, -1):
        if kinds[at(place)] & SPACE:
            return place
    return limit


@compiled(forceinline=True)
def _cut(codes: Codes, kinds: Kinds, start: int, end: int, starts: Codes, ends: Codes, found: int) -> int:
    """Write the parts of one unit from place `found` on; return the number of units by now."""
    while end - start > MAX_UNIT:
        stop = _cut_place(codes, kinds, start)
        first = trim_start(kinds, start, stop)
        starts[at(found)], ends[at(found)] = first, trim_end(kinds, first, stop)
        found += 1
        start = trim_start(kinds, stop, end)
    if start < end:
        starts[at(found)], ends[at(found)] = start, end
        found += 1
    return found


@compiled()
def most_units(length: int) -> int:
    """Return an upper bound of the units of a text of so many bytes: each has a character and a space."""
    return length // 2 + 2


@compiled(forceinline=True)
def find_units(
    codes: Codes,
    kinds: Kinds,
    folds: Codes,
    count: int,
    marks: Codes,
    marked: int,
    starts: Codes,
    ends: Codes,
    found: int,
) -> int:
    """Write the units of one document from place `found` on; return the number of units by now.

    `marks` are the places of its characters that may end a sentence, `marked` of them.
    """
    start = 0
    held_start, held_end = -1, -1  # the unit that bare parts may still join
    held_bare = False
    for mark in range(marked + 1):
        place = int(marks[at(mark)]) if mark < marked else count
        if mark < marked and not _ends_sentence(codes, kinds, folds, count, start, place):
            continue
        stop = min(place + 1, count)
        first = trim_start(kinds, start, stop)
        last = trim_end(kinds, first, stop)
        start = stop
        if first >= last:
            continue
        bare = True
        for inner in range(first, last):
            if kinds[at(inner)] & (LETTER | DIGIT):
                bare = False
                break
        if held_start < 0:
            held_start, held_end, held_bare = first, last, bare
        elif bare:
            held_end = last
        elif held_bare:
            held_end, held_bare = last, False
        else:
            found = _cut(codes, kinds, held_start, held_end, starts, ends, found)
            held_start, held_end = first, last
    if held_start >= 0:
        found = _cut(codes, kinds, held_start, held_end, starts, ends, found)
    return found


@compiled(makes_arrays=True)
def _split_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Hashes,
    folds: Codes,
    rooms: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
) -> None:
    """Write the units of each row at rooms[row], and how many there are into sizes[row]."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest + 1, dtype=np.int32)
    folded = np.empty(longest + 1, dtype=np.int32)
    marks = np.empty(longest + 1, dtype=np.int32)
    kinds = np.empty(longest + 1, dtype=np.uint16)
    for row in range(len(offsets) - 1):
        count, marked = read(data, offsets[row], offsets[row + 1], table, codes, kinds, folded, marks)
        room = rooms[row]
        sizes[row] = find_units(codes, kinds, folds, count, marks, marked, starts, ends, room) - room


@compiled()
def _compact(rooms: npt.NDArray[np.int64], first: npt.NDArray[np.int64], wide: Codes, out: Codes) -> None:
    for row in range(len(first) - 1):
        for place in range(first[row + 1] - first[row]):
            out[first[row] + place] = wide[rooms[row] + place]


def split_column(column: Column) -> Units:
    """Return the units of every row; the same as `split.units` on each."""
    known = tables()
    rooms = np.zeros(len(column) + 1, dtype=np.int64)
    # Each unit has a character and a space. Only what is written of this room takes memory.
    np.cumsum(np.diff(column.offsets) // 2 + 2, out=rooms[1:])
    wide_starts, wide_ends = np.empty((2, rooms[-1]), dtype=np.int32)
    first = np.zeros(len(column) + 1, dtype=np.int64)
    texts = (column.data, column.offsets, known.chars, known.folds)
    _split_column(*texts, rooms, first[1:], wide_starts, wide_ends)
    np.cumsum(first, out=first)
    starts, ends = np.empty((2, first[-1]), dtype=np.int32)
    _compact(rooms, first, wide_starts, starts)
    _compact(rooms, first, wide_ends, ends)
    return Units(first, starts, ends)
