"""The scripts that measure, on small data of known outcome, and the page that shows what they found."""

import json
import re

import evaluate_public
import hashed_learner
import learning_curve
import numpy as np
import pandas as pd
import public_sets
import pytest
import quality_page
import quality_tables
import trained
import unlearnt_companies
from click import ClickException
from sklearn.metrics import f1_score
from trained import ROOT

from classifier import metrics
from classifier.evaluate import Predictions
from classifier.labels import LABELS, PAIN, REQUEST

DATA = ROOT.parent / "shared" / "data"
SAY = {"broken": [0.9, 0.1, 0.1], "please add": [0.1, 0.8, 0.1]}


def says(texts: pd.Series) -> Predictions:
    """A model that goes by two words, and is half sure of a gap where it sees neither."""
    rows = [next((p for word, p in SAY.items() if word in text), [0.2, 0.2, 0.2]) for text in texts]
    probabilities = np.array(rows)
    count = len(texts)
    return Predictions(
        probabilities, probabilities >= 0.5, [{}] * count, [""] * count, np.zeros(count, dtype=bool)
    )


def task(key: str, texts: list[str], truth: list[bool], label: str = PAIN) -> public_sets.Task:
    return public_sets.Task(
        key,
        "T1",
        key,
        label,
        tuple(texts),
        np.array(truth),
        ("",) * len(texts),
        public_sets.Published(0.5, "x"),
    )


SETS = [key for _, _, keys in public_sets.MEANS.values() for key in keys]


@pytest.fixture(scope="module")
def transferred():
    texts = [
        "the export is broken on mondays",
        "my phone is broken",
        "please add a calendar",
        "a lovely day at sea",
        "learnt by heart: it is broken and nobody came",
    ]
    truth = [True, False, False, True, True]
    tasks = [task(f"{key}_bug", texts, truth) for key in dict.fromkeys(SETS)]
    tasks += [
        task(f"{key}_feature", texts, [False, False, True, False, False], REQUEST)
        for key in dict.fromkeys(SETS)
    ]
    return evaluate_public.transfer(says, tasks, ["Learnt by heart; it is broken and nobody came."], 50)


def test_transfer_leaves_out_what_was_learnt_from(transferred):
    found = transferred["maalej_bug"]
    assert (found["documents"], found["positives"], found["left_out"]) == (4, 2, 1)
    expected = f1_score([1, 0, 0, 1], [1, 1, 0, 0])
    assert found["f1"]["value"] == pytest.approx(expected)
    assert found["f1"]["low"] <= expected <= found["f1"]["high"]
    assert found["auc"] == pytest.approx(0.625)


def test_means_are_of_their_sets(transferred):
    for test, kind in (("T1", "bug"), ("T2", "feature")):
        values = [transferred[f"{key}_{kind}"]["f1"]["value"] for key in public_sets.MEANS[test][2]]
        mean = transferred[f"{test}_mean"]["f1"]
        assert mean["value"] == pytest.approx(np.mean(values))
        assert mean["low"] <= mean["value"] <= mean["high"]


def reviews() -> public_sets.MiniBar:
    generator = np.random.default_rng(0)
    texts, truth = [], []
    for row in range(120):
        bad = bool(generator.random() < 0.4)
        filler = " ".join(generator.choice(list("abcdefghijklmnop"), 8))
        texts.append(f"{filler} {'crashes daily' if bad else 'love using it'} {row}")
        truth.append(bad)
    apps = np.array(["one", "two", "three"])[np.arange(120) % 3]
    flags = np.array(truth)
    return public_sets.MiniBar(
        tuple(map(str, range(120))), tuple(texts), apps, {"problem_report": flags, "feature_request": ~flags}
    )


