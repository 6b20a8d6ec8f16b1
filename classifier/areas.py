"""Texts -> how much each product area's own words occur in them.

In: texts, the user's areas with their phrases, the capabilities' areas. Out: one weight per text and
area. Never decides: whoever groups texts pools the weights first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from classifier.lexicon import AREA_WORDS
from classifier.vectors import Floats, fold, stem, stems, stop_words, words

# Chosen on two invented companies (142 and 140 documents with areas): accuracy was flat from .3 to .8.
PHRASE: Final = 1.0
PHRASE_WORD: Final = 0.7
COMMON_WORD: Final = 0.4
CAPABILITY_WORD: Final = 0.4
TAG: Final = 2.0
"""A word of the area column counts so many times a word of the text."""

_LONGEST: Final = 4


@dataclass(frozen=True)
class Areas:
    """The product areas and the words that point to them."""

    names: tuple[str, ...]
    weights: Mapping[tuple[str, ...], Mapping[int, float]]  # stems of a word or phrase -> area -> weight

    def score(self, texts: Sequence[str]) -> Floats:
        """Weigh each area in each text.

        A word counts more the rarer it is among the texts and the fewer areas share it.

        Returns
        -------
        Matrix (texts, areas), 0 where nothing points to the area.
        """
        if not self.weights:
            return np.zeros((len(texts), len(self.names)), dtype=np.float32)
        found = [self._phrases(text) for text in texts]
        seen = Counter(phrase for phrases in found for phrase in phrases)
        scores = np.zeros((len(texts), len(self.names)), dtype=np.float64)
        for row, phrases in enumerate(found):
            for phrase in phrases:
                rarity = np.log((1 + len(texts)) / (0.5 + seen[phrase]))
                shares = self.weights[phrase]
                total = sum(shares.values())
                for area, weight in shares.items():
                    scores[row, area] += rarity * weight * weight / total
        return scores.astype(np.float32)

    def _phrases(self, text: str) -> list[tuple[str, ...]]:
        tokens = stems(text)
        runs = {
            tuple(tokens[i : i + size])
            for size in range(1, _LONGEST + 1)
            for i in range(len(tokens) - size + 1)
        }
        return sorted(runs & self.weights.keys())


def known_areas(
    phrases: Mapping[str, Sequence[str]], capabilities: pd.DataFrame, tags: Iterable[str] = ()
) -> Areas:
    """Collect what is known of the product areas.

    Parameters
    ----------
    phrases
        Area -> phrases, from the settings; where empty, the areas of the capabilities are taken, and
        where these are missing too, the tags.
    capabilities
        Table CAPABILITIES: the words of a capability point to its area.
    tags
        Tags of the area column, several joined by ";".
    """
    own = {area: list(phrases[area]) for area in sorted(phrases)}
    if not own:
        listed = {area for area in capabilities["product_area"] if area}
        own = {area: [] for area in sorted(listed or _single(tags))}
    weights: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    for number, (area, listed_phrases) in enumerate(own.items()):
        for text, weight in _shared_words(area):
            _add(weights, text, number, weight)
        for phrase in (area, *listed_phrases):
            _add_phrase(weights, phrase, number)
    numbers = {area: number for number, area in enumerate(own)}
    for area, capability in zip(capabilities["product_area"], capabilities["capability"], strict=True):
        if area in numbers:
            for word in _telling(capability):
                _add(weights, word, numbers[area], CAPABILITY_WORD)
    return Areas(tuple(own), dict(weights))


def _single(tags: Iterable[str]) -> set[str]:
    return {fold(tag.strip()) for value in tags for tag in value.split(";") if tag.strip()}


def document_weights(documents: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """Weigh the areas in each document of `entities.document_texts`; a tag counts twice a word.

    Returns
    -------
    Matrix (documents, areas), indexed as `documents`.
    """
    weights = areas.score(list(documents["text"])) + TAG * areas.score(list(documents["tags"]))
    return pd.DataFrame(weights, index=documents.index)


def _add_phrase(weights: dict[tuple[str, ...], dict[int, float]], phrase: str, area: int) -> None:
    parts = stems(phrase)
    if len(parts) > 1:
        _add(weights, phrase, area, PHRASE)
        for word in _telling(phrase):
            _add(weights, word, area, PHRASE_WORD)
    else:
        _add(weights, phrase, area, PHRASE)


def _add(weights: dict[tuple[str, ...], dict[int, float]], text: str, area: int, weight: float) -> None:
    key = tuple(stems(text))[:_LONGEST]
    if key:
        weights[key][area] = max(weight, weights[key].get(area, 0.0))


def _telling(phrase: str) -> list[str]:
    return [word for word in words(phrase) if word not in stop_words()]


def _shared_words(area: str) -> list[tuple[str, float]]:
    """Return the words that areas of this name have in common, whoever the company is."""
    own = {stem(word) for word in words(area)}
    found = []
    for concept, (names, listed) in AREA_WORDS.items():
        known = {stem(name.replace("_", " ")) for name in names.split()} | {concept}
        joined = area.lower().replace(" ", "_")
        if joined in names.split() or own & {stem(concept)} or (len(own) == 1 and own & known):
            found += [(word.replace("_", " "), COMMON_WORD) for word in listed.split()]
    return found


def shares(weights: Floats) -> Floats:
    """Scale each row to sum 1; rows without any weight stay 0."""
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=total > 0))
