"""What a run has finished, on disk beside its output, so that another run can go on from there.

In: parts as they are finished, and where the output holds their rows. Out: a folder of parts and
journal.jsonl, which names those that are complete; later the same parts again. Never trusts a part that
isn't as it was written, and never keeps anything of a run that ended well.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from classifier.engines.entries import Entry, Kept, Line, Place, encoded
from classifier.engines.identity import Identity, differences
from classifier.engines.packing import Packed
from classifier.errors import EngineError, OptionError, OutputError, SettingsError
from classifier.pipeline import Part
from classifier.report.files import output_error
from classifier.report.lines import Lines

NAME: Final = "journal.jsonl"
FORMAT: Final = 6
SYNC_SECONDS: Final = 1.0
"""So much work a power cut may cost; waiting for the disk after every part would cost more."""

_UNFINISHED: Final = "unfinished-"
_ROWS: Final = "rows"
_LOCK: Final = "lock"
_LONGEST: Final = 100


def folder_beside(out: Path) -> Path:
    """Return the folder for what a run finishes of the file `out`: hidden, on the same disk."""
    name = out.name
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return out.with_name(f".{name}.parts")


class Journal:
    """The parts that are finished; `opened` makes one.

    Nothing but an empty folder is made for a run of one part: there would be nothing to go on from.
    """

    keeps = True

    def __init__(self, folder: Path, out: str) -> None:
        self.folder = folder
        self._out = out
        self._identity: Callable[[], Identity] | None = None
        self._entries: dict[Place, Entry] = {}
        self._whole: dict[int, int] = {}
        self._apart = False
        self._unwritten: Kept | None = None
        self._held: list[Kept] = []
        self._pending: list[tuple[Line, Path | None]] = []
        self._stream: IO[bytes] | None = None
        self._synced = time.monotonic()
        self.taken = 0

    def unfinished(self, name: str) -> Path:
        """Return where the file `name` lies until it is complete."""
        return self.folder / f"{_UNFINISHED}{name}"

    @property
    def rows(self) -> Path:
        """Where the rows of the output lie until they are complete."""
        return self.unfinished(_ROWS)

    @property
    def kept(self) -> int:
        """How many parts are safe on disk."""
        return len(self._entries)

    def start(
        self, identity: Callable[[], Identity], *, resume: bool, apart: bool = False
    ) -> tuple[str, ...]:
        """Take up what an earlier run left, or throw it away; return what to tell the user.

        Parameters
        ----------
        identity
            Describes this run; called only where needed, for it reads the inputs.
        resume
            Whether to go on where the earlier run stopped.
        apart
            Whether `written` will be told where the output holds the rows of each part.

        Raises
        ------
        SettingsError
            If the earlier run was another one: of other inputs, settings, or another model.
        OutputError
            If the folder can't be written.
        """
        self._identity, self._apart = identity, apart
        header, lines = self._read()
        if header is not None and resume:
            return self._take_up(header, lines)
        with self._told():
            for path in self.folder.iterdir():
                if path.name != _LOCK and not path.name.startswith(_UNFINISHED):
                    path.unlink()
        if header is not None:
            return (f"{self._out}: what an interrupted run had finished is thrown away (--resume keeps it)",)
        return (f"{self._out}: no interrupted run to resume; begun anew",) if resume else ()

    def take(self, place: Place) -> Part | None:
        """Return a part that an earlier run finished; None where it didn't, or the part is damaged."""
        entry = self._entries.get(place)
        part = entry.read(self.folder, self.rows) if entry else None
        if part is None:
            self._entries.pop(place, None)
            return None
        self.taken += 1
        return part

    def parts_of(self, number: int) -> int | None:
        """Return how many parts an input has; None where an earlier run didn't finish it whole."""
        return self._whole.get(number)

    def add(self, place: Place, part: Part, packed: Packed | None = None) -> None:
        """Keep a part, which may be packed already; it is safe after the next `sync`.

        One whose records the output keeps waits until `written` tells where.

        Raises
        ------
        OutputError
            If it can't be written.
        """
        if place in self._entries:
            return
        kept = Kept(place, part, packed)
        if self._apart and isinstance(part.scored, Lines) and (packed is None or packed.records):
            self._unwritten = kept
        else:
            self._keep(kept)

    def written(self, rows: Any, start: int) -> None:
        """Take note that the output holds the rows of the last part from the byte `start` on.

        `rows` are those that were written. If some were left out or renamed, the part keeps its own.

        Raises
        ------
        OutputError
            If the part can't be written.
        """
        kept, self._unwritten = self._unwritten, None
        if kept is None:
            return
        if rows is kept.part.scored:
            self._keep(replace(kept, start=start))
        else:
            self._keep(replace(kept, packed=None))

    def _keep(self, kept: Kept) -> None:
        if self._stream is None:
            self._held.append(kept)
            if sum(held.has_rows for held in self._held) < 2:
                return
            self._begin()
        for each in self._held or [kept]:
            self._store(each)
        self._held = []
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def finish(self, number: int, count: int) -> None:
        """Note that an input is done, with so many parts."""
        if self._whole.get(number) != count:
            self._whole[number] = count
            self._pending.append(({"input": number, "parts": count}, None))

    def sync(self) -> None:
        """Make all that was added safe: parts first, then the lines that name them.

        Raises
        ------
        OutputError
            If the disk is full, or fails.
        """
        self._synced = time.monotonic()
        if self._stream is None or not self._pending:
            return
        pending, self._pending = self._pending, []
        with self._told():
            if any("rows" in line for line, _ in pending):
                _sync(self.rows)
            for _, path in pending:
                if path is not None:
                    _sync(path)
            _sync(self.folder)
            self._stream.write(b"".join(encoded(line) for line, _ in pending))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        for line, _ in pending:
            if "part" in line:
                self._entries[(line["input"], line["part"])] = Entry.of(line)

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()

    def _begin(self) -> None:
        assert self._identity is not None
        self._write_anew({"format": FORMAT, "identity": self._identity()}, [])

    def _take_up(self, header: Line, lines: list[Line]) -> tuple[str, ...]:
        assert self._identity is not None
        found = (
            differences(header["identity"], self._identity())
            if header.get("format") == FORMAT
            else ["the version of this program"]
        )
        if found:
            raise SettingsError(
                f"{self._out}: can't be resumed, for it differs from the run that was interrupted: "
                f"{'; '.join(found)}; call it as it was called then, or leave --resume out to begin anew"
            )
        for line in lines:
            if "part" in line:
                self._entries[(line["input"], line["part"])] = Entry.of(line)
            else:
                self._whole[line["input"]] = line["parts"]
        # Without the line that a crash may have cut in half.
        self._write_anew(header, lines)
        return (f"{self._out}: resumed; {self.kept} part(s) of the interrupted run are taken over",)

    def _write_anew(self, header: Line, lines: list[Line]) -> None:
        path = self.folder / NAME
        with self._told():
            part = path.with_suffix(".new")
            part.write_bytes(b"".join(map(encoded, [header, *lines])))
            _sync(part)
            part.replace(path)
            self._stream = path.open("ab")

    def _store(self, kept: Kept) -> None:
        with self._told():
            entry = kept.store(self.folder)
        self._pending.append((entry.line(), self.folder / entry.name))

    def _read(self) -> tuple[Line | None, list[Line]]:
        try:
            written = (self.folder / NAME).read_bytes().split(b"\n")
        except FileNotFoundError:
            return None, []
        except OSError as error:
            raise output_error(self._out, error) from error
        lines = []
        # What stands behind the last line break was cut off.
        for line in written[:-1]:
            with suppress(ValueError):
                lines.append(json.loads(line))
        return (lines[0], lines[1:]) if lines else (None, [])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the disk says into an error that names the output."""
        try:
            yield
        except OSError as error:
            raise output_error(self._out, error) from error


class NoJournal(Journal):
    """Keeps nothing: standard output can't be taken up again."""

    keeps = False

    def __init__(self) -> None:
        super().__init__(Path(), "standard output")

    def start(
        self, identity: Callable[[], Identity], *, resume: bool, apart: bool = False
    ) -> tuple[str, ...]:
        """Begin.

        Raises
        ------
        OptionError
            If it shall be resumed.
        """
        if resume:
            raise OptionError("--resume needs --out with a file: standard output can't be taken up again")
        return ()

    def add(self, place: Place, part: Part, packed: Packed | None = None) -> None:
        """Keep nothing."""

    def finish(self, number: int, count: int) -> None:
        """Keep nothing."""


