"""Splits that cannot leak: near-duplicates, groups, and folds balanced in every label.

In: texts, labels, group codes. Out: arrays of group codes and fold numbers, one per document.
Never puts two documents of one group into different folds.
"""

import itertools
import re
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifier.errors import InputError

Codes = NDArray[np.int64]

SIMILARITY: Final = 0.6
"""Share of common character 5-grams (Jaccard) from which two texts count as near-duplicates."""

_WIDTH: Final = 5
_HASHES: Final = 128
# 32 bands of 4: a pair at Jaccard .6 is found with probability .988, at .7 with .9998, at .2 with .05.
_ROWS: Final = 4
# Within a band, each text is compared with so many that follow it: bounds the work on form letters.
_WINDOW: Final = 32
# The estimate from 128 hashes has a standard deviation of .043 at .6; what it lets through is checked.
_ESTIMATE: Final = SIMILARITY - 0.15
_BLOCK: Final = 4_000_000
_PART: Final = 65_536

_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+")


# Groups


def group_codes(names: Iterable[Hashable]) -> Codes:
    """Give equal names equal codes, from 0 in order of appearance; an empty name is a group of its own.

    Parameters
    ----------
    names
        One per document: customer, thread, product. `""` and `None`: not known.

    Returns
    -------
    One code per name; empty for no names.
    """
    codes: dict[Hashable, int] = {}
    numbered = [
        codes.setdefault(("", row) if name in ("", None) else ("name", name), len(codes))
        for row, name in enumerate(names)
    ]
    return np.array(numbered, dtype=np.int64)


def merge_groups(first: Sequence[int] | Codes, second: Sequence[int] | Codes) -> Codes:
    """Join two partitions: documents that share a group in either share one in the result.

    Parameters
    ----------
    first, second
        One code per document, of the same documents in the same order.

    Returns
    -------
    One code per document, numbered from 0 in order of appearance.

    Raises
    ------
    InputError
        If the two are not of one length.
    """
    _check_lengths(("first", len(first)), ("second", len(second)))
    forest = _Forest(len(first))
    for codes in (first, second):
        leaders: dict[int, int] = {}
        for row, code in enumerate(np.asarray(codes).tolist()):
            forest.join(leaders.setdefault(code, row), row)
    return forest.codes()


class _Forest:
    """Disjoint sets of the rows 0 .. size - 1."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, row: int) -> int:
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low

    def codes(self) -> Codes:
        return group_codes([self.root(row) for row in range(len(self._parents))])


def near_duplicate_groups(texts: Iterable[str]) -> Codes:
    """Group texts that are the same but for a few words.

    Two texts are alike if they are equal after folding (case, punctuation, white space, digits), or if
    at least SIMILARITY of their character 5-grams are common. Pairs are found by MinHash and
    locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3) and then
    checked exactly. Groups are what such pairs connect, so the ends of a chain may differ more. To take
    all near-duplicates of one set out of another, group both together and compare the codes.

    Parameters
    ----------
    texts
        Any length; all empty texts are one group.

    Returns
    -------
    One code per text, numbered from 0 in order of appearance. Which texts share a group does not depend
    on their order.
    """
    folded = [_fold(text) for text in texts]
    # Sorted: all that follows sees the same list, whatever the order of the input.
    distinct = sorted(set(folded))
    forest = _Forest(len(distinct))
    if len(distinct) > 1:
        shingles = _Shingles(distinct)
        for one, other in _candidates(_signatures(shingles)).tolist():
            if forest.root(one) != forest.root(other) and shingles.jaccard(one, other) >= SIMILARITY:
                forest.join(one, other)
    component = dict(zip(distinct, forest.codes().tolist(), strict=True))
    return group_codes([component[text] for text in folded])


def _fold(text: str) -> str:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    # Texts of symbols alone (emoji) are told apart by the symbols.
    return _NUMBER.sub("0", " ".join(words)) if words else " ".join(text.split())


class _Shingles:
    """The hashed character 5-grams of texts, one after the other."""

    def __init__(self, texts: Sequence[str]) -> None:
        padded = [f" {text} ".ljust(_WIDTH) for text in texts]
        self.lengths = np.array([len(text) - _WIDTH + 1 for text in padded], dtype=np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self.hashes = np.concatenate([_shingles(text) for text in padded])

    def jaccard(self, one: int, other: int) -> float:
        """Return the share of the two texts' distinct 5-grams that both have."""
        first, second = (
            np.unique(self.hashes[self.starts[row] : self.starts[row + 1]]) for row in (one, other)
        )
        common = np.intersect1d(first, second, assume_unique=True).size
        return common / (first.size + second.size - common)


