"""The rules of `split.py` and `features.py`, compiled: whole columns of text, all cores.

In: an Arrow column of strings. Out: units with their places, their n-gram buckets, or the sums of
their weights. Never holds a Python object per document; never differs from the references.
"""

from dataclasses import dataclass
from functools import lru_cache

import numba as nb
import numpy as np
import numpy.typing as npt

from classifier import chars
from classifier.buffers import Column
from classifier.buffers import compiled as _compiled
from classifier.chars import (
    APOSTROPHE,
    CLOSER,
    DIGIT,
    LETTER,
    LOWER,
    NEWLINE,
    SPACE,
    SYMBOL,
    TABLE_SIZE,
    TERMINAL,
    UPPER,
)
from classifier.features import (
    CHAR_SALT,
    CLOSE,
    FNV_OFFSET,
    FNV_PRIME,
    JOIN,
    MAX_TOKEN,
    OPEN,
    PAIR_SALT,
    TRIPLE_SALT,
    WORD_SALT,
    FeatureSettings,
    hash_chars,
)
from classifier.split import (
    ABBREVIATIONS,
    ANYTHING,
    FULL_WIDTH,
    LONGEST_ABBREVIATION,
    MAX_UNIT,
    NO_CAPITAL,
    WRAPPED,
)

_FEW = 64
_FULL_STOP = ord(".")
_PAUSES = (ord(","), ord(";"), ord(":"))
_BRACKET = ord("(")
_I = ord("I")
_WIDE_MARKS = tuple(map(ord, FULL_WIDTH))
_SHORTEST_WRAPPED, _LONGEST_WRAPPED = WRAPPED
_BY_HASH = sorted(
    (hash_chars([ord(char) for char in word]), unless) for word, unless in ABBREVIATIONS.items()
)
_ABBREVIATION_HASHES = np.array([hashed for hashed, _ in _BY_HASH], dtype=np.uint32)
_ABBREVIATION_UNLESS = np.array([unless for _, unless in _BY_HASH], dtype=np.int64)

Codes = npt.NDArray[np.int32]
Kinds = npt.NDArray[np.uint16]


@lru_cache(maxsize=1)
def _tables() -> tuple[Kinds, Codes]:
    return chars.tables()


@dataclass(frozen=True)
class Units:
    """The units of a column: rows `first[i]:first[i + 1]` of `start` and `end` belong to row i."""

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.start)


@_compiled()
def _decode(data: npt.NDArray[np.uint8], begin: int, stop: int, codes: Codes) -> int:
    """Decode UTF-8 bytes (well-formed: `Column.of` made them) into `codes`; return how many code points."""
    count = 0
    place = begin
    while place < stop:
        byte = np.int32(data[place])
        if byte < 0x80:
            codes[count] = byte
            place += 1
        elif byte < 0xE0:
            codes[count] = ((byte & 0x1F) << 6) | (np.int32(data[place + 1]) & 0x3F)
            place += 2
        elif byte < 0xF0:
            codes[count] = (
                ((byte & 0x0F) << 12)
                | ((np.int32(data[place + 1]) & 0x3F) << 6)
                | (np.int32(data[place + 2]) & 0x3F)
            )
            place += 3
        else:
            codes[count] = (
                ((byte & 0x07) << 18)
                | ((np.int32(data[place + 1]) & 0x3F) << 12)
                | ((np.int32(data[place + 2]) & 0x3F) << 6)
                | (np.int32(data[place + 3]) & 0x3F)
            )
            place += 4
        count += 1
    return count


@_compiled()
def _classify(codes: Codes, count: int, table: Kinds, kinds: Kinds) -> None:
    for place in range(count):
        code = codes[place]
        kinds[place] = table[code] if code < TABLE_SIZE else LETTER


@_compiled()
def _trim_start(kinds: Kinds, start: int, end: int) -> int:
    while start < end and kinds[start] & SPACE:
        start += 1
    return start


@_compiled()
def _trim_end(kinds: Kinds, start: int, end: int) -> int:
    while end > start and kinds[end - 1] & SPACE:
        end -= 1
    return end


