"""run.json: what a folder was made from, and whether it still is what was written.

In: counts, settings and the files of a finished run. Out: run.json; later the list of what no
longer matches it. Never holds a clock reading outside `execution`.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from classifier.errors import InputError
from classifier.report.files import output_error, sha256, write_bytes
from classifier.report.results import Rows

NAME: Final = "run.json"
PACKAGES: Final = (
    "charset-normalizer",
    "feedback-classifier",
    "jinja2",
    "lingua-language-detector",
    "llvmlite",
    "numba",
    "numpy",
    "onnxruntime",
    "openpyxl",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "spacy",
    "tokenizers",
    "xlsxwriter",
)
"""Those of which another version may read, score, group or write otherwise."""

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Mismatch:
    """One way in which a folder differs from its run.json.

    `kind`: missing, changed, foreign (not of this run), unreadable, or rows (they don't add up).
    """

    kind: str
    file: str
    detail: str

    def __str__(self) -> str:
        """Return the line that `classifier verify` prints."""
        return f"{self.file}: {self.kind}: {self.detail}"


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def inputs_of(paths: Iterable[Path]) -> list[dict[str, str]]:
    """Return name (without folder) and sha256 of each input, sorted by both.

    Folders stay out, so that the same files give the same run.json wherever they lie.

    Raises
    ------
    InputError
        If an input can't be read any more.
    """
    described = []
    for path in paths:
        try:
            described.append({"name": path.name, "sha256": sha256(path)})
        except OSError as error:
            raise InputError(
                f"{path}: can't be read: {error.strerror}; was it moved during the run?"
            ) from error
    return sorted(described, key=lambda one: (one["name"], one["sha256"]))


def build(
    folder: Path,
    *,
    rows: Rows,
    inputs: Sequence[Mapping[str, str]],
    model_id: str,
    settings: Mapping[str, Any],
    as_of: str,
    versions: Mapping[str, str],
    execution: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the manifest of the finished files in `folder`.

    Parameters
    ----------
    folder
        Holds all outputs but run.json.
    rows, inputs, model_id, settings, as_of, versions
        All that the outputs depend on; the same values give the same `result`.
    execution
        What may differ between two equal runs: times, host, workers, engine, memory, paths.

    Raises
    ------
    RuntimeError
        If the rows don't add up: a bug in the stage that counted them.
    """
    if not rows.adds_up:
        raise RuntimeError(f"rows don't add up: {rows.as_dict()}")
    result = {
        "rows": rows.as_dict(),
        "inputs": [dict(one) for one in inputs],
        "model_id": model_id,
        "settings": dict(settings),
        "as_of": as_of,
        "versions": dict(versions),
        "outputs": {path.name: sha256(path) for path in _files(folder) if path.name != NAME},
    }
    return {"result": result, "result_sha256": _digest(result), "execution": dict(execution)}


def write(folder: Path, manifest: Manifest) -> None:
    """Write run.json into `folder`.

    Raises
    ------
    OutputError
        If it can't be written.
    """
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    write_bytes(folder / NAME, f"{text}\n".encode())


def read(folder: Path, name: str = NAME) -> dict[str, Any]:
    """Return the manifest of a folder that `classifier run` or `report` wrote.

    `name` is another one than run.json where the files of a run are just being replaced.

    Raises
    ------
    InputError
        If there is no run.json, or it isn't one of ours.
    """
    path = folder / name
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder}: no {name}; give a folder that `classifier run INPUT --out DIR` wrote"
        ) from None
    except NotADirectoryError:
        raise InputError(f"{folder}: a file; give the folder that `classifier run` wrote") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read as JSON; run again to make it anew") from error
    if not _is_ours(manifest):
        raise InputError(f"{path}: not written by classifier (no result with rows and outputs)")
    return dict(manifest)


def verify(folder: Path) -> list[Mismatch]:
    """Compare a folder with its run.json.

    Returns
    -------
    What doesn't match, sorted by file; empty if everything does. Hidden files are no part of it.

    Raises
    ------
    InputError
        If the folder doesn't exist.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one that `classifier run` wrote")
    if not (folder / NAME).exists():
        return [Mismatch("missing", NAME, "without it nothing can be compared; run again")]
    try:
        manifest = read(folder)
    except InputError:
        return [Mismatch("unreadable", NAME, "not JSON that classifier wrote; run again")]
    result = manifest["result"]
    found = _compare_files(folder, result["outputs"])
    if manifest.get("result_sha256") != _digest(result):
        found.append(Mismatch("changed", NAME, "its result isn't the one that was written"))
    if not Rows(**result["rows"]).adds_up:
        found.append(Mismatch("rows", NAME, "read = scored + rejected + duplicates + dropped + merged fails"))
    return sorted(found, key=lambda one: (one.file, one.kind))


def visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`, sorted; hidden files and Office's lock files left out.

    Raises
    ------
    OutputError
        If the folder can't be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "~$")))
    except OSError as error:
        raise output_error(folder, error) from error


def _files(folder: Path) -> list[Path]:
    return [path for path in visible(folder) if path.is_file()]


def _digest_of(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}; nothing was verified") from error


def _compare_files(folder: Path, outputs: Mapping[str, str]) -> list[Mismatch]:
    found = []
    for name, digest in outputs.items():
        path = folder / name
        if not path.is_file():
            found.append(Mismatch("missing", name, "was written and is gone"))
        elif _digest_of(path) != digest:
            found.append(Mismatch("changed", name, "not the bytes that were written"))
    return found + [
        Mismatch("foreign", path.name, "not written by this run")
        for path in visible(folder)
        if path.name not in outputs and path.name != NAME
    ]


def _is_ours(manifest: Any) -> bool:
    """Tell whether this is a manifest whose parts can be relied on."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("result"), dict):
        return False
    rows, outputs = manifest["result"].get("rows"), manifest["result"].get("outputs")
    return (
        isinstance(rows, dict)
        and rows.keys() == Rows().as_dict().keys()
        and all(isinstance(count, int) for count in rows.values())
        and isinstance(outputs, dict)
    )


def _digest(result: Mapping[str, Any]) -> str:
    text = json.dumps(result, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
