"""The rules of `features.py`, compiled: whole columns of text, all cores.

In: a column of strings and its units. Out: the buckets of the units' n-grams. Never differs from the
reference.
"""

from typing import Final

import numba as nb
import numpy as np
import numpy.typing as npt

from classifier.buffers import Column, at, compiled
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
from classifier.kernel.text import SEVERAL, Codes, Hashes, Kinds, read, tables
from classifier.kernel.units import Units
from classifier.split import MAX_UNIT

Parts = npt.NDArray[np.uint8]

_INNER: Final = 1
_ALONE: Final = 2
"""What a code point is to tokens: one of several, or a token of its own; 0: no part of any."""


@compiled()
def _bucket(value: np.uint32, salt: int, mask: np.uint32) -> np.uint32:
    value ^= np.uint32(salt)
    value ^= value >> np.uint32(16)
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value ^= value >> np.uint32(13)
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32((value ^ (value >> np.uint32(16))) & mask)


@compiled()
def _hashed(value: np.uint32, code: int) -> np.uint32:
    return np.uint32((value ^ np.uint32(code)) * np.uint32(FNV_PRIME))


@compiled()
def _joined(before: np.uint32, value: np.uint32) -> np.uint32:
    return np.uint32(before * np.uint32(JOIN) + value)


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
        value = _hashed(value, folded)
        if code >= 0x80 and code < TABLE_SIZE:
            for step in range(1, 3):
                folded = folds[code, step]
                if folded == 0 or length == MAX_TOKEN:
                    break
                length += 1
                token[length] = folded
                value = _hashed(value, folded)
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
                value = _hashed(value, token[at(place)])
            out[found] = _bucket(value, CHAR_SALT, mask)
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
        if kinds[at(place)] & (LETTER | DIGIT):
            stop = _token_end(kinds, place, end)
        elif kinds[at(place)] & SYMBOL:
            stop = place + 1
        else:
            place += 1
            continue
        length, value = _fold_token(codes, folds, place, stop, token)
        place = stop
        out[at(found)] = _bucket(value, WORD_SALT, mask)
        found += 1
        if words >= 2 and seen >= 1:
            out[at(found)] = _bucket(_joined(previous, value), PAIR_SALT, mask)
            found += 1
        if words >= 3 and seen >= 2:
            out[at(found)] = _bucket(_joined(pair, value), TRIPLE_SALT, mask)
            found += 1
        found = _char_buckets(token, length, shape[2], shape[3], mask, out, found)
        previous, pair = value, _joined(previous, value)
        seen += 1
    return found


@compiled(forceinline=True)
def _part(kind: int, around: int) -> int:
    """Return what a code point is to tokens; `around`: the flags that both its neighbours have."""
    # LETTER is 1, DIGIT 2, SYMBOL 4, APOSTROPHE 8.
    return (kind | (kind >> 1) | (kind >> 3) & around) & _INNER | (kind >> 1) & _ALONE


@compiled(forceinline=True)
def _mark_parts(kinds: Kinds, start: int, end: int, parts: Parts) -> int:
    """Write what each code point of a unit is to tokens; return all flags that occur in the unit."""
    first, last = kinds[at(start)], kinds[at(end - 1)]
    parts[at(start)], parts[at(end - 1)] = _part(first, 0), _part(last, 0)
    flags = first | last
    # Without branches, several places at once.
    for place in range(start + 1, end - 1):
        kind = kinds[at(place)]
        parts[at(place)] = _part(kind, kinds[at(place - 1)] & kinds[at(place + 1)])
        flags |= kind
    return int(flags)


@compiled(forceinline=True)
def _hash_tokens(parts: Parts, folded: Codes, start: int, end: int, hashes: Hashes) -> tuple[int, int]:
    """Write the hashes of the tokens of a unit; return how many there are, and the longest one's length.

    A hash is written with every code point and counted with the last: words end where no processor guesses.
    """
    value = np.uint32(FNV_OFFSET)
    found, length, longest = 0, 0, 0
    before = 0
    for place in range(start, end):
        part = int(parts[at(place)])
        inner = part & _INNER
        found += before & ~inner
        goes_on = before & inner
        value = _hashed(value if goes_on else np.uint32(FNV_OFFSET), folded[at(place)])
        hashes[at(found)] = value
        found += part >> 1
        length = (length & -goes_on) + 1
        longest = max(longest, length)
        before = inner
    return found + before, longest


@compiled(forceinline=True)
def _word_buckets(hashes: Hashes, count: int, shape: npt.NDArray[np.int64], out: Codes) -> int:
    """Write the buckets of the n-grams of so many tokens: words, then pairs, then triples."""
    mask = np.uint32((1 << shape[0]) - 1)
    for place in range(count):
        out[at(place)] = _bucket(hashes[at(place)], WORD_SALT, mask)
    found = count
    if shape[1] >= 2:
        for place in range(count - 1):
            pair = _joined(hashes[at(place)], hashes[at(place + 1)])
            out[at(found + place)] = _bucket(pair, PAIR_SALT, mask)
        found += max(0, count - 1)
    if shape[1] >= 3:
        for place in range(count - 2):
            pair = _joined(hashes[at(place)], hashes[at(place + 1)])
            triple = _joined(pair, hashes[at(place + 2)])
            out[at(found + place)] = _bucket(triple, TRIPLE_SALT, mask)
        found += max(0, count - 2)
    return found


@compiled(forceinline=True)
def unordered_buckets(
    codes: Codes,
    kinds: Kinds,
    folded: Codes,
    folds: Codes,
    start: int,
    end: int,
    shape: npt.NDArray[np.int64],
    parts: Parts,
    hashes: Hashes,
    token: Codes,
    out: Codes,
) -> int:
    """Do as `unit_buckets`, faster where no n-grams of characters are asked for, but in any order.

    `parts`, `hashes` and `token` are room: for as many numbers as the text has code points, MAX_UNIT + 1, and
    MAX_TOKEN + 2.
    """
    if shape[3] == 0:
        flags = _mark_parts(kinds, start, end, parts)
        count, longest = _hash_tokens(parts, folded, start, end, hashes)
        if longest <= MAX_TOKEN and not flags & SEVERAL:
            return int(_word_buckets(hashes, count, shape, out))
    return int(unit_buckets(codes, kinds, folds, start, end, shape, token, out))


@compiled()
def most_ngrams(length: int, shape: npt.NDArray[np.int64]) -> int:
    """Return an upper bound of the n-grams of a unit of `length` code points."""
    sizes = shape[3] - shape[2] + 1 if shape[3] else 0
    return int(length * 3 * shape[1] + (length * 3 + 2) * sizes + 4)


@compiled(parallel=True, makes_arrays=True)
def _bucket_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Hashes,
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
        codes = np.empty(size + 1, dtype=np.int32)
        folded = np.empty(size + 1, dtype=np.int32)
        marks = np.empty(size + 1, dtype=np.int32)
        kinds = np.empty(size + 1, dtype=np.uint16)
        read(data, offsets[row], offsets[row + 1], table, codes, kinds, folded, marks)
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
    known = tables()
    shape = shape_of(settings)
    indptr = np.zeros(len(units) + 1, dtype=np.int64)
    common = (
        column.data,
        column.offsets,
        known.chars,
        known.folds,
        units.first,
        units.start,
        units.end,
        shape,
    )
    _bucket_column(*common, indptr, np.empty(0, dtype=np.int32), False)
    np.cumsum(indptr, out=indptr)
    buckets = np.empty(indptr[-1], dtype=np.int32)
    _bucket_column(*common, indptr, buckets, True)
    return indptr, buckets
