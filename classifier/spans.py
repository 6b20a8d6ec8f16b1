"""The evidence of scored documents: JSON of all spans, and the strongest of each label.

In: cleaned texts and what a model says of them. Out: columns of SCORED. Row-local. `spans_of_row` is the
readable rule; rows with nothing to mask and no competitor are written by compiled code to the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    items = _items(scores, readable[owner][:, None])
    shown = np.diff(items.rows) > 0
    named = _competitors(texts, scores, owner, competitors)
    # Somebody can leave only where there is an account.
    customers = np.flatnonzero(shown & (documents["account"] != "").to_numpy())
    leaving = entities.find_churn(texts, competitors, among=customers).to_numpy()
    column = Column.of(texts)
    begins, stops = np.zeros((2, len(owner)), dtype=np.int64)
    spanfill.byte_places(column.data, column.offsets, scores.first, scores.start, scores.end, begins, stops)
    layout = _Layout(column.data, items, begins[items.first], stops[items.last])
    if quotes:
        marked = np.zeros(len(items.label), dtype=np.bool_)
        spanfill.spans_to_mask(column.data, column.offsets, items.rows, layout.begins, layout.stops, marked)
        marked |= _name_somebody(texts, documents["people"], shown)[items.owner]
        layout = layout.with_quotes(_redacted(texts, documents["people"], items, marked))
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
        **layout.strongest(quotes=quotes),
        "spans": layout.json(leaving, written, quotes=quotes),
    }


def _items(scores: Scores, readable: Flags) -> "_Items":
    """Return the spans that evidence units make: the compiled twin of `classify.spans_of`.

    `readable` marks the units of documents that may have evidence, shape (u, 1).
    """
    evidence, nearby = scores.evidence & readable, scores.nearby & readable
    rows = np.zeros(len(scores.first), dtype=np.int64)
    room = np.empty((int(evidence.sum()), 4), dtype=np.int64)
    chance = scores.unit_probability
    places = (scores.first, scores.start, scores.end)
    count = spanfill.join_units(*places, evidence, nearby, chance, rows, room)
    label, first, last, best = np.ascontiguousarray(room[:count].T)
    return _Items(
        rows=rows,
        owner=np.repeat(np.arange(len(rows) - 1), np.diff(rows)),
        label=label,
        first=first,
        last=last,
        start=scores.start[first],
        end=scores.end[last],
        score=chance[best, label],
    )


def _redacted(texts: pd.Series, people: pd.Series, items: "_Items", marked: Flags) -> dict[int, str]:
    """Return span -> its quote, masked, of the spans that are marked."""
    chosen = np.flatnonzero(marked)
    rows, counts = np.unique(items.owner[chosen], return_counts=True)
    ends = np.cumsum(counts)
    found: dict[int, str] = {}
    for end, count, text, names in zip(ends, counts, texts.iloc[rows], people.iloc[rows], strict=True):
        here = chosen[end - count : end]
        places = list(zip(items.start[here].tolist(), items.end[here].tolist(), strict=True))
        # Labels often have a span in common.
        once = list(dict.fromkeys(places))
        quotes = dict(zip(once, redact.redact_quotes(text, _names(names), once), strict=True))
        found |= {int(span): quotes[place] for span, place in zip(here, places, strict=True)}
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


def _name_somebody(texts: pd.Series, people: pd.Series, shown: Flags) -> Flags:
    """Mark those of the shown rows whose text may name one of the document's people."""
    found = np.zeros(len(texts), dtype=np.bool_)
    candidates = np.flatnonzero(shown & (people != "").to_numpy())
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
    """Name the competitors of each labelled span; return the units outside them that name one."""
    others: list[Span] = []
    for unit in range(int(scores.first[row]), int(scores.first[row + 1])):
        if unit not in named:
            continue
        place = {"start": int(scores.start[unit]), "end": int(scores.end[unit])}
        holders = [span for span in spans if span["start"] <= place["start"] and place["end"] <= span["end"]]
        for span in holders:
            span["competitors"] = list(dict.fromkeys([*span.get("competitors", ()), *named[unit]]))
        if not holders:
            others.append({"label": "", **place, "score": 1.0, "competitors": named[unit]})
    return others


@dataclass(frozen=True)
class _Items:
    """The spans of all rows: those of row i are rows[i]:rows[i + 1], sorted by label and start.

    `owner` is the row of each, `first` and `last` are its units, `start` and `end` code points.
    """

    rows: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    score: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Layout:
    """What the columns are written from: the quote of span i is begins[i]:stops[i] of `data`.

    Behind its end, as if they followed, are `others`: quotes that aren't as the texts say them.
    """

    data: npt.NDArray[np.uint8]
    items: _Items
    begins: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    others: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))

    def with_quotes(self, quotes: Mapping[int, str]) -> "_Layout":
        """Return a layout in which these spans have other quotes."""
        if not quotes:
            return self
        spans = np.fromiter(quotes, dtype=np.int64, count=len(quotes))
        others = Column.of(list(quotes.values()))
        begins, stops = self.begins.copy(), self.stops.copy()
        begins[spans] = len(self.data) + others.offsets[:-1]
        stops[spans] = len(self.data) + others.offsets[1:]
        return replace(self, others=others.data, begins=begins, stops=stops)

    def json(self, leaving: Flags, written: Mapping[int, list[Span]], *, quotes: bool) -> pd.Series:
        """Return the JSON of all rows; of those in `written`, that of their spans."""
        items = self.items
        texts = self.data, self.others
        places = np.full(len(leaving), -1, dtype=np.int64)
        places[list(written)] = np.arange(len(written))
        known = Column.of(list(map(to_json, written.values())))
        room = spanfill.json_room(*texts, self.begins, self.stops, len(leaving), quotes)
        out = np.empty(room + known.offsets[-1], dtype=np.uint8)
        offsets = np.zeros(len(items.rows), dtype=np.int64)
        told = (items.label, items.start, items.end, items.score, self.begins, self.stops)
        given = (places, known.data, known.offsets)
        spanfill.write_json(*texts, items.rows, *told, leaving, quotes, *given, out, offsets)
        return series_of(out[: offsets[-1]], offsets)

    def strongest(self, *, quotes: bool) -> dict[str, pd.Series]:
        """Return the columns of the strongest span of each label."""
        rows = len(self.items.rows) - 1
        best = np.empty((rows, len(LABELS)), dtype=np.int64)
        spanfill.best_spans(self.items.rows, self.items.label, self.items.score, best)
        columns: dict[str, pd.Series] = {}
        for place, label in enumerate(LABELS):
            has = best[:, place] >= 0
            chosen = best[has, place]
            for part, values in (("start", self.items.start), ("end", self.items.end)):
                whole = np.zeros(rows, dtype=np.int64)
                whole[has] = values[chosen]
                columns[f"{label}_{part}"] = pd.Series(pd.arrays.IntegerArray(whole, ~has))
            begins, stops = np.zeros((2, rows), dtype=np.int64)
            if quotes:
                begins[has], stops[has] = self.begins[chosen], self.stops[chosen]
            columns[f"{label}_evidence"] = self._gathered(begins, stops)
        return columns

    def _gathered(self, begins: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]) -> pd.Series:
        """Return stretches of the texts as a column."""
        out = np.empty(int((stops - begins).sum()), dtype=np.uint8)
        offsets = np.zeros(len(begins) + 1, dtype=np.int64)
        spanfill.gather(self.data, self.others, begins, stops, out, offsets)
        return series_of(out, offsets)
