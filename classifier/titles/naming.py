"""Texts of themes -> one short, readable title per theme.

In: quotes and subjects by theme. Out: the phrases that a theme says and others don't, cased as in the
texts. Never a placeholder, and never a name that only a person's document could explain.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from math import log
from typing import Final

from classifier.vectors import EXACT_UP_TO, UBIQUITOUS, fold, generic_stems, stem, stop_words, words

Key = tuple[str, ...]

LONGEST_TITLE: Final = 60
TEXTS_PER_THEME: Final = 80
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

# Longer phrases read better but dilute: exponent by eye on two invented companies.
_DILUTION: Final = 0.4
_CLAUSE_DILUTION: Final = 0.15
_FIRST_WORDS: Final = 3
_TOPIC_FROM: Final = 320
"""Texts from which on a theme is a topic: no clause of a single text can stand for it."""
_TOPIC_TEXTS: Final = 400
_TOPIC_PART: Final = 0.02
_TOPIC_SPREAD: Final = 0.1
_SAID_ONCE: Final = 0.3
"""What a word of a single text weighs in a clause: it tells of that text rather than of the theme."""
_COMMON_PART: Final = 0.08
"""A word of fewer texts than this part of a theme, a slip of the pen as a rule, has no weight in it."""

_CLAUSE_TOKENS: Final = range(3, 8)
"""Tokens of a whole clause that may stand for the phrase in it: "Board takes an age to open"."""

_SPEAKERS: Final = {
    *("i", "we", "you", "he", "she", "it", "they", "there", "here", "this", "that", "these", "those"),
    *("my", "our", "your", "his", "her", "their"),
    *(
        "and",
        "but",
        "or",
        "so",
        "then",
        "also",
        "because",
        "if",
        "when",
        "while",
        "since",
        "until",
        "as",
        "which",
    ),
    *(
        "who",
        "what",
        "why",
        "how",
        "where",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
    ),
    *(
        "would",
        "should",
        "has",
        "have",
        "had",
        "please",
        "hi",
        "hello",
        "dear",
        "thanks",
        "yes",
        "not",
        "just",
    ),
    *(
        "about",
        "after",
        "before",
        "re",
        "fw",
        "fwd",
        "with",
        "at",
        "for",
        "of",
        "by",
        "from",
        "to",
        "on",
        "in",
    ),
}
"""A clause that begins so says who speaks, or goes on from another one: no title."""

_WORDS_APART: Final = 3
_SHARED_BY: Final = 3
"""A single word heads a title when so many documents of the theme hold it."""

_WHOLE: Final = 1.25


@dataclass(slots=True)
class _Phrase:
    documents: set[str] = field(default_factory=set)
    forms: dict[str, int] = field(default_factory=dict)
    whole: bool = False


def titles(texts: Mapping[str, Sequence[tuple[str, str]]], *, known: Iterable[str] = ()) -> dict[str, str]:
    """Name each theme by its key phrases.

    A word weighs by the texts of the theme that hold it against the themes that hold it (class-based
    TF-IDF). The title is the phrase, as somebody wrote it, that packs most weight, with the rest of its
    clause where that is short; else a second phrase is put behind the word that most documents share,
    where it lacks that word.

    Parameters
    ----------
    texts
        Theme -> (document, text) pairs, the most central ones first; at most 80 are read.
    known
        Texts that may be quoted freely (areas, claims, capabilities, competitors): a capitalised word
        may stand in a title if it is in them, in lower case anywhere, or in three documents.

    Returns
    -------
    Theme -> title of at most 60 characters; "" where a theme holds no words.
    """
    topics = _topics({theme: pairs for theme, pairs in texts.items() if len(pairs) > _TOPIC_FROM})
    heads = {theme: pairs[:TEXTS_PER_THEME] for theme, pairs in texts.items()}
    names = _Names(heads.values(), known)
    counts = {theme: _word_counts(pairs) for theme, pairs in heads.items()}
    spread = Counter(word for found in counts.values() for word in found)
    vague = _vague(heads.values())
    made = {}
    for theme, pairs in heads.items():
        rarity = {word: log(1 + len(heads) / spread[word]) for word in counts[theme]}
        telling = _telling_words(counts[theme], vague, least=_COMMON_PART * len(pairs))
        weights = {
            word: count**0.5 * rarity[word] if word in telling else 0.0
            for word, count in counts[theme].items()
        }
        shared = {
            word: weight * (1.0 if counts[theme][word] > 1 else _SAID_ONCE)
            for word, weight in weights.items()
        }
        phrases = _phrases(pairs, names)
        if theme in topics:
            made[theme] = _topic(phrases, weights, topics[theme])
        else:
            made[theme] = _clause(_whole_clauses(pairs, names), shared) or _title(phrases, weights)
    return made


def _topics(texts: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, list[tuple[str, str]]]:
    """Return large theme -> (stem, word) of what all of it speaks about, beside what its core says.

    Read are texts from the centre to the edge; left out are words that many other themes use too.
    """
    forms: dict[str, dict[str, Counter[str]]] = {}
    counts: dict[str, Counter[str]] = {}
    for theme, pairs in texts.items():
        read = pairs[:: max(1, len(pairs) // _TOPIC_TEXTS)]
        counts[theme], forms[theme] = Counter(), defaultdict(Counter)
        for _, text in read:
            said = {token.lower() for tokens in _clauses(text) for token in tokens if token.isalpha()}
            for token in sorted(said):
                for part in _telling(token):
                    forms[theme][part][token] += 1
                    counts[theme][part] += 1
        least = _TOPIC_PART * len(read)
        counts[theme] = Counter({part: count for part, count in counts[theme].items() if count >= least})
    spread = Counter(part for found in counts.values() for part in found)
    rare = {part for part, themes in spread.items() if themes <= max(1, _TOPIC_SPREAD * len(texts))}
    rare -= generic_stems()
    topics = {}
    for theme, found in counts.items():
        weights = {part: found[part] * log(1 + len(texts) / spread[part]) for part in found if part in rare}
        best = sorted(weights, key=lambda part: (-weights[part], part))
        topics[theme] = [
            (part, min(forms[theme][part].items(), key=lambda one: (-one[1], one[0]))[0]) for part in best
        ]
    return topics


def _topic(
    found: Mapping[Key, _Phrase], weights: Mapping[str, float], beside: Sequence[tuple[str, str]]
) -> str:
    """Title a large theme: the word at its core, and what else is said with it."""
    core = next(
        (key for key in _ranked(found, weights, _DILUTION) if any(weights[part] for part in key)), None
    )
    if core is None:
        return _title(found, weights)
    words = [word for part, word in beside if part not in core][: _WORDS_APART - 1]
    return _fitted(": ".join(filter(None, [_form(found[core]), ", ".join(words)])))


def _telling_words(counts: Counter[str], vague: set[str], *, least: float) -> set[str]:
    """Return the words that may name a theme: not vague and in enough texts, or else one of both, or any."""
    common = {word for word, count in counts.items() if count >= least}
    return (common - vague) or (counts.keys() - vague) or common or set(counts)


def _vague(themes: Iterable[Sequence[tuple[str, str]]]) -> set[str]:
    """Return the words that name no theme of a large corpus: generic ones, and the product's own name."""
    totals: Counter[str] = Counter()
    texts = 0
    for pairs in themes:
        totals.update(_word_counts(pairs))
        texts += len(pairs)
    if texts <= EXACT_UP_TO:
        return set()
    return {*generic_stems(), *(word for word, count in totals.items() if count > UBIQUITOUS * texts)}


