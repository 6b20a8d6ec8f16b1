"""Rows that are left out on purpose: of one's own people, private, deleted, or no answers at all.

In: the names of an input's columns, and cells. Out: a reason for each row, empty where it stays. Never
looks at the text of a document.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from classifier.read.columns import fold

Cells = Callable[[list[int]], pd.Series]
"""The first value of each row over some columns, as text."""


@dataclass(frozen=True)
class Drop:
    """What is left out, and why.

    Parameters
    ----------
    reason
        As dropped.csv gives it.
    columns
        Folded names of the columns that may tell, best first.
    values
        What such a column says of a row that is left out: an expression for the whole cell, lower case.
    beside
        Folded names of which one must be there too, for the column alone may mean something else.
    mixed
        Leave rows out only where the first rows hold others too: notes that only one's own people write are
        what is to be read.
    told
        Whether the user is told, with the column: its name is anybody's.
    """

    reason: str
    columns: tuple[str, ...]
    values: str
    beside: frozenset[str] = frozenset()
    mixed: bool = False
    told: bool = False


class Dropping:
    """Applies the drops of a source to the rows of one input, and counts what they left out."""

    def __init__(self, drops: Sequence[Drop], names: Sequence[str], *, keep_internal: bool) -> None:
        folded = [fold(name) for name in names]
        self._keep_internal = keep_internal
        self._known: list[tuple[Drop, int, re.Pattern[str]]] = []
        self._counts: dict[int, int] = {}
        self._names = names
        for drop in drops:
            places = [folded.index(name) for name in drop.columns if name in folded]
            fits = not drop.beside or bool(drop.beside & set(folded))
            if places and fits:
                self._known.append((drop, places[0], re.compile(drop.values, re.DOTALL)))
        self._drops = self._known

    def decide(self, cells: Cells) -> None:
        """Look at the first rows: give up the drops that need others beside those they leave out."""
        self._drops = [
            (drop, place, pattern)
            for drop, place, pattern in self._known
            if not drop.mixed or _mixed(cells([place]), pattern)
        ]

    def fill(self, reasons: pd.Series, cells: Cells) -> pd.Series:
        """Return `reasons`, which are empty, with why a row is left out; the first drop that fits decides."""
        settled = reasons != ""
        for drop, place, pattern in self._drops:
            said = cells([place]).str.strip().str.lower()
            unwanted = [text for text in said.unique() if pattern.fullmatch(text)]
            if not unwanted:
                continue
            marked = said.isin(unwanted) & ~settled
            settled |= marked
            if drop.reason == "internal" and self._keep_internal:
                continue
            reasons = reasons.mask(marked, drop.reason)
            if drop.told:
                self._counts[place] = self._counts.get(place, 0) + int(marked.sum())
        return reasons

    def notes(self) -> list[str]:
        """Tell how many rows were left out, and by which column."""
        reasons = {place: drop.reason for drop, place, _ in self._drops}
        return [
            f"{count} row(s) left out as {reasons[place]}, by column {self._names[place]!r}"
            for place, count in sorted(self._counts.items())
            if count
        ]


def _mixed(texts: pd.Series, pattern: re.Pattern[str]) -> bool:
    said = texts.str.strip().str.lower()
    return any(text and not pattern.fullmatch(text) for text in said.unique())
