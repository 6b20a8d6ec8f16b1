"""Texts of themes -> one short, readable title per theme.

In: quotes and subjects by theme. Out: the phrases that a theme says and others don't, cased as in the
texts. Never a placeholder, and never a name that only a person's document could explain.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import log
from typing import Final

import numpy as np

from classifier.titles.clauses import (
    Key,
    Names,
    Phrase,
    clauses_of,
    openings,
    phrases_of,
    telling,
    whole_clauses,
)
from classifier.vectors import CHUNK, EXACT_UP_TO, UBIQUITOUS, Encoder, generic_stems, unit_rows

LONGEST_TITLE: Final = 60
TEXTS_PER_THEME: Final = 80
_TEXTS_PER_DOCUMENT: Final = 6
"""A long document, or one that repeats itself, would else name a theme alone."""
# Longer phrases read better but dilute: exponent by eye on two invented companies.
_DILUTION: Final = 0.4
_CLAUSE_DILUTION: Final = 0.15
_FIRST_WORDS: Final = 3
_TOPIC_FROM: Final = 320
"""Texts from which on a theme is a topic: a clause of a single text is an example of it, no more."""
_TOPIC_TOKENS: Final = 2
_SAID_ONCE: Final = 0.3
"""What a word of a single text weighs in a clause: it tells of that text rather than of the theme."""
_COMMON_PART: Final = 0.08
"""A word of fewer texts than this part of a theme, a slip of the pen as a rule, has no weight in it."""

_WORDS_APART: Final = 3
_WORDS_TOGETHER: Final = 3
"""Of a title that must not quote."""
_SHARED_BY: Final = 3
"""A single word heads a title when so many documents of the theme hold it."""

_WHOLE: Final = 1.25

_FEW: Final = 5
"""Documents up to which a theme has no words of its own: how its sentences begin tells more than they do."""

_COMPARED: Final = 8
"""Clauses of a theme, those with most of its weight, that are compared with it."""

_COMPOSED: Final = 0.4
"""How much of what it holds counts for a title of two phrases, which nobody wrote as one."""

_COVERED, _ALONE = 0.3, 0.1
"""What a clause gains, beside its likeness to the theme, that holds all the weight that one can, and one
that is a text of its own: a subject was written as a title. By eye on the demo company."""


def titles(
    texts: Mapping[str, Sequence[tuple[str, str]]],
    *,
    known: Iterable[str] = (),
    voices: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
    quoting: bool = True,
) -> dict[str, str]:
    """Name each theme by what it says and others don't.

    A word weighs by the texts of the theme that hold it against the themes that hold it (class-based
    TF-IDF). The title is the phrase, as somebody wrote it, that packs most weight, with the rest of its
    clause where that is short; else a second phrase is put behind the word that most documents share,
    where it lacks that word. With an encoder it is that or another short clause: the one that is most
    like the theme's texts and holds most of its weight; a theme of five documents or fewer may be named by
    how a sentence of it begins, for it has no words of its own. Before the title of a theme of more than 320
    texts stands the word or two that most of these share.

    Parameters
    ----------
    texts
        Theme -> (document, text) pairs, the most central ones first; at most 80 are read, six of one
        document, and for the words that a large theme shares 80 more, from its centre to its edge.
    known
        Texts that may be quoted freely (areas, claims, capabilities, competitors): a capitalised word
        may stand in a title if it is in them, in lower case anywhere, or said by three voices.
    voices
        Document -> who speaks in it, such as its account; a document without is a voice of its own.
    encoder
        Turns texts into vectors.
    quoting
        Whether a title may be what somebody wrote; else it is some words of it, no more than three together.

    Returns
    -------
    Theme -> title of at most 60 characters; "" where a theme holds no words.
    """
    heads = {theme: _head(pairs) for theme, pairs in texts.items()}
    names = Names(heads.values(), known, voices or {})
    counts = {theme: _word_counts(pairs) for theme, pairs in heads.items()}
    spread = Counter(word for found in counts.values() for word in found)
    vague = _vague(heads.values())
    made: dict[str, str] = {}
    rivals: dict[str, dict[str, float]] = {}
    for theme, pairs in heads.items():
        weights = _weights(counts[theme], spread, vague, themes=len(heads), texts=len(pairs))
        if not quoting:
            made[theme] = _title(phrases_of(pairs, names, longest=_WORDS_TOGETHER), weights)
            continue
        shared = {
            word: weight * (1.0 if counts[theme][word] > 1 else _SAID_ONCE)
            for word, weight in weights.items()
        }
        clauses = whole_clauses(pairs, names)
        made[theme] = _clause(clauses, shared) or _title(phrases_of(pairs, names), weights)
        rivals[theme] = _rivals(made[theme], clauses, shared)
        if not clauses and " " not in made[theme]:
            spoken = _rivals("", whole_clauses(pairs, names, spoken=True), shared)
            rivals[theme] = spoken or rivals[theme]
        if len({document for document, _ in pairs}) <= _FEW:
            rivals[theme] |= _rivals("", openings(pairs, names, LONGEST_TITLE), shared)
    if encoder is not None and quoting:
        made |= _likest(rivals, heads, encoder)
    for theme, said in texts.items():
        if len(said) > _TOPIC_FROM:
            topic = _topic(said, names, spread, vague, themes=len(heads))
            made[theme] = _with_topic(topic, made[theme])
    return made


def _head(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first texts of a theme, few of one document."""
    taken: list[tuple[str, str]] = []
    seen: Counter[str] = Counter()
    for start in range(0, len(pairs), TEXTS_PER_THEME):
        for document, text in pairs[start : start + TEXTS_PER_THEME]:
            seen[document] += 1
            if seen[document] <= _TEXTS_PER_DOCUMENT:
                taken.append((document, text))
        if len(taken) >= TEXTS_PER_THEME:
            break
    return taken[:TEXTS_PER_THEME]


