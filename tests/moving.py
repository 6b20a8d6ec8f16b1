"""Inputs, and runs of `score` cut into small parts, that the tests of engines and journal share."""

import csv
from functools import cache
from pathlib import Path
from typing import Any

from classifier import run
from classifier.engines import Engine
from classifier.models import LoadedModel
from classifier.options import choose
from classifier.run import Outcome, Watching

MODELS = Path(__file__).parents[1] / "models"
PART_ROWS = 8


@cache
def model() -> LoadedModel:
    return run.load_model("default", folder=str(MODELS))


def write(path: Path, name: str, rows: int) -> Path:
    """Write a CSV file of tickets, a bad row and a duplicate among them."""
    said = ("The export of {} crashes every time.", "Please add dark mode to {}.", "Thanks for {}, all fine.")
    with (path / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "created_at", "account", "subject", "text", "tag"])
        for row in range(rows):
            when = f"2026-01-{row % 28 + 1:02d}"
            text = said[row % 3].format(f"report {row} of {name}")
            writer.writerow([row, when, f"Customer {row % 5}", f"Ticket {row}", text, f"t{row % 2}"])
        writer.writerow(
            [0, "2026-01-01", "Customer 0", "Ticket 0", said[0].format(f"report 0 of {name}"), "t0"]
        )
        writer.writerow(["too", "short"])
    return path / name


def inputs(folder: Path) -> list[str]:
    """Write two inputs that have ids in common, for other texts."""
    return [str(write(folder, "first.csv", 40)), str(write(folder, "second.csv", 21))]


def score(
    names: list[str], out: Path, *, resume: bool = False, keep: tuple[str, ...] = ("tag",), **engine: Any
) -> Outcome:
    """Score with small parts, one after the other; `engine` are fields of Engine."""
    chosen_engine = Engine(**{"part_rows": PART_ROWS, "workers": 1, **engine})
    watching = Watching(progress=False, engine=chosen_engine, resume=resume)
    return run.score(names, str(out), model=model(), chosen=choose({"keep": keep}), watching=watching)
