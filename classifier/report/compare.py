"""What changed between two runs.

In: two folders that `run` or `report` wrote. Out: a frozen Diff, as a dict for programs and as
lines for people. Never holds text of a document: ids, titles of themes and figures only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from classifier import schema
from classifier.labels import LABELS, TITLES
from classifier.report import manifest, numbers
from classifier.report.scored import read_scored, read_table

MOST_IDS: Final = 100
_SHOWN: Final = 10


@dataclass(frozen=True)
class Documents:
    """Documents by id; lists of ids hold the first hundred."""

    both: int
    only_first: int
    only_second: int
    only_first_ids: tuple[str, ...]
    only_second_ids: tuple[str, ...]


@dataclass(frozen=True)
class LabelChange:
    """Of the documents in both runs: which gained or lost a label."""

    label: str
    gained: int
    lost: int
    gained_ids: tuple[str, ...]
    lost_ids: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An entry of a backlog that is in one run only."""

    key: str
    title: str
    rank: int
    priority: float
    mentions: int


@dataclass(frozen=True)
class Move:
    """An entry of both runs whose rank, priority or mentions differ: (first, second)."""

    key: str
    title: str
    rank: tuple[int, int]
    priority: tuple[float, float]
    mentions: tuple[int, int]


@dataclass(frozen=True)
class Backlog:
    """Changes of one backlog, in the order of the second run's ranks (gone ones: the first's)."""

    new: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    moved: tuple[Move, ...]