def issues() -> public_sets.Issues:
    kinds = np.array(["bug", "feature", "question"])[np.arange(90) % 3]
    words = {"bug": "crash trace", "feature": "add support", "question": "how do"}
    generator = np.random.default_rng(1)
    texts = tuple(f"{words[kind]} {' '.join(generator.choice(list('abcdefgh'), 9))}" for kind in kinds)
    repositories = np.array(["x/x", "y/y"])[np.arange(90) // 45]
    return public_sets.Issues(tuple(map(str, range(90))), texts, repositories, kinds, np.arange(90) % 5 < 3)


def test_protocols_are_learnt_from_the_other_part_alone():
    answers = evaluate_public.hashed_answers(reviews(), issues())
    found = evaluate_public.protocols(answers, reviews(), issues(), 20)
    assert found["minibar_problem_report"]["f1"]["value"] > 0.95
    assert found["nlbse"]["f1"]["value"] > 0.95
    assert found["nlbse"]["documents"] == 36
    # What no text of the other apps could teach: at chance, or the part that was held out was seen.
    tossed = np.random.default_rng(2).random(120) < 0.5
    blind = reviews()
    blind.truth.update(problem_report=tossed, feature_request=tossed)
    odds = evaluate_public.hashed_answers(blind, issues())["minibar_problem_report"]["probability"]
    drawn = metrics.resample(np.arange(120), 0, 0)
    assert metrics.average_precision(tossed, odds.to_numpy(), drawn)[0] < 0.75


def test_predictions_of_another_tier_must_be_of_every_text():
    short = pd.DataFrame({"id": ["0"], "prediction": [True]})
    with pytest.raises(ClickException, match="lacks 119 of 120 texts, such as id 1"):
        evaluate_public.protocols({"minibar_problem_report": short}, reviews(), issues(), 5)


def test_a_strength_and_a_cut_come_from_the_inside_alone():
    given = reviews()
    counts, truth = hashed_learner.hashed(given.texts), given.truth["problem_report"]
    inside = given.apps != "one"
    groups = np.arange(len(truth))
    whole = hashed_learner.learn(counts, truth, inside, groups)
    lied = truth.copy()
    lied[~inside] = ~lied[~inside]
    again = hashed_learner.learn(counts, lied, inside, groups)
    np.testing.assert_array_equal(whole.logits, again.logits)
    assert whole.threshold == again.threshold


@pytest.mark.slow
def test_the_learning_curve_grows_with_its_nested_parts():
    points = learning_curve.curve(
        trained.documents(), trained.SETTINGS, shares=(0.6, 1.0), measured_folds=1, resamples=20
    )
    first, second = points
    assert first["documents"] < second["documents"] < len(trained.documents())
    assert first["gain"] is None
    assert second["gain"]["value"] == pytest.approx(
        second["macro_f1"]["value"] - first["macro_f1"]["value"], abs=1e-5
    )
    assert set(second["f1"]) == set(LABELS)


# The page


def test_the_page_shows_what_was_measured():
    page = quality_page.PAGE.read_text(encoding="utf-8")
    assert quality_page.rendered(page, quality_page.load()) == page, "run `make docs`"
    assert set(re.findall(r"<!-- figures: (\S+) -->", page)) == set(quality_tables.SECTIONS)
    for picture in re.findall(r"\]\((quality/[^)]+)\)", page):
        assert (quality_page.PAGE.parent / picture).is_file()


def test_recording_one_tier_keeps_the_others(tmp_path, monkeypatch):
    page = tmp_path / "quality.md"
    page.write_text(
        "<!-- figures: learning-curve -->\nold\n<!-- /figures -->\n"
        "<!-- figures: models -->\n<!-- /figures -->\n"
    )
    for name, value in {
        "PAGE": page,
        "FOLDER": tmp_path,
        "RESULTS": tmp_path / "results.json",
        "CURVE": tmp_path / "curve.svg",
    }.items():
        monkeypatch.setattr(quality_page, name, value)
    quality_page.record("tiers", {"fast": {"model_id": "a", "resamples": 2}})
    quality_page.record("tiers", {"accurate": {"model_id": "b", "resamples": 2}})
    assert set(json.loads((tmp_path / "results.json").read_text())["tiers"]) == {"fast", "accurate"}
    assert "| fast | `a` | 2 |" in page.read_text()
    assert "Not measured yet." in page.read_text()
    estimate = {"value": 0.5, "low": 0.4, "high": float("nan")}
    point = {"documents": 10, "macro_f1": estimate, "gain": None, "f1": dict.fromkeys(LABELS, estimate)}
    monkeypatch.setattr(quality_page, "_curve_plot", lambda points: b"<svg/>")
    assert tmp_path / "curve.svg" in quality_page.record("learning_curve", [point])
    kept = json.loads((tmp_path / "results.json").read_text())["learning_curve"][0]
    assert kept["macro_f1"]["high"] is None


def test_the_plot_of_the_curve_has_the_same_bytes_each_time():
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6}
    points = [
        {"documents": size, "macro_f1": estimate, "gain": None, "f1": dict.fromkeys(LABELS, estimate)}
        for size in (100, 200)
    ]
    plot = quality_page._curve_plot(points)
    assert plot == quality_page._curve_plot(points)
    assert b"<svg" in plot


