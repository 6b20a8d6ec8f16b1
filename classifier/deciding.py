"""What `classify.combine` does, compiled: units' sums to probabilities, decisions and evidence.

In: arrays of a batch. Out: the same arrays as the NumPy twin gives, to the last bits of a logarithm. Row by
row, so that a text's result doesn't depend on the texts beside it.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import compiled

Reals = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_HIGHEST: Final = 40.0
"""Logits beyond it are as good as certain."""


@compiled()
def _root(count: float) -> np.float32:
    return np.float32(math.sqrt(max(count, 1.0)))


@compiled()
def _sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -_HIGHEST), _HIGHEST)))


@compiled()
def _stacked(logits: Reals, document: np.float32, head: Doubles, none: float, room: Doubles) -> float:
    """Return the final logit of one part: `head` weighs what `classify.stack` gives."""
    count = len(logits)
    odds = math.exp(none)
    best, second = none, none
    if count:
        # Descending, as the twin adds them up.
        for place in range(count):
            value = np.float64(logits[place])
            before = place - 1
            while before >= 0 and room[before] < value:
                room[before + 1] = room[before]
                before -= 1
            room[before + 1] = value
        total = 0.0
        for place in range(count):
            total += math.exp(room[place])
        odds += total
        best = max(room[0], none)
        if count > 1:
            second = max(room[1], none)
    value = head[0] * np.float64(document) + head[1] * best + head[2] * second
    return float(value + head[3] * math.log(odds) + head[4] * math.log1p(count) + head[5])


@compiled()
def _mark_evidence(probability: Reals, telling: Flags, threshold: np.float32, evidence: Flags) -> None:
    """Mark the units of a document with the label that pass the threshold, or else the best one."""
    best, highest = 0, np.float32(-1.0)
    marked = False
    for unit in range(len(probability)):
        value = probability[unit] if telling[unit] else np.float32(0.0)
        if value >= threshold:
            evidence[unit] = True
            marked = True
        if value > highest:
            best, highest = unit, value
    if not marked and len(probability):
        evidence[best] = True


@compiled()
def _mark_telling(
    start: npt.NDArray[np.int32], end: npt.NDArray[np.int32], shortest: int, telling: Flags
) -> None:
    any_long = False
    for unit in range(len(telling)):
        telling[unit] = end[unit] - start[unit] >= shortest
        any_long |= telling[unit]
    if not any_long:
        telling[:] = True


@compiled()
def _likeliest(sums: Doubles) -> int:
    best = 0
    for place in range(1, len(sums)):
        if sums[place] > sums[best]:
            best = place
    return best


@compiled()
def _decide(
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    sums: Reals,
    counts: npt.NDArray[np.int32],
    bias: Reals,
    heads: Doubles,
    thresholds: Reals,
    limits: Places,
    none: float,
    out: tuple[Reals, Flags, Flags, Reals, Reals, Flags, Places, Places],
) -> None:
    """Fill `out`, in the order of the fields of `Decided`."""
    probability, decision, close, known, unit_probability, evidence, source, deciding = out
    labels = heads.shape[0]
    longest, least_known, shortest, gap = limits[0], limits[1], limits[2], limits[3]
    for row in range(len(first) - 1):
        begin, stop = first[row], first[row + 1]
        ngrams, familiar, size = 0, 0, 0
        for unit in range(begin, stop):
            ngrams += counts[unit, 0]
            familiar += counts[unit, 1]
            size += end[unit] - start[unit]
        known[row] = familiar / ngrams if ngrams else 0.0
        pieces = max(1, -(-size // longest))
        telling = np.empty(stop - begin, dtype=np.bool_)
        _mark_telling(start[begin:stop], end[begin:stop], shortest, telling)
        logits = np.empty(stop - begin, dtype=np.float32)
        room = np.empty(stop - begin, dtype=np.float64)
        for label in range(labels):
            head = heads[label]
            for unit in range(begin, stop):
                logit = sums[unit, labels + label] / _root(counts[unit, 0]) + bias[labels + label]
                logits[unit - begin] = logit
                unit_probability[unit, label] = _sigmoid(head[7] * np.float64(logit) + head[8])
            best = -np.inf
            at, before = begin, 0
            while True:
                # One part of the document; nearly always all of it.
                piece = before * pieces // max(size, 1)
                place, total, grams = at, 0.0, 0
                while place < stop and (place == at or before * pieces // max(size, 1) == piece):
                    total += np.float64(sums[place, label])
                    grams += counts[place, 0]
                    before += end[place] - start[place]
                    place += 1
                document = np.float32(total / _root(grams)) + bias[label]
                value = _stacked(logits[at - begin : place - begin], document, head, none, room)
                if value > best:
                    best = value
                    deciding[row, label, 0], deciding[row, label, 1] = at, place
                at = place
                if at >= stop:
                    break
            readable = familiar >= least_known
            probability[row, label] = _sigmoid(best) if readable else 0.0
            decision[row, label] = readable and best >= head[6]
            close[row, label] = readable and abs(best - head[6]) < head[9]
            if decision[row, label]:
                _mark_evidence(
                    unit_probability[begin:stop, label],
                    telling,
                    thresholds[label],
                    evidence[begin:stop, label],
                )
        source[row] = _source(sums, counts, bias, 2 * labels, evidence, gap, begin, stop)


@compiled()
def _source(
    sums: Reals,
    counts: npt.NDArray[np.int32],
    bias: Reals,
    column: int,
    evidence: Flags,
    gap: int,
    begin: int,
    stop: int,
) -> int:
    """Return the likeliest source of an expectation by the units that carry it, -1 without any."""
    totals = np.zeros(len(bias) - column, dtype=np.float64)
    has = False
    for unit in range(begin, stop):
        if evidence[unit, gap]:
            has = True
            root = _root(counts[unit, 0])
            for place in range(len(totals)):
                totals[place] += sums[unit, column + place] / root + bias[column + place]
    return _likeliest(totals) if has else -1


@dataclass(frozen=True)
class Decided:
    """What `classify.Scores` holds beside the units, field by field."""

    probability: Reals
    decision: Flags
    close: Flags
    known: Reals
    unit_probability: Reals
    evidence: Flags
    source: Places
    deciding: Places


@dataclass(frozen=True)
class Rules:
    """What decides: of a model, and of `classify`.

    `heads` has a row per label: the six weights of its stack, the logit of its threshold, scale and shift of
    its units, the margin. `thresholds` are those of units.
    """

    bias: Reals
    heads: Doubles
    thresholds: Reals
    longest: int
    least_known: int
    shortest: int
    gap: int
    none: float


def decide(
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    sums: Reals,
    counts: npt.NDArray[np.int32],
    rules: Rules,
) -> Decided:
    """Decide for a batch of n documents with u units.

    Parameters
    ----------
    first, start, end
        The units, as `kernel.Units`.
    sums, counts
        As `kernel.sum_column` gives them: shapes (u, outputs) and (u, 2).
    rules
        What decides.
    """
    rows, units, labels = len(first) - 1, len(sums), len(rules.heads)
    found = Decided(
        probability=np.zeros((rows, labels), dtype=np.float32),
        decision=np.zeros((rows, labels), dtype=np.bool_),
        close=np.zeros((rows, labels), dtype=np.bool_),
        known=np.zeros(rows, dtype=np.float32),
        unit_probability=np.zeros((units, labels), dtype=np.float32),
        evidence=np.zeros((units, labels), dtype=np.bool_),
        source=np.full(rows, -1, dtype=np.int64),
        deciding=np.zeros((rows, labels, 2), dtype=np.int64),
    )
    limits = np.array([rules.longest, rules.least_known, rules.shortest, rules.gap], dtype=np.int64)
    out = tuple(getattr(found, name) for name in Decided.__dataclass_fields__)
    model = (rules.bias, rules.heads, rules.thresholds, limits, rules.none)
    _decide(first, start, end, sums, counts, *model, out)
    return found
