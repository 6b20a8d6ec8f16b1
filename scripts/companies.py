"""Invented companies with their claims, their capabilities, and feedback that is linked to them.

In: data/training/companies.jsonl. Out: what the sentence encoder learns from, and, of the companies that it
never sees, what the rules of `classifier/link.py` are fitted on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parents[1] / "data/training/companies.jsonl"


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
