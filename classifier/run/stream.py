"""Exports to scored batches, in input order, as they come.

In: inputs, a model and what the user chose. Out: batches, and a tally of what else was met. Writes
nothing but the journal.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from classifier import engines, pipeline, priors, read
from classifier.dedupe import Register
from classifier.engines import Job, Journal
from classifier.labels import LABELS
from classifier.models import LoadedModel
from classifier.models.layout import ACCURATE
from classifier.newest import Newest
from classifier.options import Chosen
from classifier.pipeline import ScoreSettings, Tally
from classifier.progress import expected_rows, rows_bar, watched
from classifier.report import manifest
from classifier.run.choices import Watching
from classifier.run.outcome import Clock


def found_inputs(inputs: Sequence[str], watching: Watching) -> tuple[list[read.Input], list[str]]:
    """Return the inputs and notes on them; workers of a cluster fetch what lies elsewhere themselves."""
    return read.find_inputs(inputs, fetched=watching.engine.kind == "local")


def scored_batches(
    found: tuple[Sequence[read.Input], Sequence[str]],
    model: LoadedModel,
    chosen: Chosen,
    tally: Tally,
    watching: Watching,
    journal: Journal,
    clock: Clock,
    *,
    seen: Register | Newest | None = None,
    lines: bool = False,
    apart: bool = False,
) -> Generator[Any, None, None]:
    """Yield scored batches, with the kept columns that filters need but nobody asked for left out.

    They are tables SCORED, or `Lines` where these are wanted; `apart`: the caller tells the journal where it
    has written them.
    """
    sources, notes = found
    tally.names = pipeline.short_names(source.name for source in sources)
    job = job_of(chosen, model, watching.engine.part_rows)
    if chosen.settings.scoring.prior_shift:
        job = _shifted(replace(job, kept=False), sources, model, tally, watching)
    job = replace(job, lines=lines, kept=journal.keeps, apart=apart)
    identity = partial(engines.identity_of, job, sources, manifest.versions())
    tally.notes += journal.start(identity, resume=watching.resume, apart=apart)
    runner = engines.start(watching.engine, job, model, sources)
    seen, done = Register() if seen is None else seen, False
    share = partial(read.share_read, sources)
    try:
        with rows_bar(
            shown=watching.progress, total=_expected(sources, watching), what="scoring", share=share
        ) as advance:
            for part in engines.parts(sources, notes, job=job, runner=runner, journal=journal):
                yield pipeline.settle(part, seen=seen, tally=tally)
                advance(tally.read)
        done = True
    finally:
        clock.workers, clock.resumed = runner.workers, journal.taken
        runner.close(at_once=not done)


def _shifted(
    job: Job, sources: Sequence[read.Input], model: LoadedModel, tally: Tally, watching: Watching
) -> Job:
    """Return the job with the shifts that a first pass over all inputs finds."""
    shares = model.priors  # before any work: an old model has none
    runner = engines.start(watching.engine, job, model, sources)
    done = False
    try:
        with rows_bar(
            shown=watching.progress, total=_expected(sources, watching), what="counting labels"
        ) as advance:
            passed = engines.parts(sources, (), job=job, runner=runner, journal=engines.NoJournal())
            shifts = engines.shifts_of(_watched(passed, advance), model)
        done = True
    finally:
        runner.close(at_once=not done)
    tally.shifts = priors.told(shifts, shares, LABELS)
    tally.notes += engines.notes_of(shifts, shares)
    settings = replace(job.settings, shifts={source: shift.logit for source, shift in shifts.items()})
    return replace(job, settings=settings)


def _watched(parts: Iterator[pipeline.Part], advance: Callable[[int], None]) -> Iterator[pipeline.Part]:
    """Yield parts, and tell how many documents have passed."""
    passed = 0
    for part in parts:
        yield part
        passed += part.documents
        advance(passed)


def job_of(chosen: Chosen, model: LoadedModel, part_rows: int) -> Job:
    """Return all that shapes a scored row, as a worker needs it."""
    given = chosen.settings.input
    extra = tuple(name for name in chosen.filters.where if name not in pipeline.FILTERABLE)
    names = {one for one in read.ReadOptions.__dataclass_fields__ if one in given.__dataclass_fields__}
    options = read.ReadOptions(
        **{name: getattr(given, name) for name in names - {"keep"}},
        keep=tuple(dict.fromkeys((*given.keep, *extra))),
        may_lack=chosen.may_lack,
        filtered=extra,
    )
    settings = ScoreSettings(
        quotes=chosen.settings.scoring.quotes == "redacted",
        competitors=chosen.settings.competitors,
        keep=given.keep,
        languages=chosen.settings.scoring.languages,
    )
    place = engines.ModelPlace.of(model)
    # What an interrupted run keeps are whole parts: of a slow tier, smaller ones.
    rows = min(part_rows, engines.SLOW_PART_ROWS) if place.tier == ACCURATE else part_rows
    return Job(place, settings, chosen.filters, options, rows)


def _expected(sources: Sequence[read.Input], watching: Watching) -> int | None:
    """Return about how many rows there are, where somebody watches and the inputs tell."""
    if not watched(watching.progress) or not all(source.is_here for source in sources):
        return None
    return expected_rows(source.path for source in sources)
