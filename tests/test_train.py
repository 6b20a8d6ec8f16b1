import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import trained
from scipy import sparse

from classifier import classify, kernel, split, train
from classifier.buffers import Column
from classifier.classify.weights import OUTPUTS, STACKED
from classifier.errors import InputError
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS, PAIN, REQUEST
from classifier.train import heads, linear
from classifier.train.truth import units_carrying

QUICK = replace(trained.SETTINGS, features=FeatureSettings(bits=14, words=1, char_max=0))


def fingerprint(result):
    digest = hashlib.sha256(result.model.index.tobytes() + result.model.weights.tobytes())
    digest.update(repr((result.model.bias, sorted(result.model.heads.items()))).encode())
    return digest.hexdigest()


def without_evidence(documents):
    return documents.assign(evidence="{}", expectation_source="")


# Determinism


def test_the_same_documents_give_the_same_model():
    assert fingerprint(train.fit(trained.documents(), QUICK)) == fingerprint(
        train.fit(trained.documents(), QUICK)
    )


def test_the_order_of_rows_does_not_matter():
    shuffled = trained.documents().sample(frac=1, random_state=3)
    one, other = train.fit(trained.documents(), QUICK), train.fit(shuffled, QUICK)
    assert fingerprint(one) == fingerprint(other)
    for name in ("folds", "groups", "probability", "decision"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_worker_processes_give_the_same_bits(monkeypatch):
    alone = fingerprint(train.fit(trained.documents(), QUICK))
    monkeypatch.setattr(linear, "WORTH_CELLS", 0)
    monkeypatch.setattr(linear.joblib, "cpu_count", lambda: 2)
    assert fingerprint(train.fit(trained.documents(), QUICK)) == alone


def test_a_worker_that_is_ended_costs_nothing_but_time(monkeypatch):
    x, here = sparse.csr_matrix(np.eye(6)), os.getpid()

    def ended_elsewhere(x, task):
        if os.getpid() != here:
            os._exit(9)
        return linear._logits(x, task)

    rows = np.arange(4)
    task = linear.Task(1.0, rows, rows > 1, np.array([4, 5]))
    monkeypatch.setattr(linear, "WORTH_CELLS", 0)
    monkeypatch.setattr(linear.joblib, "cpu_count", lambda: 2)
    found = linear._each(ended_elsewhere, x, [task, task])
    np.testing.assert_array_equal(found, [linear._logits(x, task)] * 2)


def test_neither_hash_seed_nor_threads_matter():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "import trained, test_train\n"
        "from classifier import train\n"
        "print(test_train.fingerprint(train.fit(trained.documents(), test_train.QUICK)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=trained.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == fingerprint(train.fit(trained.documents(), QUICK))


def test_canonical_order():
    rows = pd.DataFrame(
        {"text": ["b", "a", "a", "a"], "source": ["x", "y", "x", "x"], "id": ["1", "2", "4", "3"]}
    )
    rows = rows.assign(**dict.fromkeys(LABELS, False))
    assert train.canonical(rows)["id"].tolist() == ["3", "4", "2", "1"]


def test_other_seed_other_folds():
    result = train.fit(trained.documents(), replace(QUICK, seed=1))
    assert (result.folds != train.fit(trained.documents(), QUICK).folds).any()


# What comes out


def test_a_fitted_model():
    result, documents = trained.trained(), train.canonical(trained.documents())
    size = len(documents)
    assert result.probability.shape == result.decision.shape == (size, 3)
    assert ((result.probability > 0) & (result.probability < 1)).all()
    assert set(result.folds) == {0, 1, 2}
    assert set(result.model.heads) == set(LABELS)
    assert result.model.weights.shape[1] == len(result.model.bias) == OUTPUTS
    assert result.model.index.max() == len(result.model.weights) - 1
    assert not result.model.weights[0].any()
    for head in result.model.heads.values():
        assert len(head.stack) == len(STACKED) + 1
        assert 0 < head.threshold < 1
        assert 0 < head.unit_threshold < 1
        assert head.margin > 0


def test_no_group_is_in_two_folds():
    result = trained.trained()
    assert len({(fold, group) for fold, group in zip(result.folds, result.groups, strict=True)}) == len(
        set(result.groups)
    )


def test_out_of_fold_predictions_are_better_than_chance_and_worse_than_memory():
    result, documents = trained.trained(), train.canonical(trained.documents())
    truth = documents[list(LABELS)].to_numpy()
    own = classify.score_texts(result.model, documents["text"])
    for place in range(len(LABELS)):
        with_it, without = (result.probability[truth[:, place] == value, place] for value in (True, False))
        assert with_it.mean() > without.mean() + 0.05
    assert (own.decision == truth).mean() > (result.decision == truth).mean() > 0.6


def test_rare_ngrams_are_not_known():
    result = train.fit(trained.documents(), replace(QUICK, min_documents=5))
    assert len(result.model.weights) < len(train.fit(trained.documents(), QUICK).model.weights)


def test_defaults():
    assert train.TrainingSettings().features == FeatureSettings(bits=20, words=2, char_max=0, per_known=True)


# Evidence


def test_a_model_is_trained_without_any_evidence():
    result = train.fit(without_evidence(trained.documents()), QUICK)
    scores = classify.score_texts(result.model, trained.documents()["text"])
    assert np.isfinite(scores.unit_probability).all()
    # No document says where an expectation came from: no source is likelier than another.
    assert scores.decision[:, LABELS.index(GAP)].any()
    assert (scores.source == -1).all()


def test_evidence_that_lies_in_one_fold_alone():
    documents = train.canonical(trained.documents())
    folds = train.fit(documents, QUICK).folds
    partly = documents.assign(
        evidence=np.where(folds == 0, documents["evidence"], "{}"), expectation_source=""
    )
    assert np.isfinite(train.fit(partly, QUICK).model.weights).all()


def test_evidence_that_is_not_in_the_text_is_no_evidence():
    documents = without_evidence(trained.documents())
    elsewhere = documents.assign(
        evidence=[
            json.dumps({label: "not in any text" for label in LABELS if row[label]})
            for _, row in documents.iterrows()
        ]
    )
    assert fingerprint(train.fit(elsewhere, QUICK)) == fingerprint(train.fit(documents, QUICK))


TEXT = "It broke today. Please add sync. It broke today. Ok, thanks for that."
UNITS = ["It broke today.", "Please add sync.", "It broke today.", "Ok, thanks for that."]


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        (TEXT, "Please add sync.", [1]),
        (TEXT, "Please add sync", [1]),
        (TEXT, "sync", [1]),
        # Evidence that stands there twice counts at its first place.
        (TEXT, "It broke today.", [0]),
        (TEXT, "Please add sync. It broke today.", [1, 2]),
        (TEXT, TEXT, [0, 1, 2, 3]),
        # More than half of the shorter of the two.
        (TEXT, "today. Please add sync.", [1]),
        (TEXT, "add sync. It broke", [1, 2]),
        # Nowhere half: where most of it lies, then the first.
        ("ab cdef. ghij kl.", "ef. ghij", [1]),
        ("ab cdef. ghij kl.", "ef. ghi", [0]),
        ("abcd. efgh.", ". e", [0]),
        ("abcd. efgh.", " ", [0]),
        # Not in the text, or none: only in a text of one unit it's plain where it must be.
        (TEXT, "Please add dark mode", []),
        (TEXT, "", []),
        ("One unit", "", [0]),
        ("One unit", "not there", [0]),
        ("", "", []),
        ("", "x", []),
    ],
)
def test_which_units_carry_the_evidence(text, span, expected):
    assert [TEXT[start:end] for start, end in split.units(TEXT)] == UNITS
    # A document before it, so that units don't begin at 0.
    column = Column.of(["One. Two.", text])
    units = kernel.split_column(column)
    begin, stop = units.first[1], units.first[2]
    assert [unit - begin for unit in units_carrying(units, begin, stop, text, span)] == expected


