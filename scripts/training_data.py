"""The labelled data that the shipped model learns from.

In: the folder of public data and this project's texts. Out: the table LABELLED, without any text that
is a near-duplicate of a gold one. Shared by the scripts that train.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import click
import companies
import numpy as np
import pandas as pd

from classifier import card, labelled, schema, splits, train
from classifier.labels import LABELS

PROJECT = Path(__file__).resolve().parent.parent
HELD_OUT = PROJECT / "data/training/held_out.txt"
NEAR_GOLD = PROJECT / "data/training/near_gold.txt"
"""Ids of labelled documents that are near-duplicates of gold texts, for those who haven't these."""

THEMED = "themes"
TEXTS = "texts"
"""Stand for the documents of `themed` among the rounds of annotation: those of themes, and the others."""

PICKED = ("close", "disagreed", "likely", "parted", "unsure", THEMED)
"""Rounds whose texts aren't drawn at random: models were unsure of them, parted on them or took them for one
of a rare label; or writers were told to say one matter in ever other words."""

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


def training_data(data_root: Path) -> pd.DataFrame:
    """Return all labelled documents, without those that are near-duplicates of a gold text.

    Parameters
    ----------
    data_root
        The folder of public data.

    Raises
    ------
    ClickException
        If a public text is missing or changed, or NEAR_GOLD lacks one of those documents.
    """
    folder = PROJECT / "data/training"
    frames = [
        *(labelled.read_labelled([path]) for path in sorted(folder.glob("written_*.jsonl"))),
        *(annotated(path, data_root) for path in sorted(folder.glob("annotations_*.jsonl"))),
        themed(),
    ]
    documents = pd.concat(frames, ignore_index=True)
    documents = documents[~documents["id"].duplicated()].reset_index(drop=True)
    near = documents["id"].isin(NEAR_GOLD.read_text(encoding="utf-8").splitlines())
    click.echo(f"{len(documents)} labelled documents; left out as near-duplicates of gold: {int(near.sum())}")
    documents = documents[~near].reset_index(drop=True)
    if leaks := near_duplicates(documents, gold_texts(data_root)):
        raise click.ClickException(
            f"near-duplicates of gold texts that {NEAR_GOLD} doesn't name: {', '.join(leaks)}; add them"
        )
    return documents


def themed(*, held_out: bool = False) -> pd.DataFrame:
    """Return what is written about the companies with themes, as table LABELLED.

    Of those that nobody learns from with `held_out`, else of the others. Where HELD_OUT names documents of a
    company, these are all of it.
    """
    every = companies.companies(companies.THEMES)
    named = frozenset(HELD_OUT.read_text(encoding="utf-8").splitlines())
    found = []
    for one in every:
        if one["held_out"] == held_out:
            rows = [*companies.labelled(one), *companies.further(one["company"])]
            found += [row for row in rows if row["id"] in named] or rows
    return pd.DataFrame(
        [
            {
                **row,
                **{label: label in row["labels"] for label in LABELS},
                "evidence": json.dumps(row["evidence"], ensure_ascii=False),
            }
            for row in found
        ],
        columns=list(schema.LABELLED),
    )


def near_duplicates(documents: pd.DataFrame, texts: Sequence[str]) -> list[str]:
    """Return the ids of documents that are near-duplicates of one of the texts."""
    groups = splits.near_duplicate_groups([*documents["text"], *texts])
    leaks = np.isin(groups[: len(documents)], groups[len(documents) :])
    return sorted(documents["id"][leaks])


def gold_texts(data_root: Path) -> list[str]:
    """Return the texts that models are measured on, where they are at hand."""
    paths = sorted((data_root / "gold").glob("*.jsonl"))
    return [text for path in paths for text in labelled.read_labelled([path])["text"]]


def public_file(data_root: Path, source: str) -> Path:
    """Return where the texts of a public source lie.

    Raises
    ------
    ClickException
        If they aren't there.
    """
    paths = [data_root / part / f"{source}.parquet" for part in ("corpora", "public")]
    for path in paths:
        if path.is_file():
            return path
    raise click.ClickException(
        f"{source}: neither {paths[0]} nor {paths[1]} is there; run scripts/fetch_public_data.py"
    )


def held_out(documents: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which documents the accurate tier is calibrated on and never trained on: about one in eight.

    They were drawn once, whole groups, each source and label alike; texts that come later and are
    near-duplicates of one of them belong to them.
    """
    named = documents["id"].isin(HELD_OUT.read_text(encoding="utf-8").splitlines())
    groups = train.groups_of(documents)
    return np.asarray(np.isin(groups, groups[named.to_numpy()]))


def picked(documents: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which documents are of the rounds PICKED."""
    return documents["id"].isin(ids_of(PICKED)).to_numpy()


def ids_of(rounds: Sequence[str]) -> list[str]:
    """Return the ids of the documents of some rounds."""
    written = themed()["id"] if {THEMED, TEXTS} & {*rounds} else pd.Series([], dtype="str")
    others = written.str.contains(companies.TEXT)
    written = written[(others & (TEXTS in rounds)) | (~others & (THEMED in rounds))]
    rows = [
        json.loads(line)
        for name in rounds
        if name not in (THEMED, TEXTS)
        for line in (PROJECT / f"data/training/annotations_{name}.jsonl").read_text("utf-8").splitlines()
    ]
    return [*written, *(f"{row['source']}:{row['id']}" for row in rows)]


def annotated(path: Path, data_root: Path) -> pd.DataFrame:
    """Join annotations (labels and offsets, keyed by source, id and hash) with the public texts.

    `end` of an annotation says how much of a long text was labelled, in code points.

    Raises
    ------
    ClickException
        If a text is missing, or another one than was labelled.
    """
    texts: dict[str, dict[str, str]] = {}
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        source = row["source"]
        if source not in texts:
            table = pd.read_parquet(public_file(data_root, source), columns=["id", "text"])
            texts[source] = dict(zip(table["id"].astype(str), table["text"].str.strip(), strict=True))
        text = texts[source].get(row["id"], "")[: row.get("end")].strip()
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
