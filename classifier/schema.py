"""The tables that travel between the stages, as {column: dtype}.

In: a DataFrame. Out: the same rows with exactly the table's columns, order and types.
Never guesses: a value that doesn't fit its type is a SchemaError.
"""

import operator
from collections.abc import Mapping, Sequence
from functools import lru_cache
from numbers import Real
from typing import Final

import numpy as np
import pandas as pd

from classifier.errors import SchemaError
from classifier.labels import LABELS

Table = Mapping[str, str]

STR: Final = "str"
TIME: Final = "datetime64[us, UTC]"
REAL: Final = "float64"
INT: Final = "int64"
FLAG: Final = "bool"

DOCUMENTS: Final[Table] = {
    "document_id": STR,
    "source": STR,
    "channel": STR,
    "created_at": TIME,
    # When it last changed, as the export says: of one document exported twice, the later one counts.
    "updated_at": TIME,
    "account": STR,
    "segment": STR,
    "amount": REAL,
    "stage": STR,
    "url": STR,
    "subject": STR,
    "body": STR,
    # Names of this document's people (requester, agent, contact), ";"-joined: masked in all that is written.
    "people": STR,
    # Name of the input as the user gave it, and the 1-based row (or line, or ticket) in it.
    "file": STR,
    "row": INT,
}
"""One row per piece of feedback, as read. Columns named by `--keep` follow as str, prefixed `keep:`."""

REJECTED: Final[Table] = {"file": STR, "row": INT, "document_id": STR, "reason": STR}
DROPPED: Final[Table] = {"file": STR, "row": INT, "document_id": STR, "reason": STR}
DUPLICATES: Final[Table] = {
    "file": STR,
    "row": INT,
    "document_id": STR,
    "duplicate_of": STR,
    "kind": STR,
}


def _label_columns() -> dict[str, str]:
    columns: dict[str, str] = {}
    for label in LABELS:
        columns[label] = FLAG
        columns[f"{label}_score"] = REAL
        columns[f"{label}_start"] = "Int64"
        columns[f"{label}_end"] = "Int64"
        columns[f"{label}_evidence"] = STR
    return columns


SCORED: Final[Table] = {
    "document_id": STR,
    "source": STR,
    "channel": STR,
    "created_at": TIME,
    "account": STR,
    "segment": STR,
    "amount": REAL,
    "stage": STR,
    "url": STR,
    "language": STR,
    "subject": STR,
    **_label_columns(),
    "expectation_source": STR,
    "spans": STR,
    "review": FLAG,
    "review_reason": STR,
    "model_id": STR,
}
"""One row per document, as written. Kept columns follow under their own names."""

EVIDENCE: Final[Table] = {
    "theme_id": STR,
    "document_id": STR,
    "label": STR,
    "start": INT,
    "end": INT,
    "score": REAL,
    "quote": STR,
    "source": STR,
    "channel": STR,
    "account": STR,
    "created_at": TIME,
    "url": STR,
    "area": STR,
    "competitor": STR,
    "churn_risk": FLAG,
    "impact": STR,
    "expectation_source": STR,
    "claim_id": STR,
    "claim_stance": STR,
    "claim_score": REAL,
    "claim_candidates": STR,
    "capability_id": STR,
    "capability_status": STR,
    "objective_id": STR,
}
"""One row per span."""

THEMES: Final[Table] = {
    "theme_id": STR,
    "title": STR,
    "area": STR,
    "parent_id": STR,
    "status": STR,
    "merged_into": STR,
    "created_at": TIME,
    "mentions": INT,
    "accounts": INT,
    "owner": STR,
    "decision": STR,
    "note": STR,
    "exemplar": STR,
}

QUOTES: Final = ("quote_1", "quote_2", "quote_3")

PRODUCT_BACKLOG: Final[Table] = {
    "rank": INT,
    "theme_id": STR,
    "title": STR,
    "labels": STR,
    "area": STR,
    "priority": REAL,
    "factor_reach": REAL,
    "factor_mentions": REAL,
    "factor_revenue": REAL,
    "factor_trend": REAL,
    "factor_severity": REAL,
    "factor_recency": REAL,
    "mentions": INT,
    "expected_true": REAL,
    "accounts": INT,
    "revenue": REAL,
    "currency": STR,
    "share": REAL,
    "trend": REAL,
    "trend_low": REAL,
    "trend_high": REAL,
    "status": STR,
    "burst_from": TIME,
    "burst_to": TIME,
    "first_seen": TIME,
    "last_seen": TIME,
    "capability_id": STR,
    "capability_status": STR,
    "objective_id": STR,
    "departments": STR,
    "owner": STR,
    "decision": STR,
    "note": STR,
    **dict.fromkeys(QUOTES, STR),
    "document_ids": STR,
}

MARKETING_BACKLOG: Final[Table] = {
    "rank": INT,
    "kind": STR,
    "title": STR,
    "theme_id": STR,
    "claim_id": STR,
    "claim": STR,
    "channel": STR,
    "campaign": STR,
    "owner": STR,
    "goal": STR,
    "gap_kind": STR,
    "capability_id": STR,
    "competitor": STR,
    "priority": REAL,
    "mentions": INT,
    "accounts": INT,
    "revenue": REAL,
    "trend": REAL,
    "objective_id": STR,
    "next_step": STR,
    **dict.fromkeys(QUOTES, STR),
    "document_ids": STR,
}

