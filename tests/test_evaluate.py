import hashlib
import json
import math
import tempfile
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from classifier.errors import InputError, OutputError
from classifier.evaluate import Predictions, compare, evaluate, render_markdown, render_table, write
from classifier.labels import GAP, LABELS, PAIN, REQUEST
from classifier.schema import LABELLED, conform

SECRET = "Zanzibar"
SENTENCE = "the export of our invoices stops and nobody answers since monday while you promised a week ago"
WORDS = SENTENCE.split()


def corpus(size=120, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.random((size, 3)) < [0.5, 0.3, 0.25]
    return conform(
        pd.DataFrame(
            {
                "id": [f"d{row:04}" for row in range(size)],
                "text": [
                    f"{SECRET} {' '.join(rng.choice(WORDS, rng.integers(3, 80)))} {row}"
                    for row in range(size)
                ],
                **{label: y[:, column] for column, label in enumerate(LABELS)},
                "evidence": [
                    json.dumps({label: SECRET for column, label in enumerate(LABELS) if y[row, column]})
                    for row in range(size)
                ],
                "expectation_source": np.where(y[:, 2], rng.choice(["sold", "told"], size), ""),
                "group": "",
                "source": rng.choice(["tickets", "calls", ""], size),
                "channel": "",
            }
        ),
        LABELLED,
    )


def predictions(gold, noise=0.35, seed=1):
    rng = np.random.default_rng(seed)
    y = gold[list(LABELS)].to_numpy()
    p = np.clip(np.where(y, 0.75, 0.25) + rng.normal(0, noise, y.shape), 0.001, 0.999).round(4)
    return Predictions(
        probabilities=p,
        decisions=p >= 0.5,
        spans=[dict.fromkeys(LABELS, (0, len(SECRET))) for _ in range(len(gold))],
        expectation_source=np.where(p[:, 2] >= 0.5, "sold", "").tolist(),
        review=np.abs(p - 0.5).min(axis=1) < 0.05,
    )


@pytest.fixture(scope="module")
def gold():
    return corpus()


@pytest.fixture(scope="module")
def found(gold):
    return evaluate(gold, predictions(gold), n_boot=200)


def taken(given, rows):
    return Predictions(
        given.probabilities[rows],
        given.decisions[rows],
        [given.spans[row] for row in rows],
        [given.expectation_source[row] for row in rows],
        given.review[rows],
    )


# Figures


def test_figures_are_those_of_scikit_learn(gold, found):
    y, decisions = gold[list(LABELS)].to_numpy(), predictions(gold).decisions
    f1 = f1_score(y, decisions, average=None)
    assert [found.labels[label].figures["f1"].value for label in LABELS] == pytest.approx(f1)
    assert found.macro_f1.value == pytest.approx(f1.mean())
    for source in ("tickets", "calls", ""):
        here = gold["source"].to_numpy() == source
        subset = found.by["source"][source]
        assert subset.documents == here.sum()
        assert subset.macro_f1.value == pytest.approx(f1_score(y[here], decisions[here], average="macro"))
    review = predictions(gold).review
    assert found.review.share.value == pytest.approx(review.mean())
    assert found.review.f1_without.value == pytest.approx(
        f1_score(y[~review], decisions[~review], average="macro")
    )


def test_intervals_hold_their_value(found):
    for label in found.labels.values():
        for name, estimate in label.figures.items():
            if name != "ece":  # a resample adds noise to it, and so adds error
                assert estimate.low <= estimate.value <= estimate.high
                assert estimate.low < estimate.high


def test_the_dictionary_has_the_documented_keys(found):
    content = found.as_dict()
    assert content["documents"] == 120
    assert set(content["labels"]) == set(LABELS)
    assert set(content["labels"][PAIN]) == {
        "precision",
        "recall",
        "f1",
        "average_precision",
        "ece",
        "debiased_ece",
        "brier",
        "positives",
        "predicted",
        "threshold",
        "reliability",
    }
    assert set(content["labels"][PAIN]["f1"]) == {"value", "low", "high"}
    assert 0.5 <= content["labels"][PAIN]["threshold"] < 0.52
    assert set(content["by"]) == {"source", "length"}  # no document has a channel
    assert set(content["by"]["source"]) == {"tickets", "calls", "(none)"}
    assert {"documents", "macro_f1"} <= set(content["by"]["source"]["calls"])
    assert set(content["evidence"]) == {*LABELS, "all"}
    assert {"accuracy", "confusion"} <= set(content["expectation_source"])
    assert set(content["review"]) == {"share", "f1_without"}
    assert content["selective"]["coverage"] == 0.8
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_lengths_are_bands_in_order(found):
    names = list(found.by["length"])
    bands = ["up to 15 words", "16 to 50 words", "51 to 150 words"]
    assert names == bands
    assert sum(subset.documents for subset in found.by["length"].values()) == 120


def test_a_label_without_positives_is_undefined_and_left_out_of_the_macro(gold):
    without = gold.assign(**{GAP: False, "expectation_source": ""})
    result = evaluate(without, predictions(gold), n_boot=50)
    assert math.isnan(result.labels[GAP].figures["f1"].value)
    assert result.labels[GAP].figures["precision"].value == 0
    others = [result.labels[label].figures["f1"].value for label in (PAIN, REQUEST)]
    assert result.macro_f1.value == pytest.approx(np.mean(others))
    content = result.as_dict()
    assert content["labels"][GAP]["f1"] == {"value": None, "low": None, "high": None}
    assert content["expectation_source"] == {
        "measured": 0,
        "accuracy": {"value": None, "low": None, "high": None},
        "confusion": {},
    }
    row = next(line for line in render_table(result).splitlines() if line.startswith("recall"))
    assert row.split()[-1] == "–"


def test_the_surest_documents_are_better(gold):
    result = evaluate(gold, predictions(gold), n_boot=0)
    assert result.selective.macro_f1.value > result.macro_f1.value
    assert [point.coverage for point in result.risk_coverage] == pytest.approx(np.arange(1, 21) / 20)
    assert result.risk_coverage[-1].macro_f1.value == result.macro_f1.value
    assert result.risk_coverage[5].errors[PAIN] < result.risk_coverage[-1].errors[PAIN]


def test_given_thresholds_are_reported(gold):
    given = replace(predictions(gold), thresholds=(0.4, 0.5, 0.6))
    labels = evaluate(gold, given, n_boot=0).labels
    assert [label.threshold for label in labels.values()] == [0.4, 0.5, 0.6]


def test_everything_marked_for_review_leaves_nothing(gold):
    given = replace(predictions(gold), review=np.ones(len(gold), dtype=bool))
    result = evaluate(gold, given, n_boot=20)
    assert result.review.share.value == 1
    assert math.isnan(result.review.f1_without.value)


def test_nothing_depends_on_the_order_of_the_rows(gold, found):
    rows = np.random.default_rng(2).permutation(len(gold))
    shuffled = evaluate(gold.iloc[rows], taken(predictions(gold), rows), n_boot=200)
    assert shuffled.as_dict() == found.as_dict()


def test_near_duplicates_and_groups_are_drawn_together(gold):
    doubled = pd.concat([gold, gold.assign(id=gold["id"] + "x")], ignore_index=True)
    both = taken(predictions(gold), [*range(120), *range(120)])
    assert evaluate(doubled, both, n_boot=10).groups == evaluate(gold, predictions(gold), n_boot=10).groups
    named = gold.assign(group=["acme", "bolt"] * 60)
    assert evaluate(named, predictions(gold), n_boot=10).groups == 2
    assert evaluate(gold, predictions(gold), n_boot=10, groups=["a", "b", "c"] * 40).groups == 3


def test_one_document():
    gold = corpus(1)
    result = evaluate(gold, predictions(gold), n_boot=10)
    assert result.documents == 1
    assert len(write_bytes(result)) == 4


# Evidence and expectation source


@pytest.mark.parametrize(
    ("span", "covered"),
    [
        ((10, 20), 1),
        ((15, 30), 1),
        ((16, 30), 0),
        ((0, 300), 1),
        ((0, 301), 0),
        ((0, 14), 0),
        ((0, 15), 1),
        ((50, 60), 1),
        (None, 0),
    ],
)
def test_a_span_covers_half_of_the_gold_span(span, covered):
    text = "." * 10 + "0123456789" + "." * 30 + "0123456789" + "." * 300
    gold = corpus(1).assign(
        text=text, **{PAIN: True, REQUEST: False, GAP: False}, evidence=json.dumps({PAIN: "0123456789"})
    )
    given = Predictions(
        np.array([[0.9, 0.1, 0.1]]),
        np.array([[True, False, False]]),
        [{PAIN: span} if span else {}],
        [""],
        np.array([False]),
    )
    evidence = evaluate(gold, given, n_boot=0).evidence
    assert evidence[PAIN].covered.value == covered
    assert evidence["all"].covered.value == covered
    assert evidence[REQUEST].true_positives == 0
    assert math.isnan(evidence[REQUEST].covered.value)


def test_evidence_is_measured_on_true_positives_with_a_span_in_the_text(gold):
    given = predictions(gold)
    changed = gold.copy()
    true = np.flatnonzero(gold[PAIN] & given.decisions[:, 0])
    changed.loc[true[0], "evidence"] = json.dumps({PAIN: "not in the text"})
    changed.loc[true[1], "evidence"] = "{}"
    evidence = evaluate(changed, given, n_boot=50).evidence[PAIN]
    assert evidence.true_positives == len(true)
    assert evidence.measured == len(true) - 2
    assert evidence.lost == 1
    assert evidence.covered.value == 1


def test_expectation_sources_are_counted_on_true_gaps(gold, found):
    true = gold[GAP].to_numpy() & predictions(gold).decisions[:, 2]
    sold = int((gold["expectation_source"].to_numpy()[true] == "sold").sum())
    assert found.expectation_source.measured == true.sum()
    assert found.expectation_source.accuracy.value == pytest.approx(sold / true.sum())
    assert found.expectation_source.confusion == {
        "sold": {"sold": sold},
        "told": {"sold": int(true.sum()) - sold},
    }


# Two models


def test_a_model_against_itself_is_no_better(gold):
    result = compare(gold, predictions(gold), predictions(gold), n_boot=100)
    assert result.macro_f1.difference.value == result.macro_f1.difference.high == 0
    assert result.macro_f1.better == ""
    assert result.as_dict()["macro_f1"]["better"] is None


def test_a_much_better_model_is_named(gold):
    result = compare(gold, predictions(gold), predictions(gold, noise=0.05), names=("old", "new"), n_boot=200)
    macro = result.macro_f1
    assert macro.difference.value == pytest.approx(macro.second.value - macro.first.value)
    assert 0 < macro.difference.low < macro.difference.high
    assert macro.better == "second"
    assert result.labels[PAIN]["brier"].difference.value < 0
    assert result.labels[PAIN]["brier"].better == "second"
    assert result.by["source"]["calls"].difference.value > 0
    back = compare(gold, predictions(gold, noise=0.05), predictions(gold), n_boot=200)
    assert back.macro_f1.better == back.labels[PAIN]["brier"].better == "first"
    line = next(line for line in render_table(result).splitlines() if line.startswith("macro-F1"))
    assert line.endswith("  new")


def test_the_difference_is_paired(gold):
    first = predictions(gold)
    flipped = first.decisions.copy()
    flipped[0, 0] = not flipped[0, 0]
    result = compare(gold, first, replace(first, decisions=flipped), n_boot=200)
    pair = result.macro_f1
    assert pair.difference.high - pair.difference.low < 0.2 * (pair.first.high - pair.first.low)


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"probabilities": np.zeros((119, 3))},
            r"predictions.probabilities is \(119, 3\), but .* \(120, 3\)",
        ),
        ({"decisions": np.zeros((120, 2), dtype=bool)}, "predictions.decisions is"),
        ({"spans": []}, r"predictions.spans is \(0,\)"),
        ({"expectation_source": ["sold"]}, "predictions.expectation_source is"),
        ({"review": np.zeros(7, dtype=bool)}, "predictions.review is"),
        ({"thresholds": [0.5]}, r"predictions.thresholds is \(1,\), but the gold asks for \(3,\)"),
        ({"probabilities": np.full((120, 3), 1.5)}, "a value outside of 0 to 1"),
        ({"probabilities": np.full((120, 3), np.nan)}, "a value outside of 0 to 1"),
    ],
)
def test_predictions_of_another_shape(gold, change, message):
    with pytest.raises(InputError, match=message):
        evaluate(gold, replace(predictions(gold), **change), n_boot=10)


