"""The commands as functions: score, report, run.

In: paths and choices. Out: files, and what there is to tell about them. Never prints, never parses
options; every stage's rules live in the stage.
"""

import platform
import resource
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from classifier import engines, models, pipeline, priors, read, report, schema, tables
from classifier.dedupe import Register
from classifier.engines import Engine, Job, Journal
from classifier.errors import InputError, OutputError
from classifier.labels import LABELS
from classifier.models import LoadedModel
from classifier.newest import Newest
from classifier.options import Chosen
from classifier.pipeline import ScoreSettings, Tally
from classifier.progress import expected_rows, rows_bar, steps_bar, watched
from classifier.report import Results, Rows, ScoredSummary, manifest

SCORED = "scored.parquet"
REJECTED = "rejected.csv"
PARTS = ".classifier-parts"
"""Folder in a run's folder for what is finished until the run is."""


@dataclass(frozen=True)
class Watching:
    """How a command works: what is shown (None: where a terminal watches), by which engine, from where."""

    progress: bool | None = None
    engine: Engine = field(default_factory=Engine)
    resume: bool = False


@dataclass(frozen=True)
class References:
    """Paths of the tables beside the feedback, where given."""

    claims: Path | None = None
    capabilities: Path | None = None
    accounts: Path | None = None
    objectives: Path | None = None

    def given(self) -> dict[str, Path]:
        """Return the paths by the name of the table."""
        return {name: path for name in tables.KINDS if (path := getattr(self, name))}

    def read(self) -> dict[str, pd.DataFrame]:
        """Return the tables that were given, by name."""
        return {name: tables.read_table(path, name) for name, path in self.given().items()}


@dataclass(frozen=True)
class ReportChoice:
    """How a report is made."""

    references: References = field(default_factory=References)
    department: str = ""
    as_of: pd.Timestamp | None = None
    bom: bool = False
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a command did, for its summary.

    `rows` as in run.json; `labels` documents per label; `results` where a report was made; `files`
    name -> path.
    """

    out: str
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    review: int
    model_id: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    results: Results | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Clock:
    """Seconds per stage, and how many processes scored."""

    began: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    stages: dict[str, float] = field(default_factory=dict)
    workers: int = 1
    resumed: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        began = time.monotonic()
        yield
        self.stages[name] = round(time.monotonic() - began, 3)

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began


def load_model(name: str, *, folder: str = "", tier: str | None = None) -> LoadedModel:
    """Find and load a model, with the tier that shall score.

    Raises
    ------
    ModelError
        If there is none, or it lacks the tier: never another one instead.
    """
    model = models.load(models.find(name, places=models.folders(folder)))
    return models.choose_tier(model, tier)


def score(
    inputs: Sequence[str],
    out: str,
    *,
    model: LoadedModel,
    chosen: Chosen,
    form: str = "",
    bom: bool = False,
    watching: Watching,
) -> Outcome:
    """Score exports into one file, streaming, in input order.

    Rows that can't be read go to rejected.csv beside it, even where they are too many.

    Raises
    ------
    FeedbackError
        If an input can't be read, too many rows can't, or the output can't be written.
    """
    clock = _Clock()
    files = {} if out == "-" else {Path(out).name: out}
    _check_target(out, inputs)
    extra = chosen.settings.input.keep
    with _journal(out) as journal, closing(_streaming(out, journal)) as tally:
        part, rejected = (None if out == "-" else journal.unfinished(name) for name in ("rows", "rejected"))
        with report.scored_writer(out, extra=extra, format=form, bom=bom, unfinished=part) as writer:
            found = _found(inputs, watching)
            passing = _scored(found, model, chosen, tally, watching, journal, clock, lines=writer.takes_lines)
            with closing(passing) as batches:
                for batch in batches:
                    writer.write(batch)
            if len(tally.rejected):
                beside = _rejected_beside(Path("stdout" if out == "-" else out))
                _write_rejected(tally, beside, bom=bom, unfinished=rejected)
                files[beside.name] = str(beside)
            pipeline.check_rejected(tally, chosen.settings.input.max_rejected)
    return Outcome(
        out=out,
        rows=tally.rows(),
        labels=dict(tally.labelled),
        review=tally.review,
        model_id=model.model_id,
        notes=tuple(tally.notes),
        warnings=tally.warnings(),
        seconds=clock.seconds,
        files=files,
    )


def _journal(out: str) -> AbstractContextManager[Journal]:
    """Open the journal of a scored file."""
    if out == "-":
        return nullcontext(engines.NoJournal())
    return engines.opened(engines.folder_beside(Path(out)), out)


def _streaming(out: str, journal: Journal) -> Tally:
    """Return a tally whose rows lie on the disk of the output where they are many."""
    return Tally.streaming(None if out == "-" else journal.folder)


def _found(inputs: Sequence[str], watching: Watching) -> tuple[list[read.Input], list[str]]:
    """Return the inputs and notes on them; workers of a cluster fetch what lies elsewhere themselves."""
    return read.find_inputs(inputs, fetched=watching.engine.kind == "local")


def _check_target(out: str, inputs: Sequence[str]) -> None:
    """Refuse to write scored rows over an input, or where the list of rejected rows goes."""
    if out == "-":
        return
    if Path(out).name == REJECTED:
        raise OutputError(f"{out}: rejected rows go to a file of this name; choose another --out")
    for name in inputs:
        if name != "-" and Path(name).resolve() == Path(out).resolve():
            raise OutputError(
                f"{out}: is an input too; choose another --out, for inputs are never overwritten"
            )


def _rejected_beside(out: Path) -> Path:
    """Return where the rejected rows of `out` go: rejected.csv, unless that is somebody else's."""
    usual = out.parent / REJECTED
    header = ",".join(schema.REJECTED)
    of_a_run = (out.parent / manifest.NAME).exists()
    foreign = usual.exists() and not usual.read_bytes()[:200].decode("utf-8", "replace").lstrip(
        "\ufeff"
    ).startswith(header)
    return out.with_name(f"{out.name}.{REJECTED}") if of_a_run or foreign else usual


