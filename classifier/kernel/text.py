"""One text as code points and what they are.

In: UTF-8 bytes. Out: code points, their flags, what they fold to, and the tables that say all this. Never
looks at words.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier import chars
from classifier.buffers import at, code_point, compiled
from classifier.chars import CLOSER, LETTER, NEWLINE, SPACE, TABLE_SIZE, TERMINAL
from classifier.features import FNV_PRIME

Codes = npt.NDArray[np.int32]
Kinds = npt.NDArray[np.uint16]
Hashes = npt.NDArray[np.uint32]

SEVERAL: Final = 1024
"""Flag beside those of `chars`: folds to more than one code point."""

_FOLD_BITS: Final = 21
_FOLD: Final = np.uint32((1 << _FOLD_BITS) - 1)
_SHIFT: Final = np.uint32(_FOLD_BITS)
_LETTER: Final = np.uint32(LETTER << _FOLD_BITS)
_MAY_END: Final = NEWLINE | TERMINAL | CLOSER


@dataclass(frozen=True)
class Tables:
    """What code points below TABLE_SIZE are.

    Attributes
    ----------
    chars
        Flags and the first code point of the fold in one number, so that one look-up tells both,
        shape (TABLE_SIZE,).
    folds
        As of `chars.tables`, shape (TABLE_SIZE, 3).
    """

    chars: Hashes
    folds: Codes


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Return the tables, made once."""
    kinds, folds = chars.tables()
    flags = kinds.astype(np.uint32) | np.where(folds[:, 1] != 0, SEVERAL, 0).astype(np.uint32)
    return Tables((flags << _SHIFT) | folds[:, 0].astype(np.uint32), folds)


@compiled(forceinline=True)
def read(
    data: npt.NDArray[np.uint8],
    begin: int,
    stop: int,
    table: Hashes,
    codes: Codes,
    kinds: Kinds,
    folded: Codes,
    ends: Codes,
) -> tuple[int, int]:
    """Read UTF-8 bytes (well-formed: `Column.of` made them): what each code point is.

    Parameters
    ----------
    data, begin, stop
        The bytes of one text.
    table
        `Tables.chars`.
    codes, kinds, folded
        Filled: the code points, their flags, and the first code point of what they fold to.
    ends
        Filled: places of code points that may end a sentence, in order. All four need room for as many
        as there are bytes and one more.

    Returns
    -------
    How many code points there are, and how many of them may end a sentence.
    """
    count, found, place = 0, 0, begin
    while place < stop:
        code, size = int(data[at(place)]), 1
        if code >= 0x80:
            code, size = code_point(data, place)
        place += size
        char = table[at(code)] if code < TABLE_SIZE else np.uint32(_LETTER | np.uint32(code))
        kind = np.uint16(char >> _SHIFT)
        codes[at(count)] = code
        kinds[at(count)] = kind
        folded[at(count)] = np.int32(char & _FOLD)
        # Written always and counted at times: no branch that the processor could guess wrongly.
        ends[at(found)] = count
        found += int((kind & _MAY_END) != 0)
        count += 1
    return count, found


@compiled()
def trim_start(kinds: Kinds, start: int, end: int) -> int:
    """Return where the space at the start of start:end ends."""
    while start < end and kinds[at(start)] & SPACE:
        start += 1
    return start


@compiled()
def trim_end(kinds: Kinds, start: int, end: int) -> int:
    """Return where the space at the end of start:end begins."""
    while end > start and kinds[at(end - 1)] & SPACE:
        end -= 1
    return end


@compiled()
def hash_folded(value: np.uint32, code: int, folds: Codes) -> np.uint32:
    """Return the hash of what was hashed so far and one more code point, folded."""
    if code >= TABLE_SIZE:
        return np.uint32((value ^ np.uint32(code)) * np.uint32(FNV_PRIME))
    for step in range(3):
        folded = folds[code, step]
        if folded == 0:
            break
        value = np.uint32((value ^ np.uint32(folded)) * np.uint32(FNV_PRIME))
    return value
