"""Tables as files: CSV, Parquet and JSON lines.

In: tables typed by schema.py. Out: complete files, the same bytes for the same rows however they
were cut into batches. Never writes a text cell to CSV that a spreadsheet would run.
"""

import contextlib
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.errors import OutputError
from classifier.report import cells
from classifier.report.files import atomic
from classifier.report.lines import Lines

BOM = b"\xef\xbb\xbf"
BLOCK_ROWS = 65_536
"""Rows of a row group of Parquet. Fixed, so that the bytes don't depend on the batches."""

TEXT_ROWS = 8_192
"""Rows of CSV and JSON lines that are encoded at once: few, for their text is held several times over."""

RAW_JSON = ("spans",)
"""Text columns of JSON: lists in JSON lines, text everywhere else."""

_ARROW_TYPES: Mapping[str, pa.DataType] = {
    schema.STR: pa.large_string(),
    schema.TIME: pa.timestamp("us", tz="UTC"),
    schema.REAL: pa.float64(),
    schema.INT: pa.int64(),
    "Int64": pa.int64(),
    schema.FLAG: pa.bool_(),
}


def csv_bytes(frame: pd.DataFrame, *, bom: bool = False) -> bytes:
    """Return a table as the bytes of a CSV file: UTF-8, header, LF, formula guard.

    An empty table is its header.
    """
    return (
        (BOM if bom else b"")
        + cells.csv_header([str(name) for name in frame.columns])
        + b"".join(cells.csv_records(block) for block in _blocks(frame))
    )


def write_csv(frame: pd.DataFrame, path: Path, *, bom: bool = False, unfinished: Path | None = None) -> None:
    """Write a table as a CSV file, complete or not at all; `unfinished` as in `scored_writer`.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    write_csv_blocks(list(frame.columns), [frame], path, bom=bom, unfinished=unfinished)


def write_csv_blocks(
    columns: Iterable[str],
    frames: Iterable[pd.DataFrame],
    path: Path,
    *,
    bom: bool = False,
    unfinished: Path | None = None,
) -> None:
    """Do as `write_csv` with a table that comes in pieces: none but the next one need be in memory.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    with atomic(path, unfinished=unfinished) as stream:
        stream.write((BOM if bom else b"") + cells.csv_header([str(name) for name in columns]))
        for frame in frames:
            for block in _blocks(frame):
                stream.write(cells.csv_records(block))


def _blocks(frame: pd.DataFrame, rows: int = TEXT_ROWS) -> Iterator[pd.DataFrame]:
    for start in range(0, len(frame), rows):
        yield frame.iloc[start : start + rows]


class _Encoder(Protocol):
    """Turns rows into the bytes of one format; what is written doesn't depend on how they were cut."""

    @property
    def place(self) -> int | None:
        """Where the next row's bytes will begin in the file; None where a format doesn't tell."""

    def write(self, rows: Any) -> None:
        """Take rows of table SCORED: a DataFrame; CSV takes `Lines` too."""

    def close(self) -> None: ...
    def release(self) -> None:
        """Let go of what is still open after a failure."""


class _Lines:
    """A record for each row. Written in blocks of TEXT_ROWS, for compressed bytes depend on the blocks."""

    def __init__(
        self, stream: BinaryIO, encode: Callable[[pd.DataFrame], bytes], compressed: bool, head: bytes = b""
    ) -> None:
        self._stream, self._encode = stream, encode
        self._stream.write(head)
        self.place = None if compressed else len(head)
        self._block: list[bytes | memoryview] = []
        self._rows = 0

    def write(self, rows: pd.DataFrame | Lines) -> None:
        start = 0
        while start < len(rows):
            stop = min(len(rows), start + TEXT_ROWS - self._rows)
            if isinstance(rows, Lines):
                self._block.append(rows.bytes_of(start, stop))
            else:
                self._block.append(self._encode(rows.iloc[start:stop]))
            self._rows += stop - start
            start = stop
            if self._rows == TEXT_ROWS:
                self._flush()
        if self.place is not None:
            # What has a place must be in the file, where others make it safe.
            self._flush()
            self._stream.flush()

    def close(self) -> None:
        self._flush()
        self._stream.flush()

    def release(self) -> None:
        pass

    def _flush(self) -> None:
        block, self._block, self._rows = self._block, [], 0
        if self.place is not None:
            self._stream.writelines(block)
            self.place += sum(map(len, block))
        elif block:
            self._stream.write(b"".join(block))


def _csv(stream: BinaryIO, columns: Sequence[str], bom: bool, compressed: bool) -> _Lines:
    head = (BOM if bom else b"") + cells.csv_header(columns)
    return _Lines(stream, cells.csv_records, compressed, head)


def _json_lines(stream: BinaryIO, columns: Sequence[str], bom: bool, compressed: bool) -> _Lines:
    return _Lines(stream, partial(cells.json_lines, raw=RAW_JSON), compressed)


