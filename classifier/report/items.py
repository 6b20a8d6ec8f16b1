"""The entries of both backlogs and the claims, as the report shows them.

In: the ranked tables, the evidence and the weekly counts. Out: frozen dataclasses of numbers and
plain text. Never escapes or lays out: that is the template's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from classifier.marketing import ABOUT, CLAIM_AT_RISK
from classifier.report.charts import buckets
from classifier.report.results import Results
from classifier.schema import QUOTES
from classifier.settings import FACTORS
from classifier.trends import RECENT, STEADY, weekly

SPARK_POINTS: Final = 26
UNPROVEN: Final = "no_clear_change"
TOO_FEW: Final = "too_few_to_say"
TOO_EARLY: Final = "too_early_to_say"
"""Shown where the tables call a theme steady: the interval of its trend spans zero; its mentions are too few
for a trend; no document is older than the weeks that a trend compares with the time before."""


@dataclass(frozen=True)
class Quote:
    """A customer's words and where they come from; `url` is empty unless it leads to the web."""

    text: str
    account: str = ""
    channel: str = ""
    created_at: pd.Timestamp | None = None
    document_id: str = ""
    url: str = ""


@dataclass(frozen=True)
class Factor:
    """One part of a priority: `value` in [0, 1], `weight` as its share of all weights."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True)
class LabelChip:
    """A label of a theme; `documents` of the theme have it, None where that isn't known."""

    name: str
    documents: int | None


