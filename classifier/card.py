"""The model's card: what it learnt from, how good it is, where it fails.

In: counts and figures. Out: Markdown. Never measures anything itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from classifier.labels import LABELS, TITLES

BY_MODELS: Final = (
    "Labels were given by language models that read each text by the annotation guidelines; sources "
    "marked *written* are texts that language models wrote for this project about invented companies."
)


@dataclass(frozen=True)
class Source:
    """A source of training data: its name in the tables, its licence, what it is."""

    name: str
    licence: str
    title: str


@dataclass(frozen=True)
class Figures:
    """Quality on one set of documents that the model wasn't fitted on: `Evaluation.as_dict()`."""

    title: str
    evaluation: Mapping[str, Any]
    tells_sources: bool = True


def render(
    *,
    name: str,
    version: str,
    training: pd.DataFrame,
    sources: Sequence[Source],
    figures: Sequence[Figures],
    limits: Sequence[str],
    command: str,
    provenance: str = BY_MODELS,
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    name, version
        Of the model.
    training
        Table LABELLED, all documents that it was fitted on.
    sources
        One for each value of `training.source`.
    figures
        Sets that it was measured on, in order.
    limits
        Sentences.
    command
        Makes the same model again.
    provenance
        Who wrote and labelled the documents.
    """
    parts = [
        f"# Model card: {name} {version}",
        "Finds pain points, feature requests and expectation gaps in English customer feedback: support "
        "tickets, chats, reviews, forum posts, sales notes. A document may have any of the three or none.",
        f"Made by `{command}`; this page is written by the same run.",
        "## What it learnt from",
        _data_table(training, sources),
        provenance,
        "## How good it is",
        "Shares in per cent with 95 % intervals (bootstrap over groups of near-duplicates). F1 weighs "
        "precision and recall alike; average precision judges the ranking alone; calibration error is how "
        "far probabilities are off, on average.",
        *(_figures(one) for one in figures),
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def _data_table(training: pd.DataFrame, sources: Sequence[Source]) -> str:
    header = ["source", "licence", "documents", *(TITLES[label] for label in LABELS), "none"]
    rows = []
    for source in sources:
        part = training[training["source"] == source.name]
        if len(part):
            rows.append([source.title, source.licence, *_counts(part)])
    rows.append(["**all**", "", *_counts(training)])
    return _table(header, rows)


def _counts(part: pd.DataFrame) -> list[str]:
    labels = part[list(LABELS)]
    return [
        f"{len(part):,}",
        *(f"{int(labels[label].sum()):,}" for label in LABELS),
        f"{int((~labels.any(axis=1)).sum()):,}",
    ]


def _figures(figures: Figures) -> str:
    evaluation = figures.evaluation
    header = ["", "precision", "recall", "F1", "average precision", "calibration error", "documents with it"]
    rows = []
    for label in LABELS:
        one = evaluation["labels"][label]
        rows.append(
            [
                TITLES[label],
                *(
                    _share(one[key])
                    for key in ("precision", "recall", "f1", "average_precision", "debiased_ece")
                ),
                f"{one['positives']:,}",
            ]
        )
    macro = _share(evaluation["macro_f1"])
    text = f"### {figures.title}\n\n{evaluation['documents']:,} documents, macro-F1 {macro}."
    accuracy = evaluation["expectation_source"]["accuracy"]
    if figures.tells_sources and accuracy["value"] is not None:
        text += f" Expectation source right on {_share(accuracy)} of the gaps that were found."
    return f"{text}\n\n{_table(header, rows)}"


def _share(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return "–"
    return f"{100 * value['value']:.0f} ({100 * value['low']:.0f}–{100 * value['high']:.0f})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    lines = [header, ["---"] * len(header), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
