"""Rows of one table that were left out, of which an export may hold millions.

In: tables, batch by batch. Out: how many there were and why, and the rows by file and row number, in
blocks. Never holds more than some blocks of them in memory where it was given a folder: the others lie in
a file without a name there, which is gone when the process is.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.report.files import output_error

BLOCK_ROWS: Final = 65_536
"""Rows that are held in memory, and of which one block on the disk is."""

_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class _Block:
    """Where rows of one file begin and end, and where they lie on the disk."""

    file: str
    first: int
    last: int
    at: int
    size: int


class LeftOut:
    """Counts and keeps the rows of one table.

    Parameters
    ----------
    table
        Columns `file` and `row` first, why the row was left out last.
    keep
        Whether the rows themselves will be asked for.
    folder
        Where rows go that are too many for the memory; None: all stay in memory.
    """

    def __init__(self, table: schema.Table, *, keep: bool = True, folder: Path | None = None) -> None:
        self._table, self._keep, self._folder = table, keep, folder
        self._waiting: list[pd.DataFrame] = []
        self._rows_waiting = 0
        self._stream: IO[bytes] | None = None
        self._blocks: list[_Block] = []
        self._length = 0
        self.reasons: Counter[str] = Counter()
        """Rows by what the last column says."""

    def __len__(self) -> int:
        return self._length

    def add(self, rows: pd.DataFrame) -> None:
        """Take the next rows.

        Raises
        ------
        OutputError
            If the folder's disk is full, or fails.
        """
        if not len(rows):
            return
        self._length += len(rows)
        self.reasons.update(rows[list(self._table)[-1]].tolist())
        if not self._keep:
            return
        self._waiting.append(rows)
        self._rows_waiting += len(rows)
        if self._folder is not None and self._rows_waiting >= BLOCK_ROWS:
            self._put(self._folder)

    def whole(self, names: Mapping[str, str]) -> pd.DataFrame:
        """Return all rows as one table, by file and row; `names` as for `blocks`."""
        return schema.conform(pd.concat([schema.empty(self._table), *self.blocks(names)]), self._table)

    def close(self) -> None:
        """Let go of what lies on the disk; the counts stay."""
        if self._stream is not None:
            self._stream.close()

    def blocks(self, names: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        """Yield the rows by file and row; of equal places the first taken comes first.

        Parameters
        ----------
        names
            Path -> what stands for it in the table.
        """
        if self._stream is None:
            yield from self._sorted(self._waiting, names)
            return
        assert self._folder is not None
        self._put(self._folder)
        order = sorted(self._blocks, key=lambda block: (names.get(block.file, block.file), block.first))
        together: list[_Block] = []
        for block in order:
            if together and (block.file != together[0].file or block.first > max(b.last for b in together)):
                yield from self._sorted(self._read(together), names)
                together = []
            together.append(block)
        yield from self._sorted(self._read(together), names)

    def _sorted(self, frames: list[pd.DataFrame], names: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        if not frames:
            return
        rows = pd.concat(frames)
        rows["file"] = [names.get(file, file) for file in rows["file"]]
        yield schema.conform(rows.sort_values(["file", "row"], kind="stable"), self._table)

    def _put(self, folder: Path) -> None:
        """Write what waits to the disk, each file's rows as a block."""
        if not self._waiting:
            return
        rows = pd.concat(self._waiting, ignore_index=True)
        self._waiting, self._rows_waiting = [], 0
        try:
            if self._stream is None:
                self._stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - `close` ends it
            for file, own in rows.groupby("file", sort=False):
                content = _packed(own)
                at = self._stream.seek(0, 2)
                self._stream.write(content)
                self._blocks.append(
                    _Block(str(file), int(own["row"].min()), int(own["row"].max()), at, len(content))
                )
        except OSError as error:
            raise output_error(folder, error) from error

    def _read(self, blocks: list[_Block]) -> list[pd.DataFrame]:
        """Return blocks in the order in which they were written."""
        assert self._stream is not None
        frames = []
        for block in sorted(blocks, key=lambda one: one.at):
            self._stream.seek(block.at)
            content = pa.BufferReader(self._stream.read(block.size))
            frames.append(pa.ipc.open_stream(content).read_all().to_pandas())
        return frames


def _packed(rows: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
