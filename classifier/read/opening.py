"""Inputs as streams of bytes.

In: what the user named: paths, globs, `-`. Out: inputs in order, and their bytes, unpacked.
Never looks at what the bytes mean, and never holds a whole file.
"""

import difflib
import glob
import hashlib
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, BinaryIO

import pyarrow as pa

from classifier.errors import InputError
from classifier.read import remote

BLOCK = 2 << 20
"""Bytes that are read at a time."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


class BrokenStreamError(InputError):
    """Compressed data end early or are damaged: what came before is good."""


class Meter:
    """Counts the bytes on disk that were read since the file was last opened."""

    def __init__(self) -> None:
        self.read = 0


@dataclass(frozen=True)
class Input:
    """One file: `name` as the user gave it, `path` where its bytes lie, `meter` how far it is read.

    One with an `address` lies elsewhere, and has a path only once it is `copy`.
    """

    name: str
    path: Path
    address: str = ""
    # Holds the copy of a stream on disk for as long as the input is in use.
    copy: IO[bytes] | None = None
    meter: Meter = field(default_factory=Meter, compare=False)

    @property
    def is_here(self) -> bool:
        """Whether the bytes lie on this machine."""
        return not self.address or self.copy is not None


def find_inputs(inputs: Sequence[str], *, fetched: bool = True) -> tuple[list[Input], list[str]]:
    """Return the files that `inputs` name, in the order given, and notes on what was left out.

    Globs are expanded and sorted; `-` and other streams are copied to a temporary file, for
    their format is found by looking twice; so are addresses (`s3://...`), unless `fetched` is False.

    Raises
    ------
    InputError
        If there is no input, a file is missing or a folder, or a glob matches nothing.
    ExtraError
        If the packages for an address are not installed.
    """
    if not inputs:
        raise InputError("no input given; name at least one file, or - for standard input")
    found: list[Input] = []
    notes: list[str] = []
    seen: dict[tuple[int, int] | str, str] = {}
    for name in inputs:
        for one in _matches(name):
            key = _identity(one)
            if key in seen:
                notes.append(f"{one.name}: the same file as {seen[key]}; read once")
            else:
                seen[key] = one.name
                found.append(fetch(one) if fetched else one)
    return found, notes


def fetch(source: Input) -> Input:
    """Return the input with its bytes on this machine: itself, or a copy of what lies elsewhere.

    Raises
    ------
    InputError
        If it can't be read.
    """
    if source.is_here:
        return source
    copy = remote.copied(source.address)
    return replace(source, path=Path(copy.name), copy=copy)


def _identity(source: Input) -> tuple[int, int] | str:
    if source.address:
        return source.address
    status = os.stat(source.path)
    return status.st_dev, status.st_ino


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as they lie on disk, in hexadecimal.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    digest = hashlib.sha256()
    for block in _plain(Input(str(path), Path(path))):
        digest.update(block)
    return digest.hexdigest()


def blocks(source: Input, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the bytes of an input, unpacked where they are gzip or zstd.

    Raises
    ------
    InputError
        If the file can't be read.
    BrokenStreamError
        If the compressed data end early or are damaged, after all that could be unpacked.
    """
    head = first_bytes(source, 4)
    if head.startswith(GZIP):
        return _gunzip(source, size)
    if head.startswith(ZSTD):
        return _unzstd(source, size)
    return _plain(source, size)


def unpacked(source: Input, starts: Sequence[bytes]) -> Input:
    """Return a compressed input whose content begins with one of `starts` as a file that isn't compressed.

    Workbooks and Parquet files are read from their ends, so they have to lie unpacked on disk; every
    other input is returned as it is.

    Raises
    ------
    InputError
        If the compressed data are damaged, or there is no room for them.
    """
    if not compression_of(source) or not sample(source, 8).startswith(tuple(starts)):
        return source
    copy = tempfile.NamedTemporaryFile(prefix="classifier-")  # noqa: SIM115 - lives as long as the Input
    try:
        for block in blocks(source):
            copy.write(block)
        copy.flush()
    except BrokenStreamError as error:
        copy.close()
        raise InputError(f"{source.name}: {error}; fetch it again") from error
    except OSError as error:
        copy.close()
        raise InputError(
            f"{source.name}: can't be unpacked to {tempfile.gettempdir()!r}: {error.strerror}"
        ) from error
    return Input(source.name, Path(copy.name), copy=copy)


def compression_of(source: Input) -> str:
    """Return `gzip`, `zstd` or the empty string, by the file's first bytes."""
    head = first_bytes(source, 4)
    if head.startswith(GZIP):
        return "gzip"
    return "zstd" if head.startswith(ZSTD) else ""


