"""Measure a tier on the held-out gold and on public sets that it never learnt from: docs/quality.md.

In: the folder of public data, a model. Out: docs/quality/results.json and what the page shows of it.
Texts of these sets never enter training: near-duplicates of training texts are left out here.

Run: python scripts/evaluate_public.py --data-root ../shared/data --model default --tier fast
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import hashed_learner
import numpy as np
import numpy.typing as npt
import pandas as pd
import public_sets
import quality_page
from public_sets import Task
from sklearn.metrics import f1_score, roc_auc_score
from training_data import training_data
from unlearnt_companies import figures as about_companies

from classifier import evaluate, labelled, metrics, models, splits, teach
from classifier.evaluate import Predictions
from classifier.labels import GAP, LABELS
from classifier.options import TIERS

Predictor = Callable[[pd.Series], Predictions]
"""All that this script knows of a tier."""

Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]
Figures = dict[str, Any]

GOLD: Final = ("dev", "dev_written", "dev_unseen")
RESAMPLES: Final = 2000
TRAINED_IN_PART: Final = ("minibar_", "nlbse")
"""Figures of sets that each tier learns a part of."""


# Own gold


def own_gold(predict: Predictor, data_root: Path, resamples: int, plots: Path, name: str) -> Figures:
    """Measure on each gold set and on all three together; write the plots of the latter."""
    tables = {one: labelled.read_labelled([data_root / "gold" / f"{one}.jsonl"]) for one in GOLD}
    pooled = pd.concat([table.assign(id=one + ":" + table["id"]) for one, table in tables.items()])
    pooled = pooled.reset_index(drop=True)
    found = predict(pooled["text"])
    figures: Figures = {}
    gaps = []
    first = 0
    for place, (one, table) in enumerate(tables.items()):
        rows = range(first, first + len(table))
        first += len(table)
        own = found.of_rows(rows)
        figures[one] = _summary(evaluate.evaluate(table, own, n_boot=resamples))
        gaps.append(_gap_draws(table, own, resamples, seed=place))
    everything = evaluate.evaluate(pooled, found, n_boot=resamples)
    figures["pooled"] = _summary(everything)
    figures["gap_mean"] = _estimate(np.mean(gaps, axis=0))
    with tempfile.TemporaryDirectory() as folder:
        evaluate.write(folder, everything)
        for plot in ("reliability", "risk_coverage"):
            (plots / f"{name}-{plot}.png").write_bytes((Path(folder) / f"{plot}.png").read_bytes())
    return figures


def _gap_draws(table: pd.DataFrame, found: Predictions, resamples: int, seed: int) -> Reals:
    """Return the F1 of expectation gaps per resample; the sets are drawn apart from each other."""
    column = LABELS.index(GAP)
    groups = splits.merge_groups(
        splits.group_codes(table["group"]), splits.near_duplicate_groups(table["text"])
    )
    drawn = metrics.resample(groups, resamples, seed)
    truth = table[[GAP]].to_numpy(dtype=bool)
    draws: Reals = metrics.rates(truth, np.asarray(found.decisions)[:, [column]], drawn).f1[:, 0]
    return draws


def _summary(evaluation: evaluate.Evaluation) -> Figures:
    whole = evaluation.as_dict()
    wanted = ("documents", "macro_f1", "evidence", "expectation_source", "review", "selective")
    labels = {
        label: {name: one[name] for name in quality_page.LABEL_FIGURES}
        for label, one in whole["labels"].items()
    }
    return {**{name: whole[name] for name in wanted}, "labels": labels}


# Public sets


@dataclass(frozen=True)
class _Kept:
    """A task without the texts that are near-duplicates of training texts."""

    task: Task
    rows: npt.NDArray[np.int64]
    groups: splits.Codes
    left_out: int


def transfer(predict: Predictor, tasks: Sequence[Task], training: Sequence[str], resamples: int) -> Figures:
    """Put the model, as it is, to each task.

    Returns
    -------
    Key of the task -> figures; key of a mean -> its title, published figure and F1.
    """
    figures: Figures = {}
    draws: dict[str, Reals] = {}
    said: dict[tuple[str, ...], Predictions] = {}
    for place, kept in enumerate(_kept(tasks, training)):
        task = kept.task
        if task.texts not in said:
            said[task.texts] = predict(pd.Series(task.texts))
        found, column = said[task.texts], LABELS.index(task.label)
        decided = np.asarray(found.decisions)[kept.rows, column]
        probabilities = np.asarray(found.probabilities)[kept.rows, column]
        drawn = metrics.resample(kept.groups, resamples, seed=place)
        figures[task.key], draws[task.key] = _binary(task.truth[kept.rows], decided, probabilities, drawn)
        figures[task.key] |= _about(task.test, task.title, task.published) | {"left_out": kept.left_out}
    for test, (title, published, keys) in public_sets.MEANS.items():
        kind = "bug" if test == "T1" else "feature"
        mean = np.mean([draws[f"{key}_{kind}"] for key in keys], axis=0)
        of = public_sets.Published(published, "the mean of the three")
        figures[f"{test}_mean"] = _about(test, title, of) | {"f1": _estimate(mean)}
    return figures


def _kept(tasks: Sequence[Task], training: Sequence[str]) -> Iterator[_Kept]:
    alike = splits.near_duplicate_groups([*training, *public_sets.texts_of(tasks)])
    learnt = np.unique(alike[: len(training)])
    first = len(training)
    for task in tasks:
        own = alike[first : first + len(task.texts)]
        first += len(task.texts)
        rows = np.flatnonzero(~np.isin(own, learnt))
        groups = splits.merge_groups(splits.group_codes(task.groups), own)[rows]
        yield _Kept(task, rows, groups, len(own) - len(rows))


def _binary(
    truth: Flags, decided: Flags, probabilities: Reals | None, drawn: metrics.Resamples
) -> tuple[Figures, Reals]:
    rates = metrics.rates(truth[:, None], decided[:, None], drawn)
    figures: Figures = {
        "documents": len(truth),
        "positives": int(truth.sum()),
        **{
            name: _estimate(values[:, 0])
            for name, values in (("precision", rates.precision), ("recall", rates.recall), ("f1", rates.f1))
        },
        "auc": None if probabilities is None else round(float(roc_auc_score(truth, probabilities)), 4),
    }
    return figures, rates.f1[:, 0]


def _about(test: str, title: str, published: public_sets.Published) -> Figures:
    return {"test": test, "title": title, "published": published.f1, "published_of": published.of}


def _estimate(draws: Reals) -> dict[str, float]:
    estimate = metrics.interval(draws)
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


# Protocols that train on a part of the set


Answers = Mapping[str, pd.DataFrame]
"""Name of a question -> table `id, prediction[, probability]`: what a tier said, each text held out."""


def hashed_answers(reviews: public_sets.MiniBar, issues: public_sets.Issues) -> Answers:
    """Return what a linear model on the fast tier's n-grams says, trained by the protocols."""
    answers = {}
    counts, groups = hashed_learner.hashed(reviews.texts), splits.near_duplicate_groups(reviews.texts)
    for name, truth in reviews.truth.items():
        said, odds = np.zeros(len(truth), dtype=bool), np.zeros(len(truth))
        for app in np.unique(reviews.apps):
            outside = reviews.apps == app
            # A review that stands under another app as well isn't learnt from.
            inside = ~outside & ~np.isin(groups, groups[outside])
            judged = hashed_learner.learn(
                counts[inside | outside],
                truth[inside | outside],
                inside[inside | outside],
                groups[inside | outside],
            )
            said[outside], odds[outside] = judged.logits >= judged.threshold, judged.logits
        answers[f"minibar_{name}"] = pd.DataFrame(
            {"id": reviews.ids, "prediction": said, "probability": 1 / (1 + np.exp(-odds))}
        )
    answers["nlbse"] = pd.DataFrame({"id": issues.ids, "prediction": _issue_classes(issues)})
    return answers


