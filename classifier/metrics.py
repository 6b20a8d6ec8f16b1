"""Quality figures with intervals: F1, average precision, calibration, on weighted resamples of groups.

In: arrays of true labels, decisions and probabilities, one row per document. Out: one value per
resample, the first of them for the data as they are. Never reads text, never looks at a model.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifier.errors import InputError

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]

BINS: Final = 15
"""Bins of equal mass for calibration errors."""

_CHUNK: Final = 4_000_000
_TINY: Final = 1e-6


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; NaN where it isn't defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resamples:
    """How often each group counts in each resample.

    `weights` is (1 + resamples, groups); its first row is all ones, so that row 0 of whatever is
    computed from it belongs to the data as they are. `codes` is the group of each document, 0 .. groups - 1.
    """

    weights: Reals
    codes: Codes

    def totals(self, columns: NDArray[np.generic]) -> Reals:
        """Return the weighted sums of (documents, columns), as (1 + resamples, columns)."""
        size = self.weights.shape[1]
        sums = [np.bincount(self.codes, weights=column, minlength=size) for column in columns.T.astype(float)]
        return self.weights @ np.stack(sums, axis=1)

    def chunks(self) -> Iterator[tuple[slice, Reals]]:
        """Yield runs of resamples, bounded in size, with the weight of each document in each of them."""
        step = max(1, _CHUNK // len(self.codes))
        for first in range(0, len(self.weights), step):
            rows = slice(first, first + step)
            yield rows, self.weights[rows][:, self.codes]


def resample(groups: Sequence[int] | Codes, n_boot: int, seed: int) -> Resamples:
    """Draw groups with replacement, as many as there are, `n_boot` times.

    Two models measured on the same Resamples are compared in pairs.

    Parameters
    ----------
    groups
        One code per document; at least one document. Codes are renumbered in order of appearance.
    n_boot
        Number of resamples; 0 gives figures without intervals.
    seed
        The same groups in the same order and the same seed give the same resamples.

    Raises
    ------
    InputError
        If there are no documents, or `n_boot` is negative.
    """
    if len(groups) == 0 or n_boot < 0:
        raise InputError(
            f"{len(groups)} documents and {n_boot} resamples: quality needs at least one document, and 0"
            " resamples (no intervals) or more"
        )
    _, first, inverse = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[inverse]
    size = len(first)
    drawn = np.random.default_rng(seed).integers(0, size, size=(n_boot, size))
    cells = (drawn + size * np.arange(n_boot)[:, None]).ravel()
    counts = np.bincount(cells, minlength=n_boot * size).reshape(n_boot, size)
    return Resamples(np.vstack([np.ones(size), counts.astype(float)]), codes)


def interval(draws: Reals, *, centred: bool = False) -> Estimate:
    """Return the first value with the 2.5th and 97.5th percentile of the others.

    Parameters
    ----------
    draws
        (1 + resamples,), the first for the data as they are. Undefined resamples (NaN) are left out.
    centred
        Shift the percentiles so that their median falls on the value. For a debiased figure: a resample
        takes the sample's own noise for the truth, and only its added noise is taken off again (the
        percentile bootstrap of Kumar et al.'s released code).
    """
    value, others = float(draws[0]), draws[1:][~np.isnan(draws[1:])]
    if math.isnan(value) or not len(others):
        return Estimate(value, math.nan, math.nan)
    low, middle, high = np.percentile(others, [2.5, 50, 97.5]).tolist()
    shift = value - middle if centred else 0.0
    return Estimate(value, low + shift, high + shift)


def ratio(part: Reals, whole: Reals) -> Reals:
    """Divide; NaN where `whole` is 0."""
    undefined = np.full(np.broadcast(part, whole).shape, np.nan)
    divided: Reals = np.divide(part, whole, out=undefined, where=whole != 0)
    return divided


@dataclass(frozen=True)
class Rates:
    """Per resample and label, (1 + resamples, labels)."""

    precision: Reals
    recall: Reals
    f1: Reals


def rates(y: Flags, decisions: Flags, resamples: Resamples, within: Flags | None = None) -> Rates:
    """Return precision, recall and F1 per label.

    Precision is undefined (NaN) where nothing is predicted, recall and F1 where nothing is positive.

    Parameters
    ----------
    y, decisions
        (documents, labels).
    within
        (documents,): count only these. All documents by default.
    """
    counted = np.ones((len(y), 1), dtype=bool) if within is None else within[:, None]
    hits, predicted, positives = np.split(
        resamples.totals(np.hstack([y & decisions & counted, decisions & counted, y & counted])), 3, axis=1
    )
    f1 = np.where(positives > 0, ratio(2 * hits, predicted + positives), np.nan)
    return Rates(ratio(hits, predicted), ratio(hits, positives), f1)


def macro(values: Reals) -> Reals:
    """Return the mean over the labels that have positives in the data as they are.

    Parameters
    ----------
    values
        (1 + resamples, labels). A resample without a positive of one of these labels takes the others.

    Returns
    -------
    (1 + resamples,); NaN if no label has positives.
    """
    present = values[:, ~np.isnan(values[0])]
    return ratio(np.nansum(present, axis=1), (~np.isnan(present)).sum(axis=1).astype(float))


def average_precision(y: Flags, probabilities: Reals, resamples: Resamples) -> Reals:
    """Return the sum over thresholds of the gain in recall times the precision there; ties fall together.

    Parameters
    ----------
    y, probabilities
        (documents,) of one label.

    Returns
    -------
    (1 + resamples,); NaN where nothing is positive.
    """
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    values = np.empty(len(resamples.weights))
    for rows, weights in resamples.chunks():
        ranked = weights[:, order]
        hits = np.cumsum(ranked * y[order], axis=1)[:, ends]
        seen = np.cumsum(ranked, axis=1)[:, ends]
        gains = np.diff(hits, axis=1, prepend=0.0)
        values[rows] = ratio(np.nansum(gains * ratio(hits, seen), axis=1), hits[:, -1])
    return values


def brier(y: Flags, probabilities: Reals, resamples: Resamples) -> Reals:
    """Return the mean squared distance of the probabilities (documents, labels) from the truth."""
    squares = (probabilities - y) ** 2
    sizes = resamples.totals(np.ones((len(y), 1)))
    return resamples.totals(squares) / sizes


# Calibration


@dataclass(frozen=True)
class Bin:
    """Documents of like probability: how many, their mean probability, their share of positives."""

    documents: int
    probability: float
    share: float


def bin_codes(probabilities: Reals, n_bins: int = BINS) -> Codes:
    """Cut documents into bins of equal mass; equal probabilities stay together, so bins may be fewer."""
    ranked = np.sort(probabilities)
    ranks = np.arange(1, n_bins) * len(ranked) // n_bins
    return np.unique(
        np.searchsorted(np.unique(ranked[ranks]), probabilities, side="right"), return_inverse=True
    )[1]


def reliability(y: Flags, probabilities: Reals) -> tuple[Bin, ...]:
    """Return the bins of one label, least probable first."""
    codes = bin_codes(probabilities)
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=probabilities) / sizes
    shares = np.bincount(codes, weights=y) / sizes
    return tuple(Bin(*row) for row in zip(sizes.tolist(), means.tolist(), shares.tolist(), strict=True))


def calibration_errors(y: Flags, probabilities: Reals, resamples: Resamples) -> tuple[Reals, Reals]:
    """Return the expected calibration error and its debiased form.

    ECE: the mean distance between probability and share of positives over 15 bins of equal mass. With few
    documents it is too high even for a perfect model. The debiased form takes off what the noise of the
    shares adds under a normal approximation (Kumar, Liang and Ma, "Verified uncertainty calibration",
    NeurIPS 2019, the l1 form of their released code, here in closed form instead of simulated; Roelofs et
    al., "Mitigating bias in calibration error estimation", AISTATS 2022, on equal mass and on the bias).
    Bins are cut once, on the data as they are.

    Parameters
    ----------
    y, probabilities
        (documents,) of one label.

    Returns
    -------
    Both (1 + resamples,), in probability units; the debiased one isn't cut at 0, so that it averages
    to the truth.
    """
    members = np.eye(int(bin_codes(probabilities).max()) + 1, dtype=bool)[bin_codes(probabilities)]
    sizes, mass, positives = np.split(
        resamples.totals(np.hstack([members, members * probabilities[:, None], members & y[:, None]])),
        3,
        axis=1,
    )
    # A bin that a resample leaves empty has weight 0.
    filled = np.maximum(sizes, 1.0)
    shares = positives / filled
    gaps = np.abs(mass / filled - shares)
    spread = np.sqrt(shares * (1 - shares) / np.maximum(sizes - 1, 1.0))
    weights = sizes / sizes.sum(axis=1, keepdims=True)
    plain = (weights * gaps).sum(axis=1)
    return plain, 2 * plain - (weights * _mean_distance(gaps, spread)).sum(axis=1)


def _mean_distance(gaps: Reals, spread: Reals) -> Reals:
    """Return E|x| for x normal with mean `gaps` and standard deviation `spread`."""
    scaled = gaps / np.maximum(spread, _TINY * _TINY)
    inside = np.vectorize(math.erf, otypes=[float])(scaled / math.sqrt(2))
    distance: Reals = spread * math.sqrt(2 / math.pi) * np.exp(-(scaled**2) / 2) + gaps * inside
    return distance


# Abstention


def cut(probabilities: Reals, decisions: Flags) -> float:
    """Return the least accepted probability of one label, or NaN if one that was refused is as high."""
    if not decisions.any():
        return math.nan
    least = float(probabilities[decisions].min())
    return least if decisions.all() or least > probabilities[~decisions].max() else math.nan


def confidence(probabilities: Reals, thresholds: Reals) -> Reals:
    """Return per document how far its closest label is from the threshold, in log odds.

    Parameters
    ----------
    probabilities
        (documents, labels).
    thresholds
        (labels,); NaN, not known, counts as one half.
    """
    known = np.where(np.isnan(thresholds), 0.5, thresholds)
    distances: Reals = np.abs(_log_odds(probabilities) - _log_odds(known)).min(axis=1)
    return distances


def _log_odds(probabilities: Reals) -> Reals:
    inside = np.clip(probabilities, _TINY, 1 - _TINY)
    odds: Reals = np.log(inside) - np.log1p(-inside)
    return odds


def most_confident(confidences: Reals, coverage: float) -> Flags:
    """Mark the given share of documents (rounded up), surest first, ties in order."""
    kept = np.zeros(len(confidences), dtype=bool)
    # 0.8 * 5 is 4.000000000000001 for some sizes; that isn't a fifth document.
    count = math.ceil(coverage * len(confidences) - _TINY)
    kept[np.argsort(-confidences, kind="stable")[:count]] = True
    return kept
