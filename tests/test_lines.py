"""Rows as records: the bytes that the table itself would be written as."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import moving
import pandas as pd
import pytest
from moving import model

from classifier import pipeline, read, run
from classifier.dedupe import Register
from classifier.engines import packing
from classifier.engines.work import compute, in_lines, pieces
from classifier.pipeline import Part
from classifier.report.cells import csv_records
from classifier.report.lines import COUNTED, Lines


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Part]:
    """Parts of two files that have ids in common, for other texts, and rows that are there twice."""
    job = run.job_of(moving.choose({"keep": ("tag",)}), model(), moving.PART_ROWS)
    sources, _ = read.find_inputs(moving.inputs(tmp_path_factory.mktemp("inputs")))
    batches = read.read_files(sources, job.reading)
    return [compute(piece, job, model()) for batch in batches for piece in pieces(batch, job.part_rows)]


def settled(parts: list[Part]) -> tuple[list[Any], pipeline.Tally]:
    seen, tally = Register(), pipeline.Tally()
    return [pipeline.settle(part, seen=seen, tally=tally) for part in parts], tally


def as_it_is(part: Part) -> Part:
    return part


def moved(part: Part) -> Part:
    return packing.read(packing.pack(part).content)


def moved_apart(part: Part) -> Part:
    """Return a part whose records went another way."""
    assert isinstance(part.scored, Lines)
    packed, records = packing.pack(part, apart=True), part.scored.bytes_of(0, len(part.scored))
    assert packed.records == packing.hash_of(records)
    assert packed.content.size < packing.pack(part).content.size
    return packing.read(packed.content, bytes(records))


@pytest.mark.parametrize("way", [as_it_is, moved, moved_apart])
def test_repeated_rows_go_and_ids_change_as_in_the_table(
    parts: list[Part], way: Callable[[Part], Part]
) -> None:
    found, counts = settled([way(in_lines(part)) for part in parts])
    tables, expected = settled(parts)
    written = b"".join(bytes(one.bytes_of(0, len(one))) for one in found)
    assert written == csv_records(pd.concat(tables, ignore_index=True))
    assert b"@second" in written
    assert counts.rows() == expected.rows()
    assert (counts.labelled, counts.review) == (expected.labelled, expected.review)
    assert counts.rows()["duplicates"] > 0


def test_ids_that_need_quotes_or_a_guard_change_too() -> None:
    table = pd.DataFrame({"document_id": ['a,"b"', "=c", "d"], "subject": ["x", "y,\nz", ""]}, dtype="str")
    marks = {name: [True, False, True] for name in COUNTED}
    lines = Lines.of(table.assign(**marks))
    ids = ['a,"b"@f', "=c@f", "d"]
    kept = pd.Series([True, True, False]).to_numpy()
    changed = lines.settled(table["document_id"].tolist(), ids, kept)
    expected = table.assign(document_id=pd.Series(ids, dtype="str"), **marks)[kept]
    assert bytes(changed.bytes_of(0, len(changed))) == csv_records(expected)
    assert changed.counted.sum(axis=0).tolist() == [1, 1, 1, 1]


def test_a_part_without_rows_has_no_lines() -> None:
    job = run.job_of(moving.choose({}), model(), moving.PART_ROWS)
    part = in_lines(compute(read.empty_batch((), job.reading), job, model()))
    assert len(part.scored) == 0
    (rows,), tally = settled([moved(part)])
    assert (len(rows), tally.scored) == (0, 0)


@pytest.mark.parametrize("rows", [999, 1000, 1001, 2500])
def test_records_of_many_rows_are_as_the_csv_module_writes_them(rows: int) -> None:
    cells = ['say "no"', "a, b", "", "=x", "ü\nz", '"""', "plain"]
    table = pd.DataFrame(
        {"first": [cells[row % 7] * (row % 3) for row in range(rows)], "second": range(rows)}
    )
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(zip(table["first"], table["second"], strict=True))
    assert csv_records(table.astype({"first": "str"}), guard=False).decode() == stream.getvalue()