def test_groups_of_another_length_and_no_documents(gold):
    with pytest.raises(InputError, match="2 groups for 120 documents"):
        evaluate(gold, predictions(gold), groups=["a", "b"])
    with pytest.raises(InputError, match="0 documents"):
        evaluate(gold.iloc[:0], taken(predictions(gold), []))


# Tables and files


def write_bytes(result, comparison=None):
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_bytes() for path in write(folder, result, comparison)}


def test_tables_are_aligned_and_hold_every_figure(gold, found):
    text = render_table(found)
    blocks = text.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [
        "Labels",
        "By source",
        "By length",
        "Evidence",
        "Expectation source",
        "Abstention",
    ]
    header, *rows = blocks[0].splitlines()[1:12]
    assert all(len(row) <= len(header) for row in rows)
    f1 = found.labels[GAP].figures["f1"]
    assert f"{f1.value:.3f} [{f1.low:.3f}, {f1.high:.3f}]" in rows[5]
    assert rows[5].endswith(
        f"{found.macro_f1.value:.3f} [{found.macro_f1.low:.3f}, {found.macro_f1.high:.3f}]"
    )
    assert "from 200 resamples of 120 groups (seed 0)" in blocks[0]
    assert "(none)" in blocks[1]
    assert SECRET not in text
    without = render_table(evaluate(gold, predictions(gold), n_boot=0))
    assert "Without intervals" in without
    assert "[" not in without.splitlines()[7]


