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
from classifier.kernel.lanes import LANES, prefetch_line, rank_line, sum_lines
from classifier.kernel.ngrams import most_ngrams, shape_of, unordered_buckets
from classifier.kernel.text import Codes, Hashes, at, read, tables
from classifier.kernel.units import Units
from classifier.split import MAX_UNIT

Words = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float32]

_TOGETHER: Final = 4
"""Units whose weights are asked for before those of the first are added up."""

_ONE: Final = np.uint64(1)
_HALF: Final = np.uint64(32)
_HIGHEST: Final = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Lookup:
    """Weights of a model in an order that spares memory: where most look-ups end, it fits into a cache.

    Attributes
    ----------
    known
        A number for every 32 buckets: its lower half has a bit for each, whether the model knows it; its
        upper half is how many known ones lie before them. Shape (buckets / 32,).
    weights
        Of the known buckets in their order, filled up with columns of zeros, shape (known, columns): a
        multiple of LANES.
    outputs
        Columns that were given.
    """

    known: Words
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
        known = np.packbits(there, bitorder="little").view("<u4").astype(np.uint64)
        before = np.zeros(len(known), dtype=np.uint64)
        np.cumsum(there.reshape(-1, 32).sum(axis=1)[:-1], out=before[1:])
        outputs = weights.shape[1]
        filled = _aligned(int(there.sum()), -(-outputs // LANES) * LANES)
        filled[:, :outputs] = weights[index[there]]
        return cls(known | (before << _HALF), filled, outputs)


def _aligned(rows: int, columns: int) -> Reals:
    """Return zeros whose rows begin at a line of the cache."""
    room = np.zeros(rows * columns + LANES, dtype=np.float32)
    skipped = -(room.ctypes.data // 4) % LANES
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
def _sort_distinct(values: Codes, count: int, ranks: Codes, out: Codes) -> int:
    """Write the first `count` values in ascending order, each once; return how many there are.

    Each goes where its rank tells. A unit has few n-grams, and of sixteen the ranks are found at once: that
    beats what takes fewer steps. `values` and `ranks` need room for a multiple of LANES.
    """
    lines = -(-count // LANES)
    for place in range(count, lines * LANES):
        values[at(place)] = _HIGHEST
    for line in range(lines):
        rank_line(values, count, line, ranks)
    # Equal ones have one rank, and leave the places behind it empty.
    for place in range(count):
        out[at(place)] = -1
    for place in range(count):
        out[at(ranks[at(place)])] = values[at(place)]
    kept = 0
    for place in range(count):
        value = out[at(place)]
        out[at(kept)] = value
        kept += int(value >= 0)
    return kept


@compiled()
def _known_lines(buckets: Codes, count: int, known: Words, lines: Codes, found: int) -> int:
    """Write, from place `found` on, the rows of the weights of the buckets that a model knows.

    Returns
    -------
    How many rows there are by now.
    """
    for place in range(count):
        bucket = buckets[at(place)]
        word, bit = known[at(bucket >> 5)], np.uint64(bucket & 31)
        lines[at(found)] = (word >> _HALF) + _bits(word & ((_ONE << bit) - _ONE))
        found += int(word & (_ONE << bit) != 0)
    return found


@compiled()
def _sum_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Hashes,
    folds: Codes,
    first: npt.NDArray[np.int64],
    starts: Codes,
    ends: Codes,
    shape: npt.NDArray[np.int64],
    known: Words,
    weights: Reals,
    sums: Reals,
    counts: npt.NDArray[np.int32],
) -> None:
    per_row = weights.shape[1] // LANES
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest + 1, dtype=np.int32)
    folded = np.empty(longest + 1, dtype=np.int32)
    marks = np.empty(longest + 1, dtype=np.int32)
    kinds = np.empty(longest + 1, dtype=np.uint16)
    parts = np.empty(longest + 1, dtype=np.uint8)
    token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
    hashes = np.empty(MAX_UNIT + 1, dtype=np.uint32)
    most = most_ngrams(MAX_UNIT, shape)
    buckets = np.empty(most + LANES, dtype=np.int32)
    ranks = np.empty(most + LANES, dtype=np.int32)
    distinct = np.empty(most + LANES, dtype=np.int32)
    lines = np.empty(_TOGETHER * most + 1, dtype=np.int32)
    for row in range(len(offsets) - 1):
        if first[row] == first[row + 1]:
            continue
        read(data, offsets[row], offsets[row + 1], table, codes, kinds, folded, marks)
        for begin in range(first[row], first[row + 1], _TOGETHER):
            stop = min(begin + _TOGETHER, first[row + 1])
            filled = 0
            for unit in range(begin, stop):
                start, end = starts[unit], ends[unit]
                found = unordered_buckets(
                    codes, kinds, folded, folds, start, end, shape, parts, hashes, token, buckets
                )
                found = _sort_distinct(buckets, found, ranks, distinct)
                before = filled
                filled = _known_lines(distinct, found, known, lines, before)
                for place in range(before, filled):
                    lines[at(place)] *= per_row
                    prefetch_line(weights, lines[at(place)])
                counts[unit, 0], counts[unit, 1] = found, filled - before
            filled = 0
            for unit in range(begin, stop):
                stop_at = filled + counts[unit, 1]
                for line in range(per_row):
                    sum_lines(weights, lines, filled, stop_at, line, sums, unit * per_row + line)
                filled = stop_at


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
    known = tables()
    sums = np.empty((len(units), lookup.weights.shape[1]), dtype=np.float32)
    counts = np.zeros((len(units), 2), dtype=np.int32)
    common = (column.data, column.offsets, known.chars, known.folds, units.first, units.start, units.end)
    _sum_column(*common, shape_of(settings), lookup.known, lookup.weights, sums, counts)
    return sums[:, : lookup.outputs], counts
