"""The evidence of documents written out by compiled code: JSON, strongest spans, quotes.

In: texts, units and what a model says of them. Out: columns as bytes and offsets. Only what needs no rule in
Python: `spans.py` has the readable twin, and does the rows that hold something to mask.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Offsets, compiled
from classifier.labels import LABELS
from classifier.redact import AROUND
from classifier.redact.marks import suspicious

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

MILLIONTHS: Final = 1_000_000
"""Scores are written with six decimals."""

_SPACE = ord(" ")
_AROUND: Final = 4 * AROUND
"""Bytes that so many code points take at most."""

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_SHORT_ESCAPES: Final = np.zeros(32, dtype=np.uint8)
for _char, _letter in (("\n", "n"), ("\r", "r"), ("\t", "t"), ("\b", "b"), ("\f", "f")):
    _SHORT_ESCAPES[ord(_char)] = ord(_letter)
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def _word(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8)


_LABEL_HEADS: Final = _word("".join(f'{{"label":"{label}","start":' for label in LABELS))
_HEAD_ENDS: Final = np.cumsum([len(f'{{"label":"{label}","start":') for label in LABELS])
_END: Final = _word(',"end":')
_SCORE: Final = _word(',"score":')
_QUOTED: Final = _word(',"quote":"')
_LEAVING: Final = _word('","churn_risk":true}')
_CLOSE: Final = _word('"}')


@compiled()
def byte_places(
    data: Bytes,
    offsets: Offsets,
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    begins: Places,
    stops: Places,
) -> None:
    """Write where each unit lies in `data`: its first byte, and the one after its last."""
    for row in range(len(offsets) - 1):
        place, code = offsets[row], 0
        if first[row + 1] == first[row]:
            continue
        last = end[first[row + 1] - 1]
        if offsets[row + 1] - place == last:
            # Nothing beyond ASCII, and the last unit ends the text: most rows are such.
            for unit in range(first[row], first[row + 1]):
                begins[unit], stops[unit] = place + start[unit], place + end[unit]
            continue
        for unit in range(first[row], first[row + 1]):
            while code < start[unit]:
                place += 1
                while place < offsets[row + 1] and data[place] & 0xC0 == 0x80:
                    place += 1
                code += 1
            begins[unit] = place
            while code < end[unit]:
                place += 1
                while place < offsets[row + 1] and data[place] & 0xC0 == 0x80:
                    place += 1
                code += 1
            stops[unit] = place


@compiled()
def _is_letter(byte: int) -> bool:
    return 97 <= byte | 0x20 <= 122


@compiled()
def _left_of(data: Bytes, begin: int, low: int) -> int:
    """Return where to begin to look for what reaches into a unit that begins at `begin`.

    Before it: the rest of a word, what a number may go on over (no letters), and one more word: "(at)".
    """
    low = max(low, begin - _AROUND)
    while begin > low and data[begin - 1] > _SPACE:
        begin -= 1
    while begin > low and not _is_letter(data[begin - 1]):
        begin -= 1
    while begin > low and data[begin - 1] > _SPACE:
        begin -= 1
    return begin


@compiled()
def _right_of(data: Bytes, stop: int, high: int) -> int:
    """Return where to stop to look for what reaches out of a unit that ends at `stop`."""
    high = min(high, stop + _AROUND)
    while stop < high and data[stop] > _SPACE:
        stop += 1
    while stop < high and not _is_letter(data[stop]):
        stop += 1
    while stop < high and data[stop] > _SPACE:
        stop += 1
    return stop


@compiled()
def units_to_mask(
    data: Bytes,
    offsets: Offsets,
    first: Places,
    begins: Places,
    stops: Places,
    shown: Flags,
    found: Flags,
) -> None:
    """Mark the shown units that may hold something to mask, or a part of it that crosses their edges."""
    for row in range(len(offsets) - 1):
        for unit in range(first[row], first[row + 1]):
            if shown[unit]:
                left = _left_of(data, begins[unit], offsets[row])
                right = _right_of(data, stops[unit], offsets[row + 1])
                found[unit] = suspicious(data, left, right)


@compiled()
def _copy(source: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    for place in range(begin, stop):
        out[at] = source[place]
        at += 1
    return at


@compiled()
def _whole(value: int, out: Bytes, at: int) -> int:
    """Write a whole number that isn't negative."""
    size = 1
    rest = value // 10
    while rest:
        size += 1
        rest //= 10
    for place in range(at + size - 1, at - 1, -1):
        out[place] = 48 + value % 10
        value //= 10
    return at + size


@compiled()
def millionths(probability: float) -> int:
    """Return a probability in millionths, as Python rounds it to six decimals.

    Exact for what was a 32-bit number: the product fits into a double.
    """
    return int(np.rint(probability * MILLIONTHS))


