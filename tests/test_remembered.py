"""What is remembered of documents: the same as dictionaries would, in less memory."""

import errno

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import remembered
from classifier.errors import OutputError
from classifier.remembered import NOWHERE, Index, Kept

BATCHES = st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=9), max_size=9)


@settings(max_examples=60, deadline=None)
@given(BATCHES, st.sampled_from([4, 1 << 22]))
def test_an_index_finds_what_a_dictionary_finds(batches, largest):
    known: dict[int, int] = {}
    index = Index()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered, "_LARGEST_RUN", largest)
        for batch in batches:
            new = [key for key in dict.fromkeys(batch) if key not in known]
            rows = range(len(known), len(known) + len(new))
            index.add(np.array(new, dtype=np.uint64), np.array(rows, dtype=np.int32))
            known |= dict(zip(new, rows, strict=True))
    asked = [*known, 7, 2**63]
    expected = [known.get(key, NOWHERE) for key in asked]
    assert index.find(np.array(asked, dtype=np.uint64)).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text(max_size=6), max_size=4), max_size=5))
def test_what_is_kept_comes_back(batches):
    kept, names = Kept(), [name for batch in batches for name in batch]
    hashes = np.arange(2 * len(names), dtype=np.uint64).reshape(-1, 2)
    done = 0
    for batch in batches:
        kept.add(pa.array(batch, pa.string()), hashes[done : done + len(batch)])
        done += len(batch)
    assert len(kept) == len(names)
    rows = np.array([*range(len(names)), *reversed(range(len(names)))], dtype=np.int32)
    assert kept.records(rows) == [(names[row], (2 * row, 2 * row + 1)) for row in rows.tolist()]
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
        kept.add(pa.array(["a"], pa.string()), np.zeros((1, 2), dtype=np.uint64))
