"""Texts to calibrated probabilities, decisions and evidence.

In: cleaned texts and a model. Out: arrays, one row per document and one per unit. Pure and
row-local: a text's result doesn't depend on the texts beside it. Never reads or writes files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from classifier import features, split
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

if TYPE_CHECKING:
    from classifier.kernel import Lookup

Reals = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

OUTPUTS: Final = 2 * len(LABELS) + len(EXPECTATION_SOURCES)
"""Columns of the weights: document logit per label, unit logit per label, source logits."""

_DOCUMENT = slice(0, len(LABELS))
_SOURCE = slice(2 * len(LABELS), OUTPUTS)

STACKED: Final = ("document", "best_unit", "second_unit", "all_units", "log_units")
"""What the final logit of a label is a weighted sum of."""

TOO_LONG: Final = 50_000
"""Code points from which on one text can't be one piece of feedback: it is scored, and reviewed."""

SHORTEST_EVIDENCE: Final = 16
"""Code points. A subject of a word or two and a signature score well at times, but quoted alone they tell
nothing."""

LEAST_KNOWN: Final = 2
"""So many n-grams that the model knows must a document have to get a label: one word alone tells nothing."""

LONGEST: Final = 1_000
"""Code points of the longest documents to learn from, about; longer ones are decided by their best part."""

_MANY: Final = 6
"""Units from which on a document is looked through for repeated ones."""

NO_UNIT: Final = np.float32(-8.0)
"""Logit that stands for a unit that isn't there."""


@dataclass(frozen=True)
class Head:
    """How one label is decided.

    `stack` weighs STACKED, then comes the intercept; `threshold` and `unit_threshold` are
    probabilities; a document within `margin` of the threshold (difference of logits) is too close to
    call; `prior` is the share of documents with the label where all this was fitted, 0 where a model of old
    doesn't tell.
    """

    stack: tuple[float, ...]
    threshold: float
    unit_scale: float
    unit_shift: float
    unit_threshold: float
    margin: float
    prior: float = 0.0

    def shifted(self, logit: float) -> "Head":
        """Return the head for documents among which the label is more common by `logit` (of its odds).

        Units follow: a sentence carries a label more often where documents do.
        """
        return replace(
            self,
            stack=(*self.stack[:-1], self.stack[-1] + logit),
            unit_shift=self.unit_shift + logit,
        )


@dataclass(frozen=True)
class FastModel:
    """Weights of hashed n-grams for documents, units and expectation sources."""

    features: FeatureSettings
    index: npt.NDArray[np.int32]
    weights: Reals
    bias: tuple[float, ...]
    heads: Mapping[str, Head]

    def with_heads(self, heads: Mapping[str, Head]) -> "FastModel":
        """Return a model that decides otherwise; both share the weights as the kernel takes them."""
        other = replace(self, heads=heads)
        vars(other)["lookup"] = self.lookup
        return other

    @cached_property
    def lookup(self) -> "Lookup":
        """Index and weights as the kernel takes them."""
        from classifier.kernel import Lookup

        return Lookup.of(self.index, self.weights)


@dataclass(frozen=True)
class Scores:
    """What a model says of a batch of n documents with u units.

    Attributes
    ----------
    probability
        Calibrated probability per document and label, shape (n, 3); 0 for less than LEAST_KNOWN known
        n-grams.
    decision
        Whether the document has the label, shape (n, 3).
    close
        Whether the probability is too near its threshold to call, shape (n, 3).
    known
        Share of the document's n-grams that the model knows, shape (n,); 0 for an empty text.
    first, start, end
        Units of document i are rows first[i]:first[i + 1] of start and end (code points).
    unit_probability
        Probability that the unit carries the label, shape (u, 3).
    evidence
        Whether the unit is evidence for a label that its document has, shape (u, 3).
    source
        Index into EXPECTATION_SOURCES per document, -1 without an expectation gap, shape (n,).
    deciding
        First unit, and the one after the last, of the part of the document that decided: all of it
        but for documents longer than LONGEST, shape (n, 3, 2).
    refined
        Whether the accurate tier decided, shape (n,).
    again
        Whether the unit repeats an earlier one of its document and so counts nothing, shape (u,).
    """

    probability: Reals
    decision: Flags
    close: Flags
    known: Reals
    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    unit_probability: Reals
    evidence: Flags
    source: npt.NDArray[np.int64]
    deciding: npt.NDArray[np.int64]
    refined: Flags
    again: Flags


