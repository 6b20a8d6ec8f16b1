"""How an input is written: CSV, TSV, JSON, JSON Lines, Parquet, XLSX.

In: an input. Out: a feed of its rows. Never knows who wrote it (that is `sources`).

To add a format: one function below, one entry in FORMATS, and what recognises it in `detect`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from classifier.errors import InputError
from classifier.read.columns import TEXT_NAMES, is_name, matches
from classifier.read.delimited import DELIMITERS, LONGEST_ROW, NO_DELIMITER, DelimitedReader, dialect_of
from classifier.read.detect import WHOLE_FILES, Found, detect
from classifier.read.encoding import Decoder
from classifier.read.json_stream import JsonStream, lenient_value
from classifier.read.opening import BrokenStreamError, Input, blocks, unpacked
from classifier.read.options import ReadOptions, delimiter_of
from classifier.read.records import names_of
from classifier.read.rows import Fault, Rows, numbers_from
from classifier.read.sheets import find_sheet, sheet_rows

_SAMPLE_RECORDS = 1_000
_TITLES, _TITLE_LINES = 1 << 14, 12
"""Bytes and lines in which a header below a title is looked for."""
_SEPARATED_BY = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|", NO_DELIMITER: "one column"}

# Lists of rows in documents as APIs write them; empty ones tell an empty export from a record.
_LIST_NAMES = ("tickets", "data", "results", "items", "records", "rows")
_TEXT_NAMES = ("text", "description", "body", "comment", "message", "content", "note")

Element = tuple[str, int, Any]
"""(name of its list, 1-based place in it or line, value): the value of a line that is no JSON is a Fault."""


@dataclass(frozen=True)
class Feed:
    """An input, opened: what it looks like, and its rows as often as they are asked for.

    A table has `names` and `rows`; JSON has `lists`, {name of a list: dotted names of its
    objects}, and `elements`. Both functions take a list, to which they add at their end what had
    to be mended.
    """

    title: str
    names: tuple[str, ...] = ()
    rows: Callable[[list[str]], Iterator[Rows]] | None = None
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    elements: Callable[[list[str]], Iterator[Element]] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One way of writing rows; `packed`: may be gzip or zstd."""

    name: str
    title: str
    packed: bool
    open: Callable[[Input, Found, ReadOptions], Feed]


def open_feed(source: Input, options: ReadOptions) -> Feed | None:
    """Find out how an input is written and open it; None where it is empty.

    Raises
    ------
    InputError
        If it can't be read.
    """
    source = unpacked(source, WHOLE_FILES)
    found = detect(source, encoding=options.encoding)
    return FORMATS[found.format].open(source, found, options) if found.format else None


def _delimited(source: Input, found: Found, options: ReadOptions) -> Feed:
    dialect = dialect_of(found.sample, delimiter_of(options.delimiter))
    if dialect.delimiter == NO_DELIMITER:
        _refuse_title(found.sample, source.name)
    head = DelimitedReader(iter([found.sample]), dialect, Decoder(found.encoding), name=source.name)

    def rows(notes: list[str]) -> Iterator[Rows]:
        decoder = Decoder(found.encoding)
        yield from DelimitedReader(decoder.utf8(blocks(source)), dialect, decoder, name=source.name).rows()
        notes += decoder.notes()

    kind = "TSV" if dialect.delimiter == "\t" else "CSV"
    separated = _SEPARATED_BY.get(dialect.delimiter, repr(dialect.delimiter))
    title = kind if separated in ("comma", "tab") else f"{kind} ({separated})"
    return Feed(_title(title, found), head.names, rows)


def _refuse_title(sample: bytes, name: str) -> None:
    """Refuse a table below a title: what is no table has one column, and would be read as lines of text."""
    lines = sample[:_TITLES].decode("utf-8", "replace").split("\n")[:_TITLE_LINES]
    for number, line in enumerate(lines[1:], 2):
        for delimiter in DELIMITERS:
            cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
            if len(set(cells)) == len(cells) > 2 and all(map(is_name, cells)) and matches(TEXT_NAMES, cells):
                raise InputError(f"{name}: line {number} looks like the header; delete the lines above it")


def _json(source: Input, found: Found, options: ReadOptions) -> Feed:
    def elements(notes: list[str]) -> Iterator[Element]:
        decoder = Decoder(found.encoding)
        yield from JsonStream(decoder.utf8(blocks(source)), decoder, name=source.name).elements()
        notes += decoder.notes()

    def one_record(notes: list[str]) -> Iterator[Element]:
        yield "", 1, _joined(elements(notes))

    samples: dict[str, list[Mapping[str, Any]]] = {}
    members: dict[str, Any] = {}
    for name, place, value in elements([]):
        if place:
            _sample(samples, name, value)
        # A document that is a list has the one member "".
        if not place or not name:
            members[name] = value
    title = _title("JSON", found)
    empty = any(members.get(name) == [] for name in _LIST_NAMES)
    if empty and not any(name in samples for name in _LIST_NAMES):
        return Feed(title, elements=elements)
    if "" in members:
        return Feed(title, lists={"": names_of(samples.get("", []))}, elements=elements)
    if _is_record(members) or not samples:
        return Feed(title, lists={"": names_of([_joined(elements([]))])}, elements=one_record)
    lists = {name: names_of(sampled) for name, sampled in samples.items()}
    return Feed(title, lists=lists, elements=elements)


