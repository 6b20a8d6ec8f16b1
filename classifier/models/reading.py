"""Folders of models to models, checked.

In: a folder. Out: LoadedModel. Never unpickles anything; never loads a file whose sha256 isn't the one that
model.json names.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifier.accurate import AccurateModel, Band, Gain, Side, Widths
from classifier.classify import FastModel, Head
from classifier.classify.weights import OUTPUTS
from classifier.errors import ModelError
from classifier.features import FeatureSettings
from classifier.labels import LABELS
from classifier.models.layout import (
    ACCURATE,
    DESCRIPTION,
    FIXED,
    FORMAT,
    FORMATS,
    KEYS,
    WEIGHTS,
    model_id_of,
    sha256_of,
)
from classifier.models.loaded import CASCADE, FAST, LoadedModel


def load(folder: Path) -> LoadedModel:
    """Load the model in `folder`, which holds model.json, weights.safetensors and card.md.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or made for other labels or by a newer program.
    """
    body = _description(folder)
    for name, expected in body["files"].items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing; fetch the model again")
        found = sha256_of(path)
        if found != expected:
            raise ModelError(
                f"{path} is damaged: its sha256 is {found[:12]}…, {DESCRIPTION} names {expected[:12]}…; "
                "fetch the model again"
            )
    settings = FeatureSettings(**body["features"])
    index, weights = _weights(folder / WEIGHTS, settings)
    # As they are on the disk, float16: sums are float32, and the kernel widens what it adds up.
    fast = FastModel(settings, index, weights, tuple(body["bias"]), _heads_of(body["heads"]))
    slow = None
    if ACCURATE in body:
        own = body[ACCURATE]
        slow = AccurateModel(folder / ACCURATE, _heads_of(own["heads"]), _band_of(own["band"]))
    return LoadedModel(
        model_id=body["model_id"],
        name=body["name"],
        version=str(body["version"]),
        languages=tuple(body["languages"]),
        fast=fast,
        description=body,
        folder=folder,
        accurate=slow,
        tier=CASCADE if slow else FAST,
    )


def _heads_of(heads: Mapping[str, Any]) -> dict[str, Head]:
    return {
        label: Head(**{**head, "stack": tuple(head["stack"]), "blend": tuple(head.get("blend", ()))})
        for label, head in heads.items()
    }


def _band_of(band: Mapping[str, Any]) -> Band:
    """Return what asks for the accurate tier.

    Format 1 has a width for each label, format 2 the same weight below a threshold and above it.
    """
    if "limit" not in band:
        return Widths(tuple(band[label] for label in LABELS))
    if "weights" in band:
        sides = tuple(Side(weight, band["scale"]) for weight in band["weights"])
        return Gain(sides, sides, band["limit"])
    below, above = (tuple(Side(**side) for side in band[name]) for name in ("below", "above"))
    return Gain(below, above, band["limit"])


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: {folder} holds no model") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} can't be read: {error}; fetch the model again") from error
    if not isinstance(body, dict):
        raise ModelError(f"{path} holds no JSON object; fetch the model again")
    # First, for a newer format may have other keys.
    if body.get("format", FORMAT) not in FORMATS:
        readable = f"{FORMATS[0]} to {FORMATS[-1]}"
        raise ModelError(
            f"{path} has format {body['format']!r}, this program reads {readable}; "
            "use a model of this program's version or update the program"
        )
    _check_keys(path, body)
    if body["model_id"] != model_id_of(body) or WEIGHTS not in body["files"]:
        raise ModelError(f"{path} was changed after the model was saved; fetch the model again")
    return body


def _check_keys(path: Path, body: Mapping[str, Any]) -> None:
    """Refuse what isn't a model that labels, or one for other labels."""
    missing = [key for key in KEYS if key not in body]
    if {"labels", "heads"} <= {*missing}:
        raise ModelError(
            f"{path} describes no model that labels; use one that does, such as default, or the folder of one"
        )
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}; fetch the model again")
    for key, expected in FIXED.items():
        if body[key] != list(expected):
            raise ModelError(
                f"{path} is made for {key} {body[key]!r}; this program knows {', '.join(expected)}; "
                "train the model again"
            )
    languages = body["languages"]
    if not isinstance(languages, list) or not all(isinstance(one, str) for one in languages):
        raise ModelError(f"{path}: languages must be a list of codes, such as ['en']; fetch the model again")


_TYPES: Final = {"I32": "<i4", "I64": "<i8", "F16": "<f2", "F32": "<f4"}


def _mapped(path: Path, name: str) -> Any:
    """Return an array of a safetensors file without reading it: its pages come when somebody looks."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        tensor = json.loads(file.read(size))[name]
    begin = 8 + size + tensor["data_offsets"][0]
    shape = tuple(tensor["shape"])
    return np.asarray(np.memmap(path, _TYPES[tensor["dtype"]], "r", offset=begin, shape=shape))


def _weights(path: Path, settings: FeatureSettings) -> tuple[Any, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        # It checks the file's head, but hands out copies alone.
        with safe_open(path, "np"):
            index, weights = (_mapped(path, name) for name in ("index", "weights"))
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise ModelError(f"{path} can't be read: {error}; fetch the model again") from error
    if index.shape != (settings.buckets,) or weights.ndim != 2 or weights.shape[1] != OUTPUTS:
        raise ModelError(
            f"{path}: shapes {index.shape} and {weights.shape}, "
            f"expected ({settings.buckets},) and (n, {OUTPUTS}); fetch the model again"
        )
    # Compiled code doesn't look whether a row is there.
    if index.dtype != np.int32 or index.min() < 0 or index.max() >= len(weights):
        raise ModelError(f"{path}: its index points beyond its {len(weights)} rows; fetch the model again")
    return index, weights
