"""Columns of text as bytes and offsets, for compiled code.

In: a list, a pandas Series or an Arrow array of strings. Out: their UTF-8 bytes and where each row begins;
and the way back. Never copies bytes that lie together already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba.core import cgutils
from numba.core.options import DefaultOptions
from numba.extending import intrinsic

if TYPE_CHECKING:
    import pandas as pd

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]

_COUNTED_AT_ONCE: Final = 128

at = np.uintp
"""Wraps an index that is never negative: compiled code then needn't ask whether it counts from the end."""


_UNCOUNTED: Final = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
"""Has numba count no references to arrays; a version that doesn't know it counts them, and takes longer."""

_unkept: list[str] = []
"""Functions that are compiled anew in every process."""


def is_kept() -> bool:
    """Tell whether what is compiled is kept on disk, for the next process."""
    return not _unkept


def options_of(*, makes_arrays: bool = False, **options: Any) -> dict[str, Any]:
    """Return the options of `numba.njit` that every compiled function shares, and those given."""
    return {"nogil": True, **({} if makes_arrays else _UNCOUNTED), **options}


def compiled(*, makes_arrays: bool = False, **options: Any) -> Callable[[Any], Any]:
    """Return numba's decorator with the options that every compiled function shares.

    What was compiled is kept on disk where numba finds a folder that it may write, else in memory only (see
    `is_kept`). A function that is called for every unit or character takes `forceinline=True`: a call with a
    dozen arrays costs more than what it does.

    Parameters
    ----------
    makes_arrays
        Whether the function makes arrays of its own. Only then references are counted: two atomic steps for
        each array of each call, inlined or not, take longer than looking up a word, and threads wait for
        each other's. Arrays that are given outlive the call anyway.
    options
        Those of `numba.njit`.
    """
    shared = options_of(makes_arrays=makes_arrays, **options)

    def decorate(function: Any) -> Any:
        try:
            return nb.njit(cache=True, **shared)(function)
        except RuntimeError:
            # Read-only installation and no home: compile once more in every process.
            _unkept.append(function.__name__)
            return nb.njit(**shared)(function)

    return decorate


@compiled(forceinline=True)
def code_point(data: Bytes, place: int) -> tuple[int, int]:
    """Return the code point of several bytes that begins at `place`, and how many bytes it has."""
    byte = int(data[at(place)])
    second = int(data[at(place + 1)]) & 0x3F
    if byte < 0xE0:
        return ((byte & 0x1F) << 6) | second, 2
    third = int(data[at(place + 2)]) & 0x3F
    if byte < 0xF0:
        return ((byte & 0x0F) << 12) | (second << 6) | third, 3
    fourth = int(data[at(place + 3)]) & 0x3F
    return ((byte & 0x07) << 18) | (second << 12) | (third << 6) | fourth, 4


def _copying(typing: Any, source: Any, begin: Any, stop: Any, out: Any, at: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, first, last, target, place = values
        given = context.make_array(signature.args[0])(context, builder, array).data
        written = context.make_array(signature.args[3])(context, builder, target).data
        size = builder.sub(last, first)
        cgutils.raw_memcpy(  # type: ignore[no-untyped-call]
            builder, builder.gep(written, [place]), builder.gep(given, [first]), size, 1
        )
        return builder.add(place, size)

    whole = nb.types.int64
    return whole(source, whole, whole, out, whole), build


copy_bytes: Callable[[Bytes, int, int, Bytes, int], int] = intrinsic(_copying)  # type: ignore[assignment]
"""Copies source[begin:stop] to `out`, from `at` on, and returns where it ends: for compiled code.

The C library's copy takes a fiftieth of the time of a loop. Nothing is checked: `out` must have room.
"""


def _arrow(texts: Any) -> Any:
    if getattr(texts, "dtype", None) == "str":
        texts = texts.array.__arrow_array__()
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        return texts if texts.type == pa.large_string() else texts.cast(pa.large_string())
    try:
        return pa.array(texts, type=pa.large_string())
    except UnicodeEncodeError:
        # Half a surrogate pair is no UTF-8, but it takes a place in the text; missing text is "".
        encoded = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b"" for text in texts]
        return pa.array(encoded, type=pa.large_binary())


