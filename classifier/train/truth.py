"""What people said of documents, down to their units.

In: the table LABELLED. Out: labels of documents and units. Never guesses: what nobody said is unknown.
"""

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier import kernel
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

Flags = npt.NDArray[np.bool_]
UNKNOWN: Final = -1
NO: Final = 0
YES: Final = 1


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
            unit_has[begin:stop, place] = UNKNOWN
            carrying = units_carrying(units, begin, stop, text, evidence.get(label, ""))
            unit_has[carrying, place] = YES
            name = labelled["expectation_source"].iat[row]
            if label == GAP and name:
                source[carrying] = EXPECTATION_SOURCES.index(name)
    return unit_has, source


def units_carrying(units: kernel.Units, begin: int, stop: int, text: str, span: str) -> list[int]:
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