def run(
    inputs: Sequence[str],
    out: Path,
    *,
    model: LoadedModel,
    chosen: Chosen,
    choice: ReportChoice,
    watching: Watching,
) -> Outcome:
    """Do the main job: exactly `score`, then `make_report`, into one folder.

    Raises
    ------
    FeedbackError
        As `score` and `make_report`; the folder's former results stay as they were.
    """
    clock = _Clock()
    references = choice.references.read()
    tally = Tally()
    sources, notes = _found(inputs, watching)
    # Equal documents in two files: which one counts must not depend on the order they were named in.
    sources = sorted(sources, key=lambda source: source.name)
    # Themes need the quotes; what leaves the program is stripped afterwards.
    scoring = replace(chosen.settings.scoring, quotes="redacted")
    inner = replace(chosen, settings=replace(chosen.settings, scoring=scoring))
    seen = Newest()
    with (
        report.prepare_folder(out, force=choice.force) as folder,
        engines.opened(out / PARTS, str(out)) as journal,
    ):
        with clock.stage("score"):
            found = sources, notes
            batches = list(_scored(found, model, inner, tally, watching, journal, clock, seen=seen))
            scored = canonical(tally.settle(pd.concat(batches, ignore_index=True), seen.settle()))
        _check_rejected(tally, chosen, out)
        with clock.stage("report"):
            results = _results(scored, model.model_id, tally, chosen, choice, references, watching)
        with clock.stage("write"), steps_bar(["writing"], shown=watching.progress) as begin:
            begin("writing")
            _write(folder, scored, results, chosen, choice)
        paths = list(choice.references.given().values())
        _write_manifest(folder, results, paths, chosen, choice, watching, clock, sources, tally.shifts)
        names = sorted(path.name for path in manifest.visible(folder))
    return _outcome(out, results, tally, clock, names)


def make_report(
    scored_files: Sequence[str], out: Path, *, chosen: Chosen, choice: ReportChoice, watching: Watching
) -> Outcome:
    """Make themes, rankings, links and reports from scored files.

    Raises
    ------
    FeedbackError
        If a file isn't a scored one, a table is faulty, or the folder can't be written.
    """
    clock = _Clock()
    references = choice.references.read()
    with report.prepare_folder(out, force=choice.force) as folder:
        with clock.stage("report"):
            tally, scored = _read_scored(scored_files)
            model_id = ";".join(sorted(set(scored["model_id"])))
            results = _results(scored, model_id, tally, chosen, choice, references, watching)
        with clock.stage("write"), steps_bar(["writing"], shown=watching.progress) as begin:
            begin("writing")
            _write(folder, scored, results, chosen, choice)
        paths = [*map(Path, scored_files), *choice.references.given().values()]
        _write_manifest(folder, results, paths, chosen, choice, watching, clock)
        names = sorted(path.name for path in manifest.visible(folder))
    return _outcome(out, results, tally, clock, names)


def _read_scored(paths: Sequence[str]) -> tuple[Tally, pd.DataFrame]:
    """Read scored files; a document that several of them hold counts once, whatever their order."""
    names = pipeline.short_names(paths)
    seen = Newest()
    frames = {path: report.read_scored([path]) for path in sorted(names)}
    for path, frame in frames.items():
        seen.enter_scored(frame, names[path])
    scored = report.join_scored(list(frames.values()))
    tally = Tally.of_scored(scored)
    return tally, canonical(tally.settle(scored, seen.settle()))


