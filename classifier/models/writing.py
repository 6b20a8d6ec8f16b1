"""Models to folders that hold numbers and JSON.

In: a model and what is to be told of it. Out: a folder that is whole or no model. Never overwrites one.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier import transformer
from classifier.accurate import Gain
from classifier.classify import FastModel, Head
from classifier.classify.weights import STACKED
from classifier.errors import OutputError
from classifier.labels import EXPECTATION_SOURCES, LABELS
from classifier.models.layout import (
    ACCURATE,
    CARD,
    CURRENT,
    DESCRIPTION,
    FORMAT,
    WEIGHTS,
    model_id_of,
    sha256_of,
)


@dataclass(frozen=True)
class AccurateFiles:
    """The accurate tier as it is trained: a folder with its transformer, and how it decides."""

    folder: Path
    heads: Mapping[str, Head]
    band: Gain


def save(
    folder: Path,
    model: FastModel,
    *,
    name: str,
    version: str,
    languages: Sequence[str],
    about: Mapping[str, Any],
    card: str,
    accurate_files: AccurateFiles | None = None,
) -> str:
    """Write the model's folder and return its model id.

    Weights are rounded to float16, so a model that was just trained must be loaded again before it
    is measured.

    Parameters
    ----------
    folder
        Is made where missing; a model that is there already is never overwritten.
    model, name, version, languages
        What is saved, and what it is called.
    about
        JSON-able: training data, figures, versions.
    card
        Markdown for people.
    accurate_files
        The accurate tier, where there is one: its files are copied.

    Raises
    ------
    OutputError
        If the folder holds a model or other files, or can't be written.
    """
    require_free(folder)
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"index": model.index, "weights": model.weights.astype(np.float16)}, str(folder / WEIGHTS))
        # The library writes for its owner alone; a model is for everyone who may read the folder.
        (folder / WEIGHTS).chmod(0o644)
        files = {WEIGHTS: sha256_of(folder / WEIGHTS)}
        if accurate_files:
            files |= _copied(accurate_files.folder, folder / ACCURATE)
        body = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "labels": list(LABELS),
            "expectation_sources": list(EXPECTATION_SOURCES),
            "languages": list(languages),
            "features": asdict(model.features),
            "stacked": list(STACKED),
            "bias": list(model.bias),
            "heads": {label: asdict(head) for label, head in model.heads.items()},
            **_accurate_body(accurate_files),
            "files": files,
            "about": about,
        }
        text = json.dumps({"model_id": model_id_of(body), **body}, indent=1, sort_keys=False) + "\n"
        (folder / CARD).write_text(card, encoding="utf-8")
        # Last and at one go, so that a folder without it is no model, and one with it a whole one.
        part = folder / f"{DESCRIPTION}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / DESCRIPTION)
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"{folder}: the model can't be written: {error}; free the disk or give another --out"
        ) from error
    return model_id_of(body)


def _copied(source: Path, target: Path) -> dict[str, str]:
    """Copy the transformer's files; return the sha256 of each, by its path inside the model."""
    target.mkdir(exist_ok=True)
    digests = {}
    for name in (transformer.MODEL, transformer.TOKENIZER):
        shutil.copyfile(source / name, target / name)
        digests[f"{target.name}/{name}"] = sha256_of(target / name)
    return digests


def _accurate_body(files: AccurateFiles | None) -> dict[str, Any]:
    if files is None:
        return {}
    heads = {label: asdict(head) for label, head in files.heads.items()}
    return {ACCURATE: {"heads": heads, "band": asdict(files.band)}}


def require_free(folder: Path) -> None:
    """Refuse a folder that no model can be written to, before hours are spent on one.

    What results were made with must stay what it was, and so must the files of others.

    Raises
    ------
    OutputError
        If `folder` holds a model or other files, or can't be written.
    """
    try:
        if (folder / DESCRIPTION).exists():
            raise OutputError(
                f"{folder} holds a model already; models are never overwritten, give another --out"
            )
        foreign = _foreign(folder)
        whole = folder.resolve()
        nearest = next(path for path in (whole, *whole.parents) if path.exists())
    except OSError as error:
        raise OutputError(f"{folder}: can't be used: {error.strerror}; give another --out") from error
    if not nearest.is_dir():
        raise OutputError(f"{nearest} is a file, but a model is a folder; give another --out")
    if foreign:
        raise OutputError(
            f"{folder} holds files that are of no model ({', '.join(foreign[:3])}); "
            "give an --out that is new or empty"
        )
    try:
        # Permissions don't tell: of root, of disks that are mounted to be read.
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except OSError as error:
        raise OutputError(
            f"{nearest} can't be written to: {error.strerror}; change that or give another --out"
        ) from error


def _foreign(folder: Path) -> list[str]:
    """Return the names of files that no model was to be made of; hidden ones are in nobody's way."""
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    # Weights are written first: without them, the others are not what an interrupted `save` left.
    left = {WEIGHTS, CARD, ACCURATE, f"{DESCRIPTION}.part"} if WEIGHTS in names else set()
    return [name for name in names if name not in left]


def appoint_first(folder: Path) -> None:
    """Make the model in NAME/VERSION the current one of its name, where there is none yet.

    Raises
    ------
    OutputError
        If CURRENT can't be written.
    """
    current = folder.parent / CURRENT
    if current.exists():
        return
    try:
        current.write_text(f"{folder.name}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{current}: can't be written: {error}") from error


def rounded(model: FastModel) -> FastModel:
    """Return the model as it will be after saving and loading: its weights in float16."""
    return replace(model, weights=model.weights.astype(np.float16).astype(np.float32))
