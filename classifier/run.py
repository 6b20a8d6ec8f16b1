"""The commands as functions: score, report, run.

In: paths and choices. Out: files, and what there is to tell about them. Never prints, never parses
options; every stage's rules live in the stage.
"""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier import backlogs, models, pipeline, read, report, schema, sentences, tables
from classifier.errors import InputError, OutputError
from classifier.models import LoadedModel
from classifier.options import Chosen
from classifier.pipeline import ScoreSettings, Tally
from classifier.progress import expected_rows, rows_bar, watched
from classifier.report import Results, Rows, ScoredSummary, manifest

SCORED = "scored.parquet"
REJECTED = "rejected.csv"


@dataclass(frozen=True)
class Watching:
    """What is shown while a command works (None: where a terminal watches), and with how many cores."""

    progress: bool | None = None
    workers: int | None = None


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
    """Seconds per stage."""

    began: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    stages: dict[str, float] = field(default_factory=dict)

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
    """Find and load a model that has the tier.

    Raises
    ------
    ModelError
        If there is none, or it lacks the tier: never another one instead.
    """
    model = models.load(models.find(name, places=models.folders(folder)))
    models.require_tier(model, tier)
    return model


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
    tally = Tally()
    files = {} if out == "-" else {Path(out).name: out}
    _check_target(out, inputs)
    with report.scored_writer(out, extra=chosen.settings.input.keep, format=form, bom=bom) as writer:
        sources, notes = read.find_inputs(inputs)
        tally.names = pipeline.short_names(source.name for source in sources)
        for batch in _scored(sources, notes, model=model, chosen=chosen, tally=tally, watching=watching):
            writer.write(batch)
        if any(map(len, tally.rejected)):
            beside = _rejected_beside(Path("stdout" if out == "-" else out))
            report.write_csv(tally.table("rejected"), beside, bom=bom)
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
    sources, notes = read.find_inputs(inputs)
    # Equal documents in two files: which one counts must not depend on the order they were named in.
    sources = sorted(sources, key=lambda source: source.name)
    tally.names = pipeline.short_names(source.name for source in sources)
    # Themes need the quotes; what leaves the program is stripped afterwards.
    scoring = replace(chosen.settings.scoring, quotes="redacted")
    inner = replace(chosen, settings=replace(chosen.settings, scoring=scoring))
    with report.prepare_folder(out, force=choice.force) as folder:
        with clock.stage("score"):
            batches = list(_scored(sources, notes, model=model, chosen=inner, tally=tally, watching=watching))
        _check_rejected(tally, chosen, out)
        with clock.stage("report"):
            scored = canonical(pd.concat(batches, ignore_index=True))
            results = _results(scored, model.model_id, tally, chosen, choice, references)
        with clock.stage("write"):
            _write(folder, scored, results, chosen, choice)
        paths = [source.path for source in sources] + list(choice.references.given().values())
        stdin = [source.path for source in sources if source.name == "-"]
        _write_manifest(folder, results, paths, chosen, choice, watching, clock, stdin)
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
            scored = canonical(report.read_scored(scored_files))
            tally = Tally.of_scored(scored)
            model_id = ";".join(sorted(set(scored["model_id"])))
            results = _results(scored, model_id, tally, chosen, choice, references)
        with clock.stage("write"):
            _write(folder, scored, results, chosen, choice)
        paths = [*map(Path, scored_files), *choice.references.given().values()]
        _write_manifest(folder, results, paths, chosen, choice, watching, clock)
        names = sorted(path.name for path in manifest.visible(folder))
    return _outcome(out, results, tally, clock, names)


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
    sources: Sequence[read.Input],
    notes: Sequence[str],
    *,
    model: LoadedModel,
    chosen: Chosen,
    tally: Tally,
    watching: Watching,
) -> Iterator[pd.DataFrame]:
    """Yield scored batches, with the kept columns that filters need but nobody asked for left out."""
    given = chosen.settings.input
    extra = tuple(name for name in chosen.filters.where if name not in pipeline.FILTERABLE)
    names = {one for one in read.ReadOptions.__dataclass_fields__ if one in given.__dataclass_fields__}
    options = read.ReadOptions(
        **{name: getattr(given, name) for name in names - {"keep"}},
        keep=tuple(dict.fromkeys((*given.keep, *extra))),
        may_lack=chosen.may_lack,
    )
    settings = ScoreSettings(
        quotes=chosen.settings.scoring.quotes == "redacted",
        competitors=chosen.settings.competitors,
        keep=given.keep,
        languages=chosen.settings.scoring.languages,
    )
    if watching.workers:
        import numba

        numba.set_num_threads(min(watching.workers, numba.get_num_threads()))
    batches = read.read_files(sources, options, notes=notes)
    total = expected_rows(source.path for source in sources) if watched(watching.progress) else None
    with rows_bar(shown=watching.progress, total=total, what="scoring") as advance:
        for batch in pipeline.score_batches(
            batches, model=model, settings=settings, filters=chosen.filters, tally=tally
        ):
            advance(tally.read)
            yield batch


def _check_rejected(tally: Tally, chosen: Chosen, out: Path) -> None:
    """Stop where too many rows were rejected, but leave the list of them in the folder."""
    try:
        pipeline.check_rejected(tally, chosen.settings.input.max_rejected)
    except InputError:
        report.write_csv(tally.table("rejected"), out / REJECTED)
        raise


def _results(
    scored: pd.DataFrame,
    model_id: str,
    tally: Tally,
    chosen: Chosen,
    choice: ReportChoice,
    references: Mapping[str, pd.DataFrame],
) -> Results:
    newest = scored["created_at"].max()
    as_of = choice.as_of if choice.as_of is not None else (None if pd.isna(newest) else newest)
    built = backlogs.build(
        scored,
        settings=chosen.settings,
        references=references,
        as_of=as_of,
        department=choice.department,
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
        rejected=tally.table("rejected"),
        duplicates=tally.table("duplicates"),
        dropped=tally.table("dropped"),
        has_claims="claims" in references,
        warnings=(*tally.warnings(), *built.warnings),
        vectors=built.vectors,
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
    stdin: Sequence[Path] = (),
) -> None:
    settings: dict[str, Any] = asdict(chosen.settings)
    settings["filters"] = {
        "since": str(chosen.filters.since or ""),
        "until": str(chosen.filters.until or ""),
        "where": dict(chosen.filters.where),
    }
    settings["report"]["department"] = choice.department
    settings["themes"]["vectors"] = results.vectors
    built = manifest.build(
        folder,
        rows=results.rows,
        inputs=_inputs(paths, stdin),
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
            "workers": watching.workers or os.cpu_count(),
            "engine": "local",
            "peak_memory_mb": _peak_memory(),
            "paths": [str(path) for path in paths],
            "config": chosen.config,
        },
    )
    manifest.write(folder, built)


def _inputs(paths: Sequence[Path], stdin: Sequence[Path]) -> list[dict[str, str]]:
    """Return name and sha256 of each input; the copy of standard input has a name of chance, so it is "-"."""
    files = manifest.inputs_of(path for path in paths if path not in stdin)
    piped = [{"name": "-", "sha256": read.sha256_of(path)} for path in stdin]
    return sorted([*files, *piped], key=lambda one: (one["name"], one["sha256"]))


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
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
