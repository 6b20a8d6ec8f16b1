"""How the accurate tier decides, fitted on the documents that it was never trained on.

In: a transformer and the labelled documents. Out: its heads, its decisions on those documents, and the
band of the cascade. Shared by the scripts that train.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from student import Student
from training_data import held_out

from classifier import accurate, classify, kernel, splits, train
from classifier.buffers import Column
from classifier.classify import Head
from classifier.classify.logits import to_logits
from classifier.labels import LABELS
from classifier.transformer import Transformer

BUDGET = 0.15
"""Share of real support questions that the cascade may ask the accurate tier about.

Labelled documents don't tell what is usual: many were chosen because models part on them."""

SCALE = 4.0
"""Logits from a threshold at which doubt about a label has fallen to 1 / e. Cross-validated on held-out
documents, the cascade's macro-F1 is .868 with 1, .868 with 2, .871 with 4, .869 with 8; with bands of which
any one asks, .860."""

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Weights of the labels' doubts that are tried."""


@dataclass(frozen=True)
class Fitted:
    """The tier's heads, and what it makes of the held-out documents, cross-fitted.

    `rows` are their places among all documents, shape (v,); `probability` and `decision` have shape (v, 3).
    """

    heads: dict[str, Head]
    rows: np.ndarray
    probability: np.ndarray
    decision: np.ndarray


def fit(
    transformer: Transformer,
    documents: pd.DataFrame,
    settings: train.TrainingSettings,
    learnt: Student | None = None,
    elsewhere: Sequence[train.Stacked] = (),
) -> Fitted:
    """Fit the heads of the accurate tier.

    Parameters
    ----------
    documents
        All labelled ones, in the order of `train.canonical`.
    learnt
        The fast tier, which shall have a say where it is given.
    elsewhere
        Sources that a transformer like this one learnt nothing from; thresholds shall hold for such, too.
    """
    rows = np.flatnonzero(held_out(documents))
    held = documents.iloc[rows].reset_index(drop=True)
    units = kernel.split_column(Column.of(held["text"]))
    has = held[list(LABELS)].to_numpy(dtype=bool)
    unit_has, _ = train.unit_labels(held, units, has)
    document, unit = logits_in(transformer, held, units)
    folds = splits.grouped_folds(has, train.groups_of(held), settings.folds, settings.seed)
    heads, probability, decision = train.fit_heads(
        train.Truth(units.first, has, unit_has),
        document,
        unit,
        folds,
        settings,
        elsewhere,
        before=None if learnt is None else to_logits(learnt.probability),
    )
    return Fitted(heads, rows, probability, decision)


def logits_in(
    transformer: Transformer, documents: pd.DataFrame, units: kernel.Units
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of documents, shape (n, 3), and of their units, shape (u, 3).

    A document that is read in parts has the highest of them.
    """
    logits = accurate.logits_of(transformer, documents["text"].tolist(), units)
    part = np.repeat(np.arange(len(documents)), np.diff([*logits.part_starts, len(logits.part)]))
    document = np.full((len(documents), len(LABELS)), -np.inf, dtype=np.float32)
    np.maximum.at(document, part, logits.part)
    return document, logits.unit[:, len(LABELS) : 2 * len(LABELS)]


def choose_band(fitted: Fitted, learnt: Student, documents: pd.DataFrame, real: pd.Series) -> accurate.Doubt:
    """Return the cascade's band with the best macro-F1 on the held-out documents within BUDGET.

    Parameters
    ----------
    real
        Texts as they usually come, that neither tier has learnt from: BUDGET is a share of these.
    """
    has = documents[list(LABELS)].to_numpy(dtype=bool)[fitted.rows]
    heads = learnt.model.heads
    held = accurate.distances(learnt.probability, heads)
    usual = accurate.distances(classify.score_texts(learnt.model, real).probability, heads)
    near = np.exp(-np.abs(usual) / SCALE)
    best: tuple[float, accurate.Doubt | None] = (-1.0, None)
    for weights in sorted(product(WEIGHTS, repeat=len(LABELS))):
        limit = float(np.quantile(near @ np.array(weights), 1 - BUDGET))
        band = accurate.Doubt(weights, SCALE, limit)
        decision = np.where(band.asks(held)[:, None], fitted.decision, held >= 0)
        best = max(best, (macro_f1(has, decision), band), key=_first)
    assert best[1] is not None
    return best[1]


def _first(pair: tuple[float, accurate.Doubt | None]) -> float:
    return pair[0]


def macro_f1(has: np.ndarray, decision: np.ndarray) -> float:
    """Return the mean F1 of the labels."""
    hits = (has & decision).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(has.sum(axis=0) + decision.sum(axis=0), 1)))
