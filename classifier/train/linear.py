"""Linear models of n-grams, as many at once as there are cores, and one table of weights made of all of them.

In: sparse rows and their labels. Out: weights and intercepts, a FastModel. Never decides.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Final, TypeVar

import joblib
import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifier.classify import FastModel, Head
from classifier.classify.weights import NEVER_SEEN
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES
from classifier.train.ngrams import Reals
from classifier.train.settings import TrainingSettings

WORTH_CELLS: Final = 2_000_000
"""From so many n-grams of all rows on, worker processes gain more than their start costs."""

MOST_JOBS: Final = 4
"""Worker processes at most: each holds the rows that it learns from twice."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Task:
    """One logistic regression: of which rows it learns what, and how freely (`c`).

    `others` are rows whose logits are asked for.
    """

    c: float
    rows: npt.NDArray[np.int64]
    truth: npt.NDArray[np.bool_]
    others: npt.NDArray[np.int64]


def logits_of(x: sparse.csr_matrix, tasks: Sequence[Task]) -> list[Reals]:
    """Return the logits of each task's `others`."""
    return _each(_logits, x, tasks)


def weights_of(x: sparse.csr_matrix, tasks: Sequence[Task]) -> list[tuple[Reals, float]]:
    """Return the weights, shape (buckets,), and the intercept of each task."""
    return _each(_weights, x, tasks)


def _each(
    function: Callable[[sparse.csr_matrix, Task], Found], x: sparse.csr_matrix, tasks: Sequence[Task]
) -> list[Found]:
    """Do the tasks, in this process where they are small; each gives the same bits anywhere."""
    jobs = min(joblib.cpu_count(), MOST_JOBS) if x.nnz >= WORTH_CELLS else 1
    try:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            found: list[Found] = joblib.Parallel(n_jobs=jobs)(
                joblib.delayed(function)(x, one) for one in tasks
            )
    except BrokenProcessPool:
        # A worker was ended, most likely for want of memory: one after the other they need less.
        found = [function(x, one) for one in tasks]
    return found


def _logits(x: sparse.csr_matrix, task: Task) -> Reals:
    logits: Reals = _fitted(x, task).decision_function(x[task.others])
    return logits


def _weights(x: sparse.csr_matrix, task: Task) -> tuple[Reals, float]:
    fitted = _fitted(x, task)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _fitted(x: sparse.csr_matrix, task: Task) -> LogisticRegression:
    """Return a logistic regression whose result depends on nothing but the rows and their order."""
    return LogisticRegression(C=task.c, solver="liblinear", random_state=0).fit(x[task.rows], task.truth)


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
    rows = np.flatnonzero(source >= 0)
    truths = [source[rows] == place for place in range(len(EXPECTATION_SOURCES))]
    none = np.zeros(0, dtype=np.int64)
    known = [place for place, truth in enumerate(truths) if truth.any() and not truth.all()]
    fitted = weights_of(units, [Task(settings.source_c, rows, truths[place], none) for place in known])
    # Never seen, or nothing else: as unlikely, or as likely, as anything.
    models = [(np.zeros(units.shape[1]), -NEVER_SEEN if truth.any() else NEVER_SEEN) for truth in truths]
    for place, one in zip(known, fitted, strict=True):
        models[place] = one
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
