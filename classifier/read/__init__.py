"""Exports in, documents out.

In: files in any of `FORMATS`, written by any of `SOURCES`. Out: batches of documents with the
rows that were rejected or dropped. Never holds a whole table in memory.
"""

from collections.abc import Iterator, Sequence

from classifier.read.documents import KEEP, DocumentReader, empty_batch
from classifier.read.opening import Input, count_whole, fetch, find_inputs, sha256_of, share_read
from classifier.read.options import ReadBatch, ReadOptions, check_options
from classifier.read.plans import Plan, check_named, make_plan
from classifier.read.remote import mark_of
from classifier.read.sources import (
    FormatDescription,
    SourceDescription,
    check_source,
    describe_formats,
    describe_sources,
)

__all__ = [
    "KEEP",
    "FormatDescription",
    "Input",
    "ReadBatch",
    "ReadOptions",
    "SourceDescription",
    "check_options",
    "check_source",
    "count_whole",
    "describe_formats",
    "describe_sources",
    "empty_batch",
    "fetch",
    "find_inputs",
    "mark_of",
    "open_files",
    "read_batches",
    "read_files",
    "sha256_of",
    "share_read",
]


def read_batches(inputs: Sequence[str], options: ReadOptions | None = None) -> Iterator[ReadBatch]:
    """Read documents from files, globs and standard input (`-`).

    All inputs are looked at before the first batch comes: what can't be read is told at once.

    Parameters
    ----------
    inputs
        Paths, globs or `-`; files of different formats and sources may be mixed. A file that is
        named twice is read once.
    options
        How to read them; None: find everything out.

    Yields
    ------
    Batches in the order of the inputs and their rows; at least one per input.

    Raises
    ------
    InputError
        If an input is missing or can't be read, a column that was named isn't there, or no
        column holds the text. If an input breaks off in the middle: after its rows before that.
    """
    files, notes = find_inputs(inputs)
    yield from read_files(files, options, notes=notes)


def read_files(
    files: Sequence[Input], options: ReadOptions | None = None, *, notes: Sequence[str] = ()
) -> Iterator[ReadBatch]:
    """Read documents from inputs that `find_inputs` found; see `read_batches`.

    For callers who need the files themselves too: standard input can be read only once, but its
    copy (`Input.path`) can be hashed.

    Raises
    ------
    InputError
        As `read_batches`.
    """
    chosen = options or ReadOptions()
    streams = open_files(files, chosen)
    if notes:
        yield empty_batch(notes, chosen)
    for stream in streams:
        yield from stream


def open_files(files: Sequence[Input], options: ReadOptions) -> list[Iterator[ReadBatch]]:
    """Look at all inputs, and return the batches of each one; nothing of it is read before it is asked for.

    Raises
    ------
    InputError
        As `read_batches`.
    """
    check_options(options)
    check_source(options.source)
    plans = [make_plan(file, options) for file in files]
    for file in files:
        # What was read to make the plans doesn't count.
        file.meter.read = 0
    check_named([plan for plan in plans if plan], options)
    return [_batches_of(file, plan, options) for file, plan in zip(files, plans, strict=True)]


def _batches_of(file: Input, plan: Plan | None, options: ReadOptions) -> Iterator[ReadBatch]:
    if plan is None:
        yield empty_batch([f"{file.name}: empty"], options)
    else:
        yield from DocumentReader(plan, options).batches()
