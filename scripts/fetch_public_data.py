"""Fetch the public texts that the shipped model learnt from, each from its home address, with checksums.

In: data/sources.toml; the network, or a local mirror. Out: Parquet files in the layout that
`train_default.py --data-root` reads. Never keeps a file whose checksum differs, and never guesses.

Run: python scripts/fetch_public_data.py --out FOLDER
     python scripts/fetch_public_data.py --mirror ../shared/data [--out FOLDER]
"""

import hashlib
import io
import json
import os
import shutil
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import pandas as pd

SOURCES: Final = Path(__file__).resolve().parents[1] / "data" / "sources.toml"
TIMEOUT: Final = 60
"""Seconds without an answer after which a download fails."""


class FetchError(click.ClickException):
    """A file can't be had, or isn't the one that was meant; the message says what to do."""


@dataclass(frozen=True)
class Remote:
    """A file at its home address."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """One public source: `file` below the data folder; `remotes` is empty where home can't be used."""

    name: str
    file: str
    sha256: str
    rows: int
    licence: str
    home: str
    remotes: tuple[Remote, ...] = ()
    convert: str = ""
    unfetchable: str = ""


def read_sources(path: Path = SOURCES) -> list[Source]:
    """Return the sources in the order of the file.

    Raises
    ------
    FetchError
        If a source names a conversion that isn't there.
    """
    known = Source.__dataclass_fields__.keys()
    sources = []
    for name, values in tomllib.loads(path.read_text(encoding="utf-8"))["source"].items():
        remotes = tuple(Remote(one["url"], one["sha256"]) for one in values.pop("remote", ()))
        given = {key: value for key, value in values.items() if key in known}
        source = Source(name=name, remotes=remotes, **given)
        if source.remotes and source.convert not in CONVERSIONS:
            raise FetchError(f"{path}: source {name}: no conversion {source.convert!r}")
        sources.append(source)
    return sources


# From a mirror


def from_mirror(source: Source, mirror: Path, out: Path | None) -> Path:
    """Check the mirror's file and, where `out` is given, copy it there.

    Raises
    ------
    FetchError
        If the file is missing or another one.
    """
    path = mirror / source.file
    if not path.is_file():
        raise FetchError(f"{path}: no such file; fetch {source.name} without --mirror, or mend the mirror")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != source.sha256:
        raise FetchError(_other(str(path), found, source.sha256, "get the mirror anew"))
    if out is None:
        return path
    target = out / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(path, part)
    os.replace(part, target)
    return target


def _other(place: str, found: str, expected: str, remedy: str) -> str:
    return (
        f"{place}: another file than the one that was used: its sha256 is {found}, not {expected}; {remedy}"
    )


# From home


def from_home(source: Source, out: Path) -> Path:
    """Download a source's files, check them, and write the table that training reads.

    It holds the rows of the mirror's file under the same ids, and those that were held out for
    measuring besides, so its own checksum differs.

    Raises
    ------
    FetchError
        If an address doesn't answer, gives another file, or the source can't be had from home at all.
    """
    if not source.remotes:
        raise FetchError(f"{source.name}: can't be fetched from {source.home}: {source.unfetchable}")
    contents = [download(remote) for remote in source.remotes]
    table = CONVERSIONS[source.convert](contents, [remote.url for remote in source.remotes])
    if len(table) < source.rows:
        raise FetchError(
            f"{source.name}: {len(table):,} rows where {source.rows:,} were used; mend its conversion"
        )
    target = out / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    table.to_parquet(part, index=False)
    os.replace(part, target)
    return target