def test_markdown_tables_are_whole_whatever_a_source_is_called(gold):
    odd = gold.assign(source="a|b\\c")
    text = render_markdown(evaluate(odd, predictions(gold), n_boot=20))
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for table in tables:
        assert len({line.replace("\\\\", "").replace("\\|", "").count("|") for line in table}) == 1
    assert "| a\\|b\\\\c |" in text


def test_the_folder_has_four_files_of_the_same_bytes_every_time(tmp_path, gold, found):
    comparison = compare(gold, predictions(gold), predictions(gold, seed=5), n_boot=50)
    paths = write(tmp_path / "new" / "out", found, comparison)
    names = ["evaluation.json", "evaluation.md", "reliability.png", "risk_coverage.png"]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == names
    content = json.loads(paths[0].read_text(encoding="utf-8"))
    assert content == found.as_dict() | {"comparison": comparison.as_dict()}
    assert "## second against first" in paths[1].read_text(encoding="utf-8")
    for path in paths[2:]:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert b"tEXt" not in path.read_bytes()
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30}):
        again = write_bytes(found, comparison)
    assert [hashlib.sha256(again[name]).hexdigest() for name in names] == digests
    assert SECRET.encode() not in b"".join(again.values())


def test_plots_show_the_figures(found):
    worse = replace(found, labels=dict.fromkeys(LABELS, found.labels[PAIN]))
    one, other = write_bytes(found), write_bytes(worse)
    assert one["reliability.png"] != other["reliability.png"]
    assert one["risk_coverage.png"] == other["risk_coverage.png"]


def test_a_folder_that_cannot_be_written(tmp_path, found):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"can't be written: .*; choose another --out"):
        write(tmp_path / "file", found)
