"""What is done with one batch, wherever it is done.

In: rows as read, and a job: what to do with them. Out: a part. Never looks at another batch, so that any
process on any machine may do any of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import pandas as pd

from classifier import models, pipeline, read
from classifier.engines import packing
from classifier.engines.packing import Packed
from classifier.errors import EngineError, ModelError
from classifier.models import LoadedModel
from classifier.pipeline import Filters, Part, ScoreSettings
from classifier.read import ReadBatch, ReadOptions
from classifier.report.lines import Lines

PART_ROWS: Final = 9_000
"""Documents that are moved at once: enough to make the way worth while, few enough to fill all workers."""

SLOW_PART_ROWS: Final = 250
"""The same for the accurate tier, which reads some 50 to 200 a second."""


@dataclass(frozen=True)
class ModelPlace:
    """Where a worker finds the model, and which one it must be: models travel by name, never as bytes."""

    folder: str
    name: str
    version: str
    model_id: str
    tier: str

    @classmethod
    def of(cls, model: LoadedModel) -> "ModelPlace":
        """Return the place of a loaded model."""
        return cls(str(model.folder.resolve()), model.name, model.version, model.model_id, model.tier)


@dataclass(frozen=True)
class Job:
    """All that shapes a part beside the rows."""

    model: ModelPlace
    settings: ScoreSettings
    filters: Filters
    reading: ReadOptions
    part_rows: int
    # Scored rows as the records of a CSV file, made where they are scored.
    lines: bool = False
    # Whether parts are kept beside the output: then they are packed where they are scored.
    kept: bool = True
    # Whether the output itself keeps their records, where they are scored and written by one process.
    apart: bool = False


@dataclass(frozen=True)
class Done:
    """A part, and its bytes for the journal where it was packed already."""

    part: Part
    packed: Packed | None = None


def compute(batch: ReadBatch, job: Job, model: LoadedModel | None = None) -> Part:
    """Prepare and score one batch.

    Parameters
    ----------
    batch, job
        What to do.
    model
        The job's model where the caller has it; else it is loaded, once per process.

    Raises
    ------
    EngineError
        If there isn't enough memory.
    ModelError
        If this machine hasn't got the job's model.
    """
    try:
        part = pipeline.part_of(
            batch, model=model or loaded(job.model), settings=job.settings, filters=job.filters
        )
        return in_lines(part) if job.lines else part
    except MemoryError:
        raise EngineError(f"out of memory at {rows_of(batch)}; {FEWER}") from None


FEWER: Final = "use fewer --workers, or a machine with more memory"


def in_lines(part: Part) -> Part:
    """Return a part whose scored rows are the records of a CSV file."""
    return replace(part, scored=part.scored if isinstance(part.scored, Lines) else Lines.of(part.scored))


def compute_done(batch: ReadBatch, job: Job, model: LoadedModel) -> Done:
    """Do as `compute`, and pack the part where it will be kept."""
    part = compute(batch, job, model)
    return Done(part, packing.pack(part, apart=job.apart) if job.kept else None)


def compute_alone(batch: ReadBatch, job: Job) -> Packed:
    """Do as `compute` in a worker process, which is one of many: with one thread."""
    _use_one_thread()
    return packing.pack(compute(batch, job))


def unpacked(packed: Packed) -> Done:
    """Return what a worker process packed."""
    return Done(packing.read(packed.content), packed)


def compute_file(source: read.Input, job: Job) -> list[Packed]:
    """Read one input where this process runs, and return its parts in order; see `compute`.

    Raises
    ------
    FeedbackError
        As `compute`; or if the input can't be read from here.
    """
    _use_one_thread()
    here = read.fetch(source)
    return [
        packing.pack(compute(piece, job))
        for batch in read.read_files([here], job.reading)
        for piece in pieces(batch, job.part_rows)
    ]


def pieces(batch: ReadBatch, rows: int) -> Iterator[ReadBatch]:
    """Cut a batch into ones of at most `rows` documents; what was rejected goes with the first."""
    documents = batch.documents
    first = replace(batch, documents=documents.iloc[:rows])
    yield first
    rest = replace(
        batch, rejected=batch.rejected.iloc[:0], dropped=batch.dropped.iloc[:0], merged=0, notes=()
    )
    for start in range(rows, len(documents), rows):
        yield replace(rest, documents=documents.iloc[start : start + rows])


def rows_of(batch: ReadBatch) -> str:
    """Name the rows of a batch, for an error."""
    places = pd.concat([frame[["file", "row"]] for frame in (batch.documents, batch.rejected, batch.dropped)])
    if places.empty:
        return "the end of an input"
    return f"rows {places['row'].min()} to {places['row'].max()} of {places['file'].iloc[0]}"


@lru_cache(maxsize=1)
def loaded(place: ModelPlace) -> LoadedModel:
    """Return the model of a job, loaded once per process.

    Raises
    ------
    ModelError
        If it is not on this machine, or another one has its name.
    """
    folder = Path(place.folder)
    if not (folder / models.DESCRIPTION).is_file():
        folder = models.find(f"{place.name}/{place.version}", places=models.folders())
    model = models.choose_tier(models.load(folder), place.tier)
    if model.model_id != place.model_id:
        raise ModelError(
            f"a worker found the model {model.model_id} in {folder}, not {place.model_id}; "
            "install the same model on every machine"
        )
    return model.on_one_thread()


def _use_one_thread() -> None:
    import pyarrow

    pyarrow.set_cpu_count(1)
