"""Labelled documents from CSV, JSON lines and Parquet, for training and for evaluation.

In: files in any of the accepted spellings. Out: one table LABELLED, rows in the order given.
Never guesses a label, never leaves a faulty row out, never shows text in an error.
"""

import csv
import difflib
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from classifier.chars import without_halves
from classifier.errors import InputError
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS
from classifier.schema import LABELLED, conform

_SUFFIXES: Final = {
    ".csv": "row",
    ".tsv": "row",
    ".jsonl": "line",
    ".ndjson": "line",
    ".parquet": "row",
}
_COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd"}
_BODIES: Final = ("text", "body", "description")
_FLAGS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0", "x"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", ""), False),
}
_NONE: Final = ("none", "no", "no_label", "nothing", "n/a", "na", "null", "nan", "-")
"""What people write who mean that there is no label."""
_FAULTS_SHOWN: Final = 20
_VALUE_SHOWN: Final = 40
_FIELD_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True)
class _Row:
    """One row with its column names folded to lower case; `place` is where it stands, for messages."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Labelled:
    """Table LABELLED; where each of its documents stands (file and row), for messages; its raw parts.

    `parts` are the columns `subject` and `body` that the texts were joined of: they are cleaned one by one.
    """

    documents: pd.DataFrame
    places: tuple[str, ...]
    parts: pd.DataFrame

    def warnings(self) -> tuple[str, ...]:
        """Return what the user should know of the data: evidence and labels that can't be learnt from."""
        pairs = zip(self.documents["text"], self.documents["evidence"], strict=True)
        lost = [row for row, (text, evidence) in enumerate(pairs) if _is_lost(evidence, text)]
        torn = _contradicting(self.documents)
        found = []
        if lost:
            found.append(
                f"{len(lost)} text(s) have evidence that doesn't stand in them, the first is"
                f" {self.places[lost[0]]}; it counts as none: give evidence to the letter, from what the"
                " customer wrote (not from a quoted mail or a signature)"
            )
        if torn:
            found.append(
                f"{len(torn)} text(s) stand there more than once, with different labels, the first again at"
                f" {self.places[torn[0]]}; decide which labels are right and leave the others out"
            )
        return tuple(found)


class _RowError(ValueError):
    """What is wrong with one row; collected, so that all of them are reported at once."""


