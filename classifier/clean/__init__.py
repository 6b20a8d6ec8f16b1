"""Subject and body to *the* document text: HTML and quoted mails gone, all else as it was written.

In: text as exported. Out: text; plain text changes only by NFC and CRLF to LF, or loses what mail adds.
Never changes a letter, never invents text, never empties a text that says something.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from classifier.chars import BETWEEN_MESSAGES
from classifier.clean.autoreply import is_auto_reply
from classifier.clean.machine import has_letters, is_machine, is_machine_text
from classifier.clean.mail import is_forward, strip_mail
from classifier.clean.markup import strip_html
from classifier.clean.notices import CUES, strip_notices

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = [
    "clean",
    "clean_column",
    "document_text",
    "has_letters",
    "is_auto_reply",
    "is_blank",
    "is_forward",
    "is_machine",
    "is_machine_text",
]

_PASSES = 8
_SUBJECT = 200  # as far as a forward's prefix is looked for
# The lookbehind keeps a megabyte of "\r" linear.
_LINE_END = re.compile(r"(?<!\r)\r+\n")

# All that `_NORMAL` and the steps below act on holds a match: a text without one is plain.
_MARK = (
    r"(?i)\r\n|\n\x1e\n|</?[a-z!?]|&(?:amp;)*(?:#0?39|nbsp|lt);|\n-- |\n[^\w\n]*(?:>|sent\b|get outlook\b"
    r"|gesendet\b|von\b|diese\b"
    r"|envoy|enviado\b|inviato\b|verstuurd\b|skickat\b|sendt\b|(?:from|de|da|van|från|fra)\s?:)"
    rf"|{CUES}"
)


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _line_ends(text: str) -> str:
    return _LINE_END.sub("\n", text) if "\r\n" in text else text


_NORMAL: tuple[Callable[[str], str], ...] = (_compose, _line_ends)


def clean(text: str) -> str:
    r"""Return `text` as its writer wrote it: no HTML, no quoted mail, no signature, NFC, LF.

    Cleaning a cleaned text changes nothing. Of a text that isn't HTML only what mail programs and systems add
    is left out. The messages of a conversation (`chars.BETWEEN_MESSAGES`) are cleaned one by one, and parted
    by a blank line.

    Examples
    --------
    >>> clean("<p>It&#39;s back.</p><p>31 this time.</p>")
    "It's back.\n\n31 this time."
    >>> clean("x < y, <3 and List<String> stay")
    'x < y, <3 and List<String> stay'
    """
    return _clean(text, forwarded=is_forward(text[:_SUBJECT]))


def _clean(text: str, *, forwarded: bool) -> str:
    if BETWEEN_MESSAGES in text:
        parts = (_clean(part, forwarded=forwarded) for part in text.split(BETWEEN_MESSAGES))
        return "\n\n".join(part for part in parts if part.strip())
    normal = current = _apply(text)
    for _ in range(_PASSES):
        following = _apply(strip_mail(strip_notices(strip_html(current)), forwarded=forwarded))
        if following == current:
            return current
        current = following
    # Escaped eight times over: no mail program does that, so it is not touched.
    return normal


def _apply(text: str) -> str:
    for step in _NORMAL:
        text = step(text)
    return text


def clean_column(texts: "pd.Series") -> "pd.Series":
    """Clean every text of a column; the same as `texts.map(clean)`, but fast where there is little to clean.

    Parameters
    ----------
    texts
        Text without missing values; any index.

    Returns
    -------
    Same length, index and name; dtype str.
    """
    import pandas as pd

    return _clean_column(texts, pd.Series(False, index=texts.index))


def document_text(subject: "pd.Series", body: "pd.Series") -> "pd.Series":
    r"""Join subject and body to the text that all offsets count in, cleaned.

    Parameters
    ----------
    subject, body
        Raw text without missing values, same index. Quotes below a subject such as "Fwd: …" are kept.

    Returns
    -------
    subject + "\n" + body; body alone without a subject, subject alone without a body. Index of `body`.
    """
    from classifier.buffers import Column, series_of
    from classifier.clean.plain import joined

    head = clean_column(subject.reset_index(drop=True))
    rest = _clean_column(body.reset_index(drop=True), _starts_like_forward(subject))
    text = joined(Column.of(head), Column.of(rest), ~is_blank(head), ~is_blank(rest))
    return series_of(text.data, text.offsets).set_axis(body.index)


def is_blank(texts: "pd.Series") -> "npt.NDArray[np.bool_]":
    """Mark texts that are empty or white space alone."""
    from classifier.buffers import Column
    from classifier.clean.plain import may_be_blank

    blank = may_be_blank(Column.of(texts))
    rows = blank.nonzero()[0]
    blank[rows] = (texts.iloc[rows].str.strip() == "").to_numpy()
    return blank


def _starts_like_forward(subject: "pd.Series") -> "pd.Series":
    import pandas as pd

    from classifier.buffers import Column
    from classifier.clean.plain import holds

    column = Column.of(subject)
    found = holds(column, ord(":"))
    for row in found.nonzero()[0].tolist():
        found[row] = is_forward(column[row][:_SUBJECT])
    return pd.Series(found, index=subject.index)


def _clean_column(texts: "pd.Series", forwarded: "pd.Series") -> "pd.Series":
    from classifier.buffers import replaced

    rows = _needs_cleaning(texts)
    if not len(rows):
        return texts.astype("str")
    known = forwarded.to_numpy()[rows]
    cleaned = [
        _clean(text, forwarded=bool(is_known) or is_forward(text[:_SUBJECT]))
        for text, is_known in zip(texts.iloc[rows], known, strict=True)
    ]
    return replaced(texts, rows, cleaned)


def _needs_cleaning(texts: "pd.Series") -> "npt.NDArray[np.int64]":
    """Return the positions of the rows that `clean` may change."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from classifier.buffers import Column
    from classifier.clean.plain import may_hold_markup
    from classifier.composed import may_change

    column = Column.of(texts)
    marked = may_hold_markup(column)
    rows = marked.nonzero()[0]
    if len(rows):
        values = pa.chunked_array([pa.array(texts.iloc[rows], type=pa.large_string())])
        marked[rows] = pc.match_substring_regex(values, _MARK).to_numpy()
    for row in (may_change(column) & ~marked).nonzero()[0]:
        marked[row] = not unicodedata.is_normalized("NFC", texts.iloc[row])
    changeable: npt.NDArray[np.int64] = marked.nonzero()[0]
    return changeable
