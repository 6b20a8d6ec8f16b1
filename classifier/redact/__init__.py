"""Personal data masked: e-mail and web addresses, telephone, card and bank account numbers, given names.

In: a text and the names that belong to it. Out: the text with placeholders. Never masks a placeholder, and
never guesses names that weren't given.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.redact.codes import BLANK, Span, cards, emails, hidden_emails, ibans, webs
from classifier.redact.forwarded import with_senders
from classifier.redact.names import may_name, names
from classifier.redact.phones import phones

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AROUND",
    "Mask",
    "masks",
    "may_name",
    "redact",
    "redact_column",
    "redact_many",
    "redact_quote",
    "redact_quotes",
    "with_senders",
]

_PLACEHOLDER = re.compile(r"\[(?:EMAIL|PHONE|CARD|IBAN|URL|PERSON_\d{1,4})\]")
_ELLIPSIS = "…"
_PASSES = 5
AROUND = 200
"""Code points on each side of a quote that are read for an address which crosses its edge."""

Finders = tuple[tuple[str, Callable[[str], bool], re.Pattern[str], Callable[[str], Iterator[Span]]], ...]


def _may_hold_web(text: str) -> bool:
    return "/" in text or "www." in text.lower()


def _may_hide_at(text: str) -> bool:
    return "@" in text or " AT " in text or any(bracket in text for bracket in "([{<")


# Web addresses come first: they may hold any of the others. The test is quick; the pattern is what every
# find holds.
_ADDRESSES: Finders = (
    ("[URL]", _may_hold_web, re.compile(r"://|www\.|\.[a-z]{2,7}/", re.IGNORECASE), webs),
    ("[EMAIL]", _may_hide_at, re.compile("@"), emails),
    (
        "[EMAIL]",
        _may_hide_at,
        re.compile(r"@|[(\[{<](?:at|a|ät|æt)[)\]}>]|(?-i: AT )", re.IGNORECASE),
        hidden_emails,
    ),
)
# A pattern that begins with a digit is looked for several times as fast as one that begins with letters.
_NUMBERS: Finders = (
    ("[IBAN]", bool, re.compile(r"\d\d(?<=[A-Za-z]{2}\d\d)"), ibans),
    ("[CARD]", bool, re.compile(r"\d(?:[^\w\n]{0,3}\d){12}"), cards),
    ("[PHONE]", bool, re.compile(r"\d(?:[^\w\n]{0,4}\d){6}"), phones),
)


@dataclass(frozen=True)
class Mask:
    """A stretch of a text and what stands for it: code point offsets, end exclusive."""

    start: int
    end: int
    placeholder: str


def masks(text: str, people: Sequence[str] = ()) -> list[Mask]:
    """Return what `redact` replaces, in order and without overlaps; placeholders in the text stay."""
    left = _PLACEHOLDER.sub(_blank, text) if "[" in text else text
    found: list[Mask] = []
    # What stuck to a find is found once that is gone.
    for _ in range(_PASSES):
        more, left = _pass(left, people)
        if not more:
            break
        found += more
    return sorted(found, key=_start)


def _pass(text: str, people: Sequence[str]) -> tuple[list[Mask], str]:
    addresses, left = _found(text, _ADDRESSES)
    named = (
        [Mask(start, end, f"[PERSON_{number}]") for start, end, number in names(left, people)]
        if people
        else []
    )
    numbers, left = _found(_without(left, named), _NUMBERS)
    return addresses + named + numbers, left


def _found(text: str, finders: Finders) -> tuple[list[Mask], str]:
    """Return what the finders find one after the other, and the text that they leave."""
    found: list[Mask] = []
    for placeholder, is_likely, mark, finder in finders:
        if is_likely(text) and mark.search(text):
            spans = [Mask(start, end, placeholder) for start, end in finder(text)]
            text = _without(text, spans)
            found += spans
    return found, text


def redact(text: str, *, people: Sequence[str] = ()) -> str:
    """Mask personal data in `text`.

    Parameters
    ----------
    text
        Any text; placeholders in it stay, so redacting twice changes nothing.
    people
        Names that belong to the text: the first is [PERSON_1] throughout, in all its spellings. Found are
        full names in any case and their parts as they are capitalised, ordinary words (May, Will) only
        where they stand as names.

    Returns
    -------
    `text` with [EMAIL], [PHONE], [CARD], [IBAN], [URL] and [PERSON_n].

    Examples
    --------
    >>> redact("Call Lou on +1 555 010 4471 about invoice 20871.", people=["Lou Ferrante"])
    'Call [PERSON_1] on [PHONE] about invoice 20871.'
    """
    return _apply(text, masks(text, people))


def redact_many(texts: Sequence[str], people: Sequence[Sequence[str]]) -> list[str]:
    """Redact each text with the people of its row; the same as `redact` one by one."""
    return [_apply(text, masks(text, row)) for text, row in zip(texts, people, strict=True)]


def redact_column(texts: "pd.Series", people: "pd.Series") -> "pd.Series":
    """Redact a column of texts; the same as `redact` one by one, but quick where there is nothing to mask.

    Parameters
    ----------
    texts
        Text without missing values.
    people
        The names of each row's document, ";"-joined; in the order of `texts`.

    Returns
    -------
    Same length and index; dtype str.
    """
    from classifier.buffers import replaced
    from classifier.redact.marks import may_need_masks

    marked = may_need_masks(texts)
    for row in (people != "").to_numpy().nonzero()[0]:
        marked[row] = marked[row] or may_name(texts.iloc[row], _listed(people.iloc[row]))
    rows = marked.nonzero()[0]
    if not len(rows):
        return texts.astype("str")
    return replaced(
        texts, rows, redact_many(texts.iloc[rows].tolist(), [_listed(names) for names in people.iloc[rows]])
    )


def _listed(people: str) -> tuple[str, ...]:
    return tuple(filter(None, people.split(";")))


def redact_quote(
    text: str, people: Sequence[str] = (), limit: int = 300, *, span: tuple[int, int] | None = None
) -> str:
    """Mask personal data and cut to at most `limit` characters, at a word and never inside a placeholder.

    Parameters
    ----------
    text
        The document, so that an address which crosses the edge of the quote is found.
    people
        As for `redact`.
    limit
        Of the quote with its "…", at least 1.
    span
        The quote in `text`, start and end; the whole text by default. What crosses its edge is masked whole.

    Returns
    -------
    The quote without space around it.
    """
    start, end = span or (0, len(text))
    inside = [mask for mask in masks(text, people) if mask.start < end and mask.end > start]
    edges = [
        Mask(max(mask.start, start) - start, min(mask.end, end) - start, mask.placeholder) for mask in inside
    ]
    return _cut(_apply(text[start:end], edges).strip(), limit)


def redact_quotes(text: str, people: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[str]:
    """Redact several quotes of one document, reading no more of it than lies around them.

    Parameters
    ----------
    text, people
        As for `redact_quote`.
    spans
        Start and end of each quote in `text`.

    Returns
    -------
    The quotes in the order of `spans`, each at most 300 characters.
    """
    quotes = []
    for start, end in spans:
        begin = max(0, start - AROUND)
        quotes.append(redact_quote(text[begin : end + AROUND], people, span=(start - begin, end - begin)))
    return quotes


def _apply(text: str, found: Sequence[Mask]) -> str:
    if not found:
        return text
    pieces: list[str] = []
    end = 0
    for mask in found:
        pieces += [text[end : mask.start], mask.placeholder]
        end = mask.end
    return "".join([*pieces, text[end:]])


def _cut(quote: str, limit: int) -> str:
    if len(quote) <= limit:
        return quote
    room = limit - len(_ELLIPSIS)
    end = next((at for at in range(room, 0, -1) if quote[at].isspace()), room)
    for found in _PLACEHOLDER.finditer(quote):
        if found.start() < end < found.end():
            end = found.start()
    return quote[:end].rstrip() + _ELLIPSIS


def _without(text: str, found: Sequence[Mask]) -> str:
    return _apply(text, [Mask(mask.start, mask.end, BLANK * (mask.end - mask.start)) for mask in found])


def _blank(found: re.Match[str]) -> str:
    return BLANK * len(found.group())


def _start(mask: Mask) -> int:
    return mask.start
