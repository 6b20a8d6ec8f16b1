"""Linked themes -> what marketing should say, correct or teach.

In: linked evidence, the claims and capabilities, trends, revenue. Out: tables MARKETING_BACKLOG and
CLAIMS_AT_RISK. Never advises more than the evidence shows: each next step is one short rule.
"""

from datetime import datetime
from typing import Final

import pandas as pd

from classifier import schema
from classifier.entities import CAPABILITY_SCORE, NEAR
from classifier.factors import documents_of, examples, held_by_most, measure, most_common, priorities, ranked
from classifier.labels import GAP, REQUEST
from classifier.revenue import Revenue, account_keys, is_open
from classifier.settings import Settings

AVAILABLE: Final = "available"

CLAIM_AT_RISK: Final = "claim_at_risk"
UNMET: Final = "unmet_expectation"
EDUCATION: Final = "education_gap"
DIFFERENTIATOR: Final = "differentiator"
OBJECTION: Final = "objection"

_OF_CAPABILITIES: Final = (EDUCATION, DIFFERENTIATOR)
_OF_RIVALS: Final = (OBJECTION, DIFFERENTIATOR)

_RENEWING: Final = r"(?i)renew"
"""Deal stages of customers who may stay or leave: what they object to is no matter of winning them."""

_GAP_KIND: Final = {
    "advertised": "communication",
    "sold": "communication",
    "paid": "communication",
    "documented": "delivery",
    "told": "delivery",
    "before": "delivery",
    "norm": "standards",
}
"""Where an expectation came from -> which gap of service quality it shows (Parasuraman et al., 1985)."""

_GOAL: Final = {"sold": "conversion", "norm": "conversion", "advertised": "brand", "documented": "brand"}
_RETENTION: Final = "retention"

_UNMET_STEP: Final = {
    "advertised": "Find the wording that raised this expectation and correct it",
    "sold": "Tell Sales what may be promised here, and what not",
    "documented": "Bring the documentation and the product in line",
    "told": "Say what customers were told and whether it still holds, before they ask",
    "paid": "Say plainly what each plan includes",
    "before": "With the product team: restore it, or explain the change and say what takes its place",
    "norm": "Say what we do differently from others, and why",
    "": "Read the quotes and find out who raised this expectation",
}


def items_of(evidence: pd.DataFrame, capabilities: pd.DataFrame) -> pd.DataFrame:
    """Sort the spans into what marketing can act on.

    A gap that contradicts a claim puts the claim at risk; another gap is an unmet expectation of its
    theme. A request for an available capability is an education gap; where its document names a
    competitor, that capability is also a differentiator against it. Other spans of documents that
    name a competitor are objections of their theme, and so are pain points and requests of an open deal; of
    a renewal only where it speaks of leaving, for a customer may simply have something to say.

    Parameters
    ----------
    evidence
        Rows of `group.group`, links filled, with `stage`.
    capabilities
        Table CAPABILITIES.

    Returns
    -------
    The spans with `item_id` (kind and id), `kind`, `rival` (the competitors their document names) and
    `rival_quote` (where it names the first of them); a span is in several items at most once each. Empty
    without themes.
    """
    naming = evidence[evidence["competitor"] != ""].groupby("document_id")
    spans = evidence[evidence["theme_id"] != ""]
    spans = spans.assign(
        rival=spans["document_id"].map(naming["competitor"].agg(_joined)).astype("str").fillna(""),
        rival_quote=spans["document_id"].map(naming["quote"].first()).astype("str").fillna(""),
    )
    gap = spans["label"] == GAP
    claimed = gap & (spans["claim_id"] != "")
    wanted = (spans["label"] == REQUEST) & (spans["capability_id"] != "")
    there = wanted & (spans["capability_status"] == AVAILABLE)
    rivals = spans["rival"] != ""
    won_anew = ~spans["stage"].str.contains(_RENEWING, regex=True) | spans["churn_risk"]
    contested = (rivals | (is_open(spans["stage"]) & won_anew & ~gap)) & ~there
    parts = [
        _items(spans[claimed], CLAIM_AT_RISK, "claim_id"),
        _items(spans[gap & ~claimed], UNMET, "theme_id"),
        _items(spans[there], EDUCATION, "capability_id"),
        _items(spans[there & rivals], DIFFERENTIATOR, "capability_id"),
        _items(spans[contested], OBJECTION, "theme_id"),
    ]
    return pd.concat(parts, ignore_index=True)


