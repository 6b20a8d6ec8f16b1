"""Scored documents -> themes, both backlogs and all that the report shows: the whole-corpus half.

In: scored rows, the settings and the tables beside the feedback. Out: Backlogs, one frame per file.
Never writes, and never sees the raw text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import pandas as pd

from classifier import schema
from classifier.encoders import choose
from classifier.entities import document_texts, evidence_of
from classifier.errors import SettingsError
from classifier.group import group
from classifier.link import link_capabilities, link_claims
from classifier.marketing import claims_at_risk, items_of, marketing_backlog
from classifier.objectives import link_objectives
from classifier.rank import influence, product_backlog
from classifier.revenue import revenue_of
from classifier.sentences import SentenceEncoder
from classifier.settings import Settings, require_department
from classifier.trends import trends, weekly
from classifier.vectors import Encoder, fit_tfidf

STEPS: Final = ("reading evidence", "linking", "grouping into themes", "ranking")
"""What `build` does, in order, for those who watch."""


@dataclass(frozen=True)
class Backlogs:
    """What a run finds, one frame per file, and what the charts need."""

    evidence: pd.DataFrame  # EVIDENCE
    themes: pd.DataFrame  # THEMES
    product_backlog: pd.DataFrame  # PRODUCT_BACKLOG
    marketing_backlog: pd.DataFrame  # MARKETING_BACKLOG
    claims_at_risk: pd.DataFrame  # CLAIMS_AT_RISK
    influence: pd.DataFrame  # INFLUENCE
    weekly: pd.DataFrame  # theme_id ("" = all themes), label, week, mentions (distinct documents)
    moves: Mapping[str, tuple[float, float]]  # kind:id of a marketing row -> 80 % interval of its trend
    warnings: tuple[str, ...]
    vectors: str  # what texts were compared by: "words", and the id of a model beside it
    compared: int  # labelled spans that were compared pair by pair


def build(
    scored: pd.DataFrame,
    *,
    settings: Settings,
    references: Mapping[str, pd.DataFrame],
    as_of: datetime | None,
    department: str = "",
    encoder: Encoder | None = None,
    begin: Callable[[str], None] = lambda step: None,
    sentences: Callable[[], SentenceEncoder] | None = None,
) -> Backlogs:
    """Find the themes of scored documents, link them and rank them.

    Parameters
    ----------
    scored
        Table SCORED and kept columns, any order of rows, one row per document.
    references
        The tables beside the feedback that were given, by name: claims, capabilities, accounts,
        objectives.
    as_of
        End of the period, UTC; trends and freshness are measured against it. None: the newest date.
    department
        Name of a department whose themes, and what is about them, are wanted alone.
    encoder
        Turns texts into vectors by their words; by default TF-IDF fitted on quotes, subjects and references.
    sentences
        Loads the sentence model, where `encoders.choose` takes it. Without it, words decide alone.
    begin
        Is told each of STEPS as it begins.

    Raises
    ------
    SettingsError
        If the area column of the settings is not among the columns of `scored`, or nobody is called
        `department`.
    """
    claims = references.get("claims", schema.empty(schema.CLAIMS))
    capabilities = references.get("capabilities", schema.empty(schema.CAPABILITIES))
    accounts = references.get("accounts", schema.empty(schema.ACCOUNTS))
    objectives = references.get("objectives", schema.empty(schema.OBJECTIVES))
    require_department(department, settings, objectives["owner_department"])
    _check_area_column(settings, scored)
    as_of = as_of or _newest(scored["created_at"])

    begin("reading evidence")
    evidence = evidence_of(scored, settings.competitors)
    texts = _texts(evidence, settings, [*claims["claim"], *capabilities["capability"]])
    encoder = encoder or fit_tfidf(texts)
    compared_by = choose(
        texts, _spans(evidence), wanted=settings.themes.encoder, words=encoder, sentences=sentences
    )
    meaning = compared_by.meaning
    begin("linking")
    evidence = link_claims(
        evidence, claims, settings, capabilities=capabilities, encoder=encoder, sentences=meaning
    )
    evidence = link_capabilities(evidence, capabilities, settings, encoder=encoder, sentences=meaning)
    begin("grouping into themes")
    grouped = group(evidence, settings, claims=claims, capabilities=capabilities, encoder=compared_by.encoder)
    evidence, themes = link_objectives(grouped.evidence, objectives, sentences=meaning), grouped.themes

    begin("ranking")
    spans = evidence[evidence["theme_id"] != ""]
    dates = scored["created_at"]
    trend = trends(spans, dates, as_of=as_of)
    revenue = revenue_of(scored, accounts, settings.report.currency)
    product = product_backlog(evidence, themes, trend, revenue, objectives, settings, as_of=as_of)
    items = items_of(evidence, capabilities)
    moves = trends(items, dates, as_of=as_of, key="item_id")
    marketing = marketing_backlog(items, themes, claims, capabilities, moves, revenue, settings, as_of=as_of)
    built = Backlogs(
        evidence=schema.conform(evidence, schema.EVIDENCE),
        themes=_told(themes, trend, product),
        product_backlog=product,
        marketing_backlog=marketing,
        claims_at_risk=claims_at_risk(items, claims, moves, revenue),
        influence=influence(evidence, revenue, settings.departments),
        weekly=_weekly(spans),
        moves=_moves(moves),
        warnings=(*_unquoted(evidence), *revenue.warnings, *grouped.warnings),
        vectors=compared_by.name,
        compared=grouped.compared,
    )
    return _only(built, department) if department else built


def _weekly(spans: pd.DataFrame) -> pd.DataFrame:
    """Return the weekly counts of each theme, and of all of them together."""
    return weekly(pd.concat([spans.assign(theme_id=""), spans], ignore_index=True))


def _moves(trend: pd.DataFrame) -> dict[str, tuple[float, float]]:
    known = trend.dropna(subset=["trend"])
    ends = zip(known["trend_low"].tolist(), known["trend_high"].tolist(), strict=True)
    return dict(zip(known.index.tolist(), ends, strict=True))


def _told(themes: pd.DataFrame, trend: pd.DataFrame, product: pd.DataFrame) -> pd.DataFrame:
    """Fill what is known of themes once they are ranked; their exemplar is the backlog's first quote."""
    by_theme = product.set_index("theme_id")["quote_1"]
    status = themes["theme_id"].map(trend["status"])
    exemplar = themes["theme_id"].map(by_theme)
    return themes.assign(status=status.astype("str").fillna(""), exemplar=exemplar.astype("str").fillna(""))


