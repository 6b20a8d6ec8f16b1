"""Labelled documents to a model: weights, stacking, calibration, thresholds.

In: the table LABELLED. Out: a FastModel, and the out-of-fold predictions that its settings were
chosen on. Never sees gold; never lets near-duplicates fall on both sides of a fold.
"""

from classifier.train.fitting import Trained, canonical, fit, groups_of
from classifier.train.heads import (
    KNOWN_FIRST,
    Elsewhere,
    Stacked,
    best_threshold,
    fit_heads,
    head_logits,
    shared_threshold,
    stacked_logits,
)
from classifier.train.linear import folded, source_models
from classifier.train.ngrams import Ngrams, ngrams_of
from classifier.train.settings import TrainingSettings
from classifier.train.truth import Truth, unit_labels

__all__ = [
    "KNOWN_FIRST",
    "Elsewhere",
    "Ngrams",
    "Stacked",
    "Trained",
    "TrainingSettings",
    "Truth",
    "best_threshold",
    "canonical",
    "fit",
    "fit_heads",
    "folded",
    "groups_of",
    "head_logits",
    "ngrams_of",
    "shared_threshold",
    "source_models",
    "stacked_logits",
    "unit_labels",
]
