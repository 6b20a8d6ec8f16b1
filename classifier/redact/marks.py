"""A quick look, compiled, at where a text may hold anything to mask.

In: columns of text as bytes. Out: masks. May be wrong in one way only: what `masks` would find is marked.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled
from classifier.redact.codes import IBAN_LENGTHS

_AT: Final = ord("@")
_SLASH: Final = ord("/")
_DOT: Final = ord(".")
_DASH: Final = ord("-")
_COLON: Final = ord(":")
_W: Final = ord("w")
_SPACE: Final = ord(" ")
_UNDERSCORE: Final = ord("_")
_OPENING: Final = tuple(map(ord, "([{<"))
_CLOSING: Final = tuple(map(ord, ")]}>"))
_AE: Final = 0xC3
"""First byte of ä and æ, in which "(ät)" is written."""

_DIGITS: Final = 7
"""Of the shortest telephone number."""

_GAP: Final = 4
"""Signs between two digits of a number, at most."""

_ENDING: Final = 21
"""Bytes of the longest ending of a domain before "/"."""


# What a byte may be: no part of a number, which it ends; a numeral (a first byte beyond ASCII may be a digit
# of another script); the sign of an address; the space of " AT "; else it may stand between two digits.
_OTHER, _NUMERAL, _SIGN, _BLANK = 1, 2, 3, 4
_KINDS: Final = np.zeros(256, dtype=np.uint8)
_KINDS[:0x80] = _OTHER
_KINDS[list(b"-)")] = 0
_KINDS[list(b"0123456789")] = _NUMERAL
_KINDS[0xC0:] = _NUMERAL
_KINDS[list(b"@.:/([{<")] = _SIGN
_KINDS[_SPACE] = _BLANK


_IBANS: Final = np.zeros((32, 32), dtype=np.uint8)
"""Letters of a country, A as 1 -> how long its account numbers are; 0 for none."""

for _code, _length in IBAN_LENGTHS.items():
    _IBANS[ord(_code[0]) & 31, ord(_code[1]) & 31] = _length

_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)

_IBAN_GAPS: Final = tuple(map(ord, " .-"))


@compiled(forceinline=True)
def _is_letter(byte: int) -> bool:
    return (byte | 0x20 >= 97) & (byte | 0x20 <= 122)


@compiled()
def _is_domain_end(data: Bytes, begin: int, slash: int) -> bool:
    """Tell whether "." and letters stand before the slash; what isn't ASCII counts as a letter."""
    place = slash - 1
    while place >= begin and slash - place <= _ENDING and (_is_letter(data[place]) or data[place] >= 0x80):
        place -= 1
    return bool(place >= begin and data[place] == _DOT)


@compiled()
def _is_at_before(data: Bytes, space: int, stop: int) -> bool:
    """Tell whether "AT" follows a space and comes before one, or the end: as in "name AT example"."""
    return bool(
        space + 2 < stop
        and data[space + 1] == 65
        and data[space + 2] == 84
        and (space + 3 == stop or data[space + 3] == _SPACE)
    )


@compiled()
def _is_written_at(data: Bytes, place: int, stop: int) -> bool:
    """Tell whether "(at)" or its like may stand at an opening bracket, and a domain behind it."""
    if place + 2 >= stop:
        return False
    first = data[place + 1]
    if first | 0x20 != 97 and first != _AE:
        return False
    for after in range(place + 2, min(place + 5, stop)):
        if data[after] in _CLOSING and (
            _is_domain(data, after + 1, stop) or _ends_in_word(data, after + 1, stop)
        ):
            return True
    return False


@compiled()
def _is_word(byte: int) -> bool:
    return bool(_is_letter(byte) or 48 <= byte <= 57 or byte >= 0x80 or byte in (_UNDERSCORE, _DASH))


@compiled()
def _is_domain(data: Bytes, place: int, stop: int) -> bool:
    """Tell whether a domain may follow an "@": a word and a dot within more, or a "dot" in brackets."""
    if place < stop and data[place] <= _SPACE:
        place += 1
    begin = place
    while place < stop and _is_word(data[place]):
        place += 1
    if place == begin or place + 1 >= stop:
        return False
    if data[place] == _DOT:
        return bool(_is_word(data[place + 1]))
    return bool(data[place] in _OPENING or (data[place] <= _SPACE and data[place + 1] in _OPENING))


@compiled()
def _ends_in_word(data: Bytes, place: int, stop: int) -> bool:
    """Tell whether nothing but the beginning of a domain is left: more of it may lie beyond."""
    if place < stop and data[place] <= _SPACE:
        place += 1
    while place < stop and _is_word(data[place]):
        place += 1
    return place + 1 >= stop


@compiled(forceinline=True)
def _is_digit(byte: int) -> bool:
    return (byte >= 48) & (byte <= 57)