def _unquoted(evidence: pd.DataFrame) -> tuple[str, ...]:
    """Return a warning where spans have no quote, for all that is compared is the quotes."""
    labelled = evidence[evidence["label"] != ""]
    if not (missing := int((labelled["quote"] == "").sum())):
        return ()
    return (
        f"{missing} of {len(labelled)} labelled spans have no quote, as `score --quotes none` leaves them: "
        "themes and links need quotes and mean nothing without; score without --quotes none, and give it "
        "to `report`, which then writes none",
    )


def _spans(evidence: pd.DataFrame) -> int:
    return int((evidence["label"] != "").sum())


def _check_area_column(settings: Settings, scored: pd.DataFrame) -> None:
    column = settings.themes.area_column
    if column and column not in scored.columns:
        raise SettingsError(
            f"themes.area_column: {column!r} is not a column of the scored rows; "
            f"score again with --keep {column}, or leave the setting out"
        )


def _newest(dates: pd.Series) -> datetime:
    newest = dates.max()
    # Without any date nothing is measured against it.
    return datetime(1970, 1, 1, tzinfo=UTC) if pd.isna(newest) else newest.to_pydatetime()


def _only(built: Backlogs, department: str) -> Backlogs:
    """Keep a department's themes and their evidence, and what is about them; ranks count from 1 again.

    The figures of a row are as in the report of the whole company: a claim counts all who contradict it.
    """
    product = built.product_backlog
    product = product[product["departments"].str.split(";").map(lambda names: department in names)]
    themes = built.themes[built.themes["theme_id"].isin(product["theme_id"])]
    evidence = built.evidence[built.evidence["theme_id"].isin(product["theme_id"])]
    claims = built.claims_at_risk[built.claims_at_risk["claim_id"].isin(evidence["claim_id"])]
    marketing = built.marketing_backlog
    about = marketing["theme_id"].isin(product["theme_id"]) | marketing["claim_id"].isin(claims["claim_id"])
    cells = built.influence[built.influence["department"] == department]
    return replace(
        built,
        evidence=evidence.reset_index(drop=True),
        themes=themes.reset_index(drop=True),
        product_backlog=_renumbered(product),
        marketing_backlog=_renumbered(marketing[about]),
        claims_at_risk=claims.reset_index(drop=True),
        influence=cells.reset_index(drop=True),
        weekly=_weekly(evidence),
    )


def _renumbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(rank=range(1, len(table) + 1)).astype({"rank": schema.INT}).reset_index(drop=True)


def _texts(evidence: pd.DataFrame, settings: Settings, references: Sequence[str]) -> list[str]:
    """Return all that will be compared."""
    column = settings.themes.area_column
    # A missing column is reported by `group`, in the user's words.
    tags = list(document_texts(evidence, column)["tags"]) if column in evidence.columns else []
    return [*evidence["quote"], *evidence["subject"], *tags, *references]
