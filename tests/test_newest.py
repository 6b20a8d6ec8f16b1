"""Of repeated documents the newest counts, whatever the order of rows and files."""

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import schema
from classifier.dedupe import fingerprints
from classifier.newest import Newest
from classifier.pipeline import PLACE

LONG = "The export fails every morning."
OTHER = "The import fails every evening."
MARCH, APRIL = "2026-03-02T08:00:00Z", "2026-04-02T08:00:00Z"
DAY = "2026-05-02T00:00:00Z"

Row = tuple[str, ...]  # file, id, text, account, created_at, and updated_at where the export has one


def settle(rows: Sequence[Row], *, cut: int = 0) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """Return what is kept as (final id, text, account, created_at), and (id, duplicate_of, kind)."""
    seen = Newest()
    entered: list[Row] = []
    numbered = [(row, number) for number, row in enumerate(rows, start=1)]
    for part in (numbered[:cut], numbered[cut:]):
        for file in dict.fromkeys(row[0] for row, _ in part):
            own = [(row, number) for row, number in part if row[0] == file]
            frame = pd.DataFrame(
                [{"file": file, "row": number, **_cells(row)} for row, number in own],
            )
            documents = schema.conform(frame.reindex(columns=list(schema.DOCUMENTS)), schema.DOCUMENTS)
            prints = fingerprints(documents, pd.Series([row[2] for row, _ in own], dtype="str"))
            _, kept, duplicates = seen.enter(documents[list(PLACE)], prints)
            assert kept.all()
            assert duplicates.empty
            entered += [row for row, _ in own]
    settled = seen.settle()
    assert len(settled.kept) == len(entered)
    assert settled.kept.sum() + len(settled.duplicates) == len(entered)
    standing = [row for row, kept in zip(entered, settled.kept, strict=True) if kept]
    kept_rows = [(name, *row[2:5]) for name, row in zip(settled.ids, standing, strict=True)]
    assert len(set(settled.ids)) == len(settled.ids), "every document has an id of its own"
    found = settled.duplicates[["document_id", "duplicate_of", "kind"]]
    return set(kept_rows), set(found.itertuples(index=False, name=None))


def _cells(row: Row) -> dict[str, object]:
    created, updated = (pd.to_datetime(time or None, utc=True) for time in (row[4], *row[5:], "")[:2])
    return {"document_id": row[1], "account": row[3], "created_at": created, "updated_at": updated}


def test_of_versions_of_one_time_the_one_updated_last_counts() -> None:
    days = pd.to_datetime(["2026-03-05", "2026-03-09", None], utc=True)
    rows = {"file": "a.json", "row": [1, 2, 3], "document_id": "1", "created_at": pd.to_datetime(MARCH)}
    frame = pd.DataFrame({**rows, "updated_at": days}).reindex(columns=list(schema.DOCUMENTS))
    documents = schema.conform(frame, schema.DOCUMENTS)
    texts = pd.Series([LONG * 3, OTHER, LONG * 9], dtype="str")
    seen = Newest()
    seen.enter(documents[list(PLACE)], fingerprints(documents, texts))
    assert seen.settle().kept.tolist() == [False, True, False]