def _weights(
    counts: Counter[str], spread: Mapping[str, int], vague: set[str], *, themes: int, texts: int
) -> dict[str, float]:
    """Return what each word of a theme weighs, 0 where it can't name it."""
    named = _telling_words(counts, vague, least=_COMMON_PART * texts)
    return {
        word: count**0.5 * log(1 + themes / max(1, spread[word])) if word in named else 0.0
        for word, count in counts.items()
    }


def _rivals(title: str, clauses: Mapping[Key, Phrase], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the title and the clauses that may stand for it, with what part each holds of the most held."""
    forms = {title, *(_fitted(_form(clause)) for clause in clauses.values())} - {""}
    # A word alone says less than what is said with it.
    held = {form: _held(form, weights) if " " in form else 0.0 for form in forms}
    most = max(held.values(), default=0.0) or 1.0
    best = sorted(held, key=lambda form: (form != title, -held[form], form))[:_COMPARED]
    composed = title if ": " in title else ""
    return {form: held[form] / most * (_COMPOSED if form == composed else 1.0) for form in best}


def _likest(
    rivals: Mapping[str, Mapping[str, float]],
    texts: Mapping[str, Sequence[tuple[str, str]]],
    encoder: Encoder,
) -> dict[str, str]:
    """Return of each theme's rivals the one most like its texts that holds most of its weight."""
    chosen = {theme: next(iter(found)) for theme, found in rivals.items() if len(found) == 1}
    for some in _together({theme: found for theme, found in rivals.items() if len(found) > 1}, texts):
        said = {theme: [text for _, text in texts[theme]] for theme in some}
        everything = sorted({*chain(*said.values()), *chain(*(rivals[theme] for theme in some))})
        rows = dict(zip(everything, encoder.encode(everything), strict=True))
        for theme, own in said.items():
            middle = unit_rows(np.mean([rows[text] for text in own], axis=0, keepdims=True))[0]
            alone = {text.strip(" .!?").lower() for text in own}
            # Rounded: the last bits of a product may differ from machine to machine.
            worth = {
                form: round(
                    float(rows[form] @ middle) + _COVERED * part + _ALONE * (form.lower() in alone), 4
                )
                for form, part in rivals[theme].items()
            }
            chosen[theme] = max(worth, key=worth.__getitem__)
    return chosen


def _together(themes: Iterable[str], texts: Mapping[str, Sequence[object]]) -> Iterator[list[str]]:
    """Yield themes with some CHUNK texts: each call of an encoder takes its time, each row its room."""
    waiting: list[str] = []
    size = 0
    for theme in themes:
        waiting.append(theme)
        size += len(texts[theme])
        if size >= CHUNK:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def _held(form: str, weights: Mapping[str, float]) -> float:
    parts = dict.fromkeys(part for token in form.split() for part in telling(token))
    return sum(weights.get(part, 0.0) for part in parts)


def _topic(
    pairs: Sequence[tuple[str, str]],
    names: Names,
    spread: Mapping[str, int],
    vague: set[str],
    *,
    themes: int,
) -> str:
    """Return the word or two that all of a large theme shares, read from its centre to its edge."""
    read = _head(pairs[:: max(1, len(pairs) // TEXTS_PER_THEME)])
    weights = _weights(_word_counts(read), spread, vague, themes=themes, texts=len(read))
    found = {
        key: phrase
        for key, phrase in phrases_of(read, names).items()
        if len(_form(phrase).split()) <= _TOPIC_TOKENS and any(weights[part] for part in key)
    }
    return _form(found[_ranked(found, weights, _DILUTION)[0]]) if found else ""


def _with_topic(topic: str, title: str) -> str:
    """Put the topic before a title that doesn't begin with it, where both together are short enough."""
    both = _fitted(f"{topic}: {title}")
    return both if topic and both.endswith(title) and not title.lower().startswith(topic.lower()) else title


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
        {part for tokens in clauses_of(text) for token in tokens for part in telling(token)}
        for _, text in pairs
    )
    return Counter(word for found in said for word in found)


def _ranked(found: Mapping[Key, Phrase], weights: Mapping[str, float], dilution: float) -> list[Key]:
    def score(key: Key) -> float:
        phrase = found[key]
        tokens = len(max(phrase.forms, key=len).split())
        value = sum(weights[part] for part in dict.fromkeys(key)) / tokens**dilution
        return float(value * (_WHOLE if phrase.whole else 1.0) * len(phrase.documents) ** 0.5)

    return sorted(found, key=lambda key: (-score(key), key))


def _title(found: Mapping[Key, Phrase], weights: Mapping[str, float]) -> str:
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


def _clause(clauses: Mapping[Key, Phrase], weights: Mapping[str, float]) -> str:
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


def _form(phrase: Phrase) -> str:
    """Return the spelling seen most often; lower case before upper where both are."""
    return min(phrase.forms, key=lambda form: (-phrase.forms[form], -sum(map(str.islower, form)), form))


def _fitted(title: str) -> str:
    """Cut at a word to the longest length, and begin with a capital where the first word has none."""
    if len(title) > LONGEST_TITLE:
        title = title[:LONGEST_TITLE].rsplit(" ", 1)[0]
    first = title.split(" ", 1)[0]
    return title[:1].upper() + title[1:] if first.islower() else title
