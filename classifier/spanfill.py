"""The evidence of documents written out by compiled code: JSON, strongest spans, quotes.

In: texts, units and what a model says of them. Out: columns as bytes and offsets. Only what needs no rule in
Python: `spans.py` has the readable twin, and does the rows that hold something to mask.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Offsets, at, compiled, copy_bytes
from classifier.labels import LABELS
from classifier.redact import AROUND
from classifier.redact.marks import suspicious
from classifier.split import MAX_UNIT

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
    while begin > low and data[at(begin - 1)] > _SPACE:
        begin -= 1
    while begin > low and not _is_letter(data[at(begin - 1)]):
        begin -= 1
    while begin > low and data[at(begin - 1)] > _SPACE:
        begin -= 1
    return begin


@compiled()
def _right_of(data: Bytes, stop: int, high: int) -> int:
    """Return where to stop to look for what reaches out of a unit that ends at `stop`."""
    high = min(high, stop + _AROUND)
    while stop < high and data[at(stop)] > _SPACE:
        stop += 1
    while stop < high and not _is_letter(data[at(stop)]):
        stop += 1
    while stop < high and data[at(stop)] > _SPACE:
        stop += 1
    return stop


@compiled(makes_arrays=True)
def _grow(
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    chance: npt.NDArray[np.float32],
    evidence: Flags,
    low: int,
    high: int,
    begin: Places,
    best: Places,
) -> None:
    """Cut the units low:high, all of them evidence of one label or near it, into spans.

    `begin` gets, at the last unit of each span, its first one, elsewhere something higher for units that
    are in a span, and -1 for those in none; `best` its strongest one.
    """
    begin[low:high] = -1
    for place in np.argsort(-chance[low:high], kind="mergesort"):
        unit = low + place
        if begin[unit] >= 0 or not evidence[unit]:
            continue
        first = last = unit
        while True:
            left = first > low and begin[first - 1] < 0 and end[last] - start[first - 1] <= MAX_UNIT
            right = last + 1 < high and begin[last + 1] < 0 and end[last + 1] - start[first] <= MAX_UNIT
            if left and (not right or chance[first - 1] >= chance[last + 1]):
                first -= 1
            elif right:
                last += 1
            else:
                break
        begin[first : last + 1] = last + 1
        begin[last], best[last] = first, unit


@compiled(makes_arrays=True)
def join_units(
    first: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    evidence: Flags,
    nearby: Flags,
    probability: npt.NDArray[np.float32],
    rows: Places,
    items: Places,
) -> int:
    """Join evidence units and those near them into spans, sorted by row, label and start; return how many.

    Spans of row i are rows[i]:rows[i + 1]; of span j, items[j] is its label, and its first, last and
    strongest unit. `items` must have room for as many spans as there are evidence units.
    """
    begin, best = np.zeros(len(start), dtype=np.int64), np.zeros(len(start), dtype=np.int64)
    count = 0
    for row in range(len(first) - 1):
        rows[row] = count
        for label in range(evidence.shape[1]):
            unit = first[row]
            while unit < first[row + 1]:
                low = unit
                found = False
                while unit < first[row + 1] and (evidence[unit, label] or nearby[unit, label]):
                    found |= evidence[unit, label]
                    unit += 1
                if not found:
                    unit += 1
                    continue
                if unit == low + 1:
                    begin[low], best[low] = low, low
                else:
                    chance, telling = probability[:, label], evidence[:, label]
                    _grow(start, end, chance, telling, low, unit, begin, best)
                for last in range(low, unit):
                    if 0 <= begin[last] <= last:
                        items[count, 0], items[count, 1] = label, begin[last]
                        items[count, 2], items[count, 3] = last, best[last]
                        count += 1
                unit += 1
    rows[len(first) - 1] = count
    return count


_LOOKED_BACK: Final = 16
"""Spans before one among which it is looked for under another label."""


@compiled()
def spans_to_mask(
    data: Bytes,
    offsets: Offsets,
    rows: Places,
    begins: Places,
    stops: Places,
    found: Flags,
) -> None:
    """Mark the spans that may hold something to mask, or a part of it that crosses their edges.

    What lies between the units of a span is a part of it.
    """
    for row in range(len(offsets) - 1):
        for span in range(rows[row], rows[row + 1]):
            # Of a text with very many spans the last ones are enough to look at.
            same = max(rows[row], span - _LOOKED_BACK)
            while begins[same] != begins[span] or stops[same] != stops[span]:
                same += 1
            if same < span:  # labels often have a span in common
                found[span] = found[same]
                continue
            left = _left_of(data, begins[span], offsets[row])
            right = _right_of(data, stops[span], offsets[row + 1])
            found[span] = suspicious(data, left, right)


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
def _escapes(data: Bytes, begin: int, stop: int) -> int:
    """Count the bytes that JSON doesn't hold as they are."""
    count = np.uint32(0)
    # Places that can't be negative: then many bytes are looked at at once.
    for place in range(np.uint64(begin), np.uint64(stop)):
        byte = data[place]
        sign = (byte == _QUOTE) | (byte == _BACKSLASH) | (byte < _SPACE)
        count = np.uint32(count + np.uint32(sign))
    return int(count)


