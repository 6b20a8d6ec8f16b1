"""Columns of texts to scores, by compiled code.

In: cleaned texts and a model. Out: Scores. Imports what compiles when the first column comes, not before.
"""

from typing import Any

import numpy as np

from classifier.classify.limits import (
    LEAST_KNOWN,
    LONGEST,
    MANY,
    NEARBY,
    NO_UNIT,
    SHORTEST_EVIDENCE,
)
from classifier.classify.logits import logit
from classifier.classify.scores import Scores
from classifier.classify.weights import FastModel
from classifier.labels import GAP, LABELS


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
        least_share=model.features.least_share,
        shortest=SHORTEST_EVIDENCE,
        gap=LABELS.index(GAP),
        none=float(NO_UNIT),
        nearby=float(NEARBY),
        per_known=model.features.per_known,
        tells_sources=model.tells_sources,
    )

    again = deciding.said_again(units.first, sums, counts, MANY)
    found = deciding.decide(units.first, units.start, units.end, sums, counts, again, rules)
    return Scores(
        first=units.first,
        start=units.start,
        end=units.end,
        refined=np.zeros(len(units.first) - 1, dtype=np.bool_),
        again=again,
        **vars(found),
    )
