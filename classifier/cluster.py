"""Vectors -> groups of rows that are alike beyond chance.

In: unit rows in canonical order. Out: one group number per row. Never draws at random: the order of
the rows, which the caller fixes by content, is the only source of samples.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.linkage import average_link
from classifier.vectors import Floats, one_thread

Ints = npt.NDArray[np.int64]

Z: Final = 2.25
ROBUST_Z: Final = 8.0
"""Rows are alike when their similarity lies so many standard deviations above what any two rows have:
above the mean by the ordinary one, or above the median by the one that the middle of the pairs shows,
whichever is less. The first fits where few pairs are alike, the second small corpora, where many are.

Two invented companies and three public sets of intents, where B-cubed F1 was flat from 1.6 to 2.25 and from 6
to 8, leave the choice: the upper ends, for a theme that holds two matters misleads whoever acts on it, and
one in two parts is merely counted lower. Unlike a fixed cosine they need no new value when vectors or corpora
change."""

EXACT_UP_TO: Final = 50_000
"""Up to so many rows every pair is compared; beyond, this is the size of a sample."""

ROUNDS: Final = 6
_MAD_TO_STD: Final = 1.4826
_PAIRS_FROM: Final = 2_000
_LEAST: Final = 0.15
"""Below it rows are never alike, however unlike all others are; to share only the product area is less."""

_TRIED: Final = 10_000
"""Rows on which a sample is tried: grouped all together, and from a sample of the same share."""

_CHUNK: Final = 10_000

_LIKENESSES_AT_ONCE: Final = 50_000_000
"""200 MB: a corpus that falls into very many groups is compared with them in smaller parts."""


@dataclass(frozen=True)
class Grouping:
    """Groups of rows, and how they were found."""

    groups: Ints  # from 0, in order of first row
    compared: int  # rows that were compared pair by pair
    agreement: float  # B-cubed F1 that groups from a sample have with those of all rows, estimated; 1 of all


def group_rows(rows: Floats, *, similarity: float = 0.0) -> Grouping:
    """Group rows by average-link clustering.

    Up to 50,000 rows all pairs are compared. Beyond, the first 50,000 are; the others join the group whose
    mean is nearest, if it is as near as a group must be to be joined, and those that fit none are compared
    with each other and with all groups, up to six times. What is left then joins the nearest group, however
    far.

    Parameters
    ----------
    rows
        Unit rows, in an order that depends on content alone; rows of zeros stay alone.
    similarity
        Mean cosine that joins two groups; 0 derives it from the rows.
    """
    if len(rows) == 0:
        return Grouping(np.zeros(0, dtype=np.int64), 0, 1.0)
    with one_thread():
        least = similarity or least_similarity(rows)
        if len(rows) <= EXACT_UP_TO:
            return Grouping(_exact(rows, least), len(rows), 1.0)
        groups = _from_sample(rows, EXACT_UP_TO, least)
        return Grouping(groups, EXACT_UP_TO, _agreement(rows, EXACT_UP_TO / len(rows), least))


def least_similarity(rows: Floats) -> float:
    """Return the similarity from which two rows are alike beyond chance, measured on the first 2,000."""
    sample = rows[:_PAIRS_FROM]
    if len(sample) < 2:
        return 1.0
    pairs = (sample @ sample.T)[np.triu_indices(len(sample), 1)].astype(np.float64)
    middle = np.median(pairs)
    spread = _MAD_TO_STD * np.median(np.abs(pairs - middle))
    alike = min(pairs.mean() + Z * pairs.std(), middle + ROBUST_Z * spread)
    return float(np.clip(alike, _LEAST, 0.99))


def renumbered(groups: Ints) -> Ints:
    """Return the groups numbered from 0 in order of their first row."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse.ravel()]


def _exact(rows: Floats, least: float) -> Ints:
    """Compare all pairs; equal rows, which are ties with all others, count as one of more weight."""
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    if rows.shape[1] == 0 or not whole.size:
        return np.arange(len(rows))
    _, first, inverse, counts = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    places = np.empty(len(first), dtype=np.int64)
    places[order] = np.arange(len(first))
    distinct = rows[first[order]]
    groups = average_link(distinct, least, weights=counts[order])[places[inverse.ravel()]]
    silent = ~rows.any(axis=1)
    groups[silent] = len(rows) + np.flatnonzero(silent)
    return renumbered(groups)


