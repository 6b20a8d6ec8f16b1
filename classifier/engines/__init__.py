"""Ways to move batches: in this process, in others, on a cluster; and to go on after a crash.

In: inputs and a job. Out: parts, in the order of the inputs and their rows, whatever the way. Never
decides anything about a row: every engine calls the same pure function.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from classifier import read
from classifier.engines import heap
from classifier.engines.counting import notes_of, shifts_of
from classifier.engines.identity import identity_of
from classifier.engines.journal import Journal, NoJournal, folder_beside, opened
from classifier.engines.processes import InProcess, Processes, threads_for, workers_for
from classifier.engines.threads import Threads
from classifier.engines.work import PART_ROWS, SLOW_PART_ROWS, Done, Job, ModelPlace, pieces
from classifier.models import LoadedModel
from classifier.pipeline import Part
from classifier.read import Input, ReadBatch

__all__ = [
    "PART_ROWS",
    "SLOW_PART_ROWS",
    "Engine",
    "Job",
    "Journal",
    "ModelPlace",
    "NoJournal",
    "Runner",
    "folder_beside",
    "identity_of",
    "notes_of",
    "opened",
    "parts",
    "shifts_of",
    "start",
]


@dataclass(frozen=True)
class Engine:
    """Where batches are scored.

    Parameters
    ----------
    kind
        local or dask.
    workers
        Processes; None: threads or processes, as the inputs and the machine suggest.
    scheduler
        Address of a Dask scheduler; empty: a cluster on this machine, for this run.
    part_rows
        Documents that are moved and kept at once.
    """

    kind: str = "local"
    workers: int | None = None
    scheduler: str = ""
    part_rows: int = PART_ROWS


class Runner(Protocol):
    """One way to score batches."""

    @property
    def width(self) -> int:
        """How many batches may be on their way."""

    @property
    def workers(self) -> int:
        """How many are scored at the same time."""

    def submit(self, batch: ReadBatch) -> Any:
        """Take a batch, and return what `result` is asked with."""

    def submit_file(self, source: Input) -> Any:
        """Have a worker read an input and score it; None where this process must read it."""

    def result(self, pending: Any) -> list[Done]:
        """Return the parts of what was taken, when they are there."""

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; `at_once` gives up what they still do."""


def start(engine: Engine, job: Job, model: LoadedModel, inputs: Sequence[Input]) -> Runner:
    """Return what an engine scores with; call its `close` at the end.

    Raises
    ------
    ExtraError
        If the engine's packages are not installed.
    EngineError
        If there is no scheduler at the address.
    """
    heap.give_back()
    if engine.kind == "dask":
        from classifier.engines.cluster import Cluster

        return Cluster(job, model, inputs, workers=engine.workers, scheduler=engine.scheduler)
    workers = workers_for(engine.workers, inputs)
    if workers > 1:
        return Processes(job, model, workers)
    threads = threads_for(engine.workers)
    return Threads(job, model, threads) if threads > 1 else InProcess(job, model)


@dataclass(frozen=True)
class _Slot:
    """A place in the order of parts: one that is there, or on its way, or the end of an input."""

    number: int
    place: int
    part: Part | None = None
    pending: Any = None
    # The parts of a whole input begin with its first, whatever the place says.
    whole: bool = False
    ends: bool = False


def parts(
    inputs: Sequence[Input], notes: Sequence[str], *, job: Job, runner: Runner, journal: Journal
) -> Iterator[Part]:
    """Yield the parts of all inputs in order; those that the journal has are not computed again.

    Raises
    ------
    FeedbackError
        If an input can't be read, a worker fails, or the journal can't be written.
    """
    waiting: deque[_Slot] = deque()
    if notes:
        yield _told(notes, job, runner)
    for slot in _slots(inputs, job, runner, journal):
        waiting.append(slot)
        while len(waiting) >= runner.width:
            yield from _settled(waiting.popleft(), runner, journal)
    while waiting:
        yield from _settled(waiting.popleft(), runner, journal)


def _told(notes: Sequence[str], job: Job, runner: Runner) -> Part:
    """Return a part without rows, for what there is to tell of the inputs as a whole."""
    (done,) = runner.result(runner.submit(read.empty_batch(notes, job.reading)))
    return done.part


def _slots(inputs: Sequence[Input], job: Job, runner: Runner, journal: Journal) -> Iterator[_Slot]:
    """Yield slots in order; whatever isn't in the journal is on its way when its slot comes."""
    here = [source for source in inputs if source.is_here]
    streams = dict(zip((id(source) for source in here), read.open_files(here, job.reading), strict=True))
    for number, source in enumerate(inputs):
        place, done = 0, journal.parts_of(number)
        while done and place < done and (part := journal.take((number, place))):
            yield _Slot(number, place, part)
            place += 1
        if place == done:
            read.count_whole(source)
            continue
        pending = runner.submit_file(source)
        if pending is not None:
            yield _Slot(number, place, pending=pending, whole=True, ends=True)
        else:
            yield from _read_here(number, place, streams[id(source)], job, runner, journal)


def _read_here(
    number: int, given: int, stream: Iterator[ReadBatch], job: Job, runner: Runner, journal: Journal
) -> Iterator[_Slot]:
    """Yield the slots of an input that this process reads, without the first `given` parts."""
    place = 0
    for batch in stream:
        for piece in pieces(batch, job.part_rows):
            if place >= given:
                part = journal.take((number, place))
                yield _Slot(number, place, part, None if part else runner.submit(piece))
            place += 1
    yield _Slot(number, place, ends=True)


def _settled(slot: _Slot, runner: Runner, journal: Journal) -> Iterator[Part]:
    if slot.part is not None:
        yield slot.part
        return
    found = [] if slot.pending is None else runner.result(slot.pending)
    begins = 0 if slot.whole else slot.place
    for place, done in enumerate(found, start=begins):
        if place >= slot.place:
            journal.add((slot.number, place), done.part, done.packed)
            yield done.part
    if slot.ends:
        journal.finish(slot.number, begins + len(found))