def _joined(names: pd.Series) -> str:
    return ";".join(dict.fromkeys(name for text in names for name in text.split(";")))


def _items(spans: pd.DataFrame, kind: str, column: str) -> pd.DataFrame:
    return spans.assign(kind=kind, item_id=kind + ":" + spans[column].astype("str"))


def marketing_backlog(
    items: pd.DataFrame,
    themes: pd.DataFrame,
    claims: pd.DataFrame,
    capabilities: pd.DataFrame,
    trend: pd.DataFrame,
    revenue: Revenue,
    settings: Settings,
    *,
    as_of: datetime,
) -> pd.DataFrame:
    """Order what marketing can act on by the same factors as the product backlog.

    Parameters
    ----------
    items
        Rows of `items_of`.
    trend
        Rows of `trends.trends` by item_id.

    Returns
    -------
    Table MARKETING_BACKLOG, by priority, highest first, then kind and id. Empty without items.
    """
    if items.empty:
        return schema.empty(schema.MARKETING_BACKLOG)
    half_life = settings.rank.recency_half_life_days
    documents = documents_of(items, "item_id")
    measures = measure(documents, "item_id", trend, revenue, as_of=as_of, half_life_days=half_life)
    table = measures.by_key.join(priorities(measures, settings.rank.weights))
    # What is most surely about a claim or a capability tells more of it than what is typical of a theme.
    surest = {CLAIM_AT_RISK: "claim_score", **dict.fromkeys(_OF_CAPABILITIES, CAPABILITY_SCORE)}
    telling = items.assign(telling=items["centrality"])
    for kind, column in surest.items():
        telling["telling"] = telling["telling"].where(items["kind"] != kind, items[column])
    table = table.join(examples(_with_rivals(telling), "item_id", first="telling"))
    table["kind"] = items.drop_duplicates("item_id").set_index("item_id")["kind"]
    for column in ("theme_id", "claim_id", "capability_id", "objective_id", "expectation_source", "rival"):
        table[column] = most_common(items, "item_id", column).reindex(table.index).astype("str").fillna("")
    table["near_claim"] = (
        held_by_most(items, "item_id", NEAR[0]).reindex(table.index).astype("str").fillna("")
    )
    table["churn"] = items.groupby("item_id")["churn_risk"].any()
    renewing = items.assign(renewing=items["stage"].str.contains(_RENEWING, regex=True))
    table["renewing"] = renewing.groupby("item_id")["renewing"].mean() > 1 / 2
    table = _described(table, themes, claims, capabilities)
    table["next_step"] = _of_retired(table, claims, as_of)
    return ranked(table.rename_axis("item_id").reset_index(), "item_id", schema.MARKETING_BACKLOG)


