"""Texts -> vectors of their meaning without running a transformer: means of what it says of each token alone.

In: texts of a whole corpus, in any order. Out: unit rows, at a small part of the cost of `sentences`.
Never reads a model from the network, and never lets the order of the texts change a bit of the result.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.shipped import checked_files, folder_of
from classifier.transformer import TOKENIZER, load_tokenizer
from classifier.vectors import CHUNK, SAMPLE, Floats, content_key, one_thread, unit_rows

NAME: Final = "static"
VERSION: Final = "1"
WEIGHTS: Final = "tokens.safetensors"

COMMON: Final = 0.01
"""A token that is this part of a corpus weighs half of what a rare one does (Arora et al. 2017).

Chosen on two public sets of intents, 8,000 texts each: B-cubed F1 .54 and .59 with .003, .58 and .60 with
.01, .57 and .60 with .03, .55 and .59 with logarithms of document frequencies."""

_KNOWN_WORDS: Final = 200_000
"""Words whose tokens are kept, some 50 MB: the rest of a large corpus is rare ones."""


@dataclass(frozen=True)
class TokenVectors:
    """One vector per token of a tokenizer, no token of which goes beyond a space."""

    model_id: str
    tokenizer: Any  # tokenizers.Tokenizer
    rows: Floats  # (tokens, dimensions)
    known: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def counted(self, texts: Sequence[str]) -> Any:
        """Return which tokens each text holds, as CSR of ones, columns in order."""
        said = [text.split(" ") for text in texts]
        numbers: dict[str, int] = {}
        for word in chain.from_iterable(said):
            numbers.setdefault(word, len(numbers))
        words = _ones([[numbers[word] for word in one] for one in said], len(numbers))
        found = words @ _ones(self._tokens(numbers), len(self.rows))
        found.sort_indices()
        found.data[:] = 1
        return found

    def _tokens(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Return the tokens of what stands between spaces: each word is read once, not wherever it's said."""
        new = [word for word in words if word not in self.known]
        plain = [word.encode("utf-8", "replace").decode() for word in new]
        encoded = self.tokenizer.encode_batch_fast(plain, add_special_tokens=False)
        fresh = {word: tuple(one.ids) for word, one in zip(new, encoded, strict=True)}
        tokens = [self.known[word] if word in self.known else fresh[word] for word in words]
        if len(self.known) + len(fresh) <= _KNOWN_WORDS:
            self.known.update(fresh)
        return tokens


def _ones(columns: Sequence[Sequence[int]], width: int) -> Any:
    """Return CSR of ones from each row's columns."""
    from scipy.sparse import csr_matrix

    starts = np.concatenate([[0], np.cumsum([len(one) for one in columns], dtype=np.int64)])
    flat = np.fromiter(chain.from_iterable(columns), dtype=np.int32, count=starts[-1])
    return csr_matrix((np.ones(len(flat), dtype=np.float32), flat, starts), shape=(len(columns), width))


@dataclass(frozen=True)
class StaticEncoder:
    """The mean of a text's token vectors, rare tokens first, less what all texts of the corpus share."""

    vectors: TokenVectors
    weighted: Floats  # (tokens, dimensions)
    shared: Floats  # (dimensions,)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; zeros for a text without a token."""
        rows = np.zeros((len(texts), self.weighted.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            part = slice(start, start + CHUNK)
            rows[part] = _means(self.vectors.counted(texts[part]), self.weighted)
        rows[rows.any(axis=1)] -= self.shared
        return unit_rows(rows)


def fit_static(texts: Iterable[str], vectors: TokenVectors) -> StaticEncoder:
    """Learn which tokens of a corpus tell its texts apart, and what all of them say.

    Parameters
    ----------
    texts
        All texts that will be compared, in any order; repeated ones count once.
    """
    sample = sorted({text for text in texts if text}, key=content_key)[:SAMPLE]
    held = vectors.counted(sample)
    seen = np.asarray(held.sum(axis=0), dtype=np.float64).ravel()
    weights = COMMON / (COMMON + seen / max(seen.sum(), 1.0))
    weighted = (vectors.rows * weights[:, None]).astype(np.float32)
    with one_thread():
        rows = _means(held, weighted).astype(np.float64)
        shared = rows.mean(axis=0) if sample else np.zeros(rows.shape[1])
    return StaticEncoder(vectors, weighted, shared.astype(np.float32))


def _means(held: Any, weighted: Floats) -> Floats:
    return unit_rows(np.asarray(held @ weighted, dtype=np.float32))


@lru_cache(maxsize=1)
def load(folder: Path | None = None) -> TokenVectors:
    """Load the token vectors of this program, or those in `folder`.

    Raises
    ------
    ModelError
        If a file is missing, or not the one that model.json names.
    """
    from safetensors.numpy import load_file

    folder = folder or folder_of(NAME, VERSION)
    files = checked_files(folder, WEIGHTS)
    stored: dict[str, npt.NDArray[Any]] = load_file(folder / WEIGHTS)
    rows = stored["tokens"].astype(np.float32) * stored["scales"].astype(np.float32)[:, None]
    return TokenVectors(f"{NAME}-{VERSION}-{files[WEIGHTS][:10]}", load_tokenizer(folder / TOKENIZER), rows)