def _from_sample(rows: Floats, size: int, least: float) -> Ints:
    """Compare all pairs of the first `size` rows; the others join what is found."""
    return _placed(rows, _exact(rows[:size], least), least)


def _agreement(rows: Floats, share: float, least: float) -> float:
    """Return how like the groups from a sample of so large a share are to those of all rows.

    Tried on the first rows, as many as can be compared quickly: grouped all together, and from a sample of
    them. On 20,000 and 43,639 rows, where the truth could be had, .24 to .70 was told where .22 to .72 was
    true; the worst was .53 for .64, of a twentieth.
    """
    tried = rows[:_TRIED]
    size = max(1, round(share * len(tried)))
    return bcubed_f1(_exact(tried, least), _from_sample(tried, size, least))


def bcubed_f1(one: Ints, other: Ints) -> float:
    """Return the B-cubed F1 (Bagga and Baldwin, 1998) of two groupings of the same rows, shape (n,), n > 0.

    Which of them is the truth makes no difference. 1: the same groups.
    """
    pairs = one * (int(other.max()) + 1) + other
    together, first, second = (_sizes_of(each) for each in (pairs, one, other))
    precision, recall = float((together / first).mean()), float((together / second).mean())
    return 2 * precision * recall / (precision + recall)


def _sizes_of(groups: Ints) -> Ints:
    """Return the size of each row's group."""
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    found: Ints = sizes[place.ravel()]
    return found


def _placed(rows: Floats, sampled: Ints, least: float) -> Ints:
    """Return the groups of all rows, given those of the first ones."""
    groups = np.full(len(rows), -1, dtype=np.int64)
    groups[: len(sampled)] = sampled
    for _ in range(ROUNDS):
        means, sizes = _means(rows, groups)
        joined = np.flatnonzero(sizes > 1)
        free = np.flatnonzero(groups < 0)
        nearest, how_near = _nearest(rows, free, means[joined])
        fits = how_near >= least
        groups[free[fits]] = joined[nearest[fits]]
        free = free[~fits]
        means, sizes = _means(rows, groups)
        taken = free[: max(EXACT_UP_TO - len(means), _CHUNK)]
        merged = average_link(
            np.vstack([means, rows[taken]]), least, weights=np.concatenate([sizes, np.ones(len(taken))])
        )
        groups[groups >= 0] = merged[groups[groups >= 0]]
        groups[taken] = merged[len(means) :]
        known = groups >= 0
        groups[known] = renumbered(groups[known])
        if len(taken) == len(free):
            return renumbered(groups)
    free = np.flatnonzero(groups < 0)
    groups[free] = _nearest(rows, free, _means(rows, groups)[0])[0]
    return renumbered(groups)


def _means(rows: Floats, groups: Ints) -> tuple[Floats, Ints]:
    """Return mean and size of each group; rows of a group below 0 don't count."""
    from scipy.sparse import csr_matrix

    sizes = np.bincount(groups[groups >= 0])
    sums = np.zeros((len(sizes), rows.shape[1]), dtype=np.float64)
    for start in range(0, len(rows), _CHUNK):
        mine = groups[start : start + _CHUNK]
        known = np.flatnonzero(mine >= 0)
        member = csr_matrix((np.ones(len(known)), (mine[known], known)), shape=(len(sizes), len(mine)))
        sums += member @ rows[start : start + _CHUNK].astype(np.float64)
    return (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32), sizes


def _nearest(rows: Floats, asked: Ints, means: Floats) -> tuple[Ints, npt.NDArray[Any]]:
    """Return for each of the rows asked for the nearest mean, and how near it is; 0 and -1 without means."""
    nearest = np.zeros(len(asked), dtype=np.int64)
    how_near = np.full(len(asked), -1.0, dtype=np.float32)
    size = min(_CHUNK, _LIKENESSES_AT_ONCE // max(len(means), 1) + 1)
    for start in range(0, len(asked) if len(means) else 0, size):
        part = slice(start, start + size)
        likeness = rows[asked[part]] @ means.T
        nearest[part] = likeness.argmax(axis=1)
        how_near[part] = likeness[np.arange(len(likeness)), nearest[part]]
    return nearest, how_near
