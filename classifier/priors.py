"""How common the labels are in a run's own documents, and what that shifts.

In: calibrated probabilities, source by source, added up batch by batch. Out: each label's estimated share
and the shift of its logits. Pure; the order of documents and batches changes nothing; never sees a text.

A model's probabilities hold where labels are as common as in its training data. Where only that differs,
the maximum-likelihood share is found by expectation maximisation over the probabilities themselves:
Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
Neural Computation 14 (2002).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

LEAST: Final = 200
"""Fewer documents than this say too little of how common a label is: their source is left as it is."""

STEP: Final = 0.01
"""Probabilities are counted by their logit, in steps of this size ..."""

LARGEST: Final = 14.0
"""... up to this far from 0: scored rows round to six decimals."""

_BINS: Final = round(2 * LARGEST / STEP) + 1
_SETTLED: Final = 1e-7
_ROUNDS: Final = 5_000


@dataclass(frozen=True)
class Shift:
    """What was found for one source.

    Attributes
    ----------
    documents
        How many counted.
    share
        Estimated share of documents with each label, shape (labels,).
    logit
        What is added to the logit of each label, shape (labels,).
    """

    documents: int
    share: tuple[float, ...]
    logit: tuple[float, ...]


@dataclass
class Census:
    """Counts of probabilities per source and label: as large for a million documents as for one.

    Column 0 counts probabilities of exactly 0 (a text of which too little is known), which no share moves.
    """

    labels: int
    counts: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def add(self, sources: Sequence[str], probability: Reals) -> None:
        """Count documents.

        Parameters
        ----------
        sources
            Of n documents.
        probability
            Calibrated, shape (n, labels).
        """
        names = np.asarray(sources, dtype=object)
        bins = np.where(probability > 0, 1 + _bin_of(probability), 0)
        for name in sorted(set(names)):
            own = self.counts.setdefault(name, np.zeros((self.labels, _BINS + 1), dtype=np.int64))
            for label, column in enumerate(bins[names == name].T):
                own[label] += np.bincount(column, minlength=_BINS + 1)

    def shifts(self, priors: Sequence[float]) -> dict[str, Shift]:
        """Return the shift of each source with at least LEAST documents.

        Parameters
        ----------
        priors
            Share of each label where the probabilities were calibrated, each in (0, 1).
        """
        found = {}
        for name, counts in sorted(self.counts.items()):
            documents = int(counts[0].sum())
            if documents >= LEAST:
                shares = [share_of(own, prior) for own, prior in zip(counts, priors, strict=True)]
                moved = [_logit(share) - _logit(prior) for share, prior in zip(shares, priors, strict=True)]
                found[name] = Shift(documents, tuple(shares), tuple(moved))
        return found


def share_of(counts: npt.NDArray[np.int64], prior: float) -> float:
    """Return the most likely share of documents with a label, by expectation maximisation.

    Parameters
    ----------
    counts
        A row of `Census.counts`, with a document at least.
    prior
        Share where the probabilities were calibrated, in (0, 1).
    """
    total = int(counts.sum())
    odds = np.exp(np.arange(_BINS) * STEP - LARGEST)
    share = prior
    for _ in range(_ROUNDS):
        moved = odds * (share / (1 - share)) / (prior / (1 - prior))
        new = float((counts[1:] * (moved / (1 + moved))).sum()) / total
        # A share of 0 or 1 would never be left again, and has no logit.
        new = min(max(new, 0.5 / total), 1 - 0.5 / total)
        if abs(new - share) < _SETTLED:
            return new
        share = new
    return share


def _bin_of(probability: Reals) -> npt.NDArray[np.int64]:
    clipped = np.clip(probability, 1e-9, 1 - 1e-9)
    logit = np.clip(np.log(clipped / (1 - clipped)), -LARGEST, LARGEST)
    bins: npt.NDArray[np.int64] = np.rint((logit + LARGEST) / STEP).astype(np.int64)
    return bins


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def told(shifts: Mapping[str, Shift], priors: Sequence[float], labels: Sequence[str]) -> dict[str, Any]:
    """Return what was found as run.json tells it: per source, documents, and per label three numbers."""
    return {
        source: {
            "documents": shift.documents,
            **{
                label: {
                    "trained_share": round(prior, 6),
                    "estimated_share": round(share, 6),
                    "logit_shift": round(logit, 6),
                }
                for label, prior, share, logit in zip(labels, priors, shift.share, shift.logit, strict=True)
            },
        }
        for source, shift in shifts.items()
    }
