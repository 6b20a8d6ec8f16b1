"""Where the rows of delimited text end, and whether their quotes are by the book.

In: bytes. Out: the end of the last whole row, and whether Arrow may parse what lies before it; lines that end
in LF alone. Looks at every byte once.
"""

from typing import Final

import numpy as np

from classifier.buffers import Bytes, compiled

_QUOTE, _NEWLINE, _RETURN, _BLANK = map(ord, '"\n\r ')
_NOWHERE: Final = np.iinfo(np.int64).max


@compiled()
def _borders(byte: int, delimiter: int) -> bool:
    return byte in (_QUOTE, _NEWLINE, delimiter)


@compiled()
def newlines_only(content: Bytes, out: Bytes) -> int:
    """Copy the bytes, but of CR LF the LF alone, and return how many are left; `out` has room for all."""
    kept = np.uint64(0)
    last = np.uint64(max(len(content), 1) - 1)
    for place in range(np.uint64(len(content))):
        out[kept] = content[place]
        # Counted or not: no branch that the processor could guess wrongly.
        kept += np.uint64(
            (content[place] != _RETURN) | (content[min(place + np.uint64(1), last)] != _NEWLINE)
        )
    return int(kept)


@compiled()
def regular_end(content: Bytes, delimiter: int, whole: bool) -> tuple[int, bool]:
    """Return where the last whole row ends (0: nowhere), and whether all before is by the book.

    By the book (RFC 4180) each quote opens a cell, closes it, or is doubled, and no carriage return is left:
    then all parsers agree.

    Parameters
    ----------
    content
        UTF-8, shape (n,).
    delimiter
        A byte.
    whole
        Nothing follows: the last row ends where the bytes do.
    """
    size = len(content)
    end = 0
    wrong = _NOWHERE
    inside = returns = False
    for place in range(np.uint64(size)):
        byte = content[place]
        # Nearly all of them.
        if byte == _BLANK or byte > _QUOTE:
            continue
        if byte == _QUOTE:
            at = int(place)
            neighbour = at + 1 if inside else at - 1
            if 0 <= neighbour < size and not _borders(content[neighbour], delimiter):
                wrong = at if at < wrong else wrong
            inside = not inside
        elif byte == _NEWLINE:
            if not inside:
                end = int(place) + 1
        elif byte == _RETURN:
            returns = True
    if whole:
        return size, wrong == _NOWHERE and not inside and not returns
    return end, wrong >= end and not returns