def _is_record(members: Mapping[str, Any]) -> bool:
    """Tell a document that is one record from one that holds lists of them."""
    return any(isinstance(members.get(name), str) for name in _TEXT_NAMES)


def _joined(elements: Iterator[Element]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, place, value in elements:
        if place:
            record.setdefault(name, []).append(value)
        else:
            record[name] = value
    return record


def _json_lines(source: Input, found: Found, options: ReadOptions) -> Feed:
    def elements(notes: list[str]) -> Iterator[Element]:
        decoder = Decoder(found.encoding)
        for number, line in _lines(decoder.utf8(blocks(source)), source.name):
            yield "", number, _line_value(line, number, decoder)
        notes += decoder.notes()

    sampled: dict[str, list[Mapping[str, Any]]] = {"": []}
    for name, _, value in elements([]):
        _sample(sampled, name, value)
        if len(sampled[""]) >= _SAMPLE_RECORDS:
            break
    return Feed(_title("JSON Lines", found), lists={"": names_of(sampled[""])}, elements=elements)


def _parquet(source: Input, found: Found, options: ReadOptions) -> Feed:
    import pyarrow.parquet as pq

    def rows(notes: list[str]) -> Iterator[Rows]:
        first = 1
        try:
            with pq.ParquetFile(source.path) as file:
                for batch in file.iter_batches(batch_size=min(options.batch_rows, 20_000)):
                    table = _flat(pa.Table.from_batches([batch]))
                    columns = [str(place) for place in range(table.num_columns)]
                    yield Rows(table.rename_columns(columns), numbers_from(first, table.num_rows))
                    first += table.num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{source.name}: the Parquet file is damaged after row {first - 1}; export it again"
            ) from error

    try:
        with pq.ParquetFile(source.path) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.name}: the Parquet file is damaged or cut off; export it again") from error
    return Feed("Parquet", tuple(_flat(schema.empty_table()).column_names), rows)


def _xlsx(source: Input, found: Found, options: ReadOptions) -> Feed:
    sheet = find_sheet(source, options.sheet)

    def rows(notes: list[str]) -> Iterator[Rows]:
        yield from sheet_rows(source, sheet)

    notes: tuple[str, ...] = ()
    if sheet.others and not options.sheet:
        others = ", ".join(map(repr, sheet.others))
        notes = (f"sheet: {sheet.name!r} (also there: {others}; choose with --sheet)",)
    return Feed(f"XLSX, sheet {sheet.name!r}", sheet.names, rows, notes=notes)


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("csv", "CSV and TSV: cells separated by , ; tab | or another character", True, _delimited),
        Format("json", "JSON: a list of objects, or an object that holds such lists", True, _json),
        Format("jsonl", "JSON Lines: one object per line", True, _json_lines),
        Format("parquet", "Parquet", True, _parquet),
        Format("xlsx", "XLSX: the first sheet that holds anything, or --sheet", True, _xlsx),
    )
}


def _title(title: str, found: Found) -> str:
    parts = [title]
    if found.encoding.name != "utf-8":
        parts.append(found.encoding.name)
    if found.compression:
        parts.append(found.compression)
    return ", ".join(parts)


def _sample(samples: dict[str, list[Mapping[str, Any]]], name: str, value: Any) -> None:
    if isinstance(value, str) and name == "":
        value = {"text": value}
    if isinstance(value, dict):
        taken = samples.setdefault(name, [])
        if len(taken) < _SAMPLE_RECORDS:
            taken.append(value)


def _lines(texts: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold anything, with their numbers."""
    number, rest = 0, [b""]
    try:
        for text in texts:
            first, *others = text.split(b"\n")
            rest.append(first)
            for line in others:
                number += 1
                whole = b"".join(rest)
                if whole.strip():
                    yield number, whole
                rest = [line]
    except BrokenStreamError as error:
        raise InputError(f"{name}: {error}, after line {number}; fetch it again") from error
    last = b"".join(rest)
    if last.strip():
        yield number + 1, last


def _line_value(line: bytes, number: int, decoder: Decoder) -> Any:
    if len(line) > LONGEST_ROW:
        return Fault(number, f"longer than {LONGEST_ROW >> 20} MB")
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        # orjson is strict: also what the standard library can read comes here.
        text = decoder.mended(decoder.marked(line))
    if text is None:
        return Fault(number, "not UTF-8, and no other encoding is certain; give --encoding")
    try:
        return lenient_value(text)
    except ValueError as error:
        return Fault(number, f"broken JSON at column {getattr(error, 'colno', 1)}")
    except RecursionError:
        return Fault(number, "nested too deeply")


def _flat(table: pa.Table) -> pa.Table:
    """Give the members of structs columns of their own, under dotted names."""
    while any(pa.types.is_struct(column.type) for column in table.schema):
        table = table.flatten()
    return table