CLAIMS_AT_RISK: Final[Table] = {
    "claim_id": STR,
    "claim": STR,
    "channel": STR,
    "campaign": STR,
    "owner": STR,
    "published_at": TIME,
    "contradictions": INT,
    "confirmed": INT,
    "accounts": INT,
    "revenue": REAL,
    "trend": REAL,
    "share_of_owner": REAL,
    **dict.fromkeys(QUOTES, STR),
    "document_ids": STR,
}

INFLUENCE: Final[Table] = {
    "channel": STR,
    "label": STR,
    "area": STR,
    "department": STR,
    "mentions": INT,
    "share": REAL,
    "accounts": INT,
    "revenue": REAL,
}
"""The map of influence: which channel tells which department what."""

CLAIMS: Final[Table] = {
    "claim_id": STR,
    "claim": STR,
    "channel": STR,
    "campaign": STR,
    "owner": STR,
    "published_at": TIME,
    "retired_at": TIME,
    "area": STR,
}
CAPABILITIES: Final[Table] = {
    "capability_id": STR,
    "capability": STR,
    "status": STR,
    "docs_url": STR,
    "product_area": STR,
}
ACCOUNTS: Final[Table] = {
    "account": STR,
    "segment": STR,
    "industry": STR,
    "arr": REAL,
    "lifecycle": STR,
    "renewal_at": TIME,
    "domain": STR,
    "currency": STR,
}
OBJECTIVES: Final[Table] = {
    "objective_id": STR,
    "objective": STR,
    "kpi": STR,
    "target": STR,
    "owner_department": STR,
    "keywords": STR,
}

LABELLED: Final[Table] = {
    "id": STR,
    "text": STR,
    **dict.fromkeys(LABELS, FLAG),
    # JSON object {label: verbatim span}.
    "evidence": STR,
    "expectation_source": STR,
    "group": STR,
    "source": STR,
    "channel": STR,
}
"""Training and gold documents."""


def empty(table: Table) -> pd.DataFrame:
    """Return the table without rows, with its columns in order and its types."""
    return _without_rows(tuple(table.items())).copy(deep=False)


@lru_cache(maxsize=32)
def _without_rows(table: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in table})


def conform(frame: pd.DataFrame, table: Table, *, extra: Sequence[str] = ()) -> pd.DataFrame:
    """Return `frame` with exactly the columns of `table`, then those of `extra`, typed.

    Missing text is the empty string, missing numbers and times are NaN and NaT. Times that are text
    must be ISO 8601; one without a zone is UTC. The index is renumbered from 0.

    Parameters
    ----------
    frame
        At least the columns of `table` and of `extra`; others are left out.
    table
        Column name -> dtype.
    extra
        Further columns to keep, as text; one that the table has already keeps the table's type.

    Raises
    ------
    SchemaError
        If a column is missing or there twice, or a value doesn't fit its type; the message names the
        row, never the value.
    """
    wanted = {**table, **{name: STR for name in extra if name not in table}}
    if _conforms(frame, wanted):
        return frame.copy(deep=False)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise SchemaError(
            f"columns missing: {', '.join(missing)}; found: {', '.join(map(str, frame.columns)) or 'none'}"
        )
    if not frame.columns.is_unique and (
        twice := [name for name in wanted if list(frame.columns).count(name) > 1]
    ):
        raise SchemaError(
            f"columns that are there more than once: {', '.join(twice)}; rename or drop the others"
        )
    columns = {name: _typed(frame[name], dtype) for name, dtype in wanted.items()}
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


def _conforms(frame: pd.DataFrame, table: Table) -> bool:
    """Tell whether a table is typed already, as it is on its way from stage to stage."""
    return (
        list(frame.columns) == list(table)
        and isinstance(frame.index, pd.RangeIndex)
        and frame.index.equals(pd.RangeIndex(len(frame)))
        and all(map(operator.eq, frame.dtypes.array, table.values()))
        and not any(frame[name].hasnans for name, dtype in table.items() if dtype == STR)
    )


def _typed(column: pd.Series, dtype: str) -> pd.Series:
    if dtype != STR and column.dtype == dtype:
        return column
    try:
        return _converted(column, dtype)
    except (TypeError, ValueError):
        # Without the cause: it shows the value, which may be a customer's.
        row = next((place for place in range(len(column)) if not _fits(column.iloc[[place]], dtype)), 0)
        raise SchemaError(f"column {column.name!r} can't be read as {dtype}: look at row {row + 1}") from None


def _converted(column: pd.Series, dtype: str) -> pd.Series:
    if dtype == STR:
        text = column if column.dtype == STR else column.astype("str")
        typed: pd.Series = text.fillna("") if text.hasnans else text
        return typed
    # What pandas would guess: 20260331 are nanoseconds, "false" is true, 1.7 is 1.
    if dtype == TIME:
        if column.dtype.kind in "iufO" and column.dropna().map(lambda value: isinstance(value, Real)).any():
            raise ValueError
        return pd.to_datetime(column, utc=True, format="ISO8601").dt.as_unit("us")
    if dtype == FLAG and column.dtype == np.bool_:
        return column
    if dtype == FLAG and not column.map(lambda value: isinstance(value, bool | np.bool_)).all():
        raise ValueError
    if dtype == INT and column.dtype.kind == "f" and (column % 1 != 0).any():
        raise ValueError
    converted: pd.Series = column.astype(dtype)  # type: ignore[call-overload]  # any name of a dtype
    return converted


def _fits(column: pd.Series, dtype: str) -> bool:
    try:
        _converted(column, dtype)
    except (TypeError, ValueError):
        return False
    return True
