"""The evidence of scored documents: JSON of all spans, and the strongest of each label.

In: cleaned texts and what a model says of them. Out: columns of SCORED. Row-local. `spans_of_row` is the
readable rule; rows with nothing to mask and no competitor are written by compiled code to the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier import classify, entities, redact, spanfill
from classifier.buffers import Column, series_of
from classifier.classify import Scores
from classifier.labels import LABELS

Span = dict[str, Any]
Flags = npt.NDArray[np.bool_]

_KEYS = ("label", "start", "end", "score", "quote", "competitors", "churn_risk")


@dataclass(frozen=True)
class Document:
    """One text, the names that are masked in its quotes, and what was found in it.

    `named`: unit -> competitors that it names; `readable`: the model knows its language.
    """

    text: str
    people: tuple[str, ...]
    readable: bool
    leaving: bool
    named: Mapping[int, Sequence[str]]


def columns_of(
    texts: pd.Series,
    documents: pd.DataFrame,
    scores: Scores,
    readable: Flags,
    *,
    quotes: bool,
    competitors: Mapping[str, Sequence[str]],
) -> dict[str, pd.Series]:
    """Return `spans`, and `LABEL_start`, `LABEL_end`, `LABEL_evidence` of each label.

    Parameters
    ----------
    texts, documents
        The cleaned texts, and of their documents the columns `account` and `people`.
    scores
        Of these texts.
    readable
        Mask over the documents: the others have no evidence.
    quotes
        Whether quotes are shown.
    competitors
        Name -> further spellings.
    """
    owner = np.repeat(np.arange(len(texts)), np.diff(scores.first))
    evidence = scores.evidence & readable[owner][:, None]
    shown = evidence.any(axis=1)
    named = _competitors(texts, scores, owner, competitors)
    # Somebody can leave only where there is an account.
    customers = np.unique(owner[shown & (documents["account"] != "").to_numpy()[owner]])
    leaving = np.zeros(len(texts), dtype=np.bool_)
    leaving[customers] = entities.find_churn(texts.iloc[customers], competitors).to_numpy()
    column = Column.of(texts)
    begins, stops = np.zeros((2, len(owner)), dtype=np.int64)
    spanfill.byte_places(column.data, column.offsets, scores.first, scores.start, scores.end, begins, stops)
    layout = _Layout(column.data, scores, evidence, begins, stops)
    if quotes:
        marked = np.zeros(len(owner), dtype=np.bool_)
        spanfill.units_to_mask(column.data, column.offsets, scores.first, begins, stops, shown, marked)
        marked |= shown & _name_somebody(texts, documents["people"], owner[shown])[owner]
        layout = layout.with_quotes(_redacted(texts, documents["people"], scores, owner, marked))
    # A competitor may be named outside all evidence: these few documents go through Python.
    rows = np.unique(owner[list(named)])
    people = documents["people"]
    written = {
        int(row): spans_of_row(
            scores,
            int(row),
            Document(text, _names(names), bool(readable[row]), bool(leaving[row]), named),
            quotes,
        )
        for row, text, names in zip(rows, texts.iloc[rows], people.iloc[rows], strict=True)
    }
    return {
        **layout.strongest(readable, quotes=quotes),
        "spans": layout.json(leaving, written, quotes=quotes),
    }


def _redacted(
    texts: pd.Series,
    people: pd.Series,
    scores: Scores,
    owner: npt.NDArray[np.int64],
    marked: Flags,
) -> dict[int, str]:
    """Return unit -> its quote, masked, of the units that are marked."""
    units = np.flatnonzero(marked)
    rows, counts = np.unique(owner[units], return_counts=True)
    ends = np.cumsum(counts)
    found: dict[int, str] = {}
    for end, count, text, names in zip(ends, counts, texts.iloc[rows], people.iloc[rows], strict=True):
        here = units[end - count : end]
        places = list(zip(scores.start[here].tolist(), scores.end[here].tolist(), strict=True))
        found |= zip(here.tolist(), redact.redact_quotes(text, _names(names), places), strict=True)
    return found


def spans_of_row(scores: Scores, row: int, document: Document, quotes: bool) -> list[Span]:
    """Return the evidence of one document, and its units that name a competitor without a label."""
    spans: list[Span] = []
    if document.readable:
        spans += [
            {"label": label, "start": start, "end": end, "score": round(probability, 6)}
            for label, start, end, probability in classify.spans_of(scores, row)
        ]
    spans += _mentions(spans, document.named, scores, row)
    places = [(span["start"], span["end"]) for span in spans]
    quoted = redact.redact_quotes(document.text, document.people, places) if quotes else [""] * len(spans)
    for span, quote in zip(spans, quoted, strict=True):
        span["quote"] = quote
        if document.leaving:
            span["churn_risk"] = True
    return spans


def to_json(spans: Sequence[Span]) -> str:
    """Return spans as the JSON that `spans` holds."""
    ordered = [{key: span[key] for key in _KEYS if key in span} for span in spans]
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def _names(people: str) -> tuple[str, ...]:
    return tuple(filter(None, people.split(";")))


def _name_somebody(texts: pd.Series, people: pd.Series, rows: npt.NDArray[np.int64]) -> Flags:
    """Mark those of the rows whose text may name one of the document's people."""
    found = np.zeros(len(texts), dtype=np.bool_)
    candidates = np.unique(rows)
    candidates = candidates[(people.iloc[candidates] != "").to_numpy()]
    for row, text, names in zip(candidates, texts.iloc[candidates], people.iloc[candidates], strict=True):
        found[row] = redact.may_name(text, _names(names))
    return found


