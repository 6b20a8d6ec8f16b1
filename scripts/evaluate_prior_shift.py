"""Measure what `--prior-shift` does, on sets whose labels are more or less common than in training.

In: the folder of public data, a model. Out: the part `prior_shift` of docs/quality/results.json and what the
page shows of it. Each set stands for one source of a run; near-duplicates of training texts are left out.

Run: python scripts/evaluate_prior_shift.py --data-root ../shared/data --tier cascade
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
import public_sets
import quality_page
from training_data import training_data

from classifier import labelled, metrics, models, priors, splits, teach
from classifier.labels import LABELS
from classifier.options import TIERS

RESAMPLES: Final = 2000
GOLD: Final = ("dev", "dev_written", "dev_unseen")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """A set of texts, and the truth of some labels, each of shape (n,)."""

    name: str
    texts: pd.Series
    truth: dict[str, Flags]
    groups: splits.Codes


def cases(data_root: Path) -> Iterator[Case]:
    """Yield the gold sets, then the public ones, one for each list of texts."""
    for name in GOLD:
        table = labelled.read_labelled([data_root / "gold" / f"{name}.jsonl"])
        groups = splits.merge_groups(
            splits.group_codes(table["group"]), splits.near_duplicate_groups(table["text"])
        )
        yield Case(name, table["text"], {one: table[one].to_numpy(dtype=bool) for one in LABELS}, groups)
    training = training_data(data_root)["text"].tolist()
    by_texts: dict[tuple[str, ...], list[public_sets.Task]] = {}
    for task in public_sets.transfer_tasks(data_root):
        if "wider" not in task.key:
            by_texts.setdefault(task.texts, []).append(task)
    for texts, tasks in by_texts.items():
        alike = splits.near_duplicate_groups([*training, *texts])
        own = alike[len(training) :]
        rows = np.flatnonzero(~np.isin(own, alike[: len(training)]))
        yield Case(
            tasks[0].title.split(": ", 1)[1],
            pd.Series([texts[row] for row in rows]),
            {task.label: task.truth[rows] for task in tasks},
            splits.merge_groups(splits.group_codes(tasks[0].groups), own)[rows],
        )


def measured(case: Case, model: models.LoadedModel, resamples: int, seed: int) -> list[dict[str, Any]]:
    """Return a row per label: shares, and F1 as it is, with the shift, and the difference."""
    tier = model.tier
    before = teach.Contender(model, tier).predictions(case.texts)
    census = priors.Census(len(LABELS))
    census.add([case.name] * len(case.texts), np.asarray(before.probabilities))
    found = census.shifts(model.priors).get(case.name)
    if found is None:
        return []
    after = teach.Contender(model.shifted(found.logit), tier).predictions(case.texts)
    drawn = metrics.resample(case.groups, resamples, seed)
    rows = []
    for label, truth in case.truth.items():
        place = LABELS.index(label)
        draws = [
            metrics.rates(truth[:, None], np.asarray(one.decisions)[:, [place]], drawn).f1[:, 0]
            for one in (before, after)
        ]
        rows.append(
            {
                "set": case.name,
                "label": label,
                "documents": len(truth),
                "share": float(truth.mean()),
                "trained": model.priors[place],
                "estimated": found.share[place],
                "before": _estimate(draws[0]),
                "after": _estimate(draws[1]),
                "gain": _estimate(draws[1] - draws[0]),
            }
        )
    return rows


def _estimate(draws: npt.NDArray[np.float64]) -> dict[str, float]:
    estimate = metrics.interval(draws)
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--model", "name", default="default", show_default=True, help="Name or folder of the model.")
@click.option("--tier", type=click.Choice(TIERS), default="cascade", show_default=True)
@click.option("--resamples", type=click.IntRange(1), default=RESAMPLES, show_default=True)
def main(data_root: Path, name: str, tier: str, resamples: int) -> None:
    """Measure a tier with and without the shift, and renew its figures in docs/quality.md."""
    model = models.choose_tier(models.load(models.find(name, places=models.folders())), tier)
    say: Callable[[str], None] = click.echo
    rows = []
    for seed, case in enumerate(cases(data_root)):
        for row in measured(case, model, resamples, seed):
            rows.append(row)
            say(
                f"{row['set']}, {row['label']}: share {row['share']:.3f}, trained {row['trained']:.3f}, "
                f"estimated {row['estimated']:.3f}; F1 {row['before']['value']:.3f} to "
                f"{row['after']['value']:.3f} [{row['gain']['low']:+.3f}, {row['gain']['high']:+.3f}]"
            )
    for path in quality_page.record("prior_shift", {tier: {"model_id": model.model_id, "rows": rows}}):
        say(f"wrote {path}")


if __name__ == "__main__":
    main()
