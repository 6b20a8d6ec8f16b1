"""`run` and `report`: exports or scored files into a folder of results.

In: paths, a model and what the user chose. Out: a folder, complete or as it was. Never leaves half of one.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from classifier import engines, pipeline, report, schema
from classifier.errors import OutputError
from classifier.models import LoadedModel
from classifier.newest import Newest
from classifier.options import Chosen
from classifier.pipeline import Tally
from classifier.progress import steps_bar
from classifier.read import Input
from classifier.report import Results, manifest
from classifier.report.folder import RESULTS
from classifier.run.choices import ReportChoice, Watching
from classifier.run.former import add_left_out
from classifier.run.outcome import Clock, Outcome
from classifier.run.record import check_unchanged, state_of, write_manifest
from classifier.run.rejected import check_rejected
from classifier.run.results import results_of, write_files
from classifier.run.stream import found_inputs, scored_batches
from classifier.settings import require_department

PARTS = ".classifier-parts"
"""Folder in a run's folder for what is finished until the run is."""


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
    clock = Clock()
    paths = list(choice.references.given().values())
    state = state_of(paths)
    references = choice.references.read()
    # Before anything is scored, which may take hours.
    objectives = references.get("objectives", schema.empty(schema.OBJECTIVES))
    require_department(choice.department, chosen.settings, objectives["owner_department"])
    tally = Tally()
    sources, notes = found_inputs(inputs, watching)
    state |= state_of([], sources)
    _check_sources(sources, out)
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
            batches = list(scored_batches(found, model, inner, tally, watching, journal, clock, seen=seen))
            scored = canonical(tally.settle(pd.concat(batches, ignore_index=True), seen.settle()))
        check_rejected(tally, chosen, out)
        with clock.stage("report"):
            results = results_of(scored, model.model_id, tally, chosen, choice, references, watching)
        with clock.stage("write"), steps_bar(["writing"], shown=watching.progress) as begin:
            begin("writing")
            write_files(folder, scored, results, chosen, choice)
        write_manifest(folder, results, paths, chosen, choice, watching, clock, sources, tally.shifts)
        # After the last look at them, which is the one that run.json tells of.
        check_unchanged(state)
        names = sorted(path.name for path in manifest.visible(folder))
        told = report.keep_edited(out)
    return _outcome(out, results, tally, clock, names, told)


def _check_sources(sources: Sequence[Input], out: Path) -> None:
    """Refuse inputs that a file of the results would take the place of, even with `--force`."""
    for source in sources:
        path = source.path.resolve()
        if source.is_here and path.parent == out.resolve() and path.name in RESULTS:
            raise OutputError(
                f"{source.name}: a file of the results will have this name; choose another --out, "
                "for inputs are never overwritten"
            )


def make_report(
    scored_files: Sequence[str], out: Path, *, chosen: Chosen, choice: ReportChoice, watching: Watching
) -> Outcome:
    """Make themes, rankings, links and reports from scored files.

    Raises
    ------
    FeedbackError
        If a file isn't a scored one, a table is faulty, or the folder can't be written.
    """
    clock = Clock()
    paths = [*map(Path, scored_files), *choice.references.given().values()]
    state = state_of(paths)
    references = choice.references.read()
    with report.prepare_folder(out, force=choice.force) as folder:
        with clock.stage("report"):
            tally, scored = _read_scored(scored_files)
            model_id = ";".join(sorted(set(scored["model_id"])))
            results = results_of(scored, model_id, tally, chosen, choice, references, watching)
        with clock.stage("write"), steps_bar(["writing"], shown=watching.progress) as begin:
            begin("writing")
            write_files(folder, scored, results, chosen, choice)
        write_manifest(folder, results, paths, chosen, choice, watching, clock)
        check_unchanged(state)
        names = sorted(path.name for path in manifest.visible(folder))
        told = report.keep_edited(out)
    return _outcome(out, results, tally, clock, names, told)


def _read_scored(paths: Sequence[str]) -> tuple[Tally, pd.DataFrame]:
    """Read scored files; a document that several of them hold counts once, whatever their order."""
    names = pipeline.short_names(paths)
    seen = Newest()
    frames = {path: report.read_scored([path]) for path in sorted(names)}
    for path, frame in frames.items():
        seen.enter_scored(frame, names[path])
    scored = report.join_scored(list(frames.values()))
    tally = Tally.of_scored(scored)
    add_left_out(tally, sorted(names))
    return tally, canonical(tally.settle(scored, seen.settle()))


def canonical(scored: pd.DataFrame) -> pd.DataFrame:
    """Return scored rows in an order that depends on nothing but themselves: by date, then by id.

    `score` keeps the order of its input; a run's folder must not depend on it.
    """
    return scored.sort_values(["created_at", "document_id"], kind="stable", na_position="first").reset_index(
        drop=True
    )


def _outcome(
    out: Path, results: Results, tally: Tally, clock: Clock, names: Sequence[str], told: Sequence[str]
) -> Outcome:
    return Outcome(
        out=str(out),
        rows=results.rows.as_dict(),
        labels=dict(tally.labelled),
        review=tally.review,
        model_id=results.model_id,
        notes=tuple(tally.notes),
        warnings=(*results.warnings, *told),
        seconds=clock.seconds,
        results=results,
        files={name: str(out / name) for name in names},
    )
