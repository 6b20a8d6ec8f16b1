"""The whole line, the paragraph to read first: prepare, score, and what was left out on the way.

In: inputs and a model. Out: scored rows, batch by batch, and a tally in which every row that was
read has a place. Never writes a file; never holds more than a batch.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from classifier import classify, clean, entities, language, redact, schema
from classifier.classify import Scores
from classifier.dedupe import Deduplicator
from classifier.errors import InputError
from classifier.labels import EXPECTATION_SOURCES, LABELS
from classifier.models import LoadedModel
from classifier.read import ReadBatch

KEPT = "keep:"
"""Prefix of the columns that the user asked to keep, in DOCUMENTS."""

TOO_LONG = 50_000
"""Code points from which on one text can't be one piece of feedback: it is scored, and reviewed."""

ENFORCED_FROM = 20
"""So many rejected rows must there be before their share can stop a run."""


@dataclass(frozen=True)
class ScoreSettings:
    """What shapes scored rows beside the model."""

    quotes: bool = True
    competitors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filters:
    """Which documents count: `since` inclusive, `until` exclusive, `where` column -> value."""

    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Tally:
    """Where every row went; grows as batches pass."""

    documents: int = 0
    scored: int = 0
    merged: int = 0
    labelled: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    review: int = 0
    rejected: list[pd.DataFrame] = field(default_factory=list)
    dropped: list[pd.DataFrame] = field(default_factory=list)
    duplicates: list[pd.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Rows read: scored + rejected + duplicates + dropped + merged."""
        return self.scored + self.merged + sum(map(len, (*self.rejected, *self.dropped, *self.duplicates)))

    def table(self, name: str) -> pd.DataFrame:
        """Return `rejected`, `dropped` or `duplicates` as one table, in input order."""
        table = {"rejected": schema.REJECTED, "dropped": schema.DROPPED, "duplicates": schema.DUPLICATES}[name]
        frames = [frame for frame in getattr(self, name) if len(frame)]
        return schema.conform(pd.concat(frames), table) if frames else schema.empty(table)

    def rows(self) -> dict[str, int]:
        """Return the counts of run.json's `result.rows`."""
        return {
            "read": self.read,
            "scored": self.scored,
            "rejected": sum(map(len, self.rejected)),
            "duplicates": sum(map(len, self.duplicates)),
            "dropped": sum(map(len, self.dropped)),
            "merged": self.merged,
        }


def score_batches(
    batches: Iterable[ReadBatch],
    *,
    model: LoadedModel,
    settings: ScoreSettings,
    filters: Filters,
    tally: Tally,
) -> Iterator[pd.DataFrame]:
    """Yield scored rows in input order; what is left out goes into `tally`.

    Each batch is prepared (filtered, cleaned, without automatic replies and duplicates) and scored.
    """
    seen = Deduplicator()
    for batch in batches:
        documents, texts = prepare(batch, filters=filters, seen=seen, tally=tally)
        scored = score(documents, texts=texts, model=model, settings=settings)
        tally.scored += len(scored)
        tally.review += int(scored["review"].sum())
        for label in LABELS:
            tally.labelled[label] += int(scored[label].sum())
        yield scored


def prepare(
    batch: ReadBatch, *, filters: Filters, seen: Deduplicator, tally: Tally
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the documents to score and their texts, row by row."""
    tally.rejected.append(batch.rejected)
    tally.dropped.append(batch.dropped)
    tally.merged += batch.merged
    tally.notes += [note for note in batch.notes if note not in tally.notes]
    documents = batch.documents.reset_index(drop=True)
    tally.documents += len(documents)
    documents = _drop(documents, ~_wanted(documents, filters), "filtered", tally)
    texts = clean.document_text(documents["subject"], documents["body"])
    automatic = np.asarray(clean.is_auto_reply(documents["subject"], documents["body"]))
    texts = texts[~automatic].reset_index(drop=True)
    documents = _drop(documents, automatic, "auto_reply", tally)
    kept, duplicates = seen.split(documents, texts)
    tally.duplicates.append(duplicates)
    return documents[kept].reset_index(drop=True), texts[kept].reset_index(drop=True)


def _drop(documents: pd.DataFrame, mask: np.ndarray, reason: str, tally: Tally) -> pd.DataFrame:
    gone = documents.loc[mask, ["file", "row", "document_id"]].assign(reason=reason)
    tally.dropped.append(schema.conform(gone, schema.DROPPED))
    return documents[~mask].reset_index(drop=True)


def _wanted(documents: pd.DataFrame, filters: Filters) -> np.ndarray:
    wanted = np.ones(len(documents), dtype=bool)
    if filters.since is not None:
        wanted &= (documents["created_at"] >= filters.since).to_numpy()
    if filters.until is not None:
        wanted &= (documents["created_at"] < filters.until).to_numpy()
    for column, value in filters.where.items():
        name = column if column in schema.DOCUMENTS else f"{KEPT}{column}"
        wanted &= (documents[name].astype("str") == value).to_numpy()
    return wanted


def check_rejected(tally: Tally, limit: float) -> None:
    """Stop where too many rows couldn't be read.

    Parameters
    ----------
    tally
        After the last batch.
    limit
        Per cent of all rows read; enforced from 20 rejected rows on.

    Raises
    ------
    InputError
        With the reasons, most frequent first.
    """
    rejected = sum(map(len, tally.rejected))
    if rejected < ENFORCED_FROM or rejected <= limit / 100 * tally.read:
        return
    reasons = tally.table("rejected")["reason"].value_counts()
    shown = "; ".join(f"{count} × {reason}" for reason, count in reasons.head(3).items())
    raise InputError(
        f"{rejected} of {tally.read} rows ({100 * rejected / tally.read:.1f} %) can't be read, "
        f"more than --max-rejected {limit:g}: {shown}. Every one is in rejected.csv with its row; "
        "mend the export (or --encoding, --delimiter, --text-column), or raise --max-rejected"
    )


def score(
    documents: pd.DataFrame, *, texts: pd.Series, model: LoadedModel, settings: ScoreSettings
) -> pd.DataFrame:
    """Score prepared documents: pure and row-local, so that any engine may cut the rows anywhere.

    Parameters
    ----------
    documents
        Table DOCUMENTS, with a column `keep:NAME` for each NAME of `settings.keep`.
    texts
        The cleaned text of each document, same index.
    model, settings
        What decides, and what is shown.

    Returns
    -------
    Table SCORED and the kept columns, one row per document, same order.
    """
    languages = language.detect(texts)
    readable = languages.isin(["", *model.languages]).to_numpy()
    scores = classify.score_texts(model.fast, texts)
    competitors = entities.find_competitors(texts, settings.competitors)
    spans = _spans(texts, documents["people"], scores, readable, competitors, quotes=settings.quotes)
    columns = {name: documents[name] for name in schema.SCORED if name in documents}
    columns["language"] = languages
    columns["subject"] = _subjects(documents, quotes=settings.quotes)
    columns |= _label_columns(scores, readable, spans)
    columns["expectation_source"] = _sources(scores, readable)
    columns["spans"] = pd.Series([_json(found) for found in spans], dtype="str")
    columns["review_reason"] = _review_reasons(texts, scores, readable)
    columns["review"] = columns["review_reason"] != ""
    columns["model_id"] = pd.Series([model.model_id] * len(documents), dtype="str")
    for name in settings.keep:
        columns[name] = documents[f"{KEPT}{name}"]
    return schema.conform(pd.DataFrame(columns), schema.SCORED, extra=settings.keep)


Span = dict[str, object]


def _spans(
    texts: pd.Series,
    people: pd.Series,
    scores: Scores,
    readable: np.ndarray,
    competitors: Sequence[Sequence[tuple[int, int, str]]],
    *,
    quotes: bool,
) -> list[list[Span]]:
    """Return the evidence of every document, and mentions of competitors where there is none."""
    carries = np.zeros(len(texts), dtype=bool)
    units, _ = np.nonzero(scores.evidence)
    owner = np.repeat(np.arange(len(texts)), np.diff(scores.first))
    carries[owner[units]] = True
    found: list[list[Span]] = [[] for _ in range(len(texts))]
    mentioned = np.array([len(mentions) > 0 for mentions in competitors], dtype=bool)
    for row in np.flatnonzero((carries & readable) | mentioned):
        spans: list[Span] = []
        if readable[row]:
            spans += [
                {"label": label, "start": start, "end": end, "score": round(probability, 6)}
                for label, start, end, probability in classify.spans_of(scores, row)
            ]
        spans += _mentions(spans, competitors[row], scores, row)
        names = tuple(filter(None, people.iat[row].split(";")))
        for span in spans:
            quote = texts.iat[row][span["start"] : span["end"]] if quotes else ""
            span["quote"] = redact.redact_quote(quote, people=names) if quote else ""
        found[row] = spans
    return found


def _mentions(
    spans: list[Span], competitors: Sequence[tuple[int, int, str]], scores: Scores, row: int
) -> list[Span]:
    """Name the competitors of each labelled span; return the units with others as spans without a label."""
    extra: dict[tuple[int, int], list[str]] = {}
    for start, end, name in competitors:
        holders = [span for span in spans if span["start"] <= start and end <= span["end"]]
        for span in holders:
            names = span.setdefault("competitors", [])
            if name not in names:
                names.append(name)
        if not holders:
            extra.setdefault(_unit_around(scores, row, start, end), []).append(name)
    return [
        {"label": "", "start": start, "end": end, "score": 1.0, "competitors": sorted(set(names))}
        for (start, end), names in sorted(extra.items())
    ]


def _unit_around(scores: Scores, row: int, start: int, end: int) -> tuple[int, int]:
    for unit in range(int(scores.first[row]), int(scores.first[row + 1])):
        if scores.start[unit] <= start and end <= scores.end[unit]:
            return int(scores.start[unit]), int(scores.end[unit])
    return start, end


_KEYS = ("label", "start", "end", "score", "quote", "competitors")


def _json(spans: list[Span]) -> str:
    ordered = [{key: span[key] for key in _KEYS if key in span} for span in spans]
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def _subjects(documents: pd.DataFrame, *, quotes: bool) -> pd.Series:
    if not quotes:
        return pd.Series([""] * len(documents), dtype="str")
    people = [tuple(filter(None, names.split(";"))) for names in documents["people"]]
    cleaned = clean.clean_column(documents["subject"])
    return pd.Series(redact.redact_many(cleaned.tolist(), people), dtype="str")


def _label_columns(scores: Scores, readable: np.ndarray, spans: list[list[Span]]) -> dict[str, pd.Series]:
    columns: dict[str, pd.Series] = {}
    for place, label in enumerate(LABELS):
        decided = scores.decision[:, place] & readable
        best: list[Span | None] = [
            max(
                (span for span in found if span["label"] == label),
                key=lambda span: (span["score"], -span["start"]),
                default=None,
            )
            for found in spans
        ]
        columns[label] = pd.Series(decided)
        columns[f"{label}_score"] = pd.Series(np.round(scores.probability[:, place].astype(np.float64), 6))
        for part in ("start", "end"):
            columns[f"{label}_{part}"] = pd.Series(
                [span[part] if span else None for span in best], dtype="Int64"
            )
        columns[f"{label}_evidence"] = pd.Series([span["quote"] if span else "" for span in best], dtype="str")
    return columns


def _sources(scores: Scores, readable: np.ndarray) -> pd.Series:
    return pd.Series(
        [
            EXPECTATION_SOURCES[source] if source >= 0 and can else ""
            for source, can in zip(scores.source, readable, strict=True)
        ],
        dtype="str",
    )


def _review_reasons(texts: pd.Series, scores: Scores, readable: np.ndarray) -> pd.Series:
    """Return why a person should look, "" where nobody need: the gravest reason."""
    lengths = texts.str.len().to_numpy()
    blank = (texts.str.strip() == "").to_numpy()
    # Text without a single n-gram that the model knows: it has no ground to decide on.
    unknown = ~blank & (scores.known == 0)
    conditions = [
        blank,
        ~readable,
        lengths > TOO_LONG,
        scores.close.any(axis=1) | unknown,
    ]
    reasons = ["no_text", "language", "too_long", "uncertain"]
    return pd.Series(np.select(conditions, reasons, default=""), dtype="str")
