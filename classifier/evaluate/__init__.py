"""How good a model is: figures per label with intervals, by source, evidence, abstention, two compared.

In: labelled documents and what a model said of them. Out: Evaluation, Comparison, tables, a folder of
files. Never runs a model, never fits a threshold, never lets text of a document out.
"""

from classifier.evaluate.files import write
from classifier.evaluate.measure import Predictions, compare, evaluate
from classifier.evaluate.scorecard import Comparison, Evaluation
from classifier.evaluate.tables import render_markdown, render_table

__all__ = [
    "Comparison",
    "Evaluation",
    "Predictions",
    "compare",
    "evaluate",
    "render_markdown",
    "render_table",
    "write",
]
