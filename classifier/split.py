"""Documents to units: about a sentence each, with its place in the text.

In: a cleaned text. Out: (start, end) pairs in code points that cover every letter and digit.
Never changes the text. This is the readable reference; `kernel.py` compiles the same rules.
"""

from functools import lru_cache
from typing import Final

from classifier.chars import CLOSER, DIGIT, LETTER, LOWER, NEWLINE, SPACE, TERMINAL, flags

MAX_UNIT: Final = 300
"""A span is at most this many code points (the contract), and so is a unit."""

ABBREVIATIONS: Final = frozenset(
    "mr mrs ms dr prof st vs eg ie etc no nos approx incl excl inc ltd co corp dept est fig ca cf jr sr "
    "vol ver pls tel ext max min avg resp bzw usw ggf".split()
)
"""A full stop after one of these ends no sentence."""

_flags = lru_cache(maxsize=4096)(flags)


def units(text: str) -> list[tuple[int, int]]:
    """Split `text` into units of at most 300 code points.

    A unit ends at a line break (unless the next line goes on in lower case), or after a full stop,
    question or exclamation mark that white space follows (unless an abbreviation, an initial or a
    list number precedes). Longer units are cut at the last comma, else the last space.

    Returns
    -------
    (start, end) pairs in order, not overlapping, without white space at either end. Parts
    without a letter, digit or symbol of their own belong to the unit before them, or, at the start
    of the text, after them. Empty for a text of white space.
    """
    kinds = [_flags(char) for char in text]
    sentences: list[tuple[int, int]] = []
    start = 0
    for position in range(len(text)):
        if _ends_sentence(text, kinds, start, position):
            sentences.append((start, position + 1))
            start = position + 1
    sentences.append((start, len(text)))
    trimmed = [_trim(kinds, *sentence) for sentence in sentences]
    merged = _merge_bare(kinds, [span for span in trimmed if span[0] < span[1]])
    return [part for span in merged for part in _cut(text, kinds, *span)]


def _ends_sentence(text: str, kinds: list[int], start: int, position: int) -> bool:
    """Whether the sentence that began at `start` ends with the character at `position`."""
    if kinds[position] & NEWLINE:
        return _ends_line(kinds, start, position)
    following = position + 1
    if following >= len(text) or not kinds[following] & SPACE or kinds[following] & NEWLINE:
        return False
    mark = position
    while mark > start and kinds[mark] & CLOSER and not kinds[mark] & TERMINAL:
        mark -= 1
    if not kinds[mark] & TERMINAL:
        return False
    return text[mark] != "." or mark != position or not _is_abbreviated(text, kinds, start, mark)


def _ends_line(kinds: list[int], start: int, position: int) -> bool:
    """Whether the line break at `position` ends the sentence: a wrapped line goes on in lower case."""
    following = position + 1
    if following >= len(kinds) or not kinds[following] & LOWER:
        return True
    last = position - 1
    while last >= start and kinds[last] & SPACE and not kinds[last] & NEWLINE:
        last -= 1
    if last < start:
        return True
    return not kinds[last] & (LETTER | DIGIT) and kinds[last] & (TERMINAL | NEWLINE | CLOSER) != 0


def _is_abbreviated(text: str, kinds: list[int], start: int, mark: int) -> bool:
    """Whether the full stop at `mark` follows an abbreviation, an initial or a list number."""
    begin = mark
    while begin > start and kinds[begin - 1] & (LETTER | DIGIT):
        begin -= 1
    length = mark - begin
    if length == 0:
        return False
    if length == 1 and kinds[begin] & LETTER:
        return True
    if all(kinds[place] & DIGIT for place in range(begin, mark)):
        return length <= 3 and _trim(kinds, start, mark)[0] == begin
    return length <= 6 and text[begin:mark].casefold() in ABBREVIATIONS


def _trim(kinds: list[int], start: int, end: int) -> tuple[int, int]:
    while start < end and kinds[start] & SPACE:
        start += 1
    while end > start and kinds[end - 1] & SPACE:
        end -= 1
    return start, end


def _merge_bare(kinds: list[int], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join parts that hold no letter or digit to the unit before them, or the first one after."""
    merged: list[tuple[int, int]] = []
    bare_start = -1
    for start, end in spans:
        if any(kinds[place] & (LETTER | DIGIT) for place in range(start, end)):
            merged.append((start if bare_start < 0 else bare_start, end))
            bare_start = -1
        elif merged:
            merged[-1] = (merged[-1][0], end)
        elif bare_start < 0:
            bare_start = start
    if bare_start >= 0:
        merged.append((bare_start, spans[-1][1]))
    return merged


def _cut(text: str, kinds: list[int], start: int, end: int) -> list[tuple[int, int]]:
    """Cut a unit that is too long at the last comma or semicolon, else space, else where it must."""
    parts = []
    while end - start > MAX_UNIT:
        stop = _cut_place(text, kinds, start)
        parts.append(_trim(kinds, start, stop))
        start = _trim(kinds, stop, end)[0]
    if start < end:
        parts.append((start, end))
    return parts


def _cut_place(text: str, kinds: list[int], start: int) -> int:
    """Return the end of the first part: not before its middle, so that parts stay few."""
    limit = start + MAX_UNIT
    for place in range(limit - 1, start + MAX_UNIT // 2, -1):
        if text[place] in ",;:" and kinds[place + 1] & SPACE:
            return place + 1
    for place in range(limit, start, -1):
        if kinds[place] & SPACE:
            return place
    return limit
