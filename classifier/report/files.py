"""Files that appear complete or not at all.

In: a path and what to write there. Out: the file under its final name, or an OutputError that
says what to do. Never leaves half a file behind.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from classifier.errors import OutputError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space or choose another --out",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another --out",
    errno.EFBIG: "larger than this file system or a limit (ulimit -f) allows; choose another --out",
    errno.EACCES: "no permission to write there; choose another --out or change its permissions",
    errno.EPERM: "no permission to write there; choose another --out or change its permissions",
    errno.EROFS: "the file system is read-only; choose another --out",
    errno.ENOENT: "its folder doesn't exist; create it or choose another --out",
    errno.ENOTDIR: "a part of this path is a file, not a folder; choose another --out",
    errno.EISDIR: "this is a folder; give a file name",
    errno.EEXIST: "a file of this name is in the way; move it or choose another --out",
    errno.ENAMETOOLONG: "the name is too long for this file system; choose a shorter --out",
}


def output_error(path: Path | str, error: OSError) -> OutputError:
    """Return the error to raise when `path` can't be written: what happened and what to do."""
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0, f"{reason}; choose another --out")
    return OutputError(f"{path}: can't be written: {advice}")


class _Sink(io.RawIOBase):
    """A file whose write errors name the path it will have, and what to do."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        try:
            return self._stream.write(content)
        except OSError as error:
            raise output_error(self._path, error) from error

    def flush(self) -> None:
        try:
            if not self._stream.closed:
                self._stream.flush()
        except OSError as error:
            raise output_error(self._path, error) from error


@contextlib.contextmanager
def atomic(path: Path, *, unfinished: Path | None = None, lasting: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its place when the block ends well.

    Parameters
    ----------
    path
        The final name.
    unfinished
        Where it lies until then (on the same disk), for callers who clean up after a crash. What lies there
        is nobody's any more.
    lasting
        Whether what lies there is written over from its begin instead of being emptied first, and stays if
        the block fails: for callers who remember which of its bytes are good.

    Raises
    ------
    OutputError
        If the file can't be created, written or moved; nothing is left under its final name.
    """
    part = unfinished or path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        stream = part.open("xb" if unfinished is None else "r+b" if lasting and part.exists() else "wb")
    except OSError as error:
        raise output_error(path, error) from error
    try:
        yield cast(BinaryIO, _Sink(stream, path))
        _finish(stream, part, path)
        lasting = False
    finally:
        # On a full disk closing fails as well, and has nothing to add.
        with contextlib.suppress(OSError):
            stream.close()
        if not lasting:
            part.unlink(missing_ok=True)


def _finish(stream: BinaryIO, part: Path, path: Path) -> None:
    try:
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())
        stream.close()
        part.replace(path)
    except OSError as error:
        raise output_error(path, error) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, complete or not at all.

    Raises
    ------
    OutputError
        If it can't be written.
    """
    with atomic(path) as stream:
        stream.write(content)


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
