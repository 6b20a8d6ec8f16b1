"""Rows that were left out, in memory and on the disk."""

import errno
import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import schema
from classifier.errors import OutputError
from classifier.report import left_out
from classifier.report.left_out import LeftOut

NAMES = {"in/b.csv": "b.csv", "in/a.csv": "z.csv"}


def rows(*places: tuple[str, int], reason: str = "too short") -> pd.DataFrame:
    records = [
        {"file": file, "row": row, "document_id": f"{file}-{row}", "reason": reason} for file, row in places
    ]
    return schema.conform(pd.DataFrame(records, columns=list(schema.REJECTED)), schema.REJECTED)


place = st.tuples(st.sampled_from(["in/a.csv", "in/b.csv", "c.csv"]), st.integers(1, 30))


@settings(max_examples=60)
@given(batches=st.lists(st.lists(place, max_size=6), max_size=8), block=st.integers(1, 10))
def test_the_disk_gives_the_same_rows_as_the_memory(batches, block):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(left_out, "BLOCK_ROWS", block)
        here, there = LeftOut(schema.REJECTED), LeftOut(schema.REJECTED, folder=Path(folder))
        for number, places in enumerate(batches):
            for table in (here, there):
                table.add(rows(*places, reason=f"batch {number}"))
        with closing(there):
            pd.testing.assert_frame_equal(
                there.whole(NAMES).reset_index(drop=True), here.whole(NAMES).reset_index(drop=True)
            )
        assert len(there) == len(here) == sum(map(len, batches))
        assert there.reasons == here.reasons


def test_few_rows_touch_no_disk(tmp_path):
    table = LeftOut(schema.REJECTED, folder=tmp_path / "isn't there")
    table.add(rows(("a.csv", 2), ("a.csv", 1)))
    assert table.whole({})["row"].tolist() == [1, 2]


def test_rows_that_nobody_asks_for_are_counted_only():
    table = LeftOut(schema.DROPPED, keep=False)
    table.add(rows(("a.csv", 1), ("a.csv", 2), reason="agent"))
    assert (len(table), table.reasons["agent"], len(table.whole({}))) == (2, 2, 0)


def test_many_rows_come_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(left_out, "BLOCK_ROWS", 10)
    table = LeftOut(schema.REJECTED, folder=tmp_path)
    for first in range(0, 100, 5):
        table.add(rows(*(("a.csv", row) for row in range(first, first + 5))))
    assert list(tmp_path.iterdir()) == []
    with closing(table):
        blocks = list(table.blocks({}))
    assert max(map(len, blocks)) == 10
    assert pd.concat(blocks)["row"].tolist() == list(range(100))


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(left_out, "BLOCK_ROWS", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    table = LeftOut(schema.REJECTED, folder=tmp_path)
    with pytest.raises(OutputError, match="the disk is full"):
        table.add(rows(("a.csv", 1)))
