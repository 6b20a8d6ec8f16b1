"""How a tier decides: stacking, thresholds and margins, fitted on logits.

In: truth, and logits of documents that these weren't fitted on. Out: heads. Never sees a text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifier.classify import Head
from classifier.classify.logits import sigmoid, stack
from classifier.labels import LABELS
from classifier.train.settings import TrainingSettings
from classifier.train.truth import UNKNOWN, YES, Flags, Truth

Reals = npt.NDArray[np.float64]

Weigh = Callable[[Reals], Reals]
"""Turns rows of what is weighed, shape (n, k), into logits, shape (n,)."""

FEWEST: Final = 30
"""Documents with and without a label that another source must have to count for its threshold."""

KNOWN_FIRST: Final = 2.0
"""How much more the own documents count for a threshold than all other sources together: of three aims of
quality, two are for sources that were learnt from."""

_CUTS: Final = np.linspace(-4.0, 4.0, 161)


@dataclass(frozen=True)
class Elsewhere:
    """Documents of a source that nothing was learnt from: what is known of them, and their logits.

    `document` and `unit` have the shapes (n, 3) and (u, 3), from a fit that saw neither these documents nor
    any other of their source.
    """

    truth: Truth
    document: Reals
    unit: Reals

    @property
    def has(self) -> Flags:
        """Labels of the documents, shape (n, 3)."""
        return self.truth.has

    def logit(self, place: int, stacker: Weigh, blender: Weigh | None) -> Reals:
        """Return the final logits of one label, shape (n,).

        Raises
        ------
        ValueError
            If another tier has a say: what it says isn't known here.
        """
        if blender is not None:
            raise ValueError("another tier has a say: use Stacked")
        document, unit = self.document[:, place].astype(np.float32), self.unit[:, place].astype(np.float32)
        return stacker(stack(document, unit, self.truth.first))


@dataclass(frozen=True)
class Stacked:
    """Documents of a source that nothing was learnt from, stacked already.

    Labels, logits, and those of the tier that has a say, each of shape (n, 3).
    """

    has: Flags
    stacked: Reals
    before: Reals

    def logit(self, place: int, stacker: Weigh, blender: Weigh | None) -> Reals:
        """Return the final logits of one label, shape (n,)."""
        own = self.stacked[:, place]
        return own if blender is None else blender(np.column_stack([own, self.before[:, place]]))


def fit_heads(
    truth: Truth,
    document: Reals,
    unit: Reals,
    folds: npt.NDArray[np.int64],
    settings: TrainingSettings,
    elsewhere: Sequence[Elsewhere | Stacked] = (),
    before: Reals | None = None,
) -> tuple[dict[str, Head], Reals, Flags]:
    """Fit stacking, thresholds and margins of a tier on logits of documents that it wasn't fitted on.

    Parameters
    ----------
    truth
        Of the documents.
    document, unit
        Logits, shapes (n, 3) and (u, 3).
    folds
        Fold of each document, shape (n,): what is measured is cross-fitted over them.
    settings
        `folds` and `too_close` count here.
    elsewhere
        Other sources, for which thresholds shall hold as well; `Stacked` where another tier has a say.
    before
        Logits of a tier that is to have a say, shape (n, 3).

    Returns
    -------
    The heads; probabilities and decisions of the documents, cross-fitted, shape (n, 3).
    """
    heads: dict[str, Head] = {}
    probability = np.zeros(truth.has.shape)
    decision = np.zeros(truth.has.shape, dtype=bool)
    for place, label in enumerate(LABELS):
        stacked = stack(document[:, place].astype(np.float32), unit[:, place].astype(np.float32), truth.first)
        has = truth.has[:, place]
        logit = _cross_fitted(stacked, has, folds, settings)
        blend: tuple[float, ...] = ()
        blender: Weigh | None = None
        if before is not None:
            both = np.column_stack([logit, before[:, place]])
            blend, blender = _stack_weights(both, has), _stacker(both, has)
            logit = _cross_fitted(both, has, folds, settings)
        others = _logits_elsewhere(elsewhere, place, _stacker(stacked, has), blender)
        threshold = shared_threshold(has, logit, others)
        for fold in range(settings.folds):
            inside = folds != fold
            cut = shared_threshold(has[inside], logit[inside], others)
            decision[~inside, place] = logit[~inside] >= cut
        probability[:, place] = sigmoid(logit)
        scale, shift, unit_threshold = _unit_head(truth.unit_has[:, place], unit[:, place])
        heads[label] = Head(
            stack=_stack_weights(stacked, has),
            threshold=float(sigmoid(np.array(threshold))),
            unit_scale=scale,
            unit_shift=shift,
            unit_threshold=unit_threshold,
            margin=float(np.quantile(np.abs(logit - threshold), settings.too_close)),
            prior=float(has.mean()),
            blend=blend,
        )
    return heads, probability, decision


def _cross_fitted(
    stacked: Reals, has: Flags, folds: npt.NDArray[np.int64], settings: TrainingSettings
) -> Reals:
    """Return the weighted sums of each document's row, with weights fitted on the other folds."""
    found = np.zeros(len(has))
    for fold in range(settings.folds):
        inside = folds != fold
        found[~inside] = _stacker(stacked[inside], has[inside])(stacked[~inside])
    return found


def _stack_weights(stacked: Reals, truth: Flags) -> tuple[float, ...]:
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(stacked, truth)
    return (*map(float, fitted.coef_[0]), float(fitted.intercept_[0]))


def _stacker(stacked: Reals, truth: Flags) -> Weigh:
    *weights, intercept = _stack_weights(stacked, truth)
    return _weighing(weights, intercept)