@_compiled()
def _abbreviated(codes: Codes, kinds: Kinds, folds: Codes, start: int, mark: int, then: int) -> bool:
    begin = mark
    digits = True
    while begin > start and kinds[begin - 1] & (LETTER | DIGIT):
        begin -= 1
        digits = digits and kinds[begin] & DIGIT != 0
    length = mark - begin
    if length == 0:
        return False
    starts = _trim_start(kinds, start, mark) == begin
    if digits:
        return length <= 3 and starts
    if length == 1 and (starts or _initial(codes, kinds, begin)):
        return True
    if length > LONGEST_ABBREVIATION or (not starts and kinds[begin - 1] & APOSTROPHE):
        return False
    value = np.uint32(FNV_OFFSET)
    for place in range(begin, mark):
        value = _hash_folded(value, codes[place], folds)
    found = np.searchsorted(_ABBREVIATION_HASHES, value)
    if found == len(_ABBREVIATION_HASHES) or _ABBREVIATION_HASHES[found] != value:
        return False
    unless = _ABBREVIATION_UNLESS[found]
    if unless == ANYTHING:
        return True
    return bool(not then & UPPER) if unless == NO_CAPITAL else bool(then & DIGIT)


@_compiled()
def _initial(codes: Codes, kinds: Kinds, begin: int) -> bool:
    before = begin - 1
    if codes[before] == _FULL_STOP:
        return True
    alone = kinds[before] & SPACE or codes[before] == _BRACKET
    return bool(alone and kinds[begin] & UPPER and codes[begin] != _I)


@_compiled()
def _hash_folded(value: np.uint32, code: int, folds: Codes) -> np.uint32:
    if code >= TABLE_SIZE:
        return np.uint32((value ^ np.uint32(code)) * np.uint32(FNV_PRIME))
    for step in range(3):
        folded = folds[code, step]
        if folded == 0:
            break
        value = np.uint32((value ^ np.uint32(folded)) * np.uint32(FNV_PRIME))
    return value


@_compiled()
def _ends_line(kinds: Kinds, count: int, start: int, place: int) -> bool:
    following = place + 1
    if following >= count or not kinds[following] & LOWER:
        return True
    last = place - 1
    while last >= start and kinds[last] & SPACE and not kinds[last] & NEWLINE:
        last -= 1
    if last < start or kinds[last] & (TERMINAL | NEWLINE | CLOSER):
        return True
    first = last
    while first > 0 and last - first < _LONGEST_WRAPPED and not kinds[first - 1] & NEWLINE:
        first -= 1
    return bool(not _SHORTEST_WRAPPED <= last - first + 1 <= _LONGEST_WRAPPED)


@_compiled()
def _ends_unspaced(
    codes: Codes, kinds: Kinds, folds: Codes, count: int, start: int, mark: int, following: int
) -> bool:
    code = codes[mark]
    if code in _WIDE_MARKS:
        return bool(not kinds[following] & (TERMINAL | CLOSER))
    if following != mark + 1 or following + 1 >= count:
        return False
    if not (kinds[following] & UPPER and kinds[following + 1] & (LOWER | SPACE | APOSTROPHE)):
        return False
    last = mark
    while last > start and kinds[last] & TERMINAL:
        last -= 1
    first = last
    while first > start and kinds[first - 1] & (LETTER | APOSTROPHE):
        first -= 1
    if not kinds[last] & LOWER or last == first or (first > 0 and not kinds[first - 1] & SPACE):
        return False
    return code != _FULL_STOP or not _abbreviated(codes, kinds, folds, start, mark, UPPER)


@_compiled()
def _ends_sentence(codes: Codes, kinds: Kinds, folds: Codes, count: int, start: int, place: int) -> bool:
    if kinds[place] & NEWLINE:
        return bool(_ends_line(kinds, count, start, place))
    following = place + 1
    if following >= count or kinds[following] & NEWLINE:
        return False
    mark = place
    while mark > start and kinds[mark] & CLOSER and not kinds[mark] & TERMINAL:
        mark -= 1
    if not kinds[mark] & TERMINAL:
        return False
    if not kinds[following] & SPACE:
        return bool(_ends_unspaced(codes, kinds, folds, count, start, mark, following))
    following = _trim_start(kinds, following, count)
    then = kinds[following] if following < count else np.uint16(0)
    if mark != place:
        return bool(not then & LOWER)
    return codes[mark] != _FULL_STOP or not _abbreviated(codes, kinds, folds, start, mark, then)