class _Parquet:
    """Row groups of BLOCK_ROWS."""

    place: int | None = None

    def __init__(self, stream: BinaryIO, columns: Sequence[str], bom: bool, compressed: bool) -> None:
        import pyarrow.parquet as pq

        table = {**schema.SCORED, **dict.fromkeys(columns, schema.STR), **schema.SCORED}
        self._schema = pa.schema([(name, _ARROW_TYPES[table[name]]) for name in columns])
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd", version="2.6")
        self._waiting: list[pd.DataFrame] = []
        self._rows = 0

    def write(self, rows: pd.DataFrame) -> None:
        self._waiting.append(rows)
        self._rows += len(rows)
        if self._rows >= BLOCK_ROWS:
            whole = pd.concat(self._waiting, ignore_index=True)
            end = self._rows - self._rows % BLOCK_ROWS
            self._encode(whole.iloc[:end])
            # A copy, or the whole batch would stay in memory for the sake of its last rows.
            self._waiting, self._rows = [whole.iloc[end:].copy()], self._rows - end

    def close(self) -> None:
        if self._waiting:
            self._encode(pd.concat(self._waiting, ignore_index=True))
        self._writer.close()

    def release(self) -> None:
        # On a full disk the footer can't be written either; the file is thrown away anyhow.
        with contextlib.suppress(OutputError, OSError):
            self._writer.close()

    def _encode(self, rows: pd.DataFrame) -> None:
        for block in _blocks(rows, BLOCK_ROWS):
            arrow = pa.Table.from_pandas(block, schema=self._schema, preserve_index=False)
            # Without pandas' own metadata the bytes depend on nothing but the rows.
            self._writer.write_table(
                arrow.replace_schema_metadata(None).combine_chunks(), row_group_size=BLOCK_ROWS
            )


FORMATS: Mapping[str, Callable[[BinaryIO, Sequence[str], bool, bool], _Encoder]] = {
    "csv": _csv,
    "jsonl": _json_lines,
    "parquet": _Parquet,
}
"""To add an output format of scored rows: one encoder above, one line here."""

COMPRESSIONS = ("gz", "zst")


def format_of(path: str) -> tuple[str, str]:
    """Return (format, compression) by the ending of a file name; compression "" is none.

    Raises
    ------
    OutputError
        If the ending isn't one that `classifier score --out` writes.
    """
    parts = Path(path).name.lower().split(".")[1:]
    compression = parts.pop() if parts and parts[-1] in COMPRESSIONS else ""
    kind = parts[-1] if parts else ""
    if kind not in FORMATS:
        raise OutputError(
            f"{path}: can't tell the format by this name; "
            "end it in .csv, .jsonl (each also with .gz or .zst) or .parquet"
        )
    if compression and kind == "parquet":
        raise OutputError(f"{path}: Parquet is compressed inside; leave .{compression} out")
    return kind, compression


class ScoredWriter:
    """Writes scored rows batch by batch; made by `scored_writer`."""

    def __init__(self, encoder: _Encoder, extra: Sequence[str], *, takes_lines: bool) -> None:
        self._encoder = encoder
        self._extra = tuple(extra)
        self.takes_lines = takes_lines
        """Whether rows may come as the records of a CSV file."""

    @property
    def place(self) -> int | None:
        """Where the bytes of the next rows will begin in the file; None where the format doesn't tell."""
        return self._encoder.place

    def write(self, rows: pd.DataFrame | Lines) -> None:
        """Add rows: at least the columns of `schema.SCORED` and the extra ones; lines to CSV only."""
        # Millions of rows that were left out come as thousands of tables without a row.
        if len(rows):
            if not isinstance(rows, Lines):
                rows = schema.conform(rows, schema.SCORED, extra=self._extra)
            self._encoder.write(rows)

    def close(self) -> None:
        """Write what still waits for a full block."""
        self._encoder.close()


@contextlib.contextmanager
def scored_writer(
    path: str | Path,
    *,
    extra: Sequence[str] = (),
    format: str = "",
    bom: bool = False,
    unfinished: Path | None = None,
    lasting: bool = False,
) -> Iterator[ScoredWriter]:
    """Open a writer of scored rows; the file appears when the block ends well.

    Rows keep their order. The bytes don't depend on how the rows were cut into batches.

    Parameters
    ----------
    path
        Ends in .csv, .jsonl (each also .gz, .zst) or .parquet; "-" is standard output.
    extra
        Names of kept input columns, written after those of `schema.SCORED`, as text.
    format
        Needed for "-" only: csv or jsonl.
    bom
        Begin CSV with a byte order mark, for Excel.
    unfinished
        Where the file lies until it is complete; by default beside it, under a name of chance.
    lasting
        Whether rows of an earlier run that lie there may be good, as in `files.atomic`: that of a format
        that tells their places is written over, and stays if the block fails.

    Raises
    ------
    OutputError
        If the name tells no format, or the file can't be written: then there is none.
    """
    kind, compression = _stdout_format(format) if str(path) == "-" else format_of(str(path))
    lasting = lasting and kind == "csv" and not compression
    with contextlib.ExitStack() as stack:
        stream = (
            sys.stdout.buffer
            if str(path) == "-"
            else stack.enter_context(atomic(Path(path), unfinished=unfinished, lasting=lasting))
        )
        if compression == "gz":
            # Neither name nor time in the header: same rows, same bytes.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0, compresslevel=6)
            stream = cast(BinaryIO, stack.enter_context(packed))
        elif compression == "zst":
            stream = stack.enter_context(pa.CompressedOutputStream(stream, "zstd"))
        columns = list({**schema.SCORED, **dict.fromkeys(extra, schema.STR)})
        encoder = FORMATS[kind](stream, columns, bom, bool(compression))
        stack.callback(encoder.release)
        writer = ScoredWriter(encoder, extra, takes_lines=kind == "csv")
        yield writer
        writer.close()


def _stdout_format(format: str) -> tuple[str, str]:
    if format not in ("csv", "jsonl"):
        raise OutputError(
            f"standard output can't be written as {format!r}; add --format csv or --format jsonl"
        )
    return format, ""
