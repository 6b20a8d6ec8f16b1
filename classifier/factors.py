"""Documents by theme -> the factors of priority, each a column from 0 to 1.

In: one row per (key, document), with trends and revenue by key. Out: one row per key. To add a factor:
one function here, its name in `settings.FACTORS`. Never orders anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from classifier import schema
from classifier.labels import GAP, LABELS, PAIN, REQUEST
from classifier.revenue import Revenue, account_keys

SEVERITY: Final = {PAIN: 0.4, GAP: 0.3, REQUEST: 0.1}
"""What a label adds to a document's severity, times its probability."""

CHURN: Final = 0.3
IMPACT: Final = 0.1
DOCUMENT_IDS: Final = 100
QUOTES: Final = 3
_SAME: Final = 0.7
"""Quotes that share so many of their words say the same."""


@dataclass(frozen=True)
class Measures:
    """What the factors are computed from: one row per (key, document) and one per key."""

    documents: pd.DataFrame
    by_key: pd.DataFrame  # mentions, accounts, unknown, revenue, trend, trend_low, trend_high
    as_of: datetime
    half_life_days: float


Factor = Callable[[Measures], pd.Series]


def documents_of(spans: pd.DataFrame, key: str) -> pd.DataFrame:
    """Fold spans into one row per (key, document), sorted by both.

    Returns
    -------
    `key`, document_id, account, created_at, score (best span), one score per label (0 where absent),
    churn_risk and impact (flags).
    """
    by_label = {label: spans["score"].where(spans["label"] == label, 0.0) for label in LABELS}
    rows = spans.assign(impact=spans["impact"] != "", **by_label)
    groups = rows.groupby([key, "document_id"], sort=True)
    columns = ["score", *LABELS, "churn_risk", "impact"]
    first = groups[["account", "created_at"]].first()
    folded: pd.DataFrame = first.join(groups[columns].max()).reset_index()
    return folded


def measure(
    documents: pd.DataFrame,
    key: str,
    trend: pd.DataFrame,
    revenue: Revenue,
    *,
    as_of: datetime,
    half_life_days: float,
) -> Measures:
    """Count what the factors need.

    Parameters
    ----------
    documents
        Rows of `documents_of`.
    trend
        Rows of `trends.trends`, indexed by `key`.
    """
    accounts = account_keys(documents["account"])
    named = documents[accounts != ""].assign(account=accounts[accounts != ""])
    groups = documents.groupby(key, sort=True)
    by_key = pd.DataFrame({"mentions": groups.size(), "expected_true": groups["score"].sum().round(6)})
    by_key["accounts"] = named.groupby(key)["account"].nunique().reindex(by_key.index, fill_value=0)
    by_key["unknown"] = (accounts == "").groupby(documents[key]).sum()
    by_key["revenue"] = revenue.total(documents, key).reindex(by_key.index)
    by_key = by_key.join(trend)
    return Measures(documents.rename(columns={key: "key"}), by_key, as_of, half_life_days)


def reach(measures: Measures) -> pd.Series:
    """Distinct accounts on a log scale; each document without a known account counts as one."""
    return _log_share(measures.by_key["accounts"] + measures.by_key["unknown"])


def mentions(measures: Measures) -> pd.Series:
    """Distinct documents on a log scale."""
    return _log_share(measures.by_key["mentions"])


def revenue(measures: Measures) -> pd.Series:
    """Revenue as the square root of its share of the largest; 0 where unknown."""
    amounts = measures.by_key["revenue"].fillna(0.0)
    part: pd.Series = (amounts / max(amounts.max(), 1.0)) ** 0.5
    return part


def trend(measures: Measures) -> pd.Series:
    """Half for no change; above it only as far as the 80 % interval of the trend proves growth."""
    low, high = measures.by_key["trend_low"].fillna(0.0), measures.by_key["trend_high"].fillna(0.0)
    proven: pd.Series = (1 + low.clip(lower=0.0) + high.clip(upper=0.0)) / 2
    return proven


def severity(measures: Measures) -> pd.Series:
    """Mean over documents: labels by probability, signs of leaving, and a stated impact."""
    documents = measures.documents
    total = CHURN * documents["churn_risk"] + IMPACT * documents["impact"]
    for label, weight in SEVERITY.items():
        total = total + weight * documents[label]
    mean: pd.Series = total.clip(upper=1.0).groupby(documents["key"]).mean()
    return mean


def recency(measures: Measures) -> pd.Series:
    """Mean over documents of one half per half-life of age; 0 for documents without date."""
    age = (pd.Timestamp(measures.as_of) - measures.documents["created_at"]).dt.total_seconds() / 86_400
    fresh = 0.5 ** (age.clip(lower=0.0) / measures.half_life_days)
    mean: pd.Series = fresh.fillna(0.0).groupby(measures.documents["key"]).mean()
    return mean


