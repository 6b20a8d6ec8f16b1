"""How the accurate tier decides, fitted on the documents that it was never trained on.

In: a transformer and the labelled documents. Out: its heads, its decisions on those documents, and the
band of the cascade. Shared by the scripts that train.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from student import Student
from training_data import held_out

from classifier import accurate, classify, kernel, splits, train
from classifier.buffers import Column
from classifier.classify import Head
from classifier.classify.logits import logit
from classifier.labels import LABELS
from classifier.transformer import Transformer

BUDGET = 0.15
"""Share of real support questions that the cascade may ask the accurate tier about.

Labelled documents don't tell what is usual: many were chosen because models part on them."""

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Relative widths of the labels' bands that are tried."""


@dataclass(frozen=True)
class Fitted:
    """The tier's heads, and what it makes of the held-out documents, cross-fitted.

    `rows` are their places among all documents, shape (v,); `probability` and `decision` have shape (v, 3).
    """

    heads: dict[str, Head]
    rows: np.ndarray
    probability: np.ndarray
    decision: np.ndarray


def fit(transformer: Transformer, documents: pd.DataFrame, settings: train.TrainingSettings) -> Fitted:
    """Fit the heads of the accurate tier.

    Parameters
    ----------
    documents
        All labelled ones, in the order of `train.canonical`.
    """
    rows = np.flatnonzero(held_out(documents))
    held = documents.iloc[rows].reset_index(drop=True)
    units = kernel.split_column(Column.of(held["text"]))
    has = held[list(LABELS)].to_numpy(dtype=bool)
    unit_has, _ = train.unit_labels(held, units, has)
    logits = accurate.logits_of(transformer, held["text"].tolist(), units)
    window = np.repeat(np.arange(len(held)), np.diff([*logits.part_starts, len(logits.part)]))
    document = np.full((len(held), len(LABELS)), -np.inf, dtype=np.float32)
    np.maximum.at(document, window, logits.part)
    folds = splits.grouped_folds(has, train.groups_of(held), settings.folds, settings.seed)
    heads, probability, decision = train.fit_heads(
        train.Truth(units.first, has, unit_has),
        document,
        logits.unit[:, len(LABELS) : 2 * len(LABELS)],
        folds,
        settings,
    )
    return Fitted(heads, rows, probability, decision)


def choose_band(
    fitted: Fitted, learnt: Student, documents: pd.DataFrame, real: pd.Series
) -> dict[str, float]:
    """Return the band of the cascade with the best macro-F1 on the held-out documents within BUDGET.

    Parameters
    ----------
    real
        Texts as they usually come, that neither tier has learnt from: BUDGET is a share of these.
    """
    has = documents[list(LABELS)].to_numpy(dtype=bool)[fitted.rows]
    held = _distance(learnt.probability, learnt)
    usual = np.abs(_distance(classify.score_texts(learnt.model, real).probability, learnt))
    best: tuple[float, tuple[float, ...]] = (-1.0, ())
    for widths in sorted(set(product(WIDTHS, repeat=len(LABELS)))):
        edge = float(np.quantile((usual / np.array(widths)).min(axis=1), BUDGET))
        nearest = np.abs(held / np.array(widths)).min(axis=1)
        decision = np.where((nearest < edge)[:, None], fitted.decision, held >= 0)
        best = max(best, (macro_f1(has, decision), tuple(edge * width for width in widths)))
    return dict(zip(LABELS, best[1], strict=True))


def _distance(probability: np.ndarray, learnt: Student) -> np.ndarray:
    """Return how far probabilities lie above the fast tier's thresholds, in logits, shape (n, 3)."""
    thresholds = [logit(learnt.model.heads[label].threshold) for label in LABELS]
    clipped = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(clipped / (1 - clipped)) - np.array(thresholds)


def macro_f1(has: np.ndarray, decision: np.ndarray) -> float:
    """Return the mean F1 of the labels."""
    hits = (has & decision).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(has.sum(axis=0) + decision.sum(axis=0), 1)))
