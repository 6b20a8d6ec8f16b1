"""The rules of `features.py`, compiled: whole columns of text, all cores.

In: a column of strings and its units. Out: the buckets of the units' n-grams. Never differs from the
reference.
"""

import numba as nb
import numpy as np
import numpy.typing as npt

from classifier.buffers import Column, compiled
from classifier.chars import APOSTROPHE, DIGIT, LETTER, SYMBOL, TABLE_SIZE
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
)
from classifier.kernel.text import Codes, Kinds, decode, find_kinds, tables
from classifier.kernel.units import Units
from classifier.split import MAX_UNIT


@compiled()
def _spread(value: np.uint32) -> np.uint32:
    value ^= value >> np.uint32(16)
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value ^= value >> np.uint32(13)
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@compiled()
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


@compiled()
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


@compiled()
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


@compiled()
def unit_buckets(
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


@compiled()
def most_ngrams(length: int, shape: npt.NDArray[np.int64]) -> int:
    """Return an upper bound of the n-grams of a unit of `length` code points."""
    sizes = shape[3] - shape[2] + 1 if shape[3] else 0
    return int(length * 3 * shape[1] + (length * 3 + 2) * sizes + 4)


@compiled(parallel=True)
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
        count = decode(data, offsets[row], offsets[row + 1], codes)
        find_kinds(codes, count, table, kinds)
        token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
        out = np.empty(most_ngrams(MAX_UNIT, shape), dtype=np.int32)
        for unit in range(first[row], first[row + 1]):
            found = unit_buckets(codes, kinds, folds, starts[unit], ends[unit], shape, token, out)
            if fill:
                buckets[indptr[unit] : indptr[unit + 1]] = out[:found]
            else:
                indptr[unit + 1] = found


def shape_of(settings: FeatureSettings) -> npt.NDArray[np.int64]:
    """Return settings as compiled code takes them: bits, words, smallest and largest character n-gram."""
    return np.array([settings.bits, settings.words, settings.char_min, settings.char_max], dtype=np.int64)


def bucket_column(
    column: Column, units: Units, settings: FeatureSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the n-gram buckets of every unit: (indptr of shape (units + 1,), buckets).

    The same buckets in the same order as `features.ngrams` of each unit.
    """
    table, folds = tables()
    shape = shape_of(settings)
    indptr = np.zeros(len(units) + 1, dtype=np.int64)
    common = (column.data, column.offsets, table, folds, units.first, units.start, units.end, shape)
    _bucket_column(*common, indptr, np.empty(0, dtype=np.int32), False)
    np.cumsum(indptr, out=indptr)
    buckets = np.empty(indptr[-1], dtype=np.int32)
    _bucket_column(*common, indptr, buckets, True)
    return indptr, buckets
