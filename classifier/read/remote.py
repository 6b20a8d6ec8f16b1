"""Inputs that lie elsewhere: s3://bucket/tickets-*.csv and other addresses that fsspec knows.

In: an address. Out: the files that it names, a copy of one on disk, and a mark that tells whether one
has changed. Never looks at what the bytes mean.
"""

import glob
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from classifier.errors import ExtraError, FeedbackError, InputError, extra_missing

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BLOCK: Final = 8 << 20


def is_address(name: str) -> bool:
    """Tell whether a name is an address such as s3://bucket/file rather than a path."""
    return bool(_ADDRESS.match(name))


def find(address: str) -> list[str]:
    """Return the addresses of the files that an address or a glob of addresses names, sorted.

    Raises
    ------
    InputError
        If there is none, or the place can't be reached.
    ExtraError
        If the packages for this kind of address are not installed.
    """
    with _told(address):
        files, path = _place(address)
        if glob.has_magic(path):
            found = [name for name, about in files.glob(path, detail=True).items() if _is_file(about)]
            if not found:
                raise InputError(f"{address!r} matches no file")
        elif _is_file(files.info(path)):
            found = [path]
        else:
            raise InputError(f"{address!r} is a folder; name its files, e.g. '{address.rstrip('/')}/*.csv'")
        return sorted(str(files.unstrip_protocol(name)) for name in found)


def copied(address: str) -> IO[bytes]:
    """Return a temporary file with the bytes of one address; it is gone when it is closed.

    Raises
    ------
    InputError
        If it can't be read, or the temporary folder is full.
    ExtraError
        If the packages for this kind of address are not installed.
    """
    copy = tempfile.NamedTemporaryFile(prefix="classifier-")  # noqa: SIM115 - lives as long as the Input
    try:
        with _told(address):
            files, path = _place(address)
            with files.open(path, "rb") as stream:
                shutil.copyfileobj(stream, copy, _BLOCK)
            copy.flush()
    except FeedbackError:
        copy.close()
        raise
    return copy


def mark_of(address: str) -> dict[str, Any]:
    """Return size and version of one file: what changes when it does.

    Raises
    ------
    InputError
        If it can't be reached.
    """
    with _told(address):
        files, path = _place(address)
        about = files.info(path)
        tag = next((about[key] for key in ("ETag", "etag", "LastModified", "mtime") if about.get(key)), "")
        return {"size": about.get("size"), "tag": str(tag)}


def _is_file(about: Any) -> bool:
    return bool(about["type"] == "file")


def _place(address: str) -> tuple[Any, str]:
    kind = address.partition("://")[0].lower()
    extra = "s3" if kind in ("s3", "s3a") else "dask"
    try:
        import fsspec
    except ImportError as error:
        raise extra_missing(f"{kind}://", extra) from error
    try:
        files, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        if extra == "s3":
            raise extra_missing(f"{kind}://", extra) from error
        # No extra of ours brings what this kind needs; fsspec knows what that is.
        raise ExtraError(f"{kind}:// needs a package that is not installed: {error}") from error
    except ValueError as error:
        raise InputError(f"{address!r}: addresses of this kind are not known: {error}") from error
    # What was listed before may have changed since.
    files.invalidate_cache()
    return files, path


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn what the many kinds of storage raise into one error."""
    try:
        yield
    except FeedbackError:
        raise
    except FileNotFoundError:
        raise InputError(f"{address!r}: no such file") from None
    except Exception as error:
        # Each kind has exceptions of its own, which need not even be OSErrors (botocore's).
        raise InputError(
            f"{address!r}: can't be read: {type(error).__name__}: {error}; "
            "check the address, the credentials and the network"
        ) from error
