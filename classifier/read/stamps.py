"""Times that are written as most exports write them: 2026-03-31T08:15:00Z.

In: a column of text. Out: microseconds since 1970, and which texts are such times. Whatever else a time may
look like is `dates`' to read.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, compiled

_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_SHAPE: Final = np.frombuffer(b"0000-00-00T00:00:00Z", dtype=np.uint8)
_ZERO, _NINE, _T, _BLANK = map(ord, "09T ")
_DAY_ALONE, _NO_ZONE, _WHOLE = 10, 19, 20


@compiled()
def _fits(data: Bytes, begin: int, size: int) -> bool:
    """Tell whether a text has the shape of a time, or its first 10 or 19 signs."""
    if size not in (_DAY_ALONE, _NO_ZONE, _WHOLE):
        return False
    for place in range(size):
        byte, wanted = data[begin + place], _SHAPE[place]
        if wanted == _ZERO:
            good = _ZERO <= byte <= _NINE
        else:
            good = byte == wanted or (wanted == _T and byte == _BLANK)
        if not good:
            return False
    return True


@compiled()
def _number(data: Bytes, begin: int, digits: int) -> int:
    value = 0
    for place in range(begin, begin + digits):
        value = 10 * value + int(data[place]) - _ZERO
    return value


@compiled()
def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a day of the Gregorian calendar; years begin in March here."""
    before = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * before + before // 4 - before // 100 + before // 400 + of_year - 719468


@compiled()
def _read(data: Bytes, offsets: Offsets, micros: Offsets, known: npt.NDArray[np.bool_]) -> None:
    for row in range(len(known)):
        begin = offsets[row]
        size = offsets[row + 1] - begin
        if not _fits(data, begin, size):
            continue
        year, month = _number(data, begin, 4), _number(data, begin + 5, 2)
        day = _number(data, begin + 8, 2)
        hour = minute = second = 0
        if size > _DAY_ALONE:
            hour, minute = _number(data, begin + 11, 2), _number(data, begin + 14, 2)
            second = _number(data, begin + 17, 2)
        if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
            continue
        leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if 1 <= day <= _DAYS[month - 1] + leap:
            seconds = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
            micros[row], known[row] = 1_000_000 * seconds, True


def stamps(texts: Column) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return microseconds since 1970 in UTC, and which texts are such a time; both of shape (rows,).

    Such are days, and days with a time to the second behind "T" or a blank, with or without "Z".
    """
    micros, known = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.bool_)
    _read(texts.data, texts.offsets, micros, known)
    return micros, known
