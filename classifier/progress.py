"""How far a long command is: rows, rows per second, what remains.

In: counts as batches pass. Out: one line on stderr, if a person watches. Never touches stdout.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def watched(shown: bool | None) -> bool:
    """Return whether progress is shown: as asked, else where stderr is a terminal."""
    return sys.stderr.isatty() if shown is None else shown


def expected_rows(paths: Iterable[Path]) -> int | None:
    """Return about how many rows the files hold, for the remaining time; None where that can't be told.

    Parquet says it; of plain text the line breaks are counted. Compressed files, workbooks and JSON
    documents don't tell before they are read.
    """
    total = 0
    for path in paths:
        with path.open("rb") as file:
            start = file.read(4096)
            if start[:4] == b"PAR1":
                import pyarrow.parquet as pq

                total += pq.read_metadata(path).num_rows
                continue
            if b"\0" in start or start[:2] == b"\x1f\x8b" or _is_document(start):
                return None
            file.seek(0)
            total += sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return total


def _is_document(start: bytes) -> bool:
    """Whether this begins one JSON document, whose line breaks count nothing, rather than JSON Lines."""
    head = start.lstrip()
    return head[:1] == b"[" or (head[:1] == b"{" and not head.split(b"\n", 1)[0].rstrip().endswith(b"}"))


@contextmanager
def rows_bar(
    *, shown: bool | None, total: int | None, what: str, share: Callable[[], float | None] | None = None
) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number of rows done so far.

    Parameters
    ----------
    shown
        None: only where stderr is a terminal.
    total
        Rows in all, where known: then the remaining time is shown too.
    what
        Stands before the bar.
    share
        Tells what part of the input those rows were, where the total isn't known: then it is estimated.
    """
    if not watched(shown):
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=" rows", unit_scale=True, file=sys.stderr, smoothing=0.1) as bar:

        def advance(rows: int) -> None:
            if total is None and share is not None and (part := share()):
                bar.total = max(rows, round(rows / part))
            bar.update(rows - bar.n)

        yield advance


@contextmanager
def steps_bar(steps: Sequence[str], *, shown: bool | None) -> Iterator[Callable[[str], None]]:
    """Yield a function that takes the name of the step, one of `steps`, that begins now."""
    if not watched(shown):
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(
        total=len(steps),
        desc=steps[0],
        bar_format="{desc}: {n_fmt}/{total_fmt} {bar} {elapsed}",
        file=sys.stderr,
    ) as bar:

        def begin(step: str) -> None:
            bar.set_description_str(step, refresh=False)
            bar.n = steps.index(step)
            bar.refresh()

        yield begin
        bar.update(len(steps) - bar.n)
