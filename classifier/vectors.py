"""Texts -> vectors whose dot product says how alike the texts are.

In: texts of a whole corpus, in any order. Out: float32 rows of unit length. Never reads a model from
the network, and never lets the order of the texts change a bit of the result.
"""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from runpy import run_path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DIMENSIONS: Final = 256
EXACT_UP_TO: Final = 1_000
"""Up to so many different texts nothing is lost: as many dimensions as texts."""

SAMPLE: Final = 20_000
CHUNK: Final = 20_000
DIMENSIONS_OF_MANY: Final = 128
MANY: Final = 50_000
"""Beyond so many different texts, shorter vectors: memory counts, and themes are coarser anyway."""

UBIQUITOUS: Final = 0.08
"""In a corpus of more than 1,000 texts, a word in this part of them (the product's name) tells none apart."""

CHARACTERS_UP_TO: Final = 10_000
"""Beyond so many different texts, words alone say enough and parts of words cost too much."""

_PLACEHOLDER: Final = re.compile(r"\[[A-Z]+(?:_\d+)?\]")
_HYPHENED: Final = re.compile(r"(?<![^\W_])([^\W\d_]{1,6})-([^\W\d_]{1,6})(?![^\W_])")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONGEST_JOINED: Final = 7


class Encoder(Protocol):
    """Whatever turns texts into vectors: TF-IDF now, a sentence model as well."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; a text that says nothing is a row of zeros."""
        ...


@contextmanager
def one_thread() -> Iterator[None]:
    """Pin BLAS to one thread: the order of its sums, and with it the last bits, depends on their number."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


_TINY: Final = 1e-15


def unit_rows(rows: npt.NDArray[Any]) -> Floats:
    """Scale each row to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    tiny = lengths[:, 0] < _TINY
    if tiny.any() and rows.dtype == np.float32:
        # Squares of numbers this small are lost in float32.
        unit = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        unit[tiny] = unit_rows(rows[tiny].astype(np.float64))
        return unit  # type: ignore[no-any-return]
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0).astype(np.float32, copy=False)  # type: ignore[no-any-return]


def content_key(*parts: str) -> str:
    """Return a hash of the parts: the canonical order of texts before any whole-corpus step."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without accents, placeholders and underscores.

    Short hyphened pairs count as one word, so that e-mail and email, log-in and login meet.

    Examples
    --------
    >>> words("E-mailed [EMAIL] about Smart-Routes' résumé")
    ['emailed', 'about', 'smart', 'routes', 'resume']
    """
    plain = _PLACEHOLDER.sub(" ", text)
    if "-" in plain:
        plain = _HYPHENED.sub(_joined, plain)
    return _WORD.findall(fold(plain.replace("_", " ")))


def _joined(match: re.Match[str]) -> str:
    first, second = match.groups()
    return first + second if len(first) + len(second) <= _LONGEST_JOINED else match[0]


def fold(text: str) -> str:
    """Return the text in lower case and without accents."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    parts = unicodedata.normalize("NFKD", lowered.replace("’", "'"))
    return "".join(char for char in parts if not unicodedata.combining(char))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Return the word without its English endings: invoice, invoices, invoiced and invoicing are one.

    Examples
    --------
    >>> [stem(word) for word in ("invoices", "invoicing", "dropped", "addresses", "companies", "bus")]
    ['invoic', 'invoic', 'drop', 'address', 'company', 'bus']
    """
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith("sses"):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and re.search("[aeiouy]", base):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def stems(text: str) -> list[str]:
    """Return the stems of the words of a text, in order."""
    return [stem(word) for word in words(text)]


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Return spaCy's stop words of five languages, spelt as `words` spells."""
    # "bill", "call" and "move" are on spaCy's English list, and subjects of feedback.
    subjects = {"bill", "call", "move", "show", "cry", "fire", "empty", "full", "front", "system", "computer"}
    listed = {word for language in ("en", "de", "es", "fr", "nl") for word in _spacy_stop_words(language)}
    plain = {fold(word) for word in (*listed, *_TALK.split())}
    return frozenset(plain - subjects)


