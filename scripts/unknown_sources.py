"""How the accurate tier decides about sources that it learnt nothing from.

Run: python scripts/unknown_sources.py FOLDER0 FOLDER1 --data-root ../shared/data
(the transformers that `train_accurate.py without --row 0` and `--row 1` made). Writes
data/training/unknown_sources.parquet: ids and logits of documents, no text. The transformers aren't kept.
"""

from pathlib import Path

import accurate_tier
import click
import numpy as np
import pandas as pd
import student
from training_data import PROJECT, held_out, picked, training_data

from classifier import kernel, train
from classifier.buffers import Column
from classifier.labels import LABELS
from classifier.transformer import Transformer

FILE = PROJECT / "data/training/unknown_sources.parquet"

MOST = 2_000
"""Documents of one kind of source: spread evenly over them, where there are more."""


def read(documents: pd.DataFrame) -> pd.DataFrame:
    """Return the logits that were written, by id.

    Raises
    ------
    ClickException
        If there are none of documents that are labelled now.
    """
    logits = pd.read_parquet(FILE).set_index("id")
    for kind in (kind for kinds in student.LEFT_OUT for kind in kinds):
        own = documents["id"][documents["source"].isin(kind)]
        if not own.isin(logits.index).any():
            raise click.ClickException(f"{FILE.name} knows no text of {', '.join(kind)}; make it anew")
    return logits


def stacked(logits: pd.DataFrame, documents: pd.DataFrame, learnt: student.Student) -> list[train.Stacked]:
    """Return what is known, for each kind of source, of the documents that were left out.

    Parameters
    ----------
    logits
        What `read` returns.
    documents
        All labelled ones, in the order of `train.canonical`.
    learnt
        The fast tier, whose fits without these sources have a say.
    """
    found = []
    for rows, before in learnt.elsewhere:
        ids = documents["id"].iloc[rows]
        there = ids.isin(logits.index).to_numpy()
        own = logits.loc[ids[there], list(LABELS)].to_numpy(dtype=np.float64)
        has = documents[list(LABELS)].to_numpy(dtype=bool)[rows[there]]
        found.append(train.Stacked(has, own, before[there]))
    return found


def judged(transformer: Transformer, documents: pd.DataFrame, row: int) -> pd.DataFrame:
    """Return the logits of documents of the sources in a row of LEFT_OUT: id, and one column a label.

    Their weights are fitted on documents held out of training, of all other sources.
    """
    left = documents["source"].isin(np.concatenate(student.LEFT_OUT[row])).to_numpy()
    known = _truth(transformer, documents[held_out(documents) & ~left])
    parts = []
    for kind in student.LEFT_OUT[row]:
        own = documents[~picked(documents) & np.isin(documents["source"], kind)]
        own = own.iloc[:: max(1, -(-len(own) // MOST))]
        logits = train.stacked_logits(*known, *_truth(transformer, own))
        parts.append(pd.DataFrame(logits, columns=list(LABELS)).assign(id=own["id"].to_numpy()))
    return pd.concat(parts, ignore_index=True)


def _truth(transformer: Transformer, documents: pd.DataFrame) -> tuple[train.Truth, np.ndarray, np.ndarray]:
    """Return what is known of documents, and the logits of these and of their units."""
    documents = documents.reset_index(drop=True)
    units = kernel.split_column(Column.of(documents["text"]))
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    unit_has, _ = train.unit_labels(documents, units, has)
    return train.Truth(units.first, has, unit_has), *accurate_tier.logits_in(transformer, documents, units)


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.argument(
    "folders", nargs=len(student.LEFT_OUT), required=True, type=click.Path(path_type=Path, exists=True)
)
def main(data_root: Path, folders: tuple[Path, ...]) -> None:
    """Judge documents by transformers that saw none of their source."""
    documents = train.canonical(training_data(data_root))
    tables = [judged(Transformer.load(folder), documents, row) for row, folder in enumerate(folders)]
    table = pd.concat(tables, ignore_index=True).astype(dict.fromkeys(LABELS, np.float32))
    table[["id", *LABELS]].to_parquet(FILE, compression="zstd", compression_level=19, index=False)
    click.echo(f"{len(table)} documents: {FILE}, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
