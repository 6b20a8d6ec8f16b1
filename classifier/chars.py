"""What one character is and what it folds to: the ground of splitting and of hashing.

In: one character. Out: its flags, its folded code points. Never looks at neighbours, so that the
compiled kernel can use the same answers from a table.
"""

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LETTER: Final = 1
DIGIT: Final = 2
SYMBOL: Final = 4
APOSTROPHE: Final = 8
SPACE: Final = 16
NEWLINE: Final = 32
UPPER: Final = 64
LOWER: Final = 128
TERMINAL: Final = 256
CLOSER: Final = 512

BETWEEN_MESSAGES: Final = "\n\x1e\n"
"""Parts the messages of one conversation, each of which may quote the one before; no message holds it."""

TABLE_SIZE: Final = 0x20000
"""Code points from here on (rare ideographs) count as letters that fold to themselves."""

APOSTROPHES: Final = "'\u2019\u02bc\uff07"
NEWLINES: Final = "\n\r\x0b\x0c\x85\u2028\u2029"
TERMINALS: Final = ".!?\u2026\u3002\uff01\uff1f\u203d\u0964"
CLOSERS: Final = "\"')]}\u2019\u201d\u00bb\u300d\u300f\uff09"
SYMBOLS: Final = "!?%#@&+=*\u2026\uff01\uff1f"
SELECTORS: Final = "\u20e3" + "".join(map(chr, range(0xFE00, 0xFE10)))
"""How an emoji is drawn; marks by their category, but no part of a word."""

_BY_CATEGORY: Final = {
    "Lu": LETTER | UPPER,
    "Lt": LETTER | UPPER,
    "Ll": LETTER | LOWER,
    "L": LETTER,
    "M": LETTER,
    "N": DIGIT,
    # Characters that mean something alone: a currency, an emoji.
    "Sc": SYMBOL,
    "So": SYMBOL,
}
_BY_CHARACTER: Final = (
    (SYMBOL, SYMBOLS),
    (NEWLINE | SPACE, NEWLINES),
    (APOSTROPHE, APOSTROPHES),
    (TERMINAL, TERMINALS),
    (CLOSER, CLOSERS),
)


def flags(char: str) -> int:
    """Return what `char` is, as a sum of the flags of this module."""
    if ord(char) >= TABLE_SIZE:
        return LETTER
    if char in SELECTORS:
        return 0
    category = unicodedata.category(char)
    value = _BY_CATEGORY.get(category) or _BY_CATEGORY.get(category[0], 0)
    if char.isspace():
        value |= SPACE
    for flag, members in _BY_CHARACTER:
        if char in members:
            value |= flag
    return value


def fold(char: str) -> str:
    """Return the case-folded form of `char`: one to three characters, every digit a zero.

    Digits fold together because amounts, dates and versions rarely recur, but their shape does.
    """
    if ord(char) >= TABLE_SIZE:
        return char
    if char in APOSTROPHES:
        return "'"
    if unicodedata.category(char) == "Nd":
        return "0"
    return char.casefold()


@lru_cache(maxsize=1)
def tables() -> "tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]":
    """Return the flags, shape (TABLE_SIZE,), and the folds, shape (TABLE_SIZE, 3), 0 = none.

    Made once, and a column at a time: one character after the other takes ten times as long.
    """
    import numpy as np

    every = list(map(chr, range(TABLE_SIZE)))
    categories = list(map(unicodedata.category, every))
    by_category = {name: _BY_CATEGORY.get(name) or _BY_CATEGORY.get(name[0], 0) for name in set(categories)}
    kinds = np.fromiter(map(by_category.__getitem__, categories), np.uint16, TABLE_SIZE)
    odd = {char for char in every if char.isspace()}.union(
        SELECTORS, *(members for _, members in _BY_CHARACTER)
    )
    for char in odd:
        kinds[ord(char)] = flags(char)
    folds = np.zeros((TABLE_SIZE, 3), dtype=np.int32)
    folds[:, 0] = np.arange(TABLE_SIZE)
    folds[[code for code, name in enumerate(categories) if name == "Nd"], 0] = ord("0")
    for char in filter(_folds, every):
        code = ord(char)
        folds[code] = [*map(ord, fold(char)), 0, 0][:3]
    return kinds, folds


def _folds(char: str) -> bool:
    return char.casefold() != char or char in APOSTROPHES


def without_halves(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair, which is no character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