@pytest.mark.skipif(
    not (DATA / "baselines").is_dir(), reason="the published folds are not part of the project"
)
def test_published_figures_are_those_of_their_files():
    """Devine et al. 2022: trained on all other sets, tested on this one, text alone, mean of five folds."""
    table = pd.read_csv(DATA / "baselines" / "devine2022_mean.csv")
    table = table[(table["rq"] == "rq2") & (table["split"] == "mixed") & (table["meta"] == "text_only")]
    others = table[table["train"].str.count("__") >= 4].set_index(["label", "test"])["f1"]
    names = {
        "maalej": "maalej_2016",
        "scalabrino_rq1": "scalabrino_2017_RQ1",
        "scalabrino_rq3": "scalabrino_2017_RQ3",
        "tizard": "tizard_2019",
    }
    found = {key: (bug, feature) for key, _, bug, feature in public_sets._APPS}
    assert found == {key: (others[("bug", name)], others[("feature", name)]) for key, name in names.items()}
    for test, place in (("T1", 0), ("T2", 1)):
        _, mean, keys = public_sets.MEANS[test]
        assert mean == pytest.approx(np.mean([found[key][place] for key in keys]), abs=6e-4)


@pytest.mark.skipif(not (DATA / "public").is_dir(), reason="the public sets are not part of the project")
def test_public_sets_are_read_whole():
    tasks = {one.key: one for one in public_sets.transfer_tasks(DATA)}
    assert {key: int(one.truth.sum()) for key, one in tasks.items() if "wider" not in key} == {
        "maalej_bug": 369,
        "maalej_feature": 295,
        "scalabrino_rq1_bug": 764,
        "scalabrino_rq1_feature": 333,
        "scalabrino_rq3_bug": 503,
        "scalabrino_rq3_feature": 163,
        "tizard_bug": 405,
        "tizard_feature": 118,
        "semeval_a": 87,
        "semeval_b": 348,
    }
    assert len(public_sets.minibar(DATA).texts) == 5862
    assert public_sets.nlbse(DATA).train.sum() == 1418


def test_texts_about_companies_that_nothing_learns_from(monkeypatch):
    texts = [
        ("Acme:0", "the export is broken", True),
        ("Acme:1", "please add a calendar", False),
        ("Acme:text:0", "thanks, all is well", False),
        ("Acme:text:1", "my broken arm is better " + "and so is the weather " * 10, False),
        ("Acme:text:2", "what a lovely day it was at sea " * 6, False),
    ]
    rows = [
        {"id": name, "text": text, "evidence": "{}", "group": "", "source": "", "channel": ""}
        | {label: has and label == PAIN for label in LABELS}
        | {REQUEST: "please" in text, "expectation_source": ""}
        for name, text, has in texts
    ]
    monkeypatch.setattr(
        unlearnt_companies, "themed", lambda *, held_out: pd.DataFrame(rows) if held_out else None
    )
    found = unlearnt_companies.figures(says, 50)
    assert (found["themes"]["documents"], found["texts"]["documents"]) == (2, 3)
    assert found["themes"]["macro_f1"]["value"] == 1.0
    assert [(one["words"], one["documents"], one["share"]["value"]) for one in found["none"][:2]] == [
        (0, 1, 0.0),
        (35, 2, 0.5),
    ]
    assert 0 <= found["none"][1]["share"]["low"] < 0.5 < found["none"][1]["share"]["high"] <= 1
    shown = quality_tables.SECTIONS["unlearnt"]({"tiers": {"fast": {"unlearnt": found}}})
    assert "| texts without a label of more than 35 words that get one | 2 | .500 [" in shown
    assert quality_tables.SECTIONS["unlearnt"]({"tiers": {"fast": {}}}) == ""
