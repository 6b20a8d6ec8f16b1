"""Duplicates: what is one document, what are two, over batches and in any cut."""

import tracemalloc
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import schema
from classifier.dedupe import Deduplicator, Register, fingerprints

LONG = "The export fails every morning."
OTHER = "The import fails every evening."
MARCH, APRIL = "2026-03-02T08:00:00Z", "2026-04-02T08:00:00Z"

Row = tuple[str, str, str, str]  # id, text, account, created_at


def batch(rows: Sequence[Row], first: int = 1) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.DataFrame(rows, columns=["document_id", "text", "account", "created_at"])
    documents = frame.drop(columns="text").reindex(columns=list(schema.DOCUMENTS))
    documents["created_at"] = pd.to_datetime(frame["created_at"], utc=True, errors="coerce")
    documents["file"] = "tickets.json"
    documents["row"] = range(first, first + len(frame))
    return schema.conform(documents, schema.DOCUMENTS), frame["text"].astype("str")


def verdicts(rows: Sequence[Row], cuts: Sequence[int] = ()) -> list[tuple[int, str, str]]:
    """Return (row, duplicate_of, kind) of all that isn't kept."""
    memory = Deduplicator()
    found: list[tuple[int, str, str]] = []
    edges = [0, *sorted(cuts), len(rows)]
    for start, end in pairwise(edges):
        documents, texts = batch(rows[start:end], start + 1)
        kept, duplicates = memory.split(documents, texts)
        assert documents["row"][~kept].tolist() == duplicates["row"].tolist()
        found += duplicates[["row", "duplicate_of", "kind"]].itertuples(index=False, name=None)
    return found


CASES = [
    ([("1", LONG, "Acme", MARCH), ("1", LONG, "Acme", MARCH)], [(2, "1", "exact")]),
    ([("1", LONG, "Acme", MARCH), ("1", LONG, "", "")], [(2, "1", "exact")]),
    ([("1", "", "", ""), ("1", "", "", "")], [(2, "1", "exact")]),
    ([("1", LONG, "Acme", MARCH), ("1", OTHER, "Acme", MARCH)], [(2, "1", "same_id")]),
    ([("1", LONG, "Acme", MARCH), ("2", LONG, "Acme", MARCH)], [(2, "1", "same_text")]),
    ([("1", LONG, "Acme", MARCH), ("2", LONG, " Acme ", MARCH)], [(2, "1", "same_text")]),
    ([("1", LONG, "Acme", MARCH), ("2", LONG, "Bolt", MARCH)], []),
    ([("1", LONG, "Acme", MARCH), ("2", LONG, "Acme", APRIL)], []),
    ([("1", LONG, "", MARCH), ("2", LONG, "", MARCH)], []),
    ([("1", LONG, "Acme", ""), ("2", LONG, "Acme", "")], []),
    ([("1", "ok", "Acme", MARCH), ("2", "ok", "Acme", MARCH)], []),
    ([("1", LONG, "Acme", MARCH), ("2", OTHER, "Acme", MARCH)], []),
    ([("", LONG, "", ""), ("", LONG, "", "")], []),
    ([("", LONG, "Acme", MARCH), ("", LONG, "Acme", MARCH)], [(2, "", "same_text")]),
    # What was not kept is no original: its text is not lost with it.
    ([("1", LONG, "A", MARCH), ("1", OTHER, "A", MARCH), ("2", OTHER, "A", MARCH)], [(2, "1", "same_id")]),
    (
        [("1", LONG, "A", MARCH), ("2", LONG, "A", MARCH), ("2", OTHER, "A", MARCH), ("2", LONG, "A", MARCH)],
        [(2, "1", "same_text"), (4, "2", "same_id")],
    ),
    ([("1", LONG, "A", MARCH)] * 3, [(2, "1", "exact"), (3, "1", "exact")]),
]


@pytest.mark.parametrize(("rows", "expected"), CASES)
def test_kinds_within_and_over_batches(rows: list[Row], expected: list[tuple[int, str, str]]) -> None:
    assert verdicts(rows) == expected
    assert verdicts(rows, cuts=range(1, len(rows))) == expected


def test_the_table_names_file_row_and_ids() -> None:
    documents, texts = batch([("1", LONG, "A", MARCH), ("2", LONG, "A", MARCH)], first=41)
    kept, duplicates = Deduplicator().split(documents, texts)
    assert kept.tolist() == [True, False]
    assert duplicates.to_dict("records") == [
        {"file": "tickets.json", "row": 42, "document_id": "2", "duplicate_of": "1", "kind": "same_text"}
    ]
    assert (
        duplicates.dtypes.astype(str).to_dict()
        == schema.empty(schema.DUPLICATES).dtypes.astype(str).to_dict()
    )


def test_an_empty_batch() -> None:
    memory = Deduplicator()
    kept, duplicates = memory.split(*batch([]))
    assert (kept.tolist(), len(duplicates)) == ([], 0)
    assert memory.split(*batch([("1", LONG, "A", MARCH)]))[0].tolist() == [True]


