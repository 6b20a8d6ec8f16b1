"""Hashes of whole columns of text, compiled.

In: a column of strings. Out: 128 bits for each: MurmurHash3 (Appleby), x64, without a seed. Good enough to
take equal hashes for equal texts among billions; no defence against somebody who seeks collisions.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.buffers import Bytes, Column, Offsets, at, compiled

Keys = npt.NDArray[np.uint64]

_FIRST: Final = np.uint64(0x87C37B91114253D5)
_SECOND: Final = np.uint64(0x4CF5AD432745937F)
_FIVE, _ONE_ADD, _TWO_ADD = np.uint64(5), np.uint64(0x52DCE729), np.uint64(0x38495AB5)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_33, _64 = np.uint64(33), np.uint64(64)


@compiled()
def _turn(value: np.uint64, bits: int) -> np.uint64:
    return (value << np.uint64(bits)) | (value >> (_64 - np.uint64(bits)))


@compiled()
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> _33)) * _MIX_1
    value = (value ^ (value >> _33)) * _MIX_2
    return value ^ (value >> _33)


@compiled()
def _word(data: Bytes, place: int, stop: int) -> np.uint64:
    """Return up to eight bytes as a number, the first the lowest."""
    value = np.uint64(0)
    for byte in range(min(8, stop - place)):
        value |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
    return value


@compiled(forceinline=True)
def _eight(data: Bytes, place: int) -> np.uint64:
    """Return eight bytes as a number, the first the lowest: spelled out, it is read at once."""
    value = np.uint64(data[at(place)])
    value |= np.uint64(data[at(place + 1)]) << np.uint64(8)
    value |= np.uint64(data[at(place + 2)]) << np.uint64(16)
    value |= np.uint64(data[at(place + 3)]) << np.uint64(24)
    value |= np.uint64(data[at(place + 4)]) << np.uint64(32)
    value |= np.uint64(data[at(place + 5)]) << np.uint64(40)
    value |= np.uint64(data[at(place + 6)]) << np.uint64(48)
    return value | (np.uint64(data[at(place + 7)]) << np.uint64(56))


@compiled()
def _hash_rows(data: Bytes, offsets: Offsets, out: Keys) -> None:
    for row in range(len(offsets) - 1):
        place, stop = offsets[row], offsets[row + 1]
        size = np.uint64(stop - place)
        one = two = np.uint64(0)
        while stop - place >= 16:
            one ^= _turn(_eight(data, place) * _FIRST, 31) * _SECOND
            one = (_turn(one, 27) + two) * _FIVE + _ONE_ADD
            two ^= _turn(_eight(data, place + 8) * _SECOND, 33) * _FIRST
            two = (_turn(two, 31) + one) * _FIVE + _TWO_ADD
            place += 16
        if stop - place > 8:
            two ^= _turn(_word(data, place + 8, stop) * _SECOND, 33) * _FIRST
        if stop > place:
            one ^= _turn(_word(data, place, stop) * _FIRST, 31) * _SECOND
        one ^= size
        two ^= size
        one += two
        two += one
        one, two = _mix(one), _mix(two)
        one += two
        out[row, 0], out[row, 1] = one, two + one


@compiled()
def mixed(keys: Keys, out: Keys) -> None:
    """Write one key for each row of keys, which depends on all of them and on their order."""
    for row in range(len(keys)):
        value = np.uint64(0)
        for place in range(keys.shape[1]):
            value = _mix(value * _FIVE + keys[row, place] + _ONE_ADD)
        out[row] = value


def hash_bytes(data: Bytes) -> str:
    """Return the hash of some bytes, 32 hexadecimal digits."""
    out = np.empty((1, 2), dtype=np.uint64)
    _hash_rows(data, np.array([0, len(data)], dtype=np.int64), out)
    return "".join(f"{int(half):016x}" for half in out[0])


def hash_column(texts: Any) -> Keys:
    """Return the hash of each text, shape (rows, 2)."""
    column = Column.of(texts)
    out = np.empty((len(column), 2), dtype=np.uint64)
    _hash_rows(column.data, column.offsets, out)
    return out
