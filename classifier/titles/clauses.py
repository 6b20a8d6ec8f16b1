"""Texts of a theme -> the phrases and clauses that may stand in its title.

In: (document, text) pairs. Out: phrases by the stems of their telling words, with the forms they are written
in. Never lets through a name that only a person's document could explain.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Final

from classifier.split import units
from classifier.vectors import fold, stem, stop_words, words

Key = tuple[str, ...]

_LONGEST_PHRASE: Final = 5
_LONGEST_OF_ONE_DOCUMENT: Final = 8
_CLAUSE: Final = re.compile(r"[^\w\s'’&%€£$/-]|\[[A-Z]+(?:_\d+)?\]|\s-+\s|\n")
_TOKEN: Final = re.compile(r"[\w€£$][\w'’&/%€-]*")
_OPENERS: Final = {
    *("a", "an", "the", "our", "your", "my", "their", "his", "her", "its", "this", "that", "these", "those"),
    *("no", "some", "any", "every", "each", "all", "of", "for", "with", "in", "on", "at", "to", "from"),
    *("about", "into", "and", "or", "der", "die", "das", "ein", "eine", "le", "la", "les", "un", "une"),
    *("el", "los", "una", "de", "het", "een"),
}
"""A phrase that follows one of these, or opens a clause, is likely to be whole."""

_CLAUSE_TOKENS: Final = range(3, 8)
"""Tokens of a whole clause that may stand for the phrase in it: "Board takes an age to open"."""

_SPEAKERS: Final = {
    *("i", "we", "you", "he", "she", "it", "they", "this", "that", "these", "those"),
    *("my", "our", "your", "his", "her", "their"),
}
_GOING_ON: Final = {
    *("there", "here", "who", "what", "why", "how", "where", "which"),
    *("and", "but", "or", "so", "then", "also", "because", "if", "when", "while", "since", "until", "as"),
    *("though", "although", "unless", "once", "than", "too"),
    *("is", "are", "was", "were", "do", "does", "did", "can", "could", "will", "would", "should"),
    *("has", "have", "had", "please", "hi", "hello", "dear", "thanks", "yes", "not", "just"),
    *("about", "after", "before", "with", "at", "for", "of", "by", "from", "to", "on", "in"),
    *("re", "fw", "fwd"),
}
"""A clause that begins so says who speaks, or goes on from another one: no title."""


_CODE: Final = re.compile(r"\d{6}|(?:-[^-]+){3}|^_|_$")
"""A token of a log or of a program: a clause with one was never said by a person."""


_PLACEHOLDER: Final = re.compile(r"\[[A-Z]+(?:_\d+)?\]")
_AROUND: Final = " .!?\"“”'‘’>*•-–\n\t"
"""What may stand around a sentence and isn't part of it."""

_PAUSE: Final = re.compile(r"[,;:]\s|\s[-–—(]")
_OPENING_TOKENS, _OPENING_WORDS = 4, 2
"""Tokens, and different telling words, that the beginning of a sentence must have to tell anything."""


@dataclass(slots=True)
class Phrase:
    """Where a phrase is said, how it is written and how often, and whether it is whole somewhere."""

    documents: set[str] = field(default_factory=set)
    forms: dict[str, int] = field(default_factory=dict)
    whole: bool = False


def clauses_of(text: str) -> list[list[str]]:
    """Return the tokens of each clause."""
    return [_TOKEN.findall(clause) for clause in _CLAUSE.split(text)]


class Names:
    """Tells which capitalised words are known well enough to stand in a title."""

    def __init__(
        self,
        themes: Iterable[Sequence[tuple[str, str]]],
        known: Iterable[str],
        voices: Mapping[str, str],
    ) -> None:
        self.known = {word for text in known for word in words(text)}
        self.seen: dict[str, set[str]] = defaultdict(set)
        for pairs in themes:
            for document, text in pairs:
                for word in _TOKEN.findall(text):
                    if word[0].islower():
                        self.known.add(fold(word))
                    else:
                        self.seen[fold(word)].add(voices.get(document) or document)

    def allow(self, word: str) -> bool:
        """Tell whether a word may stand in a title."""
        plain = fold(word)
        if not word[0].isupper() or plain in self.known or set(words(word)) <= self.known:
            return True
        # Inner capitals make a product or an abbreviation (QuickBooks, SSO), not a person.
        return len(self.seen[plain]) >= 3 or any(char.isupper() for char in word[1:])


