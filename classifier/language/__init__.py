"""Which language a text is in.

In: texts. Out: ISO 639-1 codes, "" where nothing can be said. Never depends on the other texts, and rather
says nothing than something wrong.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from classifier.language.words import ALONE, ENOUGH, FUNCTION_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from lingua import LanguageDetector

    from classifier.language.counted import Words

__all__ = ["detect", "detect_one", "is_supported"]

_LONGEST = 400  # code points looked at
_LONGEST_WEIGHED = 200  # of those, by letter sequences: they are slow
_CLEAR = 1.5  # function words
_ENGLISH_PRIOR = 4.0
_SURE = 0.8
_FEWEST_WORDS = 3

_NOISE = re.compile(r"\S*(?:://|www\.|@)\S*|\[[A-Z]{2,8}(?:_\d+)?\]|\S*[\d_/\\{}<>=]\S*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_EDGES = ".,;:!?…\"'“”„«»()[]{}<>*-–—/"
# Scripts that one language of those known here writes, or that tell at least that it isn't another.
_SCRIPTS: Final = (
    ("ja", re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff\u3130-\u318f]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff\u0750-\u077f]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_BEYOND_LATIN = re.compile(r"[\u0370-\u1fff\u3040-\ud7af\uff66-\uff9f]")
_UKRAINIAN = re.compile(r"[іїєґІЇЄҐ]")
_RUSSIAN = re.compile(r"[ыэъёЫЭЪЁ]")
_PERSIAN = re.compile(r"[پچژگ]")


def detect(texts: "pd.Series") -> "pd.Series":
    """Name the language of each text.

    Parameters
    ----------
    texts
        Any text without missing values; its first 400 characters decide.

    Returns
    -------
    ISO 639-1 codes, or "" where a text is too short, mixed, or in no language known here. Index of `texts`.
    """
    import numpy as np

    from classifier.buffers import named, replaced
    from classifier.language.counted import DOUBTFUL, clear_languages

    words = _laid_out()
    told = clear_languages(texts, words, longest=_LONGEST, clear=_CLEAR, edges=_EDGES)
    doubtful = np.flatnonzero(told == DOUBTFUL)
    codes = named(words.codes, np.where(told == DOUBTFUL, 0, told)).set_axis(texts.index)
    if not len(doubtful):
        return codes
    return replaced(codes, doubtful, list(map(detect_one, texts.iloc[doubtful])))


def is_supported(codes: "pd.Series", languages: Sequence[str]) -> "pd.Series":
    """Tell which texts a model for `languages` can read: theirs, and those whose language nobody can tell.

    Returns
    -------
    Mask with the index of `codes`.
    """
    return codes.isin([*languages, ""])


def detect_one(text: str) -> str:
    """Name the language of one text, as `detect` does."""
    start = text[:_LONGEST]
    if early := _decided_early(start):
        return early
    if not start.isascii() and (script := _script(_NOISE.sub(" ", start))):
        return script
    hits = _hits(start)
    best, second = _two_highest(hits)
    if best and hits[best] >= _CLEAR and hits[best] >= 2 * hits.get(second, 0.0):
        return best
    return _weigh(_NOISE.sub(" ", start), hits)


def _script(text: str) -> str:
    """Name the language that a script stands for, if most letters are of scripts beyond Latin."""
    beyond = len(_BEYOND_LATIN.findall(text))
    if not beyond or 2 * beyond < sum(map(len, _WORD.findall(text))):
        return ""
    counts = {code: len(letters.findall(text)) for code, letters in _SCRIPTS}
    if counts["ja"] and counts["ja"] + counts["zh"] > counts["ko"]:
        return "ja"  # Japanese is written with Chinese characters too
    code = max(counts, key=counts.__getitem__)
    if not counts[code]:
        return ""
    if code == "ru" and _UKRAINIAN.search(text) and not _RUSSIAN.search(text):
        return "uk"
    return "fa" if code == "ar" and _PERSIAN.search(text) else code


def _decided_early(text: str) -> str:
    """Name the language that the first function words tell so well that the rest can't matter, or ""."""
    hits: dict[str, float] = {}
    known = 0
    for written, token in zip(text.split(), _tokens(text), strict=True):
        if _BEYOND_LATIN.search(written):
            break
        languages = _languages_of(token)
        for code, share in languages:
            hits[code] = hits.get(code, 0.0) + share
        known += bool(languages)
        for code, _ in languages:
            if hits[code] >= ENOUGH and hits[code] >= ALONE * known:
                return code
    return ""


def _hits(text: str) -> dict[str, float]:
    """Count function words per language; a word of several languages is shared between them."""
    hits: dict[str, float] = {}
    for token in _tokens(text):
        for code, share in _languages_of(token):
            hits[code] = hits.get(code, 0.0) + share
    return hits


def _tokens(text: str) -> list[str]:
    return text.casefold().replace("’", "'").split()


def _languages_of(token: str) -> Sequence[tuple[str, float]]:
    """Return the languages that have a token, and its share for each."""
    known = _languages_of_words()
    return known.get(token) or known.get(token.strip(_EDGES), ())


def _two_highest(hits: Mapping[str, float]) -> tuple[str, str]:
    ranked = sorted(hits, key=lambda code: (-hits[code], code))
    return (ranked[0] if ranked else "", ranked[1] if len(ranked) > 1 else "")


@lru_cache(maxsize=1)
def _languages_of_words() -> dict[str, tuple[tuple[str, float], ...]]:
    owners: dict[str, list[str]] = {}
    for code, words in FUNCTION_WORDS.items():
        for word in words:
            owners.setdefault(word, []).append(code)
    return {word: tuple((code, 1 / len(codes)) for code in codes) for word, codes in owners.items()}


@lru_cache(maxsize=1)
def _laid_out() -> "Words":
    from classifier.language.counted import Words

    # Of equally frequent languages the first by code is named, here as in `_two_highest`.
    return Words(_languages_of_words(), sorted(FUNCTION_WORDS))


def _weigh(text: str, hits: Mapping[str, float]) -> str:
    """Decide by letter sequences where the function words don't; English has the benefit of the doubt."""
    words = _WORD.findall(text)
    if not words:
        return ""
    weights: dict[str, float] = {}
    for confidence in _detector().compute_language_confidence_values(text[:_LONGEST_WEIGHED]):
        code = confidence.language.iso_code_639_1.name.lower()
        prior = _ENGLISH_PRIOR if code == "en" else 1.0
        weights[code] = confidence.value * prior * 4.0 ** hits.get(code, 0.0)
    best, _ = _two_highest(weights)
    if not weights[best] or weights[best] < _SURE * sum(weights.values()):
        return ""
    # Names, codes and typing errors look like any language: without a word or a letter of it they are none.
    tells = best in hits or (not text.isascii() and "en" not in hits)
    return best if best == "en" or (tells and len(words) >= _FEWEST_WORDS) else ""


@lru_cache(maxsize=1)
def _detector() -> "LanguageDetector":
    from lingua import Language, LanguageDetectorBuilder

    languages = [
        language for language in Language.all() if language.iso_code_639_1.name.lower() in FUNCTION_WORDS
    ]
    # Its other mode needs three times the memory and gains nothing where function words have a say.
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()