def _of_retired(table: pd.DataFrame, claims: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Return the next steps, those about a claim that isn't made any more replaced: nobody can reword it."""
    ends = claims.drop_duplicates("claim_id").set_index("claim_id")["retired_at"]
    retired = pd.Series(ends.reindex(table["claim_id"]).array, index=table.index)
    day = retired.dt.strftime("%Y-%m-%d")
    step = table["claim_id"] + " was retired on " + day
    step += ": see that it is gone wherever it stood, and tell these customers what holds now"
    return table["next_step"].mask(retired <= as_of, step)


def _with_rivals(telling: pd.DataFrame) -> pd.DataFrame:
    """Add to each item about a competitor, as its most telling quote, one that names the competitor."""
    named = telling[telling["kind"].isin(_OF_RIVALS) & (telling["rival_quote"] != "")]
    named = named.sort_values("telling", ascending=False, kind="stable").drop_duplicates("item_id")
    return pd.concat([named.assign(quote=named["rival_quote"], telling=2.0), telling], ignore_index=True)


def _described(
    table: pd.DataFrame, themes: pd.DataFrame, claims: pd.DataFrame, capabilities: pd.DataFrame
) -> pd.DataFrame:
    """Fill the words of each row: from the claim, the capability or the theme it is about."""
    at_risk = table["kind"] == CLAIM_AT_RISK
    taught = table["kind"].isin(_OF_CAPABILITIES)
    by_claim = claims.drop_duplicates("claim_id").set_index("claim_id")
    by_capability = capabilities.drop_duplicates("capability_id").set_index("capability_id")
    by_theme = themes.set_index("theme_id")
    table["claim_id"] = table["claim_id"].where(at_risk, "")
    for column in ("claim", "channel", "campaign", "owner"):
        table[column] = table["claim_id"].map(by_claim[column]).astype("str").fillna("")
    offered = table["capability_id"].map(by_capability["capability"]).astype("str").fillna("")
    title = table["theme_id"].map(by_theme["title"]).astype("str").fillna("")
    table["title"] = table["claim"].where(at_risk, offered.where(taught, title))
    table["competitor"] = table["rival"].where(table["kind"].isin(_OF_RIVALS), "")
    table["docs_url"] = table["capability_id"].map(by_capability["docs_url"]).astype("str").fillna("")
    against = table["claim_id"].where(at_risk, table["near_claim"])
    rows = table.assign(against=against)[
        ["kind", "expectation_source", "churn", "renewing", "against", "competitor", "docs_url"]
    ]
    advice = [_advice(*row) for row in rows.itertuples(index=False, name=None)]
    table[["goal", "gap_kind", "next_step"]] = pd.DataFrame(advice, index=table.index, dtype="str")
    return table


def _advice(
    kind: str, source: str, churn: bool, renewing: bool, claim_id: str, competitor: str, docs_url: str
) -> tuple[str, str, str]:
    """Return goal, kind of gap and next step; `claim_id` of an unmet expectation is a likely one only."""
    if kind == CLAIM_AT_RISK:
        step = f"Hold {claim_id} against these quotes: reword it, or have the product keep it"
        return (_RETENTION if churn else "brand"), "communication", step
    if kind == EDUCATION:
        where = f": {docs_url}" if docs_url else ""
        step = f"If the quotes do ask for this: show these customers where it is{where}"
        return "education", "knowledge", step
    if kind == DIFFERENTIATOR:
        return "conversion", "knowledge", f"Say that we have it too where {_listed(competitor)} is considered"
    if kind == OBJECTION:
        against = f" against {_listed(competitor)}" if competitor else ""
        talks = "renewal talks" if renewing else "sales talks"
        goal = _RETENTION if churn or renewing else "conversion"
        return goal, "", f"Write an honest answer for {talks}{against}"
    goal = _RETENTION if churn else _GOAL.get(source, _RETENTION)
    step = _UNMET_STEP.get(source, _UNMET_STEP[""])
    if claim_id:
        step = f"{step}. Most of these may contradict {claim_id}: hold them against it"
    return goal, _GAP_KIND.get(source, ""), step


def _listed(names: str) -> str:
    return names.replace(";", ", ")


def claims_at_risk(
    items: pd.DataFrame, claims: pd.DataFrame, trend: pd.DataFrame, revenue: Revenue
) -> pd.DataFrame:
    """Count the contradictions of each claim.

    Parameters
    ----------
    items, trend
        As for `marketing_backlog`.

    Returns
    -------
    Table CLAIMS_AT_RISK: claims with a contradiction, most first, then by claim_id. `contradictions`
    are distinct documents; `confirmed` is 0 until people review links; `share_of_owner` is the claim's
    part of all contradictions of its owner's claims.
    """
    spans = items[items["kind"] == CLAIM_AT_RISK]
    if spans.empty:
        return schema.empty(schema.CLAIMS_AT_RISK)
    documents = documents_of(spans, "claim_id")
    named = documents.assign(account=account_keys(documents["account"]))
    named = named[named["account"] != ""]
    table = documents.groupby("claim_id").size().rename("contradictions").to_frame()
    table["accounts"] = named.groupby("claim_id")["account"].nunique().reindex(table.index, fill_value=0)
    table["revenue"] = revenue.total(documents, "claim_id")
    table["trend"] = trend["trend"].reindex(CLAIM_AT_RISK + ":" + table.index.astype("str")).to_numpy()
    table = table.join(examples(spans, "claim_id", first="claim_score")).assign(confirmed=0)
    described = ["claim", "channel", "campaign", "owner", "published_at"]
    table = table.join(claims.drop_duplicates("claim_id").set_index("claim_id")[described])
    owned = table.groupby("owner")["contradictions"].transform("sum")
    table["share_of_owner"] = (table["contradictions"] / owned).round(6)
    table = table.rename_axis("claim_id").reset_index()
    table = table.sort_values(["contradictions", "claim_id"], ascending=[False, True], kind="stable")
    return schema.conform(table, schema.CLAIMS_AT_RISK)