@dataclass(frozen=True)
class Column:
    """A column of text as its UTF-8 bytes and the offsets of its rows, shape (rows + 1,)."""

    data: Bytes
    offsets: Offsets

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        """Return the text of a row."""
        return bytes(self.data[self.offsets[row] : self.offsets[row + 1]]).decode("utf-8", "surrogatepass")

    @classmethod
    def of(cls, texts: Any) -> "Column":
        """Return the column of `texts`: a list, a pandas Series or an Arrow array of strings."""
        array = _arrow(texts)
        if isinstance(array, pa.ChunkedArray):
            # Putting one chunk together would copy it.
            array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
        if array.null_count:
            array = array.fill_null("")
        _, offsets, data = array.buffers()
        rows = slice(array.offset, array.offset + len(array) + 1)
        starts = (
            np.frombuffer(offsets, dtype=np.int64)[rows]
            if offsets is not None and offsets.size
            else np.zeros(1, np.int64)
        )
        return cls(np.frombuffer(data or b"", dtype=np.uint8), starts)

    def array(self) -> pa.LargeStringArray:
        """Return the column as an Arrow array, without a copy; its bytes must be valid UTF-8."""
        return pa.LargeStringArray.from_buffers(
            len(self), pa.py_buffer(self.offsets), pa.py_buffer(self.data)
        )


@compiled(forceinline=True)
def count_bytes(data: Bytes, begin: int, stop: int, mask: int, wanted: int) -> int:
    """Count the bytes of data[begin:stop] that are `wanted` in the bits of `mask`."""
    count, place, end = 0, np.uint64(begin), np.uint64(stop)
    bits, sought = np.uint8(mask), np.uint8(wanted)
    # So few that a byte can count them: then the processor takes many at once.
    while place + np.uint64(_COUNTED_AT_ONCE) <= end:
        some = np.uint8(0)
        for step in range(np.uint64(_COUNTED_AT_ONCE)):
            some = np.uint8(some + np.uint8((data[place + step] & bits) == sought))
        count += int(some)
        place += np.uint64(_COUNTED_AT_ONCE)
    for rest in range(place, end):
        count += int((data[rest] & bits) == sought)
    return count


@compiled()
def _count_points(data: Bytes, offsets: Offsets, out: Offsets) -> None:
    for row in range(len(out)):
        begin, stop = offsets[row], offsets[row + 1]
        # All but the second and later bytes of a code point.
        out[row] = stop - begin - count_bytes(data, begin, stop, 0xC0, 0x80)


def lengths_of(texts: Any) -> npt.NDArray[np.int64]:
    """Return how many code points each text has, shape (rows,)."""
    column = Column.of(texts)
    out = np.empty(len(column), dtype=np.int64)
    _count_points(column.data, column.offsets, out)
    return out


def series_of(data: Bytes, offsets: Offsets) -> "pd.Series":
    """Return rows of UTF-8 bytes as a column of text, dtype str, without a copy."""
    import pandas as pd

    series: pd.Series = pd.Series(pd.array(Column(data, offsets).array(), dtype="str"))
    return series


def named(names: Sequence[str], places: npt.NDArray[np.integer]) -> "pd.Series":
    """Return names[place] for each of the places, as a column of text, dtype str.

    Ten times as fast as through an array of objects, and Python's lock is free meanwhile.
    """
    import pandas as pd

    told = pa.DictionaryArray.from_arrays(pa.array(places), pa.array(names, pa.large_string()))
    return pd.Series(pd.array(told.dictionary_decode(), dtype="str"))


def replaced(texts: "pd.Series", rows: Any, others: list[str]) -> "pd.Series":
    """Return a column of text, dtype str, with others in some rows, whose places are given in order."""
    import pandas as pd
    import pyarrow.compute as pc

    array = pa.array(texts, type=pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    mask = np.zeros(len(array), dtype=np.bool_)
    mask[rows] = True
    changed = pc.replace_with_mask(array, pa.array(mask), pa.array(others, pa.large_string()))
    return pd.Series(pd.array(changed, dtype="str"), index=texts.index, name=texts.name)
