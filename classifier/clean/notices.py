"""What mail systems put around a message: warnings above it, disclaimers and a help desk's line below it.

In: one text. Out: the same text without them. Never touches a line between words of the writer, never leaves
nothing.
"""

import re
from typing import Final

# What such a warning goes on to say, up to the end of its line.
_SENTENCE = (
    r"\W{0,9}(?:please )?(?:do not|don[’']t|never|be (?:careful|cautious|aware|vigilant|alert)|exercise"
    r"|use caution|take care|think|verify|report|only|treat)\b[^.!\n]{0,250}"
)
_ADVICE = rf"(?:{_SENTENCE})?(?:[.!]{_SENTENCE})*\W*"
# Whole lines: a person who writes of such a warning says something else, too.
_WARNING = re.compile(
    r"\W*(?:(?:caution|warning|attention|external|alert|notice|important)\b\W{1,9})?"
    r"(?:external (?:e-?mail|sender)\W{1,9})?"
    r"this (?:e-?mail|message)(?: has)? (?:originated|came|comes|was sent)(?: from)?(?: someone)? "
    r"(?:outside(?: of)? (?:the |your |our |this )?(?:\w+ ){0,3}?"
    r"(?:organi[sz]ation|company|network|firm|university|agency|domain|tenant)\b"
    rf"|an external (?:e-?mail )?(?:sender|source|address)\b)[^.!\n]{{0,40}}{_ADVICE}"
    rf"|\W{{0,20}}(?-i:(?:CAUTION|WARNING)?\W{{0,9}}EXTERNAL(?: E-?MAIL| SENDER| MESSAGE)?)\b{_ADVICE}"
    r"|\W{0,20}\[(?:external|ext)\b[^\]\n]{0,20}\]\W*",
    re.IGNORECASE,
)
_LONGEST_LINE = 800
_REPLY_LINE = re.compile(
    r"\W*(?:please )?(?:type|write|enter) your (?:reply|response) above this line\W*", re.IGNORECASE
)
_DISCLAIMER = re.compile(
    r"\W{0,20}(?:(?:legal |confidentiality |privacy )?(?:disclaimer|notice)\W{1,9})?"
    r"(?:this|if you|any|the)\b",
    re.IGNORECASE,
)
# What lawyers write, each as a group: customers may write of one, hardly of three.
_LEGAL = tuple(
    re.compile(cue, re.IGNORECASE)
    for cue in (
        r"\bthis (?:e-?mail|message|communication|transmission)\b",
        r"\b(?:confidential|privileged)\b",
        r"\bintended (?:recipient|solely|only|exclusively)\b|\baddressee",
        r"\b(?:in error|by mistake)\b",
        r"\bunauthori[sz]ed\b|\bprohibited\b|\bdisclos|\bdisseminat|\bmust not\b",
        r"\b(?:notify|inform) (?:the sender|the system|us|me)\b|\bdelete (?:it|this)\b",
    )
)
_ENVIRONMENT = re.compile(
    r"\W{0,20}(?:please )?(?:consider|think of) the environment before (?:you )?print", re.IGNORECASE
)
_LONGEST_DISCLAIMER = 3_000
_WARNINGS = 3
"""Lines above a message that are looked at."""

CUES: Final = (
    r"outside|external|\[ext\b|above this line|confidential|privileged|intended|addressee|in error|by mistake"
    r"|prohibited|environment before"
)
"""All that `strip_notices` acts on holds a match; case doesn't matter."""

_CUES = re.compile(CUES, re.IGNORECASE)


def strip_notices(text: str) -> str:
    """Return `text` without warnings above it, disclaimers below it, and what a help desk's line parts."""
    if not _CUES.search(text):
        return text
    lines = text.split("\n")
    start = _after_warnings(lines)
    end = _before_reply_line(lines, start)
    end = _before_disclaimers(lines, start, end)
    if not any(line.strip() for line in lines[start:end]) or (start, end) == (0, len(lines)):
        return text
    kept = "\n".join(lines[start:end])
    return kept.rstrip() if end < len(lines) else kept


def _after_warnings(lines: list[str]) -> int:
    start = at = 0
    for _ in range(_WARNINGS):
        while at < len(lines) and not lines[at].strip():
            at += 1
        if at == len(lines) or not _is_warning(lines[at]):
            break
        at += 1
        start = at
    while 0 < start < len(lines) and not lines[start].strip():
        start += 1
    return start


def _is_warning(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and _WARNING.fullmatch(line) is not None


def _is_disclaimer(paragraph: str) -> bool:
    if len(paragraph) > _LONGEST_DISCLAIMER:
        return False
    if _ENVIRONMENT.match(paragraph):
        return True
    return _DISCLAIMER.match(paragraph) is not None and sum(bool(cue.search(paragraph)) for cue in _LEGAL) > 2


def _before_reply_line(lines: list[str], start: int) -> int:
    for at in range(start, len(lines)):
        if len(lines[at]) <= _LONGEST_LINE and _REPLY_LINE.fullmatch(lines[at]):
            return at if any(line.strip() for line in lines[start:at]) else len(lines)
    return len(lines)


def _before_disclaimers(lines: list[str], start: int, end: int) -> int:
    """Go up paragraph by paragraph as long as each begins as a disclaimer does."""
    while True:
        last = end
        while last > start and not lines[last - 1].strip():
            last -= 1
        first = last
        while first > start and lines[first - 1].strip():
            first -= 1
        if first in (last, start) or not _is_disclaimer("\n".join(lines[first:last])):
            return end
        end = first
