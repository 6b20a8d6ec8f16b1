"""Which texts hold a phrase that no word before it takes back: token patterns, matched by compiled code.

In: phrases as sets of words, and columns of text. Out: a mask. Cuts texts into the tokens that
`leaving.tokens_of` finds; leaves those with letters of far scripts to whoever asks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, at, code_point, compiled

HOLDS: Final = 1
UNREAD: Final = -1
"""What is said of a text, beside 0: it holds a phrase; it has characters that aren't known here."""

LETTERS: Final[frozenset[str]] = frozenset()
"""Stands for any word of letters alone."""

Phrase = Sequence[frozenset[str]]
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_SLOTS: Final = 2_048
_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
_N, _T, _BLANK = ord("n"), ord("t"), ord(" ")

# What a character is to a token, from _DIGIT on a part of a word.
_SIGN, _SPACE, _APOSTROPHE, _DIGIT, _LETTER, _FAR = range(6)
_CODES: Final = 0x3000
"""Code points that are told apart: signs and letters of Europe and the Near East."""

_DRAWN: Final = ((0xFE0E, 0xFE0F), (0x1F300, 0x1FAFF))
"""Signs beyond them: emoji, and how they are drawn."""


def _kind_of(char: str) -> int:
    """Return what a character is, as `leaving.tokens_of` takes it."""
    if char in "'\u2019":
        return _APOSTROPHE
    if len(char.lower()) > 1:
        return _FAR  # İ, which two characters stand for
    if char.isspace():
        return _SPACE
    if char.isalpha():
        return _LETTER
    return _DIGIT if char.isalnum() else _SIGN


def _lower(char: str) -> int:
    """Return the code point that stands for a character in a word."""
    return ord("'") if _kind_of(char) == _APOSTROPHE else ord(char.lower()[0])


_KINDS: Final = np.array([_kind_of(chr(code)) for code in range(_CODES)], dtype=np.uint8)
_LOWER: Final = np.array([_lower(chr(code)) for code in range(_CODES)], dtype=np.uint64)

# Words that stand for themselves in no phrase: of letters alone, and all else.
_OTHER_LETTERS, _OTHER = 0, 1


def _hash(word: str) -> int:
    value = _OFFSET
    for char in word:
        value = ((value ^ ord(char)) * _PRIME) & _MASK
    return value


@dataclass(frozen=True)
class _Tables:
    """Phrases laid out: `keys` and `numbers` tell the number of a word, from its hash.

    The phrases that begin with word w are begins[w]:begins[w + 1]; of phrase p, steps[p] are the sets that
    its words are of, -1 behind the last, and takes[w, set] says whether a word is of one. `negated`:
    phrases that hold their negation; `negates`: words that take back a phrase after them.
    """

    keys: Words
    numbers: npt.NDArray[np.int32]
    begins: Places
    steps: npt.NDArray[np.int32]
    takes: npt.NDArray[np.bool_]
    negated: npt.NDArray[np.bool_]
    negates: npt.NDArray[np.bool_]


class Phrases:
    """Phrases to look for.

    Parameters
    ----------
    phrases
        Sets of words in lower case, one for each token; and whether the phrase counts after a negation too.
        The first is never LETTERS.
    negations
        Words that take a phrase back.
    within
        So many tokens before it.
    """

    def __init__(
        self, phrases: Iterable[tuple[Phrase, bool]], negations: Iterable[str], *, within: int
    ) -> None:
        self._within = within
        self._tables = _laid_out(list(phrases), sorted(negations))

    def find(self, column: Column, rows: Places) -> npt.NDArray[np.int8]:
        """Say of each of these rows whether it holds a phrase: 0, HOLDS, or UNREAD."""
        told = np.zeros(len(rows), dtype=np.int8)
        tables = self._tables
        longest = int(np.diff(column.offsets)[rows].max()) if len(rows) else 0
        _find(
            column.data,
            column.offsets,
            rows,
            self._within,
            np.empty(longest, dtype=np.int32),
            tables.keys,
            tables.numbers,
            tables.begins,
            tables.steps,
            tables.takes,
            tables.negated,
            tables.negates,
            told,
        )
        return told