@compiled(forceinline=True)
def _begins_sign(first: int, second: int, third: int, fourth: int) -> np.uint8:
    """Return 1 where four bytes begin as signs of an address or an account number do, else 0.

    These are "@", a letter and "/", "://", "(a", " AT", "ww." and "GB82". Without branches: then many places
    are looked at at once.
    """
    bracket = (first == 40) | (first == 91) | (first == 123) | (first == 60)
    return np.uint8(
        (first == _AT)
        | ((second == _SLASH) & (_is_letter(first) | (first >= 0x80) | (first == _DOT) | (first == _COLON)))
        | (bracket & ((second | 0x20 == 97) | (second == _AE)))
        | ((first == _SPACE) & (second == 65) & (third == 84))
        | ((first | 0x20 == _W) & (second | 0x20 == _W) & (third == _DOT))
        | (_is_letter(first) & _is_letter(second) & _is_digit(third) & _is_digit(fourth))
    )


@compiled()
def _is_plain(data: Bytes, begin: int, stop: int) -> bool:
    """Tell whether nothing begins a sign of an address or of an account number, and no seven are numerals."""
    signs, numerals = np.uint8(0), np.uint32(0)
    # Without a way out and with places that can't be negative: then many bytes are looked at at once.
    for place in range(np.uint64(begin), np.uint64(max(begin, stop - 3))):
        sign = _begins_sign(data[place], data[place + _1], data[place + _2], data[place + _3])
        signs = np.uint8(signs | sign)
    for place in range(max(begin, stop - 3), stop):
        second = data[place + 1] if place + 1 < stop else np.uint8(0)
        third = data[place + 2] if place + 2 < stop else np.uint8(0)
        signs = np.uint8(signs | _begins_sign(data[place], second, third, np.uint8(0)))
    for place in range(np.uint64(begin), np.uint64(stop)):
        numerals = np.uint32(numerals + np.uint32(_is_digit(data[place]) | (data[place] >= 0xC0)))
    return bool(not signs and numerals < _DIGITS)


@compiled()
def suspicious(data: Bytes, begin: int, stop: int) -> bool:
    """Tell whether bytes may hold an address or a number to mask."""
    if _is_plain(data, begin, stop):
        return False
    digits, last = 0, begin
    for place in range(begin, stop):
        kind = _KINDS[data[place]]
        if kind == _OTHER:
            digits = 0
        elif kind == _NUMERAL:
            # Of a sign beyond ASCII all but the first byte are taken for gaps: three at most.
            digits = digits + 1 if place - last <= _GAP + 4 else 1
            last = place
            if digits >= _DIGITS or (
                digits == 2 and place >= begin + 3 and _is_iban(data, begin, place - 3, stop)
            ):
                return True
        elif (kind == _SIGN and _is_address_mark(data, begin, place, stop)) or (
            kind == _BLANK and _is_at_before(data, place, stop)
        ):
            return True
    return False


@compiled()
def _is_address_mark(data: Bytes, begin: int, place: int, stop: int) -> bool:
    """Tell whether a sign that is neither letter nor digit belongs to an address."""
    byte = data[place]
    if byte == _AT:
        return bool(_is_domain(data, place + 1, stop))
    if byte == _DOT:
        return bool(
            place >= begin + 3
            and data[place - 1] | 0x20 == _W
            and data[place - 2] | 0x20 == _W
            and data[place - 3] | 0x20 == _W
        )
    if byte == _COLON:
        return bool(place + 2 < stop and data[place + 1] == _SLASH and data[place + 2] == _SLASH)
    if byte == _SLASH:
        return bool(_is_domain_end(data, begin, place))
    return bool(_is_written_at(data, place, stop))


@compiled()
def _is_plain_alnum(byte: int) -> bool:
    return bool(_is_letter(byte) or 48 <= byte <= 57)


@compiled()
def _is_iban(data: Bytes, begin: int, start: int, stop: int) -> bool:
    """Tell whether an account number may begin at `start`: all but the check digits, as far as it is seen.

    Digits beyond ASCII make none; what else isn't ASCII may be a gap.
    """
    for place in range(start, start + 4):
        if (place < start + 2) != _is_letter(data[place]) or not _is_plain_alnum(data[place]):
            return False
    length = _IBANS[data[start] & 31, data[start + 1] & 31]
    if not length or (start > begin and _is_plain_alnum(data[start - 1])):
        return False
    place = start
    while length and place < stop:
        if data[place] >= 0x80:
            return True
        if _is_plain_alnum(data[place]):
            length -= 1
        elif data[place] not in _IBAN_GAPS or not _is_plain_alnum(data[place - 1]):
            return False
        place += 1
    return bool(length or place == stop or not _is_plain_alnum(data[place]))


@compiled()
def _rows(data: Bytes, offsets: Offsets, found: npt.NDArray[np.bool_]) -> None:
    for row in range(len(offsets) - 1):
        found[row] = suspicious(data, offsets[row], offsets[row + 1])


def may_need_masks(texts: Any) -> npt.NDArray[np.bool_]:
    """Mark the texts of a column in which `masks` may find something without knowing any names."""
    column = Column.of(texts)
    found = np.zeros(len(column), dtype=np.bool_)
    _rows(column.data, column.offsets, found)
    return found