@compiled()
def _escaped(data: Bytes, begin: int, stop: int, out: Bytes, at: int) -> int:
    """Write text as the inside of a JSON string."""
    if not _escapes(data, begin, stop):
        return int(copy_bytes(data, begin, stop, out, at))
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
def json_room(data: Bytes, others: Bytes, begins: Places, stops: Places, rows: int, quotes: bool) -> int:
    """Return an upper bound of the bytes of all rows' JSON; `others` as in `write_json`."""
    room = 2 * rows + 128 * len(begins)
    if quotes:
        for span in range(len(begins)):
            begin, stop = begins[span], stops[span]
            room += stop - begin
            if begin < len(data):
                room += 5 * _escapes(data, begin, stop)
            else:
                room += 5 * _escapes(others, begin - len(data), stop - len(data))
    return room


@compiled()
def write_json(
    data: Bytes,
    others: Bytes,
    rows: Places,
    label: Places,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    score: npt.NDArray[np.float32],
    begins: Places,
    stops: Places,
    leaving: Flags,
    quotes: bool,
    known: Places,
    known_data: Bytes,
    known_offsets: Offsets,
    out: Bytes,
    offsets: Offsets,
) -> None:
    """Write the JSON of all rows, one behind the other, and where each ends.

    Quotes that begin behind the end of `data` are in `others`, as if these followed. known[row] is the row of
    the texts whose JSON is there already, -1 for one to write.
    """
    at = 0
    for row in range(len(rows) - 1):
        place = known[row]
        if place >= 0:
            at = copy_bytes(known_data, known_offsets[place], known_offsets[place + 1], out, at)
            offsets[row + 1] = at
            continue
        out[at] = 91
        at += 1
        for span in range(rows[row], rows[row + 1]):
            if span > rows[row]:
                out[at] = 44
                at += 1
            head = _HEAD_ENDS[label[span] - 1] if label[span] else 0
            at = copy_bytes(_LABEL_HEADS, head, _HEAD_ENDS[label[span]], out, at)
            at = _whole(start[span], out, at)
            at = copy_bytes(_END, 0, len(_END), out, at)
            at = _whole(end[span], out, at)
            at = copy_bytes(_SCORE, 0, len(_SCORE), out, at)
            at = _decimal(millionths(score[span]), out, at)
            at = copy_bytes(_QUOTED, 0, len(_QUOTED), out, at)
            if quotes and begins[span] < len(data):
                at = _escaped(data, begins[span], stops[span], out, at)
            elif quotes:
                at = _escaped(others, begins[span] - len(data), stops[span] - len(data), out, at)
            closing = _LEAVING if leaving[row] else _CLOSE
            at = copy_bytes(closing, 0, len(closing), out, at)
        out[at] = 93
        at += 1
        offsets[row + 1] = at


@compiled()
def best_spans(rows: Places, label: Places, score: npt.NDArray[np.float32], best: Places) -> None:
    """Write the strongest span of each row and label, the first of equal ones; -1 without any."""
    best[:] = -1
    for row in range(len(rows) - 1):
        for span in range(rows[row], rows[row + 1]):
            other = best[row, label[span]]
            if other < 0 or millionths(score[span]) > millionths(score[other]):
                best[row, label[span]] = span


@compiled()
def gather(data: Bytes, others: Bytes, begins: Places, stops: Places, out: Bytes, offsets: Offsets) -> None:
    """Copy data[begins[row]:stops[row]] of all rows, one behind the other, and write where each ends.

    `others` as in `write_json`.
    """
    at = 0
    for row in range(len(begins)):
        begin, stop = begins[row], stops[row]
        if begin < stop and begin < len(data):
            at = copy_bytes(data, begin, stop, out, at)
        elif begin < stop:
            at = copy_bytes(others, begin - len(data), stop - len(data), out, at)
        offsets[row + 1] = at
