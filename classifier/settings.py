"""classifier.toml as frozen dataclasses; all mistakes are reported at once.

In: a TOML file (or none: the defaults). Out: Settings. Never reads the environment.
"""

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from classifier.errors import SettingsError

FACTORS = ("reach", "mentions", "revenue", "trend", "severity", "recency")
ENCODERS = ("auto", "sentences", "static", "words")


@dataclass(frozen=True)
class Input:
    """How exports are read; an option of the command line wins over each."""

    source: str = "auto"
    text_column: str = ""
    subject_column: str = ""
    id_column: str = ""
    date_column: str = ""
    account_column: str = ""
    amount_column: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    date_format: str = ""
    keep: tuple[str, ...] = ()
    keep_internal: bool = False
    max_rejected: float = 5.0


@dataclass(frozen=True)
class Scoring:
    """What is scored and what is written of it."""

    languages: tuple[str, ...] = ()  # none: those of the model
    quotes: str = "redacted"
    prior_shift: bool = False


@dataclass(frozen=True)
class Themes:
    """How labelled units become themes."""

    area_column: str = ""
    similarity: float = 0.0  # 0: the default of group.py
    encoder: str = "auto"  # of ENCODERS: what sentences are compared by


@dataclass(frozen=True)
class Rank:
    """Weights of the factors of `priority`: 0 leaves a factor out."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "reach": 3.0,
            "mentions": 2.0,
            "revenue": 2.0,
            "trend": 1.0,
            "severity": 2.0,
            "recency": 1.0,
        }
    )
    recency_half_life_days: float = 90.0


@dataclass(frozen=True)
class Report:
    """What the report says about itself."""

    title: str = "Customer feedback"
    currency: str = "USD"


@dataclass(frozen=True)
class Settings:
    """All of classifier.toml."""

    input: Input = field(default_factory=Input)
    scoring: Scoring = field(default_factory=Scoring)
    areas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    departments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    competitors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    themes: Themes = field(default_factory=Themes)
    rank: Rank = field(default_factory=Rank)
    report: Report = field(default_factory=Report)


def load(path: Path | None) -> Settings:
    """Read settings from `path`; without a path, the defaults.

    Raises
    ------
    SettingsError
        If the file is missing, isn't TOML, or holds unknown names or wrong values: all of them.
    """
    if path is None:
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; leave --config out to use the defaults") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    return parse(raw, origin=str(path))


def parse(raw: Mapping[str, Any], *, origin: str) -> Settings:
    """Turn a parsed TOML document into Settings.

    Raises
    ------
    SettingsError
        With one line per fault, as `section.key: what is wrong`.
    """
    faults: list[str] = []
    settings: Settings = _build(Settings, raw, "", faults)
    faults += _range_faults(settings)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise SettingsError(f"{origin}: {len(faults)} setting(s) to mend:\n{lines}")
    return settings


def require_department(name: str, settings: Settings, owners: Iterable[str]) -> None:
    """Refuse a department that neither the settings nor `owners`, those of objectives, name; "" is none.

    Raises
    ------
    SettingsError
        With the departments that there are.
    """
    known = sorted({*settings.departments, *owners} - {""})
    if not name or name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(known) or "none; name them in [departments] of classifier.toml"
    raise SettingsError(f"--for {name!r}: no such department; {hint}known: {listed}")


def _build(cls: type, raw: Mapping[str, Any], prefix: str, faults: list[str]) -> Any:
    known = {f.name: f for f in fields(cls)}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in known:
            faults.append(f"{prefix}{name}: unknown{_suggest(name, list(known))}")
            continue
        try:
            values[name] = _convert(cls, name, value, f"{prefix}{name}", faults)
        except ValueError as error:
            faults.append(f"{prefix}{name}: {error}")
    return cls(**values)


def _convert(cls: type, name: str, value: Any, path: str, faults: list[str]) -> Any:
    default = getattr(cls(), name)
    if is_dataclass(default):
        if not isinstance(value, Mapping):
            raise ValueError(f"{value!r} is not a section")
        return _build(type(default), value, f"{path}.", faults)
    if name == "weights":
        return {**default, **_weights(value, path, faults)}
    if isinstance(default, Mapping):
        return _phrases(value, path, faults)
    for kind, convert in _SCALARS:
        if isinstance(default, kind):
            return convert(value)
    raise AssertionError(f"no conversion for {cls.__name__}.{name}")  # a bug in this module


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'{value!r} is not a list of texts; write it like ["one", "two"]')
    if not all(item.strip() for item in value):
        raise ValueError("one of the texts is empty; leave it out")
    return tuple(value)


# bool before int: in Python a bool is an int.
_SCALARS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bool, _flag),
    (int, _whole),
    (float, _number),
    (str, _text),
    (tuple, _texts),
)


def _phrases(value: Any, path: str, faults: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a section of `name = [phrases]`")
    phrases: dict[str, tuple[str, ...]] = {}
    for name, items in value.items():
        try:
            phrases[name] = _texts(items)
        except ValueError as error:
            faults.append(f"{path}.{name}: {error}")
    return phrases


def _weights(value: Any, path: str, faults: list[str]) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a section of `factor = weight`")
    weights: dict[str, float] = {}
    for name, weight in value.items():
        if name not in FACTORS:
            faults.append(f"{path}.{name}: unknown factor{_suggest(name, list(FACTORS))}")
            continue
        try:
            weights[name] = _number(weight)
        except ValueError as error:
            faults.append(f"{path}.{name}: {error}")
    return weights


def _range_faults(settings: Settings) -> list[str]:
    faults = [
        f"rank.weights.{name}: {weight} is below 0"
        for name, weight in settings.rank.weights.items()
        if weight < 0
    ]
    if not any(settings.rank.weights.values()):
        faults.append("rank.weights: all weights are 0")
    if not 0 <= settings.input.max_rejected <= 100:
        faults.append(f"input.max_rejected: {settings.input.max_rejected} is not a percentage")
    if settings.scoring.quotes not in ("redacted", "none"):
        faults.append(f"scoring.quotes: {settings.scoring.quotes!r} is neither redacted nor none")
    if settings.rank.recency_half_life_days <= 0:
        faults.append(f"rank.recency_half_life_days: {settings.rank.recency_half_life_days} is not above 0")
    if settings.themes.encoder not in ENCODERS:
        faults.append(f"themes.encoder: {settings.themes.encoder!r} is none of {', '.join(ENCODERS)}")
    if not 0 <= settings.themes.similarity <= 1:
        faults.append(f"themes.similarity: {settings.themes.similarity} is not between 0 and 1")
    return faults


def _suggest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