def download(remote: Remote) -> bytes:
    """Return the bytes at an address.

    Raises
    ------
    FetchError
        If there is no answer, or its checksum differs.
    """
    try:
        with urllib.request.urlopen(remote.url, timeout=TIMEOUT) as answer:
            content: bytes = answer.read()
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise FetchError(
            f"{remote.url}: {reason}; check the connection, try again, or use --mirror with a copy"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != remote.sha256:
        raise FetchError(
            _other(remote.url, found, remote.sha256, "it was changed at home: use --mirror with a copy")
        )
    return content


# Conversions: an id is the place of a row in the home files, one after the other, as it was when the
# texts were labelled.


def _numbered(texts: Sequence[str], source: str, **columns: Any) -> pd.DataFrame:
    table = pd.DataFrame({"text": list(texts), **columns})
    return table.assign(id=range(len(table)), source=source)


def _minibar(contents: Sequence[bytes], urls: Sequence[str]) -> pd.DataFrame:
    tables = []
    for content, url in zip(contents, urls, strict=True):
        app, language, _ = urllib.request.unquote(url.rsplit("/", 1)[1]).rsplit(".", 2)
        tables.append(pd.read_csv(io.BytesIO(content)).assign(app=app, lang=language))
    table = pd.concat(tables, ignore_index=True)
    kept = ("problem_report", "feature_request", "irrelevant", "app", "lang")
    return _numbered(table["data"], "minibar", **{name: table[name] for name in kept})


def _banking77(contents: Sequence[bytes], urls: Sequence[str]) -> pd.DataFrame:
    tables = [
        pd.read_csv(io.BytesIO(content)).assign(split=Path(url).stem)
        for content, url in zip(contents, urls, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    return _numbered(table["text"], "banking77", label=table["category"], split=table["split"])


def _clinc150(contents: Sequence[bytes], urls: Sequence[str]) -> pd.DataFrame:
    (content,) = contents
    parts: Mapping[str, list[tuple[str, str]]] = json.loads(content)
    rows = [(text, label, split) for split, part in parts.items() for text, label in part]
    texts, labels, splits = zip(*rows, strict=True)
    return _numbered(texts, "clinc150", label=labels, split=splits)


def _bitext(contents: Sequence[bytes], urls: Sequence[str]) -> pd.DataFrame:
    tables = [
        pd.read_csv(io.BytesIO(content)).assign(split=url.rsplit("/", 2)[1])
        for content, url in zip(contents, urls, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    return _numbered(table["utterance"], "bitext", label=table["intent"], split=table["split"])


CONVERSIONS: Final[dict[str, Callable[[Sequence[bytes], Sequence[str]], pd.DataFrame]]] = {
    "minibar": _minibar,
    "banking77": _banking77,
    "clinc150": _clinc150,
    "bitext": _bitext,
}
"""Name in sources.toml -> the files of a source, in order, with their addresses -> its table."""


def fetch_all(sources: Sequence[Source], mirror: Path | None, out: Path | None) -> list[str]:
    """Fetch what can be fetched, and return what couldn't be and why."""
    faults = []
    for source in sources:
        try:
            path = from_mirror(source, mirror, out) if mirror else from_home(source, out or Path())
            click.echo(f"{source.name}: {path} ({source.licence})")
        except FetchError as error:
            faults.append(error.message)
    return faults


@click.command()
@click.option(
    "--mirror",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with copies of the files: only checked, and copied where --out is given.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--only", multiple=True, metavar="NAME", help="A source of data/sources.toml; may be repeated.")
@click.option("--sources", "path", type=click.Path(path_type=Path, exists=True), default=SOURCES)
def main(mirror: Path | None, out: Path | None, only: tuple[str, ...], path: Path) -> None:
    """Fetch public training texts, and check every byte against data/sources.toml."""
    if not mirror and not out:
        raise click.UsageError("name a folder to write (--out), a local copy (--mirror), or both")
    sources = read_sources(path)
    unknown = sorted(set(only) - {source.name for source in sources})
    if unknown:
        raise click.UsageError(f"no source {', '.join(unknown)} in {path}")
    faults = fetch_all([one for one in sources if not only or one.name in only], mirror, out)
    if faults:
        raise FetchError(
            f"{len(faults)} of {len(only) or len(sources)} not fetched:\n  " + "\n  ".join(faults)
        )


if __name__ == "__main__":
    main()
