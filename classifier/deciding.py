"""What `classify.readable.combine` does, compiled: units' sums to probabilities, decisions and evidence.

In: arrays of a batch. Out: the same arrays as the NumPy twin gives, to the last bits of a logarithm. Row by
row, so that a text's result doesn't depend on the texts beside it.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import at, compiled

Reals = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_UPPER: Final = np.uint64(32)
_TELLING_SUMS: Final = 3
"""Columns of sums by which repeated units are known."""

_HIGHEST: Final = 40.0
"""Logits beyond it are as good as certain."""


@compiled()
def _root(count: float) -> np.float32:
    return np.float32(math.sqrt(max(count, 1.0)))


@compiled()
def _sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -_HIGHEST), _HIGHEST)))


@compiled(forceinline=True)
def _stacked(
    logits: Reals, begin: int, stop: int, document: np.float32, head: Doubles, none: float, room: Doubles
) -> float:
    """Return the final logit of the part begin:stop: `head` weighs what `classify.logits.stack` gives."""
    count = stop - begin
    odds = math.exp(none)
    best, second = none, none
    if count:
        # Descending, as the twin adds them up.
        for place in range(count):
            value = np.float64(logits[at(begin + place)])
            before = place - 1
            while before >= 0 and room[at(before)] < value:
                room[at(before + 1)] = room[at(before)]
                before -= 1
            room[at(before + 1)] = value
        total = 0.0
        for place in range(count):
            total += math.exp(room[at(place)])
        odds += total
        best = max(room[0], none)
        if count > 1:
            second = max(room[1], none)
    value = head[0] * np.float64(document) + head[1] * best + head[2] * second
    return float(value + head[3] * math.log(odds) + head[4] * math.log1p(count) + head[5])


@compiled(forceinline=True)
def _mark_evidence(
    probability: Reals,
    label: int,
    units: Places,
    count: int,
    telling: Flags,
    threshold: np.float32,
    weaker: np.float32,
    evidence: Flags,
    nearby: Flags,
) -> None:
    """Mark the units of a document with the label that pass the threshold, or else the best one.

    `nearby` are the others that pass the weaker threshold.
    """
    best, highest = 0, np.float32(-1.0)
    marked = False
    for place in range(count):
        unit = units[at(place)]
        value = probability[at(unit), at(label)] if telling[at(place)] else np.float32(0.0)
        if value >= threshold:
            evidence[at(unit), at(label)] = True
            marked = True
        elif value >= weaker:
            nearby[at(unit), at(label)] = True
        if value > highest:
            best, highest = unit, value
    if not marked and count:
        evidence[at(best), at(label)] = True
        nearby[at(best), at(label)] = False


@compiled(forceinline=True)
def _likeliest(sums: Doubles) -> int:
    best = 0
    for place in range(1, len(sums)):
        if sums[place] > sums[best]:
            best = place
    return best


@compiled()
def _most_units(first: Places) -> int:
    """Return how many units the document with the most has."""
    most = 0
    for row in range(len(first) - 1):
        most = max(most, first[row + 1] - first[row])
    return most


@compiled(forceinline=True)
def _gather(
    begin: int,
    stop: int,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    again: Flags,
    units: Places,
    lengths: Places,
) -> int:
    """Write which of the units begin:stop count and how long they are; return how many count."""
    count = 0
    for unit in range(begin, stop):
        units[at(count)] = unit
        lengths[at(count)] = end[at(unit)] - start[at(unit)]
        count += not again[at(unit)]
    return count


@compiled(forceinline=True)
def _mark_telling(lengths: Places, count: int, shortest: int, telling: Flags) -> None:
    any_long = False
    for place in range(count):
        telling[at(place)] = lengths[at(place)] >= shortest
        any_long |= telling[at(place)]
    if not any_long:
        telling[:count] = True


@compiled(forceinline=True)
def _cut(lengths: Places, count: int, longest: int, stops: Places) -> int:
    """Write behind which unit each part of a document ends; return how many parts there are."""
    size = 0
    for place in range(count):
        size += lengths[at(place)]
    pieces = -(-size // longest)
    found, before, piece = 0, 0, 0
    # Nearly always, all of it is one part.
    for place in range(count if pieces > 1 else 0):
        if before * pieces // size != piece:
            piece = before * pieces // size
            stops[at(found)] = place
            found += 1
        before += lengths[at(place)]
    stops[at(found)] = count
    return found + 1


@compiled(forceinline=True)
def _best_part(
    sums: Reals,
    sizes: npt.NDArray[np.int32],
    units: Places,
    stops: Places,
    parts: int,
    label: int,
    bias: np.float32,
    logits: Reals,
    head: Doubles,
    none: float,
    room: Doubles,
) -> tuple[float, int, int]:
    """Return the highest logit of a part, the first of equal ones, and which units the part has."""
    best, best_begin, best_stop = -np.inf, 0, 0
    begin = 0
    for part in range(parts):
        stop = stops[at(part)]
        total, ngrams = 0.0, 0
        for place in range(begin, stop):
            unit = at(units[at(place)])
            total += np.float64(sums[unit, at(label)])
            ngrams += sizes[unit]
        document = np.float32(total / _root(ngrams)) + bias
        value = _stacked(logits, begin, stop, document, head, none, room)
        if value > best:
            best, best_begin, best_stop = value, begin, stop
        begin = stop
    return best, best_begin, best_stop


@compiled(makes_arrays=True)
def _decide(
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    sums: Reals,
    counts: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int32],
    again: Flags,
    bias: Reals,
    heads: Doubles,
    thresholds: Reals,
    limits: Places,
    none: float,
    nearness: np.float32,
    least_share: np.float32,
    tells_sources: bool,
    out: tuple[Reals, Flags, Flags, Reals, Reals, Flags, Flags, Places, Places],
) -> None:
    """Fill `out`, in the order of the fields of `Decided`."""
    probability, decision, close, known, unit_probability, evidence, nearby, source, deciding = out
    labels = heads.shape[0]
    longest, least_known, shortest, gap = limits[0], limits[1], limits[2], limits[3]
    most = _most_units(first) + 1
    units, lengths, stops = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    roots, logits = np.empty(most, np.float32), np.empty(most, np.float32)
    telling = np.empty(most, np.bool_)
    room = np.empty(most, np.float64)
    totals = np.empty(len(bias) - 2 * labels, np.float64)
    for row in range(len(first) - 1):
        count = _gather(first[row], first[row + 1], start, end, again, units, lengths)
        _mark_telling(lengths, count, shortest, telling)
        parts = _cut(lengths, count, longest, stops)
        ngrams, familiar = 0, 0
        for place in range(count):
            unit = at(units[at(place)])
            ngrams += counts[unit, 0]
            familiar += counts[unit, 1]
            roots[at(place)] = _root(sizes[unit])
        known[row] = familiar / ngrams if ngrams else 0.0
        readable = familiar >= least_known and known[row] >= least_share
        for label in range(labels):
            head = heads[label]
            for place in range(count):
                unit = at(units[at(place)])
                logit = sums[unit, at(labels + label)] / roots[at(place)] + bias[at(labels + label)]
                logits[at(place)] = logit
                unit_probability[unit, at(label)] = _sigmoid(head[7] * np.float64(logit) + head[8])
            best, begin, stop = _best_part(
                sums, sizes, units, stops, parts, label, bias[label], logits, head, none, room
            )
            deciding[row, label, 0] = units[begin] if count else first[row]
            deciding[row, label, 1] = units[stop - 1] + 1 if count else first[row]
            probability[row, label] = _sigmoid(best) if readable else 0.0
            decision[row, label] = readable and best >= head[6]
            close[row, label] = readable and abs(best - head[6]) < head[9]
            if decision[row, label]:
                threshold = thresholds[label]
                weaker = threshold * nearness
                _mark_evidence(
                    unit_probability, label, units, count, telling, threshold, weaker, evidence, nearby
                )
        if tells_sources:
            source[row] = _source(sums, roots, bias, 2 * labels, evidence, gap, units, count, totals)


@compiled(forceinline=True)
def _source(
    sums: Reals,
    roots: Reals,
    bias: Reals,
    column: int,
    evidence: Flags,
    gap: int,
    units: Places,
    count: int,
    totals: Doubles,
) -> int:
    """Return the likeliest source of an expectation by the units that carry it, -1 without any."""
    totals[:] = 0.0
    has = False
    for place in range(count):
        unit = at(units[at(place)])
        if evidence[unit, gap]:
            has = True
            for source in range(len(totals)):
                totals[source] += sums[unit, column + source] / roots[place] + bias[column + source]
    return _likeliest(totals) if has else -1


@compiled(makes_arrays=True)
def _mark_again(
    first: Places,
    bits: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.int32],
    many: int,
    again: Flags,
) -> None:
    most = _most_units(first)
    keys = np.empty(most, dtype=np.uint64)
    slots = np.empty(4 * most, dtype=np.int64)
    for row in range(len(first) - 1):
        begin, stop = first[row], first[row + 1]
        if stop - begin < many:
            continue
        size = 1
        while size < 2 * (stop - begin):
            size *= 2
        slots[:size] = -1
        for unit in range(begin, stop):
            if counts[at(unit), 1] == 0:
                continue
            key = np.uint64(counts[at(unit), 0]) * _MIX
            for column in range(_TELLING_SUMS):
                key = (key ^ np.uint64(bits[at(unit), column])) * _MIX
            slot = np.int64(key >> _UPPER) & (size - 1)
            while slots[at(slot)] >= 0 and keys[at(slots[at(slot)])] != key:
                slot = (slot + 1) & (size - 1)
            if slots[at(slot)] >= 0:
                again[unit] = True
            else:
                slots[at(slot)] = unit - begin
                keys[at(unit - begin)] = key


def said_again(first: Places, sums: Reals, counts: npt.NDArray[np.int32], many: int) -> Flags:
    """Mark the units that repeat one before them in a document of `many` units or more, shape (u,).

    The other parameters are those of `decide`.
    """
    again = np.zeros(len(sums), dtype=np.bool_)
    # Sums and counts that are equal to the last bit are of equal texts.
    _mark_again(first, sums.view(np.uint32), counts, many, again)
    return again


@dataclass(frozen=True)
class Decided:
    """What `classify.Scores` holds beside the units, field by field."""

    probability: Reals
    decision: Flags
    close: Flags
    known: Reals
    unit_probability: Reals
    evidence: Flags
    nearby: Flags
    source: Places
    deciding: Places


@dataclass(frozen=True)
class Rules:
    """What decides: of a model, and of `classify`.

    `heads` has a row per label: the six weights of its stack, the logit of its threshold, scale and shift of
    its units, the margin. `thresholds` are those of units, `per_known` is of the model's features,
    `tells_sources` whether it has learnt where expectations come from.
    """

    bias: Reals
    heads: Doubles
    thresholds: Reals
    longest: int
    least_known: int
    least_share: float
    shortest: int
    gap: int
    none: float
    nearby: float
    per_known: bool
    tells_sources: bool


def decide(
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    sums: Reals,
    counts: npt.NDArray[np.int32],
    again: Flags,
    rules: Rules,
) -> Decided:
    """Decide for a batch of n documents with u units.

    Parameters
    ----------
    first, start, end
        The units, as `kernel.Units`.
    sums, counts
        As `kernel.weigh_column` gives them: shapes (u, outputs) and (u, 2).
    again
        Which units count nothing, shape (u,).
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
        nearby=np.zeros((units, labels), dtype=np.bool_),
        source=np.full(rows, -1, dtype=np.int64),
        deciding=np.zeros((rows, labels, 2), dtype=np.int64),
    )
    limits = np.array([rules.longest, rules.least_known, rules.shortest, rules.gap], dtype=np.int64)
    out = tuple(getattr(found, name) for name in Decided.__dataclass_fields__)
    shares = np.float32(rules.nearby), np.float32(rules.least_share)
    model = (rules.bias, rules.heads, rules.thresholds, limits, rules.none, *shares, rules.tells_sources)
    sizes = np.ascontiguousarray(counts[:, int(rules.per_known)])
    _decide(first, start, end, sums, counts, sizes, again, *model, out)
    return found
