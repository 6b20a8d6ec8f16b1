"""Which texts hold any of many short words: one compiled pass, however many words there are.

In: words, and columns of text as bytes. Out: masks. Case doesn't count. May be wrong in one way only: a text
with a letter that ASCII letters are folded with (the Kelvin sign, the long s) is marked.
"""

from collections import deque
from collections.abc import Iterable
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled

Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int64]

_FOLDED_WITH_ASCII: Final = ("\N{LATIN SMALL LETTER LONG S}", "\N{KELVIN SIGN}")

_ZERO: Final = np.uint32(0)


@compiled()
def _search(
    data: Bytes,
    offsets: Offsets,
    rows: Rows,
    kinds: Steps,
    steps: Steps,
    overlap: int,
    end: int,
    found: Flags,
) -> None:
    """Mark those of `rows` in which the automaton comes to its end, in any quarter of the text.

    Each step waits for the one before: four quarters side by side wait no longer than one.
    """
    for row in rows:
        begin, stop = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        quarter = (stop - begin + np.uint64(3)) // np.uint64(4)
        length = quarter + np.uint64(overlap)
        first = second = third = last = _ZERO
        if begin + np.uint64(3) * quarter + np.uint64(overlap) > stop:
            # Too short: the third would read on into the next text.
            for place in range(begin, stop):
                first = steps[first + kinds[data[place]]]
        else:
            far = stop - length
            for place in range(begin, begin + length):
                first = steps[first + kinds[data[place]]]
                second = steps[second + kinds[data[place + quarter]]]
                third = steps[third + kinds[data[place + quarter + quarter]]]
                last = steps[last + kinds[data[place - begin + far]]]
        found[row] = first == end or second == end or third == end or last == end


class Needles:
    """Words to look for, any of which counts wherever it stands: inside of other words too.

    Parameters
    ----------
    words
        In lower case. Of a word with letters beyond ASCII its longest stretch without them is looked for;
        a word of nothing else marks all texts.
    """

    def __init__(self, words: Iterable[str]) -> None:
        plain = {max(_plain_stretches(word), key=len) for word in words}
        self._marks_all = "" in plain
        self._words = [word.encode() for word in (*sorted(plain), *_FOLDED_WITH_ASCII)]

    def find(self, column: Column, rows: Rows | None = None) -> Flags:
        """Mark the texts that hold any of the words, shape (n,); of `rows` alone, where they are given."""
        found = np.zeros(len(column), dtype=np.bool_)
        rows = np.arange(len(column)) if rows is None else rows
        if self._marks_all:
            found[rows] = True
            return found
        kinds, steps = self._automaton
        overlap = max(map(len, self._words)) - 1
        end = len(steps) - kinds.max() - 1
        _search(column.data, column.offsets, rows, kinds, steps, overlap, end, found)
        return found

    @cached_property
    def _automaton(self) -> tuple[Steps, Steps]:
        """Return the kind of each byte, and where to go from a state with a kind: Aho and Corasick's.

        A state is the place of its first step; the last state is the end, where a word was found.
        """
        letters = sorted({byte for word in self._words for byte in word})
        kinds = np.zeros(256, dtype=np.uint32)
        for kind, byte in enumerate(letters, 1):
            kinds[byte] = kind
            if chr(byte).isascii():
                kinds[ord(chr(byte).upper())] = kind
        children = self._tree()
        end = len(children)
        table = np.zeros((end + 1, len(letters) + 1), dtype=np.uint32)
        table[end] = end
        queue = deque([(0, 0)])
        while queue:
            state, shorter = queue.popleft()
            if state:
                table[state] = table[shorter]
            if shorter == end:
                table[state] = end
                continue
            for byte, child in children[state].items():
                following = int(table[shorter, kinds[byte]]) if state else 0
                is_end = child < 0 or following == end
                table[state, kinds[byte]] = end if is_end else child
                if not is_end:
                    queue.append((child, following))
        return kinds, (table * table.shape[1]).ravel()

    def _tree(self) -> list[dict[int, int]]:
        """Return the children of each state by byte; -1 where a word ends."""
        children: list[dict[int, int]] = [{}]
        for word in self._words:
            state = 0
            for byte in word[:-1]:
                following = children[state].get(byte)
                if following is None:
                    following = len(children)
                    children.append({})
                    children[state][byte] = following
                state = following
                if state < 0:
                    break
            else:
                children[state][word[-1]] = -1
        return children


def _plain_stretches(word: str) -> list[str]:
    """Return what stands between letters that have a case, but aren't ASCII."""
    return "".join(c if c.isascii() or c.lower() == c.upper() else "\0" for c in word).split("\0")
