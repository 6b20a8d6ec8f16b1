"""Why one text is labelled as it is.

In: a text and a model. Out: a JSON-able dict. Never imports pandas or compiled code, so that it
answers at once.
"""

from typing import Any, Final

import numpy as np

from classifier import classify, clean
from classifier.labels import EXPECTATION_SOURCES, LABELS
from classifier.models import LoadedModel

SHOWN: Final = 8
"""So many n-grams per label: the strongest by size."""


def explanation_of(text: str, model: LoadedModel, *, language: str) -> dict[str, Any]:
    """Return labels, probabilities, evidence and n-grams of a cleaned text.

    `ngrams` are exact: the weights of all n-grams add up to the document's logit less its bias; of a
    long text, to that of the part that decided. They are the fast tier's, whichever `tier`
    decided. `too_short`: what they weigh counts for nothing, for one known n-gram alone tells nothing.
    """
    fast = classify.score_one(model.fast, text)
    supported = language in ("", *model.languages)
    machine = clean.is_machine(text)
    readable = supported and not machine and any(map(str.isalpha, text))
    scores = model.score([text], fast, [readable])
    heads = model.accurate.heads if model.accurate and scores.refined[0] else model.fast.heads
    spans = classify.spans_of(scores, 0) if readable else []
    labels: dict[str, Any] = {}
    for place, label in enumerate(LABELS):
        own = [span for span in spans if span[0] == label]
        best = max(own, key=lambda span: (span[3], -span[1]), default=None)
        weighed = classify.contributions(model.fast, text, label, fast)[:SHOWN]
        labels[label] = {
            "probability": round(float(scores.probability[0, place]), 6),
            "threshold": round(heads[label].threshold, 6),
            "decision": bool(scores.decision[0, place]) and readable,
            "evidence": {"start": best[1], "end": best[2], "text": text[best[1] : best[2]]} if best else None,
            "ngrams": [{"ngram": ngram, "weight": round(weight, 6)} for ngram, weight in weighed],
        }
    source = int(scores.source[0])
    least_share = np.float32(model.fast.features.least_share)
    reason = _review_reason(text, scores, supported=supported, machine=machine, least_share=least_share)
    return {
        "model_id": model.model_id,
        "tier": "accurate" if scores.refined[0] else "fast",
        "language": language,
        "labels": labels,
        "expectation_source": EXPECTATION_SOURCES[source] if source >= 0 and readable else "",
        "too_short": readable and classify.is_too_short(model.fast, text, fast),
        "review": bool(reason),
        "review_reason": reason,
    }


def _review_reason(
    text: str, scores: classify.Scores, *, supported: bool, machine: bool, least_share: np.float32
) -> str:
    if not text.strip() or machine:
        return "no_text"
    if not supported:
        return "language"
    if len(text) > classify.TOO_LONG:
        return "too_long"
    unknown = scores.known[0] == 0 or scores.known[0] < least_share
    return "uncertain" if scores.close.any() or unknown else ""
