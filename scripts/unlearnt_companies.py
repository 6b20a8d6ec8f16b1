"""Texts about invented companies that nothing learns from: what a tier finds, and where it finds too much.

In: what a tier says of texts. Out: figures for docs/quality.md. Never gold: these texts were written by the
same hands as those of the companies that models learn from.
"""

from collections.abc import Callable
from typing import Any, Final

import companies
import numpy as np
import pandas as pd
from training_data import themed

from classifier import evaluate, metrics
from classifier.evaluate import Predictions
from classifier.labels import LABELS

LENGTHS: Final = (0, 35, 100, 280)
"""Words from which on a text is of the next length."""


def figures(predict: Callable[[pd.Series], Predictions], resamples: int) -> dict[str, Any]:
    """Return macro-F1 on what customers say of themes and on all other texts, and shares of false alarms.

    Returns
    -------
    `themes` and `texts`: documents and macro-F1; `none`: for each of LENGTHS the texts without a label, and
    the share of them that gets one.
    """
    documents = themed(held_out=True)
    found = predict(documents["text"])
    others = documents["id"].str.contains(companies.TEXT).to_numpy()
    result: dict[str, Any] = {}
    for name, own in (("themes", ~others), ("texts", others)):
        rows = np.flatnonzero(own)
        said = found.of_rows(rows.tolist())
        measured = evaluate.evaluate(documents[own].reset_index(drop=True), said, n_boot=resamples).as_dict()
        result[name] = {"documents": len(rows), "macro_f1": measured["macro_f1"]}
    labelled = documents[list(LABELS)].any(axis=1).to_numpy()
    lengths = np.searchsorted(LENGTHS, documents["text"].str.split().str.len(), side="left") - 1
    alarms = np.asarray(found.decisions).any(axis=1)
    result["none"] = [
        {"words": least, **_share(alarms[~labelled & (lengths == place)], resamples)}
        for place, least in enumerate(LENGTHS)
    ]
    return result


def _share(marked: Any, resamples: int) -> dict[str, Any]:
    share = float(marked.mean()) if len(marked) else 0.0
    draws = np.random.default_rng(0).binomial(len(marked), share, resamples) / max(1, len(marked))
    drawn = metrics.interval(np.concatenate([[share], draws]))
    return {"documents": len(marked), "share": {"value": drawn.value, "low": drawn.low, "high": drawn.high}}