@dataclass(frozen=True)
class Diff:
    """All that differs; `settings` also holds model, versions and inputs, as name -> (first, second)."""

    first: str
    second: str
    rows: Mapping[str, tuple[int, int]]
    settings: Mapping[str, tuple[Any, Any]]
    documents: Documents
    labels: tuple[LabelChange, ...]
    product: Backlog
    marketing: Backlog

    @property
    def identical(self) -> bool:
        """Whether nothing differs that a result depends on."""
        documents = self.documents
        return not (
            any(before != after for before, after in self.rows.values())
            or self.settings
            or documents.only_first
            or documents.only_second
            or any(change.gained or change.lost for change in self.labels)
            or any(part for backlog in (self.product, self.marketing) for part in asdict(backlog).values())
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the diff as values that JSON can hold."""
        return {"identical": self.identical, **asdict(self)}


def diff(first: Path, second: Path) -> Diff:
    """Compare two folders of runs.

    Raises
    ------
    InputError
        If one isn't a folder of a run, or lacks one of the files that are compared.
    """
    before, after = manifest.read(first)["result"], manifest.read(second)["result"]
    scored = [_scored(folder) for folder in (first, second)]
    return Diff(
        first=str(first),
        second=str(second),
        rows={name: (before["rows"][name], after["rows"][name]) for name in before["rows"]},
        settings=_settings(before, after),
        documents=_documents(*scored),
        labels=_labels(*scored),
        product=_backlog(first, second, "product_backlog.csv", schema.PRODUCT_BACKLOG, ["theme_id"]),
        marketing=_backlog(
            first, second, "marketing_backlog.csv", schema.MARKETING_BACKLOG, ["kind", "theme_id", "claim_id"]
        ),
    )


def render_text(found: Diff) -> str:
    """Return the diff as lines for people; ends without a line break."""
    if found.identical:
        return f"{found.first} and {found.second}: same rows, labels, backlogs and settings"
    lines = [f"{found.first} -> {found.second}"]
    lines += _section("Settings and model", _setting_lines(found.settings))
    lines += _section("Rows", [f"{name}: {b:,} -> {a:,}" for name, (b, a) in found.rows.items() if a != b])
    lines += _section("Documents", _document_lines(found))
    lines += _section("Product backlog", _backlog_lines(found.product))
    lines += _section("Marketing backlog", _backlog_lines(found.marketing))
    return "\n".join(lines)


def _scored(folder: Path) -> pd.DataFrame:
    scored = read_scored([folder / "scored.parquet"])[["document_id", *LABELS]]
    # The same id may come from two inputs: the second, third … are told apart by their number.
    number = scored.groupby("document_id").cumcount()
    return scored.assign(number=number).set_index(["document_id", "number"]).sort_index()


def _documents(before: pd.DataFrame, after: pd.DataFrame) -> Documents:
    gone, new = before.index.difference(after.index), after.index.difference(before.index)
    return Documents(
        both=len(before.index.intersection(after.index)),
        only_first=len(gone),
        only_second=len(new),
        only_first_ids=_ids(gone),
        only_second_ids=_ids(new),
    )


def _labels(before: pd.DataFrame, after: pd.DataFrame) -> tuple[LabelChange, ...]:
    common = before.index.intersection(after.index)
    changes = []
    for label in LABELS:
        had, has = before.loc[common, label], after.loc[common, label]
        gained, lost = common[(has & ~had).to_numpy()], common[(had & ~has).to_numpy()]
        changes.append(LabelChange(label, len(gained), len(lost), _ids(gained), _ids(lost)))
    return tuple(changes)


def _ids(index: pd.Index) -> tuple[str, ...]:
    return tuple(str(one) for one in index.get_level_values("document_id")[:MOST_IDS])


def _backlog(first: Path, second: Path, name: str, table: schema.Table, key: Sequence[str]) -> Backlog:
    before, after = (_keyed(folder / name, table, key) for folder in (first, second))
    return Backlog(
        new=tuple(_entry(after.loc[one]) for one in after.index if one not in before.index),
        gone=tuple(_entry(before.loc[one]) for one in before.index if one not in after.index),
        moved=tuple(
            _move(before.loc[one], after.loc[one])
            for one in after.index
            if one in before.index and _differ(before.loc[one], after.loc[one])
        ),
    )


def _keyed(path: Path, table: schema.Table, key: Sequence[str]) -> pd.DataFrame:
    frame = read_table(path, table)
    parts = frame[list(key)]
    frame["key"] = [":".join(filter(None, row)) for row in parts.itertuples(index=False)]
    return frame.drop_duplicates("key").set_index("key", drop=False)


def _differ(before: pd.Series, after: pd.Series) -> bool:
    return any(before[name] != after[name] for name in ("rank", "priority", "mentions"))


def _entry(row: pd.Series) -> Entry:
    return Entry(row["key"], row["title"], int(row["rank"]), float(row["priority"]), int(row["mentions"]))


def _move(before: pd.Series, after: pd.Series) -> Move:
    return Move(
        key=after["key"],
        title=after["title"],
        rank=(int(before["rank"]), int(after["rank"])),
        priority=(float(before["priority"]), float(after["priority"])),
        mentions=(int(before["mentions"]), int(after["mentions"])),
    )


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    flat = [
        {
            **_flat(result.get("settings", {}), ""),
            **_flat(result.get("versions", {}), "versions."),
            "model_id": result.get("model_id", ""),
            "as_of": result.get("as_of", ""),
            "inputs": [dict(one) for one in result.get("inputs", [])],
        }
        for result in (before, after)
    ]
    names = sorted({*flat[0], *flat[1]})
    return {
        name: (flat[0].get(name), flat[1].get(name))
        for name in names
        if flat[0].get(name) != flat[1].get(name)
    }


def _flat(section: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _section(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    rest = [f"  … and {len(lines) - _SHOWN} more (--format json has all)"] if len(lines) > _SHOWN else []
    return ["", title, *(f"  {line}" for line in lines[:_SHOWN]), *rest]


def _setting_lines(settings: Mapping[str, tuple[Any, Any]]) -> list[str]:
    lines = [
        f"{name}: {before!r} -> {after!r}" for name, (before, after) in settings.items() if name != "inputs"
    ]
    if "inputs" in settings:
        before, after = (_input_names(side) for side in settings["inputs"])
        lines.append(
            f"inputs: {before} -> {after}" if before != after else f"inputs: other content of {before}"
        )
    return lines


def _input_names(inputs: Sequence[Mapping[str, str]]) -> str:
    return ", ".join(one["name"] for one in inputs) or "none"


def _document_lines(found: Diff) -> list[str]:
    documents = found.documents
    lines = []
    if documents.only_first:
        lines.append(f"{documents.only_first:,} only in the first")
    if documents.only_second:
        lines.append(f"{documents.only_second:,} only in the second")
    return lines + [
        f"{TITLES[change.label]}: {change.gained:,} gained, {change.lost:,} lost"
        for change in found.labels
        if change.gained or change.lost
    ]


def _backlog_lines(backlog: Backlog) -> list[str]:
    lines = [f"+ {one.rank}. {one.title} ({one.key}, new, {one.mentions:,} mentions)" for one in backlog.new]
    lines += [f"- {one.rank}. {one.title} ({one.key}, gone)" for one in backlog.gone]
    for move in backlog.moved:
        parts = []
        if move.rank[0] != move.rank[1]:
            parts.append(f"rank {move.rank[0]} -> {move.rank[1]}")
        if move.priority[0] != move.priority[1]:
            parts.append(f"priority {numbers.score(move.priority[0])} -> {numbers.score(move.priority[1])}")
        if move.mentions[0] != move.mentions[1]:
            parts.append(f"mentions {move.mentions[0]:,} -> {move.mentions[1]:,}")
        lines.append(f"~ {move.title} ({move.key}): {', '.join(parts)}")
    return lines
