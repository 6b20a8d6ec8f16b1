"""Rows -> groups by average linkage, exact and without a table of all pairs.

In: rows, and how many rows each of them stands for. Out: one group number per row. Never approximates:
reciprocal nearest neighbours are joined until none are alike enough, which gives the very tree of average
linkage, cut at that likeness (Murtagh 1983). The average link of two groups is their means' dot product.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import compiled

Rows = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Steps = npt.NDArray[np.int32]

STEPS: Final = 1_000_000
"""Likeness is compared in millionths, so that pairs that are equal but for float noise are ties."""

NEIGHBOURS: Final = 8
"""Neighbours that are kept of each group: fewer are exhausted sooner, more cost their upkeep.

22,500 texts: 3.9 s with 8, 4.8 s with 16, 5.7 s with 32."""

_TILE: Final = 2_048
_PAIRS_AT_ONCE: Final = 200_000
_NOBODY: Final = -1


def average_link(rows: Rows, least: float, *, weights: npt.NDArray[Any] | None = None) -> Ints:
    """Join groups as long as the mean likeness of their members reaches `least`.

    Parameters
    ----------
    rows
        Unit rows, or means of unit rows, shape (n, d). Their order decides between ties only.
    least
        Dot product, above 0.
    weights
        How many unit rows each row stands for; by default 1.

    Returns
    -------
    For each row the number of the first row in its group, shape (n,).
    """
    forest = _Forest(rows, least, np.ones(len(rows)) if weights is None else weights)
    while len(forest.open):
        forest.search()
        forest.join()
    return forest.roots()


class _Forest:
    """Groups that grow. A group that is alike to no other stays so, whatever the others become: it is closed.

    Of each open group the best neighbours are kept, and a bound: no group outside the list is more alike. The
    mean of two groups is never more alike to a third than the better of the two, so bounds outlive all joins,
    and a list is searched anew only when its best is below its bound.
    """

    def __init__(self, rows: Rows, least: float, weights: npt.NDArray[Any]) -> None:
        size = len(rows)
        self.means = np.array(rows, dtype=np.float32)
        self.weights = weights.astype(np.float64)
        self.least = int(np.ceil(least * STEPS - 1e-3))
        self.parents = np.arange(size)
        self.open: Ints = np.arange(size)
        self.to_search: Ints = self.open
        self.ids = np.full((size, NEIGHBOURS), _NOBODY, dtype=np.int64)
        self.likeness = np.full((size, NEIGHBOURS), self.least - 1, dtype=np.int32)
        self.bounds = np.full(size, self.least - 1, dtype=np.int32)

    def search(self) -> None:
        """Find the nearest neighbours of groups whose lists are exhausted; close groups without any."""
        asked = self.to_search
        if len(asked):
            others = self.means[self.open]
            ids = np.full((len(asked), NEIGHBOURS), _NOBODY, dtype=np.int64)
            likeness = np.full((len(asked), NEIGHBOURS), self.least - 1, dtype=np.int32)
            places = np.searchsorted(self.open, asked)
            for start in range(0, len(asked), _TILE):
                part = slice(start, start + _TILE)
                queries = self.means[asked[part]]
                for first in range(0, len(others), _TILE):
                    tile = queries @ others[first : first + _TILE].T
                    _keep_best(tile, places[part], first, ids[part], likeness[part])
            self.ids[asked] = np.where(ids >= 0, self.open[ids], _NOBODY)
            self.likeness[asked] = likeness
            self.bounds[asked] = likeness[:, -1]
        self.open = self.open[self.likeness[self.open, 0] >= self.least]

    def join(self) -> None:
        """Join all pairs that are each other's nearest, and bring the lists up to date."""
        kept, gone = self._pairs()
        self._merge(kept, gone)
        alive = np.zeros(len(self.means), dtype=bool)
        alive[self.open] = True
        alive[gone] = False
        self.open = self.open[alive[self.open]]
        touched = np.zeros(len(self.means), dtype=bool)
        touched[kept] = touched[gone] = True
        others = self.open[~touched[self.open]]
        lists = self.ids[others]
        hit = others[(touched[lists] & (lists >= 0)).any(axis=1)]
        self._renew(kept, np.hstack([self.ids[kept], self.ids[gone]]), alive)
        self._renew(hit, self.ids[hit], alive)
        bounds = self.bounds[self.open]
        self.to_search = self.open[(self.likeness[self.open, 0] < bounds) & (bounds >= self.least)]

    def roots(self) -> Ints:
        """Return for each row the first row of its group."""
        roots = self.parents
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots

    def _pairs(self) -> tuple[Ints, Ints]:
        if not len(self.open):
            return self.open, self.open
        nearest = np.full(len(self.means), _NOBODY, dtype=np.int64)
        nearest[self.open] = self.ids[self.open, 0]
        others = nearest[self.open]
        mutual = (nearest[others] == self.open) & (self.open < others)
        if not mutual.any():
            # Ties in a circle: the best pair of all is always a right one.
            one = self.open[self.likeness[self.open, 0].argmax()]
            return np.array([min(one, nearest[one])]), np.array([max(one, nearest[one])])
        return self.open[mutual], others[mutual]

    def _merge(self, kept: Ints, gone: Ints) -> None:
        total = self.weights[kept] + self.weights[gone]
        share = (self.weights[kept] / total)[:, None]
        self.means[kept] = share * self.means[kept] + (1 - share) * self.means[gone]
        self.weights[kept] = total
        self.bounds[kept] = np.maximum(self.bounds[kept], self.bounds[gone])
        self.parents[gone] = kept

    def _renew(self, owners: Ints, lists: Ints, alive: npt.NDArray[np.bool_]) -> None:
        """Measure the owners' neighbours anew, joined ones under their new number."""
        if not len(owners):
            return
        lists = np.where(lists >= 0, self.parents[lists], _NOBODY)
        lists = np.where((lists == owners[:, None]) | ~alive[lists], _NOBODY, lists)
        lists = np.sort(lists, axis=1)
        lists[:, 1:][lists[:, 1:] == lists[:, :-1]] = _NOBODY
        likeness = np.full(lists.shape, self.least - 1, dtype=np.int32)
        row, column = np.nonzero(lists >= 0)
        likeness[row, column] = self._likeness(owners[row], lists[row, column])
        order = np.lexsort((lists, -likeness), axis=1)
        lists = np.take_along_axis(lists, order, axis=1)
        likeness = np.take_along_axis(likeness, order, axis=1)
        if lists.shape[1] > NEIGHBOURS:
            self.bounds[owners] = np.maximum(self.bounds[owners], likeness[:, NEIGHBOURS])
        self.ids[owners] = lists[:, :NEIGHBOURS]
        self.likeness[owners] = likeness[:, :NEIGHBOURS]

    def _likeness(self, left: Ints, right: Ints) -> Steps:
        found = np.empty(len(left), dtype=np.int32)
        for start in range(0, len(left), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            dots = np.einsum("ij,ij->i", self.means[left[part]], self.means[right[part]])
            found[part] = np.floor(dots.astype(np.float64) * STEPS + 0.5)
        return found


@compiled()
def _keep_best(tile: Rows, places: Ints, first: int, ids: Ints, likeness: Steps) -> None:
    """Put what is better than the worst of each list in its place; of equal ones the first stays ahead.

    Parameters
    ----------
    tile
        Dot products of queries (rows) and others (columns, from `first` on).
    places
        Each query's own place among the others.
    ids, likeness
        Lists so far, best first, likeness in millionths; changed in place.
    """
    last = ids.shape[1] - 1
    for row in range(tile.shape[0]):
        # A millionth of slack: rounding decides, below, on the few that come near.
        worst = np.float32((likeness[row, last] - 1) / STEPS)
        for column in range(tile.shape[1]):
            if tile[row, column] <= worst:
                continue
            steps = np.int32(np.floor(np.float64(tile[row, column]) * STEPS + 0.5))
            if steps <= likeness[row, last] or column + first == places[row]:
                continue
            place = last
            while place > 0 and likeness[row, place - 1] < steps:
                likeness[row, place] = likeness[row, place - 1]
                ids[row, place] = ids[row, place - 1]
                place -= 1
            likeness[row, place] = steps
            ids[row, place] = column + first
            worst = np.float32((likeness[row, last] - 1) / STEPS)
