"""Which documents the cascade asks the accurate tier about.

In: what both tiers make of labelled documents that neither has learnt from. Out: the band that ships.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from classifier.accurate import Gain, Side
from classifier.labels import LABELS

BUDGET = 0.15
"""Share of real support questions that the cascade may ask the accurate tier about.

Labelled documents don't tell what is usual: many were chosen because models part on them."""


@dataclass(frozen=True)
class Judged:
    """Labels of documents, the fast tier's distances from its thresholds, and the accurate tier's decisions.

    Each of shape (n, 3). `weight` is what all documents count together.
    """

    has: np.ndarray
    distance: np.ndarray
    decision: np.ndarray
    weight: float


def choose_band(judged: Sequence[Judged], usual: np.ndarray) -> Gain:
    """Return the band that asks about BUDGET of usual texts, where asking brings most macro-F1.

    For each label and side of its threshold: how often the tiers part, by the distance from it, times what
    the label's F1 gains where they do.

    Parameters
    ----------
    judged
        Sets of documents.
    usual
        Distances of texts as they usually come, shape (m, 3).
    """
    has, distance, new = (
        np.concatenate([getattr(one, name) for one in judged]) for name in ("has", "distance", "decision")
    )
    weight = np.concatenate([np.full(len(one.has), one.weight / len(one.has)) for one in judged])
    below, above = [], []
    for place in range(len(LABELS)):
        own = np.abs(distance[:, place])
        old = distance[:, place] >= 0
        gains = _gains(has[:, place], old, new[:, place], weight)
        for sides, side, gain in zip((below, above), (~old, old), gains, strict=True):
            height, scale = _falling(own[side], (new[:, place] != old)[side], weight[side])
            sides.append(Side(round(height * max(0.0, gain), 4), round(scale, 4)))
    free = Gain(tuple(below), tuple(above), 0.0)
    return replace(free, limit=float(np.quantile(free.worth(usual), 1 - BUDGET)))


def _gains(has: np.ndarray, old: np.ndarray, new: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return what F1 gains, per share of the documents, where `new` finds a label and where it drops it.

    F1 is twice the hits over the documents that have the label and those that are said to. One hit more
    adds 2 - F1 over these, one error less F1 over these; where `new` errs, they are lost.
    """
    both = np.average(has, weights=weight) + np.average(old, weights=weight)
    f1 = 2 * np.average(has & old, weights=weight) / both
    found, dropped = (
        np.average(has[part], weights=weight[part]) if part.any() else 0.0
        for part in (new & ~old, old & ~new)
    )
    return (
        float(found * (2 - f1) - (1 - found) * f1) / float(both),
        float((1 - dropped) * f1 - dropped * (2 - f1)) / float(both),
    )


def _falling(distance: np.ndarray, parted: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return height and scale of the chance height * exp(-distance / scale), by maximum likelihood."""

    def loss(free: np.ndarray) -> float:
        chance = np.clip(expit(free[0]) * np.exp(-distance * np.exp(-free[1])), 1e-6, 1 - 1e-6)
        return -float(weight @ np.log(np.where(parted, chance, 1 - chance)))

    # In units of one document, for the solver stops at differences of 1e-4.
    weight = weight / weight.mean()
    found = minimize(loss, np.array([0.0, 0.5]), method="Nelder-Mead")
    # Tiers that never part may be told so by a scale of nearly 0, which nothing can be divided by.
    return float(expit(found.x[0])), max(0.01, float(np.exp(found.x[1])))
