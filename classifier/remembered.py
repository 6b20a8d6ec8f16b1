"""What is remembered of every document of a run, in few bytes of memory each.

In: keys, ids and hashes, batch by batch. Out: which row had a key, and what it was. Memory holds 12 bytes a
key; ids and hashes lie in a file without a name, which is gone with the last who holds it.
"""

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

NOWHERE: Final = -1

_LARGEST_RUN: Final = 1 << 22
"""Keys from which on runs aren't merged any more: a merge holds both of them twice."""


_TEXT: Final = 16
"""Bytes of a text hash, as it is kept."""

_OFFSET: Final = 8
"""Bytes of a place in the ids of a batch, as it is kept."""


class Record(NamedTuple):
    """What is remembered of a document: its id, and the hash that stands for its text."""

    name: str
    text: tuple[int, int]


class Index:
    """Key -> row, in sorted runs of doubling length."""

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, Rows]] = []

    def add(self, keys: Keys, rows: Rows) -> None:
        """Remember the row of each key."""
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        run = (keys[order], rows[order])
        while self._runs and len(self._runs[-1][0]) <= len(run[0]) < _LARGEST_RUN:
            old = self._runs.pop()
            merged = (
                np.empty(len(old[0]) + len(run[0]), np.uint64),
                np.empty(len(old[0]) + len(run[0]), np.int32),
            )
            _merge(*old, *run, *merged)
            run = merged
        self._runs.append(run)

    def find(self, keys: Keys) -> Rows:
        """Return the row of each key, NOWHERE for an unknown one."""
        rows = np.full(len(keys), NOWHERE, dtype=np.int32)
        for run_keys, run_rows in self._runs:
            at = np.minimum(np.searchsorted(run_keys, keys), len(run_keys) - 1)
            hit = run_keys[at] == keys
            rows[hit] = run_rows[at[hit]]
        return rows


@compiled()
def _merge(old_keys: Keys, old_rows: Rows, new_keys: Keys, new_rows: Rows, keys: Keys, rows: Rows) -> None:
    """Merge two sorted runs; of equal keys the old one comes first."""
    old = new = 0
    for at in range(len(keys)):
        if new == len(new_keys) or (old < len(old_keys) and old_keys[old] <= new_keys[new]):
            keys[at], rows[at] = old_keys[old], old_rows[old]
            old += 1
        else:
            keys[at], rows[at] = new_keys[new], new_rows[new]
            new += 1


class Kept:
    """Id and text hash of every document that is kept, by row, on the disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="classifier-")  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)
        self._starts: list[int] = []
        self._places: list[int] = []
        self._length = 0

    def __len__(self) -> int:
        """Return the number of documents."""
        return self._length

    def add(self, ids: pa.StringArray, texts: Keys) -> None:
        """Remember documents.

        Parameters
        ----------
        ids
            Of n documents, without missing ones.
        texts
            Their text hashes, shape (n, 2).

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
            (np.ascontiguousarray(texts).data, (names.offsets - begin).data, names.data[begin:end].data)
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
        texts = np.array(self._places)[parts]
        offsets = texts + _TEXT * counts
        names = offsets + _OFFSET * (counts + 1)
        texts, offsets = texts + _TEXT * at, offsets + _OFFSET * at
        hashes = self._gathered(texts, _TEXT, np.uint64)
        bounds = self._gathered(offsets, 2 * _OFFSET, np.int64)
        begins, sizes = (names + bounds[:, 0]).tolist(), np.diff(bounds)[:, 0].tolist()
        return [
            Record(self._read(size, begin).decode("utf-8", "surrogatepass"), (first, second))
            for begin, size, (first, second) in zip(begins, sizes, hashes.tolist(), strict=True)
        ]

    def _gathered(self, places: npt.NDArray[np.int64], size: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return `size` bytes from each place as two numbers, shape (n, 2)."""
        content = b"".join([self._read(size, place) for place in places.tolist()])
        return np.frombuffer(content, kind).reshape(-1, 2)

    def _read(self, size: int, place: int) -> bytes:
        return os.pread(self._file.fileno(), size, place)
