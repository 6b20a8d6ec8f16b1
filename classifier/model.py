"""The door for programs: a model that scores texts and tables.

In: the name or path of a model, then texts or a DataFrame. Out: table SCORED, a row for each that came
in. Never drops a row, and never writes a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from classifier import clean, models, pipeline, schema
from classifier.errors import SchemaError


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
            Texts; or a table with a column `text` (or `body`) and any others of table DOCUMENTS
            (`subject`, `document_id`, `created_at`, `account`, ...). Missing texts are empty ones;
            without `document_id` rows are numbered from 1.
        keep
            Further columns of the table that the result shall have, as text.
        quotes
            False leaves quotes and subjects empty.

        Returns
        -------
        Table SCORED and the kept columns, one row per document in the same order, index from 0.

        Raises
        ------
        SchemaError
            If the table has no column of text, lacks a column of `keep`, or holds a value that doesn't
            fit its column; or if `documents` is a single text.

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


def load(name_or_path: str | Path = "default", *, folder: str = "") -> Model:
    """Load a model: the folder of one, or a name such as `default` or `default/3`.

    Parameters
    ----------
    folder
        Where names are looked for; by default ./models, the user's data folder and the package's own.

    Raises
    ------
    ModelError
        If there is none, or its files are damaged or of another format.
    """
    return Model(models.load(models.find(str(name_or_path), places=models.folders(folder))))


def _documents(documents: Iterable[str] | pd.DataFrame, keep: Sequence[str]) -> pd.DataFrame:
    """Return table DOCUMENTS with a column `keep:NAME` for each name of `keep`."""
    if isinstance(documents, str):
        raise SchemaError("score() takes a list of texts, not a single one; put it into brackets: [text]")
    given = documents if isinstance(documents, pd.DataFrame) else pd.DataFrame({"text": list(documents)})
    given = given.reset_index(drop=True)
    body = next((name for name in ("text", "body") if name in given), "text")
    missing = [name for name in (body, *keep) if name not in given]
    if missing:
        found = ", ".join(map(str, given.columns)) or "nothing"
        raise SchemaError(
            f"no column {', '.join(map(repr, missing))}; found: {found}; rename the one that is meant"
        )
    numbers = pd.Series(range(1, len(given) + 1), dtype=schema.INT)
    absent = pd.Series([None] * len(given), dtype="object")
    columns = {name: given.get(name, absent) for name in schema.DOCUMENTS}
    columns |= {"document_id": given.get("document_id", numbers), "body": given[body], "row": numbers}
    kept = {f"{pipeline.KEPT}{name}": given[name] for name in keep}
    return schema.conform(pd.DataFrame(columns | kept), schema.DOCUMENTS, extra=list(kept))
