"""Rows as the formats hand them on.

In: cells as they were written. Out: batches of rows of an even size. Never looks at what a
cell means.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from classifier.errors import InputError

_BATCH_BYTES = 64 << 20
ASIDE_BATCHES = 2
"""So many batches' worth of rows that were set aside are handed on, with or without others."""


@dataclass(frozen=True)
class Fault:
    """A row that goes no further: its number, why, and what may be its document id."""

    row: int
    reason: str
    document_id: str = ""
    # Cells of a row that couldn't be placed under the header: an id may be found among them.
    cells: Sequence[str] = ()


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    `table` has one column per name found, called "0", "1", …, for names may repeat; `numbers`
    are the rows' 1-based places in the input.
    """

    table: pa.Table
    numbers: np.ndarray
    rejected: tuple[Fault, ...] = ()
    dropped: tuple[Fault, ...] = ()
    merged: int = 0


@dataclass
class _Waiting:
    tables: list[pa.Table] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)
    count: int = 0
    size: int = 0
    rejected: list[Fault] = field(default_factory=list)
    dropped: list[Fault] = field(default_factory=list)
    merged: int = 0

    def add(self, rows: Rows) -> None:
        self.tables.append(rows.table)
        self.numbers.append(rows.numbers)
        self.count += len(rows.numbers)
        self.size += rows.table.nbytes
        self.rejected += rows.rejected
        self.dropped += rows.dropped
        self.merged += rows.merged

    def aside(self) -> int:
        return len(self.rejected) + len(self.dropped)

    def take(self, count: int) -> Rows:
        """Give out the first `count` rows, with all that was set aside so far."""
        table, numbers = pa.concat_tables(self.tables), np.concatenate(self.numbers)
        left = table.slice(count)
        self.tables, self.numbers = [left], [numbers[count:]]
        self.count, self.size = len(numbers) - count, left.nbytes
        own = _together(table.slice(0, count))
        taken = Rows(own, numbers[:count], tuple(self.rejected), tuple(self.dropped), self.merged)
        self.rejected, self.dropped, self.merged = [], [], 0
        return taken


def _together(table: pa.Table) -> pa.Table:
    """Return a table whose columns of text lie in one piece: whoever looks at their bytes would put them so.

    Others stay as they are: dictionaries of several pieces may not fit into one.
    """
    columns = [
        pa.chunked_array([column.combine_chunks()]) if pa.types.is_large_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names) if columns else table


def table_of(columns: Sequence[Sequence[str | None]]) -> pa.Table:
    """Return text columns as a table; its columns are called "0", "1" and so on."""
    return pa.table({str(i): pa.array(cells, pa.large_string()) for i, cells in enumerate(columns)})


def numbers_from(first: int, count: int) -> np.ndarray:
    """Return `count` consecutive row numbers."""
    return np.arange(first, first + count, dtype=np.int64)


def in_batches(parts: Iterable[Rows], batch_rows: int) -> Iterator[Rows]:
    """Cut and join rows to batches of `batch_rows`, fewer where cells are large or very many rows set aside.

    The last batch has what is left; there is at least one, if any part came.

    Raises
    ------
    InputError
        If `parts` break off: after the rows before the break.
    """
    waiting = _Waiting()
    given = False
    broken: InputError | None = None
    try:
        for part in parts:
            waiting.add(part)
            many_aside = waiting.aside() >= ASIDE_BATCHES * batch_rows
            while (
                many_aside or waiting.count >= batch_rows or (waiting.count and waiting.size >= _BATCH_BYTES)
            ):
                yield waiting.take(min(waiting.count, batch_rows))
                given, many_aside = True, False
    except InputError as error:
        broken = error
    left = waiting.count or waiting.rejected or waiting.dropped or waiting.merged
    if waiting.tables and (left or not given):
        yield waiting.take(waiting.count)
    if broken:
        raise broken
