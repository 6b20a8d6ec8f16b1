"""Texts to calibrated probabilities, decisions and evidence.

In: cleaned texts and a model. Out: arrays, one row per document and one per unit. Pure and
row-local: a text's result doesn't depend on the texts beside it. Never reads or writes files.
"""

from classifier.classify.compiled import score_texts
from classifier.classify.evidence import spans_of
from classifier.classify.limits import TOO_LONG
from classifier.classify.readable import score_one
from classifier.classify.reasons import contributions, is_too_short
from classifier.classify.scores import Scores
from classifier.classify.weights import FastModel, Head

__all__ = [
    "TOO_LONG",
    "FastModel",
    "Head",
    "Scores",
    "contributions",
    "is_too_short",
    "score_one",
    "score_texts",
    "spans_of",
]