class Places(Protocol):
    """Units of n texts: those of text i are rows first[i]:first[i + 1] of start and end (code points)."""

    @property
    def first(self) -> npt.NDArray[np.int64]:
        """Shape (n + 1,)."""

    @property
    def start(self) -> npt.NDArray[np.int32]:
        """Shape (u,)."""

    @property
    def end(self) -> npt.NDArray[np.int32]:
        """Shape (u,)."""


@dataclass(frozen=True)
class UnitPlaces:
    """Some of the units of a batch."""

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]


def score_texts(model: FastModel, texts: Any) -> Scores:
    """Score a column of cleaned texts (a list, a pandas Series or an Arrow array)."""
    from classifier import deciding, kernel
    from classifier.buffers import Column

    column = Column.of(texts)
    units, sums, counts = kernel.weigh_column(column, model.features, model.lookup)
    heads = [model.heads[label] for label in LABELS]
    rules = deciding.Rules(
        bias=np.array(model.bias, dtype=np.float32),
        heads=np.array(
            [
                (*head.stack, logit(head.threshold), head.unit_scale, head.unit_shift, head.margin)
                for head in heads
            ]
        ),
        thresholds=np.array([head.unit_threshold for head in heads], dtype=np.float32),
        longest=LONGEST,
        least_known=LEAST_KNOWN,
        shortest=SHORTEST_EVIDENCE,
        gap=LABELS.index(GAP),
        none=float(NO_UNIT),
    )

    again = deciding.said_again(units.first, sums, counts, _MANY)
    found = deciding.decide(units.first, units.start, units.end, sums, counts, again, rules)
    return Scores(
        first=units.first,
        start=units.start,
        end=units.end,
        refined=np.zeros(len(units.first) - 1, dtype=np.bool_),
        again=again,
        **vars(found),
    )


def score_one(model: FastModel, text: str) -> Scores:
    """Score one text without compiled code: the readable twin of `score_texts`."""
    spans = split.units(text)
    sums = np.zeros((len(spans), OUTPUTS), dtype=np.float32)
    counts = np.zeros((len(spans), 2), dtype=np.int32)
    for row, (start, end) in enumerate(spans):
        for ngram in features.distinct(text[start:end], model.features):
            counts[row, 0] += 1
            known = model.index[ngram.bucket]
            if known:
                counts[row, 1] += 1
                sums[row] += model.weights[known]
    places = np.array(spans, dtype=np.int32).reshape(-1, 2)
    first = np.array([0, len(spans)], dtype=np.int64)
    return combine(model, UnitPlaces(first, places[:, 0], places[:, 1]), sums, counts)


@dataclass(frozen=True)
class Logits:
    """What a tier says of n documents before anything is decided.

    Attributes
    ----------
    first, start, end
        Units, as in `Scores`.
    unit
        Per unit: a column for each label of the document (unused), of the unit, and each source, (u, 13).
    part
        Per part of a document and label, shape (p, 3).
    part_first
        Units part_first[i]:part_first[i + 1] are part i, shape (p + 1,).
    part_starts
        First part of each document, shape (n,).
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    unit: Reals
    part: Reals
    part_first: npt.NDArray[np.int64]
    part_starts: npt.NDArray[np.int64]


def combine(model: FastModel, units: Places, sums: Reals, counts: npt.NDArray[np.int32]) -> Scores:
    """Turn the units' sums of weights into probabilities, decisions and evidence.

    The readable twin of what `score_texts` does with compiled code. What a long document says over and over
    counts once: the sum of a neutral sentence said twenty times would be that of a sure complaint.
    """
    again = _said_again(units.first, sums, counts)
    if not again.any():
        return _combined(model, units, sums, counts)
    once = ~again
    first = firsts_without(again, units.first)
    places = UnitPlaces(first, units.start[once], units.end[once])
    return expanded(_combined(model, places, sums[once], counts[once]), units, again)


def firsts_without(again: Flags, first: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where documents or parts begin once the units of `again` are left out."""
    return np.concatenate([[0], np.cumsum(~again, dtype=np.int64)])[first]


def expanded(scores: Scores, units: Places, again: Flags) -> Scores:
    """Return the scores of documents whose repeated units were left out as scores of all their units.

    Parameters
    ----------
    scores
        Of the units that count.
    units
        All of the same documents.
    again
        Which of them were left out, shape (u,): they carry nothing.
    """
    once = np.flatnonzero(~again)
    unit_probability = np.zeros((len(again), len(LABELS)), dtype=np.float32)
    evidence = np.zeros((len(again), len(LABELS)), dtype=np.bool_)
    unit_probability[once], evidence[once] = scores.unit_probability, scores.evidence
    begin, stop = scores.deciding[..., 0], scores.deciding[..., 1]
    some = stop > begin
    deciding = np.repeat(units.first[:-1], 2 * len(LABELS)).reshape(scores.deciding.shape)
    deciding[some] = np.stack([once[begin[some]], once[stop[some] - 1] + 1], axis=-1)
    return replace(
        scores,
        first=units.first,
        start=units.start,
        end=units.end,
        unit_probability=unit_probability,
        evidence=evidence,
        deciding=deciding,
        again=again,
    )


