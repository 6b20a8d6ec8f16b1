"""Why a text is decided as it is: what each of its n-grams adds.

In: a model and a text. Out: n-grams and numbers, which add up to the logit. Never rounds, never
leaves one out.
"""

import numpy as np

from classifier import features
from classifier.classify.limits import LEAST_KNOWN
from classifier.classify.readable import score_one
from classifier.classify.scores import Scores
from classifier.classify.weights import FastModel
from classifier.labels import LABELS


def contributions(
    model: FastModel, text: str, label: str, scores: Scores | None = None
) -> list[tuple[str, float]]:
    """Return the n-grams of `text` and what each adds to the document's logit of `label`.

    Exact: the values add up to the document's logit less its bias; of a document longer than LONGEST,
    to that of the part that decided. Strongest first, by size; an n-gram that recurs in
    other units is listed once with its sum.

    Parameters
    ----------
    scores
        What `score_one` says of the text, where it is at hand.

    Raises
    ------
    KeyError
        If there is no such label.
    """
    column = {name: place for place, name in enumerate(LABELS)}[label]
    scores = scores or score_one(model, text)
    deciding = np.arange(*scores.deciding[0, column])
    deciding = deciding[~scores.again[deciding]]
    found: dict[str, float] = {}
    total = 0
    for start, end in zip(scores.start[deciding], scores.end[deciding], strict=True):
        for ngram in features.distinct(text[start:end], model.features):
            known = model.index[ngram.bucket]
            total += bool(known) or not model.features.per_known
            if known:
                weight = float(model.weights[known, column])
                found[ngram.text] = found.get(ngram.text, 0.0) + weight
    scale = 1.0 / max(total, 1) ** 0.5
    scaled = [(text, weight * scale) for text, weight in found.items()]
    return sorted(scaled, key=lambda item: (-abs(item[1]), item[0]))


def is_too_short(model: FastModel, text: str, scores: Scores) -> bool:
    """Tell whether the model knows too few n-grams of a text to give it any label.

    Parameters
    ----------
    scores
        What `score_one` says of the text.
    """
    units = zip(scores.start[~scores.again], scores.end[~scores.again], strict=True)
    ngrams = (ngram for start, end in units for ngram in features.distinct(text[start:end], model.features))
    return sum(bool(model.index[ngram.bucket]) for ngram in ngrams) < LEAST_KNOWN
