"""The counts of data/README.md, made of the files they are about: `make docs` renews them.

In: data/training, data/sources.toml. Out: the tables between the page's markers. Never reads a text of
others: annotations hold none.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import companies
import numpy as np
from page_tables import markdown_table
from sklearn.metrics import cohen_kappa_score
from training_data import themed

from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS, TITLES

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "data" / "README.md"
TRAINING: Final = ROOT / "data" / "training"
SOURCES: Final = ROOT / "data" / "sources.toml"

KINDS: Final = ("written", "annotations", "readings")
"""What the name of a file in data/training begins with."""

LEAST: Final = 30
"""Fewer texts than this, read twice, give no kappa worth a line of its own."""

_MARKED: Final = re.compile(r"(<!-- counts: (\S+) -->\n).*?(<!-- /counts -->)", flags=re.DOTALL)

Row = dict[str, Any]


def rows(kind: str, folder: Path = TRAINING) -> dict[str, list[Row]]:
    """Return file name -> rows of all files of a kind."""
    return {
        path.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(folder.glob(f"{kind}_*.jsonl"))
    }


def _counts(found: Sequence[Row]) -> list[str]:
    labels = Counter(label for row in found for label in row["labels"])
    none = sum(not row["labels"] for row in found)
    return [f"{len(found):,}", *(f"{labels[label]:,}" for label in LABELS), f"{none:,}"]


_HEAD: Final = ("documents", *(TITLES[label] for label in LABELS), "none")


def _files() -> str:
    found = {**rows("written"), **rows("annotations"), **_about_companies()}
    everything = [row for part in found.values() for row in part]
    body = [[f"`{name}`", *_counts(part)] for name, part in found.items()]
    return markdown_table(["file", *_HEAD], [*body, ["**all**", *_counts(everything)]])


def _about_companies() -> dict[str, list[Row]]:
    """Return file name -> what models learn from, or are calibrated on, of the companies with themes."""
    documents = themed()
    table = documents.assign(
        labels=[[name for name in LABELS if row[name]] for row in documents.to_dict("records")]
    )
    further = documents["id"].str.contains(companies.TEXT)
    return {
        path.name: table.loc[own, ["labels"]].to_dict("records")
        for path, own in ((companies.THEMES, ~further), (companies.TEXTS, further))
    }


def _by(kind: str, *columns: str) -> Callable[[], str]:
    def section() -> str:
        found = [row for part in rows(kind).values() for row in part]
        blocks = []
        for column in columns:
            names = [row.get(column, row["source"]) for row in found]
            body = [
                [name, *_counts([row for row, own in zip(found, names, strict=True) if own == name])]
                for name in sorted(set(names))
            ]
            blocks.append(markdown_table([column, *_HEAD], body))
        return "\n".join(blocks)

    return section


def _expectation_sources() -> str:
    body = []
    for name in EXPECTATION_SOURCES:
        cells = [
            sum((row["expectation_source"] or "") == name for part in rows(kind).values() for row in part)
            for kind in ("written", "annotations")
        ]
        body.append([name, *(f"{count:,}" for count in cells)])
    return markdown_table(["expectation source", "written", "annotated public texts"], body)


def _read_twice() -> str:
    annotated, written = (
        [row for part in rows(kind).values() for row in part] for kind in ("annotations", "written")
    )
    again = {(row["source"], row["id"]) for part in rows("readings").values() for row in part}
    twice = Counter(row["source"] for row in annotated if row["annotators"] > 1)
    # Of a written text, its writer's label is the first reading.
    twice += Counter(row["source"] for row in written if (row["source"], row["id"]) in again)
    total = Counter(row["source"] for row in [*annotated, *written])
    body = [[name, f"{twice[name]:,}", f"{count:,}"] for name, count in sorted(total.items())]
    body.append(["**all**", f"{sum(twice.values()):,}", f"{sum(total.values()):,}"])
    return markdown_table(["source", "read twice", "labelled"], body)


def kappas(readings: Sequence[Row]) -> list[list[str]]:
    """Return per source, and for all together, how far two readers agree: texts and Cohen's kappa per label.

    Parameters
    ----------
    readings
        One per text: `source`, `first` and `second`, each the list of labels that one reader gave.
    """
    sources = sorted({row["source"] for row in readings})
    parts = {name: [row for row in readings if row["source"] == name] for name in sources}
    shown = {name: part for name, part in parts.items() if len(part) >= LEAST}
    return [
        [name, f"{len(part):,}", *(_kappa(part, label) for label in LABELS)]
        for name, part in {**shown, "**all**": list(readings)}.items()
    ]


def _kappa(readings: Sequence[Row], label: str) -> str:
    first, second = (np.array([label in row[reader] for row in readings]) for reader in ("first", "second"))
    # Two readers who never, or always, give a label agree by no more than chance would.
    if first.all() or second.all() or not first.any() or not second.any():
        return "–"
    return f"{cohen_kappa_score(first, second):.2f}"


def _kappa_table() -> str:
    readings = [row for part in rows("readings").values() for row in part]
    if not readings:
        return "No file of individual readings (`readings_*.jsonl`) is kept yet.\n"
    return markdown_table(["source", "texts", *(TITLES[label] for label in LABELS)], kappas(readings))


def _public() -> str:
    body = []
    for name, source in tomllib.loads(SOURCES.read_text(encoding="utf-8"))["source"].items():
        way = "home, by script" if source.get("remote") else "mirror only"
        cells = [f"[{name}]({source['home']})", source["licence"], f"{source['rows']:,}", way, source["use"]]
        body.append(cells)
    head = ["source", "licence", "texts", "fetched from", "used for"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *body]) + "\n"


def _gaps() -> str:
    found = [row for kind in ("written", "annotations") for part in rows(kind).values() for row in part]
    gaps = [row for row in found if GAP in row["labels"]]
    share = sum(row["expectation_source"] in ("before", "told") for row in gaps) / len(gaps)
    return f"{share:.0%} of the expectation gaps are `before` or `told`.\n"


SECTIONS: Final[dict[str, Callable[[], str]]] = {
    "files": _files,
    "written": _by("written", "source", "channel"),
    "annotated": _by("annotations", "source"),
    "expectation-sources": _expectation_sources,
    "read-twice": _read_twice,
    "kappa": _kappa_table,
    "public": _public,
    "gaps": _gaps,
}
"""What a marker of the page may name."""


def rendered(page: str) -> str:
    """Return the page with its counts renewed.

    Raises
    ------
    KeyError
        If a marker names no section.
    """
    return _MARKED.sub(lambda found: f"{found[1]}{SECTIONS[found[2]]()}{found[3]}", page)


def renew() -> None:
    """Renew data/README.md."""
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    renew()
