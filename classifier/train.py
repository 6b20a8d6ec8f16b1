"""Labelled documents to a model: weights, stacking, calibration, thresholds.

In: the table LABELLED. Out: a FastModel, and the out-of-fold predictions that its settings were
chosen on. Never sees gold; never lets near-duplicates fall on both sides of a fold.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from classifier import kernel, splits
from classifier.buffers import Column
from classifier.classify import FastModel, Head
from classifier.classify.logits import sigmoid, stack
from classifier.errors import InputError
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MIN_POSITIVES: Final = 10
"""Fewer examples of a label (or of its absence) than this teach nothing."""

_UNKNOWN: Final = -1
_NO: Final = 0
_YES: Final = 1


@dataclass(frozen=True)
class TrainingSettings:
    """How the model is fitted; the defaults were chosen on validation folds of the training data.

    `document_c`, `unit_c`, `source_c` are inverse regularisation strengths; an n-gram is known when
    it occurs in `min_documents`; `too_close` is the share of validation documents per label that are
    marked as too close to call.
    """

    features: FeatureSettings = field(default_factory=lambda: FeatureSettings(bits=20, words=2, char_max=0))
    document_c: float = 32.0
    unit_c: float = 16.0
    source_c: float = 8.0
    min_documents: int = 2
    folds: int = 5
    too_close: float = 0.04
    seed: int = 0


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
class Truth:
    """What is known of documents and their units.

    Attributes
    ----------
    first
        Units of document i are rows first[i]:first[i + 1], shape (n + 1,).
    has
        Labels of the documents, shape (n, 3).
    unit_has
        Labels of the units, shape (u, 3): 1 yes, 0 no, -1 unknown.
    """

    first: npt.NDArray[np.int64]
    has: Flags
    unit_has: npt.NDArray[np.int8]

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """Document of each unit, shape (u,)."""
        return np.repeat(np.arange(len(self.has)), np.diff(self.first))


@dataclass(frozen=True)
class Ngrams:
    """Texts and their units as weighted, length-scaled rows of n-gram counts, a column for each bucket.

    `document_idf` and `unit_idf` are the weights of the columns, 0 for n-grams of too few documents.
    """

    documents: sparse.csr_matrix
    units: sparse.csr_matrix
    document_idf: Reals
    unit_idf: Reals
    places: kernel.Units


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
        carrying = unit_has[:, place] == _YES
        if len(np.unique(folds[corpus.owner[carrying]])) < 2:
            unit_has[unit_has[:, place] == _UNKNOWN, place] = _YES
    return replace(corpus, truth=replace(corpus.truth, unit_has=unit_has))


def _check_folds(corpus: _Corpus, folds: npt.NDArray[np.int64]) -> None:
    """Refuse documents that leave a fold's training part without examples of one kind."""
    for place, label in enumerate(LABELS):
        for word, value in (("with", _YES), ("without", _NO)):
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


def ngrams_of(texts: pd.Series, settings: TrainingSettings) -> Ngrams:
    """Return the n-grams of cleaned texts; `settings.min_documents` of these must have one."""
    column = Column.of(texts)
    units = kernel.split_column(column)
    indptr, buckets = kernel.bucket_column(column, units, settings.features)
    counts = sparse.csr_matrix(
        (np.ones(len(buckets), dtype=np.float64), buckets, indptr),
        shape=(len(units), settings.features.buckets),
    )
    # As in scoring: an n-gram counts once per unit. On validation folds .003 macro-F1 above counting all.
    counts.sum_duplicates()
    counts.data[:] = 1.0
    belongs = sparse.csr_matrix(
        (np.ones(len(units)), np.arange(len(units)), units.first), shape=(len(texts), len(units))
    )
    documents = (belongs @ counts).tocsr()
    in_documents = np.asarray((documents > 0).sum(axis=0)).ravel()
    known = in_documents >= settings.min_documents
    document_idf = _idf(in_documents, len(texts)) * known
    unit_idf = _idf(np.asarray((counts > 0).sum(axis=0)).ravel(), len(units)) * known
    return Ngrams(_scaled(documents, document_idf), _scaled(counts, unit_idf), document_idf, unit_idf, units)


def _idf(occurs: Reals, total: int) -> Reals:
    """Return the smoothed inverse document frequency, scaled so that a typical value is about 1."""
    idf: Reals = (np.log((1 + total) / (1 + occurs)) + 1.0) / 5.0
    return idf


