"""Memory that is given back.

In: nothing. Out: a setting of the C library, for this process. Changes no result.
"""

import contextlib
import ctypes
from typing import Final

import pyarrow as pa

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_LARGE: Final = 16 << 20
"""Bytes from which on a piece of memory is asked of the system alone, and given back when it is free."""

_SPARE: Final = 32 << 20
"""Bytes that stay when they are free, for the next batch: the system clears every page that it hands out.

With 8 MB and pieces of 4 MB, a tenth of all processor time went there."""

_ARENAS: Final = 2
"""Heaps that threads share: each has spare memory of its own."""


def give_back() -> None:
    """Have glibc give large pieces back at once, those of Arrow too; elsewhere nothing happens.

    It learns by itself to keep ever larger ones, which comes to some 120 MB while batches pass; so does the
    allocator that Arrow brings.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        option = ctypes.CDLL(None).mallopt
        option(_M_MMAP_THRESHOLD, _LARGE)
        option(_M_TRIM_THRESHOLD, _SPARE)
        option(_M_ARENA_MAX, _ARENAS)
        pa.set_memory_pool(pa.system_memory_pool())
