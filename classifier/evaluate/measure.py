"""Measuring one model, and two against each other.

In: labelled documents and what a model said of them. Out: Evaluation, Comparison.
Never runs a model, never fits a threshold, never lets text of a document out.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from classifier import metrics
from classifier.errors import InputError
from classifier.evaluate.scorecard import (
    HIGHER_IS_BETTER,
    Comparison,
    Coverage,
    Difference,
    Evaluation,
    Evidence,
    ExpectationSource,
    LabelQuality,
    Review,
    Subset,
)
from classifier.labels import GAP, LABELS
from classifier.metrics import Codes, Estimate, Flags, Reals, Resamples
from classifier.splits import group_codes, merge_groups, near_duplicate_groups

SELECTIVE: Final = 0.8
"""Coverage at which the F1 of the surest documents is reported."""

_LONGEST_SPAN: Final = 300
_LENGTHS: Final = (15, 50, 150)
_LENGTH_NAMES: Final = ("up to 15 words", "16 to 50 words", "51 to 150 words", "over 150 words")
_COVERAGES: Final = tuple(step / 20 for step in range(1, 21))


@dataclass(frozen=True)
class Predictions:
    """What a model said, one row per document, labels in the order of LABELS.

    `probabilities` (n, 3) in [0, 1]; `decisions` (n, 3); `spans` per document {label: (start, end)}, code
    points in the text; `expectation_source` (n,), empty for none; `review` (n,), left to a person;
    `thresholds` (3,), read off the decisions where left out.
    """

    probabilities: Reals
    decisions: Flags
    spans: Sequence[Mapping[str, tuple[int, int]]]
    expectation_source: Sequence[str]
    review: Flags
    thresholds: Sequence[float] | None = None

    def of_rows(self, rows: Sequence[int]) -> "Predictions":
        """Return what was said of some documents, by their places."""
        chosen = np.array(rows, dtype=np.int64)
        return Predictions(
            np.asarray(self.probabilities)[chosen],
            np.asarray(self.decisions)[chosen],
            [self.spans[row] for row in rows],
            [self.expectation_source[row] for row in rows],
            np.asarray(self.review)[chosen],
            self.thresholds,
        )


def evaluate(
    gold: pd.DataFrame,
    predictions: Predictions,
    *,
    groups: Sequence[Hashable] | Codes | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """Measure one model.

    Intervals are 95 % percentile intervals of a bootstrap that draws whole groups, so that documents
    that depend on each other stay together. Nothing depends on the order of the rows.

    Parameters
    ----------
    gold
        Table LABELLED, at least one row; ids set the order that the seed refers to.
    predictions
        Of the same documents in the same order.
    groups
        One name per document; by default the column `group` joined with near-duplicate texts.
    n_boot
        Number of resamples; 0 for figures without intervals.
    seed
        Of the resamples.

    Raises
    ------
    InputError
        If there are no documents, the predictions are of another number of documents or labels, or a
        probability isn't in [0, 1].
    """
    sample = _Sample(gold, groups, n_boot, seed)
    found = sample.ordered(predictions)
    draws = _draws(sample, found)
    return Evaluation(
        documents=len(sample.y),
        groups=sample.resamples.weights.shape[1],
        resamples=n_boot,
        seed=seed,
        labels=_labels(sample, found, draws),
        macro_f1=metrics.interval(metrics.macro(draws["f1"])),
        by={
            dimension: {name: _subset(sample, found, within) for name, within in subsets.items()}
            for dimension, subsets in sample.subsets().items()
        },
        evidence=_evidence(sample, found),
        expectation_source=_expectation_source(sample, found),
        review=_review(sample, found),
        selective=_coverage(sample, found, SELECTIVE),
        risk_coverage=tuple(_coverage(sample, found, coverage) for coverage in _COVERAGES),
    )


def compare(
    gold: pd.DataFrame,
    first: Predictions,
    second: Predictions,
    *,
    names: tuple[str, str] = ("first", "second"),
    groups: Sequence[Hashable] | Codes | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Measure two models on the same resamples, with the interval of each difference (second - first).

    Parameters are those of `evaluate`; `names` stand in the tables.

    Raises
    ------
    InputError
        As `evaluate` does.
    """
    sample = _Sample(gold, groups, n_boot, seed)
    one, other = sample.ordered(first), sample.ordered(second)
    before, after = _draws(sample, one), _draws(sample, other)
    return Comparison(
        names=names,
        documents=len(sample.y),
        groups=sample.resamples.weights.shape[1],
        resamples=n_boot,
        seed=seed,
        macro_f1=_difference("f1", metrics.macro(before["f1"]), metrics.macro(after["f1"])),
        labels={
            label: {
                name: _difference(name, before[name][:, column], after[name][:, column])
                for name in HIGHER_IS_BETTER
            }
            for column, label in enumerate(LABELS)
        },
        by={
            dimension: {
                name: _difference("f1", *(_macro_f1(sample, model, within) for model in (one, other)))
                for name, within in subsets.items()
            }
            for dimension, subsets in sample.subsets().items()
        },
    )


