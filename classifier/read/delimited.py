"""Rows of CSV, TSV and their kin.

In: blocks of bytes. Out: rows, with the ones that can't be read set aside. Never holds more than
a few blocks, and gives the same rows whether Arrow or Python's csv module parsed a block.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from classifier.errors import InputError
from classifier.read.encoding import Decoder
from classifier.read.opening import BrokenStreamError
from classifier.read.rows import Fault, Rows, numbers_from, table_of

DELIMITERS = (",", ";", "\t", "|")
NO_DELIMITER = "\x1f"
"""Separates the cells of a table with one column: a character that text doesn't hold."""

_LINES_AT_ONCE = 20_000
"""That Python parses: a block of the shortest rows has millions, each an object or two."""

LONGEST_ROW = 64 << 20
"""Bytes; a longer row is rejected, and a quote open for longer is taken for a slip."""

_MUCH = 1 << 16
"""Bytes from which on it pays to give others Python's lock while line ends are changed."""

_HEAD = 1 << 16
"""Bytes that are looked at first for the header."""

_SAMPLE_ROWS = 200
_UNCLOSED = 'a quote (") is opened and not closed properly'
_UNDECODABLE = "not UTF-8, and no other encoding is certain; give --encoding"


@dataclass(frozen=True)
class Dialect:
    """How cells are separated; `skip` lines come before the header; `old_mac`: lines end in CR alone."""

    delimiter: str
    skip: int = 0
    old_mac: bool = False


@dataclass(frozen=True)
class _Record:
    """One row: its cells, or why there are none, and how many lines it took."""

    cells: list[str] | None
    lines: int
    reason: str = ""


def dialect_of(sample: bytes, forced: str = "") -> Dialect:
    """Find the delimiter from the start of a file.

    The one that gives the header at least two cells and the most rows as many as the header.
    `sep=;` in the first line, as Excel writes it, decides.
    """
    old_mac = b"\r" in sample and b"\n" not in sample
    lines = sample.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    skip = 0
    if lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        skip, forced = 1, forced or (lines[0][4] if lines[0][4].isascii() else "")
    if forced:
        return Dialect(forced, skip, old_mac)
    fits = [(_fit(lines[skip:], delimiter), -place) for place, delimiter in enumerate(DELIMITERS)]
    (share, width), place = max(fits)
    return Dialect(DELIMITERS[-place] if width > 1 and share > 0 else NO_DELIMITER, skip, old_mac)


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """Return the share of rows as wide as the header, and that width (0: one column)."""
    _allow_long_cells()
    reader = csv.reader((line + "\n" for line in lines[:-1] or lines), delimiter=delimiter)
    rows = list(islice((row for row in reader if row), _SAMPLE_ROWS))
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0
    good = sum(1 for row in rows if len(row) == width)
    if good == 1 and min(map(len, rows)) > 1:
        # The header alone is that wide, but every row has the delimiter: rows are ragged, not one cell.
        return 0.1, width
    return round(good / len(rows), 1), width