def _combined(model: FastModel, units: Places, sums: Reals, counts: npt.NDArray[np.int32]) -> Scores:
    rows = len(units.first) - 1
    owner = np.repeat(np.arange(rows), np.diff(units.first))
    bias = np.array(model.bias, dtype=np.float32)
    ngrams = np.bincount(owner, weights=counts[:, 0], minlength=rows)
    known = np.bincount(owner, weights=counts[:, 1], minlength=rows)
    parts = _parts(units.first, owner, units.end - units.start)
    logits = Logits(
        first=units.first,
        start=units.start,
        end=units.end,
        unit=sums / _root(counts[:, 0])[:, None] + bias,
        part=_document_logits(sums[:, _DOCUMENT], counts[:, 0], parts.first) + bias[_DOCUMENT],
        part_first=parts.first,
        part_starts=parts.starts,
    )
    share = np.divide(known, ngrams, out=np.zeros(rows), where=ngrams > 0).astype(np.float32)
    return decide(model.heads, logits, readable=known >= LEAST_KNOWN, known=share)


def decide(heads: Mapping[str, Head], logits: Logits, *, readable: Flags, known: Reals) -> Scores:
    """Turn logits of units and of parts of documents into probabilities, decisions and evidence.

    Parameters
    ----------
    heads
        Of the tier that the logits are from.
    logits
        Of n documents.
    readable
        Whether a document says enough to have a label, shape (n,).
    known
        As in `Scores`, shape (n,).
    """
    rows = len(logits.first) - 1
    owner = np.repeat(np.arange(rows), np.diff(logits.first))
    parts = _Parts(logits.part_first, logits.part_starts)
    shape = (rows, len(LABELS))
    deciding = np.zeros((*shape, 2), dtype=np.int64)
    probability = np.zeros(shape, dtype=np.float32)
    close = np.zeros(shape, dtype=np.bool_)
    unit_probability = np.zeros((len(owner), len(LABELS)), dtype=np.float32)
    evidence = np.zeros((len(owner), len(LABELS)), dtype=np.bool_)
    telling = _telling(logits.end - logits.start, owner, rows)
    decision = np.zeros(shape, dtype=np.bool_)
    for place, label in enumerate(LABELS):
        head = heads[label]
        per_unit = logits.unit[:, len(LABELS) + place]
        stacked = stack(logits.part[:, place], per_unit, parts.first)
        best = parts.best(stacked @ np.array(head.stack[:-1]) + head.stack[-1])
        found, deciding[:, place] = best.logit, best.units
        probability[:, place] = np.where(readable, sigmoid(found), 0.0)
        decision[:, place] = readable & (found >= logit(head.threshold))
        close[:, place] = readable & (np.abs(found - logit(head.threshold)) < head.margin)
        unit_probability[:, place] = sigmoid(head.unit_scale * per_unit.astype(np.float64) + head.unit_shift)
        evidence[:, place] = _evidence(
            np.where(telling, unit_probability[:, place], 0.0),
            decision[:, place],
            owner,
            logits.first,
            head.unit_threshold,
        )
    return Scores(
        probability=probability,
        decision=decision,
        close=close,
        known=known,
        first=logits.first,
        start=logits.start,
        end=logits.end,
        unit_probability=unit_probability,
        evidence=evidence,
        source=_expectation_source(logits.unit[:, _SOURCE], evidence[:, LABELS.index(GAP)], owner, rows),
        deciding=deciding,
        refined=np.zeros(rows, dtype=np.bool_),
        again=np.zeros(len(owner), dtype=np.bool_),
    )


@dataclass(frozen=True)
class _Best:
    """Per document the logit of its best part, shape (n,), and that part's units, shape (n, 2)."""

    logit: npt.NDArray[np.float64]
    units: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Parts:
    """Documents cut into parts: units first[i]:first[i + 1] are part i; part starts[j] begins document j."""

    first: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def best(self, logit: npt.NDArray[np.float64]) -> _Best:
        """Return of each document the part with the highest logit, the first of equal ones."""
        if len(self.starts) == 0:
            return _Best(np.zeros(0), np.zeros((0, 2), dtype=np.int64))
        highest = np.maximum.reduceat(logit, self.starts)
        parts = np.arange(len(logit))
        owner = np.searchsorted(self.starts, parts, side="right") - 1
        chosen = np.minimum.reduceat(np.where(logit == highest[owner], parts, len(parts)), self.starts)
        return _Best(highest, np.stack([self.first[chosen], self.first[chosen + 1]], axis=1))