def canonical(scored: pd.DataFrame) -> pd.DataFrame:
    """Return scored rows in an order that depends on nothing but themselves: by date, then by id.

    `score` keeps the order of its input; a run's folder must not depend on it.
    """
    return scored.sort_values(["created_at", "document_id"], kind="stable", na_position="first").reset_index(
        drop=True
    )


def _write(
    folder: Path, scored: pd.DataFrame, results: Results, chosen: Chosen, choice: ReportChoice
) -> None:
    """Write all files but run.json; without the customers' words where quotes aren't wanted."""
    if chosen.settings.scoring.quotes == "none":
        scored, results = _without_quotes(scored, results)
    kept = [name for name in scored.columns if name not in schema.SCORED]
    with report.scored_writer(folder / SCORED, extra=kept) as writer:
        writer.write(scored)
    report.write(folder, results, bom=choice.bom)


def _scored(
    found: tuple[Sequence[read.Input], Sequence[str]],
    model: LoadedModel,
    chosen: Chosen,
    tally: Tally,
    watching: Watching,
    journal: Journal,
    clock: _Clock,
    *,
    seen: Register | Newest | None = None,
    lines: bool = False,
) -> Generator[Any, None, None]:
    """Yield scored batches, with the kept columns that filters need but nobody asked for left out.

    They are tables SCORED, or `Lines` where these are wanted.
    """
    sources, notes = found
    tally.names = pipeline.short_names(source.name for source in sources)
    job = _job(chosen, model, watching.engine.part_rows)
    if chosen.settings.scoring.prior_shift:
        job = _shifted(replace(job, kept=False), sources, model, tally, watching)
    job = replace(job, lines=lines, kept=journal.keeps)
    identity = partial(engines.identity_of, job, sources, manifest.versions())
    tally.notes += journal.start(identity, resume=watching.resume)
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


def _job(chosen: Chosen, model: LoadedModel, part_rows: int) -> Job:
    """Return all that shapes a scored row, as a worker needs it."""
    given = chosen.settings.input
    extra = tuple(name for name in chosen.filters.where if name not in pipeline.FILTERABLE)
    names = {one for one in read.ReadOptions.__dataclass_fields__ if one in given.__dataclass_fields__}
    options = read.ReadOptions(
        **{name: getattr(given, name) for name in names - {"keep"}},
        keep=tuple(dict.fromkeys((*given.keep, *extra))),
        may_lack=chosen.may_lack,
        filtered=tuple(name for name in extra if name not in given.keep),
    )
    settings = ScoreSettings(
        quotes=chosen.settings.scoring.quotes == "redacted",
        competitors=chosen.settings.competitors,
        keep=given.keep,
        languages=chosen.settings.scoring.languages,
    )
    return Job(engines.ModelPlace.of(model), settings, chosen.filters, options, part_rows)


def _expected(sources: Sequence[read.Input], watching: Watching) -> int | None:
    """Return about how many rows there are, where somebody watches and the inputs tell."""
    if not watched(watching.progress) or not all(source.is_here for source in sources):
        return None
    return expected_rows(source.path for source in sources)


def _check_rejected(tally: Tally, chosen: Chosen, out: Path) -> None:
    """Stop where too many rows were rejected, but leave the list of them in the folder."""
    try:
        pipeline.check_rejected(tally, chosen.settings.input.max_rejected)
    except InputError:
        _write_rejected(tally, out / REJECTED)
        raise


def _write_rejected(tally: Tally, path: Path, *, bom: bool = False, unfinished: Path | None = None) -> None:
    """Write the rejected rows block by block, however many they are."""
    report.write_csv_blocks(
        schema.REJECTED, tally.rejected.blocks(tally.names), path, bom=bom, unfinished=unfinished
    )


