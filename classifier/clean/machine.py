"""Texts that no person wrote: stack traces, SQL, JSON, logs, bare numbers.

In: document texts. Out: masks. Never marks a text that holds a sentence beside them.
"""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_LONGEST: Final = 20_000
"""Code points: what is longer goes to review anyway."""

_SQL = (
    r"(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s"
    r"|(?:CREATE|ALTER|DROP)\s+TABLE\s|WITH\s+\w+\s+AS\s)"
)
# How a text must begin to be looked at; Arrow reads no further than that.
_START = (
    r"\A\s*(?:Traceback \(most|Exception in thread|[\w.$]+(?:Exception|Error)\b|Caused by:|File \""
    r"|at [\w.$]+\("
    rf"|{_SQL}|[{{\[]|\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d)"
)
_NO_LETTER = r"\A[^\pL]*\z"

_FRAME = re.compile(r'Traceback \(most recent call last\):|\s+File ".*", line \d+|\s*at [\w.$<>/]+\(.*\)')
_TRACE_LINE = re.compile(
    _FRAME.pattern
    + r"|\s{2,}\S.*|[\w.$]+(?:Error|Exception|Warning|Exit|Interrupt)\b.*|Caused by: .*|\s*\.\.\. \d+ more"
    r"|Exception in thread .*|During handling of the above exception.*"
    r"|The above exception was the direct cause.*"
)
_LOG_LINE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*\s+(?:[\[(]?[\w.:/#-]+[\])]?\s+){0,3}?[\[(]?"
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
)
_SQL_START = re.compile(rf"\s*{_SQL}")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_PROSE = re.compile(
    r"(?<![\w.])(?:the|it|is|was|we|you|my|our|but|when|please|can|can't|cannot|not|doesn't|i|this"
    r"|why|how|that|a)"
    r"(?![\w.(])"
)
_SENTENCE: Final = 4
"""Words that a text inside JSON has at least where somebody says something."""


def has_letters(texts: "pd.Series") -> "npt.NDArray[np.bool_]":
    """Mark texts with at least one letter; amounts, ratings and emoji have none."""
    return ~_matching(texts, _NO_LETTER)


def is_machine_text(texts: "pd.Series") -> "npt.NDArray[np.bool_]":
    """Mark texts that are nothing but a stack trace, SQL, JSON without a sentence in it, or log lines."""
    marked = _matching(texts, _START)
    for row in marked.nonzero()[0]:
        marked[row] = _is_of_a_kind(texts.iloc[row])
    return marked


def is_machine(text: str) -> bool:
    """Tell of one text what `is_machine_text` tells of many."""
    return re.match(_START, text) is not None and _is_of_a_kind(text)


def _is_of_a_kind(text: str) -> bool:
    return len(text) <= _LONGEST and any(kind(text) for kind in _KINDS)


def _matching(texts: "pd.Series", pattern: str) -> "npt.NDArray[np.bool_]":
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(texts):
        return np.zeros(0, dtype=np.bool_)
    values = pa.chunked_array([pa.array(texts, type=pa.large_string())])
    found: npt.NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy()
    return found.copy()


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _is_trace(text: str) -> bool:
    lines = _lines(text)
    return any(map(_FRAME.match, lines)) and all(map(_TRACE_LINE.match, lines))


def _is_log(text: str) -> bool:
    return all(map(_LOG_LINE.match, _lines(text)))


def _is_sql(text: str) -> bool:
    return _SQL_START.match(text) is not None and not _PROSE.search(_QUOTED.sub(" ", text))


def _is_data(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list) and not _speaks(value)


def _speaks(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_speaks, value.values()))
    if isinstance(value, list):
        return any(map(_speaks, value))
    return isinstance(value, str) and len(value.split()) >= _SENTENCE


_KINDS: Final[tuple[Callable[[str], bool], ...]] = (_is_trace, _is_sql, _is_data, _is_log)
