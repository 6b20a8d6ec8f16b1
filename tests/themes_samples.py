"""Small scored tables for the tests of the whole-corpus stages."""

import json

import pandas as pd

from classifier import schema


def span(label: str, quote: str, *, start: int = 0, score: float = 0.9) -> dict:
    return {"label": label, "start": start, "end": start + len(quote), "score": score, "quote": quote}


def scored_rows(rows: list[dict]) -> pd.DataFrame:
    """Table SCORED with `tags` kept; `spans` are given as lists."""
    defaults = {schema.STR: "", schema.FLAG: False, schema.REAL: float("nan")}
    table = pd.DataFrame(
        rows, columns=["document_id", *(name for name in schema.SCORED if name != "document_id"), "tags"]
    )
    for name, dtype in {**schema.SCORED, "tags": schema.STR}.items():
        if dtype in defaults:
            table[name] = table[name].astype(object).where(table[name].notna(), defaults[dtype])
    table["spans"] = [json.dumps(spans or []) for spans in table["spans"]]
    table["created_at"] = pd.to_datetime(table["created_at"], utc=True)
    return schema.conform(table, schema.SCORED, extra=["tags"])


def dated(*pairs: tuple[str, str]) -> pd.DataFrame:
    """(theme_id, date) pairs -> mentions, each of a document of its own."""
    return pd.DataFrame(
        {
            "theme_id": pd.Series([theme for theme, _ in pairs], dtype="str"),
            "label": pd.Series(["pain_point"] * len(pairs), dtype="str"),
            "document_id": pd.Series([f"d{number}" for number in range(len(pairs))], dtype="str"),
            "created_at": pd.to_datetime([date for _, date in pairs], utc=True).astype(schema.TIME),
        }
    )


SHOP = [
    ("quickbooks", "Invoices arrive twice in QuickBooks", "Invoices twice"),
    ("quickbooks", "every invoice is duplicated in QuickBooks", "Duplicate invoices"),
    ("quickbooks", "QuickBooks shows each invoice two times, duplicated", "QuickBooks again"),
    ("board", "The dispatch board loads for a minute", "Slow board"),
    ("board", "our dispatch board is slow every morning", "Board slow"),
    ("board", "loading the dispatch board takes ages", "Board loading"),
    ("offline", "photos taken offline are lost", "Lost photos"),
    ("offline", "we lost all photos of an offline job", "Offline photos gone"),
    ("", "Please add a dark theme", "Wish"),
]
"""(tag, quote, subject): three themes of two or three documents and one on its own."""


def shop(order: list[int] | None = None) -> pd.DataFrame:
    rows = [
        {
            "document_id": f"d{number}",
            "account": f"Account {number % 4}",
            "channel": "email",
            "created_at": f"2026-03-{number + 1:02d}T10:00:00Z",
            "subject": subject,
            "tags": tag,
            "amount": 100.0 * number,
            "stage": "Negotiation" if number % 2 else "",
            "expectation_source": "advertised" if number == 1 else "",
            "spans": [span("feature_request" if number == 8 else "pain_point", quote)]
            + (
                [span("expectation_gap", "the website says never key an invoice twice", start=60)]
                if number == 1
                else []
            ),
        }
        for number, (tag, quote, subject) in enumerate(SHOP)
    ]
    return scored_rows([rows[i] for i in (order or range(len(rows)))])
