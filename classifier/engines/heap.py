"""Memory that is given back.

In: nothing. Out: a setting of the C library, for this process. Changes no result.
"""

import contextlib
import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3

_LARGE: Final = 4 << 20
"""Bytes from which on a piece of memory is asked of the system alone, and given back when it is free."""


def give_back() -> None:
    """Have glibc give large pieces back at once; elsewhere nothing happens.

    It learns by itself to keep ever larger ones, which comes to some 120 MB while batches pass.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
