"""The fast tier as a student: fitted on labels, and on what the accurate tier says of unlabelled texts.

In: labelled documents and soft labels. Out: a FastModel and what it makes of the held-out documents. The
same weights, one for each n-gram and output, as `classifier train` fits; only their targets are shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from training_data import held_out, picked

from classifier import kernel, splits, train
from classifier.buffers import Column
from classifier.classify import FastModel
from classifier.classify.logits import sigmoid, to_logits
from classifier.features import FeatureSettings
from classifier.labels import LABELS

SETTINGS = train.TrainingSettings(
    features=FeatureSettings(bits=21, words=3, char_max=0, per_known=True, least_share=0.3),
    document_c=16.0,
    unit_c=8.0,
    min_documents=4,
)
SOFT = 0.5
"""Weight of a soft label beside one that was given by reading. On documents held out .2 and 1 are as good; on
sources held out whole .2 is worse."""

CHOSEN = 1 / 3
"""Weight of a document that models parted on or were unsure of. With their full weight, average precision of
gaps on documents held out is .805 instead of .821: they are one forum's, for the most part."""

LEFT_OUT = (
    (("minibar_health_apps",), ("banking77", "bitext_support", "clinc150", "endava_it_tickets")),
    (("sumo_firefox_questions", "sumo_thunderbird_questions"), ("cfpb_sample",)),
)
"""Real sources by kind. The fit is done once more without those of each row, which tells how it decides where
it learnt nothing."""

ITERATIONS, FURTHER = 60, 20
"""Of the solver: from nothing, and from the weights of the first fit, which lack the held-out documents."""


@dataclass(frozen=True)
class Soft:
    """Unlabelled texts, their sources, and the teacher's probabilities.

    Of documents, shape (m, 3), and of units, shape (k, 3).
    """

    texts: pd.Series
    source: np.ndarray
    document: np.ndarray
    unit: np.ndarray


@dataclass(frozen=True)
class Student:
    """The model, and the held-out documents: their places, and cross-fitted probabilities and decisions.

    `elsewhere` has, for each kind of LEFT_OUT, the places of its documents, shape (m,), and the logits of a
    fit that saw no text of that kind, shape (m, 3).
    """

    model: FastModel
    rows: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    elsewhere: tuple[tuple[np.ndarray, np.ndarray], ...]


def fit(documents: pd.DataFrame, soft: Soft, settings: train.TrainingSettings = SETTINGS) -> Student:
    """Fit the student.

    Heads are fitted on documents that neither this student nor its teacher has seen; then the weights are
    fitted once more, on all documents.

    Parameters
    ----------
    documents
        Labelled, in the order of `train.canonical`.
    soft
        Without near-duplicates of these.
    """
    held = held_out(documents)
    ngrams = train.ngrams_of(pd.concat([documents["text"], soft.texts], ignore_index=True), settings)
    # The solver's time goes with the number of columns, most of which are buckets that no text fills.
    known = np.flatnonzero(ngrams.document_idf)
    ngrams = replace(ngrams, documents=ngrams.documents[:, known], units=ngrams.units[:, known])
    labelled = kernel.split_column(Column.of(documents["text"]))
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    unit_has, unit_source = train.unit_labels(documents, labelled, has)
    truth = train.Truth(labelled.first, has, unit_has)
    usual = ~picked(documents)
    corpus = Corpus(ngrams, truth, documents["source"].to_numpy(), np.where(usual, 1.0, CHOSEN), soft)
    with threadpool_limits(1):
        columns, bias = _weights(corpus, ~held, settings)
        first = [np.append(one, intercept) for one, intercept in zip(columns, bias, strict=True)]
        rows = np.flatnonzero(held)
        part, document, unit = _judged(corpus, held, columns, bias)
        # What models part on was chosen for it: it doesn't tell how a source is decided.
        elsewhere = _elsewhere(corpus, ~held, usual, settings)
        folds = splits.grouped_folds(
            part.has, train.groups_of(documents.iloc[rows].reset_index(drop=True)), settings.folds
        )
        heads, probability, decision = train.fit_heads(part, document, unit, folds, settings, elsewhere)
        everything = np.ones(len(documents), dtype=bool)
        columns, bias = _weights(corpus, everything, settings, first)
        named = np.concatenate([unit_source, np.full(len(soft.unit), -1)])
        sources = train.source_models(ngrams.units, named, settings)
    columns += [weights for weights, _ in sources]
    bias = np.append(bias, [intercept for _, intercept in sources])
    idf = [ngrams.document_idf] * len(LABELS) + [ngrams.unit_idf] * (len(columns) - len(LABELS))
    weighed = []
    for weights, scale in zip(columns, idf, strict=True):
        whole = np.zeros(settings.features.buckets)
        whole[known] = weights * scale[known]
        weighed.append(whole)
    model = train.folded(settings.features, weighed, bias.tolist(), heads)
    told = [
        (
            np.flatnonzero(usual & np.isin(corpus.source, kind)),
            to_logits(sigmoid(train.head_logits(one, heads))),
        )
        for kind, one in zip((kind for kinds in LEFT_OUT for kind in kinds), elsewhere, strict=True)
    ]
    return Student(model, rows, probability, decision, tuple(told))


