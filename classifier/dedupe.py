"""Documents that were exported twice.

In: batches of documents with their texts. Out: which rows to keep, and a row of DUPLICATES for each other.
Never calls texts of different people duplicates, however alike; keeps hashes, never texts. It streams: the
first of equal documents stays. Over a whole run the newest does (`newest`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.buffers import lengths_of
from classifier.hashes import hash_column, mixed
from classifier.remembered import Index, Kept, Keys, Record

EXACT: Final = "exact"
SAME_ID: Final = "same_id"
SAME_TEXT: Final = "same_text"

_SHORTEST = 20  # code points: shorter texts are written twice by chance
Mask = npt.NDArray[np.bool_]


class Deduplicator:
    """Tells repeated documents over all batches of a run.

    Kinds: `exact`, the same id and text; `same_id`, the same id with another text (the first is kept, the
    caller warns); `same_text`, other ids but the same text of 20 characters and more, the same account and
    time: a double import. Needs 18 to 20 bytes of memory a document, or half for one without an account or a
    time.
    """

    def __init__(self) -> None:
        self._ids = Index()
        self._contents = Index()
        self._kept = Kept()

    def split(self, documents: pd.DataFrame, texts: pd.Series) -> tuple[Mask, pd.DataFrame]:
        """Tell which documents of the next batch are new.

        Parameters
        ----------
        documents
            Table DOCUMENTS, in order: the first of equal ones is kept.
        texts
            Their texts, in the same order.

        Returns
        -------
        kept
            Mask over the rows of `documents`.
        duplicates
            Table DUPLICATES, one row for each that isn't kept; `duplicate_of` is the id of the one that is.
        """
        return self.tell(documents, fingerprints(documents, texts))

    def tell(
        self, documents: pd.DataFrame, batch: "Fingerprints", *, suffix: str = "", foreign: Mask | None = None
    ) -> tuple[Mask, pd.DataFrame]:
        """Do as `split`, where the texts were looked at elsewhere: in another process, in an earlier run.

        Parameters
        ----------
        documents
            At least the columns `file`, `row` and `document_id`.
        batch
            Of the same rows. Rows that take another name have it in `ids` afterwards.
        suffix, foreign
            The rows of `foreign` whose id another text of another moment has get this behind their id, and
            are looked at anew.
        """
        kept = np.ones(len(documents), dtype=np.bool_)
        here = _Seen({}, {})
        found: list[tuple[str, str]] = []
        suspects = self._suspects(batch, suffix).nonzero()[0]
        with_id = self._with_key(self._ids, batch.id_keys, suspects[batch.has_id[suspects]])
        with_content = self._with_key(
            self._contents, batch.content_keys, suspects[batch.comparable[suspects]]
        )
        for row in suspects.tolist():
            verdict = _verdict(batch, row, here, with_id.get(row, ()), with_content.get(row, ()))
            if verdict is not None and verdict.other and foreign is not None and foreign[row]:
                batch.rename(row, f"{batch.ids[row]}{suffix}")
                renamed = self._with_key(self._ids, batch.id_keys, np.array([row])).get(row, ())
                verdict = _verdict(batch, row, here, renamed, with_content.get(row, ()))
            if verdict is None:
                here.add(batch, row)
            else:
                kept[row] = False
                found.append((verdict.original, verdict.kind))
        self._remember(batch, kept)
        if not found:
            return kept, schema.empty(schema.DUPLICATES)
        duplicates = documents.loc[~kept, ["file", "row"]].assign(
            document_id=batch.ids[~kept],
            duplicate_of=[original for original, _ in found],
            kind=[kind for _, kind in found],
        )
        return kept, schema.conform(duplicates, schema.DUPLICATES)

    def _suspects(self, batch: "Fingerprints", suffix: str) -> Mask:
        """Mark rows that share a key with any other, or may share a name that is given here."""
        suspects = np.zeros(len(batch.ids), dtype=np.bool_)
        if suffix:
            suspects |= np.fromiter((name.endswith(suffix) for name in batch.ids), np.bool_, len(batch.ids))
        for keys, used, index in (
            (batch.id_keys, batch.has_id, self._ids),
            (batch.content_keys, batch.comparable, self._contents),
        ):
            own = keys if used.all() else keys[used]
            suspects[used] |= pd.Series(own).duplicated(keep=False).to_numpy() | index.may_know(own)
        return suspects

    def _with_key(self, index: Index, keys: Keys, rows: npt.NDArray[np.int64]) -> dict[int, Sequence[Record]]:
        """Return for each of the batch's `rows` the documents of earlier batches that may have its key."""
        first, places = index.find(keys[rows])
        found = iter(self._kept.records(places))
        counts = np.diff(first).tolist()
        return {row: list(islice(found, count)) for row, count in zip(rows.tolist(), counts, strict=True)}

    def _remember(self, batch: "Fingerprints", kept: Mask) -> None:
        rows = (len(self._kept) + np.cumsum(kept) - 1).astype(np.int32)
        hashes = np.column_stack([batch.texts, batch.content_keys, batch.moments])
        self._kept.add(pa.array(batch.ids[kept], type=pa.string()), hashes[kept])
        self._ids.add(batch.id_keys[kept & batch.has_id], rows[kept & batch.has_id])
        self._contents.add(batch.content_keys[kept & batch.comparable], rows[kept & batch.comparable])