@_compiled()
def _cut_place(codes: Codes, kinds: Kinds, start: int) -> int:
    limit = start + MAX_UNIT
    for place in range(limit - 1, start + MAX_UNIT // 2, -1):
        if codes[place] in _PAUSES and kinds[place + 1] & SPACE:
            return place + 1
    for place in range(limit, start, -1):
        if kinds[place] & SPACE:
            return place
    return limit


@_compiled()
def _cut(codes: Codes, kinds: Kinds, start: int, end: int, starts: Codes, ends: Codes, found: int) -> int:
    """Write the parts of one unit from place `found` on; return the number of units by now."""
    while end - start > MAX_UNIT:
        stop = _cut_place(codes, kinds, start)
        first = _trim_start(kinds, start, stop)
        starts[found], ends[found] = first, _trim_end(kinds, first, stop)
        found += 1
        start = _trim_start(kinds, stop, end)
    if start < end:
        starts[found], ends[found] = start, end
        found += 1
    return found


@_compiled()
def _units(codes: Codes, kinds: Kinds, folds: Codes, count: int, starts: Codes, ends: Codes) -> int:
    """Write the units of one document; return how many."""
    found = 0
    start = 0
    held_start, held_end = -1, -1  # the unit that bare parts may still join
    held_bare = False
    for place in range(count + 1):
        # The call is dear, and most characters can't end anything.
        if place < count and not (
            kinds[place] & (NEWLINE | TERMINAL | CLOSER)
            and _ends_sentence(codes, kinds, folds, count, start, place)
        ):
            continue
        stop = place + 1 if place < count else count
        first = _trim_start(kinds, start, stop)
        last = _trim_end(kinds, first, stop)
        start = stop
        if first >= last:
            continue
        bare = True
        for inner in range(first, last):
            if kinds[inner] & (LETTER | DIGIT):
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


@_compiled(parallel=True)
def _split_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Kinds,
    folds: Codes,
    rooms: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
) -> None:
    """Write the units of each row at rooms[row], and how many there are into sizes[row]."""
    for row in nb.prange(len(offsets) - 1):
        size = offsets[row + 1] - offsets[row]
        codes = np.empty(size, dtype=np.int32)
        kinds = np.empty(size + 1, dtype=np.uint16)
        count = _decode(data, offsets[row], offsets[row + 1], codes)
        _classify(codes, count, table, kinds)
        sizes[row] = _units(codes, kinds, folds, count, starts[rooms[row] :], ends[rooms[row] :])


@_compiled()
def _compact(rooms: npt.NDArray[np.int64], first: npt.NDArray[np.int64], wide: Codes, out: Codes) -> None:
    for row in range(len(first) - 1):
        for place in range(first[row + 1] - first[row]):
            out[first[row] + place] = wide[rooms[row] + place]


@_compiled()
def _spread(value: np.uint32) -> np.uint32:
    value ^= value >> np.uint32(16)
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value ^= value >> np.uint32(13)
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@_compiled()
def _token_end(kinds: Kinds, place: int, end: int) -> int:
    while place < end:
        inner = (
            kinds[place] & APOSTROPHE
            and place + 1 < end
            and kinds[place - 1] & LETTER
            and kinds[place + 1] & LETTER
        )
        if not (kinds[place] & (LETTER | DIGIT) or inner):
            break
        place += 1
    return place


@_compiled()
def _fold_token(codes: Codes, folds: Codes, start: int, end: int, token: Codes) -> tuple[int, np.uint32]:
    """Write '<', the folded token, '>' into `token`; return the length of the folded token and its hash."""
    length = 0
    value = np.uint32(FNV_OFFSET)
    token[0] = OPEN
    for place in range(start, min(end, start + MAX_TOKEN)):
        code = codes[place]
        folded = folds[code, 0] if code < TABLE_SIZE else code
        length += 1
        token[length] = folded
        value = np.uint32((value ^ np.uint32(folded)) * np.uint32(FNV_PRIME))
        if code >= 0x80 and code < TABLE_SIZE:
            for step in range(1, 3):
                folded = folds[code, step]
                if folded == 0 or length == MAX_TOKEN:
                    break
                length += 1
                token[length] = folded
                value = np.uint32((value ^ np.uint32(folded)) * np.uint32(FNV_PRIME))
        if length == MAX_TOKEN:
            break
    token[length + 1] = CLOSE
    return length, value


