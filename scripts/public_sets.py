"""The public sets that a model is measured on without having learnt from them, and what others reached.

In: the folder of public data. Out: Tasks: texts, truth, published figures. Only reads; nothing here may
ever be trained on, but for the sets whose protocol is to train on a part of them (`PROTOCOL` says so).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.labels import PAIN, REQUEST

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Published:
    """A figure of others for the same set; None where there is none."""

    f1: float | None
    of: str


@dataclass(frozen=True)
class Task:
    """One yes/no question of a set, put to one of our labels.

    `groups` name what texts depend on each other, such as their app; "" is a group of its own.
    """

    key: str
    test: str
    title: str
    label: str
    texts: tuple[str, ...]
    truth: Flags
    groups: tuple[str, ...]
    published: Published


_DEVINE: Final = "DistilBERT trained on the other sets of its kind, Devine et al. 2022"
_APPS: Final = (
    # key, part of the title, published F1 of bugs and of features
    ("maalej", "app reviews, Maalej et al. 2016", 0.422, 0.281),
    ("scalabrino_rq1", "app reviews, Scalabrino et al. 2017, RQ1", 0.781, 0.527),
    ("scalabrino_rq3", "app reviews, Scalabrino et al. 2017, RQ3", 0.792, 0.445),
    ("tizard", "VLC and Firefox forum, Tizard et al. 2019", 0.344, 0.148),
)

MEANS: Final = {
    "T1": (
        "mean of Maalej and Scalabrino RQ1, RQ3: bugs",
        0.665,
        ("maalej", "scalabrino_rq1", "scalabrino_rq3"),
    ),
    "T2": ("the same: features", 0.418, ("maalej", "scalabrino_rq1", "scalabrino_rq3")),
}
"""Test -> title, published mean, the sets."""

WIDER: Final = ("BUG", "PERFORMANCE", "ENERGY", "SECURITY", "USABILITY")
"""What of Scalabrino's classes is a pain point by our guidelines: slow and battery-draining hurt, too."""


def transfer_tasks(data_root: Path) -> list[Task]:
    """Return all tasks that a model is put to as it is."""
    tasks = []
    for key, title, bug, feature in _APPS:
        table = _APP_SETS[key](data_root / "public")
        for test, label, column, figure in (("T1", PAIN, "bug", bug), ("T2", REQUEST, "feature", feature)):
            published = Published(figure, _DEVINE)
            name = f"{column}s: {title}"
            tasks.append(_task(f"{key}_{column}", test, name, label, table, column, published))
        if "wider" in table:
            published = Published(None, "not published")
            name = f"any trouble: {title}"
            tasks.append(_task(f"{key}_wider", "T1", name, PAIN, table, "wider", published))
    return [*tasks, *_suggestions(data_root / "public")]


def _task(
    key: str, test: str, title: str, label: str, table: pd.DataFrame, column: str, published: Published
) -> Task:
    return Task(
        key,
        test,
        title,
        label,
        tuple(table["text"]),
        table[column].to_numpy(dtype=bool),
        tuple(table["group"]),
        published,
    )


def _maalej(folder: Path) -> pd.DataFrame:
    """One row per review: reviews with several of the four labels stand once in this file."""
    table = pd.read_parquet(folder / "maalej2016_wide.parquet")
    return pd.DataFrame(
        {"text": table["text"], "bug": table["Bug"] == 1, "feature": table["Feature"] == 1, "group": ""}
    )


def _scalabrino(part: str) -> Callable[[Path], pd.DataFrame]:
    def read(folder: Path) -> pd.DataFrame:
        table = pd.read_parquet(folder / "scalabrino2017_clap.parquet")
        table = table[table["part"] == part]
        return pd.DataFrame(
            {
                "text": table["text"],
                "bug": table["label"] == "BUG",
                "feature": table["label"] == "FEATURE",
                "wider": table["label"].isin(WIDER),
                "group": table["app"].fillna(""),
            }
        )

    return read


def _tizard(folder: Path) -> pd.DataFrame:
    table = pd.read_parquet(folder / "tizard2019_vlc_forum.parquet")
    label = table["label"].str.strip().str.casefold()
    return pd.DataFrame(
        {
            "text": table["text"],
            "bug": label == "apparent bug",
            "feature": label == "feature request",
            "group": "",
        }
    )


_APP_SETS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    "maalej": _maalej,
    "scalabrino_rq1": _scalabrino("RQ1"),
    "scalabrino_rq3": _scalabrino("RQ3"),
    "tizard": _tizard,
}


def _suggestions(folder: Path) -> list[Task]:
    table = pd.read_parquet(folder / "semeval2019t9_suggestions.parquet")
    tasks = []
    for part, place, published in (
        ("A", "developer forum", Published(0.7812, "OleNet, trained on 8,380 sentences of the same forum")),
        ("B", "hotel reviews", Published(0.858, "NTUA-ISLab, rules, no hotel labels")),
    ):
        rows = table[table["split"] == f"{part}_test"].assign(group="")
        rows = rows.assign(suggestion=rows["label"] == "suggestion")
        title = f"suggestions: {place}, SemEval-2019 task 9 {part}"
        key = f"semeval_{part.lower()}"
        tasks.append(_task(key, "T4", title, REQUEST, rows, "suggestion", published))
    return tasks


@dataclass(frozen=True)
class MiniBar:
    """English reviews of three apps with two labels of Mini-BAR's own, for leave-one-app-out."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    apps: npt.NDArray[np.str_]
    truth: dict[str, Flags]


MINIBAR_PUBLISHED: Final = {
    "problem_report": Published(None, "not published; TF-IDF + logistic regression, same protocol: .850"),
    "feature_request": Published(None, "not published; TF-IDF + logistic regression, same protocol: .687"),
}


def minibar(data_root: Path) -> MiniBar:
    """Return Mini-BAR's English reviews."""
    table = pd.read_parquet(data_root / "public" / "minibar_health_apps.parquet")
    table = table[table["lang"] == "en"]
    return MiniBar(
        tuple(table["id"].astype(str)),
        tuple(table["text"]),
        table["app"].to_numpy(dtype=str),
        {name: table[name].to_numpy() == 1 for name in MINIBAR_PUBLISHED},
    )


@dataclass(frozen=True)
class Issues:
    """Issue reports of five repositories: bug, feature or question, with the official split."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    repositories: npt.NDArray[np.str_]
    labels: npt.NDArray[np.str_]
    train: Flags


NLBSE_PUBLISHED: Final = Published(
    0.827, "SetFit, the organisers' baseline; TF-IDF + logistic regression: .762"
)


def nlbse(data_root: Path) -> Issues:
    """Return the issues of the NLBSE'24 tool competition."""
    table = pd.read_parquet(data_root / "public" / "nlbse2024_issues.parquet")
    title, body = table["title"].fillna(""), table["body"].fillna("")
    return Issues(
        tuple(table["id"].astype(str)),
        tuple(title + "\n" + body),
        table["repo"].to_numpy(dtype=str),
        table["label"].to_numpy(dtype=str),
        table["split"].to_numpy() == "train",
    )


def texts_of(tasks: Sequence[Task]) -> list[str]:
    """Return the texts of all tasks, one after the other."""
    return [text for task in tasks for text in task.texts]
