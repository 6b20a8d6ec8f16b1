"""What a long document says over and over counts once.

In: sums of units, or scores of the units that count. Out: which units repeat, and scores of all units. Never
compares texts: equal ones have equal sums.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.classify.limits import MANY
from classifier.classify.scores import Flags, Places, Reals, Scores
from classifier.labels import LABELS


def said_again(first: npt.NDArray[np.int64], sums: Reals, counts: npt.NDArray[np.int32]) -> Flags:
    """Mark the units that repeat one before them in a document of many."""
    again = np.zeros(len(sums), dtype=np.bool_)
    sizes = np.diff(first)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.flatnonzero((sizes >= MANY)[owner] & (counts[:, 1] > 0))
    if len(rows):
        # Sums and counts that are equal to the last bit are of equal texts; mixed into one number to sort by.
        parts = [owner[rows], counts[rows, 0], *np.ascontiguousarray(sums[rows, :3]).view(np.uint32).T]
        keys = np.zeros(len(rows), dtype=np.uint64)
        for part in parts:
            keys = (keys ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        again[rows] = True
        again[rows[np.unique(keys, return_index=True)[1]]] = False
    return again


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
    evidence, nearby = np.zeros((2, len(again), len(LABELS)), dtype=np.bool_)
    unit_probability[once] = scores.unit_probability
    evidence[once], nearby[once] = scores.evidence, scores.nearby
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
        nearby=nearby,
        deciding=deciding,
        again=again,
    )
