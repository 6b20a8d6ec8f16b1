"""Which texts may not be in Unicode's normal form C: a quick look, compiled.

In: columns of text. Out: masks. May be wrong in one way only: a text that NFC would change is marked.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled

_ASCII_END: Final = 0x80
_COMBINING: Final = 0xCC
"""First byte of U+0300, the first combining character: all before are composed, and composed for good."""


@compiled()
def _settled(data: Bytes, place: int, stop: int) -> bool:
    """Tell whether all characters are of those that no normal form touches, wherever they stand."""
    while place < stop:
        byte = data[place]
        if byte < _ASCII_END:
            place += 1
        elif byte < _COMBINING:
            place += 2
        elif byte == 0xE2 and (
            (data[place + 1] == 0x80 and data[place + 2] >= 0x82) or data[place + 1] == 0x82
        ):
            # Typographic signs from U+2002 on, and currencies.
            place += 3
        elif byte == 0xF0 and data[place + 1] == 0x9F:
            # Emoji, U+1F000 to U+1FFFF.
            place += 4
        else:
            return False
    return True


@compiled()
def _mark(data: Bytes, offsets: Offsets, found: npt.NDArray[np.bool_]) -> None:
    for row in range(len(offsets) - 1):
        highest = np.uint8(0)
        # Places that can't be negative: then many bytes are looked at at once.
        for place in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1])):
            highest = np.uint8(highest | data[place])
        found[row] = highest >= _ASCII_END and not _settled(data, offsets[row], offsets[row + 1])


def may_change(column: Column) -> npt.NDArray[np.bool_]:
    """Mark the texts that NFC may change."""
    found = np.zeros(len(column), dtype=np.bool_)
    _mark(column.data, column.offsets, found)
    return found
