"""The whole line, the paragraph to read first: prepare, score, and what was left out on the way.

In: inputs and a model. Out: scored rows, batch by batch, and a tally in which every row that was
read has a place. Never writes a file; never holds more than a batch.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classifier import classify, clean, language, redact, schema, spans
from classifier.amounts import parse_amount
from classifier.buffers import lengths_of, named
from classifier.classify import Scores
from classifier.dedupe import SAME_ID, Fingerprints, Register, fingerprints
from classifier.errors import InputError
from classifier.labels import EXPECTATION_SOURCES, LABELS
from classifier.models import LoadedModel
from classifier.newest import Newest, Settled
from classifier.read import ReadBatch
from classifier.report.left_out import LeftOut
from classifier.report.lines import Lines, counted

KEPT = "keep:"
"""Prefix of the columns that the user asked to keep, in DOCUMENTS."""

_OWN = ("body", "people", "file", "row", "updated_at")
FILTERABLE = tuple(name for name in schema.DOCUMENTS if name not in _OWN)
"""Columns that `--where` may name without keeping them."""

PLACE = ("file", "row", "document_id", "source", "created_at")
"""Columns of DOCUMENTS that tell where a row stands, and which of repeated ones counts."""

ENFORCED_FROM = 20
"""So many rejected rows must there be before their share can stop a run."""


@dataclass(frozen=True)
class ScoreSettings:
    """What shapes scored rows beside the model."""

    quotes: bool = True
    competitors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # none: those of the model
    # Source -> what is added to the logit of each label there; see priors.py.
    shifts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


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
    rejected: LeftOut = field(default_factory=lambda: LeftOut(schema.REJECTED))
    dropped: LeftOut = field(default_factory=lambda: LeftOut(schema.DROPPED))
    duplicates: LeftOut = field(default_factory=lambda: LeftOut(schema.DUPLICATES))
    notes: list[str] = field(default_factory=list)
    # Path as the user gave it -> name in the tables, which must not depend on where the files lie.
    names: Mapping[str, str] = field(default_factory=dict)
    # Documents under an id of their own that may be later exports of another.
    doubtful: int = 0
    # Source -> what `--prior-shift` found, as run.json tells it.
    shifts: dict[str, Any] = field(default_factory=dict)
    # Which row of a repeated id counts, and where the others are; another one once all were read.
    counts: str = "the first that was read counts, the others are left out"

    @property
    def read(self) -> int:
        """Rows read: scored + rejected + duplicates + dropped + merged."""
        return self.scored + self.merged + len(self.rejected) + len(self.dropped) + len(self.duplicates)

    @classmethod
    def streaming(cls, folder: Path | None) -> "Tally":
        """Return a tally of any number of rows: dropped and repeated ones are counted only.

        Rejected ones are kept: in `folder` where they are many (None: where temporary files go). Call
        `close` at the end.
        """
        place = Path(tempfile.gettempdir()) if folder is None else folder
        return cls(
            rejected=LeftOut(schema.REJECTED, folder=place),
            dropped=LeftOut(schema.DROPPED, keep=False),
            duplicates=LeftOut(schema.DUPLICATES, keep=False),
        )

    def close(self) -> None:
        """Let go of rows on the disk; the counts stay."""
        for table in (self.rejected, self.dropped, self.duplicates):
            table.close()

    @classmethod
    def of_scored(cls, scored: pd.DataFrame) -> "Tally":
        """Return the tally of rows that come from scored files: all of them scored."""
        tally = cls(documents=len(scored))
        tally._count(scored)
        return tally

    def settle(self, scored: pd.DataFrame, settled: Settled) -> pd.DataFrame:
        """Return the scored rows that count, under their final ids; the others become duplicates."""
        scored = scored[settled.kept].reset_index(drop=True).assign(document_id=settled.ids)
        self.duplicates.add(settled.duplicates)
        self.doubtful = settled.doubtful
        self.counts = (
            "the newest counts (of one time, the last updated, else the longest), "
            "the others are in duplicates.csv"
        )
        self._count(scored)
        return scored

    def _count(self, scored: pd.DataFrame) -> None:
        self.scored, self.review, self.labelled = 0, 0, dict.fromkeys(LABELS, 0)
        self.add(counted(scored))

    def add(self, marked: np.ndarray) -> None:
        """Count scored rows, of which `marked` are the columns `report.lines.COUNTED`."""
        *labels, review = marked.sum(axis=0).tolist()
        self.scored, self.review = self.scored + len(marked), self.review + review
        self.labelled = {label: self.labelled[label] + n for label, n in zip(LABELS, labels, strict=True)}

    def warnings(self, listed: str = "rejected.csv") -> tuple[str, ...]:
        """Return what the user should know of the rows that were left out; `listed`: where they are."""
        found = []
        if rejected := len(self.rejected):
            found.append(f"{rejected} row(s) could not be read; see {listed}")
        if same_id := self.duplicates.reasons[SAME_ID]:
            found.append(
                f"{same_id} row(s) repeat a document_id with another text; {self.counts}; "
                "is --id-column the right one?"
            )
        if self.doubtful:
            found.append(
                f"{self.doubtful} document(s) share id and day, but not the text, with one of another file, "
                "and no time of day tells whether they are one that went on: each counts, one of them as "
                "ID@FILE; if they are one, leave the older export out, or export created_at with its time"
            )
        if not self.scored and (filtered := self.dropped.reasons["filtered"]):
            found.append(
                "no row is left: --where, --since, --until, or what the export calls deleted or spam, "
                f"left out {filtered} of {self.read}"
            )
        return tuple(found)

    def rows(self) -> dict[str, int]:
        """Return the counts of run.json's `result.rows`."""
        return {
            "read": self.read,
            "scored": self.scored,
            "rejected": len(self.rejected),
            "duplicates": len(self.duplicates),
            "dropped": len(self.dropped),
            "merged": self.merged,
        }


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return path -> as many of its last parts as tell it from the other paths.

    Examples
    --------
    >>> short_names(["in/a/notes.csv", "in/b/notes.csv", "in/tickets.json"])
    {'in/a/notes.csv': 'a/notes.csv', 'in/b/notes.csv': 'b/notes.csv', 'in/tickets.json': 'tickets.json'}
    """
    parts = {path: path.replace("\\", "/").split("/") for path in paths}
    names: dict[str, str] = {}
    for path, own in parts.items():
        others = [other for each, other in parts.items() if each != path]
        length = next(
            (size for size in range(1, len(own)) if all(other[-size:] != own[-size:] for other in others)),
            len(own),
        )
        names[path] = "/".join(own[-length:])
    return names


@dataclass(frozen=True)
class Part:
    """What one batch came to before repeated documents are taken out, which only the whole run can tell.

    `scored` is table SCORED with the kept columns, or its rows as they are written; `places` (the columns
    PLACE) and `prints` are of the same rows. `documents` counts what was read, before filters.
    """

    scored: pd.DataFrame | Lines
    places: pd.DataFrame
    prints: Fingerprints
    rejected: pd.DataFrame
    dropped: pd.DataFrame
    documents: int = 0
    merged: int = 0
    notes: tuple[str, ...] = ()


def part_of(batch: ReadBatch, *, model: LoadedModel, settings: ScoreSettings, filters: Filters) -> Part:
    """Prepare and score one batch: pure and row-local, so that any engine may do it anywhere."""
    documents, texts, dropped = prepare(batch.documents, filters)
    return Part(
        scored=score(documents, texts=texts, model=model, settings=settings),
        places=documents[list(PLACE)],
        prints=fingerprints(documents, texts),
        rejected=batch.rejected,
        dropped=_joined(batch.dropped, dropped),
        documents=len(batch.documents),
        merged=batch.merged,
        notes=batch.notes,
    )


def settle(part: Part, *, seen: Register | Newest, tally: Tally) -> pd.DataFrame | Lines:
    """Return the scored rows of the next part in input order; what is left out goes into `tally`.

    `seen` tells duplicates: a Register at once, the first of equal documents is kept; Newest once all parts
    were taken, when `Tally.settle` leaves them out.
    """
    tally.rejected.add(part.rejected)
    tally.dropped.add(part.dropped)
    tally.merged += part.merged
    tally.documents += part.documents
    tally.notes += [note for note in part.notes if note not in tally.notes]
    named, kept, duplicates = seen.enter(part.places, part.prints)
    tally.duplicates.add(duplicates)
    scored = _settled(part, named, kept)
    tally.add(scored.counted if isinstance(scored, Lines) else counted(scored))
    return scored


def _settled(part: Part, named: pd.DataFrame, kept: np.ndarray) -> pd.DataFrame | Lines:
    """Return the rows that are kept, under the ids that they have in `named`."""
    if isinstance(part.scored, Lines) and named is part.places and kept.all():
        return part.scored
    if isinstance(part.scored, Lines):
        return part.scored.settled(part.places["document_id"].tolist(), named["document_id"].tolist(), kept)
    scored = part.scored.assign(document_id=named["document_id"])
    return scored if kept.all() else scored[kept].reset_index(drop=True)


def prepare(documents: pd.DataFrame, filters: Filters) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """Return the documents to score, their cleaned texts, and table DROPPED of the others: row by row."""
    documents = documents.reset_index(drop=True)
    documents, filtered = _drop(documents, ~_wanted(documents, filters), "filtered")
    texts = clean.document_text(documents["subject"], documents["body"])
    automatic = np.asarray(clean.is_auto_reply(documents["subject"], documents["body"]))
    if automatic.any():
        texts = texts[~automatic].reset_index(drop=True)
    documents, answers = _drop(documents, automatic, "auto_reply")
    documents = documents.assign(people=redact.with_senders(documents["people"], texts))
    return documents, texts, _joined(filtered, answers)


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return table DROPPED of both; mostly there is nothing to join."""
    tables = [table for table in (first, second) if len(table)]
    if not tables:
        return schema.empty(schema.DROPPED)
    return schema.conform(pd.concat(tables, ignore_index=True), schema.DROPPED)


