"""How macro-F1 grows with the training data: whether it is flat, or more labels would help.

In: the labelled data that the shipped model learns from. Out: a table and a plot in
docs/quality.md. Measures on folds of the training data alone: no gold text is read for it.

Run: python scripts/learning_curve.py --data-root ../shared/data
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import quality_page
from training_data import training_data

from classifier import evaluate, models, splits, teach, train
from classifier.evaluate import Predictions
from classifier.labels import LABELS

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
FOLDS = 5


def curve(
    documents: pd.DataFrame,
    settings: train.TrainingSettings,
    *,
    shares: Sequence[float] = SHARES,
    measured_folds: int = 2,
    resamples: int = 2000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Train on growing parts of the other folds and measure on whole ones, groups kept together.

    Parameters
    ----------
    documents
        Table LABELLED.
    settings
        How every model is fitted.
    shares
        Of the groups of the training folds, ascending; each part holds the ones before it.
    measured_folds
        How many of the FOLDS folds are measured; their predictions are pooled.

    Returns
    -------
    Per share: `share`, `documents` (mean training size), `macro_f1` and `f1` per label, each with its
    interval, and `gain`: the macro-F1 minus that of the share before (None for the first).
    """
    documents = train.canonical(documents)
    groups = splits.merge_groups(
        splits.group_codes(documents["group"].tolist()),
        splits.near_duplicate_groups(documents["text"].tolist()),
    )
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    folds = splits.grouped_folds(has, groups, FOLDS, seed, strata=documents["source"].tolist())
    inside = np.isin(folds, range(measured_folds))
    gold, held = documents[inside].reset_index(drop=True), folds[inside]
    # One order of the groups for all folds and shares, so that parts are nested.
    rank = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups]
    points: list[dict[str, Any]] = []
    before: Predictions | None = None
    for share in shares:
        parts, sizes = [], []
        for fold in range(measured_folds):
            part = _part(documents, (folds != fold), rank, share)
            model = models.rounded(train.fit(part, settings).model)
            parts.append(teach.predictions_of(model, gold["text"][held == fold]))
            sizes.append(len(part))
        found = _pooled(parts, held)
        measured = evaluate.evaluate(gold, found, groups=groups[inside], n_boot=resamples).as_dict()
        gain = None
        if before is not None:
            pair = evaluate.compare(gold, before, found, groups=groups[inside], n_boot=resamples)
            gain = pair.as_dict()["macro_f1"]["difference"]
        before = found
        points.append(
            {
                "share": share,
                "documents": round(float(np.mean(sizes))),
                "macro_f1": measured["macro_f1"],
                "f1": {label: measured["labels"][label]["f1"] for label in LABELS},
                "gain": gain,
            }
        )
    return points


def _part(documents: pd.DataFrame, others: Any, rank: Any, share: float) -> pd.DataFrame:
    """Return the documents of the first groups, by rank, of the other folds."""
    ranks = np.unique(rank[others])
    kept = ranks[: max(1, round(share * len(ranks)))]
    return documents[others & np.isin(rank, kept)].reset_index(drop=True)


def _pooled(parts: Sequence[Predictions], held: Any) -> Predictions:
    """Return the predictions of each fold's model in the order of the documents."""
    order = np.argsort(np.concatenate([np.flatnonzero(held == fold) for fold in range(len(parts))]))
    spans = [span for part in parts for span in part.spans]
    sources = [source for part in parts for source in part.expectation_source]
    return Predictions(
        probabilities=np.concatenate([part.probabilities for part in parts])[order],
        decisions=np.concatenate([part.decisions for part in parts])[order],
        spans=[spans[row] for row in order],
        expectation_source=[sources[row] for row in order],
        review=np.concatenate([part.review for part in parts])[order],
    )


@click.command()
@click.option(
    "--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data", show_default=True
)
@click.option("--measured-folds", type=click.IntRange(1, FOLDS), default=2, show_default=True)
def main(data_root: Path, measured_folds: int) -> None:
    """Measure the curve of the fast tier and renew docs/quality.md and its plot."""
    began = time.monotonic()
    points = curve(training_data(data_root), train.TrainingSettings(), measured_folds=measured_folds)
    for point in points:
        click.echo(f"{point['documents']:>7,} documents: macro-F1 {point['macro_f1']['value']:.3f}")
    for path in quality_page.record("learning_curve", points):
        click.echo(f"wrote {path}")
    click.echo(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