@compiled()
def _decimal(value: int, out: Bytes, at: int) -> int:
    """Write millionths as Python writes a number: 0.25, 1.0, 5e-06."""
    if value == 0 or value == MILLIONTHS:
        out[at], out[at + 1], out[at + 2] = 48 + value // MILLIONTHS, 46, 48
        return at + 3
    if value < 100:
        # Below 0.0001 with an exponent: 12 millionths are 1.2e-05.
        tens, ones = value // 10, value % 10
        out[at] = 48 + (tens or ones)
        at += 1
        if tens and ones:
            out[at], out[at + 1] = 46, 48 + ones
            at += 2
        out[at], out[at + 1], out[at + 2], out[at + 3] = 101, 45, 48, 53 if tens else 54
        return at + 4
    out[at], out[at + 1] = 48, 46
    at += 2
    power = MILLIONTHS // 10
    while value:
        out[at] = 48 + value // power
        value %= power
        power //= 10
        at += 1
    return at


@compiled()
def _escaped(data: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    """Write text as the inside of a JSON string."""
    for place in range(begin, stop):
        byte = data[place]
        if byte >= 32 and byte != _QUOTE and byte != _BACKSLASH:
            out[at] = byte
            at += 1
        elif byte >= 32 or _SHORT_ESCAPES[byte]:
            out[at], out[at + 1] = _BACKSLASH, byte if byte >= 32 else _SHORT_ESCAPES[byte]
            at += 2
        else:
            out[at], out[at + 1], out[at + 2], out[at + 3] = _BACKSLASH, 117, 48, 48
            out[at + 4], out[at + 5] = _HEX[byte >> 4], _HEX[byte & 15]
            at += 6
    return at


@compiled()
def _escaped_size(data: Bytes, begin: int, stop: int) -> int:
    size = stop - begin
    for place in range(begin, stop):
        byte = data[place]
        if byte in (_QUOTE, _BACKSLASH):
            size += 1
        elif byte < 32:
            size += 1 if _SHORT_ESCAPES[byte] else 5
    return size


@compiled()
def json_sizes(
    data: Bytes,
    first: Places,
    begins: Places,
    stops: Places,
    evidence: Flags,
    plain: Flags,
    quotes: bool,
    sizes: Places,
) -> None:
    """Write an upper bound of the bytes of each plain row's JSON into sizes[row + 1]."""
    for row in range(len(first) - 1):
        if not plain[row]:
            continue
        size = 2
        for unit in range(first[row], first[row + 1]):
            for label in range(evidence.shape[1]):
                if evidence[unit, label]:
                    size += 128
                    if quotes:
                        size += _escaped_size(data, begins[unit], stops[unit])
        sizes[row + 1] = size


@compiled()
def write_json(
    data: Bytes,
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    begins: Places,
    stops: Places,
    evidence: Flags,
    probability: npt.NDArray[np.float32],
    plain: Flags,
    leaving: Flags,
    quotes: bool,
    rooms: Places,
    out: Bytes,
    sizes: Places,
) -> None:
    """Write the JSON of each plain row at rooms[row], and its length into sizes[row]."""
    for row in range(len(first) - 1):
        if not plain[row]:
            continue
        at = rooms[row]
        out[at] = 91
        at += 1
        for label in range(evidence.shape[1]):
            for unit in range(first[row], first[row + 1]):
                if not evidence[unit, label]:
                    continue
                if at > rooms[row] + 1:
                    out[at] = 44
                    at += 1
                head = _HEAD_ENDS[label - 1] if label else 0
                at = _copy(_LABEL_HEADS, head, _HEAD_ENDS[label], out, at)
                at = _whole(start[unit], out, at)
                at = _copy(_END, 0, len(_END), out, at)
                at = _whole(end[unit], out, at)
                at = _copy(_SCORE, 0, len(_SCORE), out, at)
                at = _decimal(millionths(probability[unit, label]), out, at)
                at = _copy(_QUOTED, 0, len(_QUOTED), out, at)
                if quotes:
                    at = _escaped(data, begins[unit], stops[unit], out, at)
                closing = _LEAVING if leaving[row] else _CLOSE
                at = _copy(closing, 0, len(closing), out, at)
        out[at] = 93
        sizes[row] = at + 1 - rooms[row]


@compiled()
def best_units(
    first: Places,
    evidence: Flags,
    probability: npt.NDArray[np.float32],
    readable: Flags,
    best: Places,
) -> None:
    """Write the unit of each row that is the strongest evidence of each label, -1 without any."""
    for row in range(len(first) - 1):
        for label in range(evidence.shape[1]):
            best[row, label] = -1
            highest = -1
            if not readable[row]:
                continue
            for unit in range(first[row], first[row + 1]):
                score = millionths(probability[unit, label])
                if evidence[unit, label] and score > highest:
                    best[row, label], highest = unit, score


@compiled()
def gather(data: Bytes, begins: Places, sizes: Places, offsets: Offsets, out: Bytes) -> None:
    """Copy sizes[row] bytes from begins[row] to offsets[row]."""
    for row in range(len(begins)):
        for place in range(sizes[row]):
            out[offsets[row] + place] = data[begins[row] + place]
