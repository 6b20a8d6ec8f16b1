"""Linked themes -> the product backlog and the map of influence.

In: linked evidence, themes, trends, revenue. Out: tables PRODUCT_BACKLOG and INFLUENCE, best first.
Never hides a weight: priority is the weighted mean of the factor columns beside it.
"""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from classifier import schema
from classifier.factors import documents_of, examples, held_by_most, measure, most_common, priorities, ranked
from classifier.labels import LABELS, REQUEST
from classifier.revenue import Revenue, account_keys
from classifier.settings import Settings


def product_backlog(
    evidence: pd.DataFrame,
    themes: pd.DataFrame,
    trend: pd.DataFrame,
    revenue: Revenue,
    objectives: pd.DataFrame,
    settings: Settings,
    *,
    as_of: datetime,
) -> pd.DataFrame:
    """Order the themes by priority.

    Parameters
    ----------
    evidence
        Rows of `group.group`, links filled.
    themes
        Table THEMES.
    trend
        Rows of `trends.trends` by theme_id.
    objectives
        Table OBJECTIVES; an owner department stands in where the settings name none for an area.

    Returns
    -------
    Table PRODUCT_BACKLOG, one row per theme, by priority, highest first, then theme_id. `share` is
    the part of all documents with a label that is in the theme. Empty without themes.
    """
    spans = evidence[evidence["theme_id"] != ""]
    if spans.empty:
        return schema.empty(schema.PRODUCT_BACKLOG)
    documents = documents_of(spans, "theme_id")
    half_life = settings.rank.recency_half_life_days
    measures = measure(documents, "theme_id", trend, revenue, as_of=as_of, half_life_days=half_life)
    table = measures.by_key.join(priorities(measures, settings.rank.weights))
    table["labels"] = _labels(spans).reindex(table.index)
    table = table.join(examples(_telling(spans, table["labels"]), "theme_id", first="telling"))
    described = ["title", "area", "owner", "decision", "note"]
    table = table.join(themes.set_index("theme_id")[described])
    table["share"] = (table["mentions"] / spans["document_id"].nunique()).round(6)
    table["currency"] = revenue.currency if revenue.known else ""
    table["objective_id"] = _text_of(most_common(spans, "theme_id", "objective_id"), table.index)
    table["capability_id"] = _text_of(
        held_by_most(spans[spans["label"] == REQUEST], "theme_id", "capability_id"), table.index
    )
    status = spans.drop_duplicates("capability_id").set_index("capability_id")["capability_status"]
    table["capability_status"] = table["capability_id"].map(status).astype("str").fillna("")
    table["departments"] = _departments(table, objectives, settings.departments)
    return ranked(table.rename_axis("theme_id").reset_index(), "theme_id", schema.PRODUCT_BACKLOG)


def _telling(spans: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Add to each span how much it tells of its theme: most where it has the label of most documents."""
    leading = labels.str.split(";").str[0]
    return spans.assign(telling=spans["centrality"] + (spans["label"] == spans["theme_id"].map(leading)))


def influence(
    evidence: pd.DataFrame, revenue: Revenue, departments: Mapping[str, tuple[str, ...]]
) -> pd.DataFrame:
    """Count which channel tells which department what.

    Parameters
    ----------
    departments
        Department -> areas; an area of several departments counts for each, one of none has "".

    Returns
    -------
    Table INFLUENCE: distinct documents per channel, label, area and department; `share` is their part
    of all documents with the label. Sorted by label, then mentions, most first.
    """
    spans = evidence[evidence["theme_id"] != ""]
    if spans.empty:
        return schema.empty(schema.INFLUENCE)
    owners = [(department, area) for department, areas in departments.items() for area in areas]
    by_area = pd.DataFrame(owners, columns=["department", "area"], dtype="str")
    keys = ["channel", "label", "area", "department"]
    cells = spans[["channel", "label", "area", "document_id", "account"]].merge(
        by_area, how="left", on="area"
    )
    cells = cells.fillna({"department": ""}).drop_duplicates([*keys, "document_id"])
    cells["account"] = account_keys(cells["account"])
    table = cells.groupby(keys, sort=True).size().rename("mentions").reset_index()
    totals = spans.groupby("label")["document_id"].nunique()
    table["share"] = (table["mentions"] / table["label"].map(totals)).round(6)
    named = cells[cells["account"] != ""].groupby(keys)["account"].nunique().rename("accounts")
    table["accounts"] = named.reindex(pd.MultiIndex.from_frame(table[keys]), fill_value=0).to_numpy()
    # Numbered in sorted order, as the rows of the table are.
    cells["cell"] = cells.groupby(keys, sort=True).ngroup().map("{:09d}".format)
    table["revenue"] = revenue.total(cells, "cell").to_numpy()
    table["order"] = table["label"].map({label: place for place, label in enumerate(LABELS)})
    table = table.sort_values(
        ["order", "mentions", *keys], ascending=[True, False, True, True, True, True], kind="stable"
    )
    return schema.conform(table, schema.INFLUENCE)


def _text_of(values: pd.Series, index: pd.Index) -> pd.Series:
    return values.reindex(index).astype("str").fillna("")


def _labels(spans: pd.DataFrame) -> pd.Series:
    """Return the labels of each theme, ";"-joined: those of most documents first, then as in LABELS."""
    counts = spans.groupby(["theme_id", "label"])["document_id"].nunique().unstack(fill_value=0)
    counts = counts.reindex(columns=list(LABELS), fill_value=0)
    joined = [
        # A stable sort: a tie keeps the order of LABELS.
        ";".join(label for number, label in sorted(zip(row, LABELS, strict=True), key=_most_first) if number)
        for row in counts.to_numpy().tolist()
    ]
    return pd.Series(joined, index=counts.index, dtype="str")


def _most_first(counted: tuple[int, str]) -> int:
    return -counted[0]


def _departments(
    table: pd.DataFrame, objectives: pd.DataFrame, departments: Mapping[str, tuple[str, ...]]
) -> list[str]:
    owners = (
        objectives.drop_duplicates("objective_id").set_index("objective_id")["owner_department"].to_dict()
    )
    answering = {
        area: ";".join(name for name, areas in departments.items() if area in areas)
        for area in table["area"].unique()
    }
    pairs = zip(table["area"], table["objective_id"], strict=True)
    return [answering[area] or owners.get(objective, "") for area, objective in pairs]
