"""How the accurate tier decides, fitted on the documents that it was never trained on.

In: a transformer and the labelled documents. Out: its heads, and its decisions on those documents. Shared by
the scripts that train.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from cascade_band import Judged
from student import Student
from training_data import held_out

from classifier import accurate, kernel, splits, train
from classifier.buffers import Column
from classifier.classify import Head
from classifier.classify.logits import logit, sigmoid, to_logits
from classifier.labels import LABELS
from classifier.transformer import Transformer


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


def judged(
    fitted: Fitted, learnt: Student, documents: pd.DataFrame, elsewhere: Sequence[train.Stacked]
) -> list[Judged]:
    """Return what both tiers make of the held-out documents and, for each kind, of sources left out.

    Parameters
    ----------
    documents, elsewhere
        Those that `fit` was given.
    """
    has = documents[list(LABELS)].to_numpy(dtype=bool)[fitted.rows]
    distance = accurate.distances(learnt.probability, learnt.model.heads)
    found = [Judged(has, distance, fitted.decision, train.KNOWN_FIRST)]
    for one in elsewhere:
        distance = accurate.distances(sigmoid(one.before), learnt.model.heads)
        decision = [_decided(one, place, fitted.heads[label]) for place, label in enumerate(LABELS)]
        found.append(Judged(one.has, distance, np.column_stack(decision), 1 / len(elsewhere)))
    return found


def _decided(one: train.Stacked, place: int, head: Head) -> np.ndarray:
    """Return the decisions of a head that blends in the fast tier, shape (n,)."""
    own, before, intercept = head.blend
    logits = own * one.stacked[:, place] + before * one.before[:, place] + intercept
    return logits >= logit(head.threshold)


def macro_f1(has: np.ndarray, decision: np.ndarray) -> float:
    """Return the mean F1 of the labels."""
    hits = (has & decision).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(has.sum(axis=0) + decision.sum(axis=0), 1)))
