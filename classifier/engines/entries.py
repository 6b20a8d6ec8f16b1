"""What a journal names: parts that are complete on disk.

In: parts, and lines of a journal. Out: files and lines, and the parts again. Never gives back a part that
isn't as it was written.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.engines import packing
from classifier.engines.packing import Packed
from classifier.pipeline import Part
from classifier.report.lines import Lines

Place = tuple[int, int]
"""Number of an input, and of a part of it, both from 0."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Some bytes of the output, which isn't finished yet."""

    start: int
    size: int
    hash: str


@dataclass(frozen=True)
class Entry:
    """A part that is complete on disk; without its rows where these are bytes of the output."""

    place: Place
    name: str
    sha256: str
    rows: Range | None = None

    @classmethod
    def of(cls, line: Line) -> "Entry":
        """Return the part that a line names."""
        rows = Range(*line["rows"]) if "rows" in line else None
        return cls((line["input"], line["part"]), line["file"], line["sha256"], rows)

    def line(self) -> Line:
        """Return the line that names the part."""
        (number, part), rows = self.place, self.rows
        line = {"input": number, "part": part, "file": self.name, "sha256": self.sha256}
        return line if rows is None else {**line, "rows": [rows.start, rows.size, rows.hash]}

    def read(self, folder: Path, rows: Path) -> Part | None:
        """Return the part; None if its file, or its bytes of the output, aren't as they were written.

        Parameters
        ----------
        folder
            Where the files of parts lie.
        rows
            The output of the earlier run.
        """
        try:
            content = (folder / Path(self.name).name).read_bytes()
            records = _bytes_of(rows, self.rows) if self.rows else None
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            return None
        if self.rows and records is not None and packing.hash_of(records) != self.rows.hash:
            return None
        return packing.read(content, records)


@dataclass(frozen=True)
class Kept:
    """A part on its way to the disk; `start` is where the output holds its rows, if it does."""

    place: Place
    part: Part
    packed: Packed | None = None
    start: int | None = None

    @property
    def has_rows(self) -> bool:
        """Whether anything was read."""
        return bool(self.part.documents or len(self.part.rejected) or len(self.part.dropped))

    def store(self, folder: Path) -> Entry:
        """Write the part to a file of its own, and return what names it.

        Raises
        ------
        OSError
            If it can't be written.
        """
        found = self.packed or packing.pack(self.part, apart=self.start is not None)
        name = f"{self.place[0]:05d}-{self.place[1]:06d}.arrow"
        (folder / name).write_bytes(found.content)
        rows = None
        if found.records and self.start is not None and isinstance(self.part.scored, Lines):
            rows = Range(self.start, self.part.scored.size, found.records)
        return Entry(self.place, name, found.sha256, rows)


def _bytes_of(path: Path, place: Range) -> bytes:
    with path.open("rb") as stream:
        stream.seek(place.start)
        return stream.read(place.size)


def encoded(line: Line) -> bytes:
    """Return a line as it stands in the journal."""
    return json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n"
