"""Train the model that ships in models/default from all licence-clean labelled data.

Run: python scripts/train_default.py --data-root ../shared/data --out models/default/1
Deterministic: the same data and lock file give the same bytes.
"""

import time
from dataclasses import asdict
from pathlib import Path

import click
from training_data import SOURCES, training_data

from classifier import card, evaluate, labelled, models, teach, train
from classifier.report.manifest import versions

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


@click.command()
@click.option(
    "--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), default="models/default/1", show_default=True)
@click.option("--measure/--no-measure", default=True, help="Measure on the gold sets for the card.")
def main(data_root: Path, out: Path, measure: bool) -> None:
    """Train, save, load again, measure, and write the card."""
    began = time.monotonic()
    documents = training_data(data_root)
    settings = train.TrainingSettings()
    trained = train.fit(documents, settings)
    click.echo(f"fitted in {time.monotonic() - began:.0f} s")
    rounded = models.rounded(trained.model)
    title = "Validation: cross-validated on the training data, grouped by near-duplicates"
    figures = [card.Figures(title, teach.validation(documents, trained).as_dict(), tells_sources=False)]
    for name, title in GOLD if measure else ():
        gold = labelled.read_labelled([data_root / "gold" / f"{name}.jsonl"])
        found = evaluate.evaluate(gold, teach.predictions_of(rounded, gold["text"]))
        figures.append(card.Figures(f"{title} (gold/{name})", found.as_dict()))
        click.echo(f"gold/{name}: macro-F1 {found.as_dict()['macro_f1']['value']:.3f}")
    name, version = out.parent.name, out.name
    about = {
        "documents": len(documents),
        "documents_by_source": {
            key: int(value) for key, value in sorted(documents["source"].value_counts().items())
        },
        "settings": asdict(settings),
        "versions": versions(("numpy", "scikit-learn", "scipy")),
    }
    text = card.render(
        name=name,
        version=version,
        training=documents,
        sources=SOURCES,
        figures=figures,
        limits=LIMITS,
        command="python scripts/train_default.py",
    )
    model_id = models.save(
        out, trained.model, name=name, version=version, languages=("en",), about=about, card=text
    )
    (out.parent / models.CURRENT).write_text(f"{version}\n", encoding="utf-8")
    click.echo(f"{model_id} in {out}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
