"""What a model's weights add up to for each unit, compiled.

In: a column of strings, its units, and a model's weights laid out as a Lookup. Out: sums and counts. Runs on
one core and without Python's lock: whoever has several cores gives each a part of the rows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Column, compiled
from classifier.features import MAX_TOKEN, FeatureSettings
from classifier.kernel.ngrams import most_ngrams, shape_of, unit_buckets
from classifier.kernel.text import Codes, Kinds, decode, find_kinds, tables
from classifier.kernel.units import Units
from classifier.split import MAX_UNIT

Words = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float32]

BLOCK: Final = 8
"""Columns that are added at once: as many as fit into a register of the processor."""

_MARKS: Final = 1024
"""Words of the set that tells quickly which n-grams of a unit were there before: 64 bits each."""

_BINS: Final = 64
_LINE: Final = 16
"""Numbers in a line of the cache."""

_ONE: Final = np.uint64(1)


@dataclass(frozen=True)
class Lookup:
    """Weights of a model in an order that spares memory: where most look-ups end, it fits into a cache.

    Attributes
    ----------
    known
        A bit for each bucket: whether the model knows it, shape (buckets / 64,).
    before
        How many known buckets lie before each word of `known`, same shape.
    weights
        Of the known buckets in their order, filled up with columns of zeros, shape (known, columns).
    outputs
        Columns that were given.
    """

    known: Words
    before: npt.NDArray[np.uint32]
    weights: Reals
    outputs: int

    @classmethod
    def of(cls, index: npt.NDArray[np.int32], weights: Reals) -> "Lookup":
        """Return the look-up of a model.

        Parameters
        ----------
        index
            Bucket -> row of `weights`, shape (buckets,), a power of two and at least 64; 0 for an n-gram
            that the model doesn't know.
        weights
            Shape (known n-grams + 1, outputs); row 0 is never read.
        """
        there = index != 0
        known = np.packbits(there, bitorder="little").view("<u8").astype(np.uint64)
        before = np.zeros(len(known), dtype=np.uint32)
        np.cumsum(there.reshape(-1, 64).sum(axis=1)[:-1], out=before[1:])
        outputs = weights.shape[1]
        filled = _aligned(int(there.sum()), -(-outputs // BLOCK) * BLOCK)
        filled[:, :outputs] = weights[index[there]]
        return cls(known, before, filled, outputs)


def _aligned(rows: int, columns: int) -> Reals:
    """Return zeros whose rows begin at a line of the cache, where they are as long as one."""
    room = np.zeros(rows * columns + _LINE, dtype=np.float32)
    skipped = -(room.ctypes.data // 4) % _LINE
    return room[skipped : skipped + rows * columns].reshape(rows, columns)


@compiled()
def _bits(value: np.uint64) -> np.uint64:
    """Count the bits of a word."""
    value -= (value >> np.uint64(1)) & np.uint64(0x5555555555555555)
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled()
def _sort(values: Codes, count: int, shift: int, room: Codes, bins: npt.NDArray[np.int32]) -> None:
    """Sort the first `count` rows; `bins` must hold one more than the highest row gives, shifted.

    Buckets come from a hash, so their rows are spread evenly: put into bins they are nearly in order.
    """
    bins[:] = 0
    for place in range(count):
        bins[(values[place] >> shift) + 1] += 1
    for place in range(1, len(bins)):
        bins[place] += bins[place - 1]
    for place in range(count):
        value = values[place]
        at = bins[value >> shift]
        bins[value >> shift] = at + 1
        room[at] = value
    for place in range(count):
        value = room[place]
        before = place - 1
        while before >= 0 and values[before] > value:
            values[before + 1] = values[before]
            before -= 1
        values[before + 1] = value


@compiled()
def _distinct(buckets: Codes, count: int, marks: Words) -> int:
    """Move the first of equal buckets to the front; return how many there are. `marks` is left empty."""
    kept = 0
    for place in range(count):
        bucket = buckets[place]
        word, bit = (bucket >> 6) % _MARKS, _ONE << np.uint64(bucket & 63)
        if marks[word] & bit:
            # Perhaps another bucket with the same mark.
            again = False
            for other in range(kept):
                again |= buckets[other] == bucket
            if again:
                continue
        marks[word] |= bit
        buckets[kept] = bucket
        kept += 1
    for place in range(kept):
        marks[(buckets[place] >> 6) % _MARKS] = np.uint64(0)
    return kept


@compiled()
def _known_rows(buckets: Codes, count: int, known: Words, before: npt.NDArray[np.uint32], rows: Codes) -> int:
    """Write the rows of the weights of the buckets that a model knows; return how many there are."""
    found = 0
    for place in range(count):
        word = buckets[place] >> 6
        bit = _ONE << np.uint64(buckets[place] & 63)
        if known[word] & bit:
            rows[found] = before[word] + _bits(known[word] & (bit - _ONE))
            found += 1
    return found


@compiled()
def _add(weights: Reals, rows: Codes, count: int, first: int, sums: Reals) -> None:
    """Add up BLOCK columns of weights from `first` on; written out, so that they stay in one register."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0.0)
    for place in range(count):
        row = weights[rows[place]]
        s0 += row[first]
        s1 += row[first + 1]
        s2 += row[first + 2]
        s3 += row[first + 3]
        s4 += row[first + 4]
        s5 += row[first + 5]
        s6 += row[first + 6]
        s7 += row[first + 7]
    sums[first], sums[first + 1], sums[first + 2], sums[first + 3] = s0, s1, s2, s3
    sums[first + 4], sums[first + 5], sums[first + 6], sums[first + 7] = s4, s5, s6, s7


