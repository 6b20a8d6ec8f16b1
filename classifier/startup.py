"""How a process of our own starts: with less to load, and without looking for garbage while it loads.

In: nothing. Out: settings of this process. Changes no result; never called by a library's user.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNG: Final = 50_000
"""Objects that are made before Python looks for garbage: batches leave next to none."""


@contextmanager
def loading() -> Iterator[None]:
    """Load libraries in here: what they make stays for good, and is looked through never again.

    Python would look for garbage in it some hundred times, which is a seventh of the start.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
        gc.enable()


def without_blas() -> None:
    """Keep numba from loading SciPy's linear algebra, which takes 0.2 s.

    Compiled code can't multiply matrices there; none of ours does.
    """
    name = "scipy.linalg.cython_blas"
    if name in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # what isn't there
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[name]
