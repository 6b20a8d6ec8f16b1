"""Function words counted by compiled code: whole columns of text.

In: a column of texts. Out: for each the language that its function words tell without doubt. Never differs
from `detect_one` where it says something; says nothing where letters of other scripts or a doubt remain.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, at, code_point, compiled
from classifier.chars import SPACE, TABLE_SIZE, flags, tables
from classifier.language.words import ALONE, ENOUGH

DOUBTFUL: Final = -1

_UNKNOWN, _KNOWN, _DECIDED = 0, 1, 2

Kinds = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.int32]

_OFFSET: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1
_SLOTS: Final = 4_096
"""A power of two: the keys of four thousand words fit into the nearest caches, and a quarter is taken."""

_SPACE: Final = 0
_NOT_ASCII: Final = 255
_TYPOGRAPHIC: Final = 0x2019
_PLAIN: Final = ord("'")
_OTHER_APOSTROPHES: Final = (0x2BC, 0xFF07)
"""`chars` folds them too, but function words are told without them."""

_BEYOND: Final = ((0x370, 0x1FFF), (0x3040, 0xD7AF), (0xFF66, 0xFF9F))
"""What `_BEYOND_LATIN` of the package matches."""


_FOLDED: Final = np.array(
    [_SPACE if flags(chr(code)) & SPACE else ord(chr(code).lower()) for code in range(128)]
    + [_NOT_ASCII] * 128,
    np.uint8,
)
"""What a byte folds to where it is a character of its own."""


@lru_cache(maxsize=1)
def _kinds() -> tuple[Kinds, Codes]:
    return tables()


def _hash(word: str) -> int:
    value = _OFFSET
    for char in word:
        value = ((value ^ ord(char)) * _PRIME) & _MASK
    return value


class Words:
    """The words of languages, laid out for compiled code.

    `keys` and `slots`: hash -> row of `spans`, which says where in `owners` the languages of a word are.
    """

    def __init__(self, words: Mapping[str, Sequence[tuple[str, float]]], codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        self.keys = np.zeros(_SLOTS, dtype=np.uint64)
        self.spans = np.zeros((_SLOTS, 2), dtype=np.int32)
        owners: list[int] = []
        for word, languages in words.items():
            key = _hash(word)
            slot = key % _SLOTS
            while self.spans[slot, 1]:
                slot = (slot + 1) % _SLOTS
            self.keys[slot] = key
            self.spans[slot] = len(owners), len(languages)
            owners += [self.codes.index(code) for code, _ in languages]
        self.owners = np.array(owners, dtype=np.int64)


@compiled(forceinline=True)
def _add(
    value: np.uint64,
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int64],
    hits: npt.NDArray[np.float64],
) -> int:
    """Count a token, given its hash, for its languages: UNKNOWN, KNOWN, or DECIDED by now.

    The last of `hits` counts the tokens that any language has.
    """
    slot = value & np.uint64(_SLOTS - 1)
    while keys[at(slot)]:
        if keys[at(slot)] == value:
            first, many = spans[at(slot), 0], spans[at(slot), 1]
            share = 1.0 / many
            most = 0.0
            for place in range(first, first + many):
                owner = at(owners[at(place)])
                hits[owner] += share
                most = max(most, hits[owner])
            hits[-1] += 1.0
            return _DECIDED if most >= ENOUGH and most >= ALONE * hits[-1] else _KNOWN
        slot = (slot + np.uint64(1)) & np.uint64(_SLOTS - 1)
    return _UNKNOWN


@compiled(forceinline=True)
def _count(
    token: Codes | Bytes,
    begin: int,
    stop: int,
    value: np.uint64,
    edges: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int64],
    hits: npt.NDArray[np.float64],
) -> bool:
    """Count the token begin:stop, or, where no language has it, what is left without signs at its edges.

    Parameters
    ----------
    token
        Folded characters, or bytes of ASCII as they were written.
    value
        The hash of the folded token.

    Returns
    -------
    Whether the language is decided by now.
    """
    if begin == stop:
        return False
    counted = _add(value, keys, spans, owners, hits)
    if counted != _UNKNOWN:
        return bool(counted == _DECIDED)
    left, right = begin, stop
    while left < right and token[at(left)] < len(edges) and edges[at(token[at(left)])]:
        left += 1
    while right > left and token[at(right - 1)] < len(edges) and edges[at(token[at(right - 1)])]:
        right -= 1
    if left == right or right - left == stop - begin:
        return False
    value = np.uint64(_OFFSET)
    for place in range(left, right):
        code = token[at(place)]
        folded = _FOLDED[at(code)] if code < 0x80 else code
        value = (value ^ np.uint64(folded)) * np.uint64(_PRIME)
    return bool(_add(value, keys, spans, owners, hits) == _DECIDED)


@compiled(forceinline=True)
def _is_beyond_latin(code: int) -> bool:
    if code >= _BEYOND[0][0]:
        for low, high in _BEYOND:
            if low <= code <= high:
                return True
    return False


@compiled(forceinline=True)
def _folded(code: int, folds: Codes, token: Codes, length: int) -> int:
    """Write what a character beyond ASCII folds to behind a token; return the token's new length."""
    if code == _TYPOGRAPHIC:
        token[length] = _PLAIN
        return length + 1
    if code >= TABLE_SIZE or code in _OTHER_APOSTROPHES:
        token[length] = code
        return length + 1
    for step in range(3):
        if folds[code, step]:
            token[length] = folds[code, step]
            length += 1
    return length


