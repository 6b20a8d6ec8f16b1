"""What an earlier run left out, for a report made anew from its scored rows.

In: scored files. Out: their lists of left-out rows, added to a tally. Reads only beside a run.json that
names the very bytes of the files.
"""

from collections.abc import Sequence
from pathlib import Path

from classifier import schema
from classifier.errors import InputError
from classifier.pipeline import Tally
from classifier.report import manifest
from classifier.report.files import sha256
from classifier.report.scored import read_table

_LISTS = {
    "rejected.csv": schema.REJECTED,
    "duplicates.csv": schema.DUPLICATES,
    "dropped.csv": schema.DROPPED,
}


def add_left_out(tally: Tally, paths: Sequence[str]) -> None:
    """Add what the runs left out that wrote these scored files; a file that no run wrote adds nothing.

    A report's folder must account for every row that was read, also where its rows were scored earlier.
    """
    for path in map(Path, paths):
        result = _written_with(path)
        if not result:
            continue
        tables = (tally.rejected, tally.duplicates, tally.dropped)
        for table, (name, columns) in zip(tables, _LISTS.items(), strict=True):
            table.add(read_table(path.parent / name, columns))
        tally.merged += result["rows"]["merged"]


def _written_with(path: Path) -> manifest.Manifest:
    """Return the `result` of the run.json beside a scored file; empty where all of it isn't of one run."""
    try:
        result: manifest.Manifest = manifest.read(path.parent)["result"]
    except InputError:
        return {}
    names = (path.name, *_LISTS)
    try:
        same = all(result["outputs"].get(name) == sha256(path.parent / name) for name in names)
    except OSError:
        return {}
    return result if same else {}
