"""Train the model that ships in models/default from all licence-clean labelled data.

Run: python scripts/train_default.py --accurate build/accurate --out models/default/8
The accurate tier is made by scripts/train_accurate.py, the soft labels by scripts/soft_labels.py; this
fits the fast tier on both kinds of labels, how each tier decides, and the cascade. Deterministic: the same
data and lock file give the same bytes.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import accurate_tier
import click
import numpy as np
import pandas as pd
import soft_labels
import student
import unknown_sources
from cascade_band import choose_band
from training_data import SOURCES, training_data

from classifier import accurate, card, classify, evaluate, labelled, models, teach, train
from classifier.models import AccurateFiles
from classifier.report.manifest import versions
from classifier.transformer import Transformer

GOLD = (
    ("dev", "Real texts of the sources above, held out"),
    ("dev_written", "Written texts, held out"),
    ("dev_unseen", "Real texts of sources that training never saw"),
)

LIMITS = (
    "English only; texts in other languages get no label and go to review.",
    "Sources that training never saw are harder: expect the last table, not the first.",
    "Expectation gaps are the hardest label: many rest on knowledge that isn't in the words.",
    "Evidence is a sentence; an argument that runs over several sentences is shown by its strongest one.",
    "The annotators of training and gold data are of one family, so agreement flatters.",
)


TIERS = ("fast", "cascade", "accurate")


@click.command()
@click.option(
    "--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data", show_default=True
)
@click.option(
    "--accurate",
    "folder",
    type=click.Path(path_type=Path, exists=True),
    default="models/default/8/accurate",
    show_default=True,
    help="Folder of the accurate tier.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="NAME/VERSION")
@click.option("--measure/--no-measure", default=True, help="Measure on the gold sets for the card.")
def main(data_root: Path, folder: Path, out: Path, measure: bool) -> None:
    """Train, save, load again, measure, and write the card."""
    began = time.monotonic()
    models.require_free(out)
    documents = train.canonical(training_data(data_root))
    soft = soft_labels.read(data_root)
    unknown = unknown_sources.read(documents)
    learnt = student.fit(documents, soft)
    click.echo(f"fast tier fitted after {time.monotonic() - began:.0f} s")
    elsewhere = unknown_sources.stacked(unknown, documents, learnt)
    fitted = accurate_tier.fit(Transformer.load(folder), documents, student.SETTINGS, learnt, elsewhere)
    click.echo(f"accurate tier decides after {time.monotonic() - began:.0f} s")
    real = soft_labels.real(data_root, documents["text"].tolist())
    usual = accurate.distances(classify.score_texts(learnt.model, real).probability, learnt.model.heads)
    band = choose_band(accurate_tier.judged(fitted, learnt, documents, elsewhere), usual)
    files = AccurateFiles(folder, fitted.heads, band)
    about = {
        "documents": len(documents),
        "documents_by_source": {
            key: int(value) for key, value in sorted(documents["source"].value_counts().items())
        },
        "soft_labels": {"documents": len(soft.texts), "units": len(soft.unit)},
        "settings": asdict(student.SETTINGS),
        "versions": versions(("numpy", "scikit-learn", "scipy", "onnxruntime")),
    }
    name, version = out.parent.name, out.name
    model_id = models.save(
        out,
        learnt.model,
        name=name,
        version=version,
        languages=("en",),
        about=about,
        card="",
        accurate_files=files,
    )
    figures = [*_validation(documents, fitted, learnt), *(_gold(data_root, out) if measure else ())]
    text = card.render(
        name=name,
        version=version,
        training=documents,
        sources=SOURCES,
        figures=figures,
        limits=LIMITS,
        command="python scripts/train_default.py",
    )
    (out / models.CARD).write_text(text, encoding="utf-8")
    (out.parent / models.CURRENT).write_text(f"{version}\n", encoding="utf-8")
    click.echo(f"{model_id} in {out}, {time.monotonic() - began:.0f} s")


def _validation(
    documents: pd.DataFrame, fitted: accurate_tier.Fitted, learnt: student.Student
) -> list[card.Figures]:
    """Return the figures of both tiers on the documents that neither was fitted on."""
    held = documents.iloc[fitted.rows].reset_index(drop=True)
    found = []
    for tier, probability, decision in (
        ("accurate", fitted.probability, fitted.decision),
        ("fast", learnt.probability, learnt.decision),
    ):
        rows = len(held)
        predictions = evaluate.Predictions(
            probabilities=probability,
            decisions=decision,
            spans=[{} for _ in range(rows)],
            expectation_source=[""] * rows,
            review=np.zeros(rows, dtype=bool),
        )
        measured = evaluate.evaluate(held, predictions, groups=train.groups_of(held))
        title = f"Validation, {tier}: documents kept out of training, cross-fitted"
        found.append(card.Figures(title, measured.as_dict(), tells_sources=False))
        click.echo(f"validation, {tier}: {_macro(measured.as_dict())}")
    return found


def _gold(data_root: Path, out: Path) -> list[card.Figures]:
    """Return the figures of every tier on every gold set."""
    found = []
    model = models.load(out)
    for name, title in GOLD:
        gold = labelled.read_labelled([data_root / "gold" / f"{name}.jsonl"])
        for tier in TIERS:
            predictions = teach.Contender(model, tier).predictions(gold["text"])
            measured = evaluate.evaluate(gold, predictions).as_dict()
            found.append(card.Figures(f"{title}, {tier} (gold/{name})", measured))
            click.echo(f"gold/{name}, {tier}: {_macro(measured)}")
    return found


def _macro(measured: Mapping[str, Any]) -> str:
    labels = " ".join(f"{one['f1']['value']:.3f}" for one in measured["labels"].values())
    return f"macro-F1 {measured['macro_f1']['value']:.3f} ({labels})"


if __name__ == "__main__":
    main()