def phrases_of(pairs: Sequence[tuple[str, str]], names: Names, longest: int = 0) -> dict[Key, Phrase]:
    """Collect the phrases of a theme, of `longest` tokens at most, by the stems of their telling words."""
    alone = len({document for document, _ in pairs}) == 1
    longest = longest or (_LONGEST_OF_ONE_DOCUMENT if alone else _LONGEST_PHRASE)
    found: dict[Key, Phrase] = defaultdict(Phrase)
    for document, text in pairs:
        for tokens in clauses_of(text):
            ends = [_may_end(token) for token in tokens]
            allowed = [names.allow(token) and not _CODE.search(token) for token in tokens]
            told = [telling(token) for token in tokens]
            for start, end in _spans(ends, allowed, longest):
                phrase = found[tuple(chain.from_iterable(told[start:end]))]
                phrase.documents.add(document)
                form = " ".join(tokens[start:end])
                phrase.forms[form] = phrase.forms.get(form, 0) + 1
                opens = start == 0 or tokens[start - 1].lower() in _OPENERS
                phrase.whole |= opens and (end == len(tokens) or not told[end])
    return dict(found)


def whole_clauses(
    pairs: Sequence[tuple[str, str]], names: Names, *, spoken: bool = False
) -> dict[Key, Phrase]:
    """Collect the short clauses of a theme that read as titles, by the stems of their telling words.

    With `spoken` also those that say who speaks, or of what it spoke before: "I am having problems".
    """
    not_first = _GOING_ON if spoken else _GOING_ON | _SPEAKERS
    found: dict[Key, Phrase] = defaultdict(Phrase)
    for document, text in pairs:
        for tokens in clauses_of(text):
            if (
                len(tokens) in _CLAUSE_TOKENS
                and re.split("['’]", tokens[0].lower())[0] not in not_first
                and not tokens[0][0].isdigit()
                and _may_end(tokens[-1])
                and all(map(names.allow, tokens))
                and not any(map(_CODE.search, tokens))
            ):
                clause = found[tuple(part for token in tokens for part in telling(token))]
                clause.documents.add(document)
                form = " ".join(tokens)
                clause.forms[form] = clause.forms.get(form, 0) + 1
    return dict(found)


def openings(pairs: Sequence[tuple[str, str]], names: Names, longest: int) -> dict[Key, Phrase]:
    """Collect how the sentences of a theme begin, by the stems of their telling words.

    Each is the whole sentence, or what comes before its last pause within `longest` characters, or else as
    many words and "…".
    """
    found: dict[Key, Phrase] = defaultdict(Phrase)
    for document, text in pairs:
        for start, end in units(text):
            form = _opening(text[start:end].strip(_AROUND), longest)
            tokens = _TOKEN.findall(form)
            key = tuple(part for token in tokens for part in telling(token))
            if (
                len(tokens) in range(_OPENING_TOKENS, 100)
                and len(set(key)) >= _OPENING_WORDS
                and not _PLACEHOLDER.search(form)
                and all(map(names.allow, tokens))
                and not any(map(_CODE.search, tokens))
            ):
                found[key].documents.add(document)
                found[key].forms[form] = found[key].forms.get(form, 0) + 1
    return dict(found)


def _opening(sentence: str, longest: int) -> str:
    """Return a sentence, or its beginning where it is too long, on one line."""
    sentence = " ".join(sentence.split())
    if len(sentence) <= longest:
        return sentence
    pauses = [pause.start() for pause in _PAUSE.finditer(sentence, 0, longest + 1)]
    if pauses and pauses[-1] >= longest / 2:
        return sentence[: pauses[-1]].rstrip(_AROUND)
    kept = sentence[: longest - 1].split(" ")[:-1]
    while kept and kept[-1].lower().strip(_AROUND) in stop_words():
        kept.pop()
    return " ".join(kept).rstrip(_AROUND + ",;:") + "…"


def _spans(ends: Sequence[bool], allowed: Sequence[bool], longest: int) -> Iterable[tuple[int, int]]:
    for start, opens in enumerate(ends):
        if not opens:
            continue
        for end in range(start + 1, min(start + longest, len(ends)) + 1):
            if not allowed[end - 1]:
                break
            if ends[end - 1]:
                yield start, end


@lru_cache(maxsize=100_000)
def telling(text: str) -> tuple[str, ...]:
    """Return the stems of what tells something in a token."""
    return tuple(stem(word) for word in words(text) if word not in stop_words() and not word[0].isdigit())


@lru_cache(maxsize=100_000)
def _may_end(token: str) -> bool:
    return (
        len(token) > 1
        and token.count("/") < 2
        and "'" not in token
        and "’" not in token
        and any(len(part) > 1 for part in telling(token))
    )
