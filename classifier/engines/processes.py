"""Batches through this process, or through worker processes on this machine.

In: batches, one by one. Out: their parts, when asked for. Never loses a batch with the worker that had it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Final

from classifier.engines.packing import Packed
from classifier.engines.work import FEWER, Done, Job, compute, compute_alone, rows_of, unpacked
from classifier.errors import EngineError
from classifier.models import LoadedModel
from classifier.read import Input, ReadBatch
from classifier.startup import without_blas

WORTH_BYTES: Final = 64 << 20
"""From this size of inputs on, more processes gain more than their start costs (seconds each)."""

MOST: Final = 8
"""Workers that are taken unasked: the reading process feeds no more."""


MOST_THREADS: Final = 4
"""Cores that threads of one process keep busy; on more, worker processes gain more."""


def workers_for(asked: int | None, inputs: Sequence[Input]) -> int:
    """Return how many processes score: as asked, else one a core where there are many, and enough to do."""
    if asked:
        return asked
    size = sum(source.path.stat().st_size for source in inputs if source.is_here)
    return min(_cores(), MOST) if _cores() > MOST_THREADS and size >= WORTH_BYTES else 1


def threads_for(asked: int | None) -> int:
    """Return how many threads score in one process: one a core, unless one worker was asked for."""
    return asked or min(_cores(), MOST_THREADS)


def _cores() -> int:
    # What this process may use, which in a container is often less than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InProcess:
    """Scores in this very process, when a part is asked for."""

    width = 1
    workers = 1

    def __init__(self, job: Job, model: LoadedModel) -> None:
        self._job, self._model = job, model

    def submit(self, batch: ReadBatch) -> ReadBatch:
        """Take a batch."""
        return batch

    def submit_file(self, source: Input) -> None:
        """Leave an input to the caller."""

    def result(self, pending: ReadBatch) -> list[Done]:
        """Return the parts of a batch that was taken."""
        return [Done(compute(pending, self._job, self._model))]

    def close(self, *, at_once: bool = False) -> None:
        """Nothing to let go of."""


@dataclass(eq=False)
class _Pending:
    """A batch on its way; without a `future` it is done in this process."""

    batch: ReadBatch
    future: "Future[Packed] | None" = None


class Processes:
    """Scores in worker processes, which start when there are two batches to score.

    A worker that dies (most often the system ends it, for memory) takes the others' pool with it. Then
    the oldest batch is done alone in a new pool, and the others again: a batch that kills its worker
    even alone is the one to name.
    """

    def __init__(self, job: Job, model: LoadedModel, workers: int) -> None:
        self._job, self._model, self.workers = job, model, workers
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: list[_Pending] = []
        self.width = 2 * workers + 1

    def submit_file(self, source: Input) -> None:
        """Leave an input to the caller: workers here would wait for the same disk."""

    def submit(self, batch: ReadBatch) -> _Pending:
        """Take a batch; those that came earlier go on meanwhile."""
        pending = _Pending(batch)
        if len(batch.documents):
            self._waiting.append(pending)
            if self._pool is None and len(self._waiting) > 1:
                self._pool = self._start()
            if self._pool is not None:
                for one in self._waiting:
                    if one.future is None:
                        one.future = _sent(self._pool, one.batch)
        return pending

    def result(self, pending: _Pending) -> list[Done]:
        """Return the parts of a batch that was taken.

        Raises
        ------
        EngineError
            If its worker died twice, or has not enough memory.
        FeedbackError
            Whatever stopped it.
        """
        if pending in self._waiting:
            self._waiting.remove(pending)
        if pending.future is None:
            return [Done(compute(pending.batch, self._job, self._model))]
        try:
            return [unpacked(pending.future.result())]
        except BrokenProcessPool:
            return [unpacked(self._again(pending.batch))]

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; `at_once` gives up what they still do."""
        if self._pool is not None:
            self._pool.shutdown(wait=not at_once, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        # Not fork: this process has threads of its own (numba, Arrow), which a copy would lack.
        return ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._job,),
        )

    def _again(self, batch: ReadBatch) -> Packed:
        self.close(at_once=True)
        self._pool = pool = self._start()
        try:
            part = pool.submit(_task, batch).result()
        except BrokenProcessPool:
            raise EngineError(
                f"a worker process died at {rows_of(batch)}, and again when it had them alone: "
                f"most likely it ran out of memory; {FEWER}"
            ) from None
        for other in self._waiting:
            if other.future is not None and not (other.future.done() and not _failed(other.future)):
                other.future = _sent(pool, other.batch)
        return part


def _sent(pool: ProcessPoolExecutor, batch: ReadBatch) -> "Future[Packed]":
    """Hand a batch to the workers; a pool that broke since then is told of when the result is asked for."""
    try:
        return pool.submit(_task, batch)
    except BrokenProcessPool as error:
        failed: Future[Packed] = Future()
        failed.set_exception(error)
        return failed


def _failed(future: "Future[Packed]") -> bool:
    return future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


_job: list[Job] = []
"""In a worker: the one job it was started for, which need not travel with every batch."""


def _begin(job: Job) -> None:
    """Make a worker ready; the model is loaded with the first batch, where a fault can be told."""
    without_blas()
    # Ctrl-C reaches the whole group of processes; the one that reads decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _job[:] = [job]


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone, even by kill -9: nobody else would."""
    parent: Any = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _task(batch: ReadBatch) -> Packed:
    return compute_alone(batch, _job[0])
