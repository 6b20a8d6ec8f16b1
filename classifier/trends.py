"""Dates of mentions -> how each theme moves: weekly counts, trend, status, burst.

In: (key, document, date) rows and the dates of all documents. Out: one row per key. Never looks at
the clock: `as_of` is the end of the period.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier import schema

Reals = npt.NDArray[np.float64]

RECENT: Final = timedelta(days=28)
BEFORE: Final = timedelta(days=56)
TAIL: Final = 0.1
"""Each side of the 80 % interval."""

TREND_LEAST: Final = 4
"""Mentions in the twelve weeks below which a trend would be noise: it is left empty."""

BURST_RATE: Final = 2.0
BURST_LEAST: Final = 3
"""Mentions below which a burst is no more than two people writing in the same week."""

STEADY: Final = "steady"

COLUMNS: Final = {
    "trend": schema.REAL,
    "trend_low": schema.REAL,
    "trend_high": schema.REAL,
    "status": schema.STR,
    "burst_from": schema.TIME,
    "burst_to": schema.TIME,
    "first_seen": schema.TIME,
    "last_seen": schema.TIME,
}


def weekly(mentions: pd.DataFrame) -> pd.DataFrame:
    """Count documents per theme, label and week.

    Parameters
    ----------
    mentions
        Columns theme_id, label, document_id, created_at. Rows without date are left out.

    Returns
    -------
    theme_id, label, week (its Monday, UTC), mentions (distinct documents); weeks without mentions are
    absent. Sorted.
    """
    keys = ["theme_id", "label", "week"]
    dated = mentions.dropna(subset=["created_at"])
    dated = dated.assign(week=_monday(dated["created_at"])).drop_duplicates([*keys, "document_id"])
    counts = dated.groupby(keys, sort=True).size().rename("mentions").reset_index()
    table = {"theme_id": schema.STR, "label": schema.STR, "week": schema.TIME, "mentions": schema.INT}
    return schema.conform(counts, table)


def trends(
    mentions: pd.DataFrame, documents: pd.Series, *, as_of: datetime, key: str = "theme_id"
) -> pd.DataFrame:
    """Measure how each key's share of all documents moves.

    With a of A documents in the last 28 days and b of B in the 56 days before, the share of the last
    days in a + b has the posterior Beta(a + 1/2, b + 1/2) (Jeffreys); growth g = odds * B / A, and the
    trend is (g - 1) / (g + 1), which is tanh(log(g) / 2): 0 for no change, 1/3 for twice as often, -1/3
    for half. `trend` is the median, `trend_low` and `trend_high` bound 80 %; all three are missing below four
    mentions in these weeks.

    A burst is a run of weeks in the upper state of Kleinberg's two-state automaton (Bursty and
    Hierarchical Structure in Streams, 2002; batches of a week, twice the base rate, gamma 1); the
    latest one with three mentions or more is given.

    Parameters
    ----------
    mentions
        Columns `key`, `document_id`, `created_at`.
    documents
        `created_at` of every scored document, labelled or not.
    as_of
        End of the period, UTC; later documents are left out.

    Returns
    -------
    One row per key, index `key`, sorted. `status` is "new" (first seen in the last 28 days, while
    other documents are older), "growing" (`trend_low` above 0), "fading" (`trend_high` below 0), else
    "steady", also where mentions are too few for a trend; "" and missing numbers without any date.
    """
    end = pd.Timestamp(as_of)
    names = pd.Index(sorted(mentions[key].unique()), name=key, dtype="str")
    dates = documents.dropna()
    dates = dates[dates <= end]
    dated = mentions.dropna(subset=["created_at"]).drop_duplicates([key, "document_id"])
    dated = dated[dated["created_at"] <= end]
    seen = dated.groupby(key)["created_at"].agg(["min", "max"]).reindex(names)
    moved = _moves(dated, dates, names, end, key)
    bursts = _bursts(dated, dates, names, end, key)
    table = moved.assign(first_seen=seen["min"], last_seen=seen["max"], **bursts)
    table["status"] = _status(table, dates, end)
    return schema.conform(table.reset_index(), {key: schema.STR, **COLUMNS}).set_index(key)


def _moves(
    dated: pd.DataFrame, dates: pd.Series, names: pd.Index, end: pd.Timestamp, key: str
) -> pd.DataFrame:
    from scipy.special import betaincinv

    now, past = _recent(dates, end), _before(dates, end)
    recent = dated[_recent(dated["created_at"], end)].groupby(key).size().reindex(names, fill_value=0)
    before = dated[_before(dated["created_at"], end)].groupby(key).size().reindex(names, fill_value=0)
    moves = {}
    for name, quantile in (("trend", 0.5), ("trend_low", TAIL), ("trend_high", 1 - TAIL)):
        part = betaincinv(recent.to_numpy() + 0.5, before.to_numpy() + 0.5, quantile)
        here, there = part * (past.sum() + 1), (1 - part) * (now.sum() + 1)
        moves[name] = np.round((here - there) / (here + there), 6)
    moved = pd.DataFrame(moves, index=names)
    # Without an earlier time to compare with there is no trend, only a number that looks like one.
    enough = (recent + before).to_numpy() >= TREND_LEAST
    known = enough & bool(past.any()) & bool(now.any())
    moved[~known] = np.nan
    return moved


def _recent(dates: pd.Series, end: pd.Timestamp) -> pd.Series:
    return dates > end - RECENT


def _before(dates: pd.Series, end: pd.Timestamp) -> pd.Series:
    return (dates > end - RECENT - BEFORE) & (dates <= end - RECENT)


def _status(table: pd.DataFrame, dates: pd.Series, end: pd.Timestamp) -> npt.NDArray[Any]:
    young = (table["first_seen"] > end - RECENT) & bool((dates <= end - RECENT).any())
    conditions = [table["first_seen"].isna(), young, table["trend_low"] > 0, table["trend_high"] < 0]
    return np.select([np.asarray(c) for c in conditions], ["", "new", "growing", "fading"], STEADY)


def _monday(dates: pd.Series) -> pd.Series:
    days: pd.Series = dates.dt.floor("D")
    mondays: pd.Series = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    return mondays


def _bursts(
    dated: pd.DataFrame, dates: pd.Series, names: pd.Index, end: pd.Timestamp, key: str
) -> dict[str, pd.Series]:
    nothing = pd.Series(pd.NaT, index=names, dtype=schema.TIME)
    if dated.empty:
        return {"burst_from": nothing, "burst_to": nothing}
    weeks = _monday(dates)
    calendar = pd.date_range(weeks.min(), weeks.max(), freq="7D")
    totals = weeks.value_counts().reindex(calendar, fill_value=0).to_numpy(dtype=np.float64)
    counts = np.zeros((len(names), len(calendar)))
    columns = calendar.get_indexer(pd.Index(_monday(dated["created_at"])))
    np.add.at(counts, (names.get_indexer(pd.Index(dated[key])), columns), 1.0)
    # Mentions may come from documents that `documents` doesn't hold; a part is never above its whole.
    first, last = _latest_runs(_upper_state(counts, np.maximum(totals, counts.max(axis=0))), counts)
    found = first >= 0
    start = pd.Series(calendar[np.where(found, first, 0)], index=names)
    stop = pd.Series(calendar[np.where(found, last, 0)], index=names) + timedelta(days=6)
    stop = stop.where(stop <= end, end.floor("D"))
    return {"burst_from": start.where(found), "burst_to": stop.where(found)}


def _upper_state(counts: Reals, totals: Reals) -> npt.NDArray[np.bool_]:
    """Return the weeks that the cheapest path of the two-state automaton spends in the upper state."""
    base = np.clip(counts.sum(axis=1) / max(totals.sum(), 1.0), 1e-9, 0.49)[:, None]
    upper = np.clip(BURST_RATE * base, None, 0.98)
    rest = totals[None, :] - counts
    costs = [-(counts * np.log(rate) + rest * np.log1p(-rate)) for rate in (base, upper)]
    rise = np.log(max(counts.shape[1], 2))
    low, high = costs[0][:, 0], costs[1][:, 0] + rise
    came_from_high = np.zeros((2, *counts.shape), dtype=bool)
    for week in range(1, counts.shape[1]):
        came_from_high[0, :, week] = high < low
        came_from_high[1, :, week] = high <= low + rise
        low, high = (
            np.minimum(low, high) + costs[0][:, week],
            np.minimum(low + rise, high) + costs[1][:, week],
        )
    state = high < low
    path = np.zeros(counts.shape, dtype=bool)
    for week in range(counts.shape[1] - 1, -1, -1):
        path[:, week] = state
        state = np.where(state, came_from_high[1, :, week], came_from_high[0, :, week])
    return path


def _latest_runs(
    path: npt.NDArray[np.bool_], counts: Reals
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return first and last week of each row's latest run with enough mentions; -1 without one."""
    first = np.full(len(path), -1, dtype=np.int64)
    last = np.full(len(path), -1, dtype=np.int64)
    for row in np.flatnonzero(path.any(axis=1)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], path[row], [False]]).astype(np.int8)))
        for start, stop in edges.reshape(-1, 2):
            if counts[row, start:stop].sum() >= BURST_LEAST:
                first[row], last[row] = start, stop - 1
    return first, last
