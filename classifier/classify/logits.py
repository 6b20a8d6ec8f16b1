"""Logits and probabilities, and what the final logit of a label is a weighted sum of.

In: arrays of numbers. Out: arrays of numbers. Never decides.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.classify.limits import NO_UNIT
from classifier.classify.scores import Reals


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


def to_logits(probability: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the logits of probabilities, at most as large as float32 can tell them from 0 and 1."""
    clipped = np.clip(probability.astype(np.float64), 1e-6, 1.0 - 1e-6)
    result: npt.NDArray[np.float64] = np.log(clipped / (1.0 - clipped))
    return result


def logit(probability: float) -> float:
    """Return the logit of a probability; of 0 and 1 a very large one."""
    # A threshold beyond these would be rounded to 0 or 1.
    clipped = min(max(probability, 1e-15), 1.0 - 1e-15)
    return float(np.log(clipped / (1.0 - clipped)))
