"""The commands as functions: score, report, run.

In: paths and choices. Out: files, and what there is to tell about them. Never prints, never parses
options; every stage's rules live in the stage.
"""

from classifier.run.choices import References, ReportChoice, Watching
from classifier.run.outcome import Outcome
from classifier.run.reporting import make_report, run
from classifier.run.scoring import load_model, score
from classifier.run.stream import job_of

__all__ = [
    "Outcome",
    "References",
    "ReportChoice",
    "Watching",
    "job_of",
    "load_model",
    "make_report",
    "run",
    "score",
]
