"""Texts -> vectors of their meaning, by the general sentence model that ships with the program.

In: texts, in any order. Out: unit rows, alone or beside those of another encoder. Never reads a model
from the network; a text's row depends on no other text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from classifier.transformer import Tokens, Transformer
from classifier.vectors import Encoder, Floats, unit_rows

LONGEST: Final = 128
"""Tokens that are read of a text; the model was trained on texts of up to 128."""


@dataclass(frozen=True)
class SentenceEncoder:
    """The mean of a transformer's rows over a text, as all-MiniLM-L6-v2 was trained for."""

    transformer: Transformer

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; zeros for a text without tokens of its own."""
        unique, inverse = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
        rows = self.transformer.each(list(unique), _mean, longest=LONGEST)
        found = np.array(rows, dtype=np.float32).reshape(len(unique), self.transformer.outputs)
        return unit_rows(found)[inverse.ravel()]


def _mean(tokens: Tokens) -> Floats:
    says_something = bool((tokens.end > tokens.start).any())
    mean: Floats = tokens.output.mean(axis=0) if says_something else np.zeros_like(tokens.output[0])
    return mean


@dataclass(frozen=True)
class JoinedEncoder:
    """Several encoders side by side: the cosine of two texts is the weighted mean of theirs."""

    encoders: tuple[Encoder, ...]
    weights: tuple[float, ...]  # sum 1

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length where each encoder finds something to say."""
        parts = zip(self.encoders, self.weights, strict=True)
        return np.hstack([weight**0.5 * encoder.encode(texts) for encoder, weight in parts])