def _issue_classes(issues: public_sets.Issues) -> npt.NDArray[np.str_]:
    """Return the class with the highest log odds, one model per repository, as the competition has it."""
    counts, groups = hashed_learner.hashed(issues.texts), splits.near_duplicate_groups(issues.texts)
    names = np.unique(issues.labels)
    classes = issues.labels.copy()
    for repository in np.unique(issues.repositories):
        own = issues.repositories == repository
        inside = issues.train[own]
        logits = [
            hashed_learner.learn(counts[own], issues.labels[own] == name, inside, groups[own]).logits
            for name in names
        ]
        classes[np.flatnonzero(own)[~inside]] = names[np.argmax(logits, axis=0)]
    return classes


def protocols(
    answers: Answers, reviews: public_sets.MiniBar, issues: public_sets.Issues, resamples: int
) -> Figures:
    """Measure what a tier said of Mini-BAR (each app by a model of the others) and of NLBSE's test issues.

    A question that has no answers isn't measured.
    """
    figures: Figures = {}
    drawn = metrics.resample(splits.near_duplicate_groups(reviews.texts), resamples, seed=0)
    for name, truth in reviews.truth.items():
        if f"minibar_{name}" not in answers:
            continue
        table = _aligned(answers[f"minibar_{name}"], reviews.ids)
        probability = table["probability"].to_numpy(dtype=float) if "probability" in table else None
        decided = table["prediction"].to_numpy(dtype=bool)
        key = f"minibar_{name}"
        figures[key], _ = _binary(truth, decided, probability, drawn)
        title = f"{name.replace('_', ' ')}s: Mini-BAR, each app by a model of the other two"
        figures[key] |= _about("T3", title, public_sets.MINIBAR_PUBLISHED[name])
    if "nlbse" in answers:
        figures["nlbse"] = _issue_figures(_aligned(answers["nlbse"], issues.ids), issues, resamples)
    return figures


