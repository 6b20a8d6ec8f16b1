"""Linear models of n-grams, and one table of weights made of all of them.

In: sparse rows and their labels. Out: weights and intercepts, a FastModel. Never decides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifier.classify import FastModel, Head
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES
from classifier.train.ngrams import Reals
from classifier.train.settings import TrainingSettings


def linear(c: float, x: Any, y: Any) -> LogisticRegression:
    """Return a logistic regression whose result depends on nothing but the rows and their order."""
    return LogisticRegression(C=c, solver="liblinear", random_state=0).fit(x, y)


def source_models(
    units: sparse.csr_matrix, source: npt.NDArray[np.int64], settings: TrainingSettings
) -> list[tuple[Reals, float]]:
    """Return weights and intercept per expectation source: one against the rest, on evidence units.

    Parameters
    ----------
    units
        Of `Ngrams`, shape (u, buckets).
    source
        Of `unit_labels`, shape (u,).
    """
    rows = source >= 0
    models: list[tuple[Reals, float]] = []
    for place in range(len(EXPECTATION_SOURCES)):
        truth = source[rows] == place
        if not truth.any() or truth.all():
            # Never seen: as unlikely as anything.
            models.append((np.zeros(units.shape[1]), 10.0 if truth.any() else -10.0))
            continue
        fitted = linear(settings.source_c, units[rows], truth)
        models.append((fitted.coef_[0], float(fitted.intercept_[0])))
    return models


def folded(
    features: FeatureSettings, columns: Sequence[Reals], bias: Sequence[float], heads: Mapping[str, Head]
) -> FastModel:
    """Return the model whose weights are `columns`, each of shape (buckets,): rows of zeros are unknown."""
    dense = np.column_stack(columns).astype(np.float32)
    known = np.flatnonzero((dense != 0).any(axis=1))
    index = np.zeros(features.buckets, dtype=np.int32)
    index[known] = np.arange(1, len(known) + 1)
    table = np.zeros((len(known) + 1, dense.shape[1]), dtype=np.float32)
    table[1:] = dense[known]
    return FastModel(features, index, table, tuple(bias), heads)
