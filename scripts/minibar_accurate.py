"""What a MiniLM that is fine-tuned as the accurate tier is says of Mini-BAR, each app held out in turn.

In: the folder of public data, weights of MiniLM. Out: a Parquet file for `evaluate_public.py --tier accurate
--predictions`. The network starts from the general MiniLM for each app, for the accurate tier that ships has
read reviews of all three. No threshold is fitted on an app that is judged.

Run: python scripts/minibar_accurate.py --weights FOLDER --out build/minibar.parquet
"""

from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd
import public_sets
import torch
from accurate_data import NONE, collate, filled, prepare
from tokenizers import Tokenizer
from train_accurate import EPOCHS, LABELLED, Net, fit, pooled, tokenizer_of

from classifier import splits, train
from classifier.labels import LABELS, PAIN, REQUEST

COLUMNS: Final = {"problem_report": PAIN, "feature_request": REQUEST}
"""Mini-BAR's labels, and those of ours whose outputs stand for them here."""

FOLDS: Final = 8
"""One part in so many of the training reviews fits the thresholds."""


def table_of(reviews: public_sets.MiniBar) -> pd.DataFrame:
    """Return the reviews as labelled documents without evidence."""
    table = pd.DataFrame({"text": [text.strip() for text in reviews.texts]})
    for label in LABELS:
        table[label] = False
    for name, label in COLUMNS.items():
        table[label] = reviews.truth[name]
    return table.assign(evidence="", expectation_source="")


def logits_of(net: torch.nn.Module, documents: pd.DataFrame, tokenizer: Tokenizer) -> np.ndarray:
    """Return the document logits, shape (n, 3): of a review with several windows, the highest."""
    data = prepare(documents, NONE, tokenizer)
    found = np.full((len(documents), LABELLED), -10.0)
    with torch.inference_mode():
        for windows in filled(sorted(data.windows, key=lambda window: len(window.ids))):
            batch = collate(windows)
            window, _ = pooled(net(batch.ids, batch.attention), batch)
            rows = np.array([one.document for one in windows])
            np.maximum.at(found, rows, window[:, :LABELLED].numpy())
    return found


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(data_root: Path, weights: Path, out: Path) -> None:
    """Train one network per app, and write what each says of the app that it never saw."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    reviews = public_sets.minibar(data_root)
    documents, tokenizer = table_of(reviews), tokenizer_of(weights)
    groups = splits.near_duplicate_groups(reviews.texts)
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    logits, said = np.zeros(has.shape), np.zeros(has.shape, dtype=bool)
    for app in np.unique(reviews.apps):
        outside = reviews.apps == app
        # A review that stands under another app as well isn't learnt from.
        rows = np.flatnonzero(~outside & ~np.isin(groups, groups[outside]))
        kept = splits.grouped_folds(has[rows], groups[rows], FOLDS) == 0
        part = documents.iloc[rows[~kept]].reset_index(drop=True)
        torch.manual_seed(0)
        net = fit(prepare(part, NONE, tokenizer), Net(weights), 0, EPOCHS)
        own = logits_of(net, documents.iloc[rows[kept]].reset_index(drop=True), tokenizer)
        logits[outside] = logits_of(net, documents[outside].reset_index(drop=True), tokenizer)
        for label in COLUMNS.values():
            place = LABELS.index(label)
            threshold = train.best_threshold(has[rows[kept], place], own[:, place])
            said[outside, place] = logits[outside, place] >= threshold
        click.echo(f"{app}: {int(outside.sum())} reviews, learnt from {len(part)}")
    tables = [
        pd.DataFrame(
            {
                "question": f"minibar_{name}",
                "id": reviews.ids,
                "prediction": said[:, LABELS.index(label)],
                "probability": 1 / (1 + np.exp(-logits[:, LABELS.index(label)])),
            }
        )
        for name, label in COLUMNS.items()
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(tables, ignore_index=True).to_parquet(out, index=False)


if __name__ == "__main__":
    main()
