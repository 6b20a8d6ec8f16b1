"""Labelled documents from CSV, JSON lines and Parquet, for training and for evaluation.

In: files in any of the accepted spellings. Out: one table LABELLED, rows in the order given.
Never guesses a label, never leaves a faulty row out, never shows text in an error.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from classifier.errors import InputError
from classifier.labelled.cells import RowError, document_of
from classifier.labelled.files import Row, rows_of
from classifier.labels import LABELS
from classifier.schema import LABELLED, conform

_FAULTS_SHOWN: Final = 20


@dataclass(frozen=True)
class Labelled:
    """Table LABELLED; where each of its documents stands (file and row), for messages; its raw parts.

    `parts` are the columns `subject` and `body` that the texts were joined of: they are cleaned one by one.
    """

    documents: pd.DataFrame
    places: tuple[str, ...]
    parts: pd.DataFrame

    def warnings(self) -> tuple[str, ...]:
        """Return what the user should know of the data: evidence and labels that can't be learnt from."""
        pairs = zip(self.documents["text"], self.documents["evidence"], strict=True)
        lost = [row for row, (text, evidence) in enumerate(pairs) if _is_lost(evidence, text)]
        torn = _contradicting(self.documents)
        found = []
        if lost:
            found.append(
                f"{len(lost)} text(s) have evidence that doesn't stand in them, the first is"
                f" {self.places[lost[0]]}; it counts as none: give evidence to the letter, from what the"
                " customer wrote (not from a quoted mail or a signature)"
            )
        if torn:
            found.append(
                f"{len(torn)} text(s) stand there more than once, with different labels, the first again at"
                f" {self.places[torn[0]]}; decide which labels are right and leave the others out"
            )
        return tuple(found)


def read_labelled(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Return the table that `read_placed` reads."""
    return read_placed(paths).documents


def read_placed(paths: Sequence[str | Path]) -> Labelled:
    """Read labelled documents.

    Column names are matched without regard to case. The text is `text` (or `body`, or `description`), below
    `subject` where there is one, joined as a document's text is. The labels are `labels` (a list, a JSON
    list, or joined by ";"; empty: no label), or else one true/false column per label. Optional: `id` (or
    `document_id`), `evidence` (a JSON object {label: span}) or one `<label>_evidence` column per label,
    `expectation_source`, `group`, `source`, `channel`. Further columns are left out.

    Parameters
    ----------
    paths
        Files that end in .csv, .tsv, .jsonl, .ndjson or .parquet; the text kinds also .gz or .zst.

    Returns
    -------
    Table LABELLED, in the order of the files and their rows; without rows for no paths. Texts and spans
    are in NFC with LF line ends, as on reading feedback. A row without an id gets one made of its text.

    Raises
    ------
    InputError
        If a file can't be read, is empty or lacks a column; or with every faulty row: an unknown label or
        expectation source, evidence for a label that isn't given, an id used twice, a missing text.
    """
    rows = [row for path in paths for row in rows_of(Path(path))]
    faults: list[str] = []
    documents: list[dict[str, Any]] = []
    for row in rows:
        try:
            documents.append(document_of(row.values))
        except RowError as error:
            faults.append(f"{row.place}: {error}")
    if not faults:
        faults = _name(rows, documents)
    if faults:
        raise InputError(_listed(faults))
    table = conform(pd.DataFrame(documents, columns=list(LABELLED)), LABELLED)
    parts = pd.DataFrame(documents, columns=["subject", "body"], dtype="str")
    return Labelled(table, tuple(row.place for row in rows), parts)


def _is_lost(evidence: str, text: str) -> bool:
    return any(span not in text for span in json.loads(evidence or "{}").values())


def _contradicting(documents: pd.DataFrame) -> list[int]:
    """Return, for each text that has different labels, the first row where they differ from those before."""
    first: dict[str, tuple[bool, ...]] = {}
    torn: dict[str, int] = {}
    labels = documents[list(LABELS)].itertuples(index=False, name=None)
    for row, (text, own) in enumerate(zip(documents["text"], labels, strict=True)):
        if text.strip() and first.setdefault(text, own) != own:
            torn.setdefault(text, row)
    return list(torn.values())


def _listed(faults: Sequence[str]) -> str:
    lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  … and {len(faults) - _FAULTS_SHOWN} more")
    return "\n".join([f"labelled data: {len(faults)} row(s) to mend:", *lines])


def _name(rows: Sequence[Row], documents: Sequence[dict[str, Any]]) -> list[str]:
    """Give documents without an id one made of their text; return a fault for each id used twice."""
    faults: list[str] = []
    places: dict[str, str] = {}
    for row, document in zip(rows, documents, strict=True):
        identity = document["id"]
        if identity in places:
            faults.append(f"{row.place}: id {identity!r} is already used at {places[identity]}")
        elif identity:
            places[identity] = row.place
    # Training goes by ids, and must not depend on the order of rows: copies of one text are numbered by
    # what is said of them.
    unnamed = [document for document in documents if not document["id"]]
    copies: Counter[str] = Counter()
    for document in sorted(unnamed, key=lambda one: [str(value) for value in one.values()]):
        made = f"t-{hashlib.sha256(document['text'].encode()).hexdigest()[:16]}"
        while not document["id"] or document["id"] in places:
            copies[made] += 1
            document["id"] = made if copies[made] == 1 else f"{made}-{copies[made]}"
        places[document["id"]] = ""
    return faults