def read_labelled(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Return the table that `read_placed` reads."""
    return read_placed(paths).documents


def read_placed(paths: Sequence[str | Path]) -> Labelled:
    """Read labelled documents.

    Column names are matched without regard to case. The text is `text` (or `body`, or `description`), below
    `subject` where there is one, joined as a document's text is. The labels are `labels` (a list, a JSON
    list, or joined by ";"; empty: no label), or else one true/false column per label. Optional: `id` (or
    `document_id`), `evidence` (a JSON object {label: span}) or one `<label>_evidence` column per label,
    `expectation_source`, `group`, `source`, `channel`. Further columns are left out.

    Parameters
    ----------
    paths
        Files that end in .csv, .tsv, .jsonl, .ndjson or .parquet; the text kinds also .gz or .zst.

    Returns
    -------
    Table LABELLED, in the order of the files and their rows; without rows for no paths. Texts and spans
    are in NFC with LF line ends, as on reading feedback. A row without an id gets one made of its text.

    Raises
    ------
    InputError
        If a file can't be read, is empty or lacks a column; or with every faulty row: an unknown label or
        expectation source, evidence for a label that isn't given, an id used twice, a missing text.
    """
    rows = [row for path in paths for row in _rows(Path(path))]
    faults: list[str] = []
    documents: list[dict[str, Any]] = []
    for row in rows:
        try:
            documents.append(_document(row.values))
        except _RowError as error:
            faults.append(f"{row.place}: {error}")
    if not faults:
        faults = _name(rows, documents)
    if faults:
        raise InputError(_listed(faults))
    table = conform(pd.DataFrame(documents, columns=list(LABELLED)), LABELLED)
    parts = pd.DataFrame(documents, columns=["subject", "body"], dtype="str")
    return Labelled(table, tuple(row.place for row in rows), parts)


def _is_lost(evidence: str, text: str) -> bool:
    return any(span not in text for span in json.loads(evidence or "{}").values())


def _contradicting(documents: pd.DataFrame) -> list[int]:
    """Return, for each text that has different labels, the first row where they differ from those before."""
    first: dict[str, tuple[bool, ...]] = {}
    torn: dict[str, int] = {}
    labels = documents[list(LABELS)].itertuples(index=False, name=None)
    for row, (text, own) in enumerate(zip(documents["text"], labels, strict=True)):
        if text.strip() and first.setdefault(text, own) != own:
            torn.setdefault(text, row)
    return list(torn.values())


def _listed(faults: Sequence[str]) -> str:
    lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  … and {len(faults) - _FAULTS_SHOWN} more")
    return "\n".join([f"labelled data: {len(faults)} row(s) to mend:", *lines])


# Files to rows


def _rows(path: Path) -> list[_Row]:
    compressed = path.suffix.lower() in _COMPRESSIONS
    suffix = Path(path.stem if compressed else path.name).suffix.lower()
    if suffix not in _SUFFIXES or (compressed and suffix == ".parquet"):
        raise InputError(
            f"{path}: labelled data is read from files that end in {', '.join(_SUFFIXES)}"
            f" (text kinds also {', '.join(_COMPRESSIONS)}); save it as one of these"
        )
    read = {".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}.get(suffix, _csv)
    numbered = read(path)
    if not numbered:
        raise InputError(f"{path}: holds no rows; labelled data needs at least one, with text and labels")
    _check_columns(path, {name for _, values in numbered for name in values})
    return [_Row(f"{path} {_SUFFIXES[suffix]} {number}", values) for number, values in numbered]


def _check_columns(path: Path, found: set[str]) -> None:
    columns = ", ".join(sorted(found)) or "none"
    if not found & {*_BODIES}:
        raise InputError(
            f"{path}: no text; columns found: {columns};"
            f" name the text column 'text', or 'body' (or 'description'), and that of subjects 'subject'"
        )
    missing = [label for label in LABELS if label not in found]
    if "labels" in found and len(missing) < len(LABELS):
        named = ", ".join(sorted(found & set(LABELS)))
        raise InputError(f"{path}: labels given twice, in 'labels' and in {named}; leave one of them out")
    if "labels" not in found and missing:
        raise InputError(
            f"{path}: no labels; columns found: {columns}; add a column 'labels' (joined by ';', empty for"
            f" none), or true/false columns (missing: {', '.join(missing)})"
        )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    compression = _COMPRESSIONS.get(path.suffix.lower())
    if compression is None:
        return content
    import pyarrow as pa

    try:
        unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(content), compression).read()
    except OSError as error:
        raise InputError(f"{path}: isn't whole {compression} data; unpack it or make it anew") from error
    return unpacked


def _decoded(path: Path) -> str:
    try:
        return _content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8, in a spreadsheet 'CSV UTF-8'"
        ) from None


def _folded(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in values.items()}


def _json_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    numbered = []
    # Not splitlines: it also cuts at the Unicode line separators that a JSON string may hold.
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path} line {number}: not JSON: {error.msg} at column {error.colno};"
                " each line must be one whole object"
            ) from None
        if not isinstance(values, dict):
            raise InputError(f"{path} line {number}: a JSON {type(values).__name__}, not an object")
        numbered.append((number, _folded(values)))
    return numbered


def _csv(path: Path) -> list[tuple[int, dict[str, Any]]]:
    text = _decoded(path)
    header_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    # The limit of 131,072 characters is the csv module's own, and global; long letters pass it.
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num}: broken quoting: {error}") from None
    header = [name.strip().lower() for name in lines[0]] if lines else []
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} stands there twice; rename one of them")
    numbered = []
    for number, cells in enumerate(lines[1:], start=1):
        if cells and len(cells) != len(header):
            raise InputError(
                f"{path} row {number}: {len(cells)} cells, but the header has {len(header)};"
                f" quote the cells that hold {delimiter!r} or line breaks"
            )
        if cells:
            numbered.append((number, dict(zip(header, cells, strict=True))))
    return numbered


def _parquet(path: Path) -> list[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = _content(path)
    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file, or a damaged one; write it anew") from error
    return [(number, _folded(values)) for number, values in enumerate(rows, start=1)]


# Rows to documents


def _document(values: Mapping[str, Any]) -> dict[str, Any]:
    subject, body = _parts(values)
    text = "\n".join(part for part in (subject, body) if part.strip()) or body
    labels = _labels(values)
    if labels and not text.strip():
        raise _RowError("has labels but no text; fill in the text or delete the row")
    source = _word(values, "expectation_source").lower()
    if source and source not in EXPECTATION_SOURCES:
        raise _RowError(_unknown("expectation source", source, EXPECTATION_SOURCES))
    if source and GAP not in labels:
        raise _RowError(
            f"expectation source {source!r} without the label {GAP}; add the one or drop the other"
        )
    return {
        "id": _word(values, "id") or _word(values, "document_id"),
        "text": text,
        "subject": subject,
        "body": body,
        **{label: label in labels for label in LABELS},
        "evidence": json.dumps(_evidence(values, labels), ensure_ascii=False),
        "expectation_source": source,
        **{name: _word(values, name) for name in ("group", "source", "channel")},
    }


def _plain(text: str) -> str:
    """Return what reading feedback makes of `text`; half a surrogate pair is no character."""
    whole = without_halves(text)
    return unicodedata.normalize("NFC", whole.replace("\r\n", "\n").replace("\0", ""))


def _string(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RowError(f"column {name!r} holds a {type(value).__name__}, not text")
    return _plain(value)


def _word(values: Mapping[str, Any], name: str) -> str:
    """Return a short cell; ids are often numbers, and a missing one may come as NaN."""
    value = values.get(name)
    if value is None or value != value:
        return ""
    if not isinstance(value, str | int | float):
        raise _RowError(f"column {name!r} holds a {type(value).__name__}, not text")
    return _plain(str(value)).strip()


def _parts(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and body."""
    body = next((name for name in _BODIES if name in values), None)
    if body is None:
        raise _RowError("has no text; every row needs the key 'text'")
    return _string(values, "subject"), _string(values, body)