def _scaled(counts: sparse.csr_matrix, idf: Reals) -> sparse.csr_matrix:
    """Return counts times idf, over the root of how many n-grams the row has.

    A sum of weights over the square root of a count is one pass of additions, which the L2 norm of
    TF-IDF isn't; measured on validation folds it costs .004 macro-F1.
    """
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    rows = sparse.diags(1.0 / np.sqrt(np.maximum(sizes, 1.0)))
    scaled = (rows @ counts @ sparse.diags(idf)).tocsr()
    scaled.eliminate_zeros()
    return scaled


def unit_labels(
    labelled: pd.DataFrame, units: kernel.Units, has: Flags
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Return what is known of each unit, shape (u, 3), and its expectation source or -1, shape (u,).

    A unit that its document's evidence covers carries the label, and so does the only unit of a
    document that has the label; in longer ones the others are unknown; in one that hasn't, none does.
    """
    unit_has = np.zeros((len(units.start), len(LABELS)), dtype=np.int8)
    source = np.full(len(units.start), -1, dtype=np.int64)
    evidences = [json.loads(text) if text else {} for text in labelled["evidence"]]
    for row, (text, evidence) in enumerate(zip(labelled["text"], evidences, strict=True)):
        begin, stop = int(units.first[row]), int(units.first[row + 1])
        for place, label in enumerate(LABELS):
            if not has[row, place]:
                continue
            unit_has[begin:stop, place] = _UNKNOWN
            carrying = _carrying(units, begin, stop, text, evidence.get(label, ""))
            unit_has[carrying, place] = _YES
            name = labelled["expectation_source"].iat[row]
            if label == GAP and name:
                source[carrying] = EXPECTATION_SOURCES.index(name)
    return unit_has, source


def _carrying(units: kernel.Units, begin: int, stop: int, text: str, span: str) -> list[int]:
    """Return those of the document's units that carry `span`: at its first place, where it has several.

    They overlap it by more than half of the shorter of the two; where none does, the one that overlaps
    it most. Without evidence that is in the text, a document's only unit.
    """
    start = text.find(span) if span else -1
    if start < 0 or begin == stop:
        return [begin] if stop - begin == 1 else []
    end = start + len(span)
    overlap = {
        unit: min(end, int(units.end[unit])) - max(start, int(units.start[unit]))
        for unit in range(begin, stop)
    }
    half = [
        unit
        for unit, size in overlap.items()
        if size > 0.5 * min(end - start, int(units.end[unit] - units.start[unit]))
    ]
    return half or [max(overlap, key=lambda unit: (overlap[unit], -unit))]


def _linear(c: float, x: Any, y: Any) -> LogisticRegression:
    return LogisticRegression(C=c, solver="liblinear", random_state=0).fit(x, y)


def _out_of_fold(
    corpus: _Corpus, folds: npt.NDArray[np.int64], settings: TrainingSettings
) -> tuple[Reals, Reals]:
    """Return logits of documents, shape (n, 3), and units, shape (u, 3), from models that saw neither."""
    document = np.zeros(corpus.has.shape)
    unit = np.zeros(corpus.unit_has.shape)
    for fold in range(settings.folds):
        inside = folds != fold
        unit_inside = inside[corpus.owner]
        for place in range(len(LABELS)):
            fitted = _linear(settings.document_c, corpus.documents[inside], corpus.has[inside, place])
            document[~inside, place] = fitted.decision_function(corpus.documents[~inside])
            told = unit_inside & (corpus.unit_has[:, place] != _UNKNOWN)
            fitted = _linear(settings.unit_c, corpus.units[told], corpus.unit_has[told, place] == _YES)
            unit[~unit_inside, place] = fitted.decision_function(corpus.units[~unit_inside])
    return document, unit


def fit_heads(
    truth: Truth,
    document: Reals,
    unit: Reals,
    folds: npt.NDArray[np.int64],
    settings: TrainingSettings,
) -> tuple[dict[str, Head], Reals, Flags]:
    """Fit stacking, thresholds and margins of a tier on logits of documents that it wasn't fitted on.

    Parameters
    ----------
    truth
        Of the documents.
    document, unit
        Logits, shapes (n, 3) and (u, 3).
    folds
        Fold of each document, shape (n,): what is measured is cross-fitted over them.
    settings
        `folds` and `too_close` count here.

    Returns
    -------
    The heads; probabilities and decisions of the documents, cross-fitted, shape (n, 3).
    """
    heads: dict[str, Head] = {}
    probability = np.zeros(truth.has.shape)
    decision = np.zeros(truth.has.shape, dtype=bool)
    for place, label in enumerate(LABELS):
        stacked = stack(document[:, place].astype(np.float32), unit[:, place].astype(np.float32), truth.first)
        has = truth.has[:, place]
        logit = np.zeros(len(has))
        for fold in range(settings.folds):
            inside = folds != fold
            logit[~inside] = _stacker(stacked[inside], has[inside])(stacked[~inside])
        threshold = best_threshold(has, logit)
        for fold in range(settings.folds):
            inside = folds != fold
            decision[~inside, place] = logit[~inside] >= best_threshold(has[inside], logit[inside])
        probability[:, place] = sigmoid(logit)
        scale, shift, unit_threshold = _unit_head(truth.unit_has[:, place], unit[:, place])
        heads[label] = Head(
            stack=_stack_weights(stacked, has),
            threshold=float(sigmoid(np.array(threshold))),
            unit_scale=scale,
            unit_shift=shift,
            unit_threshold=unit_threshold,
            margin=float(np.quantile(np.abs(logit - threshold), settings.too_close)),
            prior=float(has.mean()),
        )
    return heads, probability, decision


def _stack_weights(stacked: Reals, truth: Flags) -> tuple[float, ...]:
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(stacked, truth)
    return (*map(float, fitted.coef_[0]), float(fitted.intercept_[0]))


def _stacker(stacked: Reals, truth: Flags) -> Callable[[Reals], Reals]:
    weights = _stack_weights(stacked, truth)

    def logits(rows: Reals) -> Reals:
        result: Reals = rows @ np.array(weights[:-1]) + weights[-1]
        return result

    return logits


def best_threshold(truth: Flags, logit: Reals, *, draws: int = 200, seed: int = 0) -> float:
    """Return the logit from which on deciding for the label gives the best F1.

    The median over bootstrap draws of the documents: the single best cut of a sample is a noisy
    guess of the best cut of the next one.

    Parameters
    ----------
    truth, logit
        Of each document, shape (n,), n > 0.
    draws, seed
        Of the bootstrap.
    """
    order = np.argsort(-logit, kind="stable")
    ranked, values = truth[order].astype(np.float64), logit[order]
    # Documents with equal logits are decided alike: no cut lies between them.
    possible = np.append(values[1:] != values[:-1], True)
    generator = np.random.default_rng(seed)
    cuts = np.empty(draws)
    for draw in range(draws):
        weight = np.bincount(generator.integers(0, len(truth), len(truth)), minlength=len(truth))[order]
        hits = np.cumsum(ranked * weight)
        f1 = 2 * hits / np.maximum(np.cumsum(weight) + hits[-1], 1.0)
        cuts[draw] = values[possible][int(np.argmax(f1[possible]))]
    return float(np.median(cuts))


def _unit_head(unit_has: npt.NDArray[np.int8], logit: Reals) -> tuple[float, float, float]:
    """Return scale, shift and threshold that turn a unit's logit into a probability and a decision."""
    told = unit_has != _UNKNOWN
    truth = unit_has[told] == _YES
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(logit[told, None], truth)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    threshold = best_threshold(truth, scale * logit[told] + shift, draws=50)
    return scale, shift, float(sigmoid(np.array(threshold)))


def _final(corpus: _Corpus, heads: dict[str, Head], settings: TrainingSettings) -> FastModel:
    """Fit on everything, and fold idf into the weights."""
    columns: list[Reals] = []
    bias: list[float] = []
    for place in range(len(LABELS)):
        fitted = _linear(settings.document_c, corpus.documents, corpus.has[:, place])
        columns.append(fitted.coef_[0] * corpus.ngrams.document_idf)
        bias.append(float(fitted.intercept_[0]))
    for place in range(len(LABELS)):
        told = corpus.unit_has[:, place] != _UNKNOWN
        fitted = _linear(settings.unit_c, corpus.units[told], corpus.unit_has[told, place] == _YES)
        columns.append(fitted.coef_[0] * corpus.ngrams.unit_idf)
        bias.append(float(fitted.intercept_[0]))
    for weights, intercept in source_models(corpus.units, corpus.unit_source, settings):
        columns.append(weights * corpus.ngrams.unit_idf)
        bias.append(intercept)
    return folded(settings.features, columns, bias, heads)


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
        fitted = _linear(settings.source_c, units[rows], truth)
        models.append((fitted.coef_[0], float(fitted.intercept_[0])))
    return models
