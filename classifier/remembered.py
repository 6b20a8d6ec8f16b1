"""What is remembered of every document of a run, in few bytes of memory each.

In: keys, ids and hashes, batch by batch. Out: which rows may have a key, and what they were. Memory holds 9
to 10 bytes a key; ids and hashes lie in a file without a name, which is gone with the last who holds it.
"""

import mmap
import os
import tempfile
import weakref
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifier.buffers import Column, compiled
from classifier.errors import OutputError

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int32]

_FULL: Final = 0.9
_GROWTH: Final = 1.125
"""A larger table is made beside the smaller one: both take room for a moment."""

_TABLES: Final = 16
_FIRST_SLOTS: Final = 1 << 8
_ONE: Final = np.uint64(1)
_HALF: Final = np.uint64(32)
_REST: Final = np.uint64(60)
"""Bits of a key behind those that tell the table."""

_LOW: Final = np.uint64(0xFFFF_FFFF)

_HASHES: Final = 4
"""Of 8 bytes each: the two of the text, the content key, and the moment."""

_OFFSET: Final = 8
"""Bytes of a place in the ids of a batch, as it is kept."""


class Record(NamedTuple):
    """What is remembered of a document: its id, what stands for its text, its content key, its moment."""

    name: str
    text: tuple[int, int]
    content: int
    moment: int


