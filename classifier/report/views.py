"""The figures of the report, ready to be laid out.

In: Results. Out: one frozen Page of numbers and plain text. Never formats, escapes or lays out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from classifier.labels import LABELS, TITLES
from classifier.report.charts import Series
from classifier.report.items import Item, claim_items, is_unfinished, marketing_items, product_items
from classifier.report.numbers import MONTHS
from classifier.report.results import DEFAULT_LIMIT, Results, frequencies

_MOST_TICKS: Final = 78
_HEAT_STEPS: Final = 6
_NOBODY: Final = "not assigned"


@dataclass(frozen=True)
class LabelCount:
    """How many documents have a label; `share` of all scored."""

    name: str
    title: str
    documents: int
    share: float


@dataclass(frozen=True)
class Course:
    """Mentions over time: `ticks` name the points, `step` is week, month or quarter.

    `unfinished`: the last step goes on after the day of the report, so that its few mentions
    would look like a fall.
    """

    step: str
    ticks: tuple[str, ...]
    series: tuple[Series, ...]
    unfinished: bool

    @property
    def finished(self) -> tuple[tuple[str, ...], tuple[Series, ...]]:
        """Return ticks and series without the unfinished step."""
        if not self.unfinished:
            return self.ticks, self.series
        return self.ticks[:-1], tuple(replace(one, values=one.values[:-1]) for one in self.series)

    @property
    def rows(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return the same figures as rows of a table: tick, one value per series."""
        return tuple(zip(self.ticks, zip(*(one.values for one in self.series), strict=True), strict=True))


@dataclass(frozen=True)
class HeatCell:
    """`mentions`: distinct documents; `step` 0 (none) to 6 (the most)."""

    mentions: int
    step: int


@dataclass(frozen=True)
class Heat:
    """Documents by channel (rows) and department or area (columns)."""

    by: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]


@dataclass(frozen=True)
class Group:
    """Claims at risk of one campaign or owner."""

    name: str
    claims: int
    contradictions: int
    share: float


@dataclass(frozen=True)
class Change:
    """A theme whose status says that something moved."""

    status: str
    item: Item


@dataclass(frozen=True)
class Page:
    """All that the template needs.

    `confirmed`: somebody has checked links to claims, so that 0 is a count.
    """

    results: Results
    labels: tuple[LabelCount, ...]
    course: Course | None
    changes: tuple[Change, ...]
    product: tuple[Item, ...]
    marketing: tuple[Item, ...]
    claims: tuple[Item, ...]
    confirmed: bool
    campaigns: tuple[Group, ...]
    owners: tuple[Group, ...]
    heat: Heat | None
    product_choices: Mapping[str, tuple[str, ...]]
    marketing_choices: Mapping[str, tuple[str, ...]]
    rejected_reasons: Mapping[str, int]
    dropped_reasons: Mapping[str, int]
    duplicate_kinds: Mapping[str, int]


def page(results: Results, *, limit: int = DEFAULT_LIMIT) -> Page:
    """Return the figures of the report; every part is empty where there is nothing to tell."""
    product = product_items(results, limit)
    marketing = marketing_items(results, limit)
    return Page(
        results=results,
        labels=_label_counts(results),
        course=_course(results.weekly, results.as_of),
        changes=_changes(product),
        product=product,
        marketing=marketing,
        claims=claim_items(results, limit),
        confirmed=bool((results.claims_at_risk["confirmed"] > 0).any()),
        campaigns=_groups(results.claims_at_risk, "campaign"),
        owners=_groups(results.claims_at_risk, "owner"),
        heat=_heat(results),
        product_choices={
            "labels": tuple(label for label in LABELS if any(label in item.label_names for item in product)),
            **_choices(product, ("area", "status")),
        },
        marketing_choices=_choices(marketing, ("kind", "goal", "owner")),
        rejected_reasons=frequencies(results.rejected["reason"]),
        dropped_reasons=frequencies(results.dropped["reason"]),
        duplicate_kinds=frequencies(results.duplicates["kind"]),
    )


def _label_counts(results: Results) -> tuple[LabelCount, ...]:
    documents = results.summary.documents
    counts = {label: results.summary.per_label.get(label, 0) for label in LABELS}
    return tuple(
        LabelCount(label, TITLES[label], found, found / documents if documents else 0.0)
        for label, found in counts.items()
    )