@compiled()
def _sum_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Kinds,
    folds: Codes,
    first: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
    shape: npt.NDArray[np.int64],
    known: Words,
    before: npt.NDArray[np.uint32],
    weights: Reals,
    sums: Reals,
    counts: npt.NDArray[np.int32],
) -> None:
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest, dtype=np.int32)
    kinds = np.empty(longest + 1, dtype=np.uint16)
    token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
    buckets = np.empty(most_ngrams(MAX_UNIT, shape), dtype=np.int32)
    rows = np.empty(len(buckets), dtype=np.int32)
    room = np.empty(len(buckets), dtype=np.int32)
    marks = np.zeros(_MARKS, dtype=np.uint64)
    bins = np.zeros(_BINS + 1, dtype=np.int32)
    shift = 0
    while len(weights) >> shift > _BINS - 1:
        shift += 1
    for row in range(len(offsets) - 1):
        if first[row] == first[row + 1]:
            continue
        count = decode(data, offsets[row], offsets[row + 1], codes)
        find_kinds(codes, count, table, kinds)
        for unit in range(first[row], first[row + 1]):
            found = unit_buckets(codes, kinds, folds, starts[unit], ends[unit], shape, token, buckets)
            found = _distinct(buckets, found, marks)
            counts[unit, 0] = found
            found = _known_rows(buckets, found, known, before, rows)
            counts[unit, 1] = found
            _sort(rows, found, shift, room, bins)
            for block in range(0, weights.shape[1], BLOCK):
                _add(weights, rows, found, block, sums[unit])


def sum_column(
    column: Column, units: Units, settings: FeatureSettings, lookup: Lookup
) -> tuple[Reals, npt.NDArray[np.int32]]:
    """Return the sums of the weights of every unit's n-grams, each counted once, and how many there are.

    The sum runs in the order of the buckets, so it doesn't depend on batches.

    Parameters
    ----------
    column, units
        The texts and what `split_column` made of them.
    settings
        Which n-grams are taken.
    lookup
        What they weigh.

    Returns
    -------
    Sums of shape (units, outputs), and counts of shape (units, 2): distinct n-grams, known ones of them.
    """
    table, folds = tables()
    sums = np.zeros((len(units), lookup.weights.shape[1]), dtype=np.float32)
    counts = np.zeros((len(units), 2), dtype=np.int32)
    common = (column.data, column.offsets, table, folds, units.first, units.start, units.end)
    laid_out = (lookup.known, lookup.before, lookup.weights)
    _sum_column(*common, shape_of(settings), *laid_out, sums, counts)
    return sums[:, : lookup.outputs], counts
