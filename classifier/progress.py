"""How far a long command is: rows, rows per second, what remains.

In: counts as batches pass. Out: one line on stderr, if a person watches. Never touches stdout.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def rows_bar(*, shown: bool | None, total: int | None, what: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number of rows done so far.

    Parameters
    ----------
    shown
        None: only where stderr is a terminal.
    total
        Rows in all, where known: then the remaining time is shown too.
    what
        Stands before the bar.
    """
    visible = sys.stderr.isatty() if shown is None else shown
    if not visible:
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=" rows", unit_scale=True, file=sys.stderr, smoothing=0.1) as bar:
        yield lambda rows: bar.update(rows - bar.n) and None
