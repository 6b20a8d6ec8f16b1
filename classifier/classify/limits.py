"""The numbers that decide beside a model: the compiled code and its readable twin share them.

In: nothing. Out: constants.
"""

from typing import Final

import numpy as np

TOO_LONG: Final = 50_000
"""Code points from which on one text can't be one piece of feedback: it is scored, and reviewed."""

SHORTEST_EVIDENCE: Final = 16
"""Code points. A subject of a word or two and a signature score well at times, but quoted alone they tell
nothing."""

NEARBY: Final = np.float32(1 / 3)
"""Share of the threshold of a unit from which on it belongs to evidence beside it: an argument often runs on
over a sentence that is none alone. Two thresholds, the higher one to begin and the lower one to go on (Canny
1986, with a ratio of two or three)."""

LEAST_KNOWN: Final = 2
"""So many n-grams that the model knows must a document have to get a label: one word alone tells nothing."""

LONGEST: Final = 1_000
"""Code points of the longest documents to learn from, about; longer ones are decided by their best part."""

MANY: Final = 6
"""Units from which on a document is looked through for repeated ones."""

NO_UNIT: Final = np.float32(-8.0)
"""Logit that stands for a unit that isn't there."""