CASES = {
    "the newest text of an id counts": (
        [("a.csv", "1", LONG, "Acme", APRIL), ("a.csv", "1", OTHER, "Acme", MARCH)],
        {("1", LONG, "Acme", APRIL)},
        {("1", "1", "same_id")},
    ),
    "a row without a date is older than any": (
        [("a.csv", "1", LONG, "Acme", ""), ("a.csv", "1", OTHER, "Acme", MARCH)],
        {("1", OTHER, "Acme", MARCH)},
        {("1", "1", "same_id")},
    ),
    "the same text twice: the newest facts": (
        [("a.csv", "1", LONG, "Acme", APRIL), ("a.csv", "1", LONG, "Bolt", MARCH)],
        {("1", LONG, "Acme", APRIL)},
        {("1", "1", "exact")},
    ),
    "the same id in two files": (
        [("b.csv", "1", LONG, "Acme", MARCH), ("a.csv", "1", OTHER, "Bolt", APRIL)],
        {("1", OTHER, "Bolt", APRIL), ("1@b", LONG, "Acme", MARCH)},
        set(),
    ),
    "the same id and day in two files": (
        [("b.csv", "1", LONG, "Acme", DAY), ("a.csv", "1", OTHER, "Acme", DAY)],
        {("1", OTHER, "Acme", DAY), ("1@b", LONG, "Acme", DAY)},
        set(),
    ),
    "a document that went on, in a later export": (
        [("a.csv", "1", LONG, "Acme", MARCH), ("b.csv", "1", f"{LONG} Still so.", "Acme", MARCH)],
        {("1", f"{LONG} Still so.", "Acme", MARCH)},
        {("1", "1", "same_id")},
    ),
    "a document that was cut short and changed hands, in a later export": (
        [("a.csv", "1", OTHER, "Acme", MARCH, APRIL), ("b.csv", "1", "[removed]", "Bolt", MARCH, DAY)],
        {("1", "[removed]", "Bolt", MARCH)},
        {("1", "1", "same_id")},
    ),
    "an update that is told counts more than none": (
        [("a.csv", "1", LONG, "Acme", MARCH, APRIL), ("b.csv", "1", LONG, "Bolt", MARCH)],
        {("1", LONG, "Acme", MARCH)},
        {("1", "1", "exact")},
    ),
    "the same document in two files": (
        [("b.csv", "1", LONG, "Acme", APRIL), ("a.csv", "1", LONG, "Acme", MARCH)],
        {("1", LONG, "Acme", APRIL)},
        {("1", "1", "exact")},
    ),
    "a double import under a new id": (
        [("a.csv", "10", LONG, "Acme", MARCH), ("a.csv", "9", LONG, " Acme", MARCH)],
        {("9", LONG, " Acme", MARCH)},
        {("10", "9", "same_text")},
    ),
    "a double import, and an older text of it": (
        [
            ("a.csv", "2", OTHER, "Acme", ""),
            ("a.csv", "2", LONG, "Acme", MARCH),
            ("a.csv", "1", LONG, "Acme", MARCH),
        ],
        {("1", LONG, "Acme", MARCH)},
        {("2", "1", "same_text"), ("2", "1", "same_id")},
    ),
    "files of one name in two folders": (
        [
            ("x/a.csv", "1", LONG, "Acme", MARCH),
            ("y/a.csv", "1", OTHER, "Acme", APRIL),
            ("z/a.csv", "1", "short", "", ""),
        ],
        {("1", LONG, "Acme", MARCH), ("1@a", OTHER, "Acme", APRIL), ("1@a.2", "short", "", "")},
        set(),
    ),
    "short texts of one minute are two": (
        [("a.csv", "1", "ok", "Acme", MARCH), ("a.csv", "2", "ok", "Acme", MARCH)],
        {("1", "ok", "Acme", MARCH), ("2", "ok", "Acme", MARCH)},
        set(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_counts(name: str) -> None:
    rows, kept, duplicates = CASES[name]
    assert settle(rows) == (kept, duplicates)
    assert settle(rows[::-1], cut=1) == (kept, duplicates)


@pytest.mark.parametrize("account", [f"Account {number}" for number in range(6)])
def test_what_was_said_last_of_a_document_counts(account: str) -> None:
    rows = [("a.csv", "1", LONG, "Old", MARCH, MARCH), ("b.csv", "1", LONG, account, MARCH, APRIL)]
    assert settle(rows)[0] == {("1", LONG, account, MARCH)}


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a.csv", "b.csv", "x/b.csv"]),
        st.sampled_from("123"),
        st.sampled_from([LONG, OTHER, "ok"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(["", MARCH, APRIL, DAY]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 12))
def test_no_order_of_rows_files_and_batches_matters(rows: list[Row], random: object, cut: int) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled, cut=cut) == settle(rows)


def test_nothing_entered() -> None:
    settled = Newest().settle()
    assert (len(settled.kept), len(settled.ids), len(settled.duplicates)) == (0, 0, 0)