def labelled(*rows):
    """Return documents (text, labels, evidence, source)."""
    return pd.DataFrame(
        [
            {
                "text": text,
                **{label: label in labels for label in LABELS},
                "evidence": json.dumps(evidence),
                "expectation_source": source,
            }
            for text, labels, evidence, source in rows
        ]
    )


def test_what_is_known_of_each_unit():
    documents = labelled(
        (TEXT, {PAIN, REQUEST}, {PAIN: "It broke today."}, ""),
        ("I was told it syncs. It doesn't.", {GAP}, {GAP: "I was told it syncs."}, "told"),
        ("Thanks. Bye.", set(), {}, ""),
    )
    units = kernel.split_column(Column.of(documents["text"]))
    has, source = train.unit_labels(documents, units, documents[list(LABELS)].to_numpy())
    yes, no, unknown = 1, 0, -1
    assert has.tolist() == [
        [yes, unknown, no],
        [unknown, unknown, no],
        [unknown, unknown, no],
        [unknown, unknown, no],
        [no, no, yes],
        [no, no, unknown],
        [no, no, no],
        [no, no, no],
    ]
    assert source.tolist() == [-1, -1, -1, -1, EXPECTATION_SOURCES.index("told"), -1, -1, -1]


# Too little


def test_too_few_examples():
    documents = trained.documents()
    few = pd.concat([documents[~documents[REQUEST]], documents[documents[REQUEST]].head(9)])
    with pytest.raises(
        InputError, match=rf"{REQUEST}: 9 documents with it and \d+ without; training needs at least 10"
    ):
        train.fit(few, QUICK)
    with pytest.raises(InputError, match=r"\d+ documents with it and 0 without"):
        train.fit(documents[documents[PAIN]], QUICK)
    with pytest.raises(InputError, match="0 documents with it and 0 without"):
        train.fit(documents.head(0), QUICK)