class Register:
    """Gives every document of a run an id of its own, and tells the repeated ones.

    Two exports may number their rows alike: an id that another file used for another text is no duplicate,
    unless both are of one moment: then the document went on, and the first that was read stays. A document of
    its own is called "ID@FILE".
    """

    def __init__(self) -> None:
        self._run = Deduplicator()
        self._file = Deduplicator()
        self._files: list[str] = []

    def enter(
        self, documents: pd.DataFrame, prints: "Fingerprints"
    ) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], pd.DataFrame]:
        """Take the next batch, which must come from one file; how the rows are cut changes nothing.

        Parameters
        ----------
        documents
            At least the columns `file`, `row` and `document_id` of table DOCUMENTS.
        prints
            What `fingerprints` made of them, row by row.

        Returns
        -------
        The documents with their final ids, and `kept` and `duplicates` as `Deduplicator.split`.
        """
        if documents.empty:
            return documents, *self._run.tell(documents, prints)
        file = str(documents["file"].iloc[0])
        if not self._files or self._files[-1] != file:
            self._files.append(file)
            self._file = Deduplicator()
        if len(self._files) == 1:
            return documents, *self._run.tell(documents, prints)
        new_here, _ = self._file.tell(documents, prints)
        named = prints.copy()
        kept, duplicates = self._run.tell(documents, named, suffix=f"@{stem_of(file)}", foreign=new_here)
        return (
            documents.assign(document_id=pd.Series(named.ids, index=documents.index, dtype="str")),
            kept,
            duplicates,
        )


def stem_of(file: str) -> str:
    """Return the file's name without folder and endings."""
    return "stdin" if file == "-" else file.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0]


@dataclass(frozen=True)
class Fingerprints:
    """What is compared of a batch, one entry a row; tells nothing of the texts but their hashes."""

    ids: npt.NDArray[np.object_]
    has_id: Mask
    id_keys: Keys
    texts: Keys  # two columns: 128 bits, so that equal hashes are equal texts
    comparable: Mask  # long enough, with account and time
    content_keys: Keys
    lengths: npt.NDArray[np.int64]  # code points of the texts
    facts: Keys  # all that the rows say beside their texts and where they stand
    moments: Keys  # as `moments` says
    updated: npt.NDArray[np.int64]  # microseconds since 1970; the lowest number where it isn't known

    def copy(self) -> "Fingerprints":
        """Return a copy whose rows can be renamed."""
        return replace(self, ids=self.ids.copy(), id_keys=self.id_keys.copy())

    def rename(self, row: int, name: str) -> None:
        """Give a row another id."""
        self.ids[row] = name
        self.id_keys[row] = hash_column([name])[0, 0]

    def table(self) -> pd.DataFrame:
        """Return all but the ids as columns; `from_table` takes them back."""
        return pd.DataFrame(
            {
                "id_key": self.id_keys,
                "text_1": self.texts[:, 0],
                "text_2": self.texts[:, 1],
                "comparable": self.comparable,
                "content_key": self.content_keys,
                "length": self.lengths,
                "facts": self.facts,
                "moment": self.moments,
                "updated": self.updated,
            }
        )

    @classmethod
    def from_table(cls, ids: pd.Series, table: pd.DataFrame) -> "Fingerprints":
        """Return the fingerprints that `table` was made of; `ids` are those of the documents."""
        names = ids.to_numpy(dtype=object)
        return cls(
            names,
            names != "",
            table["id_key"].to_numpy(np.uint64),
            table[["text_1", "text_2"]].to_numpy(np.uint64),
            table["comparable"].to_numpy(np.bool_),
            table["content_key"].to_numpy(np.uint64),
            table["length"].to_numpy(np.int64),
            table["facts"].to_numpy(np.uint64),
            table["moment"].to_numpy(np.uint64),
            table["updated"].to_numpy(np.int64),
        )

    def text(self, row: int) -> tuple[int, int]:
        """Return what stands for the text of a row."""
        return int(self.texts[row, 0]), int(self.texts[row, 1])