@_compiled()
def _char_buckets(
    token: Codes, length: int, smallest: int, largest: int, mask: np.uint32, out: Codes, found: int
) -> int:
    if length < 3 or largest == 0:
        return found
    for size in range(smallest, largest + 1):
        for start in range(length + 2 - size + 1):
            value = np.uint32(FNV_OFFSET)
            for place in range(start, start + size):
                value = np.uint32((value ^ np.uint32(token[place])) * np.uint32(FNV_PRIME))
            out[found] = _spread(value ^ np.uint32(CHAR_SALT)) & mask
            found += 1
    return found


@_compiled()
def _unit_buckets(
    codes: Codes,
    kinds: Kinds,
    folds: Codes,
    start: int,
    end: int,
    shape: npt.NDArray[np.int64],
    token: Codes,
    out: Codes,
) -> int:
    """Write the buckets of all n-grams of one unit; return how many. `shape`: bits, words, chars."""
    mask = np.uint32((1 << shape[0]) - 1)
    words = shape[1]
    found = 0
    previous = np.uint32(0)
    pair = np.uint32(0)
    seen = 0
    place = start
    while place < end:
        if kinds[place] & (LETTER | DIGIT):
            stop = _token_end(kinds, place, end)
        elif kinds[place] & SYMBOL:
            stop = place + 1
        else:
            place += 1
            continue
        length, value = _fold_token(codes, folds, place, stop, token)
        place = stop
        out[found] = _spread(value ^ np.uint32(WORD_SALT)) & mask
        found += 1
        joined = np.uint32(previous * np.uint32(JOIN) + value)
        if words >= 2 and seen >= 1:
            out[found] = _spread(joined ^ np.uint32(PAIR_SALT)) & mask
            found += 1
        if words >= 3 and seen >= 2:
            triple = np.uint32(pair * np.uint32(JOIN) + value)
            out[found] = _spread(triple ^ np.uint32(TRIPLE_SALT)) & mask
            found += 1
        found = _char_buckets(token, length, shape[2], shape[3], mask, out, found)
        previous, pair = value, joined
        seen += 1
    return found


@_compiled()
def _most_ngrams(length: int, shape: npt.NDArray[np.int64]) -> int:
    """Return an upper bound of the n-grams of a unit of `length` code points."""
    sizes = shape[3] - shape[2] + 1 if shape[3] else 0
    return int(length * 3 * shape[1] + (length * 3 + 2) * sizes + 4)


@_compiled(parallel=True)
def _bucket_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Kinds,
    folds: Codes,
    first: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
    shape: npt.NDArray[np.int64],
    indptr: npt.NDArray[np.int64],
    buckets: Codes,
    fill: bool,
) -> None:
    """Count the n-grams of each unit into indptr[unit + 1], or, with `fill`, write them."""
    for row in nb.prange(len(offsets) - 1):
        size = offsets[row + 1] - offsets[row]
        codes = np.empty(size, dtype=np.int32)
        kinds = np.empty(size + 1, dtype=np.uint16)
        count = _decode(data, offsets[row], offsets[row + 1], codes)
        _classify(codes, count, table, kinds)
        token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
        out = np.empty(_most_ngrams(MAX_UNIT, shape), dtype=np.int32)
        for unit in range(first[row], first[row + 1]):
            found = _unit_buckets(codes, kinds, folds, starts[unit], ends[unit], shape, token, out)
            if fill:
                buckets[indptr[unit] : indptr[unit + 1]] = out[:found]
            else:
                indptr[unit + 1] = found


@_compiled()
def _sort(values: Codes, count: int) -> None:
    """Sort the first `count` values; most units are short, and numba's sort takes memory each time."""
    if count > _FEW:
        values[:count].sort()
        return
    for place in range(1, count):
        value = values[place]
        before = place - 1
        while before >= 0 and values[before] > value:
            values[before + 1] = values[before]
            before -= 1
        values[before + 1] = value