@dataclass(frozen=True)
class Item:
    """One entry of a table: its columns by name, its quotes, its course over time."""

    anchor: str
    fields: Mapping[str, Any]
    quotes: tuple[Quote, ...]
    weeks: tuple[int, ...] = ()
    factors: tuple[Factor, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """Return a column of the table, so that a template reads `item.title`."""
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None


def product_items(results: Results, limit: int) -> tuple[Item, ...]:
    """Return the first `limit` entries of the product backlog."""
    top = results.product_backlog.head(limit)
    quotes = _Quotes(results.evidence, top, ("theme_id",))
    courses = _courses(results, top["theme_id"])
    counts = _label_documents(results.evidence, top["theme_id"])
    early = _is_early(results)
    total = sum(results.weights.values()) or 1.0
    weights = {name: results.weights.get(name, 0.0) / total for name in FACTORS}
    return tuple(
        Item(
            anchor=f"p-{row['theme_id']}",
            fields={
                **row,
                "label_names": _split(row["labels"]),
                "chips": tuple(
                    LabelChip(name, counts.get((row["theme_id"], name))) for name in _split(row["labels"])
                ),
                "status": _status(row, early=early),
                "clear": _is_clear(row["trend_low"], row["trend_high"]),
            },
            quotes=quotes.of(row),
            weeks=courses.get(row["theme_id"], ()),
            factors=tuple(
                Factor(name, row[f"factor_{name}"], weight) for name, weight in weights.items() if weight > 0
            ),
        )
        for row in _rows(top)
    )


def marketing_items(results: Results, limit: int) -> tuple[Item, ...]:
    """Return the first `limit` entries of the marketing backlog."""
    top = results.marketing_backlog.head(limit)
    quotes = _Quotes(results.evidence, top, ("theme_id", "claim_id", "capability_id"))
    return tuple(
        Item(
            anchor=f"m-{row['rank']}",
            fields={**row, **_move(results, row["kind"], row[ABOUT.get(row["kind"], "theme_id")])},
            quotes=quotes.of(row),
        )
        for row in _rows(top)
    )


def claim_items(results: Results, limit: int) -> tuple[Item, ...]:
    """Return the first `limit` claims at risk."""
    top = results.claims_at_risk.head(limit)
    quotes = _Quotes(results.evidence, top, ("claim_id",))
    return tuple(
        Item(
            # White space would end the name of an element.
            anchor="c-" + "_".join(row["claim_id"].split()),
            fields={
                **row,
                **_move(results, CLAIM_AT_RISK, row["claim_id"]),
                "retired_at": results.retired.get(row["claim_id"]),
            },
            quotes=quotes.of(row),
        )
        for row in _rows(top)
    )


def _move(results: Results, kind: str, about: str) -> dict[str, Any]:
    """Return the interval of the trend of a marketing row, as columns, and whether it tells a change."""
    low, high = results.moves.get(f"{kind}:{about}", (math.nan, math.nan))
    return {"trend_low": low, "trend_high": high, "clear": _is_clear(low, high)}


def _is_clear(low: float, high: float) -> bool:
    """Tell whether the whole interval of a trend lies on one side of no change; never without an interval."""
    return low > 0 or high < 0


def _label_documents(evidence: pd.DataFrame, theme_ids: pd.Series) -> dict[tuple[str, str], int]:
    """Return (theme_id, label) -> documents."""
    spans = evidence[evidence["theme_id"].isin(list(theme_ids))]
    counts = spans.groupby(["theme_id", "label"])["document_id"].nunique().reset_index()
    return {(theme, label): int(found) for theme, label, found in counts.itertuples(index=False, name=None)}


def _is_early(results: Results) -> bool:
    """Tell whether all documents are of the weeks that trends compare with the time before."""
    first, as_of = results.summary.first, results.as_of
    return first is not None and as_of is not None and first > as_of - RECENT


def _status(row: Mapping[str, Any], *, early: bool) -> str:
    """Return the status as people should read it: nobody knows of what may be chance that it is steady."""
    if row["status"] != STEADY:
        return str(row["status"])
    if pd.isna(row["trend"]):
        return TOO_EARLY if early else TOO_FEW
    return UNPROVEN


class _Quotes:
    """Finds where the quotes of a few rows come from, without walking the whole evidence."""

    def __init__(self, evidence: pd.DataFrame, top: pd.DataFrame, keys: Sequence[str]) -> None:
        self._keys = keys
        wanted = {text for name in QUOTES for text in top[name] if text}
        rows = evidence[evidence["quote"].isin(list(wanted))]
        rows = rows.sort_values(["created_at", "document_id"], kind="stable").drop_duplicates(
            [*keys, "quote"]
        )
        self._origins: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        for row in _rows(rows):
            for key in keys:
                self._origins.setdefault((key, row[key], row["quote"]), row)

    def of(self, row: Mapping[str, Any]) -> tuple[Quote, ...]:
        """Return the quotes of a row of a backlog, each with its origin where one is known."""
        return tuple(self._quote(row, row[name]) for name in QUOTES if row[name])

    def _quote(self, row: Mapping[str, Any], text: str) -> Quote:
        found = (self._origins.get((key, row[key], text)) for key in self._keys if row[key])
        origin = next((one for one in found if one is not None), None)
        if origin is None:
            return Quote(text)
        return Quote(
            text=text,
            account=origin["account"],
            channel=origin["channel"],
            created_at=None if pd.isna(origin["created_at"]) else origin["created_at"],
            document_id=origin["document_id"],
            url=_web_address(origin["url"]),
        )


def _web_address(url: str) -> str:
    """Return the address if a click on it is harmless: exports also hold javascript: and file:."""
    return url if url.startswith(("https://", "http://")) else ""


def is_unfinished(start: pd.Timestamp, step: str, as_of: pd.Timestamp | None) -> bool:
    """Tell whether the week, month or quarter that begins at `start` goes on after the day `as_of`."""
    if as_of is None:
        return False
    lengths = {
        "week": pd.DateOffset(days=7),
        "month": pd.DateOffset(months=1),
        "quarter": pd.DateOffset(months=3),
    }
    return bool(start + lengths[step] > as_of.tz_localize(None).floor("D") + pd.Timedelta(days=1))


def _courses(results: Results, theme_ids: pd.Series) -> dict[str, tuple[int, ...]]:
    """Return theme_id -> mentions per stretch of time, as many stretches for all themes."""
    whole = results.weekly
    if whole.empty:
        return {}
    weeks = pd.date_range(whole["week"].min(), whole["week"].max(), freq="7D")
    if len(weeks) > 2 and is_unfinished(weeks[-1].tz_localize(None), "week", results.as_of):
        weeks = weeks[:-1]
    spans = results.evidence[results.evidence["theme_id"].isin(list(theme_ids))]
    # A document with two labels is one mention.
    counted = weekly(spans.assign(label="")).set_index(["theme_id", "week"])["mentions"]
    courses = {}
    for theme_id in counted.index.unique("theme_id"):
        filled = counted.loc[theme_id].reindex(weeks, fill_value=0)
        courses[str(theme_id)] = tuple(buckets([int(value) for value in filled], SPARK_POINTS))
    return courses


def _rows(frame: pd.DataFrame) -> Sequence[dict[str, Any]]:
    return frame.to_dict("records")  # type: ignore[return-value]


def _split(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split(";") if part)