def _laid_out(phrases: list[tuple[Phrase, bool]], negations: list[str]) -> _Tables:
    by_first = [(word, *phrase) for phrase in phrases for word in sorted(phrase[0][0])]
    sets = list(dict.fromkeys(words for phrase, _ in phrases for words in phrase))
    known = sorted({*negations, *(word for words in sets for word in words)})
    numbers = {word: number for number, word in enumerate(known, _OTHER + 1)}
    by_first.sort(key=lambda one: numbers[one[0]])
    keys, slots = np.zeros(_SLOTS, dtype=np.uint64), np.zeros(_SLOTS, dtype=np.int32)
    for word, number in numbers.items():
        slot = _hash(word) % _SLOTS
        while keys[slot]:
            slot = (slot + 1) % _SLOTS
        keys[slot], slots[slot] = _hash(word), number
    size = len(known) + _OTHER + 1
    steps = np.full((len(by_first), 1 + max(len(phrase) for phrase, _ in phrases)), -1, dtype=np.int32)
    takes = np.zeros((size, len(sets)), dtype=np.bool_)
    for place, words in enumerate(sets):
        takes[[numbers[word] for word in words], place] = True
    if LETTERS in sets:
        takes[_OTHER_LETTERS, sets.index(LETTERS)] = True
        takes[[numbers[word] for word in known if word.isalpha()], sets.index(LETTERS)] = True
    for row, (_, phrase, _) in enumerate(by_first):
        steps[row, : len(phrase)] = [sets.index(words) for words in phrase]
    negates = np.zeros(size, dtype=np.bool_)
    negates[[numbers[word] for word in negations]] = True
    return _Tables(
        keys=keys,
        numbers=slots,
        begins=np.searchsorted([numbers[word] for word, _, _ in by_first], np.arange(size + 1)),
        steps=steps,
        takes=takes,
        negated=np.array([negated for _, _, negated in by_first], dtype=np.bool_),
        negates=negates,
    )


@compiled(forceinline=True)
def _code_at(data: Bytes, place: int) -> tuple[int, int]:
    """Return the code point at `place`, and how many bytes it has."""
    byte = data[at(place)]
    return (int(byte), 1) if byte < 0x80 else code_point(data, place)


@compiled(forceinline=True)
def _kind(code: int) -> int:
    """Return what a character is to a token."""
    if code < _CODES:
        return int(_KINDS[at(code)])
    for low, high in _DRAWN:
        if low <= code <= high:
            return _SIGN
    return _FAR


@compiled(forceinline=True)
def _kind_at(data: Bytes, place: int) -> tuple[int, int]:
    """Return what the character at `place` is, and how many bytes it has."""
    code, size = _code_at(data, place)
    return _kind(code), size


@compiled(forceinline=True)
def _is_wordy(data: Bytes, place: int, stop: int) -> bool:
    return place < stop and (_kind_at(data, place)[0] >= _DIGIT or data[place] == ord("_"))


@compiled(forceinline=True)
def _not_end(data: Bytes, place: int, stop: int) -> int:
    """Return where "n't" ends that stands at `place` and ends a word; 0 where none does."""
    if place + 2 >= stop or data[place] | 0x20 != _N:
        return 0
    kind, size = _kind_at(data, place + 1)
    end = place + size + 2
    if kind != _APOSTROPHE or end > stop or data[end - 1] | 0x20 != _T or _is_wordy(data, end, stop):
        return 0
    return int(end)


@compiled(forceinline=True)
def _word_end(data: Bytes, place: int, stop: int) -> int:
    """Return where the letters and digits end that stand at `place`."""
    while place < stop:
        kind, size = _kind_at(data, place)
        if kind < _DIGIT:
            break
        place += size
    return place


@compiled(forceinline=True)
def _space_end(data: Bytes, place: int, stop: int) -> int:
    """Return where the white space ends that stands at `place`."""
    while place < stop:
        kind, size = _kind_at(data, place)
        if kind != _SPACE:
            break
        place += size
    return place


