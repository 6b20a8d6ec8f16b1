"""What is remembered of documents: the same as dictionaries would, in less memory."""

import errno
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import remembered
from classifier.errors import OutputError
from classifier.remembered import Index, Kept

BATCHES = st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=9), max_size=9)
# Their first halves are few, and lie at both ends of the table.
CROWDED = st.lists(st.lists(st.sampled_from([0, 1, 2**32, 2**64 - 1, 2**64 - 2**32]), max_size=9), max_size=9)


@settings(max_examples=120)
@given(BATCHES | CROWDED, st.sampled_from([3, 1 << 8]))
def test_an_index_finds_what_a_dictionary_finds(batches, slots):
    known: dict[int, list[int]] = {}
    count = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered, "_FIRST_SLOTS", slots)
        index = Index()
        for batch in batches:
            rows = range(count, count + len(batch))
            index.add(np.array(batch, dtype=np.uint64), np.array(rows, dtype=np.int32))
            for key, row in zip(batch, rows, strict=True):
                known.setdefault(key >> 32, []).append(row)
            count += len(batch)
    asked = [*(key for batch in batches for key in batch), 7, 2**63]
    expected = [known.get(key >> 32, []) for key in asked]
    keys = np.array(asked, dtype=np.uint64)
    first, rows = index.find(keys)
    found = [sorted(rows[a:b].tolist()) for a, b in pairwise(first)]
    assert found == expected
    assert index.may_know(keys).tolist() == [bool(rows) for rows in expected]


def test_an_index_takes_few_bytes_a_key():
    index = Index()
    keys = np.random.default_rng(0).integers(0, 2**64, 200_000, dtype=np.uint64)
    for start in range(0, len(keys), 5_000):
        index.add(keys[start : start + 5_000], np.arange(start, start + 5_000, dtype=np.int32))
        assert 8 * (start + 5_000) < index.bytes < 10.5 * (start + 5_000) + 128 * remembered._FIRST_SLOTS
    assert index.find(keys[[5, 150_000]])[1].tolist() == [5, 150_000]


@settings(max_examples=40)
@given(st.lists(st.lists(st.text(max_size=6), max_size=4), max_size=5))
def test_what_is_kept_comes_back(batches):
    kept, names = Kept(), [name for batch in batches for name in batch]
    hashes = np.arange(4 * len(names), dtype=np.uint64).reshape(-1, 4)
    done = 0
    for batch in batches:
        kept.add(pa.array(batch, pa.string()), hashes[done : done + len(batch)])
        done += len(batch)
    assert len(kept) == len(names)
    rows = np.array([*range(len(names)), *reversed(range(len(names)))], dtype=np.int32)
    assert kept.records(rows) == [
        (names[row], (4 * row, 4 * row + 1), 4 * row + 2, 4 * row + 3) for row in rows.tolist()
    ]
    assert kept.records(rows[:0]) == []


def test_a_full_disk_is_told(monkeypatch):
    kept = Kept()

    class Full:
        def tell(self):
            return 0

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept, "_file", Full())
    with pytest.raises(OutputError, match="No space left on device; free it, or set TMPDIR"):
        kept.add(pa.array(["a"], pa.string()), np.zeros((1, 4), dtype=np.uint64))
