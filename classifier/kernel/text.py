"""One text as code points and what they are.

In: UTF-8 bytes. Out: code points, their flags, and the tables that say what each is and folds to. Never
looks at words.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from classifier import chars
from classifier.buffers import compiled
from classifier.chars import LETTER, SPACE, TABLE_SIZE
from classifier.features import FNV_PRIME

Codes = npt.NDArray[np.int32]
Kinds = npt.NDArray[np.uint16]


@lru_cache(maxsize=1)
def tables() -> tuple[Kinds, Codes]:
    """Return `chars.tables()`, made once."""
    return chars.tables()


@compiled()
def decode(data: npt.NDArray[np.uint8], begin: int, stop: int, codes: Codes) -> int:
    """Decode UTF-8 bytes (well-formed: `Column.of` made them) into `codes`; return how many code points."""
    count = 0
    place = begin
    while place < stop:
        byte = np.int32(data[place])
        if byte < 0x80:
            codes[count] = byte
            place += 1
        elif byte < 0xE0:
            codes[count] = ((byte & 0x1F) << 6) | (np.int32(data[place + 1]) & 0x3F)
            place += 2
        elif byte < 0xF0:
            codes[count] = (
                ((byte & 0x0F) << 12)
                | ((np.int32(data[place + 1]) & 0x3F) << 6)
                | (np.int32(data[place + 2]) & 0x3F)
            )
            place += 3
        else:
            codes[count] = (
                ((byte & 0x07) << 18)
                | ((np.int32(data[place + 1]) & 0x3F) << 12)
                | ((np.int32(data[place + 2]) & 0x3F) << 6)
                | (np.int32(data[place + 3]) & 0x3F)
            )
            place += 4
        count += 1
    return count


@compiled()
def find_kinds(codes: Codes, count: int, table: Kinds, kinds: Kinds) -> None:
    """Write the flags of each code point into `kinds`."""
    for place in range(count):
        code = codes[place]
        kinds[place] = table[code] if code < TABLE_SIZE else LETTER


@compiled()
def trim_start(kinds: Kinds, start: int, end: int) -> int:
    """Return where the space at the start of start:end ends."""
    while start < end and kinds[start] & SPACE:
        start += 1
    return start


@compiled()
def trim_end(kinds: Kinds, start: int, end: int) -> int:
    """Return where the space at the end of start:end begins."""
    while end > start and kinds[end - 1] & SPACE:
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