@compiled(forceinline=True)
def _plain(data: Bytes, place: int, end: int) -> tuple[int, int, np.uint64]:
    """Read a word of ASCII: return where it ends, what the byte there folds to, and its hash."""
    value, folded = np.uint64(_OFFSET), np.uint8(_SPACE)
    while place < end:
        folded = _FOLDED[at(data[at(place)])]
        if folded in (_SPACE, _NOT_ASCII):
            return place, int(folded), value
        value = (value ^ np.uint64(folded)) * np.uint64(_PRIME)
        place += 1
    return place, _SPACE, value


@compiled(forceinline=True)
def _other(
    data: Bytes, place: int, stop: int, most: int, kinds: Kinds, folds: Codes, token: Codes, length: int
) -> tuple[int, int, int]:
    """Read on in a word with characters beyond ASCII, of which `length` are in `token` already.

    Returns
    -------
    Where what follows the space behind it begins, how many of `most` code points were read, and the word's
    length: -1 where a letter beyond Latin comes first.
    """
    count = 0
    while place < stop and count < most:
        code, size = np.int64(data[at(place)]), 1
        if code >= 0x80:
            code, size = code_point(data, place)
        if _is_beyond_latin(code):
            return place, count, -1
        place, count = place + size, count + 1
        if code < TABLE_SIZE and kinds[at(code)] & SPACE:
            break
        length = _folded(code, folds, token, length)
    return place, count, length


@compiled(forceinline=True)
def _hits(
    data: Bytes,
    begin: int,
    stop: int,
    longest: int,
    kinds: Kinds,
    folds: Codes,
    edges: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int64],
    token: Codes,
    hits: npt.NDArray[np.float64],
) -> bool:
    """Count the words of the first `longest` code points, or until they decide.

    Returns
    -------
    False where letters beyond Latin come first.
    """
    place, count = begin, 0
    while place < stop and count < longest:
        # Most words are ASCII and are counted where they lie, without a copy.
        first = place
        place, folded, value = _plain(data, place, min(stop, place + longest - count))
        count += place - first
        if folded == _SPACE:
            if _count(data, first, place, value, edges, keys, spans, owners, hits):
                return True
            place, count = place + 1, count + 1
            continue
        length = place - first
        for step in range(length):
            token[at(step)] = _FOLDED[at(data[at(first + step)])]
        place, read, length = _other(data, place, stop, longest - count, kinds, folds, token, length)
        count += read
        if length < 0:
            return False
        value = np.uint64(_OFFSET)
        for step in range(length):
            value = (value ^ np.uint64(token[at(step)])) * np.uint64(_PRIME)
        if _count(token, 0, length, value, edges, keys, spans, owners, hits):
            return True
    return True


@compiled(makes_arrays=True)
def _tell(
    data: Bytes,
    offsets: Offsets,
    longest: int,
    clear: float,
    languages: int,
    kinds: Kinds,
    folds: Codes,
    edges: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> None:
    hits = np.zeros(languages + 1, dtype=np.float64)
    token = np.empty(3 * longest, dtype=np.int32)
    tables = (kinds, folds, edges, keys, spans, owners)
    for row in range(len(offsets) - 1):
        hits[:] = 0.0
        found[row] = DOUBTFUL
        if not _hits(data, offsets[row], offsets[row + 1], longest, *tables, token, hits):
            continue
        best, second = 0, 0.0
        for language in range(1, languages):
            if hits[language] > hits[best]:
                best, second = language, hits[best]
            elif hits[language] > second:
                second = hits[language]
        if hits[best] >= clear and hits[best] >= 2 * second:
            found[row] = best


def clear_languages(
    texts: Any, words: Words, *, longest: int, clear: float, edges: str
) -> npt.NDArray[np.int64]:
    """Return the language of each text, a place in `words.codes`; DOUBTFUL where more must be looked at.

    Parameters
    ----------
    texts
        A column of strings.
    words
        The function words.
    longest
        Code points of each text that count.
    clear
        So many function words must the language have, and twice as many as any other.
    edges
        Characters that are taken off a word that isn't known.
    """
    column = Column.of(texts)
    kinds, folds = _kinds()
    stripped = np.zeros(max(map(ord, edges)) + 1, dtype=np.bool_)
    stripped[list(map(ord, edges))] = True
    found = np.empty(len(column), dtype=np.int64)
    tables = (kinds, folds, stripped, words.keys, words.spans, words.owners)
    _tell(column.data, column.offsets, longest, clear, len(words.codes), *tables, found)
    return found