def _weighing(weights: Sequence[float], intercept: float) -> Weigh:
    def logits(rows: Reals) -> Reals:
        result: Reals = rows @ np.array(weights) + intercept
        return result

    return logits


def stacked_logits(
    truth: Truth, document: Reals, unit: Reals, others: Truth, other_document: Reals, other_unit: Reals
) -> Reals:
    """Return the stacked logits of other documents, with weights that are fitted on these.

    Parameters
    ----------
    truth, document, unit
        Documents that the logits' model wasn't fitted on; logits of shapes (n, 3) and (u, 3).
    others, other_document, other_unit
        The same of m others.

    Returns
    -------
    Shape (m, 3).
    """
    found = np.empty(other_document.shape)
    for place in range(len(LABELS)):
        own = stack(document[:, place].astype(np.float32), unit[:, place].astype(np.float32), truth.first)
        stacker = _stacker(own, truth.has[:, place])
        found[:, place] = Elsewhere(others, other_document, other_unit).logit(place, stacker, None)
    return found


def head_logits(one: Elsewhere, heads: Mapping[str, Head]) -> Reals:
    """Return what heads without a blend make of documents of another source, logits of shape (n, 3)."""
    found = np.empty(one.document.shape)
    for place, label in enumerate(LABELS):
        *weights, intercept = heads[label].stack
        found[:, place] = one.logit(place, _weighing(weights, intercept), None)
    return found


def _logits_elsewhere(
    elsewhere: Sequence[Elsewhere | Stacked], place: int, stacker: Weigh, blender: Weigh | None
) -> list[tuple[Flags, Reals]]:
    """Return truth and logit of one label in those sources that have enough of it."""
    found = []
    for one in elsewhere:
        has = one.has[:, place]
        if min(has.sum(), (~has).sum()) >= FEWEST:
            found.append((has, one.logit(place, stacker, blender)))
    return found


def shared_threshold(
    has: Flags, logit: Reals, others: Sequence[tuple[Flags, Reals]], *, draws: int = 200, seed: int = 0
) -> float:
    """Return the logit from which on deciding for the label is best here and elsewhere alike.

    The cut with the highest mean of F1 here, which counts KNOWN_FIRST times, and of the mean F1 of the other
    sources: a text of a source that nothing was learnt from has fewer n-grams that tell, so its logits are
    weaker. Each source is weighed to the label's share here, for F1 depends on it. As `best_threshold`, the
    median over bootstrap draws; its very value where there is nothing to compare.

    Parameters
    ----------
    has, logit
        Of each document here, shape (n,), n > 0.
    others
        The same of each other source.
    draws, seed
        Of the bootstrap.
    """
    if not others or has.all() or not has.any():
        return best_threshold(has, logit, draws=draws, seed=seed)
    generator = np.random.default_rng(seed)
    share = float(has.mean())
    cuts = np.empty(draws)
    for draw in range(draws):
        here, *there = (
            _f1_by_cut(truth, values, share, generator) for truth, values in ((has, logit), *others)
        )
        cuts[draw] = _CUTS[int(np.argmax(KNOWN_FIRST * here + np.mean(there, axis=0)))]
    return float(np.median(cuts))


def _f1_by_cut(truth: Flags, logit: Reals, share: float, generator: np.random.Generator) -> Reals:
    """Return F1 at each of _CUTS on a bootstrap draw of documents, weighed to a share of the label."""
    drawn = np.bincount(generator.integers(0, len(truth), len(truth)), minlength=len(truth))
    weight = drawn * np.where(truth, share / truth.mean(), (1 - share) / (1 - truth.mean()))
    place = np.searchsorted(_CUTS, logit, side="right")
    size = len(_CUTS) + 1
    said = np.bincount(place, weight, size)[::-1].cumsum()[::-1][1:]
    hits = np.bincount(place, weight * truth, size)[::-1].cumsum()[::-1][1:]
    result: Reals = 2 * hits / np.maximum(said + (weight * truth).sum(), 1e-9)
    return result


def best_threshold(truth: Flags, logit: Reals, *, draws: int = 200, seed: int = 0) -> float:
    """Return the logit from which on deciding for the label gives the best F1.

    The median over bootstrap draws of the documents: the single best cut of a sample is a noisy
    guess of the best cut of the next one.

    Parameters
    ----------
    truth, logit
        Of each document, shape (n,), n > 0.
    draws, seed
        Of the bootstrap.
    """
    order = np.argsort(-logit, kind="stable")
    ranked, values = truth[order].astype(np.float64), logit[order]
    # Documents with equal logits are decided alike: no cut lies between them.
    possible = np.append(values[1:] != values[:-1], True)
    generator = np.random.default_rng(seed)
    cuts = np.empty(draws)
    for draw in range(draws):
        weight = np.bincount(generator.integers(0, len(truth), len(truth)), minlength=len(truth))[order]
        hits = np.cumsum(ranked * weight)
        f1 = 2 * hits / np.maximum(np.cumsum(weight) + hits[-1], 1.0)
        cuts[draw] = values[possible][int(np.argmax(f1[possible]))]
    return float(np.median(cuts))


def _unit_head(unit_has: npt.NDArray[np.int8], logit: Reals) -> tuple[float, float, float]:
    """Return scale, shift and threshold that turn a unit's logit into a probability and a decision.

    Where little was learnt of units, the likelier ones may carry the label less often than the others, by
    chance: no ground to quote the least likely ones. Their logits are taken as they are then.
    """
    told = unit_has != UNKNOWN
    truth = unit_has[told] == YES
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(logit[told, None], truth)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if scale <= 0:
        scale, shift = 1.0, 0.0
    threshold = best_threshold(truth, scale * logit[told] + shift, draws=50)
    return scale, shift, float(sigmoid(np.array(threshold)))
