"""A model in memory, and which of its tiers scores.

In: a model's parts. Out: scores of the chosen tier. Never reads a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifier import accurate
from classifier.accurate import AccurateModel
from classifier.classify import FastModel, Head, Scores
from classifier.errors import ModelError
from classifier.labels import LABELS
from classifier.models.layout import ACCURATE

FAST: Final = "fast"
CASCADE: Final = "cascade"


@dataclass(frozen=True)
class LoadedModel:
    """A model with what model.json says of it, and the tier that shall score."""

    model_id: str
    name: str
    version: str
    languages: tuple[str, ...]
    fast: FastModel
    description: Mapping[str, Any]
    folder: Path
    accurate: AccurateModel | None = None
    tier: str = FAST

    @property
    def tiers(self) -> tuple[str, ...]:
        """What the model can do, the default first."""
        return (CASCADE, FAST, ACCURATE) if self.accurate else (FAST,)

    def on_one_thread(self) -> "LoadedModel":
        """Return the model as a worker uses it, beside which others work."""
        return replace(self, accurate=replace(self.accurate, threads=1)) if self.accurate else self

    @property
    def heads(self) -> Mapping[str, Head]:
        """How the chosen tier decides; the cascade's thresholds are those of the fast tier."""
        return self.accurate.heads if self.accurate and self.tier == ACCURATE else self.fast.heads

    @property
    def priors(self) -> tuple[float, ...]:
        """Share of each label among the documents that the probabilities were calibrated on.

        Raises
        ------
        ModelError
            If the model doesn't tell them: it was made before they were kept.
        """
        priors = tuple(self.heads[label].prior for label in LABELS)
        if not all(priors):
            raise ModelError(
                f"model {self.model_id} doesn't say how common labels were where it was calibrated, which "
                "--prior-shift needs; train it again, or leave the option out"
            )
        return priors

    def shifted(self, logits: Sequence[float]) -> "LoadedModel":
        """Return the model for documents among which labels are more common by `logits`, of their odds."""
        by_label = dict(zip(LABELS, logits, strict=True))

        def moved(heads: Mapping[str, Head]) -> dict[str, Head]:
            return {label: head.shifted(by_label[label]) for label, head in heads.items()}

        slow = self.accurate and replace(self.accurate, heads=moved(self.accurate.heads))
        return replace(self, fast=self.fast.with_heads(moved(self.fast.heads)), accurate=slow)

    def score(self, texts: Any, scores: Scores, readable: Any) -> Scores:
        """Return the scores of the chosen tier, given those of the fast one.

        Parameters
        ----------
        texts
            Cleaned: a list or a pandas Series.
        scores
            Of the fast tier.
        readable
            Whether the text is in a language of the model, shape (n,): others are left as they are.
        """
        if self.accurate is None or self.tier == FAST:
            return scores
        rows = np.flatnonzero(readable)
        if self.tier == CASCADE:
            rows = np.intersect1d(rows, accurate.unsure(scores, self.fast.heads, self.accurate.band))
        tells = self.fast.tells_sources
        return accurate.refine(self.accurate, list(texts), scores, rows, tells_sources=tells)


def choose_tier(model: LoadedModel, tier: str | None) -> LoadedModel:
    """Return the model with the tier that shall score; its default where None.

    The id of another tier than the default ends in its name: what it scores isn't the same.

    Raises
    ------
    ModelError
        If the model hasn't the tier.
    """
    if tier and tier not in model.tiers:
        raise ModelError(
            f"model {model.model_id} has no tier {tier!r}, only {', '.join(model.tiers)}; "
            f"use --tier {model.tiers[0]} or another --model"
        )
    if not tier or tier == model.tier:
        return model
    return replace(model, tier=tier, model_id=f"{model.model_id}-{tier}")