@dataclass(frozen=True)
class _Seen:
    """What a batch itself holds so far, of the rows that share a key."""

    of_id: dict[str, tuple[tuple[int, int], int]]  # text and moment
    id_of_content: dict[tuple[int, int, int], str]

    def add(self, batch: Fingerprints, row: int) -> None:
        if batch.has_id[row]:
            self.of_id[batch.ids[row]] = batch.text(row), int(batch.moments[row])
        if batch.comparable[row]:
            self.id_of_content[(int(batch.content_keys[row]), *batch.text(row))] = batch.ids[row]


class _Verdict(NamedTuple):
    """Which document a row repeats; `other`: it may be another one that only has the same id."""

    original: str
    kind: str
    other: bool = False


def _verdict(
    batch: Fingerprints, row: int, here: _Seen, with_id: Sequence[Record], with_content: Sequence[Record]
) -> _Verdict | None:
    """Return what a row repeats; None for a new document.

    Parameters
    ----------
    here
        The rows of the batch before this one.
    with_id, with_content
        The documents of earlier batches that may have this row's keys: other ids or texts are among them.
    """
    name, text = batch.ids[row], batch.text(row)
    if batch.has_id[row]:
        known = here.of_id.get(name)
        if known is None:
            theirs = ((record.text, record.moment) for record in with_id if record.name == name)
            known = next(theirs, None)
        if known is not None:
            moment = int(batch.moments[row])
            other = known[0] != text and not (moment and known[1] == moment)
            return _Verdict(name, EXACT if known[0] == text else SAME_ID, other)
    if batch.comparable[row]:
        original = here.id_of_content.get((int(batch.content_keys[row]), *text))
        if original is None:
            key = int(batch.content_keys[row])
            names = (record.name for record in with_content if (record.content, record.text) == (key, text))
            original = next(names, None)
        if original is not None:
            return _Verdict(original, SAME_TEXT)
    return None


def fingerprints(documents: pd.DataFrame, texts: pd.Series) -> Fingerprints:
    """Return what tells repeated documents: pure and row-local.

    Parameters
    ----------
    documents
        Table DOCUMENTS, and the columns that follow it.
    texts
        Their texts, in the same order.
    """
    ids = documents["document_id"].to_numpy(dtype=object)
    accounts = documents["account"].str.strip()
    created_at = documents["created_at"]
    lengths = lengths_of(texts)
    comparable = accounts.ne("").to_numpy() & created_at.notna().to_numpy() & (lengths >= _SHORTEST)
    hashes = hash_column(texts)
    times = created_at.astype("int64").to_numpy().view(np.uint64)
    contents = np.empty(len(ids), dtype=np.uint64)
    mixed(np.column_stack([hashes, hash_column(accounts), times]), contents)
    keys = np.ascontiguousarray(hash_column(documents["document_id"])[:, 0])
    return Fingerprints(
        ids=ids,
        has_id=ids != "",
        id_keys=keys,
        texts=hashes,
        comparable=comparable,
        content_keys=contents,
        lengths=lengths,
        facts=_facts(documents, times),
        moments=moments(documents),
        updated=np.asarray(documents["updated_at"].astype("int64"), dtype=np.int64),
    )


def moments(documents: pd.DataFrame) -> Keys:
    """Return what stands for source and time of day: an id that two files give to one is one document.

    0 where there is no time of day: a time at midnight is a date, which many documents share.
    """
    times = documents["created_at"]
    found = np.empty(len(documents), dtype=np.uint64)
    mixed(
        np.column_stack([hash_column(documents["source"]), times.astype("int64").to_numpy().view(np.uint64)]),
        found,
    )
    found[~(times.notna() & (times != times.dt.normalize())).to_numpy()] = 0
    return found


def _facts(documents: pd.DataFrame, times: Keys) -> Keys:
    """Return a hash of what each row says beside its text."""
    left_out = ("file", "row", "body", "created_at", "updated_at", "amount")
    words = [hash_column(documents[name]) for name in documents if name not in left_out]
    amounts = pd.util.hash_array(documents["amount"].to_numpy(dtype=np.float64))
    facts = np.empty(len(documents), dtype=np.uint64)
    mixed(np.column_stack([*words, times, amounts]), facts)
    return facts