def _word_counts(pairs: Sequence[tuple[str, str]]) -> Counter[str]:
    """Count the texts that hold each telling word."""
    said = (
        {part for tokens in _clauses(text) for token in tokens for part in _telling(token)}
        for _, text in pairs
    )
    return Counter(word for found in said for word in found)


def _clauses(text: str) -> list[list[str]]:
    return [_TOKEN.findall(clause) for clause in _CLAUSE.split(text)]


class _Names:
    """Tells which capitalised words are known well enough to stand in a title."""

    def __init__(self, themes: Iterable[Sequence[tuple[str, str]]], known: Iterable[str]) -> None:
        self.known = {word for text in known for word in words(text)}
        self.seen: dict[str, set[str]] = defaultdict(set)
        for pairs in themes:
            for document, text in pairs:
                for word in _TOKEN.findall(text):
                    if word[0].islower():
                        self.known.add(fold(word))
                    else:
                        self.seen[fold(word)].add(document)

    def allow(self, word: str) -> bool:
        plain = fold(word)
        if not word[0].isupper() or plain in self.known or set(words(word)) <= self.known:
            return True
        # Inner capitals make a product or an abbreviation (QuickBooks, SSO), not a person.
        return len(self.seen[plain]) >= 3 or any(char.isupper() for char in word[1:])


