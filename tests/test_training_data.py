"""The labelled data that is part of the project: whole, consistent, and apart from what measures it."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from trained import ROOT, WRITTEN

from classifier import labelled, splits
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

FOLDER = ROOT / "data" / "training"
ANNOTATED = sorted(FOLDER.glob("annotations_*.jsonl"))
GOLD = ROOT.parent / "shared" / "data" / "gold"
LONGEST_SPAN = 300


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def written() -> pd.DataFrame:
    return labelled.read_labelled(WRITTEN)


def test_every_file_is_of_a_known_kind():
    assert sorted([*WRITTEN, *ANNOTATED]) == sorted(FOLDER.glob("*.jsonl"))
    assert len(WRITTEN) >= 2


def test_ids_are_unique_over_all_files():
    twice = [name for name, count in Counter(written()["id"]).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_written_rows(path):
    for row in rows(path):
        place = f"{path.name} {row['id']}"
        assert row["text"] == row["text"].strip() != "", place
        assert set(row["labels"]) <= set(LABELS), place
        assert len(set(row["labels"])) == len(row["labels"]), place
        assert set(row["evidence"]) == set(row["labels"]), place
        for span in row["evidence"].values():
            assert span in row["text"], place
            assert 0 < len(span) <= LONGEST_SPAN, place
        assert (row["expectation_source"] in EXPECTATION_SOURCES) == (GAP in row["labels"]), place
        assert row["source"] in ("support_written", "sales_note"), place
        assert row["channel"], place


def test_no_text_is_there_twice():
    groups = splits.near_duplicate_groups(written()["text"].tolist())
    assert [written()["id"][row] for row in pd.Series(groups).duplicated().to_numpy().nonzero()[0]] == []


def test_every_label_and_source_is_taught():
    assert all(written()[label].sum() >= 100 for label in LABELS)
    assert (~written()[list(LABELS)].any(axis=1)).sum() >= 100
    assert set(EXPECTATION_SOURCES) <= set(written()["expectation_source"])


def test_invented_people_alone():
    """Addresses and numbers of written texts can't be anyone's: reserved names, no long numbers."""
    addresses = [
        address for text in written()["text"] for address in re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+\w", text)
    ]
    assert all(
        re.search(r"\.(example|test|invalid)$|@example\.(com|org|net)$", address) for address in addresses
    )


@pytest.mark.parametrize("path", ANNOTATED, ids=lambda path: path.name)
def test_annotations_hold_labels_and_places_but_no_text(path):
    found = rows(path)
    assert len({(row["source"], row["id"]) for row in found}) == len(found)
    for row in found:
        place = f"{path.name} {row['source']} {row['id']}"
        assert set(row) <= {
            "source",
            "id",
            "sha256",
            "labels",
            "evidence",
            "expectation_source",
            "annotators",
        }, place
        assert re.fullmatch(r"[0-9a-f]{16}", row["sha256"]), place
        assert set(row["labels"]) <= set(LABELS), place
        assert set(row["evidence"]) == set(row["labels"]), place
        assert all(0 <= start < end <= start + LONGEST_SPAN for start, end in row["evidence"].values()), place
        assert (row["expectation_source"] in EXPECTATION_SOURCES) == (GAP in row["labels"]), place


@pytest.mark.skipif(
    not GOLD.is_dir(), reason="the gold texts are not part of the project; here they are not at hand"
)
def test_nothing_written_is_a_near_duplicate_of_gold():
    gold = pd.concat([labelled.read_labelled([path]) for path in sorted(GOLD.glob("*.jsonl"))])[
        "text"
    ].tolist()
    ours = written()["text"].tolist()
    groups = splits.near_duplicate_groups([*ours, *gold])
    shared = set(groups[: len(ours)].tolist()) & set(groups[len(ours) :].tolist())
    assert [written()["id"][row] for row in range(len(ours)) if groups[row] in shared] == []
