"""Themes -> the objective that each of them touches.

In: spans with their themes, and the objectives. Out: the same rows with `objective_id`. Abstains where
nothing stands out.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.entities import document_texts
from classifier.vectors import Encoder, stem, stems, stop_words, words

Reals = npt.NDArray[np.float64]

_SHARE: Final = 1 / 3
"""Part of a theme's documents that must speak of an objective which it is said to touch, by words alone."""

_NEAR: Final = 6
"""Words between which those of a keyword may stand."""

# By eye on the demo company: no gold says which objective a theme touches.
_KEYWORD: Final = 0.15
"""What it adds to the likeness of a theme and an objective if all of its documents hold a keyword."""
_LEAST, _AHEAD = 0.25, 0.04
"""Likeness from which on a theme touches an objective, and by how much it must exceed the next one."""
_DOCUMENTS: Final = 3
"""Documents of a theme from which on meaning alone may tell."""


def link_objectives(
    evidence: pd.DataFrame, objectives: pd.DataFrame, *, sentences: Encoder | None = None
) -> pd.DataFrame:
    """Say which objective each theme touches, by keywords and by meaning.

    A document speaks of an objective where it holds all words of a keyword near each other; the words of an
    objective's own text stand in where it has no keywords. By words alone a theme touches the objective of
    which most, and at least a third, of its documents speak. With sentences, how like its documents are to
    what is said of each objective counts, too, and one must stand out. Each span gets the objective of its
    theme, spans without theme none.

    Parameters
    ----------
    sentences
        Compares by meaning.

    Returns
    -------
    The evidence with `objective_id`; "" where none is touched.
    """
    spans = evidence[evidence["theme_id"] != ""]
    if spans.empty or objectives.empty:
        return evidence
    texts = document_texts(spans)["text"]
    themes = spans[["theme_id", "document_id"]].drop_duplicates()
    places, by_theme = texts.index.get_indexer(pd.Index(themes["document_id"])), themes["theme_id"].to_numpy()
    spoken = _by_theme(_spoken_of(texts, objectives)[places], by_theme)
    score, sure = spoken, spoken.max(axis=1) >= _SHARE
    if sentences is not None:
        alike = _by_theme(_likeness(texts, objectives, sentences)[places], by_theme)
        score = np.round(alike + _KEYWORD * spoken, 6)
        told = (spoken.max(axis=1) > 0) | (themes.groupby("theme_id").size().to_numpy() >= _DOCUMENTS)
        sure = told & _stands_out(score)
    names = np.array([*objectives["objective_id"], ""], dtype=object)
    best = np.where(sure, score.argmax(axis=1), len(objectives))
    chosen = pd.Series(names[best], index=sorted(themes["theme_id"].unique()))
    evidence = evidence.copy()
    evidence["objective_id"] = evidence["theme_id"].map(chosen).astype("str").fillna("")
    return evidence


def _by_theme(values: Reals, themes: np.ndarray) -> Reals:
    """Return the mean over each theme's documents, themes in order of their ids."""
    means: Reals = pd.DataFrame(values).groupby(themes, sort=True).mean().to_numpy()
    return means


def _stands_out(score: Reals) -> npt.NDArray[np.bool_]:
    """Say of which themes the highest score is high enough, and ahead of the next one."""
    ordered = np.sort(score, axis=1)
    ahead = ordered[:, -1] - (ordered[:, -2] if score.shape[1] > 1 else 0.0)
    return np.asarray((ordered[:, -1] >= _LEAST) & (ahead >= _AHEAD))


def _spoken_of(texts: pd.Series, objectives: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Say which documents speak of which objective, shape (documents, objectives), 0 or 1."""
    phrases: list[set[tuple[str, ...]]] = []
    for text, keywords in zip(objectives["objective"], objectives["keywords"], strict=True):
        own: set[tuple[str, ...]] = {(stem(word),) for word in words(text) if word not in stop_words()}
        phrases.append({tuple(stems(part)) for part in keywords.split(";") if stems(part)} or own)
    # One document at a time: where the words of each stand takes more room than its text.
    heard = (_places_of(stems(text)) for text in texts)
    return np.array(
        [[float(any(_near(places, phrase) for phrase in listed)) for listed in phrases] for places in heard]
    )


def _places_of(said: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, word in enumerate(said):
        places.setdefault(word, []).append(place)
    return places


def _near(places: Mapping[str, Sequence[int]], phrase: Sequence[str]) -> bool:
    """Say whether all words of a phrase stand near its first: "slow board", "the board is painfully slow"."""
    first, *others = (places.get(word, ()) for word in phrase)
    return any(all(any(abs(at - own) <= _NEAR for at in other) for other in others) for own in first)


def _likeness(texts: pd.Series, objectives: pd.DataFrame, sentences: Encoder) -> Reals:
    """Return how like each document is to each objective: to its most like part, and to all on average."""
    said = sentences.encode(list(texts))
    columns = []
    told = zip(objectives["objective"], objectives["kpi"], objectives["keywords"], strict=True)
    for text, kpi, keywords in told:
        parts = [part for part in dict.fromkeys([text, kpi, *keywords.split(";")]) if part.strip()]
        likeness = (said @ sentences.encode(parts).T).astype(np.float64)
        columns.append((likeness.max(axis=1) + likeness.mean(axis=1)) / 2)
    return np.stack(columns, axis=1)