def _competitors(
    texts: pd.Series, scores: Scores, owner: npt.NDArray[np.int64], competitors: Mapping[str, Sequence[str]]
) -> dict[int, list[str]]:
    """Return unit -> the competitors that it names."""
    if not competitors:
        return {}
    mentioned = (entities.find_competitors(texts, competitors) != "").to_numpy()
    units = np.flatnonzero(mentioned[owner])
    rows = np.unique(owner[units])
    written = dict(zip(rows.tolist(), texts.iloc[rows], strict=True))
    parts = [written[int(owner[unit])][scores.start[unit] : scores.end[unit]] for unit in units]
    named = entities.find_competitors(pd.Series(parts, dtype="str"), competitors)
    return {int(unit): names.split(";") for unit, names in zip(units, named, strict=True) if names}


def _mentions(spans: list[Span], named: Mapping[int, Sequence[str]], scores: Scores, row: int) -> list[Span]:
    """Name the competitors of each labelled span; return the other units that name one."""
    others: list[Span] = []
    for unit in range(int(scores.first[row]), int(scores.first[row + 1])):
        if unit not in named:
            continue
        place = {"start": int(scores.start[unit]), "end": int(scores.end[unit])}
        holders = [span for span in spans if span["start"] == place["start"] and span["end"] == place["end"]]
        for span in holders:
            span["competitors"] = named[unit]
        if not holders:
            others.append({"label": "", **place, "score": 1.0, "competitors": named[unit]})
    return others


@dataclass(frozen=True)
class _Layout:
    """What the columns are written from: `data`, in which the quote of unit i is begins[i]:stops[i]."""

    data: npt.NDArray[np.uint8]
    scores: Scores
    evidence: Flags
    begins: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]

    def with_quotes(self, quotes: Mapping[int, str]) -> "_Layout":
        """Return a layout in which these units have other quotes."""
        if not quotes:
            return self
        units = np.fromiter(quotes, dtype=np.int64, count=len(quotes))
        others = Column.of(list(quotes.values()))
        begins, stops = self.begins.copy(), self.stops.copy()
        begins[units] = len(self.data) + others.offsets[:-1]
        stops[units] = len(self.data) + others.offsets[1:]
        data = np.concatenate([self.data, others.data])
        return replace(self, data=data, begins=begins, stops=stops)

    def json(self, leaving: Flags, written: Mapping[int, list[Span]], *, quotes: bool) -> pd.Series:
        """Return the JSON of all rows; of those in `written`, that of their spans."""
        first = self.scores.first
        plain = np.ones(len(first) - 1, dtype=np.bool_)
        plain[list(written)] = False
        rooms = np.zeros(len(first), dtype=np.int64)
        places = (self.begins, self.stops, self.evidence)
        spanfill.json_sizes(self.data, first, *places, plain, quotes, rooms)
        np.cumsum(rooms, out=rooms)
        out = np.empty(rooms[-1], dtype=np.uint8)
        sizes = np.zeros(len(plain), dtype=np.int64)
        units = (self.scores.start, self.scores.end, *places, self.scores.unit_probability)
        spanfill.write_json(self.data, first, *units, plain, leaving, quotes, rooms, out, sizes)
        return _joined(out, rooms[:-1], sizes, {row: to_json(spans) for row, spans in written.items()})

    def strongest(self, readable: Flags, *, quotes: bool) -> dict[str, pd.Series]:
        """Return the columns of the strongest span of each label."""
        rows = len(readable)
        best = np.empty((rows, len(LABELS)), dtype=np.int64)
        spanfill.best_units(self.scores.first, self.evidence, self.scores.unit_probability, readable, best)
        columns: dict[str, pd.Series] = {}
        for place, label in enumerate(LABELS):
            has = best[:, place] >= 0
            chosen = best[has, place]
            for part, values in (("start", self.scores.start), ("end", self.scores.end)):
                whole = np.zeros(rows, dtype=np.int64)
                whole[has] = values[chosen]
                columns[f"{label}_{part}"] = pd.Series(pd.arrays.IntegerArray(whole, ~has))
            begins, sizes = np.zeros((2, rows), dtype=np.int64)
            if quotes:
                begins[has] = self.begins[chosen]
                sizes[has] = self.stops[chosen] - self.begins[chosen]
            columns[f"{label}_evidence"] = _joined(self.data, begins, sizes, {})
        return columns


def _joined(
    data: npt.NDArray[np.uint8],
    begins: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    others: Mapping[int, str],
) -> pd.Series:
    """Return rows of bytes as a column of text; the rows of `others` have that text instead."""
    rows = np.fromiter(others, dtype=np.int64, count=len(others))
    encoded = Column.of(list(others.values()))
    lengths = sizes.copy()
    lengths[rows] = np.diff(encoded.offsets)
    offsets = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    out = np.empty(offsets[-1], dtype=np.uint8)
    spanfill.gather(data, begins, sizes, offsets, out)
    spanfill.gather(encoded.data, encoded.offsets[:-1], np.diff(encoded.offsets), offsets[rows], out)
    return series_of(out, offsets)
