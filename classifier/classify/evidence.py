"""Units of evidence to spans: the readable rule.

In: Scores. Out: places in the text, with their label. Never reads the text.
"""

from collections.abc import Sequence

from classifier import split
from classifier.classify.scores import Scores
from classifier.labels import LABELS


def spans_of(scores: Scores, row: int) -> Sequence[tuple[str, int, int, float]]:
    """Return the evidence of one document: (label, start, end, probability), sorted by label order and start.

    Evidence units that follow each other are one span: from the strongest that is in none yet (the first
    of equal ones) it grows by the stronger of its two neighbours (the left of equal ones), be it evidence or
    near it, as long as it has at most MAX_UNIT code points from its first to its last character. A neighbour
    that would make it longer stays out. The probability is that of its strongest unit.
    """
    return [
        (label, int(scores.start[first]), int(scores.end[last]), float(scores.unit_probability[best, place]))
        for place, label in enumerate(LABELS)
        for first, last, best in _grown(scores, row, place)
    ]


def _grown(scores: Scores, row: int, label: int) -> list[tuple[int, int, int]]:
    """Return the first, the last and the strongest unit of each span of one label, in order."""
    chance = scores.unit_probability[:, label]
    units = range(int(scores.first[row]), int(scores.first[row + 1]))
    evidence = [unit for unit in units if scores.evidence[unit, label]]
    left = {*evidence, *(unit for unit in units if scores.nearby[unit, label])}

    def strength(unit: int) -> tuple[float, int]:
        return -float(chance[unit]), unit

    def neighbours(first: int, last: int) -> list[int]:
        return [
            unit
            for unit in (first - 1, last + 1)
            if unit in left and scores.end[max(unit, last)] - scores.start[min(unit, first)] <= split.MAX_UNIT
        ]

    spans = []
    for best in sorted(evidence, key=strength):
        if best not in left:
            continue
        first = last = best
        while near := neighbours(first, last):
            unit = min(near, key=strength)
            first, last = min(unit, first), max(unit, last)
        left -= set(range(first, last + 1))
        spans.append((first, last, best))
    return sorted(spans)
