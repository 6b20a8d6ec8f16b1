"""The door for programs: a model that scores texts and tables.

In: the name or path of a model, then texts or a DataFrame. Out: table SCORED, a row for each that came
in. Never drops a row, and never writes a file.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Final

import pandas as pd

from classifier import clean, models, pipeline, schema
from classifier.chars import without_halves
from classifier.errors import SchemaError

_BODIES: Final = ("text", "body")
_NO_TEXTS: Final = (bytes, bytearray, memoryview, Mapping, Set)
"""What can be gone through, but not as texts in their order."""

_TAKEN: Final = "give a list, Series or array of texts, or a table with a column text"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Model:
    """A loaded model; `load` makes one."""

    loaded: models.LoadedModel

    @property
    def model_id(self) -> str:
        """Name, version and fingerprint: as in the column `model_id` of what it scores."""
        return self.loaded.model_id

    def score(
        self, documents: Iterable[str] | pd.DataFrame, *, keep: Sequence[str] = (), quotes: bool = True
    ) -> pd.DataFrame:
        """Label documents, as `classifier score` does, without leaving out duplicates or automatic replies.

        Parameters
        ----------
        documents
            Texts: a list, Series or array of one dimension, of Arrow, too. Or a table, of pandas or Arrow,
            with a column `text` (or `body`) and any others of table DOCUMENTS (`subject`, `document_id`,
            `created_at`, `account`, ...). Missing texts are empty ones; without `document_id` rows are
            numbered from 1.
        keep
            Further columns of the table that the result shall have, as text: neither the text itself nor
            one that table SCORED has.
        quotes
            False leaves quotes and subjects empty.

        Returns
        -------
        Table SCORED and the kept columns, one row per document in the same order, index from 0.

        Raises
        ------
        SchemaError
            If the table has no column of text, lacks a column of `keep`, or holds a value that doesn't
            fit its column; if `keep` names a column that the result has anyway; or if `documents` is
            anything else, such as a single text.

        Examples
        --------
        >>> scored = load("default").score(["The export crashes every single time."])
        >>> scored[["document_id", "pain_point"]].values.tolist()
        [['1', True]]
        """
        table = _documents(documents, keep)
        return pipeline.score(
            table,
            texts=clean.document_text(table["subject"], table["body"]),
            model=self.loaded,
            settings=pipeline.ScoreSettings(quotes=quotes, keep=tuple(keep)),
        )


def load(name_or_path: str | Path = "default", *, folder: str = "", tier: str | None = None) -> Model:
    """Load a model: the folder of one, or a name such as `default` or `default/3`.

    Parameters
    ----------
    folder
        Where names are looked for; by default ./models, the user's data folder and the package's own.
    tier
        Which scores: `fast`, `cascade` or `accurate`; by default the best that the model has.

    Raises
    ------
    ModelError
        If there is none, its files are damaged or of another format, or it lacks the tier.
    """
    loaded = models.load(models.find(str(name_or_path), places=models.folders(folder)))
    return Model(models.choose_tier(loaded, tier))


def _documents(documents: Any, keep: Sequence[str]) -> pd.DataFrame:
    """Return table DOCUMENTS with a column `keep:NAME` for each name of `keep`."""
    given = _table(documents).reset_index(drop=True)
    body = next((name for name in _BODIES if name in given), "text")
    _check_names(given, body, keep)
    for name in {body, "subject"} & {*given}:
        _check_texts(given[name], f"column {name!r}", (str, Real))
    numbers = pd.Series(range(1, len(given) + 1), dtype=schema.INT)
    absent = pd.Series([None] * len(given), dtype="object")
    columns = {name: given.get(name, absent) for name in schema.DOCUMENTS}
    columns |= {"document_id": given.get("document_id", numbers), "body": given[body], "row": numbers}
    # Tells versions of one document apart, which nobody asks for here.
    columns["updated_at"] = absent
    kept = {f"{pipeline.KEPT}{name}": given[name] for name in keep}
    whole = {
        name: _whole(column if schema.DOCUMENTS.get(name) == schema.REAL else _without_points(column))
        for name, column in (columns | kept).items()
    }
    return schema.conform(pd.DataFrame(whole), schema.DOCUMENTS, extra=list(kept))


def _table(documents: Any) -> pd.DataFrame:
    """Return what was given as a table, texts as its column `text`."""
    import pyarrow as pa

    if isinstance(documents, pd.DataFrame):
        return documents
    if isinstance(documents, pa.Table | pa.RecordBatch):
        table: pd.DataFrame = documents.to_pandas()
        return table
    if isinstance(documents, pa.Array | pa.ChunkedArray):
        documents = documents.to_pylist()
    if isinstance(documents, str):
        raise SchemaError("score() takes a list of texts, not a single one; put it into brackets: [text]")
    sized = getattr(documents, "ndim", 1)
    if isinstance(documents, _NO_TEXTS) or not isinstance(documents, Iterable) or sized != 1:
        shape = f" of {sized} dimensions" if sized != 1 else ""
        raise SchemaError(f"score() got {_kind(documents)}{shape}; {_TAKEN}")
    texts = pd.Series(list(documents), dtype="object")
    _check_texts(texts, "score()", (str,))
    return pd.DataFrame({"text": texts})


def _check_names(given: pd.DataFrame, body: str, keep: Sequence[str]) -> None:
    if given.columns.nlevels > 1:
        raise SchemaError("the table's columns have names of several levels; give it flat ones")
    if isinstance(keep, str):
        raise SchemaError(f"keep is a list of columns; put {keep!r} into brackets: [{keep!r}]")
    own = [name for name in keep if name in schema.SCORED]
    if own:
        raise SchemaError(f"keep {own[0]!r}: scored rows have a column of that name already; leave it out")
    if body in keep:
        raise SchemaError(
            f"keep {body!r} is the text of the documents, which is never written in full; leave it out"
        )
    missing = [name for name in (body, *keep) if name not in given]
    if missing:
        found = ", ".join(map(str, given.columns)) or "nothing"
        raise SchemaError(
            f"no column {', '.join(map(repr, missing))}; found: {found}; rename the one that is meant"
        )
    used = {*schema.DOCUMENTS, body, *keep}
    twice = [name for name in given.columns[given.columns.duplicated()] if name in used]
    if twice:
        raise SchemaError(f"column {twice[0]!r} is there more than once; rename or drop the others")


def _check_texts(values: pd.Series, where: str, kinds: tuple[type, ...]) -> None:
    """Refuse values that are neither texts nor missing: written out, they would be scored as if they were."""
    if values.dtype != "object":
        return
    for row, value in enumerate(values, start=1):
        if not isinstance(value, kinds) and not (pd.api.types.is_scalar(value) and pd.isna(value)):
            raise SchemaError(f"{where} got {_kind(value)} at place {row}; {_TAKEN}")


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _without_points(column: pd.Series) -> pd.Series:
    """Return whole numbers, such as ids, without the ".0" that pandas gives them where one is missing."""
    if column.dtype.kind != "f" or not column.hasnans:
        return column
    there = column.dropna()
    # Beyond 2 ** 53 a float is a whole number for want of digits.
    are_whole = len(there) > 0 and bool(((there % 1 == 0) & (there.abs() < 2**53)).all())
    return column.astype("Int64") if are_whole else column


def _whole(column: pd.Series) -> pd.Series:
    """Replace halves of surrogate pairs, which are no characters, as on reading exports."""
    if column.dtype != "object" or not column.map(_is_broken).any():
        return column
    return column.map(lambda value: without_halves(value) if _is_broken(value) else value)


def _is_broken(value: object) -> bool:
    return isinstance(value, str) and not value.isascii() and _SURROGATE.search(value) is not None
