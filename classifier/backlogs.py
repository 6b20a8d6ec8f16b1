"""Scored documents -> themes, both backlogs and all that the report shows: the whole-corpus half.

In: scored rows, the settings and the tables beside the feedback. Out: Backlogs, one frame per file.
Never writes, and never sees the raw text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from classifier import schema
from classifier.entities import document_texts, evidence_of
from classifier.group import group
from classifier.link import link_capabilities, link_claims, link_objectives
from classifier.marketing import claims_at_risk, items_of, marketing_backlog
from classifier.rank import influence, product_backlog
from classifier.revenue import revenue_of
from classifier.settings import Settings
from classifier.trends import trends, weekly
from classifier.vectors import Encoder, fit_tfidf


@dataclass(frozen=True)
class References:
    """The tables beside the feedback; each may be empty."""

    claims: pd.DataFrame
    capabilities: pd.DataFrame
    accounts: pd.DataFrame
    objectives: pd.DataFrame

    @classmethod
    def none(cls) -> "References":
        """Return four empty tables."""
        tables = (schema.CLAIMS, schema.CAPABILITIES, schema.ACCOUNTS, schema.OBJECTIVES)
        return cls(*map(schema.empty, tables))


@dataclass(frozen=True)
class Backlogs:
    """What a run finds, one frame per file, and what the charts need."""

    evidence: pd.DataFrame  # EVIDENCE
    themes: pd.DataFrame  # THEMES
    product: pd.DataFrame  # PRODUCT_BACKLOG
    marketing: pd.DataFrame  # MARKETING_BACKLOG
    claims_at_risk: pd.DataFrame  # CLAIMS_AT_RISK
    influence: pd.DataFrame  # INFLUENCE
    weekly: pd.DataFrame  # theme_id, week, mentions
    weekly_labels: pd.DataFrame  # label ("" for all scored documents), week, mentions
    warnings: tuple[str, ...]


def build(
    scored: pd.DataFrame,
    settings: Settings,
    references: References,
    *,
    as_of: datetime,
    encoder: Encoder | None = None,
) -> Backlogs:
    """Find the themes of scored documents, link them and rank them.

    Parameters
    ----------
    scored
        Table SCORED and kept columns, any order of rows, one row per document.
    as_of
        End of the period, UTC; trends and freshness are measured against it.
    encoder
        Turns texts into vectors; by default TF-IDF fitted on quotes, subjects and references.

    Raises
    ------
    SettingsError
        If the area column of the settings is not among the columns of `scored`.
    """
    evidence = evidence_of(scored, settings.competitors)
    encoder = encoder or _fitted(evidence, settings, references)
    evidence = link_claims(
        evidence, references.claims, settings, capabilities=references.capabilities, encoder=encoder
    )
    evidence = link_capabilities(evidence, references.capabilities, settings, encoder=encoder)
    evidence, themes = group(
        evidence, settings, claims=references.claims, capabilities=references.capabilities, encoder=encoder
    )
    evidence = link_objectives(evidence, references.objectives)
    spans = evidence[evidence["theme_id"] != ""]
    dates = scored["created_at"]
    trend = trends(spans, dates, as_of=as_of)
    revenue = revenue_of(scored, references.accounts, settings.report.currency)
    items = items_of(evidence, references.capabilities)
    moves = trends(items, dates, as_of=as_of, key="item_id")
    product = product_backlog(evidence, themes, trend, revenue, references.objectives, settings, as_of=as_of)
    marketing = marketing_backlog(
        items,
        themes,
        references.claims,
        references.capabilities,
        moves,
        revenue,
        settings,
        as_of=as_of,
    )
    return Backlogs(
        evidence=schema.conform(evidence, schema.EVIDENCE),
        themes=themes.assign(status=themes["theme_id"].map(trend["status"]).fillna("").astype("str")),
        product=product,
        marketing=marketing,
        claims_at_risk=claims_at_risk(items, references.claims, moves, revenue),
        influence=influence(evidence, revenue, settings.departments),
        weekly=weekly(spans),
        weekly_labels=_weekly_labels(spans, scored),
        warnings=revenue.warnings,
    )


def _fitted(evidence: pd.DataFrame, settings: Settings, references: References) -> Encoder:
    """Fit TF-IDF on all that will be compared."""
    return fit_tfidf(
        [
            *evidence["quote"],
            *evidence["subject"],
            *_tags(evidence, settings.themes.area_column),
            *references.claims["claim"],
            *references.capabilities["capability"],
        ]
    )


def _tags(evidence: pd.DataFrame, column: str) -> Sequence[str]:
    # A missing column is reported by `group`, in the user's words.
    if column not in evidence.columns:
        return []
    return list(document_texts(evidence, column)["tags"])


def _weekly_labels(spans: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    everything = scored[["document_id", "created_at"]].assign(label="")
    columns = ["label", "document_id", "created_at"]
    return weekly(pd.concat([everything[columns], spans[columns]], ignore_index=True), "label")
