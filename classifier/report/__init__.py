"""The folder of results: from the ranked tables to files that people and programs read.

In: Results, and scored rows as they come. Out: the files of a run, complete or not at all. Never
ranks, never reads the clock.
"""

from pathlib import Path

from classifier.report.changes import render_text
from classifier.report.compare import Diff, diff
from classifier.report.edited import keep_edited
from classifier.report.files import write_bytes
from classifier.report.folder import prepare_folder
from classifier.report.manifest import Mismatch, verify
from classifier.report.results import DEFAULT_LIMIT, Results, Rows, ScoredSummary
from classifier.report.scored import join_scored, read_scored
from classifier.report.writers import ScoredWriter, scored_writer, write_csv, write_csv_blocks

__all__ = [
    "Diff",
    "Mismatch",
    "Results",
    "Rows",
    "ScoredSummary",
    "ScoredWriter",
    "diff",
    "join_scored",
    "keep_edited",
    "prepare_folder",
    "read_scored",
    "render_text",
    "scored_writer",
    "verify",
    "write",
    "write_csv",
    "write_csv_blocks",
]


def write(
    folder: Path, results: Results, *, bom: bool = False, limit: int = DEFAULT_LIMIT
) -> tuple[str, ...]:
    """Write all files of a run but scored.parquet and run.json.

    Parameters
    ----------
    folder
        Exists; best the one that `prepare_folder` yields.
    results
        Tables typed by schema.py, in the order in which they are written.
    bom
        Begin the CSV files with a byte order mark, for Excel.
    limit
        Entries of each backlog in report.html.

    Returns
    -------
    The names of the files written, in order.

    Raises
    ------
    OutputError
        If a file can't be written.
    """
    # Scoring doesn't need them, and they take their time to load.
    from classifier.report import html, sheets, views

    tables = {
        "rejected.csv": results.rejected,
        "duplicates.csv": results.duplicates,
        "dropped.csv": results.dropped,
        "themes.csv": results.themes,
        "evidence.csv": results.evidence,
        "product_backlog.csv": results.product_backlog,
        "marketing_backlog.csv": results.marketing_backlog,
        "influence.csv": results.influence,
    }
    if results.has_claims:
        tables["claims_at_risk.csv"] = results.claims_at_risk
    for name, table in tables.items():
        write_csv(table, folder / name, bom=bom)
    write_bytes(folder / "backlogs.xlsx", sheets.workbook_bytes(results))
    write_bytes(folder / "report.html", html.render(views.page(results, limit=limit)).encode())
    return (*tables, "backlogs.xlsx", "report.html")
