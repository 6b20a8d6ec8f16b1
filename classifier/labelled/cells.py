"""One row's cells -> what a labelled document says.

In: the cells of a row by the folded names of their columns. Out: its text, labels, evidence and ids, or what
is wrong with it. Never guesses a label, never shows text in an error.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from classifier.chars import without_halves
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

BODIES: Final = ("text", "body", "description")
_FLAGS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0", "x"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", ""), False),
}
_NONE: Final = ("none", "no", "no_label", "nothing", "n/a", "na", "null", "nan", "-")
"""What people write who mean that there is no label."""
_VALUE_SHOWN: Final = 40


class RowError(ValueError):
    """What is wrong with one row; collected, so that all of them are reported at once."""


def document_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of table LABELLED, with the parts of its text, `subject` and `body`.

    Raises
    ------
    RowError
        If a cell says what can't be meant.
    """
    subject, body = _parts(values)
    text = "\n".join(part for part in (subject, body) if part.strip()) or body
    labels = _labels(values)
    if labels and not text.strip():
        raise RowError("has labels but no text; fill in the text or delete the row")
    source = _word(values, "expectation_source").lower()
    if source and source not in EXPECTATION_SOURCES:
        raise RowError(_unknown("expectation source", source, EXPECTATION_SOURCES))
    if source and GAP not in labels:
        raise RowError(
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
        raise RowError(f"column {name!r} holds a {type(value).__name__}, not text")
    return _plain(value)


def _word(values: Mapping[str, Any], name: str) -> str:
    """Return a short cell; ids are often numbers, and a missing one may come as NaN."""
    value = values.get(name)
    if value is None or value != value:
        return ""
    if not isinstance(value, str | int | float):
        raise RowError(f"column {name!r} holds a {type(value).__name__}, not text")
    return _plain(str(value)).strip()


def _parts(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and body."""
    body = next((name for name in BODIES if name in values), None)
    if body is None:
        raise RowError("has no text; every row needs the key 'text'")
    return _string(values, "subject"), _string(values, body)


def _labels(values: Mapping[str, Any]) -> set[str]:
    if "labels" in values:
        return {_label(name) for name in _label_names(values["labels"])}
    missing = [label for label in LABELS if label not in values]
    if missing:
        raise RowError(f"has no labels; every row needs 'labels' or each of {', '.join(LABELS)}")
    return {label for label in LABELS if _flag(values[label], label)}


def _label_names(value: Any) -> list[Any]:
    if value is None or value != value:
        raise RowError(_unlabelled("labels"))
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parsed(value, "labels")
    if isinstance(value, str):
        return [name for name in value.split(";") if name.strip()]
    if not isinstance(value, list):
        raise RowError(f"column 'labels' holds a {type(value).__name__}, not a list or text")
    return value


def _label(name: Any) -> str:
    folded = str(name).strip().lower().replace(" ", "_").replace("-", "_")
    if folded not in LABELS:
        raise RowError(_no_label(str(name).strip(), folded))
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
        raise RowError(_unlabelled(label))
    flag = _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise RowError(
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
        raise RowError(f"column {name!r} isn't JSON: {error.msg} at character {error.pos + 1}") from None


def _evidence(values: Mapping[str, Any], labels: set[str]) -> dict[str, str]:
    spans = values.get("evidence")
    if isinstance(spans, str):
        spans = _parsed(spans, "evidence") if spans.strip() else None
    if spans is None:
        spans = {label: values.get(f"{label}_evidence") for label in LABELS}
    if not isinstance(spans, dict):
        raise RowError("column 'evidence' isn't a JSON object {label: span}")
    found: dict[str, str] = {}
    for name, span in spans.items():
        label = _label(name)
        if span is None or span == "":
            continue
        if not isinstance(span, str):
            raise RowError(f"the evidence of {label} is a {type(span).__name__}, not text")
        if label not in labels:
            raise RowError(f"evidence for {label}, which isn't among the labels; add it or drop the span")
        found[label] = _plain(span)
    return {label: found[label] for label in LABELS if label in found}
