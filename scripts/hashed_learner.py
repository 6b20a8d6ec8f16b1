"""A linear model on the fast tier's hashed n-grams, for protocols that train on a part of the set.

In: texts and yes/no labels. Out: log odds of other texts, and the cut that was best on the training texts.
What it learns is measured and thrown away: nothing of it ships.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from classifier import kernel, splits, train
from classifier.buffers import Column
from classifier.features import FeatureSettings

Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]

FEATURES: Final = FeatureSettings(bits=18, words=2, char_min=3, char_max=5)
STRENGTHS: Final = (1.0, 4.0, 16.0)
"""Inverse regularisation strengths that are tried by cross-validation on the training texts."""
FOLDS: Final = 5


def hashed(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return the counts of the n-grams of each text, hashed as the fast tier hashes them."""
    column = Column.of(list(texts))
    units = kernel.split_column(column)
    indptr, buckets = kernel.bucket_column(column, units, FEATURES)
    counts = sparse.csr_matrix((np.ones(len(buckets)), buckets, indptr), shape=(len(units), FEATURES.buckets))
    belongs = sparse.csr_matrix(
        (np.ones(len(units)), np.arange(len(units)), units.first), shape=(len(texts), len(units))
    )
    return (belongs @ counts).tocsr()


@dataclass(frozen=True)
class Learned:
    """Log odds of the other texts, shape (n,), and the log odds from which on to say yes."""

    logits: Reals
    threshold: float


def learn(counts: sparse.csr_matrix, truth: Flags, inside: Flags, groups: splits.Codes) -> Learned:
    """Fit on the rows that are `inside`, and judge the others.

    Strength and threshold are chosen by cross-validation on the rows inside, near-duplicates together;
    the weighting of the n-grams is fitted on them, too.

    Parameters
    ----------
    counts
        Of `hashed`.
    truth, inside, groups
        One value per row.
    """
    with threadpool_limits(1):
        weighting = TfidfTransformer(sublinear_tf=True).fit(counts[inside])
        rows, others = weighting.transform(counts[inside]), weighting.transform(counts[~inside])
        known = truth[inside]
        folds = splits.grouped_folds(known[:, None], groups[inside], FOLDS)
        tried = [_out_of_fold(rows, known, folds, strength) for strength in STRENGTHS]
        best = int(np.argmax([_best_f1(known, logits) for logits in tried]))
        fitted = _linear(STRENGTHS[best]).fit(rows, known)
        return Learned(fitted.decision_function(others), train.best_threshold(known, tried[best]))


def _linear(strength: float) -> Any:
    return LogisticRegression(C=strength, solver="liblinear", random_state=0)


def _out_of_fold(rows: Any, truth: Flags, folds: splits.Codes, strength: float) -> Reals:
    logits = np.zeros(len(truth))
    for fold in range(FOLDS):
        fitted = _linear(strength).fit(rows[folds != fold], truth[folds != fold])
        logits[folds == fold] = fitted.decision_function(rows[folds == fold])
    return logits


def _best_f1(truth: Flags, logits: Reals) -> float:
    """Return the F1 at the best cut: of training texts, to choose a strength by."""
    order = np.argsort(-logits, kind="stable")
    hits = np.cumsum(truth[order])
    return float((2 * hits / (np.arange(1, len(truth) + 1) + truth.sum())).max())