def _spacy_stop_words(language: str) -> frozenset[str]:
    """Run spaCy's file of the words alone: to import its French takes seconds, for a tokenizer."""
    package = find_spec("spacy")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("spaCy is not installed; install this program anew", name="spacy")
    names = run_path(str(Path(package.origin).parent / "lang" / language / "stop_words.py"))
    return frozenset(names["STOP_WORDS"])


_TALK: Final = """
    please thanks thank hi hello dear regards sincerely cheers ta yes no ok okay got get gets getting
    i'm i've i'd i'll we're we've we'd we'll you're you've it's that's there's don't doesn't didn't can't
    couldn't won't wouldn't isn't aren't wasn't weren't haven't hasn't hadn't let let's like want wants
    wanted say says said tell told ask asked
"""


@lru_cache(maxsize=1)
def generic_stems() -> frozenset[str]:
    """Return the stems of words that complaints about anything share: alone they name no subject."""
    return frozenset(stem(word) for word in _GENERIC.split())


_GENERIC: Final = """
    work working works worked problem problems issue issues error errors trouble fail fails failed
    failing failure happen happens happened happening help fix fixed solve solved solution resolve
    resolved try tries tried trying use uses used using need needs needed make makes made know knows see
    sees saw look looks looking find found give gives keep keeps seem seems appear appears start starts
    started starting stop stops stopped change changes changed show shows thing things stuff something
    anything everything nothing someone anyone way ways time times day days week weeks month months year
    years today yesterday ago lot lots bit new old good bad great fine ok nice best better worse able
    unable possible impossible sure think thought question questions answer answers reason idea come
    comes came go goes going went gone take takes took put run runs running site sites website websites
    app apps application applications product latest recent recently updated says open opens opened
    opening close click clicks clicked clicking press set guy guys fact case point place part first
    second last next right wrong different same left still already always never often constantly
    suddenly immediately properly correctly completely actually basically simply literally currently
    allow allows support please wish hope
"""


@dataclass(frozen=True)
class TfidfEncoder:
    """Weighted words, pairs of words and parts of words, projected on the corpus's main directions."""

    blocks: tuple["_Block", ...]
    directions: Floats  # (features of all blocks, dimensions)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row per text, of unit length; zeros for a text without a known word."""
        unique, inverse = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
        rows = np.zeros((len(unique), self.directions.shape[1]), dtype=np.float32)
        for start in range(0, len(unique) if self.blocks else 0, CHUNK):
            part = slice(start, start + CHUNK)
            rows[part] = _features(self.blocks, list(unique[part])) @ self.directions
        return unit_rows(rows)[inverse.ravel()]


def fit_tfidf(texts: Iterable[str], *, dimensions: int = 0) -> TfidfEncoder:
    """Learn which words of a corpus tell its texts apart.

    Parameters
    ----------
    texts
        All texts that will be compared, in any order; repeated ones count once.
    dimensions
        Length of the vectors where there are more than 1,000 different texts; 0: 256, or 128 where there
        are more than 50,000.

    Returns
    -------
    An encoder; without any text, one whose vectors have no columns.
    """
    unique = sorted({text for text in texts if text}, key=content_key)
    sample = unique[:SAMPLE]
    dimensions = dimensions or (DIMENSIONS if len(unique) <= MANY else DIMENSIONS_OF_MANY)
    if not sample:
        return TfidfEncoder((), np.zeros((0, 0), dtype=np.float32))
    small = len(unique) <= EXACT_UP_TO
    kinds: list[Callable[[str], list[str]]] = [word_features if small else subject_features]
    if len(unique) <= CHARACTERS_UP_TO:
        kinds.append(character_features)
    fitted = (_fit_block(kind, sample) for kind in kinds)
    # A large corpus in which no word comes twice has nothing to compare by.
    blocks = tuple(block for block in fitted if block.columns)
    if not blocks:
        return TfidfEncoder((), np.zeros((0, 0), dtype=np.float32))
    with one_thread():
        directions = _directions(_features(blocks, sample), dimensions)
    return TfidfEncoder(blocks, directions)