class _Sample:
    """The documents in the order of their ids, with their resamples."""

    def __init__(
        self, gold: pd.DataFrame, groups: Sequence[Hashable] | Codes | None, n_boot: int, seed: int
    ) -> None:
        if groups is None:
            codes = merge_groups(group_codes(gold["group"]), near_duplicate_groups(gold["text"]))
        elif len(groups) == len(gold):
            codes = group_codes(groups)
        else:
            raise InputError(f"{len(groups)} groups for {len(gold)} documents; give one group per document")
        self._order = np.argsort(gold["id"].to_numpy(dtype=str), kind="stable")
        self.gold = gold.iloc[self._order].reset_index(drop=True)
        self.y: Flags = self.gold[list(LABELS)].to_numpy(dtype=bool)
        self.resamples: Resamples = metrics.resample(codes[self._order], n_boot, seed)

    def ordered(self, predictions: Predictions) -> Predictions:
        """Check the predictions and bring them into the order of the sample."""
        order = self._order
        _check(predictions, (len(self.y), len(LABELS)))
        return Predictions(
            probabilities=np.asarray(predictions.probabilities, dtype=float)[order],
            decisions=np.asarray(predictions.decisions, dtype=bool)[order],
            spans=[predictions.spans[row] for row in order],
            expectation_source=[str(predictions.expectation_source[row]) for row in order],
            review=np.asarray(predictions.review, dtype=bool)[order],
            thresholds=_thresholds(predictions),
        )

    def subsets(self) -> dict[str, dict[str, Flags]]:
        """Return dimension -> name -> which documents; a dimension that no document fills is left out."""
        sizes = [len(text.split()) for text in self.gold["text"]]
        lengths = np.array(_LENGTH_NAMES)[np.searchsorted(_LENGTHS, sizes)]
        dimensions = {
            "source": (self.gold["source"].to_numpy(dtype=str), None),
            "channel": (self.gold["channel"].to_numpy(dtype=str), None),
            "length": (lengths, _LENGTH_NAMES),
        }
        return {
            dimension: {
                name: values == name for name in names or np.unique(values).tolist() if name in values
            }
            for dimension, (values, names) in dimensions.items()
            if (values != "").any()
        }


def _check(predictions: Predictions, shape: tuple[int, int]) -> None:
    documents, labels = shape
    thresholds = predictions.thresholds
    sizes = {
        "probabilities": (np.shape(predictions.probabilities), shape),
        "decisions": (np.shape(predictions.decisions), shape),
        "spans": ((len(predictions.spans),), (documents,)),
        "expectation_source": ((len(predictions.expectation_source),), (documents,)),
        "review": (np.shape(predictions.review), (documents,)),
        "thresholds": ((labels if thresholds is None else len(thresholds),), (labels,)),
    }
    for name, (found, wanted) in sizes.items():
        if found != wanted:
            raise InputError(
                f"predictions.{name} is {found}, but the gold asks for {wanted}; score the same documents"
            )
    values = np.asarray(predictions.probabilities, dtype=float)
    # Written so that NaN fails, too.
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("predictions.probabilities holds a value outside of 0 to 1; give probabilities")


def _thresholds(predictions: Predictions) -> list[float]:
    if predictions.thresholds is not None:
        return [float(threshold) for threshold in predictions.thresholds]
    columns = zip(np.asarray(predictions.probabilities).T, np.asarray(predictions.decisions).T, strict=True)
    return [metrics.cut(probabilities, decisions) for probabilities, decisions in columns]


# Figures


def _draws(sample: _Sample, found: Predictions) -> dict[str, Reals]:
    """Return each figure of HIGHER_IS_BETTER as (1 + resamples, labels)."""
    rates = metrics.rates(sample.y, found.decisions, sample.resamples)
    columns = list(zip(sample.y.T, found.probabilities.T, strict=True))
    errors = [metrics.calibration_errors(y, p, sample.resamples) for y, p in columns]
    ranked = [metrics.average_precision(y, p, sample.resamples) for y, p in columns]
    return {
        "precision": rates.precision,
        "recall": rates.recall,
        "f1": rates.f1,
        "average_precision": np.stack(ranked, axis=1),
        "ece": np.stack([plain for plain, _ in errors], axis=1),
        "debiased_ece": np.stack([debiased for _, debiased in errors], axis=1),
        "brier": metrics.brier(sample.y, found.probabilities, sample.resamples),
    }


def _estimate(name: str, draws: Reals) -> Estimate:
    estimate = metrics.interval(draws, centred=name == "debiased_ece")
    if name != "debiased_ece":
        return estimate
    # An error below 0 is one of 0; the correction may overshoot.
    return Estimate(*(max(0.0, bound) for bound in (estimate.value, estimate.low, estimate.high)))


def _difference(name: str, before: Reals, after: Reals) -> Difference:
    return Difference(
        first=_estimate(name, before),
        second=_estimate(name, after),
        difference=metrics.interval(after - before, centred=name == "debiased_ece"),
        higher_is_better=HIGHER_IS_BETTER[name],
    )


