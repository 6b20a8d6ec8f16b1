"""Labelled documents to a model.

In: the table LABELLED. Out: a FastModel, and the out-of-fold predictions that its settings were chosen on.
Never lets near-duplicates fall on both sides of a fold.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits

from classifier import splits
from classifier.classify import FastModel, Head
from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.train.heads import fit_heads
from classifier.train.linear import Task, folded, logits_of, source_models, weights_of
from classifier.train.ngrams import Ngrams, Reals, ngrams_of
from classifier.train.settings import TrainingSettings
from classifier.train.truth import NO, UNKNOWN, YES, Flags, Truth, unit_labels

MIN_POSITIVES: Final = 10
"""Fewer examples of a label (or of its absence) than this teach nothing."""


@dataclass(frozen=True)
class Trained:
    """A model and what it was chosen on.

    Attributes
    ----------
    model
        Fitted on all documents.
    folds, groups
        Fold and group of each document, shape (n,).
    probability, decision
        Out-of-fold, shape (n, 3): no document was scored by a model that saw its group.
    """

    model: FastModel
    folds: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    probability: Reals
    decision: Flags


@dataclass(frozen=True)
class _Corpus:
    """N-grams of labelled documents, and what is known of these."""

    ngrams: Ngrams
    truth: Truth
    unit_source: npt.NDArray[np.int64]

    @property
    def documents(self) -> sparse.csr_matrix:
        return self.ngrams.documents

    @property
    def units(self) -> sparse.csr_matrix:
        return self.ngrams.units

    @property
    def has(self) -> Flags:
        return self.truth.has

    @property
    def unit_has(self) -> npt.NDArray[np.int8]:
        return self.truth.unit_has

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        return self.truth.owner


def fit(labelled: pd.DataFrame, settings: TrainingSettings | None = None) -> Trained:
    """Fit a model; row order doesn't matter.

    Three linear models per label share one pass over the n-grams: one of the document, one of its
    units (evidence spans say which unit carries a label), stacked by a fourth that is fitted on
    out-of-fold logits and so calibrates them too.

    Parameters
    ----------
    labelled
        Table LABELLED, at least 10 documents with and without each label.
    settings
        Defaults where None.

    Raises
    ------
    InputError
        If a label has too few examples to learn from, or examples that are too much alike.
    """
    settings = settings or TrainingSettings()
    labelled = canonical(labelled)
    has = labelled[list(LABELS)].to_numpy(dtype=bool)
    _check_enough(has)
    groups = groups_of(labelled)
    folds = splits.grouped_folds(
        has, groups, settings.folds, settings.seed, strata=labelled["source"].tolist()
    )
    # One thread: how a BLAS shares work between threads changes the last bits of a sum.
    with threadpool_limits(1):
        corpus = _with_evidence(_corpus(labelled, has, settings), folds)
        _check_folds(corpus, folds)
        document, unit = _out_of_fold(corpus, folds, settings)
        heads, probability, decision = fit_heads(corpus.truth, document, unit, folds, settings)
        model = _final(corpus, heads, settings)
    return Trained(model, folds, groups, probability, decision)


def groups_of(labelled: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the group of each document, shape (n,): near-duplicates and what the data call one group."""
    return splits.merge_groups(
        splits.group_codes(labelled["group"].tolist()),
        splits.near_duplicate_groups(labelled["text"].tolist()),
    )


