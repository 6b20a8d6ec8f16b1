"""How a model lies on the disk: the names of its files, the keys of model.json, the sums over both.

In: a path, or what model.json holds. Out: names, a sha256, a model id. Never writes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from classifier.classify.weights import STACKED
from classifier.labels import EXPECTATION_SOURCES, LABELS

FORMAT: Final = 3
FORMATS: Final = (1, 2, FORMAT)
"""Those that can be read. In 1 and 2 the cascade asks otherwise; 1 has no `per_known` among its features."""

WEIGHTS: Final = "weights.safetensors"
DESCRIPTION: Final = "model.json"
CARD: Final = "card.md"
CURRENT: Final = "CURRENT"

ACCURATE: Final = "accurate"
"""Folder inside the model's: the transformer of its accurate tier."""

FIXED: Final = {"labels": LABELS, "expectation_sources": EXPECTATION_SOURCES, "stacked": STACKED}
"""Names whose order gives the numbers of a model their meaning."""

KEYS: Final = (
    "model_id",
    "format",
    "name",
    "version",
    *FIXED,
    "languages",
    "features",
    "bias",
    "heads",
    "files",
)


def model_id_of(body: Mapping[str, Any]) -> str:
    """Return name, version and a fingerprint of all that decides a score."""
    keys = ("format", "features", "bias", "heads", "files", ACCURATE)
    deciding = {key: body[key] for key in keys if key in body}
    fingerprint = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:10]
    return f"{body['name']}-{body['version']}-{fingerprint}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
