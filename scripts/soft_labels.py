"""What the accurate tier says of unlabelled public texts, for the student to learn from.

Run: python scripts/soft_labels.py --accurate FOLDER --data-root ../shared/data
Writes data/training/soft_labels.parquet: ids, hashes and probabilities, no text. Texts that are
near-duplicates of labelled or of gold ones are left out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import accurate_tier
import click
import numpy as np
import pandas as pd
import student
from training_data import PROJECT, gold_texts, public_file, training_data

from classifier import accurate, kernel, splits, train
from classifier.buffers import Column
from classifier.classify.decisions import decide
from classifier.classify.logits import sigmoid
from classifier.labels import LABELS
from classifier.transformer import Transformer

FILE = PROJECT / "data/training/soft_labels.parquet"

PLAN = {
    "sumo_firefox_questions": 50_000,
    "sumo_thunderbird_questions": 20_000,
    "minibar_health_apps": 12_000,
    "cfpb_sample": 4_000,
    "endava_it_tickets": 4_000,
    "banking77": 2_000,
    "clinc150": 2_000,
    "bitext_support": 1_000,
}
"""So many texts of each source, those with the lowest hash."""

REAL = {"sumo_firefox_questions": 4_000, "sumo_thunderbird_questions": 2_000}
"""So many texts of each source that come after those of PLAN: real questions that nothing is learnt from."""

LONGEST = 1_000
"""Code points: longer texts are cut, as the labelled ones are."""

SHORTEST = 9

STEPS = 255
"""A probability is kept in this many steps of its logit, from -LARGEST to LARGEST."""

LARGEST = 8.0


def pool(data_root: Path) -> pd.DataFrame:
    """Return the texts of PLAN: source, id, sha256, text."""
    return _texts(data_root, PLAN)


def real(data_root: Path, labelled: Sequence[str]) -> pd.Series:
    """Return the texts of REAL, without those that are labelled."""
    texts = _texts(data_root, {source: PLAN[source] + count for source, count in REAL.items()})
    known = {*pool(data_root)["sha256"], *map(_digest, labelled)}
    return texts["text"][~texts["sha256"].isin(known)].reset_index(drop=True)


def _texts(data_root: Path, plan: Mapping[str, int]) -> pd.DataFrame:
    parts = []
    for source, count in plan.items():
        table = pd.read_parquet(public_file(data_root, source))
        for column in ("lang", "locale"):
            if column in table:
                table = table[table[column].astype(str).str.startswith("en")]
        part = pd.DataFrame({"source": source, "id": table["id"].astype(str), "text": cut(table["text"])})
        part = part[part["text"].str.len() >= SHORTEST].drop_duplicates("text")
        part["sha256"] = [_digest(text) for text in part["text"]]
        parts.append(part.sort_values(["sha256", "id"]).head(count))
    return pd.concat(parts, ignore_index=True).drop_duplicates("sha256").reset_index(drop=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apart(texts: pd.DataFrame, others: Sequence[str]) -> pd.DataFrame:
    """Return the rows whose text is no near-duplicate of another text."""
    groups = splits.near_duplicate_groups([*texts["text"], *others])
    near = np.isin(groups[: len(texts)], groups[len(texts) :])
    return texts[~near].reset_index(drop=True)


def cut(texts: pd.Series) -> pd.Series:
    """Return the part of public texts that is labelled."""
    return texts.fillna("").str.strip().str.slice(0, LONGEST).str.strip()


def read(data_root: Path) -> student.Soft:
    """Return the soft labels that were written, with their texts.

    Raises
    ------
    ClickException
        If a text is another one now, or is split into other units.
    """
    rows = pd.read_parquet(FILE)
    texts = np.empty(len(rows), dtype=object)
    for source, places in rows.groupby("source", observed=True).indices.items():
        table = pd.read_parquet(public_file(data_root, str(source)), columns=["id", "text"])
        known = dict(zip(table["id"].astype(str), cut(table["text"]), strict=True))
        texts[places] = [known.get(one, "") for one in rows["id"].iloc[places]]
    changed = [_digest(text) != digest for text, digest in zip(texts, rows["sha256"], strict=True)]
    if any(changed):
        raise click.ClickException(f"{FILE.name}: {sum(changed)} texts aren't those that were labelled")
    column = pd.Series(texts, dtype="str")
    units = kernel.split_column(Column.of(column))
    found = np.frombuffer(b"".join(rows["unit"]), dtype=np.uint8).reshape(-1, len(LABELS))
    if len(found) != units.first[-1]:
        raise click.ClickException(
            f"{FILE.name}: texts are split into {units.first[-1]} units now, not {len(found)}; "
            "run scripts/soft_labels.py again"
        )
    document = np.frombuffer(b"".join(rows["document"]), dtype=np.uint8).reshape(-1, len(LABELS))
    return student.Soft(column, rows["source"].to_numpy(dtype=str), _shares(document), _shares(found))


def _steps(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability.astype(np.float64), 1e-9, 1 - 1e-9)
    logit = np.clip(np.log(clipped / (1 - clipped)), -LARGEST, LARGEST)
    return np.rint((logit / LARGEST + 1) / 2 * STEPS).astype(np.uint8)


def _shares(steps: np.ndarray) -> np.ndarray:
    return sigmoid((steps.astype(np.float64) / STEPS * 2 - 1) * LARGEST)


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option(
    "--accurate", "folder", type=click.Path(path_type=Path, exists=True), default="models/default/8/accurate"
)
def main(folder: Path, data_root: Path) -> None:
    """Label the pool."""
    documents = train.canonical(training_data(data_root))
    texts = pool(data_root)
    found = len(texts)
    texts = apart(texts, [*documents["text"], *gold_texts(data_root)])
    click.echo(
        f"{len(texts)} texts; left out as near-duplicates of labelled or gold ones: {found - len(texts)}"
    )
    transformer = Transformer.load(folder)
    heads = accurate_tier.fit(transformer, documents, student.SETTINGS).heads
    units = kernel.split_column(Column.of(texts["text"]))
    texts = texts[np.diff(units.first) > 0].reset_index(drop=True)
    units = kernel.split_column(Column.of(texts["text"]))
    logits = accurate.logits_of(transformer, texts["text"].tolist(), units)
    everything = np.ones(len(texts), dtype=bool)
    scores = decide(heads, logits, readable=everything, known=everything.astype(np.float32))
    document, unit = _steps(scores.probability), _steps(scores.unit_probability)
    table = texts[["source", "id", "sha256"]].astype({"source": "category"})
    table["document"] = [row.tobytes() for row in document]
    table["unit"] = [unit[a:b].tobytes() for a, b in zip(units.first, units.first[1:], strict=False)]
    table.to_parquet(FILE, compression="zstd", compression_level=19, index=False)
    click.echo(f"{len(unit)} units of {len(table)} texts: {FILE}, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
