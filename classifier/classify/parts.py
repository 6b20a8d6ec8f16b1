"""Long documents cut into parts, of which the best one decides.

In: lengths or logits, a row per unit or part. Out: which units are a part, which part is the best. Never
looks at a text.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.classify.limits import LONGEST


@dataclass(frozen=True)
class Best:
    """Per document the logit of its best part, shape (n,), and that part's units, shape (n, 2)."""

    logit: npt.NDArray[np.float64]
    units: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Documents cut into parts: units first[i]:first[i + 1] are part i; part starts[j] begins document j."""

    first: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def best(self, logit: npt.NDArray[np.float64]) -> Best:
        """Return of each document the part with the highest logit, the first of equal ones."""
        if len(self.starts) == 0:
            return Best(np.zeros(0), np.zeros((0, 2), dtype=np.int64))
        highest = np.maximum.reduceat(logit, self.starts)
        parts = np.arange(len(logit))
        owner = np.searchsorted(self.starts, parts, side="right") - 1
        chosen = np.minimum.reduceat(np.where(logit == highest[owner], parts, len(parts)), self.starts)
        return Best(highest, np.stack([self.first[chosen], self.first[chosen + 1]], axis=1))


def cut(first: npt.NDArray[np.int64], owner: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> Parts:
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
    return Parts(np.concatenate([np.sort(np.concatenate([first[:-1], cuts])), first[-1:]]), starts)
