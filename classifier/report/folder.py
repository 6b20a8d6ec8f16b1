"""The folder of a run: filled beside the old results, which are replaced at the end.

In: the path given as --out. Out: a staging folder to write to; its files move in when all are
complete. Never removes or overwrites a file that isn't ours.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from classifier import schema
from classifier.errors import InputError, OutputError
from classifier.report import manifest
from classifier.report.cells import csv_header
from classifier.report.files import output_error, write_bytes
from classifier.report.writers import BOM

RESULTS: Final = (
    "scored.parquet",
    "rejected.csv",
    "duplicates.csv",
    "dropped.csv",
    "themes.csv",
    "evidence.csv",
    "product_backlog.csv",
    "marketing_backlog.csv",
    "claims_at_risk.csv",
    "influence.csv",
    "backlogs.xlsx",
    "report.html",
    manifest.NAME,
)
"""All files of a run, in the order in which they move in: run.json last."""

_STAGING = ".classifier-unfinished-"
_FORMER = ".classifier-former.json"
"""Says that the files of the folder are ours while its run.json isn't there: while files move in."""

_STALE_SECONDS = 86_400
_REJECTED = "rejected.csv"


@contextlib.contextmanager
def prepare_folder(out: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a staging folder inside `out`; its files replace the former results when the block ends well.

    A run that fails leaves the former results as they were.

    Parameters
    ----------
    out
        New, empty, or the folder of an earlier run (it has a run.json of ours and nothing else, or
        the rejected.csv alone that a run leaves which stops because of it).
    force
        Accept foreign files: they stay, unless they have the name of one of ours.

    Raises
    ------
    OutputError
        If `out` holds foreign files, is a file, or can't be written.
    """
    if not force:
        _refuse_foreign(out)
    created = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for leftover in out.glob(f"{_STAGING}*"):
            # A younger one may belong to a run that is still going.
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(leftover)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=out))
    except OSError as error:
        raise output_error(out, error) from error
    finished = False
    try:
        yield staging
        _move_in(staging, out)
        finished = True
    except OutputError as error:
        # Nobody asked for the staging folder: name the file as it would be called.
        raise OutputError(str(error).replace(str(staging), str(out))) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if created and not finished:
            with contextlib.suppress(OSError):
                out.rmdir()


def _refuse_foreign(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: a file; --out takes a folder")
    names = [path.name for path in manifest.visible(out)]
    ours = _ours(out)
    foreign = [name for name in names if name not in ours]
    if not foreign:
        return
    shown = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
    raise OutputError(
        f"{out}: holds files that no run of classifier wrote ({shown}); "
        "choose another --out, or add --force to write between them"
    )


def _ours(out: Path) -> set[str]:
    name = manifest.NAME if (out / manifest.NAME).exists() else _FORMER
    try:
        written = manifest.read(out, name)["result"]["outputs"]
    except InputError:
        # Without a manifest of ours even report.html may be somebody else's.
        return {_REJECTED} if _is_left_by_a_stopped_run(out / _REJECTED) else set()
    # Plain names only: a manifest that somebody edited must not lead to files outside the folder.
    return {*RESULTS, *(name for name in written if Path(name).name == name)}


def _is_left_by_a_stopped_run(path: Path) -> bool:
    """Tell whether this is the list that a run leaves which stops because of too many rejected rows."""
    header = csv_header(list(schema.REJECTED))
    try:
        with path.open("rb") as stream:
            return stream.read(len(BOM) + len(header)).removeprefix(BOM).startswith(header)
    except OSError:
        return False


def _move_in(staging: Path, out: Path) -> None:
    """Replace the former results: old manifest out first, new one in last.

    Who is killed between them leaves a folder that the next run knows for ours by a hidden manifest.
    """
    fresh = sorted(
        manifest.visible(staging),
        key=lambda path: RESULTS.index(path.name) if path.name in RESULTS else -1,
    )
    try:
        stale = _ours(out) - {path.name for path in fresh}
        _hide_manifest(staging, out)
        for name in sorted(stale):
            (out / name).unlink(missing_ok=True)
        for path in fresh:
            path.replace(out / path.name)
        (out / _FORMER).unlink(missing_ok=True)
    except OSError as error:
        raise output_error(out, error) from error


def _hide_manifest(staging: Path, out: Path) -> None:
    """Put the former manifest, or where there is none the new one, under a hidden name."""
    if (out / manifest.NAME).exists():
        (out / manifest.NAME).replace(out / _FORMER)
    elif (staging / manifest.NAME).exists():
        write_bytes(out / _FORMER, (staging / manifest.NAME).read_bytes())