def _log_share(counts: pd.Series) -> pd.Series:
    logs = np.log1p(counts.astype("float64"))
    part: pd.Series = logs / logs.max()
    return part


FACTORS: Final[Mapping[str, Factor]] = {
    "reach": reach,
    "mentions": mentions,
    "revenue": revenue,
    "trend": trend,
    "severity": severity,
    "recency": recency,
}


def priorities(measures: Measures, weights: Mapping[str, float]) -> pd.DataFrame:
    """Compute every factor and their weighted mean.

    Parameters
    ----------
    weights
        Factor name -> weight; a factor without one weighs 0. At least one is above 0.

    Returns
    -------
    Columns factor_<name> and priority, in [0, 1], at most six decimals; index as `by_key`.
    """
    table = pd.DataFrame(index=measures.by_key.index)
    for name, factor in FACTORS.items():
        table[f"factor_{name}"] = factor(measures).reindex(table.index).clip(0.0, 1.0).round(6)
    used = {name: weights.get(name, 0.0) for name in FACTORS}
    total = pd.Series(0.0, index=table.index)
    for name, weight in used.items():
        total += weight * table[f"factor_{name}"]
    return table.assign(priority=(total / sum(used.values())).round(6))


def examples(spans: pd.DataFrame, key: str, *, first: str = "centrality") -> pd.DataFrame:
    """Choose what to show of each key: quotes and document ids, those with most of column `first` first.

    Quotes come from different documents and, as far as there are any, from different accounts;
    a quote that says the same as an earlier one is left out.

    Returns
    -------
    quote_1 to quote_3 ("" where there are fewer) and document_ids (at most 100, then "…"), index `key`.
    """
    rows = spans.sort_values(
        [key, first, "score", "document_id", "start"],
        ascending=[True, False, False, True, True],
        kind="stable",
    )
    table = {}
    for name, group in rows.groupby(key, sort=True):
        quotes = _distinct_quotes(group)
        ids = list(dict.fromkeys(group["document_id"]))
        listed = ids[:DOCUMENT_IDS] + ["…"] * (len(ids) > DOCUMENT_IDS)
        table[str(name)] = [*quotes, *[""] * (QUOTES - len(quotes)), ";".join(listed)]
    columns = ["quote_1", "quote_2", "quote_3", "document_ids"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns, dtype="str").rename_axis(key)


def _distinct_quotes(rows: pd.DataFrame) -> list[str]:
    chosen: list[tuple[str, str, str, set[str]]] = []
    head = rows[rows["quote"] != ""].head(200)
    candidates = list(zip(head["document_id"], account_keys(head["account"]), head["quote"], strict=True))
    for other_account_only in (True, False):
        for document, account, quote in candidates:
            if len(chosen) == QUOTES:
                break
            spoken = set(quote.lower().split())
            known_account = account != "" and account in {taken for _, taken, _, _ in chosen}
            if (other_account_only and known_account) or document in {taken for taken, _, _, _ in chosen}:
                continue
            if all(len(spoken & said) / len(spoken | said) < _SAME for _, _, _, said in chosen):
                chosen.append((document, account, quote, spoken))
    return [quote for _, _, quote, _ in chosen]


def most_common(spans: pd.DataFrame, key: str, column: str) -> pd.Series:
    """Return the value of `column` that most documents of each key hold; "" where none does."""
    filled = spans[spans[column] != ""][[key, "document_id", column]].drop_duplicates()
    counts = filled.groupby([key, column]).size().rename("count").reset_index()
    ordered = counts.sort_values([key, "count", column], ascending=[True, False, True], kind="stable")
    return ordered.drop_duplicates(key).set_index(key)[column]


def held_by_most(spans: pd.DataFrame, key: str, column: str) -> pd.Series:
    """Return the value of `column` that more than half of each key's documents hold; else it is absent."""
    documents = spans.groupby(key)["document_id"].nunique()
    counts = spans[spans[column] != ""].groupby([key, column])["document_id"].nunique()
    table = counts.rename("documents").reset_index()
    most = table[table["documents"] > table[key].map(documents).astype("float64") / 2]
    # Two may stand in more than half each: one document may hold both.
    most = most.sort_values([key, "documents", column], ascending=[True, False, True], kind="stable")
    return most.drop_duplicates(key).set_index(key)[column]


def ranked(table: pd.DataFrame, tie: str, columns: schema.Table) -> pd.DataFrame:
    """Order rows by priority, highest first, then by the column `tie`, and number them from 1."""
    table = table.sort_values(["priority", tie], ascending=[False, True], kind="stable")
    return schema.conform(table.assign(rank=np.arange(1, len(table) + 1)), columns)
