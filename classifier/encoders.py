"""How a corpus is compared: by meaning where it is small, by cheaper vectors where it is large.

In: the texts of a corpus and what the settings ask for. Out: an encoder, and the name that a run records.
Never decides by time or machine: the same corpus is compared in the same way everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from classifier import static
from classifier.sentences import JoinedEncoder, SentenceEncoder
from classifier.vectors import CHUNK, SAMPLE, Encoder, Floats, content_key, one_thread, unit_rows

SENTENCES_UP_TO: Final = 20_000
"""Spans up to which the sentence model compares: about 200 a second and processor; beyond, static vectors."""

WORDS: Final = "words"

WORDS_SHARE: Final = 0.3
"""Part of words in the likeness of two spans, the rest being meaning. Chosen on two invented companies,
where it made no difference, and two public sets of intents, 1,500 texts each: B-cubed F1 by words alone
.40 and .50, by half .51 and .57, by .3 .55 and .60, by meaning alone .56 and .60. With static vectors, 8,000
texts of each of two such sets: words alone .49 and .57, .4 .57 and .64, .3 .59 and .66, none .58 and .60."""

DIMENSIONS: Final = 128
"""Length of the vectors of a large corpus. B-cubed F1 on the same 8,000 texts, words counting .4: all 512 .57
and .64, 256 .57 and .63, 192 .57 and .62, 128 .57 and .62."""


@dataclass(frozen=True)
class Comparison:
    """What texts are compared by."""

    encoder: Encoder
    meaning: SentenceEncoder | None  # for links, too
    name: str


@dataclass(frozen=True)
class ReducedEncoder:
    """Another encoder's rows on the main directions of a corpus."""

    encoder: Encoder
    directions: Floats  # (dimensions of the encoder, fewer)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; zeros for a text that says nothing."""
        unique, inverse = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
        rows = np.zeros((len(unique), self.directions.shape[1]), dtype=np.float32)
        for start in range(0, len(unique), CHUNK):
            part = slice(start, start + CHUNK)
            with one_thread():
                rows[part] = unit_rows(self.encoder.encode(list(unique[part])) @ self.directions)
        return rows[inverse.ravel()]


def fit_reduced(encoder: Encoder, texts: Sequence[str]) -> ReducedEncoder:
    """Keep the main directions of an encoder's rows.

    Parameters
    ----------
    texts
        All texts that will be compared, in any order; a sample of them, chosen by content, is looked at.
    """
    sample = sorted({text for text in texts if text}, key=content_key)[:SAMPLE]
    with one_thread():
        rows = encoder.encode(sample).astype(np.float64)
        directions = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :DIMENSIONS]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    return ReducedEncoder(encoder, np.ascontiguousarray(directions * signs, dtype=np.float32))


def choose(
    texts: Sequence[str],
    spans: int,
    *,
    wanted: str,
    words: Encoder,
    sentences: Callable[[], SentenceEncoder] | None,
) -> Comparison:
    """Choose what the spans of a corpus are compared by.

    Parameters
    ----------
    texts
        All texts that will be compared, in any order.
    spans
        How many of them are spans with a label.
    wanted
        `sentences`, `static`, `words`, or `auto`: by the number of spans.
    words
        TF-IDF fitted on `texts`.
    sentences
        Loads the sentence model; without it, words decide alone.

    Raises
    ------
    ModelError
        If a model that is needed is missing or damaged.
    """
    if wanted == "auto":
        wanted = "sentences" if spans <= SENTENCES_UP_TO else "static"
    if sentences is None or spans == 0 or wanted == WORDS:
        return Comparison(words, None, WORDS)
    shares = (WORDS_SHARE, 1 - WORDS_SHARE)
    if wanted == "static":
        vectors = static.load()
        joined = JoinedEncoder((words, static.fit_static(texts, vectors)), shares)
        return Comparison(fit_reduced(joined, texts), None, f"{WORDS};{vectors.model_id}")
    meaning = sentences()
    both = JoinedEncoder((words, meaning), shares)
    encoder = both if spans <= SENTENCES_UP_TO else fit_reduced(both, texts)
    return Comparison(encoder, meaning, f"{WORDS};{meaning.model_id}")
