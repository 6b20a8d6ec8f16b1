"""Batches through Dask: a cluster on this machine or anywhere.

In: batches, or inputs that the workers can read themselves. Out: their parts, when asked for. Never
keeps a part on the cluster after it was asked for.
"""

import logging
import time
from asyncio import CancelledError as AsyncCancelledError
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifier.engines.work import (
    FEWER,
    Done,
    Job,
    compute,
    compute_alone,
    compute_file,
    rows_of,
    unpacked,
)
from classifier.errors import EngineError, extra_missing
from classifier.models import LoadedModel
from classifier.read import Input, ReadBatch

try:
    import dask
    import distributed
    from distributed.comm.core import CommClosedError
except ImportError as error:
    raise extra_missing("--engine dask", "dask") from error

WHOLE_BYTES: Final = 256 << 20
"""Up to this size a worker reads an input itself, and gives all its parts at once."""

_CONNECT_SECONDS: Final = 30
_FIRST_WORKER_SECONDS: Final = 300
"""Clusters in a cloud start their machines when there is work."""

_HERE: Final = "127.0.0.1:0"

_COUNT_AGAIN_SECONDS: Final = 10.0


@dataclass(eq=False)
class _Pending:
    """What is on its way, and its name in an error; without a `future` it is done in this process."""

    what: str
    batch: ReadBatch | None = None
    future: Any = None


class Cluster:
    """Scores on the workers of a Dask scheduler.

    A worker that dies gives its batches back to the scheduler, which hands them to another, three times.
    """

    def __init__(
        self, job: Job, model: LoadedModel, inputs: Sequence[Input], *, workers: int | None, scheduler: str
    ) -> None:
        self._job, self._model = job, model
        self._where = scheduler or "this machine's own Dask cluster"
        self._own: Any = None
        self._counted = 0.0
        self._threads = 1
        with self._told():
            self._own, self._client = _connect(workers, scheduler)
        try:
            with self._told():
                self._client.wait_for_workers(1, timeout=_FIRST_WORKER_SECONDS)
                self._seen = self._seen_everywhere(inputs)
        except BaseException:
            self.close(at_once=True)
            raise

    @property
    def workers(self) -> int:
        """How many batches the workers score at the same time, as last counted."""
        if time.monotonic() - self._counted > _COUNT_AGAIN_SECONDS:
            with self._told():
                self._threads = max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._threads

    @property
    def width(self) -> int:
        """Twice as many as are scored at a time: a worker that is done has its next batch already."""
        return 2 * self.workers + 1

    def submit(self, batch: ReadBatch) -> _Pending:
        """Send a batch to a worker.

        Raises
        ------
        EngineError
            If the scheduler is gone.
        """
        if not len(batch.documents):
            return _Pending("", batch)
        # The batch goes with the call, not to one worker's memory, so that it outlives the worker.
        with self._told(), dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            return _Pending(
                rows_of(batch), future=self._client.submit(compute_alone, batch, self._job, pure=False)
            )

    def submit_file(self, source: Input) -> _Pending | None:
        """Have a worker read an input; None where the workers don't see it, or it is too large for that.

        Raises
        ------
        EngineError
            If the scheduler is gone.
        """
        if not source.address and source.name not in self._seen:
            return None
        lean = Input(source.name, source.path.resolve(), address=source.address)
        with self._told():
            return _Pending(
                source.name, future=self._client.submit(compute_file, lean, self._job, pure=False)
            )

    def result(self, pending: _Pending) -> list[Done]:
        """Return the parts of what was submitted.

        Raises
        ------
        EngineError
            If the scheduler is gone, or workers died of it again and again.
        FeedbackError
            Whatever stopped the worker.
        """
        if pending.batch is not None:
            return [Done(compute(pending.batch, self._job, self._model))]
        try:
            with self._told(pending.future):
                found = pending.future.result()
        except distributed.KilledWorker:
            raise EngineError(
                f"workers of {self._where} died of {pending.what}, again and again: "
                f"most likely they ran out of memory; {FEWER}, or smaller input files"
            ) from None
        pending.future.release()
        return [unpacked(one) for one in (found if isinstance(found, list) else [found])]

    def close(self, *, at_once: bool = False) -> None:
        """Leave the cluster; end it if it was started for this run."""
        # A scheduler that is gone has nothing to say, and needs no goodbye.
        with suppress(CommClosedError, OSError, TimeoutError):
            self._client.close(timeout=1 if at_once else 10)
        if self._own is not None:
            self._own.close(timeout=10)

    def _seen_everywhere(self, inputs: Sequence[Input]) -> set[str]:
        """Return the names of the files that every worker sees just as this process does."""
        sizes = {
            source.name: (str(source.path.resolve()), source.path.stat().st_size)
            for source in inputs
            if source.is_here and source.copy is None
        }
        small = {name: file for name, file in sizes.items() if file[1] <= WHOLE_BYTES}
        if len(small) < self.workers:
            # Whole files would leave some workers without work: this process cuts them into parts.
            return set()
        found = self._client.run(_files_there, list(small.values())) if small else {}
        return {name for place, name in enumerate(small) if all(answer[place] for answer in found.values())}

    @contextmanager
    def _told(self, future: Any = None) -> Iterator[None]:
        """Turn the many ways in which a scheduler can be gone into one error."""
        try:
            yield
        except (CancelledError, AsyncCancelledError, CommClosedError, OSError, TimeoutError) as error:
            # What the work itself raised is no word about the scheduler.
            if future is not None and future.status == "error":
                raise
            raise EngineError(
                f"the Dask scheduler at {self._where} can't be reached, or has gone away "
                f"({type(error).__name__}); start it, or look at its log"
            ) from error


def _connect(workers: int | None, scheduler: str) -> tuple[Any, Any]:
    """Return (cluster that is ours to end, client)."""
    if scheduler:
        return None, distributed.Client(scheduler, timeout=_CONNECT_SECONDS)
    # One thread each: the work holds Python's lock most of the time. Nothing that others could reach.
    own = distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=_HERE,
        worker_dashboard_address=_HERE,
        silence_logs=logging.CRITICAL,
    )
    return own, distributed.Client(own, timeout=_CONNECT_SECONDS)


def _files_there(files: Sequence[tuple[str, int]]) -> list[bool]:
    """On a worker: which files are there, with the size that they should have."""
    return [Path(path).is_file() and Path(path).stat().st_size == size for path, size in files]
