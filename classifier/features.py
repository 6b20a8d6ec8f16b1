"""Hashed n-grams: the one definition of tokens, n-grams and hash.

In: a unit of text. Out: bucket numbers, one for each n-gram that occurs. Never learns anything.
This is the readable reference; `kernel` compiles the same rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from classifier.chars import APOSTROPHE, DIGIT, LETTER, SYMBOL, flags, fold

MASK: Final = 0xFFFFFFFF
FNV_OFFSET: Final = 2166136261
FNV_PRIME: Final = 16777619
JOIN: Final = 0x9E3779B1
"""Multiplier that makes the hash of a word pair depend on the order of the words."""

WORD_SALT: Final = 0x1B873593
CHAR_SALT: Final = 0x85EBCA6B
PAIR_SALT: Final = 0xC2B2AE35
TRIPLE_SALT: Final = 0x27D4EB2F

MAX_TOKEN: Final = 40
"""Folded code points of a token that count; what is longer is no word (keys, base64, URLs)."""

OPEN: Final = ord("<")
CLOSE: Final = ord(">")

_flags = lru_cache(maxsize=4096)(flags)
_fold = lru_cache(maxsize=4096)(fold)


@dataclass(frozen=True)
class FeatureSettings:
    """Which n-grams are taken, how many buckets they fall into (2 ** bits), and how their weights are scaled.

    A sum of weights is divided by the root of how many n-grams there are: `per_known` counts those that the
    model knows alone, so that a text in words of another trade isn't taken for a weak one. Models of format 1
    count all. A text of whose n-grams the model knows a smaller share than `least_share` has no label: 0 for
    models of few texts, which know little of any.
    """

    bits: int = 20
    words: int = 2
    char_min: int = 3
    char_max: int = 5
    per_known: bool = False
    least_share: float = 0.0

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return 1 << self.bits


@dataclass(frozen=True)
class Ngram:
    """One occurrence: its bucket, and the tokens or (between dots) the characters it stands for."""

    bucket: int
    text: str


def tokens(unit: str) -> list[str]:
    """Return the folded tokens of `unit`.

    A token is a run of letters and digits (an apostrophe between letters belongs to it), or a single
    character that means something alone: ? ! % # @ a currency sign, an emoji.
    """
    kinds = [_flags(char) for char in unit]
    found: list[str] = []
    place = 0
    while place < len(unit):
        if kinds[place] & (LETTER | DIGIT):
            end = _token_end(kinds, place)
            found.append("".join(map(_fold, unit[place:end]))[:MAX_TOKEN])
            place = end
            continue
        if kinds[place] & SYMBOL:
            found.append(_fold(unit[place]))
        place += 1
    return found


def _token_end(kinds: list[int], place: int) -> int:
    while place < len(kinds):
        inner = (
            kinds[place] & APOSTROPHE
            and place + 1 < len(kinds)
            and kinds[place - 1] & LETTER
            and kinds[place + 1] & LETTER
        )
        if not (kinds[place] & (LETTER | DIGIT) or inner):
            break
        place += 1
    return place


def hash_chars(codes: list[int]) -> int:
    """Return the 32-bit FNV-1a hash of the code points (Fowler, Noll, Vo), taken whole."""
    value = FNV_OFFSET
    for code in codes:
        value = ((value ^ code) * FNV_PRIME) & MASK
    return value


def spread(value: int) -> int:
    """Return the finalizer of MurmurHash3 (Appleby): every input bit reaches every output bit."""
    value ^= value >> 16
    value = (value * 0x85EBCA6B) & MASK
    value ^= value >> 13
    value = (value * 0xC2B2AE35) & MASK
    return value ^ (value >> 16)


def ngrams(unit: str, settings: FeatureSettings) -> Iterator[Ngram]:
    """Yield every n-gram of `unit`, in order of its last token; one that recurs comes again.

    Word n-grams up to `settings.words` tokens, and character n-grams of each token of at least
    three characters, with marks for its beginning and end.
    """
    mask = settings.buckets - 1
    before: list[tuple[int, str]] = []
    for token in tokens(unit):
        value = hash_chars([ord(char) for char in token])
        yield Ngram(spread(value ^ WORD_SALT) & mask, token)
        if settings.words >= 2 and before:
            pair = (before[-1][0] * JOIN + value) & MASK
            yield Ngram(spread(pair ^ PAIR_SALT) & mask, f"{before[-1][1]} {token}")
        if settings.words >= 3 and len(before) >= 2:
            pair = (before[-2][0] * JOIN + before[-1][0]) & MASK
            triple = (pair * JOIN + value) & MASK
            yield Ngram(spread(triple ^ TRIPLE_SALT) & mask, f"{before[-2][1]} {before[-1][1]} {token}")
        yield from _char_ngrams(token, settings, mask)
        before = [*before[-1:], (value, token)]


def distinct(unit: str, settings: FeatureSettings) -> list[Ngram]:
    """Return the n-grams of `unit`, one of each bucket (the first), in the order of their buckets.

    What is said over and over in a sentence is said once: a row of smileys weighs as much as one.
    """
    found: dict[int, Ngram] = {}
    for ngram in ngrams(unit, settings):
        found.setdefault(ngram.bucket, ngram)
    return sorted(found.values(), key=lambda ngram: ngram.bucket)


def _char_ngrams(token: str, settings: FeatureSettings, mask: int) -> Iterator[Ngram]:
    if len(token) < 3 or settings.char_max == 0:
        return
    codes = [OPEN, *map(ord, token), CLOSE]
    for size in range(settings.char_min, settings.char_max + 1):
        for start in range(len(codes) - size + 1):
            piece = codes[start : start + size]
            value = hash_chars(piece)
            yield Ngram(spread(value ^ CHAR_SALT) & mask, f"·{''.join(map(chr, piece))}·")
