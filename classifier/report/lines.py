"""Scored rows as the records of a CSV file, made where they were scored.

In: a table SCORED. Out: its records as bytes, and what is counted of each row. Whoever takes the rows in has
but to leave out repeated ones and to write; an id that changes is put in place of the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classifier.buffers import Column
from classifier.labels import LABELS
from classifier.report.cells import csv_lines

Flags = npt.NDArray[np.bool_]

COUNTED: Final = (*LABELS, "review")
"""Columns of SCORED of which it is told how many rows they mark."""


def counted(scored: pd.DataFrame) -> Flags:
    """Return the columns COUNTED of a table SCORED, shape (rows, len(COUNTED))."""
    return np.column_stack([scored[name].to_numpy(dtype=np.bool_) for name in COUNTED])


@dataclass(frozen=True)
class Lines:
    """Records of a CSV file, each with its line break; `counted` are of the same rows."""

    records: Column
    counted: Flags

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.records)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return int(self.records.offsets[-1] - self.records.offsets[0])

    @classmethod
    def of(cls, scored: pd.DataFrame) -> "Lines":
        """Return the rows of a table SCORED, kept columns behind."""
        if scored.empty:
            return cls(Column.of([]), np.zeros((0, len(COUNTED)), dtype=np.bool_))
        return cls(csv_lines(scored), counted(scored))

    def bytes_of(self, start: int, stop: int) -> memoryview:
        """Return the records of the rows start:stop."""
        offsets = self.records.offsets
        return self.records.data[offsets[start] : offsets[stop]].data

    def settled(self, before: Sequence[str], ids: Sequence[str], kept: Flags) -> "Lines":
        """Return the rows that are kept, under their final ids.

        Parameters
        ----------
        before, ids
            What each row was called, and is called now.
        kept
            Mask over the rows.
        """
        renamed = np.fromiter(map(str.__ne__, before, ids), np.bool_, len(self)) & kept
        if kept.all() and not renamed.any():
            return self
        array = self.records.array()
        rows = np.flatnonzero(renamed).tolist()
        if rows:
            heads = _cells([before[row] for row in rows]), _cells([ids[row] for row in rows])
            others = [
                new + self.records[row].removeprefix(old) for row, old, new in zip(rows, *heads, strict=True)
            ]
            array = pc.replace_with_mask(array, pa.array(renamed), pa.array(others, pa.large_string()))
        return Lines(Column.of(array.filter(pa.array(kept))), self.counted[kept])


def _cells(ids: list[str]) -> list[str]:
    """Return ids as the first cells of records."""
    written = csv_lines(pd.DataFrame({"document_id": pd.Series(ids, dtype="str")}))
    return [written[row].removesuffix("\n") for row in range(len(written))]