class Index:
    """Keys -> rows in 8 bytes a slot, of which at most FULL are taken: what has a key's first half may be it.

    Tables with open addressing, one for each value of a key's first bits: while one grows, only that one is
    there twice. A slot holds the first 32 bits of a key, of which the others say where it should lie, and a
    row: whoever asks compares what is remembered of it. Of five million keys, one in a thousand shares its
    half with another.
    """

    def __init__(self) -> None:
        self._tables: list[Keys] = [_empty(_FIRST_SLOTS) for _ in range(_TABLES)]
        self._counts = np.zeros(_TABLES, dtype=np.int64)

    @property
    def bytes(self) -> int:
        """What the tables take of memory."""
        return sum(table.nbytes for table in self._tables)

    def add(self, keys: Keys, rows: Rows) -> None:
        """Remember the row of each key, 0 and up."""
        self._counts += np.bincount((keys >> _REST).astype(np.int64), minlength=_TABLES)
        for number, (table, count) in enumerate(zip(self._tables, self._counts.tolist(), strict=True)):
            if count > _FULL * len(table):
                larger = _empty(int(max(_GROWTH * len(table), count / _FULL)) + 1)
                _move(table, larger)
                self._tables[number] = table = larger
            _put(table, number, keys, rows)

    def may_know(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Return for which keys `find` would return a row at least."""
        return np.diff(self._first(keys)) > 0

    def find(self, keys: Keys) -> tuple[npt.NDArray[np.int64], Rows]:
        """Return rows, and where those begin that may have each key, shape (keys + 1,)."""
        first = self._first(keys)
        rows = np.empty(first[-1], dtype=np.int32)
        for number, table in enumerate(self._tables):
            _gather(table, number, keys, first, rows)
        return first, rows

    def _first(self, keys: Keys) -> npt.NDArray[np.int64]:
        counts = np.zeros(len(keys) + 1, dtype=np.int64)
        for number, table in enumerate(self._tables):
            _count(table, number, keys, counts)
        return np.cumsum(counts)


def _empty(slots: int) -> Keys:
    """Return slots with nothing in them, on pages of their own.

    On the heap a table that grew would leave a hole too small for the next one.
    """
    return np.frombuffer(mmap.mmap(-1, 8 * slots), dtype=np.uint64)


@compiled()
def _home(half: int, size: int) -> int:
    """Return the slot where the first half of a key should lie: halves in order lie in order."""
    rest = np.uint64(half) & ((_ONE << (_REST - _HALF)) - _ONE)
    return np.int64((rest * np.uint64(size)) >> (_REST - _HALF))  # type: ignore[return-value]


@compiled()
def _place(slots: Keys, slot: int) -> None:
    """Put what a slot holds into the first free one from its home on."""
    at = _home(slot >> _HALF, len(slots))
    while slots[at] != 0:
        at = at + 1 if at + 1 < len(slots) else 0
    slots[at] = slot


@compiled()
def _put(slots: Keys, number: int, keys: Keys, rows: Rows) -> None:
    for place in range(len(keys)):
        if keys[place] >> _REST == np.uint64(number):
            # One more than the row: no slot that is taken is 0.
            _place(slots, ((keys[place] >> _HALF) << _HALF) | np.uint64(rows[place] + 1))


@compiled()
def _move(slots: Keys, larger: Keys) -> None:
    for slot in slots:
        if slot != 0:
            _place(larger, slot)


@compiled()
def _count(slots: Keys, number: int, keys: Keys, counts: npt.NDArray[np.int64]) -> None:
    for place in range(len(keys)):
        if keys[place] >> _REST != np.uint64(number):
            continue
        half = keys[place] >> _HALF
        at = _home(half, len(slots))
        while slots[at] != 0:
            counts[place + 1] += slots[at] >> _HALF == half
            at = at + 1 if at + 1 < len(slots) else 0


@compiled()
def _gather(slots: Keys, number: int, keys: Keys, first: npt.NDArray[np.int64], rows: Rows) -> None:
    for place in range(len(keys)):
        if keys[place] >> _REST != np.uint64(number):
            continue
        half, to = keys[place] >> _HALF, first[place]
        at = _home(half, len(slots))
        while to < first[place + 1]:
            if slots[at] >> _HALF == half:
                rows[to] = np.int64(slots[at] & _LOW) - 1
                to += 1
            at = at + 1 if at + 1 < len(slots) else 0


class Kept:
    """Id and hashes of every document that is kept, by row, on the disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="classifier-")  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)
        self._starts: list[int] = []
        self._places: list[int] = []
        self._length = 0

    def __len__(self) -> int:
        """Return the number of documents."""
        return self._length

    def add(self, ids: pa.StringArray, hashes: Keys) -> None:
        """Remember documents.

        Parameters
        ----------
        ids
            Of n documents, without missing ones.
        hashes
            Those of their texts, their content keys and their moments, shape (n, 4).

        Raises
        ------
        OutputError
            If the disk is full.
        """
        if not len(ids):
            return
        names = Column.of(ids)
        begin, end = names.offsets[0], names.offsets[-1]
        self._starts.append(self._length)
        self._places.append(self._file.tell())
        content = b"".join(
            (np.ascontiguousarray(hashes).data, (names.offsets - begin).data, names.data[begin:end].data)
        )
        try:
            self._file.write(content)
            # Whole, or an error: a write without a buffer may end early on a disk that is nearly full.
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"ids can't be kept in {tempfile.gettempdir()}: {error.strerror}; free it, or set TMPDIR "
                "to a folder with room"
            ) from error
        self._length += len(ids)

    def records(self, rows: Rows) -> list[Record]:
        """Return what is remembered of each of these rows."""
        if not len(rows):
            return []
        starts = np.array([*self._starts, self._length])
        parts = np.searchsorted(starts, rows, side="right") - 1
        at, counts = rows - starts[parts], np.diff(starts)[parts]
        hashes = np.array(self._places)[parts]
        offsets = hashes + 8 * _HASHES * counts
        names = offsets + _OFFSET * (counts + 1)
        told = self._gathered(hashes + 8 * _HASHES * at, _HASHES, np.uint64)
        bounds = self._gathered(offsets + _OFFSET * at, 2, np.int64)
        begins, sizes = (names + bounds[:, 0]).tolist(), np.diff(bounds)[:, 0].tolist()
        return [
            Record(self._read(size, begin).decode("utf-8", "surrogatepass"), (first, second), content, moment)
            for begin, size, (first, second, content, moment) in zip(
                begins, sizes, told.tolist(), strict=True
            )
        ]

    def _gathered(self, places: npt.NDArray[np.int64], count: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return `count` numbers of 8 bytes from each place, shape (n, count)."""
        content = b"".join([self._read(8 * count, place) for place in places.tolist()])
        return np.frombuffer(content, kind).reshape(-1, count)

    def _read(self, size: int, place: int) -> bytes:
        return os.pread(self._file.fileno(), size, place)
