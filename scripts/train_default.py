"""Train the model that ships in models/default from all licence-clean labelled data.

Run: python scripts/train_default.py --data-root ../shared/data --out models/default/1
Deterministic: the same data and lock file give the same bytes.
"""

import json
import time
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import pandas as pd

from classifier import card, evaluate, labelled, models, splits, teach, train
from classifier.labels import LABELS
from classifier.report.manifest import versions

PROJECT = Path(__file__).resolve().parent.parent

SOURCES = (
    card.Source("sumo_firefox_questions", "CC BY-SA 3.0", "support.mozilla.org, Firefox questions"),
    card.Source("sumo_thunderbird_questions", "CC BY-SA 3.0", "support.mozilla.org, Thunderbird questions"),
    card.Source("minibar_health_apps", "MIT", "Mini-BAR, reviews of health apps"),
    card.Source("cfpb_sample", "public domain (US)", "CFPB, consumer complaint narratives"),
    card.Source("endava_it_tickets", "MIT", "Endava, IT tickets"),
    card.Source("banking77", "CC BY 4.0", "Banking77, questions to a bank"),
    card.Source("clinc150", "CC BY 3.0", "CLINC150, requests to an assistant"),
    card.Source("bitext_support", "CDLA-Sharing 1.0", "Bitext, customer support"),
    card.Source("sales_note", "Apache-2.0", "*written*: sales notes"),
    card.Source("support_written", "Apache-2.0", "*written*: tickets, chats, reviews, posts"),
)

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


def training_data(data_root: Path) -> pd.DataFrame:
    """Return all labelled documents, without those that are near-duplicates of a gold text."""
    paths = [
        *sorted((data_root / "train").glob("*.jsonl")),
        *sorted((PROJECT / "data/training").glob("written_*.jsonl")),
    ]
    frames = [labelled.read_labelled([path]) for path in paths]
    annotated = sorted((PROJECT / "data/training").glob("annotations_*.jsonl"))
    frames += [_annotated(path, data_root) for path in annotated]
    documents = pd.concat(frames, ignore_index=True)
    documents = documents[~documents["id"].duplicated()].reset_index(drop=True)
    gold = [labelled.read_labelled([path])["text"] for path in sorted((data_root / "gold").glob("*.jsonl"))]
    groups = splits.near_duplicate_groups(pd.concat([documents["text"], *gold]).tolist())
    leaks = np.isin(groups[: len(documents)], groups[len(documents) :])
    click.echo(
        f"{len(documents)} labelled documents; left out as near-duplicates of gold: {int(leaks.sum())}"
    )
    return documents[~leaks].reset_index(drop=True)


def _annotated(path: Path, data_root: Path) -> pd.DataFrame:
    """Join annotations (labels and offsets, keyed by source, id and hash) with the public texts."""
    import hashlib

    texts: dict[str, dict[str, str]] = {}
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        source = row["source"]
        if source not in texts:
            file = next(
                found
                for found in (data_root / part / f"{source}.parquet" for part in ("corpora", "public"))
                if found.is_file()
            )
            table = pd.read_parquet(file, columns=["id", "text"])
            texts[source] = dict(zip(table["id"].astype(str), table["text"].str.strip(), strict=True))
        text = texts[source].get(row["id"], "")
        if hashlib.sha256(text.encode()).hexdigest()[:16] != row["sha256"]:
            raise click.ClickException(
                f"{path}: {source} {row['id']} has another text than the one that was labelled"
            )
        evidence = {label: text[start:end] for label, (start, end) in row["evidence"].items()}
        rows.append(
            {
                "id": f"{source}:{row['id']}",
                "text": text,
                **{label: label in row["labels"] for label in LABELS},
                "evidence": json.dumps(evidence, ensure_ascii=False),
                "expectation_source": row["expectation_source"] or "",
                "group": "",
                "source": source,
                "channel": "",
            }
        )
    return pd.DataFrame(rows)


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
