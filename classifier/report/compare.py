"""What changed between two runs.

In: two folders that `run` or `report` wrote. Out: a frozen Diff, as a dict for programs; `changes`
makes lines for people of it. Never holds text of a document: ids, titles of themes and figures only.
Never matches by theme_id: every run numbers its themes anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from classifier import schema
from classifier.labels import LABELS
from classifier.marketing import CLAIM_AT_RISK
from classifier.report import manifest, numbers
from classifier.report.scored import read_scored, read_table

MOST_IDS: Final = 100
LEAST_OVERLAP: Final = 0.3
"""Rows of two backlogs are the same if this part of the documents of either is in both (Jaccard).

Of the documents that both runs hold: a row that only grew by new ones is the same.
"""
_OTHER: Final = 3


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
    """An entry of a backlog that is in one run only; `key` holds the ids of that run."""

    key: str
    title: str
    rank: int
    priority: float
    mentions: int


@dataclass(frozen=True)
class Move:
    """An entry of both runs whose rank, priority or mentions differ, as people see them: (first, second).

    `key` and `title` are those of the second run, `first_key` and `first_title` those of the first; a
    priority that only looks other is the same: it shifts by some millionths with every document.
    """

    key: str
    title: str
    rank: tuple[int, int]
    priority: tuple[float, float]
    mentions: tuple[int, int]
    first_key: str
    first_title: str


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
    # What the other run can't have in any of its rows.
    only = [_only(*scored), _only(*reversed(scored))]
    return Diff(
        first=str(first),
        second=str(second),
        rows={name: (before["rows"][name], after["rows"][name]) for name in before["rows"]},
        settings=_settings(before, after),
        documents=_documents(*scored),
        labels=_labels(*scored),
        product=_backlog((first, second), only, "product_backlog.csv", schema.PRODUCT_BACKLOG),
        marketing=_backlog((first, second), only, "marketing_backlog.csv", schema.MARKETING_BACKLOG),
    )


def _scored(folder: Path) -> pd.DataFrame:
    scored = read_scored([folder / "scored.parquet"])[["document_id", *LABELS]]
    # The same id may come from two inputs: the second, third … are told apart by their number.
    number = scored.groupby("document_id").cumcount()
    return scored.assign(number=number).set_index(["document_id", "number"]).sort_index()


def _only(ours: pd.DataFrame, theirs: pd.DataFrame) -> frozenset[str]:
    """Return the ids of our documents that are not among theirs."""
    ids = [frame.index.get_level_values("document_id") for frame in (ours, theirs)]
    return frozenset(ids[0].difference(ids[1]))


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


@dataclass(frozen=True)
class _Row:
    entry: Entry
    kind: tuple[str, ...]
    """What the other run's row must have too."""
    documents: frozenset[str]
    """Those that the other run holds, too."""

    def hooks(self) -> Iterator[tuple[str, str]]:
        """Return what a row may be found by: one of its documents, its title, its claim."""
        for document in self.documents:
            yield "document", document
        if self.entry.title:
            yield "title", self.entry.title
        if self.kind[:1] == (CLAIM_AT_RISK,):
            yield "claim", ""


def _backlog(
    folders: Sequence[Path], only: Sequence[frozenset[str]], name: str, table: schema.Table
) -> Backlog:
    before, after = (
        _rows(read_table(folder / name, table), own) for folder, own in zip(folders, only, strict=True)
    )
    pairs = _pairs(before, after)
    known = set(pairs.values())
    return Backlog(
        new=tuple(row.entry for at, row in enumerate(after) if at not in pairs),
        gone=tuple(row.entry for at, row in enumerate(before) if at not in known),
        moved=tuple(
            _move(before[pairs[at]].entry, row.entry)
            for at, row in enumerate(after)
            if at in pairs and _differ(before[pairs[at]].entry, row.entry)
        ),
    )


def _rows(frame: pd.DataFrame, only: frozenset[str]) -> list[_Row]:
    rows = []
    for cells in frame.to_dict("records"):
        ids = [cells.get(name, "") for name in ("kind", "theme_id", "claim_id")]
        entry = Entry(
            key=":".join(filter(None, ids)) if "kind" in cells else cells["theme_id"],
            title=cells["title"],
            rank=int(cells["rank"]),
            priority=float(cells["priority"]),
            mentions=int(cells["mentions"]),
        )
        documents = frozenset(cells["document_ids"].split(";")) - {"", "…"} - only
        rows.append(_Row(entry, _kind(cells), documents))
    return rows


def _kind(cells: Mapping[Any, Any]) -> tuple[str, ...]:
    if "kind" not in cells:
        return ()
    names = ("claim_id",) if cells["kind"] == CLAIM_AT_RISK else ("capability_id", "competitor")
    return (cells["kind"], *(cells[name] for name in names))


def _pairs(before: Sequence[_Row], after: Sequence[_Row]) -> dict[int, int]:
    """Return the place in `after` -> the place in `before` of the same row.

    The pair with the largest overlap of documents first, then what is left over by title, and claims
    by their id alone. Ties: the same title first, then the order in `before` and in `after`.
    """
    places: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, row in enumerate(after):
        for hook in row.hooks():
            places[row.kind, *hook].append(at)
    candidates = []
    for was, row in enumerate(before):
        shared: Counter[int] = Counter()
        for name, value in row.hooks():
            for at in places.get((row.kind, name, value), ()):
                shared[at] += name == "document"
        candidates += [(*_distance(row, after[at], count), was, at) for at, count in shared.items()]
    pairs: dict[int, int] = {}
    taken = set()
    for stage, _, _, was, at in sorted(candidates):
        if stage != _OTHER and was not in taken and at not in pairs:
            pairs[at] = was
            taken.add(was)
    return pairs


def _distance(before: _Row, after: _Row, shared: int) -> tuple[int, float, bool]:
    """Return how far apart two rows of one kind are, the nearest first: by documents, title, claim."""
    union = len(before.documents) + len(after.documents) - shared
    overlap = shared / union if union else 0.0
    other_title = before.entry.title != after.entry.title
    if overlap >= LEAST_OVERLAP:
        stage = 0
    elif before.entry.title and not other_title:
        stage = 1
    else:
        stage = 2 if before.kind[:1] == (CLAIM_AT_RISK,) else _OTHER
    return stage, -overlap, other_title


def _differ(before: Entry, after: Entry) -> bool:
    return _shown(before) != _shown(after)


def _shown(entry: Entry) -> tuple[int, str, int]:
    return entry.rank, numbers.score(entry.priority), entry.mentions


def _move(before: Entry, after: Entry) -> Move:
    return Move(
        key=after.key,
        title=after.title,
        rank=(before.rank, after.rank),
        priority=(before.priority, after.priority),
        mentions=(before.mentions, after.mentions),
        first_key=before.key,
        first_title=before.title,
    )


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    inputs = [
        Counter((one["name"], one["sha256"]) for one in run.get("inputs", [])) for run in (before, after)
    ]
    flat = [
        {
            **_flat(result.get("settings", {}), ""),
            **_flat(result.get("versions", {}), "versions."),
            "model_id": result.get("model_id", ""),
            "as_of": result.get("as_of", ""),
            "inputs": [{"name": name, "sha256": digest} for name, digest in sorted(own.elements())],
        }
        for result, own in ((before, inputs[0] - inputs[1]), (after, inputs[1] - inputs[0]))
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
