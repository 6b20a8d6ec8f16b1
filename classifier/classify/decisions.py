"""Logits to probabilities, decisions and evidence, in NumPy.

In: logits of a tier and how it decides. Out: Scores. Row by row, so that a text's result doesn't depend on
the texts beside it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.classify.limits import NEARBY, SHORTEST_EVIDENCE
from classifier.classify.logits import logit, sigmoid, stack
from classifier.classify.parts import Parts
from classifier.classify.scores import Flags, Logits, Reals, Scores
from classifier.classify.weights import OUTPUTS, Head
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

_SOURCE = slice(2 * len(LABELS), OUTPUTS)


def decide(
    heads: Mapping[str, Head],
    logits: Logits,
    *,
    readable: Flags,
    known: Reals,
    before: npt.NDArray[np.float64] | None = None,
    tells_sources: bool = True,
) -> Scores:
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
    before
        Logits of the tier before this one, shape (n, 3): needed where heads blend them in.
    tells_sources
        Whether the model has learnt where expectations come from.
    """
    rows = len(logits.first) - 1
    owner = np.repeat(np.arange(rows), np.diff(logits.first))
    parts = Parts(logits.part_first, logits.part_starts)
    shape = (rows, len(LABELS))
    deciding = np.zeros((*shape, 2), dtype=np.int64)
    probability = np.zeros(shape, dtype=np.float32)
    close = np.zeros(shape, dtype=np.bool_)
    unit_probability = np.zeros((len(owner), len(LABELS)), dtype=np.float32)
    evidence, nearby = np.zeros((2, len(owner), len(LABELS)), dtype=np.bool_)
    telling = _telling(logits.end - logits.start, owner, rows)
    decision = np.zeros(shape, dtype=np.bool_)
    source = np.full(rows, -1, dtype=np.int64)
    for place, label in enumerate(LABELS):
        head = heads[label]
        per_unit = logits.unit[:, len(LABELS) + place]
        stacked = stack(logits.part[:, place], per_unit, parts.first)
        best = parts.best(stacked @ np.array(head.stack[:-1]) + head.stack[-1])
        found, deciding[:, place] = best.logit, best.units
        if head.blend and before is not None:
            found = head.blend[0] * found + head.blend[1] * before[:, place] + head.blend[2]
        probability[:, place] = np.where(readable, sigmoid(found), 0.0)
        decision[:, place] = readable & (found >= logit(head.threshold))
        close[:, place] = readable & (np.abs(found - logit(head.threshold)) < head.margin)
        unit_probability[:, place] = sigmoid(head.unit_scale * per_unit.astype(np.float64) + head.unit_shift)
        chance = np.where(telling, unit_probability[:, place], 0.0)
        evidence[:, place] = _evidence(chance, decision[:, place], owner, logits.first, head.unit_threshold)
        weak = chance >= np.float32(head.unit_threshold) * NEARBY
        nearby[:, place] = decision[owner, place] & weak & ~evidence[:, place]
    if tells_sources:
        source = _expectation_source(logits.unit[:, _SOURCE], evidence[:, LABELS.index(GAP)], owner, rows)
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
        nearby=nearby,
        source=source,
        deciding=deciding,
        refined=np.zeros(rows, dtype=np.bool_),
        again=np.zeros(len(owner), dtype=np.bool_),
    )


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
