"""What an evaluation or a comparison found, as frozen records and as dicts for JSON.

In: figures with intervals. Out: dicts. Never computes a figure, never holds text of a document.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from classifier.metrics import Bin, Estimate

HIGHER_IS_BETTER: Final = {
    "precision": True,
    "recall": True,
    "f1": True,
    "average_precision": True,
    "ece": False,
    "debiased_ece": False,
    "brier": False,
}
"""The figures per label, in the order of the tables."""

NO_NAME: Final = "(none)"
"""Stands for an empty source, channel or expectation source."""


@dataclass(frozen=True)
class LabelQuality:
    """One label: `figures` by the names in HIGHER_IS_BETTER; `threshold` is NaN where it isn't one number."""

    positives: int
    predicted: int
    threshold: float
    figures: Mapping[str, Estimate]
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Subset:
    """The documents of one source, channel or length."""

    documents: int
    macro_f1: Estimate
    f1: Mapping[str, Estimate]
    positives: Mapping[str, int]


@dataclass(frozen=True)
class Evidence:
    """Spans of true positives; `lost` of them have a gold span that doesn't stand in the text."""

    true_positives: int
    measured: int
    lost: int
    covered: Estimate


@dataclass(frozen=True)
class ExpectationSource:
    """True expectation gaps with a known source: gold source -> predicted source -> documents."""

    measured: int
    accuracy: Estimate
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Coverage:
    """The surest documents alone: macro-F1, and per label the share of wrong decisions."""

    coverage: float
    macro_f1: Estimate
    errors: Mapping[str, float]


@dataclass(frozen=True)
class Review:
    """Documents marked for a person, and the macro-F1 of the others."""

    share: Estimate
    f1_without: Estimate


@dataclass(frozen=True)
class Evaluation:
    """The quality of one model on one set of documents."""

    documents: int
    groups: int
    resamples: int
    seed: int
    labels: Mapping[str, LabelQuality]
    macro_f1: Estimate
    by: Mapping[str, Mapping[str, Subset]]
    evidence: Mapping[str, Evidence]
    expectation_source: ExpectationSource
    review: Review
    selective: Coverage
    risk_coverage: tuple[Coverage, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers: 6 decimals, `None` for what isn't defined."""
        return {
            "documents": self.documents,
            "groups": self.groups,
            "resamples": self.resamples,
            "seed": self.seed,
            "labels": {name: _label_dict(label) for name, label in self.labels.items()},
            "macro_f1": _estimate_dict(self.macro_f1),
            "by": {
                dimension: {name or NO_NAME: _subset_dict(subset) for name, subset in subsets.items()}
                for dimension, subsets in self.by.items()
            },
            "evidence": {name: _evidence_dict(evidence) for name, evidence in self.evidence.items()},
            "expectation_source": {
                "measured": self.expectation_source.measured,
                "accuracy": _estimate_dict(self.expectation_source.accuracy),
                "confusion": {
                    gold: {name or NO_NAME: count for name, count in row.items()}
                    for gold, row in self.expectation_source.confusion.items()
                },
            },
            "review": {
                "share": _estimate_dict(self.review.share),
                "f1_without": _estimate_dict(self.review.f1_without),
            },
            "selective": _coverage_dict(self.selective),
            "risk_coverage": [_coverage_dict(point) for point in self.risk_coverage],
        }


@dataclass(frozen=True)
class Difference:
    """A figure of two models on the same resamples; `difference` is the second minus the first."""

    first: Estimate
    second: Estimate
    difference: Estimate
    higher_is_better: bool = True

    @property
    def better(self) -> Literal["first", "second", ""]:
        """Which model is better; empty unless the interval of the difference leaves out 0."""
        if self.difference.low > 0:
            return "second" if self.higher_is_better else "first"
        if self.difference.high < 0:
            return "first" if self.higher_is_better else "second"
        return ""


@dataclass(frozen=True)
class Comparison:
    """Two models on the same documents; `names` as the user calls them."""

    names: tuple[str, str]
    documents: int
    groups: int
    resamples: int
    seed: int
    macro_f1: Difference
    labels: Mapping[str, Mapping[str, Difference]]
    by: Mapping[str, Mapping[str, Difference]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers: 6 decimals, `None` for what isn't defined."""
        return {
            "names": list(self.names),
            "documents": self.documents,
            "groups": self.groups,
            "resamples": self.resamples,
            "seed": self.seed,
            "macro_f1": _difference_dict(self.macro_f1),
            "labels": {
                label: {name: _difference_dict(pair) for name, pair in figures.items()}
                for label, figures in self.labels.items()
            },
            "by": {
                dimension: {name or NO_NAME: _difference_dict(pair) for name, pair in subsets.items()}
                for dimension, subsets in self.by.items()
            },
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _estimate_dict(estimate: Estimate) -> dict[str, float | None]:
    return {
        "value": _number(estimate.value),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
    }


def _label_dict(label: LabelQuality) -> dict[str, Any]:
    return {
        **{name: _estimate_dict(estimate) for name, estimate in label.figures.items()},
        "positives": label.positives,
        "predicted": label.predicted,
        "threshold": _number(label.threshold),
        "reliability": [
            {"documents": b.documents, "probability": _number(b.probability), "share": _number(b.share)}
            for b in label.bins
        ],
    }


def _subset_dict(subset: Subset) -> dict[str, Any]:
    return {
        "documents": subset.documents,
        "macro_f1": _estimate_dict(subset.macro_f1),
        "f1": {name: _estimate_dict(estimate) for name, estimate in subset.f1.items()},
        "positives": dict(subset.positives),
    }


def _evidence_dict(evidence: Evidence) -> dict[str, Any]:
    return {
        "true_positives": evidence.true_positives,
        "measured": evidence.measured,
        "lost": evidence.lost,
        "covered": _estimate_dict(evidence.covered),
    }


def _coverage_dict(point: Coverage) -> dict[str, Any]:
    return {
        "coverage": _number(point.coverage),
        "macro_f1": _estimate_dict(point.macro_f1),
        "errors": {name: _number(error) for name, error in point.errors.items()},
    }


def _difference_dict(pair: Difference) -> dict[str, Any]:
    return {
        "first": _estimate_dict(pair.first),
        "second": _estimate_dict(pair.second),
        "difference": _estimate_dict(pair.difference),
        "better": pair.better or None,
    }