@contextmanager
def opened(folder: Path, out: str) -> Iterator[Journal]:
    """Open the journal of an output: kept when the block fails, removed when it ends well.

    Parameters
    ----------
    folder
        Where it lies; made here.
    out
        The output, as the user named it.

    Raises
    ------
    OutputError
        If the folder can't be made, or another run is writing the same output.
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / _LOCK).open("wb")
    except OSError as error:
        raise output_error(out, error) from error
    journal = Journal(folder, out)
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{out}: another run is writing it; wait for its end, or choose another --out"
            ) from error
        except OSError:
            # A file system without locks: then it is up to the user.
            pass
        # What a run that was killed has left; with the lock it is nobody's. Its rows may be good.
        for path in folder.glob(f"{_UNFINISHED}*"):
            if path != journal.rows:
                path.unlink(missing_ok=True)
        try:
            yield journal
        except (OutputError, EngineError) as error:
            _save(journal)
            if not journal.kept:
                raise
            raise type(error)(
                f"{error}; what was finished until then is kept: "
                "run the same command with --resume to go on from there"
            ) from error
        except BaseException:
            _save(journal)
            raise
        journal.close()
        shutil.rmtree(folder, ignore_errors=True)


def _save(journal: Journal) -> None:
    """Make safe what can be, where a run fails; leave nothing where there is nothing to go on from."""
    with suppress(OutputError):
        journal.sync()
    journal.close()
    if not (journal.folder / NAME).exists():
        shutil.rmtree(journal.folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