@dataclass(frozen=True)
class Corpus:
    """All that is learnt from: n-grams of labelled documents, then of soft ones.

    `source` and `weight` are those of the labelled ones, shape (n,).
    """

    ngrams: train.Ngrams
    truth: train.Truth
    source: np.ndarray
    weight: np.ndarray
    soft: Soft

    @property
    def soft_owner(self) -> np.ndarray:
        """Soft document of each unit behind those of the labelled ones, shape (k,)."""
        sizes = np.diff(self.ngrams.places.first)[len(self.truth.has) :]
        return np.repeat(np.arange(len(sizes)), sizes)


def _judged(
    corpus: Corpus, chosen: np.ndarray, columns: Sequence[np.ndarray], bias: np.ndarray
) -> tuple[train.Truth, np.ndarray, np.ndarray]:
    """Return what is known of the chosen labelled documents, and the logits of these and of their units."""
    ngrams, truth = corpus.ngrams, corpus.truth
    rows, own = np.flatnonzero(chosen), np.flatnonzero(chosen[truth.owner])
    document = np.column_stack([ngrams.documents[rows] @ one for one in columns[: len(LABELS)]])
    unit = np.column_stack([ngrams.units[own] @ one for one in columns[len(LABELS) :]])
    first = np.concatenate([[0], np.cumsum(np.diff(truth.first)[rows])])
    part = train.Truth(first, truth.has[rows], truth.unit_has[own])
    return part, document + bias[: len(LABELS)], unit + bias[len(LABELS) :]


def _elsewhere(
    corpus: Corpus, inside: np.ndarray, usual: np.ndarray, settings: train.TrainingSettings
) -> list[train.Elsewhere]:
    """Return what fits without the sources of each row of LEFT_OUT make of these."""
    found = []
    for kinds in LEFT_OUT:
        without = [source for kind in kinds for source in kind]
        columns, bias = _weights(corpus, inside, settings, without=without)
        found += [
            train.Elsewhere(*_judged(corpus, usual & np.isin(corpus.source, kind), columns, bias))
            for kind in kinds
        ]
    return found


def _weights(
    corpus: Corpus,
    inside: np.ndarray,
    settings: train.TrainingSettings,
    first: Sequence[np.ndarray] = (),
    without: Sequence[str] = (),
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the weights of documents, then of units, for each label, and their six intercepts.

    Of the labelled documents those `inside` count, of all of them those of no source in `without`.
    """
    ngrams, truth, soft = corpus.ngrams, corpus.truth, corpus.soft
    columns, bias = [], []
    starts = iter(first or [None] * 2 * len(LABELS))
    inside = inside & ~np.isin(corpus.source, without)
    trusted = SOFT * ~np.isin(soft.source, without)
    whole = np.concatenate([inside * corpus.weight, trusted])
    for place in range(len(LABELS)):
        target = np.concatenate([truth.has[:, place], soft.document[:, place]])
        weights, intercept = fit_shares(ngrams.documents, target, whole, settings.document_c, next(starts))
        columns.append(weights)
        bias.append(intercept)
    for place in range(len(LABELS)):
        known = (truth.unit_has[:, place] != -1) & inside[truth.owner]
        target = np.concatenate([truth.unit_has[:, place] == 1, soft.unit[:, place]])
        weight = np.concatenate([known * corpus.weight[truth.owner], trusted[corpus.soft_owner]])
        weights, intercept = fit_shares(ngrams.units, target, weight, settings.unit_c, next(starts))
        columns.append(weights)
        bias.append(intercept)
    return columns, np.array(bias)


def fit_shares(
    rows: sparse.csr_matrix,
    target: np.ndarray,
    weight: np.ndarray,
    c: float,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Return weights and intercept of a logistic regression whose targets are shares in [0, 1].

    Parameters
    ----------
    rows
        Shape (n, d).
    target, weight
        Shape (n,).
    c
        Inverse strength of the L2 penalty, as in scikit-learn.
    start
        Weights and intercept of an earlier fit to go on from.
    """
    columns = rows.T.tocsr()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        free, intercept = parameters[:-1], parameters[-1]
        logit = rows @ free + intercept
        value = (weight * (np.logaddexp(0.0, logit) - target * logit)).sum() + free @ free / (2 * c)
        slope = weight * (1.0 / (1.0 + np.exp(-logit)) - target)
        return value, np.append(columns @ slope + free / c, slope.sum())

    found = minimize(
        loss,
        np.zeros(rows.shape[1] + 1) if start is None else start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS if start is None else FURTHER, "maxcor": 8},
    )
    return found.x[:-1], float(found.x[-1])