@pytest.mark.parametrize(("has", "word"), [(True, "with"), (False, "without")])
def test_examples_that_are_all_alike(has, word):
    documents = trained.documents()
    alike = documents.assign(group=np.where(documents[GAP] == has, "one customer", documents["group"]))
    with pytest.raises(
        InputError, match=f"{GAP}: all documents {word} it are near-duplicates, of one group, or empty"
    ):
        train.fit(alike, QUICK)


def test_empty_texts_teach_nothing_but_do_no_harm():
    documents = trained.documents()
    empty = documents.head(3).assign(
        text="", id=["e1", "e2", "e3"], evidence="{}", **dict.fromkeys(LABELS, False)
    )
    assert np.isfinite(train.fit(pd.concat([documents, empty]), QUICK).model.weights).all()


# The threshold


def test_best_threshold_separates_what_can_be_separated():
    truth = np.repeat([True, False], [20, 80])
    logit = np.where(truth, 2.0, -1.0) + np.linspace(-0.1, 0.1, 100)
    assert -0.9 < train.best_threshold(truth, logit) <= 2.1
    assert ((logit >= train.best_threshold(truth, logit)) == truth).mean() > 0.97


def cuttable(cut, *, share=0.5, size=400):
    """Return documents that are told apart best at `cut`."""
    logit = np.linspace(-3, 3, size)
    generator = np.random.default_rng(1)
    truth = logit >= cut
    kept = truth | (generator.random(size) < (1 - share))
    return truth[kept], logit[kept]


def test_a_shared_threshold_lies_between_those_of_the_sources():
    here, there = cuttable(1.0), cuttable(-1.0)
    assert train.shared_threshold(*here, []) == train.best_threshold(*here)
    assert train.shared_threshold(*here, [here]) == pytest.approx(1.0, abs=0.1)
    assert -1.1 <= train.shared_threshold(*here, [there]) <= 1.1
    # Each source counts as one, however many documents it has.
    many = [there, there, tuple(np.tile(one, 5) for one in there)]
    assert train.shared_threshold(*here, many) == train.shared_threshold(*here, [there])


def test_a_shared_threshold_does_not_depend_on_how_common_a_label_is_elsewhere():
    generator = np.random.default_rng(3)
    truth = generator.random(20_000) < 0.5
    logit = generator.normal(size=20_000) + 1.5 * truth
    rare = ~truth | (generator.random(20_000) < 0.1)
    assert train.best_threshold(truth[rare], logit[rare]) > train.best_threshold(truth, logit) + 0.5
    both = [
        train.shared_threshold(truth, logit, [other])
        for other in ((truth, logit), (truth[rare], logit[rare]))
    ]
    assert both[0] == pytest.approx(both[1], abs=0.15)


def test_a_label_that_all_have_needs_no_other_source():
    logit = np.linspace(-1, 1, 50)
    assert train.shared_threshold(np.ones(50, bool), logit, [cuttable(0.0)]) < -0.9