def _course(weekly: pd.DataFrame, as_of: pd.Timestamp | None) -> Course | None:
    whole = weekly[weekly["theme_id"] == ""]
    if whole.empty:
        return None
    per_week = whole.pivot_table(
        index="week", columns="label", values="mentions", aggfunc="sum", fill_value=0
    )
    weeks = pd.date_range(per_week.index.min(), per_week.index.max(), freq="7D")
    per_week = per_week.reindex(weeks, fill_value=0).tz_localize(None)
    step, counted = _coarse(per_week)
    return Course(
        step=step,
        ticks=tuple(
            _tick(at, step, with_year=counted.index[0].year < counted.index[-1].year) for at in counted.index
        ),
        series=tuple(
            Series(label, TITLES[label], tuple(int(value) for value in counted[label]))
            for label in LABELS
            if label in counted
        ),
        unfinished=len(counted) > 2 and is_unfinished(counted.index[-1], step, as_of),
    )


def _coarse(per_week: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Return weeks, or months or quarters where weeks would be too many to see."""
    if len(per_week) <= _MOST_TICKS:
        return "week", per_week
    months = per_week.resample("MS").sum()
    if len(months) <= _MOST_TICKS:
        return "month", months
    return "quarter", per_week.resample("QS").sum()


def _tick(at: pd.Timestamp, step: str, *, with_year: bool) -> str:
    month = MONTHS[at.month - 1]
    if step == "week":
        return f"{at.day} {month} {at.year}" if with_year else f"{at.day} {month}"
    return f"{month} {at.year}" if step == "month" else f"Q{at.quarter} {at.year}"


def _changes(product: tuple[Item, ...]) -> tuple[Change, ...]:
    """Return the first three themes of each status that is news; a new one that is said once isn't."""
    found = []
    told = [item for item in product if item.status != "new" or item.mentions > 1]
    for status in ("new", "reopened", "growing", "fading", "resolved"):
        found += [Change(status, item) for item in told if item.status == status][:3]
    return tuple(found)


def _groups(claims: pd.DataFrame, column: str) -> tuple[Group, ...]:
    total = int(claims["contradictions"].sum())
    if not total:
        return ()
    named = claims.assign(name=claims[column].mask(claims[column] == "", _NOBODY))
    summed = named.groupby("name")["contradictions"].agg(["size", "sum"]).reset_index()
    summed = summed.sort_values(["sum", "name"], ascending=[False, True])
    return tuple(
        Group(str(name), int(size), int(found), found / total)
        for name, size, found in summed.itertuples(index=False)
    )


def _heat(results: Results) -> Heat | None:
    influence = results.influence
    if not (influence["channel"] != "").any():
        return None
    by = "department" if (influence["department"] != "").any() else "area"
    spans = results.evidence.loc[results.evidence["theme_id"] != "", ["channel", "area", "document_id"]]
    # The table counts a document in a row of each of its labels and areas: its sums would count it anew.
    cells = spans.merge(influence[list(dict.fromkeys(("area", by)))].drop_duplicates(), on="area")
    cells = cells.drop_duplicates(["channel", by, "document_id"])
    if cells.empty:
        return None
    named = cells.assign(**{name: cells[name].mask(cells[name] == "", _NOBODY) for name in ("channel", by)})
    grid = named.groupby(["channel", by]).size().unstack(fill_value=0)
    grid = grid.loc[_by_size(grid.sum(axis=1)), _by_size(grid.sum(axis=0))]
    most = int(grid.to_numpy().max())
    rows = tuple(
        (
            str(channel),
            tuple(HeatCell(int(found), _heat_step(int(found), most)) for found in grid.loc[channel]),
        )
        for channel in grid.index
    )
    return Heat(by=by, columns=tuple(str(name) for name in grid.columns), rows=rows)


def _heat_step(found: int, most: int) -> int:
    # By the root: a few loud cells would otherwise leave all others white.
    return 0 if not found else max(1, round(_HEAT_STEPS * (found / most) ** 0.5))


def _by_size(sums: pd.Series) -> list[str]:
    """Return the names, largest first, the unassigned last."""
    return sorted(sums.index, key=lambda name: (name == _NOBODY, -sums[name], name))


def _choices(items: tuple[Item, ...], columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted({item.fields[name] for item in items} - {""})) for name in columns}