def _drop(documents: pd.DataFrame, mask: np.ndarray, reason: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that the mask doesn't mark, and table DROPPED of those that it does."""
    if not mask.any():
        return documents, schema.empty(schema.DROPPED)
    gone = documents.loc[mask, ["file", "row", "document_id"]].assign(reason=reason)
    return documents[~mask].reset_index(drop=True), schema.conform(gone, schema.DROPPED)


def _wanted(documents: pd.DataFrame, filters: Filters) -> np.ndarray:
    wanted = np.ones(len(documents), dtype=bool)
    if filters.since is not None:
        wanted &= (documents["created_at"] >= filters.since).to_numpy()
    if filters.until is not None:
        wanted &= (documents["created_at"] < filters.until).to_numpy()
    for column, value in filters.where.items():
        name = column if column in FILTERABLE else f"{KEPT}{column}"
        if name == "amount":
            wanted &= (documents[name] == parse_amount(value)).to_numpy()
        else:
            wanted &= (documents[name].astype("str") == value).to_numpy()
    return wanted


def check_rejected(tally: Tally, limit: float, listed: str = "rejected.csv") -> None:
    """Stop where too many rows couldn't be read.

    Parameters
    ----------
    tally
        After the last batch.
    limit
        Per cent of all rows read; enforced from 20 rejected rows on.
    listed
        Where the rejected rows are.

    Raises
    ------
    InputError
        With the reasons, most frequent first.
    """
    rejected = len(tally.rejected)
    if rejected < ENFORCED_FROM or rejected <= limit / 100 * tally.read:
        return
    reasons = sorted(tally.rejected.reasons.items(), key=lambda one: (-one[1], one[0]))
    shown = "; ".join(f"{count} × {reason}" for reason, count in reasons[:3])
    raise InputError(
        f"{rejected} of {tally.read} rows ({100 * rejected / tally.read:.1f} %) can't be read, "
        f"more than --max-rejected {limit:g}: {shown}. Every one is in {listed} with its row; "
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
    if not settings.shifts:
        return _score(documents, texts, model, settings)
    parts = []
    for source, own in documents.groupby("source", sort=True):
        shift = settings.shifts.get(str(source))
        adjusted = model.shifted(shift) if shift else model
        part = _score(own.reset_index(drop=True), texts[own.index].reset_index(drop=True), adjusted, settings)
        parts.append(part.set_index(own.index))
    if not parts:
        return _score(documents, texts, model, settings)
    return pd.concat(parts).sort_index(kind="stable")


def _score(
    documents: pd.DataFrame, texts: pd.Series, model: LoadedModel, settings: ScoreSettings
) -> pd.DataFrame:
    """Do as `score`, with one model for all documents."""
    languages = language.detect(texts)
    supported = language.is_supported(languages, settings.languages or model.languages).to_numpy()
    machine = clean.is_machine_text(texts)
    readable = supported & ~machine & clean.has_letters(texts)
    scores = model.score(texts, classify.score_texts(model.fast, texts), readable)
    columns = {name: documents[name] for name in schema.SCORED if name in documents}
    columns["language"] = languages
    columns["subject"] = _subjects(documents, quotes=settings.quotes)
    columns |= _label_columns(scores, readable)
    columns |= spans.columns_of(
        texts, documents, scores, readable, quotes=settings.quotes, competitors=settings.competitors
    )
    columns["expectation_source"] = _sources(scores, readable)
    columns["review_reason"] = _review_reasons(
        texts, scores, supported, machine, model.fast.features.least_share
    )
    columns["review"] = columns["review_reason"] != ""
    columns["model_id"] = named((model.model_id,), np.zeros(len(documents), dtype=np.int64))
    for name in settings.keep:
        columns[name] = redact.redact_column(documents[f"{KEPT}{name}"], documents["people"])
    # In their final order: then nothing is left to do but a look.
    ordered = {name: columns[name] for name in dict.fromkeys((*schema.SCORED, *settings.keep))}
    return schema.conform(pd.DataFrame(ordered, copy=False), schema.SCORED, extra=settings.keep)


def without_quotes(scored: pd.DataFrame) -> pd.DataFrame:
    """Return scored rows without any text of the customer: neither quotes nor subject."""
    blank = pd.Series([""] * len(scored), index=scored.index, dtype="str")
    emptied_spans = [
        json.dumps([{**span, "quote": ""} for span in json.loads(text)], separators=(",", ":"))
        if text
        else ""
        for text in scored["spans"]
    ]
    emptied = {"subject": blank, **{f"{label}_evidence": blank for label in LABELS}}
    return scored.assign(**emptied, spans=pd.Series(emptied_spans, index=scored.index, dtype="str"))


def _subjects(documents: pd.DataFrame, *, quotes: bool) -> pd.Series:
    if not quotes:
        return pd.Series([""] * len(documents), dtype="str")
    return redact.redact_column(clean.clean_column(documents["subject"]), documents["people"])


def _label_columns(scores: Scores, readable: np.ndarray) -> dict[str, pd.Series]:
    columns: dict[str, pd.Series] = {}
    for place, label in enumerate(LABELS):
        columns[label] = pd.Series(scores.decision[:, place] & readable)
        columns[f"{label}_score"] = pd.Series(np.round(scores.probability[:, place].astype(np.float64), 6))
    return columns


def _sources(scores: Scores, readable: np.ndarray) -> pd.Series:
    return named(("", *EXPECTATION_SOURCES), np.where(readable, scores.source + 1, 0))


def _review_reasons(
    texts: pd.Series, scores: Scores, supported: np.ndarray, machine: np.ndarray, least_share: float
) -> pd.Series:
    """Return why a person should look, "" where nobody need: the gravest reason."""
    lengths = lengths_of(texts)
    blank = clean.is_blank(texts)
    # Text of which the model knows hardly an n-gram: it has no ground to decide on.
    unknown = ~blank & ((scores.known == 0) | (scores.known < np.float32(least_share)))
    conditions = [
        blank | machine,
        ~supported,
        lengths > classify.TOO_LONG,
        scores.close.any(axis=1) | unknown,
    ]
    reasons = ("", "no_text", "language", "too_long", "uncertain")
    return named(reasons, np.select(conditions, range(1, len(reasons)), default=0))
