"""Models on disk: folders that hold numbers and JSON, and can run no code.

In: a name or a path. Out: a checked, loaded model. Never unpickles anything; never loads a file whose
sha256 isn't the one that model.json names.
"""

import difflib
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifier import accurate, transformer
from classifier.accurate import AccurateModel
from classifier.classify import FastModel, Head, Scores
from classifier.classify.weights import OUTPUTS, STACKED
from classifier.errors import ModelError, OutputError
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, LABELS

FORMAT: Final = 1
WEIGHTS: Final = "weights.safetensors"
DESCRIPTION: Final = "model.json"
CARD: Final = "card.md"
CURRENT: Final = "CURRENT"
ACCURATE: Final = "accurate"
"""Folder inside the model's: the transformer of its accurate tier."""

FAST: Final = "fast"
CASCADE: Final = "cascade"

_FIXED: Final = {"labels": LABELS, "expectation_sources": EXPECTATION_SOURCES, "stacked": STACKED}
"""Names whose order gives the numbers of a model their meaning."""

_KEYS: Final = (
    "model_id",
    "format",
    "name",
    "version",
    *_FIXED,
    "languages",
    "features",
    "bias",
    "heads",
    "files",
)


@dataclass(frozen=True)
class AccurateFiles:
    """The accurate tier as it is trained: a folder with its transformer, and how it decides."""

    folder: Path
    heads: Mapping[str, Head]
    band: Mapping[str, float]


@dataclass(frozen=True)
class LoadedModel:
    """A model with what model.json says of it, and the tier that shall score."""

    model_id: str
    name: str
    version: str
    languages: tuple[str, ...]
    fast: FastModel
    description: Mapping[str, Any]
    folder: Path
    accurate: AccurateModel | None = None
    tier: str = FAST

    @property
    def tiers(self) -> tuple[str, ...]:
        """What the model can do, the default first."""
        return (CASCADE, FAST, ACCURATE) if self.accurate else (FAST,)

    def on_one_thread(self) -> "LoadedModel":
        """Return the model as a worker uses it, beside which others work."""
        return replace(self, accurate=replace(self.accurate, threads=1)) if self.accurate else self

    @property
    def heads(self) -> Mapping[str, Head]:
        """How the chosen tier decides; the cascade's thresholds are those of the fast tier."""
        return self.accurate.heads if self.accurate and self.tier == ACCURATE else self.fast.heads

    @property
    def priors(self) -> tuple[float, ...]:
        """Share of each label among the documents that the probabilities were calibrated on.

        Raises
        ------
        ModelError
            If the model doesn't tell them: it was made before they were kept.
        """
        priors = tuple(self.heads[label].prior for label in LABELS)
        if not all(priors):
            raise ModelError(
                f"model {self.model_id} doesn't say how common labels were where it was calibrated, which "
                "--prior-shift needs; train it again, or leave the option out"
            )
        return priors

    def shifted(self, logits: Sequence[float]) -> "LoadedModel":
        """Return the model for documents among which labels are more common by `logits`, of their odds."""
        by_label = dict(zip(LABELS, logits, strict=True))

        def moved(heads: Mapping[str, Head]) -> dict[str, Head]:
            return {label: head.shifted(by_label[label]) for label, head in heads.items()}

        slow = self.accurate and replace(self.accurate, heads=moved(self.accurate.heads))
        return replace(self, fast=self.fast.with_heads(moved(self.fast.heads)), accurate=slow)

    def score(self, texts: Any, scores: Scores, readable: Any) -> Scores:
        """Return the scores of the chosen tier, given those of the fast one.

        Parameters
        ----------
        texts
            Cleaned: a list or a pandas Series.
        scores
            Of the fast tier.
        readable
            Whether the text is in a language of the model, shape (n,): others are left as they are.
        """
        if self.accurate is None or self.tier == FAST:
            return scores
        rows = np.flatnonzero(readable)
        if self.tier == CASCADE:
            rows = np.intersect1d(rows, accurate.unsure(scores, self.fast.heads, self.accurate.band))
        return accurate.refine(self.accurate, list(texts), scores, rows)