@_compiled(parallel=True)
def _sum_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Kinds,
    folds: Codes,
    first: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
    shape: npt.NDArray[np.int64],
    index: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
    counts: npt.NDArray[np.int32],
) -> None:
    width = weights.shape[1]
    for row in nb.prange(len(offsets) - 1):
        size = offsets[row + 1] - offsets[row]
        codes = np.empty(size, dtype=np.int32)
        kinds = np.empty(size + 1, dtype=np.uint16)
        count = _decode(data, offsets[row], offsets[row + 1], codes)
        _classify(codes, count, table, kinds)
        token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
        out = np.empty(_most_ngrams(MAX_UNIT, shape), dtype=np.int32)
        for unit in range(first[row], first[row + 1]):
            found = _unit_buckets(codes, kinds, folds, starts[unit], ends[unit], shape, token, out)
            _sort(out, found)
            for place in range(found):
                if place > 0 and out[place] == out[place - 1]:
                    continue
                counts[unit, 0] += 1
                known = index[out[place]]
                if known == 0:
                    continue
                counts[unit, 1] += 1
                for column in range(width):
                    sums[unit, column] += weights[known, column]


def split_column(column: Column) -> Units:
    """Return the units of every row; the same as `split.units` on each."""
    table, folds = _tables()
    rooms = np.zeros(len(column) + 1, dtype=np.int64)
    # Each unit has a character and a space. Only what is written of this room takes memory.
    np.cumsum(np.diff(column.offsets) // 2 + 2, out=rooms[1:])
    wide_starts, wide_ends = np.empty((2, rooms[-1]), dtype=np.int32)
    first = np.zeros(len(column) + 1, dtype=np.int64)
    _split_column(column.data, column.offsets, table, folds, rooms, first[1:], wide_starts, wide_ends)
    np.cumsum(first, out=first)
    starts, ends = np.empty((2, first[-1]), dtype=np.int32)
    _compact(rooms, first, wide_starts, starts)
    _compact(rooms, first, wide_ends, ends)
    return Units(first, starts, ends)


def _shape(settings: FeatureSettings) -> npt.NDArray[np.int64]:
    return np.array([settings.bits, settings.words, settings.char_min, settings.char_max], dtype=np.int64)


def bucket_column(
    column: Column, units: Units, settings: FeatureSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the n-gram buckets of every unit: (indptr of shape (units + 1,), buckets).

    The same buckets in the same order as `features.ngrams` of each unit.
    """
    table, folds = _tables()
    shape = _shape(settings)
    indptr = np.zeros(len(units) + 1, dtype=np.int64)
    common = (column.data, column.offsets, table, folds, units.first, units.start, units.end, shape)
    _bucket_column(*common, indptr, np.empty(0, dtype=np.int32), False)
    np.cumsum(indptr, out=indptr)
    buckets = np.empty(indptr[-1], dtype=np.int32)
    _bucket_column(*common, indptr, buckets, True)
    return indptr, buckets


def sum_column(
    column: Column,
    units: Units,
    settings: FeatureSettings,
    index: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return the sums of the weights of every unit's n-grams, each counted once, and how many there are.

    The sum runs in the order of the buckets, so it doesn't depend on threads or batches.

    Parameters
    ----------
    column, units
        The texts and what `split_column` made of them.
    settings
        Which n-grams are taken.
    index
        Bucket -> row of `weights`, shape (settings.buckets,); 0 for an n-gram that the model
        doesn't know.
    weights
        Shape (known n-grams + 1, outputs); row 0 is never read.

    Returns
    -------
    Sums of shape (units, outputs), and counts of shape (units, 2): distinct n-grams, known ones of them.
    """
    table, folds = _tables()
    sums = np.zeros((len(units), weights.shape[1]), dtype=np.float32)
    counts = np.zeros((len(units), 2), dtype=np.int32)
    common = (column.data, column.offsets, table, folds, units.first, units.start, units.end)
    _sum_column(*common, _shape(settings), index, weights, sums, counts)
    return sums, counts