def _phrases(pairs: Sequence[tuple[str, str]], names: _Names) -> dict[Key, _Phrase]:
    """Collect the phrases of a theme by the stems of their telling words."""
    alone = len({document for document, _ in pairs}) == 1
    longest = _LONGEST_OF_ONE_DOCUMENT if alone else _LONGEST_PHRASE
    found: dict[Key, _Phrase] = defaultdict(_Phrase)
    for document, text in pairs:
        for tokens in _clauses(text):
            ends = [_may_end(token) for token in tokens]
            allowed = [names.allow(token) for token in tokens]
            told = [_telling(token) for token in tokens]
            for start, end in _spans(ends, allowed, longest):
                phrase = found[tuple(chain.from_iterable(told[start:end]))]
                phrase.documents.add(document)
                form = " ".join(tokens[start:end])
                phrase.forms[form] = phrase.forms.get(form, 0) + 1
                opens = start == 0 or tokens[start - 1].lower() in _OPENERS
                phrase.whole |= opens and (end == len(tokens) or not told[end])
    return dict(found)


def _whole_clauses(pairs: Sequence[tuple[str, str]], names: _Names) -> dict[Key, _Phrase]:
    """Collect the short clauses of a theme that read as titles, by the stems of their telling words."""
    found: dict[Key, _Phrase] = defaultdict(_Phrase)
    for document, text in pairs:
        for tokens in _clauses(text):
            if (
                len(tokens) in _CLAUSE_TOKENS
                and re.split("['’]", tokens[0].lower())[0] not in _SPEAKERS
                and not tokens[0][0].isdigit()
                and _may_end(tokens[-1])
                and all(map(names.allow, tokens))
            ):
                clause = found[tuple(part for token in tokens for part in _telling(token))]
                clause.documents.add(document)
                form = " ".join(tokens)
                clause.forms[form] = clause.forms.get(form, 0) + 1
    return dict(found)


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
def _telling(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words(text) if word not in stop_words() and not word[0].isdigit())


@lru_cache(maxsize=100_000)
def _may_end(token: str) -> bool:
    return (
        len(token) > 1
        and token.count("/") < 2
        and "'" not in token
        and "’" not in token
        and any(len(part) > 1 for part in _telling(token))
    )


def _ranked(found: Mapping[Key, _Phrase], weights: Mapping[str, float], dilution: float) -> list[Key]:
    def score(key: Key) -> float:
        phrase = found[key]
        tokens = len(max(phrase.forms, key=len).split())
        value = sum(weights[part] for part in dict.fromkeys(key)) / tokens**dilution
        return float(value * (_WHOLE if phrase.whole else 1.0) * len(phrase.documents) ** 0.5)

    return sorted(found, key=lambda key: (-score(key), key))


def _title(found: Mapping[Key, _Phrase], weights: Mapping[str, float]) -> str:
    ranked = _ranked(found, weights, _DILUTION)
    if not ranked:
        return ""
    head = ranked[0]
    phrase = next((key for key in ranked if sum(weights[part] > 0 for part in set(key)) > 1), None)
    if phrase is None:
        return _fitted(", ".join(_form(found[key]) for key in _apart(ranked, weights)))
    if set(head) & set(phrase) or len(found[head].documents) < _SHARED_BY:
        return _fitted(_form(found[phrase]))
    return _fitted(f"{_form(found[head])}: {_form(found[phrase])}")


def _clause(clauses: Mapping[Key, _Phrase], weights: Mapping[str, float]) -> str:
    """Return the clause that holds most of the theme's weight; "" where none holds one of its first words."""
    top = set(sorted(weights, key=lambda part: (-weights[part], part))[:_FIRST_WORDS])
    telling = {
        key: clause
        for key, clause in clauses.items()
        if top & {*key} and sum(weights[part] > 0 for part in {*key}) > 1
    }
    return _fitted(_form(telling[_ranked(telling, weights, _CLAUSE_DILUTION)[0]])) if telling else ""


def _apart(ranked: Sequence[Key], weights: Mapping[str, float]) -> list[Key]:
    """Return the best key and at most two more that tell something else."""
    chosen = [ranked[0]]
    for key in ranked[1:]:
        if any(weights[part] > 0 for part in key) and not {part for kept in chosen for part in kept} & {*key}:
            chosen.append(key)
        if len(chosen) == _WORDS_APART:
            break
    return chosen


def _form(phrase: _Phrase) -> str:
    """Return the spelling seen most often; lower case before upper where both are."""
    return min(phrase.forms, key=lambda form: (-phrase.forms[form], -sum(map(str.islower, form)), form))


def _fitted(title: str) -> str:
    """Cut at a word to the longest length, and begin with a capital where the first word has none."""
    if len(title) > LONGEST_TITLE:
        title = title[:LONGEST_TITLE].rsplit(" ", 1)[0]
    first = title.split(" ", 1)[0]
    return title[:1].upper() + title[1:] if first.islower() else title
