"""How the time of something grows with its size: a ratio, as seconds would tell of the machine alone."""

import time
from collections.abc import Callable

LEAST_SECONDS = 0.1
"""What takes less is a matter of memory and of other work."""

TRIES = 3
"""A machine that is busy with something else may spoil one look, hardly three."""


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Tell whether work of `size` takes some four times as long as that of a quarter, not sixteen times."""
    return any(_spent(work, size) < 9 * max(_spent(work, size // 4), LEAST_SECONDS) for _ in range(TRIES))


def _spent(work: Callable[[int], object], size: int) -> float:
    start = time.process_time()
    work(size)
    return time.process_time() - start
