"""The three labels and the seven expectation sources: the only place that names them.

In: nothing. Out: constants in the order of every table. Never holds model or report logic.
"""

from typing import Final

PAIN: Final = "pain_point"
REQUEST: Final = "feature_request"
GAP: Final = "expectation_gap"

LABELS: Final = (PAIN, REQUEST, GAP)
"""Order of the label columns in every table and of the rows of every weight matrix."""

TITLES: Final = {
    PAIN: "pain point",
    REQUEST: "feature request",
    GAP: "expectation gap",
}

EXPECTATION_SOURCES: Final = (
    "advertised",
    "sold",
    "documented",
    "told",
    "paid",
    "before",
    "norm",
)
"""Where an expectation came from; a document without an expectation gap has none (empty)."""