def canonical(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return the documents in an order that depends on nothing but themselves: that of `Trained`."""
    return labelled.sort_values(["text", "source", "id", *LABELS], kind="stable").reset_index(drop=True)


def _check_enough(has: Flags) -> None:
    for place, label in enumerate(LABELS):
        positives = int(has[:, place].sum())
        negatives = len(has) - positives
        if min(positives, negatives) < MIN_POSITIVES:
            raise InputError(
                f"{label}: {positives} documents with it and {negatives} without; "
                f"training needs at least {MIN_POSITIVES} of each: label more documents"
            )


def _with_evidence(corpus: _Corpus, folds: npt.NDArray[np.int64]) -> _Corpus:
    """Let all units of its documents carry a label whose evidence is missing or lies in one fold alone."""
    unit_has = corpus.unit_has.copy()
    for place in range(len(LABELS)):
        carrying = unit_has[:, place] == YES
        if len(np.unique(folds[corpus.owner[carrying]])) < 2:
            unit_has[unit_has[:, place] == UNKNOWN, place] = YES
    return replace(corpus, truth=replace(corpus.truth, unit_has=unit_has))


def _check_folds(corpus: _Corpus, folds: npt.NDArray[np.int64]) -> None:
    """Refuse documents that leave a fold's training part without examples of one kind."""
    for place, label in enumerate(LABELS):
        for word, value in (("with", YES), ("without", NO)):
            owners = corpus.owner[corpus.unit_has[:, place] == value]
            if len(np.unique(folds[owners])) < 2:
                raise InputError(
                    f"{label}: all documents {word} it are near-duplicates, of one group, or empty; "
                    "training needs different ones: label more documents"
                )


def _corpus(labelled: pd.DataFrame, has: Flags, settings: TrainingSettings) -> _Corpus:
    ngrams = ngrams_of(labelled["text"], settings)
    unit_has, unit_source = unit_labels(labelled, ngrams.places, has)
    return _Corpus(ngrams, Truth(ngrams.places.first, has, unit_has), unit_source)


def _out_of_fold(
    corpus: _Corpus, folds: npt.NDArray[np.int64], settings: TrainingSettings
) -> tuple[Reals, Reals]:
    """Return logits of documents, shape (n, 3), and units, shape (u, 3), from models that saw neither."""
    document, unit = np.zeros(corpus.has.shape), np.zeros(corpus.unit_has.shape)
    turns = [(fold, place) for fold in range(settings.folds) for place in range(len(LABELS))]
    whole = [_document_task(corpus, settings, place, folds != fold) for fold, place in turns]
    parts = [_unit_task(corpus, settings, place, folds != fold) for fold, place in turns]
    for table, rows, tasks in ((document, corpus.documents, whole), (unit, corpus.units, parts)):
        for (_, place), task, logits in zip(turns, tasks, logits_of(rows, tasks), strict=True):
            table[task.others, place] = logits
    return document, unit


def _document_task(corpus: _Corpus, settings: TrainingSettings, place: int, inside: Flags) -> Task:
    """Return the task of a label, learnt from the documents inside."""
    rows = np.flatnonzero(inside)
    return Task(settings.document_c, rows, corpus.has[rows, place], np.flatnonzero(~inside))


def _unit_task(corpus: _Corpus, settings: TrainingSettings, place: int, inside: Flags) -> Task:
    """Return the task of a label, learnt from those units of the documents inside of which it is told."""
    unit_inside = inside[corpus.owner]
    rows = np.flatnonzero(unit_inside & (corpus.unit_has[:, place] != UNKNOWN))
    return Task(settings.unit_c, rows, corpus.unit_has[rows, place] == YES, np.flatnonzero(~unit_inside))


def _final(corpus: _Corpus, heads: dict[str, Head], settings: TrainingSettings) -> FastModel:
    """Fit on everything, and fold idf into the weights."""
    everything = np.ones(len(corpus.has), dtype=np.bool_)
    whole = [_document_task(corpus, settings, place, everything) for place in range(len(LABELS))]
    parts = [_unit_task(corpus, settings, place, everything) for place in range(len(LABELS))]
    fitted = [
        *((corpus.ngrams.document_idf, *one) for one in weights_of(corpus.documents, whole)),
        *((corpus.ngrams.unit_idf, *one) for one in weights_of(corpus.units, parts)),
        *(
            (corpus.ngrams.unit_idf, *one)
            for one in source_models(corpus.units, corpus.unit_source, settings)
        ),
    ]
    columns = [weights * idf for idf, weights, _ in fitted]
    return folded(settings.features, columns, [bias for *_, bias in fitted], heads)