def _shingles(text: str) -> NDArray[np.uint64]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, _WIDTH)
    powers = np.array([0x100000001B3**power % 2**64 for power in range(_WIDTH)], dtype=np.uint64)
    return _mix(windows @ powers)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64-bit values evenly (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _signatures(shingles: _Shingles) -> NDArray[np.uint32]:
    """Return (texts, _HASHES): the upper half of the least of each hash over the 5-grams of each text."""
    seeds = _mix(np.arange(1, 2 * _HASHES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    factors, shifts = seeds[:_HASHES] | np.uint64(1), seeds[_HASHES:]
    signatures = np.empty((len(shingles.lengths), _HASHES), dtype=np.uint32)
    for first, last in _blocks(shingles.starts):
        block = shingles.hashes[shingles.starts[first] : shingles.starts[last]]
        offsets = shingles.starts[first:last] - shingles.starts[first]
        for column in range(_HASHES):
            hashed = block * factors[column] + shifts[column]
            signatures[first:last, column] = np.minimum.reduceat(hashed, offsets) >> np.uint64(32)
    return signatures


def _blocks(starts: Codes) -> list[tuple[int, int]]:
    """Cut the texts into runs of about _BLOCK 5-grams, to bound memory."""
    cuts = np.searchsorted(starts, np.arange(0, starts[-1], _BLOCK))
    edges = np.unique(np.append(cuts, len(starts) - 1)).tolist()
    return list(itertools.pairwise(edges))


def _candidates(signatures: NDArray[np.uint32]) -> Codes:
    """Return the pairs of rows, each once, that agree in a band and look similar overall."""
    size = len(signatures)
    found = []
    for first in range(0, _HASHES, _ROWS):
        keys = _neighbours(_mix_rows(signatures[:, first : first + _ROWS]), size)
        # In parts, for most pairs of a large pool are chance and need not be held.
        for part in np.array_split(keys, len(keys) // _PART + 1):
            equal = signatures[part // size] == signatures[part % size]
            found.append(part[equal.mean(axis=1, dtype=np.float64) >= _ESTIMATE])
    kept = np.unique(np.concatenate(found))
    return np.stack([kept // size, kept % size], axis=1)


def _mix_rows(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    mixed = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        mixed = _mix(mixed * np.uint64(31) + column)
    return mixed


def _neighbours(buckets: NDArray[np.uint64], size: int) -> Codes:
    """Return row * size + other row for rows of one bucket that stand close in it."""
    order = np.argsort(buckets, kind="stable")
    sorted_buckets = buckets[order]
    found = [np.empty(0, dtype=np.int64)]
    for step in range(1, min(_WINDOW, size - 1) + 1):
        same = sorted_buckets[step:] == sorted_buckets[:-step]
        if not same.any():
            break
        found.append(order[:-step][same] * size + order[step:][same])
    return np.concatenate(found)


# Folds


def grouped_folds(
    y: NDArray[np.bool_],
    groups: Sequence[int] | Codes,
    n_folds: int,
    seed: int = 0,
    strata: Sequence[str] | NDArray[np.str_] | None = None,
) -> Codes:
    """Deal whole groups into folds, so that each fold gets its share of every label.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label
    data", ECML PKDD 2011) on groups: the label with the fewest positives left is dealt first, its largest
    groups first, each to the fold that lacks most of it; ties go to the fold that lacks most of the
    group's other labels, then most documents, then by `seed`. With strata, each (stratum, label) counts
    as a label of its own, and so does "no label", and the plain labels break ties.

    A label with fewer positive groups than folds is dealt to different folds; the others have none of it.
    One large group may outweigh a fold's share; it stays whole.

    Parameters
    ----------
    y
        (documents, labels).
    groups
        One code per document; merge near-duplicates into it first.
    n_folds
        At least 2; at most the number of groups, so that no fold is empty.
    seed
        Breaks ties; the same input in the same order and the same seed give the same folds.
    strata
        One name per document, such as its source.

    Returns
    -------
    The fold of each document, 0 .. n_folds - 1; every fold has at least one group.

    Raises
    ------
    InputError
        If the lengths differ, or the groups don't suffice for the folds.
    """
    lengths = [("y", len(y)), ("groups", len(groups))]
    _check_lengths(*lengths, *([("strata", len(strata))] if strata is not None else []))
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    size = int(codes.max()) + 1 if len(codes) else 0
    if n_folds < 2 or size < n_folds:
        raise InputError(f"{n_folds} folds of {size} groups: use at least 2 folds, and at most one per group")
    y = np.asarray(y, dtype=bool)
    documents = _per_group(np.ones((len(y), 1), dtype=bool), codes, size)
    wide = _per_group(y, codes, size)
    cells = wide if strata is None else _per_group(_cells(y, np.asarray(strata)), codes, size)
    deal = _Deal([cells, wide, documents], n_folds, np.random.default_rng(seed))
    left = np.ones(size, dtype=bool)
    while left.any():
        remaining = cells[left].sum(axis=0)
        if not remaining.any():
            deal.out(np.flatnonzero(left), documents[:, 0], 0)
            break
        rarest = int(np.argmin(np.where(remaining > 0, remaining, np.iinfo(np.int64).max)))
        members = np.flatnonzero(left & (cells[:, rarest] > 0))
        deal.out(members, cells[:, rarest], rarest)
        left[members] = False
    return deal.folds[codes]


def _cells(y: NDArray[np.bool_], strata: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return one column per (stratum, label), and per stratum one for documents without labels."""
    with_none = np.column_stack([y, ~y.any(axis=1)])
    return np.hstack([with_none & (strata == name)[:, None] for name in np.unique(strata)])


def _per_group(flags: NDArray[np.bool_], codes: Codes, size: int) -> Codes:
    counts = [np.bincount(codes[column], minlength=size) for column in flags.T]
    return np.stack(counts, axis=1).astype(np.int64) if counts else np.zeros((size, 0), dtype=np.int64)


class _Deal:
    """Folds being filled: what each still lacks, as whole numbers so that ties are ties."""

    def __init__(self, counts: Sequence[Codes], n_folds: int, rng: np.random.Generator) -> None:
        self.folds = np.full(len(counts[0]), -1, dtype=np.int64)
        self._counts = counts
        self._n_folds = n_folds
        self._rng = rng
        # Lack times n_folds: the total minus n_folds times what the fold has.
        self._lacks = [np.repeat(table.sum(axis=0)[None, :], n_folds, axis=0) for table in counts]

    def out(self, members: Codes, weights: Codes, column: int) -> None:
        """Deal groups, heaviest first, to the folds that lack most of cell `column`."""
        shuffled = self._rng.permutation(members)
        for group in shuffled[np.argsort(-weights[shuffled], kind="stable")].tolist():
            fold = self._neediest(group, column)
            self.folds[group] = fold
            for lack, count in zip(self._lacks, self._counts, strict=True):
                lack[fold] -= self._n_folds * count[group]

    def _neediest(self, group: int, column: int) -> int:
        cells, wide, documents = self._lacks
        own = self._counts[1][group] > 0
        # Where no label is left, only the documents count.
        first = cells[:, column] if self._counts[0][group].any() else documents[:, 0]
        criteria = [first, wide[:, own].sum(axis=1), documents[:, 0]]
        best = np.arange(self._n_folds)
        for criterion in criteria:
            values = criterion[best]
            best = best[values == values.max()]
        return int(best[0] if len(best) == 1 else self._rng.choice(best))


def _check_lengths(*named: tuple[str, int]) -> None:
    if len({length for _, length in named}) > 1:
        sizes = ", ".join(f"{name} {length}" for name, length in named)
        raise InputError(f"lengths differ: {sizes}; give one value per document in each")