def word_features(text: str) -> list[str]:
    """Return stems without stop words, and pairs of neighbours among them."""
    kept = _kept_stems(text)
    return kept + [f"{first} {second}" for first, second in pairwise(kept)]


def subject_features(text: str) -> list[str]:
    """Return the word features that name a subject: what a large corpus is grouped by.

    In a small one every word counts; in a large one, "not working" would be a theme of its own.
    """
    kept = _kept_stems(text)
    generic = generic_stems()
    pairs = [f"{first} {second}" for first, second in pairwise(kept) if {first, second} - generic]
    return [word for word in kept if word not in generic] + pairs


def _kept_stems(text: str) -> list[str]:
    stop = stop_words()
    return [stem(word) for word in words(text) if word not in stop]


def character_features(text: str) -> list[str]:
    """Return the runs of three to five characters inside the words, ends marked."""
    return [part for word in words(text) for part in _parts(word)]


@lru_cache(maxsize=100_000)
def _parts(word: str) -> tuple[str, ...]:
    marked = f" {word} "
    return tuple(marked[i : i + size] for size in (3, 4, 5) for i in range(max(1, len(marked) - size + 1)))


@dataclass(frozen=True)
class _Block:
    kind: Callable[[str], list[str]]
    columns: dict[str, int]
    idf: npt.NDArray[np.float64]


def _fit_block(kind: Callable[[str], list[str]], sample: Sequence[str]) -> _Block:
    counts = Counter(feature for text in sample for feature in set(kind(text)))
    # Features of a single text tell nothing in a large corpus, and most features are such.
    least = 2 if len(sample) > EXACT_UP_TO else 1
    most = UBIQUITOUS * len(sample) if kind is subject_features else len(sample)
    names = sorted(name for name, count in counts.items() if least <= count <= most)
    seen = np.array([counts[name] for name in names], dtype=np.float64)
    idf = np.log((1 + len(sample)) / (1 + seen)) + 1
    return _Block(kind, {name: column for column, name in enumerate(names)}, idf)


def _features(blocks: Sequence[_Block], texts: Sequence[str]) -> Any:
    """Return the blocks side by side as CSR, each row of each block of unit length."""
    from scipy.sparse import hstack

    return hstack([_block_rows(block, texts) for block in blocks], format="csr")


def _block_rows(block: _Block, texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    indices: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        counts = Counter(block.columns[name] for name in block.kind(text) if name in block.columns)
        for column in sorted(counts):
            indices.append(column)
            values.append(1 + math.log(counts[column]))
        starts.append(len(indices))
    shape = (len(texts), len(block.columns))
    rows = csr_matrix((np.array(values), np.array(indices, dtype=np.int32), starts), shape=shape)
    return normalize(rows.multiply(block.idf).tocsr())


def _directions(rows: Any, dimensions: int) -> Floats:
    """Return the main directions of the rows, their signs fixed."""
    if rows.shape[0] <= EXACT_UP_TO:
        squares, vectors = np.linalg.eigh((rows @ rows.T).toarray())
        kept = squares > 1e-6
        columns = rows.T @ (vectors[:, kept] / np.sqrt(squares[kept]))
    else:
        from sklearn.utils.extmath import randomized_svd

        count = min(dimensions, *rows.shape)
        columns = randomized_svd(rows, count, n_iter=3, random_state=0)[2].T
    largest = np.abs(columns).argmax(axis=0)
    signs = np.sign(columns[largest, np.arange(columns.shape[1])])
    return np.ascontiguousarray(columns * signs, dtype=np.float32)
