"""Function words counted by compiled code: whole columns of text.

In: a column of texts. Out: for each the language that its function words tell without doubt. Never differs
from `detect_one` where it says something; says nothing where letters of other scripts or a doubt remain.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, code_point, compiled
from classifier.chars import SPACE, TABLE_SIZE, flags, tables
from classifier.language.words import ALONE, ENOUGH

DOUBTFUL: Final = -1

_UNKNOWN, _KNOWN, _DECIDED = 0, 1, 2

Kinds = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.int32]

_OFFSET: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1
_SLOTS: Final = 8_192
_TYPOGRAPHIC: Final = 0x2019
_PLAIN: Final = ord("'")
_OTHER_APOSTROPHES: Final = (0x2BC, 0xFF07)
"""`chars` folds them too, but function words are told without them."""

_BEYOND: Final = ((0x370, 0x1FFF), (0x3040, 0xD7AF), (0xFF66, 0xFF9F))
"""What `_BEYOND_LATIN` of the package matches."""


_ASCII: Final = np.array(
    [0 if flags(chr(code)) & SPACE else ord(chr(code).lower()) for code in range(128)], np.int32
)
"""What a character below 0x80 folds to, 0 for space."""


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
        self.spans = np.zeros((_SLOTS, 2), dtype=np.int64)
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
    spans: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    hits: npt.NDArray[np.float64],
) -> int:
    """Count a token, given its hash, for its languages: UNKNOWN, KNOWN, or DECIDED by now.

    The last of `hits` counts the tokens that any language has.
    """
    slot = value % np.uint64(_SLOTS)
    while keys[slot]:
        if keys[slot] == value:
            share = 1.0 / spans[slot, 1]
            most = 0.0
            for place in range(spans[slot, 0], spans[slot, 0] + spans[slot, 1]):
                hits[owners[place]] += share
                most = max(most, hits[owners[place]])
            hits[-1] += 1.0
            return _DECIDED if most >= ENOUGH and most >= ALONE * hits[-1] else _KNOWN
        slot = (slot + np.uint64(1)) % np.uint64(_SLOTS)
    return _UNKNOWN


@compiled(forceinline=True)
def _count(
    token: Codes,
    length: int,
    value: np.uint64,
    edges: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    hits: npt.NDArray[np.float64],
) -> bool:
    """Count a token, or, where no language has it, what is left of it without signs at its edges.

    Returns
    -------
    Whether the language is decided by now.
    """
    if length == 0:
        return False
    counted = _add(value, keys, spans, owners, hits)
    if counted != _UNKNOWN:
        return bool(counted == _DECIDED)
    begin, stop = 0, length
    while begin < stop and token[begin] < len(edges) and edges[token[begin]]:
        begin += 1
    while stop > begin and token[stop - 1] < len(edges) and edges[token[stop - 1]]:
        stop -= 1
    if begin < stop < length or 0 < begin < stop:
        value = np.uint64(_OFFSET)
        for place in range(begin, stop):
            value = np.uint64((value ^ np.uint64(token[place])) * np.uint64(_PRIME))
        return bool(_add(value, keys, spans, owners, hits) == _DECIDED)
    return False


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
def _hits(
    data: Bytes,
    begin: int,
    stop: int,
    longest: int,
    kinds: Kinds,
    folds: Codes,
    edges: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    spans: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    token: Codes,
    hits: npt.NDArray[np.float64],
) -> bool:
    """Count the words of the first `longest` code points, or until they decide.

    Returns
    -------
    False where letters beyond Latin come first.
    """
    place, count, length = begin, 0, 0
    value = np.uint64(_OFFSET)
    while place < stop and count < longest:
        if data[place] < 0x80:
            # Most characters are such, and need nothing but one look at a small table.
            folded = _ASCII[data[place]]
            place += 1
            count += 1
            if folded:
                token[length] = folded
                length += 1
                value = np.uint64((value ^ np.uint64(folded)) * np.uint64(_PRIME))
            else:
                if _count(token, length, value, edges, keys, spans, owners, hits):
                    return True
                length, value = 0, np.uint64(_OFFSET)
            continue
        code, size = code_point(data, place)
        place += size
        count += 1
        if _is_beyond_latin(code):
            return False
        if code < TABLE_SIZE and kinds[code] & SPACE:
            if _count(token, length, value, edges, keys, spans, owners, hits):
                return True
            length, value = 0, np.uint64(_OFFSET)
            continue
        before, length = length, _folded(code, folds, token, length)
        for written in range(before, length):
            value = np.uint64((value ^ np.uint64(token[written])) * np.uint64(_PRIME))
    _count(token, length, value, edges, keys, spans, owners, hits)
    return True


@compiled()
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
    spans: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> None:
    hits = np.zeros(languages + 1, dtype=np.float64)
    token = np.empty(3 * longest, dtype=np.int32)
    for row in range(len(offsets) - 1):
        hits[:] = 0.0
        found[row] = DOUBTFUL
        tables = (kinds, folds, edges, keys, spans, owners)
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
