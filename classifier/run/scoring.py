"""`score`: exports into one file of scored rows.

In: inputs, a model and what the user chose. Out: one file, and the list of rejected rows beside it. Never
holds the whole of either.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from classifier import engines, models, pipeline, report
from classifier.engines import Journal
from classifier.errors import OutputError
from classifier.models import LoadedModel
from classifier.options import Chosen
from classifier.pipeline import Tally
from classifier.run.choices import Watching
from classifier.run.outcome import Clock, Outcome
from classifier.run.rejected import REJECTED, rejected_beside, write_rejected
from classifier.run.stream import found_inputs, scored_batches


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
    clock = Clock()
    files = {} if out == "-" else {Path(out).name: out}
    _check_target(out, inputs)
    extra = chosen.settings.input.keep
    with _journal(out) as journal, closing(_streaming(out, journal)) as tally:
        part, rejected = (None, None) if out == "-" else (journal.rows, journal.unfinished("rejected"))
        with report.scored_writer(
            out, extra=extra, format=form, bom=bom, unfinished=part, lasting=True
        ) as writer:
            found = found_inputs(inputs, watching)
            passing = scored_batches(
                found,
                model,
                chosen,
                tally,
                watching,
                journal,
                clock,
                lines=writer.takes_lines,
                apart=writer.place is not None,
            )
            with closing(passing) as batches:
                for batch in batches:
                    place = writer.place
                    writer.write(batch)
                    if place is not None:
                        journal.written(batch, place)
            beside = rejected_beside(Path.cwd() / "stdout" if out == "-" else Path(out))
            if len(tally.rejected):
                write_rejected(tally, beside, bom=bom, unfinished=rejected)
                files[beside.name] = str(beside)
            pipeline.check_rejected(tally, chosen.settings.input.max_rejected, str(beside))
    return Outcome(
        out=out,
        rows=tally.rows(),
        labels=dict(tally.labelled),
        review=tally.review,
        model_id=model.model_id,
        notes=tuple(tally.notes),
        warnings=tally.warnings(str(beside)),
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
