"""Documents to units: about a sentence each, with its place in the text.

In: a cleaned text. Out: (start, end) pairs in code points that cover every letter and digit.
Never changes the text. This is the readable reference; `kernel` compiles the same rules.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from classifier.chars import APOSTROPHE, CLOSER, DIGIT, LETTER, LOWER, NEWLINE, SPACE, TERMINAL, UPPER, flags

MAX_UNIT: Final = 300
"""A span is at most this many code points (the contract), and so is a unit."""

ANYTHING: Final = 0
NO_CAPITAL: Final = 1
A_DIGIT: Final = 2

ABBREVIATIONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ("mr", "mrs", "ms", "dr", "prof", "st", "vs", "eg", "ie", "cf", "approx", "v", "w"), ANYTHING
    ),
    **dict.fromkeys(
        ("etc", "inc", "ltd", "co", "corp", "dept", "incl", "excl", "jr", "sr", "max"), NO_CAPITAL
    ),
    **dict.fromkeys(("no", "nos", "fig", "vol", "ver", "ext", "tel", "est", "ca", "c", "p"), A_DIGIT),
}
"""A full stop after one of these ends no sentence if that follows ("no. 5", but "I said no. They")."""

LONGEST_ABBREVIATION: Final = max(map(len, ABBREVIATIONS))

FULL_WIDTH: Final = "\u3002\uff01\uff1f"
"""Full stop, exclamation and question mark of scripts that put no space after them."""

WRAPPED: Final = (50, 100)
"""So many code points has a line that a mail program broke; shorter or longer ones end where they end."""

_flags = lru_cache(maxsize=4096)(flags)


def units(text: str) -> list[tuple[int, int]]:
    """Split `text` into units of at most 300 code points.

    A unit ends at a line break, unless the line is as long as a mail program makes them and the next
    one goes on in lower case. It ends after a full stop, question or exclamation mark that white space
    follows, unless an abbreviation, an initial or a list number precedes; where the space was
    forgotten ("crashed.Then"), two plain words must make it certain. Longer units are cut at the last
    comma, else the last space.

    Returns
    -------
    (start, end) pairs in order, not overlapping, without white space at either end. Parts without a
    letter or digit (smileys, rules) belong to the unit before them, or, at the start of the text,
    after them. Empty for a text of white space.
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
    if following >= len(text) or kinds[following] & NEWLINE:
        return False
    mark = position
    while mark > start and kinds[mark] & CLOSER and not kinds[mark] & TERMINAL:
        mark -= 1
    if not kinds[mark] & TERMINAL:
        return False
    if not kinds[following] & SPACE:
        return _ends_unspaced(text, kinds, start, mark, following)
    following = _trim(kinds, following, len(text))[0]
    then = kinds[following] if following < len(text) else 0
    if mark != position:
        return not then & LOWER
    return text[mark] != "." or not _is_abbreviated(text, kinds, start, mark, then)


def _ends_line(kinds: list[int], start: int, position: int) -> bool:
    """Whether the line break at `position` ends the sentence, or a mail program put it there."""
    following = position + 1
    if following >= len(kinds) or not kinds[following] & LOWER:
        return True
    last = position - 1
    while last >= start and kinds[last] & SPACE and not kinds[last] & NEWLINE:
        last -= 1
    if last < start or kinds[last] & (TERMINAL | NEWLINE | CLOSER):
        return True
    first = last
    while first > 0 and last - first < WRAPPED[1] and not kinds[first - 1] & NEWLINE:
        first -= 1
    return not WRAPPED[0] <= last - first + 1 <= WRAPPED[1]


def _ends_unspaced(text: str, kinds: list[int], start: int, mark: int, following: int) -> bool:
    """Whether the sentence with its mark at `mark` ends before `following`, where no space is."""
    if text[mark] in FULL_WIDTH:
        return not kinds[following] & (TERMINAL | CLOSER)
    if following != mark + 1 or following + 1 >= len(text):
        return False
    if not (kinds[following] & UPPER and kinds[following + 1] & (LOWER | SPACE | APOSTROPHE)):
        return False
    last = mark
    while last > start and kinds[last] & TERMINAL:
        last -= 1
    first = last
    while first > start and kinds[first - 1] & (LETTER | APOSTROPHE):
        first -= 1
    # A word of letters alone, not a part of an address, a file name or a version.
    if not kinds[last] & LOWER or last == first or (first > 0 and not kinds[first - 1] & SPACE):
        return False
    return text[mark] != "." or not _is_abbreviated(text, kinds, start, mark, UPPER)


def _is_abbreviated(text: str, kinds: list[int], start: int, mark: int, then: int) -> bool:
    """Whether the full stop at `mark` follows an abbreviation, an initial or a list number.

    `then` are the flags of the next character that isn't white space.
    """
    begin = mark
    while begin > start and kinds[begin - 1] & (LETTER | DIGIT):
        begin -= 1
    length = mark - begin
    if length == 0:
        return False
    starts = _trim(kinds, start, mark)[0] == begin
    if all(kinds[place] & DIGIT for place in range(begin, mark)):
        return length <= 3 and starts
    if length == 1 and (starts or _is_initial(text, kinds, start, begin)):
        return True
    if not starts and kinds[begin - 1] & APOSTROPHE:
        return False
    unless = ABBREVIATIONS.get(text[begin:mark].casefold()) if length <= LONGEST_ABBREVIATION else None
    if unless is None:
        return False
    return unless == ANYTHING or (not then & UPPER if unless == NO_CAPITAL else then & DIGIT != 0)


def _is_initial(text: str, kinds: list[int], start: int, begin: int) -> bool:
    """Whether the single letter at `begin`, inside a sentence, stands for a name or a word ("U.S.")."""
    before = begin - 1
    if text[before] == ".":
        return True
    alone = kinds[before] & SPACE or text[before] == "("
    return bool(alone and kinds[begin] & UPPER and text[begin] != "I")


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