def test_sources_with_few_of_a_label_do_not_move_its_threshold():
    truth, document, unit, folds = heads_input()
    alone, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS)
    few = np.zeros_like(truth.has)
    few[: heads.FEWEST - 1] = True
    other = train.Elsewhere(replace(truth, has=few), document - 2.0, unit - 2.0)
    same, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS, [other])
    assert same == alone
    lower = train.Elsewhere(truth, document - 2.0, unit - 2.0)
    moved, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS, [lower])
    for label in LABELS:
        assert moved[label].threshold < alone[label].threshold
        assert moved[label].stack == alone[label].stack


def test_a_tier_before_has_a_say_where_it_knows_more():
    truth, document, unit, folds = heads_input()
    before = 3.0 * truth.has + np.random.default_rng(8).normal(size=truth.has.shape)
    alone, _, without = train.fit_heads(truth, document, unit, folds, trained.SETTINGS)
    blended, _, found = train.fit_heads(truth, document, unit, folds, trained.SETTINGS, before=before)
    assert (found == truth.has).mean() > (without == truth.has).mean() + 0.02
    for label in LABELS:
        assert alone[label].blend == ()
        assert blended[label].stack == alone[label].stack
        own, other, _ = blended[label].blend
        assert other > own / 3 > 0


def heads_input():
    """Return 300 documents of one unit each, with logits that tell their labels, and folds."""
    generator = np.random.default_rng(7)
    has = generator.random((300, len(LABELS))) < 0.4
    logit = 2.0 * has + generator.normal(size=has.shape)
    truth = train.Truth(np.arange(301), has, has.astype(np.int8))
    return truth, logit, logit, np.arange(300) % trained.SETTINGS.folds


def test_evidence_is_never_the_least_likely_unit():
    truth, document, unit, folds = heads_input()
    right, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS)
    # Units of which nothing was learnt, and by chance the wrong.
    wrong, _, _ = train.fit_heads(truth, document, -unit, folds, trained.SETTINGS)
    for label in LABELS:
        assert right[label].unit_scale > 0
        assert (wrong[label].unit_scale, wrong[label].unit_shift) == (1.0, 0.0)
        assert 0 < wrong[label].unit_threshold < 1


def test_best_threshold_does_not_depend_on_the_order():
    generator = np.random.default_rng(5)
    truth = generator.random(300) < 0.3
    # Few distinct logits: most are ties.
    logit = np.round(generator.normal(size=300) + truth, 0)
    cuts = {
        train.best_threshold(truth[order], logit[order], draws=2000)
        for order in (np.arange(300), np.argsort(logit))
    }
    assert len(cuts) == 1
    assert cuts <= set(logit.tolist())


def test_documents_with_equal_logits_are_decided_alike():
    # Four at one logit, one of them with the label: cutting between them would look perfect.
    truth = np.array([True, False, False, False] + [True] * 3)
    logit = np.array([1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0])
    assert train.best_threshold(truth, logit) == 3.0


def test_best_threshold_of_labels_that_all_have_or_none():
    logit = np.linspace(-1, 1, 50)
    assert train.best_threshold(np.ones(50, bool), logit) < -0.9
    assert train.best_threshold(np.zeros(50, bool), logit) <= 1.0


def test_thresholds_of_a_blend_hold_for_sources_that_are_stacked_already():
    truth, document, unit, folds = heads_input()
    before = 3.0 * truth.has + np.random.default_rng(8).normal(size=truth.has.shape)
    alone, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS, before=before)
    stacked = train.stacked_logits(truth, document, unit, truth, document, unit)
    for label, column in zip(LABELS, stacked.T, strict=True):
        own = train.head_logits(train.Elsewhere(truth, document, unit), alone)
        # Fitted on the very documents that the heads are.
        assert own[:, LABELS.index(label)] == pytest.approx(column)
    weaker = train.Stacked(truth.has, stacked - 2.0, before - 2.0)
    moved, _, _ = train.fit_heads(truth, document, unit, folds, trained.SETTINGS, [weaker], before)
    for label in LABELS:
        assert moved[label].threshold < alone[label].threshold
        assert moved[label].blend == alone[label].blend