@compiled(forceinline=True)
def _token_end(data: Bytes, begin: int, place: int, stop: int) -> int:
    """Return where the token ends that begins at `place`, in a text that begins at `begin`.

    A space between words is no token: then it is `place` itself.
    """
    kind, size = _kind_at(data, place)
    if kind == _SPACE:
        end = _space_end(data, place, stop)
        between = place > begin and data[place] == _BLANK and end == place + 1
        return place if between else end
    if kind >= _DIGIT:
        end = _word_end(data, place, stop)
        negated = _not_end(data, end - 1, stop)
        if negated:
            return int(end - 1 if end - 1 > place else negated)
        # "cannot" are two words.
        six = (
            end == place + 6
            and data[place] | 0x20 == ord("c")
            and data[place + 1] | 0x20 == ord("a")
            and data[place + 2] | 0x20 == _N
            and data[place + 3] | 0x20 == _N
            and data[place + 4] | 0x20 == ord("o")
            and data[place + 5] | 0x20 == _T
            and not _is_wordy(data, end, stop)
        )
        return place + 3 if six else end
    end = place + size
    return int(_word_end(data, end, stop) if kind == _APOSTROPHE else end)


@compiled(forceinline=True)
def _number(data: Bytes, place: int, end: int, keys: Words, numbers: npt.NDArray[np.int32]) -> int:
    """Return the number of a token."""
    value = np.uint64(_OFFSET)
    alphabetic = True
    while place < end:
        code, size = _code_at(data, place)
        alphabetic &= _kind(code) == _LETTER
        folded = _LOWER[at(code)] if code < _CODES else np.uint64(code)
        value = np.uint64((value ^ folded) * np.uint64(_PRIME))
        place += size
    slot = value % np.uint64(_SLOTS)
    while keys[at(slot)]:
        if keys[at(slot)] == value:
            return int(numbers[at(slot)])
        slot = (slot + np.uint64(1)) % np.uint64(_SLOTS)
    return _OTHER_LETTERS if alphabetic else _OTHER


@compiled(forceinline=True)
def _goes_far(data: Bytes, place: int, stop: int) -> bool:
    """Tell whether a text holds a character that isn't known here."""
    highest = np.uint8(0)
    # Places that can't be negative: then many bytes are looked at at once.
    for each in range(np.uint64(place), np.uint64(stop)):
        highest = np.uint8(highest | data[each])
    while place < stop and highest >= 0x80:
        if data[at(place)] < 0x80:
            place += 1
            continue
        kind, size = _kind_at(data, place)
        if kind == _FAR:
            return True
        place += size
    return False


@compiled()
def _fits(
    tokens: npt.NDArray[np.int32],
    place: int,
    count: int,
    steps: npt.NDArray[np.int32],
    takes: npt.NDArray[np.bool_],
) -> bool:
    """Tell whether a phrase stands at a place of the tokens."""
    for step in steps:
        if step < 0:
            return True
        if place >= count or not takes[at(tokens[at(place)]), at(step)]:
            return False
        place += 1
    return True


@compiled()
def _find(
    data: Bytes,
    offsets: Offsets,
    rows: Places,
    within: int,
    tokens: npt.NDArray[np.int32],
    keys: Words,
    numbers: npt.NDArray[np.int32],
    begins: Places,
    steps: npt.NDArray[np.int32],
    takes: npt.NDArray[np.bool_],
    negated: npt.NDArray[np.bool_],
    negates: npt.NDArray[np.bool_],
    told: npt.NDArray[np.int8],
) -> None:
    for index, row in enumerate(rows):
        begin, stop = offsets[row], offsets[row + 1]
        if _goes_far(data, begin, stop):
            told[index] = UNREAD
            continue
        count, place = 0, begin
        while place < stop:
            end = _token_end(data, begin, place, stop)
            if end > place:
                tokens[at(count)] = _number(data, place, end, keys, numbers)
                count += 1
            place = max(end, place + 1)
        for place in range(count):
            word = tokens[at(place)]
            for phrase in range(begins[at(word)], begins[at(word + 1)]):
                if _fits(tokens, place, count, steps[at(phrase)], takes):
                    taken_back = False
                    for before in range(max(0, place - within), place):
                        taken_back |= negates[tokens[before]]
                    if negated[phrase] or not taken_back:
                        told[index] = HOLDS