def _said_again(first: npt.NDArray[np.int64], sums: Reals, counts: npt.NDArray[np.int32]) -> Flags:
    """Mark the units that repeat one before them in a document of many."""
    again = np.zeros(len(sums), dtype=np.bool_)
    sizes = np.diff(first)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.flatnonzero((sizes >= _MANY)[owner] & (counts[:, 1] > 0))
    if len(rows):
        # Sums and counts that are equal to the last bit are of equal texts; mixed into one number to sort by.
        parts = [owner[rows], counts[rows, 0], *np.ascontiguousarray(sums[rows, :3]).view(np.uint32).T]
        keys = np.zeros(len(rows), dtype=np.uint64)
        for part in parts:
            keys = (keys ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        again[rows] = True
        again[rows[np.unique(keys, return_index=True)[1]]] = False
    return again


def _parts(first: npt.NDArray[np.int64], owner: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> _Parts:
    """Cut each document longer than LONGEST between units, into parts of about equal length.

    Sums over n-grams grow with the root of their number: beyond what the model learnt from, any text
    would be sure to have some label.
    """
    before = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    sizes = before[first[1:]] - before[first[:-1]]
    pieces = np.maximum(1, -(-sizes // LONGEST))
    piece = (before[:-1] - before[first[:-1]][owner]) * pieces[owner] // np.maximum(sizes, 1)[owner]
    cuts = np.flatnonzero((np.diff(piece) > 0) & (np.diff(owner) == 0)) + 1
    extra = np.bincount(owner[cuts], minlength=len(sizes))
    starts = np.cumsum(1 + extra) - (1 + extra)
    return _Parts(np.concatenate([np.sort(np.concatenate([first[:-1], cuts])), first[-1:]]), starts)


def _document_logits(sums: Reals, ngrams: npt.NDArray[Any], first: npt.NDArray[np.int64]) -> Reals:
    """Return the sums of the units of each part, over the root of how many n-grams it has."""
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    totals = np.zeros((len(first) - 1, sums.shape[1]), dtype=np.float64)
    np.add.at(totals, owner, sums)
    sizes = np.bincount(owner, weights=ngrams, minlength=len(totals))
    logits: Reals = (totals / _root(sizes)[:, None]).astype(np.float32)
    return logits


def stack(document: Reals, unit: Reals, first: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return what the final logit of one label is a weighted sum of, shape (documents, 5).

    Parameters
    ----------
    document
        Logits of the documents, shape (n,).
    unit
        Logits of the units, shape (u,).
    first
        Units of document i are rows first[i]:first[i + 1], shape (n + 1,).

    Returns
    -------
    Columns in the order of STACKED: the document's logit, its best and its second-best unit's, the
    logarithm of the sum of its units' odds, and of one more than the number of its units.
    """
    rows = len(document)
    sizes = np.diff(first)
    owner = np.repeat(np.arange(rows), sizes)
    order = np.lexsort((-unit, owner))
    descending = unit[order]
    best = np.full(rows, NO_UNIT, dtype=np.float32)
    second = np.full(rows, NO_UNIT, dtype=np.float32)
    best[sizes > 0] = descending[first[:-1][sizes > 0]]
    second[sizes > 1] = descending[first[:-1][sizes > 1] + 1]
    odds = np.bincount(owner[order], weights=np.exp(descending.astype(np.float64)), minlength=rows)
    floor = np.float64(NO_UNIT)
    return np.column_stack(
        [
            document.astype(np.float64),
            np.maximum(best.astype(np.float64), floor),
            np.maximum(second.astype(np.float64), floor),
            np.log(odds + np.exp(floor)),
            np.log1p(sizes),
        ]
    )


def sigmoid(logit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the logistic function, without overflow at either end."""
    clipped = np.clip(logit, -40.0, 40.0)
    result: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-clipped))
    return result


def logit(probability: float) -> float:
    """Return the logit of a probability; of 0 and 1 a very large one."""
    # A threshold beyond these would be rounded to 0 or 1.
    clipped = min(max(probability, 1e-15), 1.0 - 1e-15)
    return float(np.log(clipped / (1.0 - clipped)))


def _root(counts: npt.NDArray[Any]) -> Reals:
    """Return what a sum over so many n-grams is divided by: long texts must not shout."""
    root: Reals = np.sqrt(np.maximum(counts, 1)).astype(np.float32)
    return root


def _telling(lengths: npt.NDArray[np.int32], owner: npt.NDArray[Any], rows: int) -> Flags:
    """Return the units that are long enough to persuade: all of a document that has none such."""
    long_enough: Flags = lengths >= SHORTEST_EVIDENCE
    any_long = np.bincount(owner[long_enough], minlength=rows) > 0
    telling: Flags = long_enough | ~any_long[owner]
    return telling


def _evidence(
    probability: Reals,
    decided: Flags,
    owner: npt.NDArray[Any],
    first: npt.NDArray[np.int64],
    threshold: float,
) -> Flags:
    """Return the units above the threshold, or else the best one, of each document with the label."""
    chosen: Flags = decided[owner] & (probability >= threshold)
    has = np.bincount(owner[chosen], minlength=len(decided)) > 0
    for row in np.flatnonzero(decided & ~has & (np.diff(first) > 0)):
        chosen[first[row] + int(np.argmax(probability[first[row] : first[row + 1]]))] = True
    return chosen


def _expectation_source(
    logits: Reals, evidence: Flags, owner: npt.NDArray[Any], rows: int
) -> npt.NDArray[np.int64]:
    """Return the likeliest source of each document's expectation, by the units that carry it."""
    totals = np.zeros((rows, len(EXPECTATION_SOURCES)), dtype=np.float64)
    np.add.at(totals, owner[evidence], logits[evidence])
    has = np.bincount(owner[evidence], minlength=rows) > 0
    return np.where(has, np.argmax(totals, axis=1), -1)


def contributions(
    model: FastModel, text: str, label: str, scores: Scores | None = None
) -> list[tuple[str, float]]:
    """Return the n-grams of `text` and what each adds to the document's logit of `label`.

    Exact: the values add up to the document's logit less its bias; of a document longer than LONGEST,
    to that of the part that decided. Strongest first, by size; an n-gram that recurs in
    other units is listed once with its sum.

    Parameters
    ----------
    scores
        What `score_one` says of the text, where it is at hand.

    Raises
    ------
    KeyError
        If there is no such label.
    """
    column = {name: place for place, name in enumerate(LABELS)}[label]
    scores = scores or score_one(model, text)
    deciding = np.arange(*scores.deciding[0, column])
    deciding = deciding[~scores.again[deciding]]
    found: dict[str, float] = {}
    total = 0
    for start, end in zip(scores.start[deciding], scores.end[deciding], strict=True):
        for ngram in features.distinct(text[start:end], model.features):
            total += 1
            known = model.index[ngram.bucket]
            if known:
                weight = float(model.weights[known, column])
                found[ngram.text] = found.get(ngram.text, 0.0) + weight
    scale = 1.0 / max(total, 1) ** 0.5
    scaled = [(text, weight * scale) for text, weight in found.items()]
    return sorted(scaled, key=lambda item: (-abs(item[1]), item[0]))


def spans_of(scores: Scores, row: int) -> Sequence[tuple[str, int, int, float]]:
    """Return the evidence of one document: (label, start, end, probability), sorted by label order and start.

    Evidence units that follow each other are one span: from the strongest that is in none yet (the first
    of equal ones) it grows by the stronger of its two neighbours (the left of equal ones) as long as it
    has at most MAX_UNIT code points from its first to its last character. A neighbour that would make it
    longer stays out. The probability is that of its strongest unit.
    """
    return [
        (label, int(scores.start[first]), int(scores.end[last]), float(scores.unit_probability[best, place]))
        for place, label in enumerate(LABELS)
        for first, last, best in _grown(scores, row, place)
    ]


def _grown(scores: Scores, row: int, label: int) -> list[tuple[int, int, int]]:
    """Return the first, the last and the strongest unit of each span of one label, in order."""
    chance = scores.unit_probability[:, label]
    units = range(int(scores.first[row]), int(scores.first[row + 1]))
    left = {unit for unit in units if scores.evidence[unit, label]}

    def strength(unit: int) -> tuple[float, int]:
        return -float(chance[unit]), unit

    def neighbours(first: int, last: int) -> list[int]:
        return [
            unit
            for unit in (first - 1, last + 1)
            if unit in left and scores.end[max(unit, last)] - scores.start[min(unit, first)] <= split.MAX_UNIT
        ]

    spans = []
    for best in sorted(left, key=strength):
        if best not in left:
            continue
        first = last = best
        while near := neighbours(first, last):
            unit = min(near, key=strength)
            first, last = min(unit, first), max(unit, last)
        left -= set(range(first, last + 1))
        spans.append((first, last, best))
    return sorted(spans)
