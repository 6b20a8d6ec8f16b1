"""Scored rows to Results, and Results to the files of a folder.

In: scored rows and the tables beside them. Out: all files of a run but run.json. Never scores.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier import pipeline, report, schema
from classifier.options import Chosen
from classifier.pipeline import Tally
from classifier.progress import steps_bar
from classifier.report import Results, Rows, ScoredSummary
from classifier.run.choices import ReportChoice, Watching

SCORED = "scored.parquet"


def results_of(
    scored: pd.DataFrame,
    model_id: str,
    tally: Tally,
    chosen: Chosen,
    choice: ReportChoice,
    references: Mapping[str, pd.DataFrame],
    watching: Watching,
) -> Results:
    """Return both backlogs, and all that is told beside them, of scored rows in canonical order."""
    # What finds themes takes long to load, and `score` doesn't need it.
    from classifier import backlogs, sentences

    newest = scored["created_at"].max()
    as_of = choice.as_of if choice.as_of is not None else (None if pd.isna(newest) else newest)
    counted, later = _until(scored, choice.as_of)
    with steps_bar(backlogs.STEPS, shown=watching.progress) as begin:
        built = backlogs.build(
            counted,
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
        as_of_given=choice.as_of is not None,
        department=choice.department,
        rows=Rows(**tally.rows()),
        summary=ScoredSummary.of(counted),
        weights=chosen.settings.rank.weights,
        themes=built.themes,
        evidence=built.evidence,
        product_backlog=built.product_backlog,
        marketing_backlog=built.marketing_backlog,
        claims_at_risk=built.claims_at_risk,
        influence=built.influence,
        weekly=built.weekly,
        moves=built.moves,
        retired=_retired(references, as_of),
        rejected=tally.rejected.whole(tally.names),
        duplicates=tally.duplicates.whole(tally.names),
        dropped=tally.dropped.whole(tally.names),
        has_claims="claims" in references,
        warnings=(*tally.warnings(), *later, *built.warnings),
        vectors=built.vectors,
        compared=built.compared,
        names=_names(references),
    )


def _until(scored: pd.DataFrame, as_of: pd.Timestamp | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows that aren't later than `--as-of`, where that was given, and a warning of the others."""
    if as_of is None or not (later := scored["created_at"] > as_of).any():
        return scored, ()
    told = (
        f"{int(later.sum())} document(s) are later than --as-of {as_of:%Y-%m-%d} and left out of the report "
        f"({SCORED} holds them); name a later day, or leave --as-of out, to count them"
    )
    return scored[~later].reset_index(drop=True), (told,)


def _retired(references: Mapping[str, pd.DataFrame], as_of: pd.Timestamp | None) -> dict[str, pd.Timestamp]:
    from classifier import marketing

    if as_of is None or "claims" not in references:
        return {}
    return marketing.retired(references["claims"], as_of)


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


def write_files(
    folder: Path, scored: pd.DataFrame, results: Results, chosen: Chosen, choice: ReportChoice
) -> None:
    """Write all files but run.json; without the customers' words where quotes aren't wanted."""
    if chosen.settings.scoring.quotes == "none":
        scored, results = _without_quotes(scored, results)
    kept = [name for name in scored.columns if name not in schema.SCORED]
    with report.scored_writer(folder / SCORED, extra=kept) as writer:
        writer.write(scored)
    report.write(folder, results, bom=choice.bom)


_QUOTED = ("quote_1", "quote_2", "quote_3", "quote", "exemplar", "impact")


def _without_quotes(scored: pd.DataFrame, results: Results) -> tuple[pd.DataFrame, Results]:
    """Return both without any text of a customer but the words of theme titles."""
    stripped: dict[str, Any] = {}
    for name in ("themes", "evidence", "product_backlog", "marketing_backlog", "claims_at_risk"):
        frame = getattr(results, name)
        blank = pd.Series([""] * len(frame), index=frame.index, dtype="str")
        stripped[name] = frame.assign(**{column: blank for column in _QUOTED if column in frame})
    return pipeline.without_quotes(scored), replace(results, **stripped)
