"""The given names in a text.

In: one text and the names that belong to it. Out: (start, end, number) of each mention, in order.
Never finds a name that wasn't given, and no ordinary word that also is a name, unless it is used as one.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from classifier.redact.words import COMMON, PARTICLES, ROLES, TITLES

_SHORTEST = 3  # letters of a part that is looked for by itself
_LONG = 5  # letters; shorter names in lower case are too often words
_START, _END = r"(?<![^\W_])", r"(?=[sS]?(?![^\W_]))"
_GREETING = (
    r"(?<!\w)(?:(?:hi|hello|hey|dear|thanks|thank you|thx|cheers|regards|mrs?\.?|ms\.?|miss|dr\.?|prof\.?"
    r"|herr|frau|hallo|liebe[rs]?|gruß|grüße|bonjour|cher|chère|merci|mme|hola|gracias|sra?\.?|ciao|attn:?|cc:)[,!]?"
    r"|(?:best|sincerely|yours|love)(?:,|(?=\n)))[ \n]{1,2}"
)
_SIGN_OFF = (
    r"(?<!\w)(?:thanks|thank you|thx|ty|cheers|ta|(?:kind |best |warm )?regards|br|best|sincerely|yours|love"
    r"|lg|vg|mfg|gru(?:ß|ss)|grüße|gruesse|danke|merci|cordialement|gracias|saludos|ciao|grazie|groet(?:en)?)"
    r"[ \t,.!]{0,3}(?:[–—\-~]{1,2}[ \t]?|\n{1,2}[ \t]*|[ \t])?"
)
_LINE_START, _LINE_END = r"(?m:^)[ \t>*~–—\-/]{0,4}", r"(?=[ \t.,!]{0,4}(?m:$))"


@dataclass(frozen=True)
class Finder:
    """How the names of one document are found."""

    pattern: re.Pattern[str] | None
    words: tuple[str, ...]
    """Folded words of which the text holds at least one, or it holds no name."""


def names(text: str, people: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, number of the person): 1 for the first of `people`, the same for all its spellings.

    Found are the full name in any case, and its parts of three letters and more as they are capitalised or
    in ALL CAPS, of five letters and more also in lower case. Of an ordinary word (May, Will, Mark) only the
    use as a name is found: after a greeting or a title, or alone on a line. Shorter names in lower case are
    found where somebody signs: alone on a line, or after "thanks" and its like.
    """
    finder = _finder(tuple(people))
    if finder.pattern is None or not may_name(text, people):
        return
    for found in finder.pattern.finditer(text):
        group = str(found.lastgroup)
        start, end = found.span(group)
        yield start, end, int(group[1:].partition("_")[0])


def may_name(text: str, people: Sequence[str]) -> bool:
    """Tell whether a part of a name occurs in `text` at all: where none does, `names` yields nothing."""
    words = _finder(tuple(people)).words
    if not words:
        return False
    folded = text.casefold()
    return any(word in folded for word in words)


@lru_cache(maxsize=4_096)
def _finder(people: tuple[str, ...]) -> Finder:
    spelled: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name in people:
        if parts := _parts(name):
            spelled.setdefault(tuple(part.casefold() for part in parts), parts)
    persons = list(spelled.values())
    alternatives: list[tuple[int, str]] = []
    for number, parts in enumerate(persons, start=1):
        alternatives += _alternatives(parts, f"p{number}")
    if not alternatives:
        return Finder(None, ())
    # The surest way of finding comes first, over all persons.
    alternatives.sort(key=lambda alternative: alternative[0])
    words = {word for parts in persons for part in parts for word in _pieces(part.casefold())}
    return Finder(re.compile("|".join(pattern for _, pattern in alternatives)), tuple(sorted(words)))


def _parts(name: str) -> tuple[str, ...]:
    """Return the words of a name without titles, given name first."""
    name = unicodedata.normalize("NFC", name)
    if "@" in name:
        return ()
    last, comma, first = name.partition(",")
    words = (f"{first} {last}" if comma else name).replace("(", " ").replace(")", " ").split()
    return tuple(word for word in words if any(map(str.isalpha, word)) and word.casefold() not in TITLES)


