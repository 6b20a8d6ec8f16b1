"""Models that ship with the program beside the one that labels: where they are, and whether they are whole.

In: a model's name and version. Out: its folder, and the files that its model.json names with their sha256.
Never reads a model from the network.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

from classifier.errors import ModelError

DESCRIPTION: Final = "model.json"
_REMEDY: Final = "install the program again"


def folder_of(name: str, version: str) -> Path:
    """Return the folder of a model that ships with the program."""
    package = Path(__file__).resolve().parent
    # `_models` in an installed wheel, `models` beside the package in a checkout.
    installed = package / "_models" / name / version
    return installed if installed.is_dir() else package.parent / "models" / name / version


def checked_files(folder: Path, needed: str) -> dict[str, str]:
    """Return file -> sha256 of a model's folder, each file read and compared.

    Parameters
    ----------
    needed
        File that the model can't be without.

    Raises
    ------
    ModelError
        If a file is missing, or not the one that model.json names.
    """
    path = folder / DESCRIPTION
    try:
        files: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["files"]
        files[needed]
        for name, expected in files.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
                raise ModelError(
                    f"{folder / name} is damaged: its sha256 is not the one in {path}; {_REMEDY}"
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} can't be read or names files that can't: {error}; {_REMEDY}") from error
    return files
