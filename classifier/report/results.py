"""All that a report tells, before it is laid out.

In: what the stages made. Out: frozen dataclasses. Never computes a ranking.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Self

import pandas as pd

from classifier.labels import LABELS

DEFAULT_LIMIT: Final = 200
"""Entries of each backlog in the HTML page; the tables beside it hold all."""


@dataclass(frozen=True)
class Rows:
    """Where every row that was read went."""

    read: int = 0
    scored: int = 0
    rejected: int = 0
    duplicates: int = 0
    dropped: int = 0
    merged: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, in the order of the sum."""
        return {one.name: int(getattr(self, one.name)) for one in fields(self)}

    @property
    def adds_up(self) -> bool:
        """Whether read = scored + rejected + duplicates + dropped + merged."""
        return self.read == self.scored + self.rejected + self.duplicates + self.dropped + self.merged


@dataclass(frozen=True)
class ScoredSummary:
    """What the report says about the scored documents as a whole; add two to join two batches."""

    documents: int = 0
    per_label: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    review: int = 0
    review_reasons: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)
    accounts: frozenset[str] = frozenset()
    undated: int = 0
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None

    @classmethod
    def of(cls, scored: pd.DataFrame) -> Self:
        """Count the rows of a table SCORED; all zero if it is empty."""
        dated = scored["created_at"].dropna()
        in_review = scored["review_reason"][scored["review"]]
        return cls(
            documents=len(scored),
            per_label={label: int(scored[label].sum()) for label in LABELS},
            unlabelled=int((~scored[list(LABELS)].any(axis=1)).sum()),
            review=int(scored["review"].sum()),
            review_reasons=frequencies(in_review),
            languages=frequencies(scored["language"]),
            channels=frequencies(scored["channel"]),
            accounts=frozenset(scored["account"].unique()) - {""},
            undated=len(scored) - len(dated),
            first=dated.min() if len(dated) else None,
            last=dated.max() if len(dated) else None,
        )

    def __add__(self, other: "ScoredSummary") -> "ScoredSummary":
        """Return the summary of both batches together."""
        firsts = [one for one in (self.first, other.first) if one is not None]
        lasts = [one for one in (self.last, other.last) if one is not None]
        return ScoredSummary(
            documents=self.documents + other.documents,
            per_label=_sum(self.per_label, other.per_label),
            unlabelled=self.unlabelled + other.unlabelled,
            review=self.review + other.review,
            review_reasons=_sum(self.review_reasons, other.review_reasons),
            languages=_sum(self.languages, other.languages),
            channels=_sum(self.channels, other.channels),
            accounts=self.accounts | other.accounts,
            undated=self.undated + other.undated,
            first=min(firsts, default=None),
            last=max(lasts, default=None),
        )


@dataclass(frozen=True)
class Results:
    """One run's tables and figures, typed by schema.py.

    `weekly` has the columns theme_id ("" = all), label, week (its Monday, UTC) and mentions.
    `weights` are those of `priority`; `names` says what an id of a capability or an objective
    stands for, where a table of them was given; `moves` the 80 % interval of the trend of a marketing row, by
    its kind and what that is about (`marketing.ABOUT`), "claim_at_risk:CL-08"; `retired` since when a claim
    is no longer public.
    """

    title: str
    currency: str
    model_id: str
    as_of: pd.Timestamp | None
    rows: Rows
    summary: ScoredSummary
    weights: Mapping[str, float]
    themes: pd.DataFrame
    evidence: pd.DataFrame
    product_backlog: pd.DataFrame
    marketing_backlog: pd.DataFrame
    claims_at_risk: pd.DataFrame
    influence: pd.DataFrame
    weekly: pd.DataFrame
    rejected: pd.DataFrame
    duplicates: pd.DataFrame
    dropped: pd.DataFrame
    has_claims: bool = False
    warnings: tuple[str, ...] = ()
    vectors: str = ""  # what texts were compared by
    compared: int = 0  # labelled sentences that were compared pair by pair
    as_of_given: bool = False  # not merely the date of the newest document
    department: str = ""  # whose part it is; "": the whole company
    names: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    retired: Mapping[str, pd.Timestamp] = field(default_factory=dict)


def frequencies(column: pd.Series) -> dict[str, int]:
    """Return value -> rows, most frequent first, then by name."""
    counted = column.value_counts()
    return {
        str(name): int(counted[name]) for name in sorted(counted.index, key=lambda one: (-counted[one], one))
    }


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    total = Counter(left)
    total.update(right)
    return {name: total[name] for name in sorted(total, key=lambda one: (-total[one], one))}