def slow(rows: Sequence[Row]) -> list[tuple[int, str, str]]:
    """Say the same as the module, one row after the other."""
    texts: dict[str, str] = {}
    contents: dict[tuple[str, str, str], str] = {}
    found = []
    for number, (name, text, account, time) in enumerate(rows, start=1):
        key = (text, account, time)
        comparable = account and time and len(text) >= 20
        if name in texts:
            found.append((number, name, "exact" if texts[name] == text else "same_id"))
        elif comparable and key in contents:
            found.append((number, contents[key], "same_text"))
        else:
            texts[name] = text
            if comparable:
                contents[key] = name
    return found


ROWS = st.lists(
    st.tuples(
        st.sampled_from("123456"),
        st.sampled_from([LONG, OTHER, "ok"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(["", MARCH]),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(ROWS, st.lists(st.integers(0, 30), max_size=4))
def test_any_cut_into_batches_says_the_same(rows: list[Row], cuts: list[int]) -> None:
    assert verdicts(rows, [cut for cut in cuts if cut <= len(rows)]) == slow(rows)


def fill(memory: Deduplicator, batches: int, size: int) -> None:
    for number in range(batches):
        rows = [(f"ticket-{number}-{row}", f"{LONG} {number} {row}", "A", MARCH) for row in range(size)]
        assert memory.split(*batch(rows))[0].all()


def test_many_batches_stay_small_and_find_all() -> None:
    size, batches = 2_000, 10
    memory = Deduplicator()
    # What compiled code takes when it is first called, tables that grow among it, isn't held for documents.
    fill(Deduplicator(), 4, size)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    fill(memory, batches, size)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held / (size * batches) < 40
    again = [
        (f"ticket-{number}-{number}", f"{LONG} {number} {number}", "A", MARCH) for number in range(batches)
    ]
    kept, duplicates = memory.split(*batch(again))
    assert not np.any(kept)
    assert duplicates["kind"].eq("exact").all()


def entered(rows: Sequence[tuple[str, str]], cuts: Sequence[int]) -> list[tuple[str, bool]]:
    """Return the name of each document of the second of two files, and whether it is kept."""
    register = Register()
    documents, texts = batch([("1", LONG, "Acme", MARCH)])
    register.enter(documents, fingerprints(documents, texts))
    found: list[tuple[str, bool]] = []
    for start, end in pairwise([0, *sorted(cuts), len(rows)]):
        documents, texts = batch([(name, text, "Acme", APRIL) for name, text in rows[start:end]], start + 1)
        documents["file"] = "notes.csv"
        named, kept, _ = register.enter(documents, fingerprints(documents, texts))
        found += zip(named["document_id"], kept.tolist(), strict=True)
    return found


@settings(max_examples=25)
@given(data=st.data())
def test_two_files_give_the_same_names_however_they_are_cut(data: st.DataObject) -> None:
    names = st.sampled_from(["1", "2", "1@notes"])
    rows = data.draw(st.lists(st.tuples(names, st.sampled_from([LONG, OTHER, "Short."])), max_size=5))
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=2))
    assert entered(rows, cuts) == entered(rows, [])


def test_another_text_under_an_id_of_another_file_gets_a_name_of_its_own() -> None:
    rows = [("1", OTHER), ("2", OTHER), ("1", LONG), ("1@notes", OTHER)]
    expected = [("1@notes", True), ("2", False), ("1", False), ("1@notes", False)]
    assert entered(rows, []) == expected


@pytest.mark.parametrize(
    ("time", "source", "expected"),
    [
        # A ticket that went on between two exports.
        (MARCH, "zendesk", [("1", False, "same_id")]),
        (APRIL, "zendesk", [("1@notes", True, "")]),
        (MARCH, "salesforce", [("1@notes", True, "")]),
        # A day, which many documents share, or none.
        ("2026-03-02", "zendesk", [("1@notes", True, "")]),
        ("", "zendesk", [("1@notes", True, "")]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_an_id_of_two_files_with_one_moment_is_one_document(
    time: str, source: str, expected: list[tuple[str, bool, str]], together: bool
) -> None:
    register, found = Register(), []
    first = time if len(time) < len(MARCH) else MARCH
    for file, text, created, origin in (
        ("tickets.json", LONG, first, "zendesk"),
        ("notes.csv", OTHER, time, source),
    ):
        # Whether the first is remembered from the same batch or from one before.
        rows = [("0", f"{text} {file}", "Acme", APRIL), ("1", text, "Acme", created)]
        for part in [rows] if together else [[row] for row in rows]:
            documents, texts = batch(part)
            documents = documents.assign(file=file, source=origin)
            named, kept, duplicates = register.enter(documents, fingerprints(documents, texts))
            kinds = iter(duplicates["kind"])
            found += [
                (name, keep, "" if keep else next(kinds))
                for name, keep in zip(named["document_id"], kept.tolist(), strict=True)
            ]
    assert found[-1:] == expected