def _alternatives(parts: tuple[str, ...], group: str) -> Iterator[tuple[int, str]]:
    """Yield (rank, pattern with one named group) for every way in which a person is mentioned."""
    if len(parts) > 1:
        yield 0, rf"{_START}(?P<{group}_full>(?i:{_full(parts)})){_END}"
        first, last = _spelling(parts[0]), _spelling(parts[-1])
        yield 0, rf"{_START}(?P<{group}_turned>(?i:{last},\s?{first}(?:\s\w\.?)?)){_END}"
    alone = [] if any(part.casefold() in ROLES for part in parts) else [_bare(part) for part in parts]
    strong = [word for part in alone for word in _split(part) if _is_strong(word)]
    if strong:
        yield 1, rf"{_START}(?P<{group}_parts>{_run(strong, parts)}){_END}"
    for number, weak in enumerate(part for part in alone if part not in strong and _is_weak(part)):
        more = "|".join(map(_cased, alone))
        word = rf"{_cased(weak)}(?:[\s\-]{{1,3}}(?:[^\W\d_]\.?\s)?(?:{more})(?![^\W_])){{0,4}}"
        yield 2, rf"(?i:{_GREETING})(?P<{group}_weak{number}>{word}){_END}"
        yield 3, rf"{_LINE_START}(?P<{group}_line{number}>{word}){_LINE_END}"
    yield from _signed(alone, strong, group)


def _signed(alone: Sequence[str], strong: Sequence[str], group: str) -> Iterator[tuple[int, str]]:
    """Yield the patterns for short names in lower case, which are too often words, where somebody signs."""
    for number, part in enumerate(dict.fromkeys(alone)):
        if not (_is_weak(part) and _letters(part) < _LONG):
            continue
        word = _spelling(part.lower())
        # Alone on a line; a word of the language only on the last one.
        end = _LINE_END if part in strong else r"(?=[ \t.,!]{0,4}\s*\Z)"
        yield 3, rf"{_LINE_START}(?P<{group}_alone{number}>{word}){end}"
        yield 3, rf"(?i:{_SIGN_OFF})(?P<{group}_signed{number}>{word}){_LINE_END}"
        if part in strong:
            yield 3, rf"(?i:{_GREETING})(?P<{group}_hailed{number}>{word}){_END}"


def _full(parts: tuple[str, ...]) -> str:
    # A middle initial that the export doesn't know.
    return r"\s{1,3}(?:\w\.?\s{1,3})?".join(map(_spelling, parts))


def _run(strong: Sequence[str], parts: tuple[str, ...]) -> str:
    """Return a pattern for parts in a row: "Ferrante", "L. Ferrante", "Lou Ferrante", "Lou F."."""
    words = "|".join(dict.fromkeys(_any_case(word) for word in sorted(strong, key=len, reverse=True)))
    row = rf"(?:{words})(?:[\s\-]{{1,3}}(?:[^\W\d_]\.?\s)?(?:{words})(?![^\W_])){{0,4}}"
    if len(parts) == 1:
        return row
    first, last = re.escape(parts[0][0].upper()), re.escape(parts[-1][0].upper())
    return rf"(?:{first}\.\s?)?{row}(?: {last}\.?(?!\w))?"


def _is_strong(word: str) -> bool:
    return _letters(word) >= _SHORTEST and word.casefold() not in COMMON and word.casefold() not in PARTICLES


def _is_weak(word: str) -> bool:
    return _letters(word) > 1 and word.casefold() not in PARTICLES


def _letters(word: str) -> int:
    return sum(map(str.isalpha, word))


def _bare(part: str) -> str:
    return part.strip(".'’\"")


def _split(part: str) -> list[str]:
    return [part, *part.split("-")] if "-" in part else [part]


def _pieces(part: str) -> list[str]:
    """Return what of a part occurs in any spelling of it."""
    pieces = [piece for form in {part, _unaccented(part)} for piece in re.split(r"[\W_]+", form) if piece]
    return [piece for piece in pieces if len(piece) > 1] or pieces


def _spelling(part: str) -> str:
    """Return a pattern for a part: any apostrophe, any hyphen, with and without accents."""
    forms = dict.fromkeys((part, _unaccented(part)))
    return "(?:" + "|".join(_loose(form) for form in forms) + ")"


def _any_case(word: str) -> str:
    """Return a pattern for a name that is no ordinary word; long ones are names in lower case too."""
    return _spelling(word.lower()) + "|" + _cased(word) if _letters(word) >= _LONG else _cased(word)


def _cased(part: str) -> str:
    """Return a pattern for a part as given, capitalised, and in ALL CAPS."""
    given = part if part[:1].isupper() else part.capitalize()
    forms = dict.fromkeys(
        form for base in (given, _unaccented(given)) for form in (base, base.upper(), base.capitalize())
    )
    return "(?:" + "|".join(_loose(form) for form in forms if not form.islower()) + ")"


def _loose(form: str) -> str:
    escaped = re.escape(form)
    return re.sub(r"['’ʼ`´]", "['’ʼ`´]?", escaped).replace(r"\-", r"[\-‐‑ ]")


def _unaccented(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))
