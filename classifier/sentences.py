"""Texts -> vectors of their meaning, by the sentence model that ships with the program.

In: texts, in any order. Out: unit rows, alone or beside those of another encoder. Never reads a model
from the network; a text's row depends on no other text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from classifier.shipped import checked_files, folder_of
from classifier.transformer import MODEL, Tokens, Transformer
from classifier.vectors import Encoder, Floats, unit_rows

LONGEST: Final = 128
"""Tokens that are read of a text; the model was trained on texts of up to 128."""


NAME: Final = "encoder"
VERSION: Final = "2"


@dataclass(frozen=True)
class SentenceEncoder:
    """The mean of a transformer's rows over a text, as all-MiniLM-L6-v2 was trained for.

    The one that ships was trained further: what customers say is like the promise or the capability that
    they speak of (`scripts/train_encoder.py`).

    Keeps the rows that it made: stages that follow each other compare the same texts.
    """

    model_id: str
    transformer: Transformer
    known: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; zeros for a text without tokens of its own."""
        new = sorted(set(texts) - self.known.keys())
        made = self.transformer.each(new, _mean, longest=LONGEST)
        self.known.update(zip(new, made, strict=True))
        rows = np.array([self.known[text] for text in texts], dtype=np.float32)
        return unit_rows(rows.reshape(len(texts), self.transformer.outputs))


def load(folder: Path | None = None) -> SentenceEncoder:
    """Load the sentence model of this program, or the one in `folder`.

    Raises
    ------
    ModelError
        If a file is missing, or not the one that model.json names.
    """
    folder = folder or folder_of(NAME, VERSION)
    files = checked_files(folder, MODEL)
    return SentenceEncoder(f"{NAME}-{VERSION}-{files[MODEL][:10]}", Transformer.load(folder))


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