def _labels(values: Mapping[str, Any]) -> set[str]:
    if "labels" in values:
        return {_label(name) for name in _label_names(values["labels"])}
    missing = [label for label in LABELS if label not in values]
    if missing:
        raise _RowError(f"has no labels; every row needs 'labels' or each of {', '.join(LABELS)}")
    return {label for label in LABELS if _flag(values[label], label)}


def _label_names(value: Any) -> list[Any]:
    if value is None or value != value:
        raise _RowError(_unlabelled("labels"))
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parsed(value, "labels")
    if isinstance(value, str):
        return [name for name in value.split(";") if name.strip()]
    if not isinstance(value, list):
        raise _RowError(f"column 'labels' holds a {type(value).__name__}, not a list or text")
    return value


def _label(name: Any) -> str:
    folded = str(name).strip().lower().replace(" ", "_").replace("-", "_")
    if folded not in LABELS:
        raise _RowError(_no_label(str(name).strip(), folded))
    return folded


def _no_label(found: str, folded: str) -> str:
    if folded in _NONE:
        return f"unknown label {found!r}; leave it empty for none; known: {', '.join(LABELS)}"
    parts = [part.strip(" _") for part in re.split(r"[,|/+&]", folded)]
    if len(parts) > 1 and {*parts} <= {*LABELS, ""}:
        return f"unknown label {found!r}; join several with ';', as in {';'.join(LABELS[:2])!r}"
    return _unknown("label", found, LABELS)


def _unknown(kind: str, found: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(found.lower().replace(" ", "_"), known, n=1, cutoff=0.3)
    # What stands there may be a customer's sentence in the wrong column.
    shown = repr(found) if len(found) <= _VALUE_SHOWN else f"a value of {len(found)} characters"
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {shown}; {hint}known: {', '.join(known)}; leave it empty for none"


def _flag(value: Any, label: str) -> bool:
    if value is None or value != value:
        raise _RowError(_unlabelled(label))
    flag = _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise _RowError(
            f"column {label!r} holds neither true nor false; use true or false (also yes, no, y, n, t, f, 1,"
            " 0, x), or an empty cell for no"
        )
    return flag


def _unlabelled(name: str) -> str:
    """Return what is wrong with a null: unlike an empty cell it may stand for what nobody looked at."""
    empty = "an empty list or text" if name == "labels" else "false"
    return f"column {name!r} holds null; write {empty} for no, or leave the row out where nobody labelled it"


def _parsed(value: str, name: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise _RowError(f"column {name!r} isn't JSON: {error.msg} at character {error.pos + 1}") from None


def _evidence(values: Mapping[str, Any], labels: set[str]) -> dict[str, str]:
    spans = values.get("evidence")
    if isinstance(spans, str):
        spans = _parsed(spans, "evidence") if spans.strip() else None
    if spans is None:
        spans = {label: values.get(f"{label}_evidence") for label in LABELS}
    if not isinstance(spans, dict):
        raise _RowError("column 'evidence' isn't a JSON object {label: span}")
    found: dict[str, str] = {}
    for name, span in spans.items():
        label = _label(name)
        if span is None or span == "":
            continue
        if not isinstance(span, str):
            raise _RowError(f"the evidence of {label} is a {type(span).__name__}, not text")
        if label not in labels:
            raise _RowError(f"evidence for {label}, which isn't among the labels; add it or drop the span")
        found[label] = _plain(span)
    return {label: found[label] for label in LABELS if label in found}


# Ids


def _name(rows: Sequence[_Row], documents: Sequence[dict[str, Any]]) -> list[str]:
    """Give documents without an id one made of their text; return a fault for each id used twice."""
    faults: list[str] = []
    places: dict[str, str] = {}
    for row, document in zip(rows, documents, strict=True):
        identity = document["id"]
        if identity in places:
            faults.append(f"{row.place}: id {identity!r} is already used at {places[identity]}")
        elif identity:
            places[identity] = row.place
    # Training goes by ids, and must not depend on the order of rows: copies of one text are numbered by
    # what is said of them.
    unnamed = [document for document in documents if not document["id"]]
    copies: Counter[str] = Counter()
    for document in sorted(unnamed, key=lambda one: [str(value) for value in one.values()]):
        made = f"t-{hashlib.sha256(document['text'].encode()).hexdigest()[:16]}"
        while not document["id"] or document["id"] in places:
            copies[made] += 1
            document["id"] = made if copies[made] == 1 else f"{made}-{copies[made]}"
        places[document["id"]] = ""
    return faults
