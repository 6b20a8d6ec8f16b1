"""The list of rejected rows: where it goes, and when there are too many of them.

In: a tally. Out: rejected.csv. Never writes over somebody else's file.
"""

from pathlib import Path

from classifier import pipeline, report, schema
from classifier.errors import InputError
from classifier.options import Chosen
from classifier.pipeline import Tally
from classifier.report import manifest

REJECTED = "rejected.csv"


def rejected_beside(out: Path) -> Path:
    """Return where the rejected rows of `out` go: rejected.csv, unless that is somebody else's."""
    usual = out.parent / REJECTED
    header = ",".join(schema.REJECTED)
    of_a_run = (out.parent / manifest.NAME).exists()
    foreign = usual.exists() and not _begins(usual).startswith(header)
    return out.with_name(f"{out.name}.{REJECTED}") if of_a_run or foreign else usual


def _begins(path: Path) -> str:
    """Return the first characters of a file, which may be a large one."""
    with path.open("rb") as stream:
        return stream.read(200).decode("utf-8", "replace").lstrip("\ufeff")


def check_rejected(tally: Tally, chosen: Chosen, out: Path) -> None:
    """Stop where too many rows were rejected, but leave the list of them in the folder.

    In one with former results it would belong to these no longer: there it goes beside the folder.
    """
    finished = (out / manifest.NAME).exists()
    listed = out.with_name(f"{out.name}.{REJECTED}") if finished else out / REJECTED
    try:
        pipeline.check_rejected(tally, chosen.settings.input.max_rejected, str(listed))
    except InputError:
        write_rejected(tally, listed)
        raise


def write_rejected(tally: Tally, path: Path, *, bom: bool = False, unfinished: Path | None = None) -> None:
    """Write the rejected rows block by block, however many they are."""
    report.write_csv_blocks(
        schema.REJECTED, tally.rejected.blocks(tally.names), path, bom=bom, unfinished=unfinished
    )