def folders(explicit: str = "") -> list[Path]:
    """Return where models are looked for, in order: the given folder alone, or the usual three."""
    if explicit:
        return [Path(explicit)]
    from platformdirs import user_data_path

    package = Path(__file__).resolve().parent
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
    for folder in [Path(name), *(place / name for place in places)]:
        if (folder / DESCRIPTION).is_file():
            return folder
        if (folder / CURRENT).is_file():
            return _current(folder)
    found = [path.parent for place in places for path in place.glob(f"*/*/{DESCRIPTION}") if _decides(path)]
    known = {folder.parent.name for folder in found if (folder.parent / CURRENT).is_file()}
    known |= {f"{folder.parent.name}/{folder.name}" for folder in found}
    near = difflib.get_close_matches(name, known, n=1)
    raise ModelError(
        f"no model {name!r}{f' (did you mean {near[0]!r}?)' if near else ''}; "
        f"looked in: {', '.join(map(str, places)) or 'no folder'}; "
        f"found there: {', '.join(sorted(known)) or 'none'}; use --model with one of these or "
        "with a model's folder, or --models with the folder that holds it"
    )


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
        If the folder holds a model, or can't be written.
    """
    require_free(folder)
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"index": model.index, "weights": model.weights.astype(np.float16)}, str(folder / WEIGHTS))
        # The library writes for its owner alone; a model is for everyone who may read the folder.
        (folder / WEIGHTS).chmod(0o644)
        files = {WEIGHTS: _sha256(folder / WEIGHTS)}
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
        text = json.dumps({"model_id": _model_id(body), **body}, indent=1, sort_keys=False) + "\n"
        (folder / CARD).write_text(card, encoding="utf-8")
        # Last and at one go, so that a folder without it is no model, and one with it a whole one.
        part = folder / f"{DESCRIPTION}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / DESCRIPTION)
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"{folder}: the model can't be written: {error}; free the disk or give another --out"
        ) from error
    return _model_id(body)


def _copied(source: Path, target: Path) -> dict[str, str]:
    """Copy the transformer's files; return the sha256 of each, by its path inside the model."""
    target.mkdir(exist_ok=True)
    digests = {}
    for name in (transformer.MODEL, transformer.TOKENIZER):
        shutil.copyfile(source / name, target / name)
        digests[f"{target.name}/{name}"] = _sha256(target / name)
    return digests


def _accurate_body(files: AccurateFiles | None) -> dict[str, Any]:
    if files is None:
        return {}
    heads = {label: asdict(head) for label, head in files.heads.items()}
    return {ACCURATE: {"heads": heads, "band": dict(files.band)}}


def require_free(folder: Path) -> None:
    """Refuse a folder that holds a model: what results were made with must stay what it was.

    Raises
    ------
    OutputError
        If `folder` holds a model.
    """
    if (folder / DESCRIPTION).exists():
        raise OutputError(f"{folder} holds a model already; models are never overwritten, give another --out")


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


def _model_id(body: Mapping[str, Any]) -> str:
    """Return name, version and a fingerprint of all that decides a score."""
    keys = ("format", "features", "bias", "heads", "files", ACCURATE)
    deciding = {key: body[key] for key in keys if key in body}
    fingerprint = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:10]
    return f"{body['name']}-{body['version']}-{fingerprint}"


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
        found = _sha256(path)
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
        slow = AccurateModel(folder / ACCURATE, _heads_of(own["heads"]), own["band"])
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
    return {label: Head(**{**head, "stack": tuple(head["stack"])}) for label, head in heads.items()}


def choose_tier(model: LoadedModel, tier: str | None) -> LoadedModel:
    """Return the model with the tier that shall score; its default where None.

    The id of another tier than the default ends in its name: what it scores isn't the same.

    Raises
    ------
    ModelError
        If the model hasn't the tier.
    """
    if tier and tier not in model.tiers:
        raise ModelError(
            f"model {model.model_id} has no tier {tier!r}, only {', '.join(model.tiers)}; "
            f"use --tier {model.tiers[0]} or another --model"
        )
    if not tier or tier == model.tier:
        return model
    return replace(model, tier=tier, model_id=f"{model.model_id}-{tier}")


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
    if body.get("format", FORMAT) != FORMAT:
        raise ModelError(
            f"{path} has format {body['format']!r}, this program reads {FORMAT}; "
            "use a model of this program's version or update the program"
        )
    missing = [key for key in _KEYS if key not in body]
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}; fetch the model again")
    for key, expected in _FIXED.items():
        if body[key] != list(expected):
            raise ModelError(
                f"{path} is made for {key} {body[key]!r}; this program knows {', '.join(expected)}; "
                "train the model again"
            )
    if body["model_id"] != _model_id(body) or WEIGHTS not in body["files"]:
        raise ModelError(f"{path} was changed after the model was saved; fetch the model again")
    return body


def _weights(path: Path, settings: FeatureSettings) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(str(path))
        index, weights = tensors["index"], tensors["weights"]
    except (SafetensorError, KeyError, OSError) as error:
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
