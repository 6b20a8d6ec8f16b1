"""How a tier decides: stacking, thresholds and margins, fitted on logits.

In: truth, and logits of documents that these weren't fitted on. Out: heads. Never sees a text.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifier.classify import Head
from classifier.classify.logits import sigmoid, stack
from classifier.labels import LABELS
from classifier.train.settings import TrainingSettings
from classifier.train.truth import UNKNOWN, YES, Flags, Truth

Reals = npt.NDArray[np.float64]


def fit_heads(
    truth: Truth,
    document: Reals,
    unit: Reals,
    folds: npt.NDArray[np.int64],
    settings: TrainingSettings,
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
        logit = np.zeros(len(has))
        for fold in range(settings.folds):
            inside = folds != fold
            logit[~inside] = _stacker(stacked[inside], has[inside])(stacked[~inside])
        threshold = best_threshold(has, logit)
        for fold in range(settings.folds):
            inside = folds != fold
            decision[~inside, place] = logit[~inside] >= best_threshold(has[inside], logit[inside])
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
        )
    return heads, probability, decision


def _stack_weights(stacked: Reals, truth: Flags) -> tuple[float, ...]:
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(stacked, truth)
    return (*map(float, fitted.coef_[0]), float(fitted.intercept_[0]))


def _stacker(stacked: Reals, truth: Flags) -> Callable[[Reals], Reals]:
    weights = _stack_weights(stacked, truth)

    def logits(rows: Reals) -> Reals:
        result: Reals = rows @ np.array(weights[:-1]) + weights[-1]
        return result

    return logits


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
    """Return scale, shift and threshold that turn a unit's logit into a probability and a decision."""
    told = unit_has != UNKNOWN
    truth = unit_has[told] == YES
    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(logit[told, None], truth)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    threshold = best_threshold(truth, scale * logit[told] + shift, draws=50)
    return scale, shift, float(sigmoid(np.array(threshold)))
