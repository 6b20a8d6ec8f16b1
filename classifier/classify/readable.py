"""Texts to scores without compiled code: the readable twin.

In: a text, or the units' sums of weights. Out: the Scores that compiled code gives. Slow, and the reference.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import features, split
from classifier.classify.decisions import decide
from classifier.classify.limits import LEAST_KNOWN
from classifier.classify.parts import cut
from classifier.classify.repeats import expanded, firsts_without, said_again
from classifier.classify.scores import Logits, Places, Reals, Scores, UnitPlaces
from classifier.classify.weights import OUTPUTS, FastModel
from classifier.labels import LABELS

_DOCUMENT = slice(0, len(LABELS))


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


def combine(model: FastModel, units: Places, sums: Reals, counts: npt.NDArray[np.int32]) -> Scores:
    """Turn the units' sums of weights into probabilities, decisions and evidence.

    The readable twin of what `score_texts` does with compiled code. What a long document says over and over
    counts once: the sum of a neutral sentence said twenty times would be that of a sure complaint.
    """
    again = said_again(units.first, sums, counts)
    if not again.any():
        return _combined(model, units, sums, counts)
    once = ~again
    first = firsts_without(again, units.first)
    places = UnitPlaces(first, units.start[once], units.end[once])
    return expanded(_combined(model, places, sums[once], counts[once]), units, again)


def _combined(model: FastModel, units: Places, sums: Reals, counts: npt.NDArray[np.int32]) -> Scores:
    rows = len(units.first) - 1
    owner = np.repeat(np.arange(rows), np.diff(units.first))
    bias = np.array(model.bias, dtype=np.float32)
    ngrams = np.bincount(owner, weights=counts[:, 0], minlength=rows)
    known = np.bincount(owner, weights=counts[:, 1], minlength=rows)
    scaling = counts[:, int(model.features.per_known)]
    parts = cut(units.first, owner, units.end - units.start)
    logits = Logits(
        first=units.first,
        start=units.start,
        end=units.end,
        unit=sums / _root(scaling)[:, None] + bias,
        part=_document_logits(sums[:, _DOCUMENT], scaling, parts.first) + bias[_DOCUMENT],
        part_first=parts.first,
        part_starts=parts.starts,
    )
    share = np.divide(known, ngrams, out=np.zeros(rows), where=ngrams > 0).astype(np.float32)
    enough = share >= np.float32(model.features.least_share)
    return decide(
        model.heads,
        logits,
        readable=(known >= LEAST_KNOWN) & enough,
        known=share,
        tells_sources=model.tells_sources,
    )


def _document_logits(sums: Reals, ngrams: npt.NDArray[Any], first: npt.NDArray[np.int64]) -> Reals:
    """Return the sums of the units of each part, over the root of how many n-grams it has."""
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    totals = np.zeros((len(first) - 1, sums.shape[1]), dtype=np.float64)
    np.add.at(totals, owner, sums)
    sizes = np.bincount(owner, weights=ngrams, minlength=len(totals))
    logits: Reals = (totals / _root(sizes)[:, None]).astype(np.float32)
    return logits


def _root(counts: npt.NDArray[Any]) -> Reals:
    """Return what a sum over so many n-grams is divided by: long texts must not shout."""
    root: Reals = np.sqrt(np.maximum(counts, 1)).astype(np.float32)
    return root