def _labels(sample: _Sample, found: Predictions, draws: Mapping[str, Reals]) -> dict[str, LabelQuality]:
    assert found.thresholds is not None  # set by _Sample.ordered
    return {
        label: LabelQuality(
            positives=int(sample.y[:, column].sum()),
            predicted=int(found.decisions[:, column].sum()),
            threshold=found.thresholds[column],
            figures={name: _estimate(name, values[:, column]) for name, values in draws.items()},
            bins=metrics.reliability(sample.y[:, column], found.probabilities[:, column]),
        )
        for column, label in enumerate(LABELS)
    }


def _macro_f1(sample: _Sample, found: Predictions, within: Flags) -> Reals:
    return metrics.macro(metrics.rates(sample.y, found.decisions, sample.resamples, within).f1)


def _subset(sample: _Sample, found: Predictions, within: Flags) -> Subset:
    f1 = metrics.rates(sample.y, found.decisions, sample.resamples, within).f1
    return Subset(
        documents=int(within.sum()),
        macro_f1=metrics.interval(metrics.macro(f1)),
        f1={label: metrics.interval(f1[:, column]) for column, label in enumerate(LABELS)},
        positives={label: int(sample.y[within, column].sum()) for column, label in enumerate(LABELS)},
    )


def _share(sample: _Sample, part: Flags, whole: Flags) -> Estimate:
    totals = sample.resamples.totals(np.stack([part & whole, whole], axis=1))
    return metrics.interval(metrics.ratio(totals[:, 0], totals[:, 1]))


# Evidence, expectation source, abstention


def _evidence(sample: _Sample, found: Predictions) -> dict[str, Evidence]:
    """Return the coverage of gold spans per label, and of all of them as "all"."""
    true = sample.y & found.decisions
    measured, covered = np.zeros_like(true), np.zeros_like(true)
    lost = np.zeros_like(true)
    for row, (text, spans) in enumerate(zip(sample.gold["text"], sample.gold["evidence"], strict=True)):
        gold_spans = json.loads(spans) if spans else {}
        for column, label in enumerate(LABELS):
            if not true[row, column] or not gold_spans.get(label):
                continue
            places = _places(text, gold_spans[label])
            measured[row, column], lost[row, column] = bool(places), not places
            covered[row, column] = _covers(found.spans[row].get(label), places, len(gold_spans[label]))
    result = {}
    # The three labels of a document stand in one row each: a resample draws them together.
    for name, columns in [*((label, [column]) for column, label in enumerate(LABELS)), ("all", [0, 1, 2])]:
        sums = [sample.resamples.totals(part[:, columns]).sum(axis=1) for part in (covered, measured)]
        result[name] = Evidence(
            true_positives=int(true[:, columns].sum()),
            measured=int(measured[:, columns].sum()),
            lost=int(lost[:, columns].sum()),
            covered=metrics.interval(metrics.ratio(*sums)),
        )
    return result


def _places(text: str, span: str) -> list[int]:
    """Return where `span` starts in `text`, every time that it stands there."""
    places, start = [], text.find(span)
    while start >= 0:
        places.append(start)
        start = text.find(span, start + 1)
    return places


def _covers(span: tuple[int, int] | None, places: Sequence[int], length: int) -> bool:
    if span is None or span[1] - span[0] > _LONGEST_SPAN:
        return False
    start, end = span
    return any(2 * (min(end, place + length) - max(start, place)) >= length for place in places)


def _expectation_source(sample: _Sample, found: Predictions) -> ExpectationSource:
    column = LABELS.index(GAP)
    gold = sample.gold["expectation_source"].to_numpy(dtype=str)
    predicted = np.array(found.expectation_source, dtype=str)
    measured = sample.y[:, column] & found.decisions[:, column] & (gold != "")
    confusion: dict[str, dict[str, int]] = {}
    for name in np.unique(gold[measured]).tolist():
        names, counts = np.unique(predicted[measured & (gold == name)], return_counts=True)
        confusion[name] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return ExpectationSource(int(measured.sum()), _share(sample, predicted == gold, measured), confusion)


def _review(sample: _Sample, found: Predictions) -> Review:
    everything = np.ones(len(sample.y), dtype=bool)
    return Review(
        share=_share(sample, found.review, everything),
        f1_without=metrics.interval(_macro_f1(sample, found, ~found.review)),
    )


def _coverage(sample: _Sample, found: Predictions, coverage: float) -> Coverage:
    confidences = metrics.confidence(found.probabilities, np.array(found.thresholds))
    kept = metrics.most_confident(confidences, coverage)
    wrong = (sample.y != found.decisions)[kept].mean(axis=0)
    return Coverage(
        coverage=coverage,
        macro_f1=metrics.interval(_macro_f1(sample, found, kept)),
        errors=dict(zip(LABELS, wrong.tolist(), strict=True)),
    )