def _aligned(table: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    indexed = table.assign(id=table["id"].astype(str)).set_index("id")
    missing = [one for one in ids if one not in indexed.index]
    if missing:
        raise click.ClickException(
            f"--predictions lacks {len(missing)} of {len(ids)} texts, such as id {missing[0]}; "
            "it needs a row for each"
        )
    return indexed.loc[list(ids)]


def _issue_figures(table: pd.DataFrame, issues: public_sets.Issues, resamples: int) -> Figures:
    """Return the mean over repositories of the macro-F1 over the three classes."""
    rows = np.flatnonzero(~issues.train)
    truth, said = issues.labels[rows], table["prediction"].to_numpy(dtype=str)[rows]
    names = np.unique(truth)
    drawn = metrics.resample(splits.near_duplicate_groups([issues.texts[row] for row in rows]), resamples, 0)
    yes, answered = truth[:, None] == names, said[:, None] == names
    per_repository = [
        metrics.macro(metrics.rates(yes, answered, drawn, issues.repositories[rows] == repository).f1)
        for repository in np.unique(issues.repositories)
    ]
    mean = np.mean(per_repository, axis=0)
    assert np.isclose(  # the same figure by another library
        mean[0],
        np.mean(
            [
                f1_score(truth[here], said[here], average="macro")
                for here in (issues.repositories[rows] == one for one in np.unique(issues.repositories))
            ]
        ),
    )
    title = "bug, feature or question: issues of five repositories, NLBSE'24, official split, macro-F1"
    about = _about("T6", title, public_sets.NLBSE_PUBLISHED)
    return about | {"documents": len(rows), "f1": _estimate(mean)}


def _read_answers(path: Path) -> Answers:
    """Read a table `question, id, prediction[, probability]`; `question` as in `Answers`."""
    table = pd.read_parquet(path)
    return {str(name): part.drop(columns="question") for name, part in table.groupby("question")}


@click.command()
@click.option(
    "--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data", show_default=True
)
@click.option("--model", "name", default="default", show_default=True, help="Name or folder of the model.")
@click.option("--tier", type=click.Choice(TIERS), default="fast", show_default=True)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Parquet with question, id, prediction, probability: what this tier said of Mini-BAR or NLBSE'24, "
    "trained by their protocols (scripts/minibar_accurate.py). The fast tier is trained here; others are not "
    "measured without.",
)
@click.option("--resamples", type=click.IntRange(1), default=RESAMPLES, show_default=True)
def main(data_root: Path, name: str, tier: str, predictions: Path | None, resamples: int) -> None:
    """Measure a tier on everything, and renew its figures in docs/quality.md."""
    began = time.monotonic()

    def told(what: str) -> None:
        click.echo(f"{time.monotonic() - began:5.0f} s  {what}", err=True)

    model = models.load(models.find(name, places=models.folders()))
    contender = teach.Contender(model, tier)
    quality_page.FOLDER.mkdir(exist_ok=True)
    gold = own_gold(contender.scored, data_root, resamples, quality_page.FOLDER, tier)
    told("own gold")
    unlearnt = about_companies(contender.scored, resamples)
    told("companies that nothing learns from")
    training = training_data(data_root)["text"].tolist()
    tasks = public_sets.transfer_tasks(data_root)
    transferred = transfer(contender.scored, tasks, training, resamples)
    told("public sets")
    answers: Answers | None = None
    reviews, issues = public_sets.minibar(data_root), public_sets.nlbse(data_root)
    if predictions:
        answers = _read_answers(predictions)
    elif tier == "fast":
        answers = hashed_answers(reviews, issues)
    if answers:
        transferred |= protocols(answers, reviews, issues, resamples)
        told("sets that are trained on a part of themselves")
    kept = quality_page.load().get("tiers", {}).get(tier, {}).get("public", {})
    # What was learnt of a part of a set doesn't depend on the model: it stays until it is given anew.
    transferred = {
        name: figure for name, figure in kept.items() if name.startswith(TRAINED_IN_PART)
    } | transferred
    found = {
        "model_id": model.model_id,
        "resamples": resamples,
        "gold": gold,
        "public": transferred,
        "unlearnt": unlearnt,
    }
    for path in quality_page.record("tiers", {tier: found}):
        click.echo(f"wrote {path}")
    told("done")


if __name__ == "__main__":
    main()
