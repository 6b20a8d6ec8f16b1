"""Tables as files: CSV, Parquet and JSON lines.

In: tables typed by schema.py. Out: complete files, the same bytes for the same rows however they
were cut into batches. Never writes a text cell to CSV that a spreadsheet would run.
"""

import contextlib
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.errors import OutputError
from classifier.report import cells
from classifier.report.files import atomic

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
    """Turns blocks of `block_rows` rows into bytes of one format."""

    block_rows: int

    def write(self, block: pd.DataFrame) -> None: ...
    def close(self) -> None: ...
    def release(self) -> None:
        """Let go of what is still open after a failure."""


class _Csv:
    block_rows = TEXT_ROWS

    def __init__(self, stream: BinaryIO, columns: Sequence[str], bom: bool) -> None:
        self._stream = stream
        stream.write((BOM if bom else b"") + cells.csv_header(columns))

    def write(self, block: pd.DataFrame) -> None:
        self._stream.write(cells.csv_records(block))

    def close(self) -> None:
        self._stream.flush()

    def release(self) -> None:
        pass


class _JsonLines:
    block_rows = TEXT_ROWS

    def __init__(self, stream: BinaryIO, columns: Sequence[str], bom: bool) -> None:
        self._stream = stream

    def write(self, block: pd.DataFrame) -> None:
        self._stream.write(cells.json_lines(block, raw=RAW_JSON))

    def close(self) -> None:
        self._stream.flush()

    def release(self) -> None:
        pass


class _Parquet:
    block_rows = BLOCK_ROWS

    def __init__(self, stream: BinaryIO, columns: Sequence[str], bom: bool) -> None:
        import pyarrow.parquet as pq

        table = {**schema.SCORED, **dict.fromkeys(columns, schema.STR), **schema.SCORED}
        self._schema = pa.schema([(name, _ARROW_TYPES[table[name]]) for name in columns])
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd", version="2.6")

    def write(self, block: pd.DataFrame) -> None:
        arrow = pa.Table.from_pandas(block, schema=self._schema, preserve_index=False)
        # Without pandas' own metadata the bytes depend on nothing but the rows.
        self._writer.write_table(
            arrow.replace_schema_metadata(None).combine_chunks(), row_group_size=BLOCK_ROWS
        )

    def close(self) -> None:
        self._writer.close()

    def release(self) -> None:
        # On a full disk the footer can't be written either; the file is thrown away anyhow.
        with contextlib.suppress(OutputError, OSError):
            self._writer.close()


FORMATS: Mapping[str, Callable[[BinaryIO, Sequence[str], bool], _Encoder]] = {
    "csv": _Csv,
    "jsonl": _JsonLines,
    "parquet": _Parquet,
}
"""To add an output format of scored rows: one class above, one line here."""

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
    """Writes scored rows batch by batch, in fixed blocks; made by `scored_writer`."""

    def __init__(self, encoder: _Encoder, extra: Sequence[str]) -> None:
        self._encoder = encoder
        self._extra = tuple(extra)
        self._waiting: list[pd.DataFrame] = []
        self._rows_waiting = 0

    def write(self, frame: pd.DataFrame) -> None:
        """Add rows: at least the columns of `schema.SCORED` and the extra ones."""
        if not len(frame):
            # Millions of rows that were left out come as thousands of these, each some hundred objects.
            return
        self._waiting.append(schema.conform(frame, schema.SCORED, extra=self._extra))
        self._rows_waiting += len(frame)
        if self._rows_waiting >= self._encoder.block_rows:
            self._encode(last=False)

    def close(self) -> None:
        """Encode what still waits for a full block."""
        if self._waiting:
            self._encode(last=True)
        self._encoder.close()

    def _encode(self, *, last: bool) -> None:
        size = self._encoder.block_rows
        rows = pd.concat(self._waiting, ignore_index=True)
        end = len(rows) if last else len(rows) - len(rows) % size
        for block in _blocks(rows.iloc[:end], size):
            self._encoder.write(block)
        # A copy, or the whole batch would stay in memory for the sake of its last rows.
        self._waiting = [rows.iloc[end:].copy()]
        self._rows_waiting = len(rows) - end


@contextlib.contextmanager
def scored_writer(
    path: str | Path,
    *,
    extra: Sequence[str] = (),
    format: str = "",
    bom: bool = False,
    unfinished: Path | None = None,
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

    Raises
    ------
    OutputError
        If the name tells no format, or the file can't be written: then there is none.
    """
    kind, compression = _stdout_format(format) if str(path) == "-" else format_of(str(path))
    with contextlib.ExitStack() as stack:
        stream = (
            sys.stdout.buffer
            if str(path) == "-"
            else stack.enter_context(atomic(Path(path), unfinished=unfinished))
        )
        if compression == "gz":
            # Neither name nor time in the header: same rows, same bytes.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0, compresslevel=6)
            stream = cast(BinaryIO, stack.enter_context(packed))
        elif compression == "zst":
            stream = stack.enter_context(pa.CompressedOutputStream(stream, "zstd"))
        columns = list({**schema.SCORED, **dict.fromkeys(extra, schema.STR)})
        encoder = FORMATS[kind](stream, columns, bom)
        stack.callback(encoder.release)
        writer = ScoredWriter(encoder, extra)
        yield writer
        writer.close()


def _stdout_format(format: str) -> tuple[str, str]:
    if format not in ("csv", "jsonl"):
        raise OutputError(
            f"standard output can't be written as {format!r}; add --format csv or --format jsonl"
        )
    return format, ""