class DelimitedReader:
    """Reads the rows of one input; `names` are the header's once `open` was called.

    Parameters
    ----------
    blocks
        The file's bytes, as UTF-8 but for what the decoder may mend.
    dialect
        How cells are separated.
    decoder
        Mends and counts what isn't UTF-8.
    name
        Of the file, for errors.
    fast
        Let Arrow parse what is written by the book. Without it the rows are the same, later.

    Raises
    ------
    InputError
        If the header can't be read.
    """

    def __init__(
        self, blocks: Iterator[bytes], dialect: Dialect, decoder: Decoder, *, name: str, fast: bool = True
    ) -> None:
        _allow_long_cells()
        self._blocks = _lf_only(blocks, old_mac=dialect.old_mac)
        self._delimiter = dialect.delimiter
        self._decoder = decoder
        self._name = name
        self._fast = fast
        self._buffer = b""
        self._ended = False
        self._broken: BrokenStreamError | None = None
        self._next_row = 1
        self.names = self._header(dialect.skip)

    def rows(self) -> Iterator[Rows]:
        """Yield the rows.

        Raises
        ------
        InputError
            If the data break off: after the rows before the break.
        """
        while True:
            # Empty lines between rows are no rows; millions of them must not become millions of objects.
            self._buffer = self._buffer.lstrip(b"\n")
            if not self._buffer and self._ended:
                break
            end, regular = self._regular_end()
            too_long = len(self._buffer) > LONGEST_ROW
            if end == 0 and not self._ended and not too_long:
                self._more()
                continue
            rows = self._arrow_rows(end) if regular and end and self._fast else None
            yield rows or self._python_rows()
        if self._broken:
            raise InputError(f"{self._name}: {self._broken}, after row {self._next_row - 1}; fetch it again")

    def _header(self, skip: int) -> tuple[str, ...]:
        at, record = 0, None
        looked = 0
        while record is None and not (self._ended and looked == len(self._buffer)):
            if looked == len(self._buffer):
                if looked > LONGEST_ROW:
                    break
                self._more()
            # The header is short; a block as Python's strings would take many times its room.
            looked = min(max(_HEAD, 2 * looked), len(self._buffer))
            whole = self._ended and looked == len(self._buffer)
            lines = self._decoder.marked(self._buffer[:looked]).split("\n")
            if not whole:
                lines.pop()
            at = next((i for i, line in enumerate(lines) if i >= skip and line.strip()), len(lines))
            if at < len(lines):
                record = _record(lines, at, self._delimiter, final=whole)
        if record is None and self._ended:
            self._buffer = b""
            return ()
        cells = self._decoded(record.cells) if record and record.cells is not None else None
        if record is None or cells is None:
            reason = (record.reason if record else "longer than any row") or _UNDECODABLE
            raise InputError(f"{self._name}: the header can't be read: {reason}; mend the first line")
        rest = self._buffer.split(b"\n", at + record.lines)
        self._buffer = rest[-1] if len(rest) > at + record.lines else b""
        return tuple(cell.strip().strip("\ufeff") or f"column {i}" for i, cell in enumerate(cells, 1))

    def _more(self) -> None:
        try:
            block = next(self._blocks, b"")
        except BrokenStreamError as error:
            self._broken = error
            block = b""
            # What follows the last line end is half a row.
            self._buffer = self._buffer[: self._buffer.rfind(b"\n") + 1]
        self._ended = not block
        self._buffer += block

    def _regular_end(self) -> tuple[int, bool]:
        """Return where the last whole row ends (0: nowhere), and whether all before is by the book."""
        # Compiled code takes half a second to load: only where rows are read.
        from classifier.read.quoting import regular_end

        content = np.frombuffer(self._buffer, np.uint8)
        whole = self._ended and not self._broken
        end, regular = regular_end(content, ord(self._delimiter), whole)
        return int(end), bool(regular)

    def _arrow_rows(self, end: int) -> Rows | None:
        """Parse whole rows that are by the book; None where they need a closer look."""
        block, mended = self._buffer[:end], 0
        try:
            table = self._parsed(block)
        except pa.ArrowInvalid:
            # Bytes that are no UTF-8, which may be mended.
            cleaned = self._decoder.clean(block)
            if cleaned is None or not cleaned[1]:
                return None
            block, mended = cleaned
            try:
                table = self._parsed(block)
            except pa.ArrowInvalid:
                # Rows that are not as wide as the header: Python's parser sets them aside.
                return None
        self._decoder.mended_lines += mended
        self._buffer = self._buffer[end:]
        return Rows(table, self._numbers(table.num_rows))

    def _parsed(self, block: bytes) -> pa.Table:
        columns = [str(i) for i in range(len(self.names))]
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(column_names=columns, block_size=len(block) + 1),
            parse_options=pa_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.large_string())),
        )

    def _python_rows(self, *, all_lines: bool = False) -> Rows:
        """Parse row by row what is in the buffer, as far as its rows are whole: its first lines, or all."""
        most = -1 if all_lines or len(self._buffer) > LONGEST_ROW else _LINES_AT_ONCE
        raw = self._buffer.split(b"\n", most)
        more = len(raw) > most > 0
        whole = self._ended and not self._broken and not more
        # Without a line end at the very end, the last line may go on in the next block.
        tail = raw.pop() if not whole or not raw[-1] else b""
        text = self._decoder.marked(b"\n".join(raw))
        lines = text.split("\n") if raw else []
        good: list[list[str]] = []
        numbers: list[int] = []
        faults: list[Fault] = []
        at = 0
        while at < len(lines):
            too_long = at == 0 and len(self._buffer) > LONGEST_ROW
            record = _record(lines, at, self._delimiter, final=whole or too_long)
            if record is None:
                break
            at += record.lines
            self._place(record, good, numbers, faults)
        if at == 0 and more:
            # One row, or one that looks like it, has more lines than that.
            return self._python_rows(all_lines=True)
        self._buffer = b"\n".join([*raw[at:], tail])
        if at == 0:
            self._no_whole_row(faults)
        columns = [list(cells) for cells in zip(*good, strict=True)] or [[] for _ in self.names]
        return Rows(table_of(columns), np.array(numbers, dtype=np.int64), tuple(faults))

    def _no_whole_row(self, faults: list[Fault]) -> None:
        """Read on; give up the row where it is longer than any row should be, or the data broke off."""
        if self._broken:
            self._buffer = b""
        elif len(self._buffer) > LONGEST_ROW:
            faults.append(Fault(self._next_row, f"longer than {LONGEST_ROW >> 20} MB"))
            self._next_row += 1
            while not self._ended and b"\n" not in self._buffer:
                self._buffer = b""
                self._more()
            self._buffer = self._buffer.partition(b"\n")[2]
        elif not self._ended:
            self._more()

    def _place(self, record: _Record, good: list[list[str]], numbers: list[int], faults: list[Fault]) -> None:
        width = len(self.names)
        cells = record.cells
        if cells is not None and len(cells) == 1 and width > 1 and not cells[0].strip():
            return
        if cells == []:
            return
        number = self._next_row
        self._next_row += 1
        if cells is None:
            faults.append(Fault(number, record.reason))
            return
        if len(cells) < width or any(cells[width:]):
            faults.append(Fault(number, f"{len(cells)} cells where the header has {width}", cells=cells))
            return
        decoded = self._decoded(cells[:width])
        if decoded is None:
            faults.append(Fault(number, _UNDECODABLE, cells=cells))
            return
        good.append(decoded)
        numbers.append(number)

    def _decoded(self, cells: list[str]) -> list[str] | None:
        joined = "\0".join(cells)
        if joined.isascii():
            return cells
        mended = self._decoder.mended(joined)
        return None if mended is None else mended.split("\0")

    def _numbers(self, count: int) -> np.ndarray:
        numbers = numbers_from(self._next_row, count)
        self._next_row += count
        return numbers


