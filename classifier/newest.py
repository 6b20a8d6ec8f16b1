"""Documents that were exported twice, over a whole run: of equal ones the newest counts.

In: batches of documents with their texts, or scored rows. Out: which rows count, under which id, and a
row of DUPLICATES for each other. Never depends on the order of rows or files; keeps hashes, never texts.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier import schema
from classifier.dedupe import EXACT, SAME_ID, SAME_TEXT, Fingerprints, moments, stem_of

Mask = npt.NDArray[np.bool_]
Parents = dict[int, int]
"""Row -> the row that stands for it, which may have a parent too."""

_ABOUT: Final = frozenset(schema.DOCUMENTS) - {"subject"} | {"model_id"}
"""Columns of scored rows that tell of the document, not of its text."""


@dataclass(frozen=True)
class Settled:
    """What counts: a mask over all rows entered, the final ids of the rows it keeps, and the others.

    `doubtful` documents may be later exports of another: same id and day, another text, no time of day.
    """

    kept: Mask
    ids: pd.Series
    duplicates: pd.DataFrame
    doubtful: int = 0


class Newest:
    """Tells repeated documents of a run once all were read.

    Within a file one id is one document, and its newest row counts (`created_at`, then `updated_at`, the
    longest text, the content). The same id in another file is the same document if it has the same text,
    or source and time of day; else it is another one, called "ID@FILE": two exports may number their
    rows alike. Other ids with the same text of 20 characters and more, the same account and time are
    a double import; the lowest id counts. About 100 bytes a document.
    """

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def enter(self, documents: pd.DataFrame, prints: Fingerprints) -> tuple[pd.DataFrame, Mask, pd.DataFrame]:
        """Take the next batch as `dedupe.Register.enter` does, but keep every row until `settle`.

        Parameters
        ----------
        documents
            At least the columns `file`, `row`, `document_id` and `created_at` of table DOCUMENTS.
        prints
            What `dedupe.fingerprints` made of them, row by row.
        """
        self._add(documents, prints)
        return documents, np.ones(len(documents), dtype=np.bool_), schema.empty(schema.DUPLICATES)

    def enter_scored(self, scored: pd.DataFrame, file: str) -> None:
        """Take a scored file: what the model said of a text stands for it.

        Other ids with the same verdict stay other documents, for their texts may differ.
        """
        verdicts = _hashed(scored[[name for name in schema.SCORED if name not in _ABOUT]])
        nothing = np.zeros(len(scored), dtype=np.uint64)
        nobody = np.zeros(len(scored), dtype=np.bool_)
        ids = scored["document_id"].to_numpy(dtype=object)
        prints = Fingerprints(
            ids=ids,
            has_id=ids != "",
            id_keys=nothing,
            texts=np.stack([verdicts, nothing], axis=1),
            comparable=nobody,
            content_keys=nothing,
            lengths=np.asarray(scored["spans"].str.len(), dtype=np.int64),
            facts=_hashed(scored),
            moments=moments(scored),
            # Scored rows don't tell it.
            updated=np.zeros(len(scored), dtype=np.int64),
        )
        self._add(scored.assign(file=file, row=np.arange(1, len(scored) + 1)), prints)

    def _add(self, documents: pd.DataFrame, prints: Fingerprints) -> None:
        self._parts.append(
            pd.DataFrame(
                {
                    "file": pd.Categorical(documents["file"]),
                    "row": documents["row"].to_numpy(),
                    "document_id": documents["document_id"].to_numpy(),
                    "length": prints.lengths,
                    "text_1": prints.texts[:, 0],
                    "text_2": prints.texts[:, 1],
                    "double": prints.content_keys,
                    "comparable": prints.comparable,
                    # A missing time is the lowest number: older than all others.
                    "created": documents["created_at"].astype("int64").to_numpy(),
                    "updated": prints.updated,
                    "moment": prints.moments,
                    "facts": prints.facts,
                }
            )
        )

    def settle(self) -> Settled:
        """Return what counts of all that was entered."""
        if not self._parts:
            return Settled(np.ones(0, dtype=np.bool_), _texts([]), schema.empty(schema.DUPLICATES))
        rows = pd.concat([part.astype({"file": "str"}) for part in self._parts], ignore_index=True)
        # All others are documents of their own without a closer look.
        suspects = rows[_repeated(rows, rows["document_id"] != "", "document_id") | _doubles(rows)]
        seen: dict[int, Any] = dict(zip(suspects.index.tolist(), suspects.itertuples(), strict=True))
        parents, names = _one_id(seen, frozenset(rows["document_id"]))
        _double_imports(seen, parents, names)
        kept = np.ones(len(rows), dtype=np.bool_)
        kept[list(parents)] = False
        ids = rows["document_id"].astype(object).to_numpy(copy=True)
        ids[list(names)] = list(names.values())
        duplicates = _duplicates(seen, parents, ids)
        return Settled(kept, _texts(ids[kept]), duplicates, _doubtful(seen, parents, names))


def _repeated(rows: pd.DataFrame, used: pd.Series, column: str) -> pd.Series:
    return rows[used].duplicated(column, keep=False).reindex(rows.index, fill_value=False)


def _doubles(rows: pd.DataFrame) -> pd.Series:
    return _repeated(rows, rows["comparable"], "double")


def _one_id(seen: Mapping[int, Any], ids: frozenset[str]) -> tuple[Parents, dict[int, str]]:
    """Return which rows of an id stand for which, and the ids of those that need another one."""
    parents: Parents = {}
    _join([row for row in seen.values() if row.document_id], ("document_id", "file"), parents)
    winners = [row for row in seen.values() if row.document_id and row.Index not in parents]
    _join(winners, ("document_id", "text_1", "text_2"), parents)
    left = [row for row in winners if row.moment and row.Index not in parents]
    _join(left, ("document_id", "moment"), parents)
    documents: dict[str, dict[int, str]] = defaultdict(dict)
    for row in winners:
        root, files = _root(row.Index, parents), documents[row.document_id]
        files[root] = min(files.get(root, row.file), row.file)
    names: dict[int, str] = {}
    taken = set(ids)
    for name in sorted(documents):
        for file, root in sorted((file, root) for root, file in documents[name].items())[1:]:
            names[root] = _free(f"{name}@{stem_of(file)}", taken)
            taken.add(names[root])
    return parents, names


def _doubtful(seen: Mapping[int, Any], parents: Parents, names: Mapping[int, str]) -> int:
    """Count the documents that got another id although the one that kept it is of the same day."""
    days = Counter((row.document_id, row.created) for row in seen.values() if row.Index not in parents)
    return sum(days[seen[one].document_id, seen[one].created] > 1 for one in names if seen[one].created > 0)


def _root(row: int, parents: Mapping[int, int]) -> int:
    while row in parents:
        row = parents[row]
    return row


def _join(rows: Iterable[Any], columns: tuple[str, ...], parents: Parents) -> None:
    """Let the newest of the rows that agree in the columns stand for the others."""
    _stand(rows, lambda row: tuple(getattr(row, name) for name in columns), _newest_first, parents)


def _newest_first(row: Any) -> tuple[Any, ...]:
    # Rows that say the same are one and the same: the first place stands for them.
    return (-row.created, -row.updated, -row.length, row.facts, row.text_1, row.text_2, row.file, row.row)


def _double_imports(seen: Mapping[int, Any], parents: Parents, names: Mapping[int, str]) -> None:
    """Let the lowest id stand for the same text of the same account and time."""

    def lowest_first(row: Any) -> tuple[Any, ...]:
        name = names.get(row.Index, row.document_id)
        return (len(name), name, *_newest_first(row))

    left = [row for row in seen.values() if row.comparable and row.Index not in parents]
    _stand(left, lambda row: (row.double, row.text_1, row.text_2), lowest_first, parents)


def _stand(
    rows: Iterable[Any],
    same: Callable[[Any], Hashable],
    order: Callable[[Any], tuple[Any, ...]],
    parents: Parents,
) -> None:
    groups = defaultdict(list)
    for row in rows:
        groups[same(row)].append(row)
    for group in groups.values():
        best = min(group, key=order)
        parents.update({row.Index: best.Index for row in group if row is not best})


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(other for number in range(2, len(taken) + 3) if (other := f"{name}.{number}") not in taken)


def _duplicates(
    seen: Mapping[int, Any], parents: Mapping[int, int], ids: npt.NDArray[np.object_]
) -> pd.DataFrame:
    found = []
    for number in sorted(parents):
        at = _root(number, parents)
        row, root = seen[number], seen[at]
        same_text = (row.text_1, row.text_2) == (root.text_1, root.text_2)
        same = EXACT if row.document_id == root.document_id else SAME_TEXT
        found.append((row.file, row.row, row.document_id, ids[at], same if same_text else SAME_ID))
    return schema.conform(pd.DataFrame(found, columns=list(schema.DUPLICATES)), schema.DUPLICATES)


def _hashed(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def _texts(values: Any) -> pd.Series:
    return pd.Series(values, dtype="str")
