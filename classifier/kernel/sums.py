"""What a model's weights add up to for each unit, compiled.

In: a column of strings, and a model's weights laid out as a Lookup. Out: units, sums and counts. Runs on one
core and without Python's lock: whoever has several cores gives each a part of the rows.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Column, at, compiled
from classifier.features import MAX_TOKEN, FeatureSettings
from classifier.kernel.lanes import LANES, READS_HALVES, prefetch_line, rank_line, sum_lines
from classifier.kernel.ngrams import most_ngrams, shape_of, unordered_buckets
from classifier.kernel.text import Codes, Hashes, read, tables
from classifier.kernel.units import Units, find_units, most_units
from classifier.split import MAX_UNIT

Words = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float32]
Bits = npt.NDArray[np.uint16]

_TOGETHER: Final = 4
"""Units whose weights are asked for before those of the first are added up."""

_USUAL: Final = 40
"""Bytes of a unit, for which room is made; more is made where there are more units."""

_ONE: Final = np.uint64(1)
_UPPER: Final = np.uint64(32)
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
        multiple of LANES. Float32, or the bits of float16.
    outputs
        Columns that were given.
    """

    known: Words
    weights: Reals | Bits
    outputs: int

    @classmethod
    def of(cls, index: npt.NDArray[np.int32], weights: npt.NDArray[np.floating]) -> "Lookup":
        """Return the look-up of a model.

        Parameters
        ----------
        index
            Bucket -> row of `weights`, shape (buckets,), a power of two and at least 64; 0 for an n-gram
            that the model doesn't know.
        weights
            Shape (known n-grams + 1, outputs), float16 or float32; row 0 is never read.
        """
        there = index != 0
        known = np.packbits(there, bitorder="little").view("<u4").astype(np.uint64)
        before = np.zeros(len(known), dtype=np.uint64)
        np.cumsum(there.reshape(-1, 32).sum(axis=1)[:-1], out=before[1:])
        outputs = weights.shape[1]
        halves = weights.dtype == np.float16 and READS_HALVES
        filled = _aligned(int(there.sum()), -(-outputs // LANES) * LANES, "f2" if halves else "f4")
        filled[:, :outputs] = weights[index[there]]
        return cls(known | (before << _UPPER), filled.view(np.uint16) if halves else filled, outputs)


def _aligned(rows: int, columns: int, dtype: str) -> npt.NDArray[Any]:
    """Return zeros; no row of sixteen of them lies in more lines of the cache than it must."""
    room = np.zeros(rows * columns + 2 * LANES, dtype=dtype)
    skipped = -(room.ctypes.data // room.itemsize) % (2 * LANES)
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


@compiled(forceinline=True)
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


@compiled(forceinline=True)
def _known_lines(buckets: Codes, count: int, known: Words, lines: Codes, found: int) -> int:
    """Write, from place `found` on, the rows of the weights of the buckets that a model knows.

    Returns
    -------
    How many rows there are by now.
    """
    for place in range(count):
        bucket = buckets[at(place)]
        word, bit = known[at(bucket >> 5)], np.uint64(bucket & 31)
        lines[at(found)] = (word >> _UPPER) + _bits(word & ((_ONE << bit) - _ONE))
        found += int(word & (_ONE << bit) != 0)
    return found


@compiled(makes_arrays=True)
def _more(numbers: Any, room: int) -> Any:
    """Return an array with room for so many rows that begins with those given."""
    wider = np.empty((room, numbers.shape[1]), dtype=numbers.dtype)
    wider[: len(numbers)] = numbers
    return wider


@compiled(makes_arrays=True)
def _weigh_column(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: Hashes,
    folds: Codes,
    shape: npt.NDArray[np.int64],
    known: Words,
    weights: Reals | Bits,
    first: npt.NDArray[np.int64],
) -> tuple[Codes, Reals, npt.NDArray[np.int32]]:
    """Fill `first`; return where the units start and end, their sums, and their counts."""
    lines_per_row = weights.shape[1] // LANES
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest + 1, dtype=np.int32)
    folded = np.empty(longest + 1, dtype=np.int32)
    marks = np.empty(longest + 1, dtype=np.int32)
    kinds = np.empty(longest + 1, dtype=np.uint16)
    parts = np.empty(longest + 1, dtype=np.uint8)
    starts = np.empty(most_units(longest), dtype=np.int32)
    ends = np.empty(most_units(longest), dtype=np.int32)
    token = np.empty(MAX_TOKEN + 2, dtype=np.int32)
    hashes = np.empty(MAX_UNIT + 1, dtype=np.uint32)
    most = most_ngrams(MAX_UNIT, shape)
    buckets = np.empty(most + LANES, dtype=np.int32)
    ranks = np.empty(most + LANES, dtype=np.int32)
    distinct = np.empty(most + LANES, dtype=np.int32)
    lines = np.empty(_TOGETHER * most + 1, dtype=np.int32)
    room = (offsets[-1] - offsets[0]) // _USUAL + len(offsets)
    places = np.empty((room, 2), dtype=np.int32)
    counts = np.empty((room, 2), dtype=np.int32)
    sums = np.empty((room, weights.shape[1]), dtype=np.float32)
    total = 0
    for row in range(len(offsets) - 1):
        length, marked = read(data, offsets[row], offsets[row + 1], table, codes, kinds, folded, marks)
        units = find_units(codes, kinds, folds, length, marks, marked, starts, ends, 0)
        if total + units > room:
            room = 2 * (total + units)
            places, counts, sums = _more(places, room), _more(counts, room), _more(sums, room)
        for begin in range(0, units, _TOGETHER):
            stop = min(begin + _TOGETHER, units)
            filled = 0
            for unit in range(begin, stop):
                start, end = starts[at(unit)], ends[at(unit)]
                found = unordered_buckets(
                    codes, kinds, folded, folds, start, end, shape, parts, hashes, token, buckets
                )
                found = _sort_distinct(buckets, found, ranks, distinct)
                before = filled
                filled = _known_lines(distinct, found, known, lines, before)
                for place in range(before, filled):
                    lines[at(place)] *= lines_per_row
                    prefetch_line(weights, lines[at(place)])
                own = at(total + unit)
                places[own, 0], places[own, 1] = start, end
                counts[own, 0], counts[own, 1] = found, filled - before
            filled = 0
            for unit in range(begin, stop):
                before = filled
                filled += counts[at(total + unit), 1]
                for line in range(lines_per_row):
                    to = (total + unit) * lines_per_row + line
                    sum_lines(weights, lines, before, filled, line, sums, to)
        total += units
        first[row + 1] = total
    return places[:total], sums[:total], counts[:total]


def weigh_column(
    column: Column, settings: FeatureSettings, lookup: Lookup
) -> tuple[Units, Reals, npt.NDArray[np.int32]]:
    """Split every row into units, and sum up the weights of each unit's n-grams, each counted once.

    The sum runs in the order of the buckets, so it doesn't depend on batches.

    Parameters
    ----------
    column
        The texts.
    settings
        Which n-grams are taken.
    lookup
        What they weigh.

    Returns
    -------
    Units as `split_column` finds them, sums of shape (units, outputs), and counts of shape (units, 2):
    distinct n-grams, known ones of them.
    """
    known = tables()
    first = np.zeros(len(column) + 1, dtype=np.int64)
    texts = (column.data, column.offsets, known.chars, known.folds)
    places, sums, counts = _weigh_column(*texts, shape_of(settings), lookup.known, lookup.weights, first)
    units = Units(first, np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1]))
    return units, sums[:, : lookup.outputs], counts