def first_bytes(source: Input, count: int) -> bytes:
    """Return up to `count` bytes from the start of the file as it lies on disk.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    return next(_plain(source, count), b"")


def sample(source: Input, size: int) -> bytes:
    """Return up to `size` unpacked bytes from the start; less where the data are damaged."""
    taken = bytearray()
    try:
        for block in blocks(source, min(size, BLOCK)):
            taken += block
            if len(taken) >= size:
                break
    except BrokenStreamError:
        # Told again, with its row, when the rows are read.
        pass
    return bytes(taken[:size])


def _matches(name: str) -> list[Input]:
    if name == "-":
        return [_copied(name, sys.stdin.buffer)]
    if remote.is_address(name):
        return [Input(each, Path(each), address=each) for each in remote.find(name)]
    path = Path(name)
    try:
        path.stat()
    except PermissionError as error:
        raise InputError(f"{name!r}: no permission to look there; ask for it, or copy the file") from error
    except OSError:
        pass  # told below, with what is near
    if path.is_dir():
        raise InputError(f"{name!r} is a folder; name its files, e.g. '{name.rstrip('/')}/*.csv'")
    if path.is_file():
        return [Input(name, path)]
    if path.exists():
        return [_copied_from(path)]
    if not glob.has_magic(name):
        raise InputError(f"{name!r}: no such file{_nearest(path)}")
    files = [
        Input(each, Path(each)) for each in sorted(glob.glob(name, recursive=True)) if Path(each).is_file()
    ]
    if not files:
        raise InputError(f"{name!r} matches no file (looked in {os.getcwd()!r})")
    return files


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; its folder {str(folder)!r} does not exist either"
    near = difflib.get_close_matches(path.name, sorted(os.listdir(folder)), n=1)
    return f"; did you mean {str(folder / near[0])!r}?" if near else f" in {str(folder.resolve())!r}"


def _copied_from(path: Path) -> Input:
    """Copy a pipe or another file that can be read only once."""
    with _open(str(path), path) as stream:
        return _copied(str(path), stream)


def _copied(name: str, stream: BinaryIO) -> Input:
    copy = tempfile.NamedTemporaryFile(prefix="classifier-")  # noqa: SIM115 - lives as long as the Input
    try:
        shutil.copyfileobj(stream, copy, BLOCK)
        copy.flush()
    except OSError as error:
        copy.close()
        raise InputError(f"{name}: can't be copied to {tempfile.gettempdir()!r}: {error.strerror}") from error
    return Input(name, Path(copy.name), copy=copy)


def _open(name: str, path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{name}: can't be read: {error.strerror}") from error


def share_read(sources: Sequence[Input]) -> float | None:
    """Return the part of the bytes of all inputs that is read; None where that tells nothing of the rows.

    Workbooks and Parquet files are not read from front to back; what lies elsewhere, others read.
    """
    if not all(each.is_here for each in sources) or any(
        first_bytes(Input(each.name, each.path), 4).startswith((b"PK\x03\x04", b"PAR1")) for each in sources
    ):
        return None
    size = sum(each.path.stat().st_size for each in sources)
    return sum(each.meter.read for each in sources) / size if size else None


def count_whole(source: Input) -> None:
    """Let an input whose rows come from elsewhere count as read."""
    if source.is_here:
        source.meter.read = source.path.stat().st_size


def _metered(source: Input, stream: BinaryIO, size: int) -> Iterator[bytes]:
    source.meter.read = 0
    while block := stream.read(size):
        source.meter.read += len(block)
        yield block


def _plain(source: Input, size: int = BLOCK) -> Iterator[bytes]:
    with _open(source.name, source.path) as stream:
        yield from _metered(source, stream, size)


def _gunzip(source: Input, size: int) -> Iterator[bytes]:
    """Unpack with zlib itself: the gzip module loses what it unpacked before damage."""
    member = zlib.decompressobj(wbits=31)
    with _open(source.name, source.path) as stream:
        try:
            for block in _metered(source, stream, max(size // 8, 1 << 16)):
                while block:
                    if member.eof:
                        member = zlib.decompressobj(wbits=31)
                    if data := member.decompress(block, size):
                        yield data
                    block = member.unconsumed_tail or member.unused_data.lstrip(b"\0")
        except zlib.error as error:
            raise BrokenStreamError("the gzip data are damaged") from error
    if not member.eof:
        raise BrokenStreamError("the gzip data end early: the file was cut off")


def _unzstd(source: Input, size: int) -> Iterator[bytes]:
    # Small steps: what a step had unpacked before damage is lost.
    step = min(size, 1 << 18)
    with _open(source.name, source.path) as stream, _zstd_stream(stream) as unpacked:
        while True:
            try:
                data = unpacked.read(step)
            except OSError as error:
                early = "Truncated" in str(error)
                reason = "end early: the file was cut off" if early else "are damaged"
                raise BrokenStreamError(f"the zstd data {reason}") from error
            if not data:
                return
            yield data


def _zstd_stream(stream: BinaryIO) -> Any:
    return pa.CompressedInputStream(stream, "zstd")
