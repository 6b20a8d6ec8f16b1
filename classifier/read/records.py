"""Records (JSON objects) as rows of a table.

In: objects with whatever is nested in them. Out: rows of text cells under dotted names. Never
drops a value: what has no plain form stays as JSON.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from classifier.errors import InputError
from classifier.read.rows import Fault, Rows, table_of

_DEEPEST = 8
_CHUNK_ROWS = 5_000
_CHUNK_CHARACTERS = 16 << 20
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Record:
    """One object and its 1-based place; `dropped` and `merged` are rows that were read with it.

    A record without values stands for its faults only.
    """

    number: int
    values: Mapping[str, Any] | None
    rejected: tuple[Fault, ...] = ()
    dropped: tuple[Fault, ...] = ()
    merged: int = 0


def record_of(number: int, value: Any) -> Record:
    """Return an element of a list as a record; a plain text becomes the column `text`."""
    if isinstance(value, Fault):
        return Record(number, None, rejected=(value,))
    if isinstance(value, dict):
        return Record(number, value)
    if isinstance(value, str):
        return Record(number, {"text": value})
    return Record(number, None, rejected=(Fault(number, f"{_kind(value)} where an object is expected"),))


def flatten(values: Mapping[str, Any], tops: frozenset[str] | None = None) -> dict[str, str]:
    """Return nested values as text under dotted names; only the members called `tops`, if given.

    Lists of plain values are joined by ";"; lists of {id, value} (custom fields) become one
    name per id; other lists, and what is nested too deeply, become JSON. Null is the empty text.
    """
    if tops is not None:
        values = {name: value for name, value in values.items() if name in tops}
    flat: dict[str, str] = {}
    _flatten(values, "", 0, flat)
    return flat


def names_of(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the dotted names of all records, in order of first appearance."""
    names: dict[str, None] = {}
    for values in records:
        names.update(dict.fromkeys(flatten(values)))
    return tuple(names)


def rows_of(
    records: Iterable[Record], names: Sequence[str], *, needed: frozenset[int] | None = None
) -> Iterator[Rows]:
    """Yield records as rows under `names`; other names are left out.

    Parameters
    ----------
    records
        Objects, and faults that were found with them.
    names
        Dotted names of the columns.
    needed
        Places of the columns to fill; None: all. The others stay empty.

    Raises
    ------
    InputError
        If `records` break off: after those before the break.
    """
    filled = [name if needed is None or place in needed else "" for place, name in enumerate(names)]
    tops = None if needed is None else frozenset(part for name in filled for part in _tops(name))
    chunk: list[Record] = []
    flats: list[dict[str, str]] = []
    size = 0
    broken: InputError | None = None
    try:
        for record in records:
            chunk.append(record)
            if record.values is not None:
                flat = flatten(record.values, tops)
                flats.append(flat)
                size += sum(map(len, flat.values()))
            if len(chunk) >= _CHUNK_ROWS or size >= _CHUNK_CHARACTERS:
                yield _rows(chunk, flats, filled)
                chunk, flats, size = [], [], 0
    except InputError as error:
        broken = error
    yield _rows(chunk, flats, filled)
    if broken:
        raise broken


def _rows(records: Sequence[Record], flats: Sequence[dict[str, str]], names: Sequence[str]) -> Rows:
    columns = [[flat.get(name, "") for flat in flats] if name else [None] * len(flats) for name in names]
    numbers = [record.number for record in records if record.values is not None]
    return Rows(
        table_of(columns),
        np.array(numbers, dtype=np.int64),
        tuple(fault for record in records for fault in record.rejected),
        tuple(fault for record in records for fault in record.dropped),
        sum(record.merged for record in records),
    )


def _tops(name: str) -> list[str]:
    """Return the members of an object that a dotted name may come from: their names may hold dots too."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _flatten(values: Mapping[str, Any], prefix: str, depth: int, flat: dict[str, str]) -> None:
    for key, value in values.items():
        name = prefix + key
        if type(value) is str:
            flat[name] = value if value.isascii() else _without_surrogates(value)
        elif isinstance(value, dict) and value and depth < _DEEPEST:
            _flatten(value, name + ".", depth + 1, flat)
        elif isinstance(value, list):
            _flatten_list(value, name, flat)
        else:
            flat[name] = plain(value)


def _flatten_list(values: list[Any], name: str, flat: dict[str, str]) -> None:
    if not any(isinstance(value, dict | list) for value in values):
        flat[name] = ";".join(plain(value) for value in values)
    elif all(isinstance(value, dict) and value.keys() == {"id", "value"} for value in values):
        for field in values:
            _flatten({plain(field["id"]): field["value"]}, name + ".", 1, flat)
    else:
        flat[name] = plain(values)


def plain(value: Any) -> str:
    """Return one value as text: null is empty, numbers that are whole have no point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _without_surrogates(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return _without_surrogates(_json(value))


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Whole numbers beyond 64 bits, or halves of surrogate pairs.
        return json.dumps(value, ensure_ascii=False, default=str)


def _without_surrogates(text: str) -> str:
    """Halves of surrogate pairs are no characters: no encoding can write them."""
    return _LONE_SURROGATE.sub("", text) if _LONE_SURROGATE.search(text) else text


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "a number or truth value"
