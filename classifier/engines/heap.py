"""Memory that is given back.

In: nothing. Out: a setting of the C library, for this process. Changes no result.
"""

import contextlib
import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3

_LARGE: Final = 4 << 20
"""Bytes from which on a piece of memory is asked of the system alone, and given back when it is free."""

_SPARE: Final = 8 << 20
"""Bytes that stay when they are free, for the next batch: the system takes its time to hand out new ones."""


def give_back() -> None:
    """Have glibc give large pieces back at once; elsewhere nothing happens.

    It learns by itself to keep ever larger ones, which comes to some 120 MB while batches pass.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        option = ctypes.CDLL(None).mallopt
        option(_M_MMAP_THRESHOLD, _LARGE)
        option(_M_TRIM_THRESHOLD, _SPARE)