class _Lines:
    """Lines for the csv module; counts those taken, and knows whether it asked for more."""

    def __init__(self, lines: Sequence[str], at: int, stop: int) -> None:
        self._lines, self._at, self._stop = lines, at, stop
        self.taken = 0
        self.exhausted = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._at == self._stop:
            self.exhausted = True
            raise StopIteration
        self._at += 1
        self.taken += 1
        return self._lines[self._at - 1] + "\n"


def _record(lines: Sequence[str], at: int, delimiter: str, *, final: bool) -> _Record | None:
    """Parse the row that starts at a line; None if it goes on after the last line and that isn't final.

    A quote that is never closed, or closed in the middle of a cell lines below, costs its own
    line only: the next row starts on the next line.
    """
    line = lines[at]
    if '"' not in line:
        return _Record(line.split(delimiter) if line else [], 1)
    source = _Lines(lines, at, len(lines))
    try:
        return _Record(next(csv.reader(source, delimiter=delimiter, strict=True)), source.taken)
    except csv.Error:
        if source.exhausted and not final:
            return None
    alone = _Lines(lines, at, at + 1)
    try:
        cells = next(csv.reader(alone, delimiter=delimiter))
    except csv.Error:
        return _Record(None, 1, "a carriage return outside quotes")
    return _Record(None, 1, _UNCLOSED) if alone.exhausted else _Record(cells, 1)


def _lf_only(blocks: Iterator[bytes], *, old_mac: bool) -> Iterator[bytes]:
    """Turn CR LF into LF; where lines end in CR alone, turn that."""
    held = b""
    for block in blocks:
        text = held + block
        held = b""
        if old_mac:
            text = text.replace(b"\r", b"\n")
        elif b"\r" in text:
            if text.endswith(b"\r"):
                text, held = text[:-1], b"\r"
            text = _without_returns(text)
        if text:
            yield text
    if held:
        yield b"\n"


def _without_returns(text: bytes) -> bytes:
    """Turn CR LF into LF, without Python's lock where there is much of it: others score meanwhile."""
    if len(text) < _MUCH:
        return text.replace(b"\r\n", b"\n")
    from classifier.read.quoting import newlines_only

    out = np.empty(len(text), dtype=np.uint8)
    return out[: newlines_only(np.frombuffer(text, np.uint8), out)].tobytes()


def _allow_long_cells() -> None:
    """Raise the csv module's limit of 128 KB a cell: a ticket may hold more."""
    csv.field_size_limit(max(csv.field_size_limit(), 4 * LONGEST_ROW))
