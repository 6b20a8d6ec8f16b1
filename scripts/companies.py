"""Invented companies with their claims, their capabilities, and feedback that is linked to them.

In: data/training/companies.jsonl. Out: what the sentence encoder learns from, and, of the companies that it
never sees, what the rules of `classifier/link.py` are fitted on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifier.labels import GAP, LABELS

TRAINING: Final = Path(__file__).resolve().parents[1] / "data/training"
FILE: Final = TRAINING / "companies.jsonl"
THEMES: Final = TRAINING / "themes.jsonl"
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
    """Yield the documents of a company of THEMES as rows of labelled data; its name groups them."""
    for number, document in enumerate(company["documents"]):
        first = {span["label"]: span for span in reversed(document["spans"])}
        yield {
            "id": f"{company['company']}:{number}",
            "text": document["text"],
            "labels": [label for label in LABELS if label in first],
            "evidence": {label: first[label]["quote"] for label in LABELS if label in first},
            "expectation_source": first.get(GAP, {}).get("source", ""),
            "group": company["company"],
            "source": SALES if document["channel"] == SALES else "support_written",
            "channel": document["channel"],
        }