def _results(
    scored: pd.DataFrame,
    model_id: str,
    tally: Tally,
    chosen: Chosen,
    choice: ReportChoice,
    references: Mapping[str, pd.DataFrame],
    watching: Watching,
) -> Results:
    # What finds themes takes long to load, and `score` doesn't need it.
    from classifier import backlogs, sentences

    newest = scored["created_at"].max()
    as_of = choice.as_of if choice.as_of is not None else (None if pd.isna(newest) else newest)
    with steps_bar(backlogs.STEPS, shown=watching.progress) as begin:
        built = backlogs.build(
            scored,
            settings=chosen.settings,
            references=references,
            as_of=as_of,
            department=choice.department,
            begin=begin,
            sentences=sentences.load,
        )
    return Results(
        title=chosen.settings.report.title,
        currency=chosen.settings.report.currency,
        model_id=model_id,
        as_of=as_of,
        rows=Rows(**tally.rows()),
        summary=ScoredSummary.of(scored),
        weights=chosen.settings.rank.weights,
        themes=built.themes,
        evidence=built.evidence,
        product_backlog=built.product_backlog,
        marketing_backlog=built.marketing_backlog,
        claims_at_risk=built.claims_at_risk,
        influence=built.influence,
        weekly=built.weekly,
        rejected=tally.rejected.whole(tally.names),
        duplicates=tally.duplicates.whole(tally.names),
        dropped=tally.dropped.whole(tally.names),
        has_claims="claims" in references,
        warnings=(*tally.warnings(), *built.warnings),
        vectors=built.vectors,
        compared=built.compared,
        names=_names(references),
    )


def _names(references: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    names: dict[str, str] = {}
    for table, key, text in (
        ("capabilities", "capability_id", "capability"),
        ("objectives", "objective_id", "objective"),
    ):
        if table in references:
            frame = references[table]
            names |= dict(zip(frame[key], frame[text], strict=True))
    return names


_QUOTED = ("quote_1", "quote_2", "quote_3", "quote", "exemplar")


def _without_quotes(scored: pd.DataFrame, results: Results) -> tuple[pd.DataFrame, Results]:
    """Return both without any text of a customer but the words of theme titles."""
    stripped: dict[str, Any] = {}
    for name in ("themes", "evidence", "product_backlog", "marketing_backlog", "claims_at_risk"):
        frame = getattr(results, name)
        blank = pd.Series([""] * len(frame), index=frame.index, dtype="str")
        stripped[name] = frame.assign(**{column: blank for column in _QUOTED if column in frame})
    return pipeline.without_quotes(scored), replace(results, **stripped)


def _write_manifest(
    folder: Path,
    results: Results,
    paths: Sequence[Path],
    chosen: Chosen,
    choice: ReportChoice,
    watching: Watching,
    clock: _Clock,
    sources: Sequence[read.Input] = (),
    shifts: Mapping[str, Any] | None = None,
) -> None:
    settings: dict[str, Any] = asdict(chosen.settings)
    settings["scoring"]["prior_shifts"] = dict(shifts or {})
    settings["filters"] = {
        "since": str(chosen.filters.since or ""),
        "until": str(chosen.filters.until or ""),
        "where": dict(chosen.filters.where),
    }
    settings["report"]["department"] = choice.department
    settings["themes"]["vectors"] = results.vectors
    settings["themes"]["compared"] = results.compared
    built = manifest.build(
        folder,
        rows=results.rows,
        inputs=_inputs(paths, sources),
        model_id=results.model_id,
        settings=settings,
        as_of="" if results.as_of is None else results.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=manifest.versions(),
        execution={
            "started": clock.started,
            "seconds": round(clock.seconds, 3),
            "stages": clock.stages,
            "host": platform.node(),
            "platform": platform.platform(),
            "workers": clock.workers,
            "engine": watching.engine.kind,
            "scheduler": watching.engine.scheduler,
            "resumed_parts": clock.resumed,
            "peak_memory_mb": _peak_memory(),
            "paths": [*(source.address or str(source.path) for source in sources), *map(str, paths)],
            "config": chosen.config,
        },
    )
    manifest.write(folder, built)


def _inputs(paths: Sequence[Path], sources: Sequence[read.Input]) -> list[dict[str, str]]:
    """Return name and sha256 of each input; a copy has a path of chance, so it goes by the input's name."""
    files = [source.path for source in sources if source.is_here and source.copy is None]
    described = manifest.inputs_of([*files, *paths])
    for source in sources:
        if source.copy is not None or not source.is_here:
            # Held by its name here: a copy is gone with the last who holds it.
            copy = read.fetch(source)
            described.append({"name": Path(source.name).name, "sha256": read.sha256_of(copy.path)})
    return sorted(described, key=lambda one: (one["name"], one["sha256"]))


def _peak_memory() -> int:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # Bytes on macOS, kilobytes elsewhere.
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def _outcome(out: Path, results: Results, tally: Tally, clock: _Clock, names: Sequence[str]) -> Outcome:
    return Outcome(
        out=str(out),
        rows=results.rows.as_dict(),
        labels=dict(results.summary.per_label),
        review=results.summary.review,
        model_id=results.model_id,
        notes=tuple(tally.notes),
        warnings=results.warnings,
        seconds=clock.seconds,
        results=results,
        files={name: str(out / name) for name in names},
    )
