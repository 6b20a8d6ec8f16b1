"""Invented companies with their claims, their capabilities, and feedback that is linked to them.

In: data/training/companies.jsonl. Out: what the sentence encoder learns from, and, of the companies that it
never sees, what the rules of `classifier/link.py` are fitted on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from classifier.labels import GAP, LABELS

TRAINING: Final = Path(__file__).resolve().parents[1] / "data/training"
FILE: Final = TRAINING / "companies.jsonl"
THEMES: Final = TRAINING / "themes.jsonl"
TEXTS: Final = TRAINING / "company_texts.jsonl"
"""What people write to the companies of THEMES, or about them, beside their themes."""

TEXT: Final = ":text"
"""In the ids of documents of TEXTS."""

SALES: Final = "sales_note"


@dataclass(frozen=True)
class Asked:
    """Spans of one label and the texts that they may be linked to.

    `quotes`, `documents` and `right` are of the same spans; `right` is the place of the text that a span is
    about, len(texts) for none.
    """

    texts: Sequence[str]
    quotes: Sequence[str]
    documents: Sequence[str]
    right: Sequence[int]


def companies(path: Path = FILE) -> list[dict[str, Any]]:
    """Read the companies, in the order of the file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def asked(company: Mapping[str, Any]) -> Iterator[Asked]:
    """Yield the gaps with the claims, then the requests with the capabilities."""
    for label, name, table in (
        ("expectation_gap", "claim", "claims"),
        ("feature_request", "capability", "capabilities"),
    ):
        ids = [one["id"] for one in company[table]]
        spans = [
            (span["quote"], document["text"], ids.index(span[name]) if name in span else len(ids))
            for document in company["documents"]
            for span in document["spans"]
            if span["label"] == label
        ]
        quotes, documents, right = zip(*spans, strict=True)
        yield Asked([one[name] for one in company[table]], quotes, documents, right)


def placed(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the spans of a document of THEMES with their places, as scored rows hold them."""
    starts = [document["text"].index(span["quote"]) for span in document["spans"]]
    return [
        {**span, "start": start, "end": start + len(span["quote"]), "score": 1.0}
        for span, start in zip(document["spans"], starts, strict=True)
    ]


def labelled(company: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the documents of a company of THEMES as rows of labelled data.

    `labels` of a document are what two of three said of it (writer, second reader, model).
    """
    yield from _labelled(company["company"], company["documents"])


def further(company: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of TEXTS of a company as `labelled` does those of THEMES."""
    yield from _labelled(f"{company}{TEXT}", _by_company(TEXTS).get(company, ()))


@cache
def _by_company(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return company -> its documents, of a file in which they lie together."""
    return {name: list(own) for name, own in groupby(companies(path), key=itemgetter("company"))}


def _labelled(name: str, documents: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, document in enumerate(documents):
        first = {span["label"]: span for span in reversed(document["spans"])}
        labels = document.get("labels", [label for label in LABELS if label in first])
        first = {label: span for label, span in first.items() if label in labels}
        yield {
            "id": f"{name}:{number}",
            "text": document["text"],
            "labels": labels,
            "evidence": {label: first[label]["quote"] for label in LABELS if label in first},
            "expectation_source": first.get(GAP, document).get("source", ""),
            "group": "",
            "source": SALES if document["channel"] == SALES else "support_written",
            "channel": document["channel"],
        }
