"""Where models are, and which one a name means.

In: a name or a path. Out: the folder of a model. Never loads it.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import ModelError
from classifier.models.layout import CURRENT, DESCRIPTION


@dataclass(frozen=True)
class Called:
    """What a new model is called, by its folder; `versioned`: the folder lies beside versions of one name."""

    name: str
    version: str
    versioned: bool


def folders(explicit: str = "") -> list[Path]:
    """Return where models are looked for, in order: the given folder alone, or the usual three."""
    if explicit:
        return [Path(explicit)]
    from platformdirs import user_data_path

    package = Path(__file__).resolve().parents[1]
    # `_models` in an installed wheel, `models` beside the package in a checkout.
    return [
        Path("models"),
        user_data_path("classifier") / "models",
        package / "_models",
        package.parent / "models",
    ]


def find(name: str, *, places: Sequence[Path]) -> Path:
    """Return the folder of the model called `name`, or at the path `name`.

    `name` is a path, `NAME` (its current version) or `NAME/VERSION`.

    Raises
    ------
    ModelError
        If there is none; the message lists the models that there are.
    """
    if not name.strip():
        raise ModelError("the name of the model is empty; give one, such as default, or a model's folder")
    if folder := _found(name, places):
        return folder
    found = [path.parent for place in places for path in place.glob(f"*/*/{DESCRIPTION}") if _decides(path)]
    known = {folder.parent.name for folder in found if (folder.parent / CURRENT).is_file()}
    known |= {f"{folder.parent.name}/{folder.name}" for folder in found}
    near = difflib.get_close_matches(name, known, n=1)
    elsewhere = _found(name, folders())
    raise ModelError(
        f"no model {name!r}{f' (did you mean {near[0]!r}?)' if near else ''}; "
        f"looked in: {', '.join(map(str, places)) or 'no folder'}; "
        f"found there: {', '.join(sorted(known)) or 'none'}; "
        f"{f'one of that name is {elsewhere}; ' if elsewhere else ''}"
        "give one of these or a model's folder (--model), or the folder that holds it (--models, or folder "
        "in Python)"
    )


def _found(name: str, places: Sequence[Path]) -> Path | None:
    for folder in [Path(name), *(place / name for place in places)]:
        if (folder / DESCRIPTION).is_file():
            return folder
        if (folder / CURRENT).is_file():
            return _current(folder)
    return None


def called(folder: Path) -> Called:
    """Return what the model in `folder` is called, which may not be there yet.

    NAME and VERSION are the last parts of its path in a folder of models, and in a folder that holds nothing
    but versions; else its only name is the last part. A CURRENT in a working folder, or in one of other
    files, would be found where nobody looks for a model.
    """
    whole = folder.resolve()
    above = whole.parent
    versioned = _holds_names(above.parent) or (
        not _holds_names(above) and above != Path.cwd() and _holds_versions(above, whole)
    )
    return Called(above.name, whole.name, True) if versioned else Called(whole.name, "1", False)


def current_of(folder: Path) -> str:
    """Return the version that the name of the model in NAME/VERSION stands for, "" where there is none."""
    try:
        return _current(folder.parent).name if called(folder).versioned else ""
    except ModelError:
        return ""


def usable_as(folder: Path) -> str:
    """Return what `--model` takes for the model in `folder`: the shortest name that means it, or its path."""
    one = called(folder)
    for name in (one.name, f"{one.name}/{one.version}"):
        try:
            found = find(name, places=folders())
        except ModelError:
            continue
        if found.resolve() == folder.resolve():
            return name
    return str(folder)


def _holds_names(folder: Path) -> bool:
    return folder.name == "models" or folder in [place.resolve() for place in folders()]


def _holds_versions(folder: Path, new: Path) -> bool:
    """Tell whether all in a folder are models; one that is to be made is as good as empty."""
    if not folder.is_dir():
        return True
    others = [path for path in folder.iterdir() if path != new and path.name != CURRENT]
    return all((path / DESCRIPTION).is_file() for path in others)


def _decides(path: Path) -> bool:
    """Tell a model that labels from others, such as the encoder of sentences."""
    try:
        return "heads" in json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return True  # damaged: to be named, and then to be told of


def _current(folder: Path) -> Path:
    """Return the folder of the version that CURRENT names."""
    path = folder / CURRENT
    try:
        version = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} can't be read: {error}; write the name of a version into it") from error
    if version and (folder / version / DESCRIPTION).is_file():
        return folder / version
    there = sorted(found.parent.name for found in folder.glob(f"*/{DESCRIPTION}"))
    raise ModelError(
        f"{path} names version {version!r}, which is not there; write the name of one that is into it "
        f"({', '.join(there) or 'none is'})"
    )
