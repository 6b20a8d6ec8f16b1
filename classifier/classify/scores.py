"""What is said of a batch of texts: logits before anything is decided, scores behind it.

In: arrays of a batch. Out: frozen dataclasses, one row per document and one per unit. Never computes.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """What a model says of a batch of n documents with u units.

    Attributes
    ----------
    probability
        Calibrated probability per document and label, shape (n, 3); 0 for less than LEAST_KNOWN known
        n-grams, or a smaller share than the model asks for.
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
    nearby
        Whether the unit may belong to evidence beside it, but is none alone, shape (u, 3).
    source
        Index into EXPECTATION_SOURCES per document, -1 without an expectation gap, and from a model that
        learnt of none, shape (n,).
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
    nearby: Flags
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
