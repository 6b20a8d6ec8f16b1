"""Batches through threads of this process.

In: batches, one by one. Out: their parts, when asked for. Compiled code, Arrow and the transformer let go of
Python's lock, so a few threads keep as many cores busy; what Python does itself, one thread does at a time.
"""

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from classifier.engines.work import Done, Job, compute_done
from classifier.models import LoadedModel
from classifier.read import Input, ReadBatch

_SWITCH_SECONDS: Final = 0.0005
"""A thread that comes back from compiled code waits that long for Python's lock, not ten times as long."""


class Threads:
    """Scores in threads of this very process, while it reads and writes."""

    def __init__(self, job: Job, model: LoadedModel, workers: int) -> None:
        self._job, self._model, self.workers = job, model.on_one_thread(), workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="score")
        # One that is done has its next batch already.
        self.width = workers + 1
        self._before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)

    def submit(self, batch: ReadBatch) -> "Future[Done]":
        """Take a batch; those that came earlier go on meanwhile."""
        return self._pool.submit(compute_done, batch, self._job, self._model)

    def submit_file(self, source: Input) -> None:
        """Leave an input to the caller."""

    def result(self, pending: "Future[Done]") -> list[Done]:
        """Return the parts of a batch that was taken.

        Raises
        ------
        FeedbackError
            Whatever stopped it.
        """
        return [pending.result()]

    def close(self, *, at_once: bool = False) -> None:
        """End the threads; `at_once` gives up the batches that none has begun."""
        self._pool.shutdown(cancel_futures=at_once)
        sys.setswitchinterval(self._before)
