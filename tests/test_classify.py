from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import trained
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import classify, features, split, train
from classifier.classify import parts, readable
from classifier.classify.limits import LEAST_KNOWN, LONGEST
from classifier.classify.logits import sigmoid, stack
from classifier.classify.scores import UnitPlaces
from classifier.classify.weights import NEVER_SEEN, STACKED
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

COMPLAINT = "The export crashes every time and I lose my work."
WISH = "Please add an option to export the report to Excel, it would be great."
BROKEN_PROMISE = "Your website says it syncs offline, but it doesn't, that is not what we were sold."
PIECES = st.sampled_from(
    [COMPLAINT, WISH, BROKEN_PROMISE, "Thanks!", "\n", " ", "😡", "qzxv", "日本語。", "\0", "5GB", "\ud83d"]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=6).map(" ".join))


def assert_same(found, expected):
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-6)
    np.testing.assert_allclose(found.unit_probability, expected.unit_probability, atol=1e-6)
    names = (
        "decision",
        "close",
        "known",
        "first",
        "start",
        "end",
        "evidence",
        "nearby",
        "source",
        "deciding",
        "again",
    )
    for name in names:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@given(TEXTS)
@example("")
@example("\n \t")
@example("😡😡😡")
@example("WHY DOES IT CRASH")
@example("a, " * 1_000)
@example(f"{COMPLAINT} {WISH} " * 4)
@settings(max_examples=150)
def test_the_readable_twin_says_the_same(text):
    assert_same(classify.score_texts(trained.model(), [text]), classify.score_one(trained.model(), text))


def with_scaling(*, per_known):
    model = trained.model()
    return replace(model, features=replace(model.features, per_known=per_known))


@pytest.mark.parametrize("text", [COMPLAINT, f"{COMPLAINT} {WISH} Zqxv wqzk vvqx."])
def test_models_of_old_count_all_ngrams_in_both_twins(text):
    old = with_scaling(per_known=False)
    found = classify.score_texts(old, [text])
    assert_same(found, classify.score_one(old, text))
    assert (found.probability != classify.score_texts(trained.model(), [text]).probability).any()


@pytest.mark.parametrize("text", [COMPLAINT, "qzxvw kqj export vvqx wqzk zzxq", "qzxvw kqj"])
def test_both_twins_ask_for_the_share_that_the_model_names(text):
    model = trained.model()
    strict = replace(model, features=replace(model.features, least_share=0.9))
    found = classify.score_texts(strict, [text])
    assert_same(found, classify.score_one(strict, text))
    assert found.probability.any() == (found.known[0] >= np.float32(0.9))
    assert classify.score_texts(model, [COMPLAINT]).probability.all()


def test_a_model_that_learnt_no_source_names_none_in_both_twins():
    model = replace(trained.model(), heads=head(threshold=1e-9))
    assert classify.score_texts(model, [BROKEN_PROMISE]).source.tolist() != [-1]
    untold = replace(model, bias=(*model.bias[: 2 * len(LABELS)], *[NEVER_SEEN] * len(EXPECTATION_SOURCES)))
    found = classify.score_texts(untold, [BROKEN_PROMISE])
    assert found.decision[0, LABELS.index(GAP)]
    assert found.source.tolist() == [-1]
    assert_same(found, classify.score_one(untold, BROKEN_PROMISE))


@pytest.mark.parametrize("per_known", [False, True])
def test_ngrams_that_the_model_does_not_know_weaken_a_text_for_models_of_old_alone(per_known):
    model = with_scaling(per_known=per_known)
    places = UnitPlaces(np.array([0, 1]), np.array([0], dtype=np.int32), np.array([30], dtype=np.int32))
    sums = np.ones((1, len(model.bias)), dtype=np.float32)
    few, many = (
        readable.combine(model, places, sums, np.array([[ngrams, 9]], dtype=np.int32)) for ngrams in (9, 18)
    )
    assert (few.probability == many.probability).all() == per_known
    assert (few.known, many.known) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("least_share", "known", "readable_at_all"),
    [(0.3, 29, False), (0.3, 30, True), (0.3, 100, True), (0.0, 2, True), (0.0, 1, False)],
)
def test_a_text_of_unknown_words_has_no_label(least_share, known, readable_at_all):
    model = trained.model()
    model = replace(model, features=replace(model.features, least_share=least_share))
    places = UnitPlaces(np.array([0, 1]), np.array([0], dtype=np.int32), np.array([600], dtype=np.int32))
    sums = np.full((1, len(trained.model().bias)), 90.0, dtype=np.float32)
    counts = np.array([[100, known]], dtype=np.int32)
    scores = readable.combine(model, places, sums, counts)
    assert scores.decision.all() == scores.decision.any() == readable_at_all
    assert (scores.probability > 0).all() == (scores.probability > 0).any() == readable_at_all


@given(st.lists(TEXTS, min_size=1, max_size=6), st.data())
@settings(max_examples=80)
def test_chunks_are_scored_like_the_whole(texts, data):
    cut = data.draw(st.integers(0, len(texts)))
    whole = classify.score_texts(trained.model(), texts)
    one, two = (classify.score_texts(trained.model(), part) for part in (texts[:cut], texts[cut:]))
    for name in (
        "probability",
        "decision",
        "close",
        "known",
        "source",
        "unit_probability",
        "evidence",
        "nearby",
        "start",
        "end",
    ):
        joined = np.concatenate([getattr(one, name), getattr(two, name)])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)
    np.testing.assert_array_equal(np.concatenate([one.first, two.first[1:] + one.first[-1]]), whole.first)


def test_lists_series_and_arrow_arrays_are_scored_alike():
    texts = [COMPLAINT, "", WISH]
    scores = classify.score_texts(trained.model(), texts)
    for column in (
        pd.Series(texts, dtype="str"),
        pd.Series(texts, dtype=object),
        pa.array(texts),
        pa.chunked_array([texts]),
    ):
        assert_same(classify.score_texts(trained.model(), column), scores)


def test_no_texts():
    scores = classify.score_texts(trained.model(), [])
    assert scores.probability.shape == scores.decision.shape == scores.close.shape == (0, 3)
    assert scores.first.tolist() == [0]
    assert len(scores.known) == len(scores.source) == len(scores.start) == len(scores.evidence) == 0


@pytest.mark.parametrize("text", ["", " \n", "...", "\0", trained.unknown_word(), "\ud83d"])
def test_a_text_that_the_model_knows_nothing_of_has_no_label(text):
    scores = classify.score_one(trained.model(), text)
    assert scores.known.tolist() == [0.0]
    assert scores.probability.tolist() == [[0.0, 0.0, 0.0]]
    assert not scores.decision.any()
    assert not scores.close.any()
    assert not scores.evidence.any()
    assert scores.source.tolist() == [-1]


@pytest.mark.parametrize("text", ["Please add", "😡", "why", COMPLAINT.rstrip(".")])
def test_saying_it_over_and_over_in_a_sentence_is_no_stronger(text):
    twice, often = (
        classify.score_one(trained.model(), " ".join([text] * times))
        for times in (2, min(20, 290 // len(text)))
    )
    np.testing.assert_allclose(often.probability, twice.probability, atol=1e-6)


def test_a_single_word_has_no_label():
    # Words without character n-grams: a word is one n-gram, two words are three.
    model = train.fit(
        trained.documents(), replace(trained.SETTINGS, features=FeatureSettings(bits=16, char_max=0))
    ).model
    model = replace(model, heads={label: replace(one, threshold=1e-9) for label, one in model.heads.items()})
    one, two = (classify.score_one(model, text) for text in ("Please!", "Please add"))
    assert one.known.tolist() == two.known.tolist()
    word = classify.score_one(model, "please")
    assert word.known.tolist() == [1.0]
    assert word.probability.tolist() == [[0.0, 0.0, 0.0]]
    assert not word.decision.any()
    assert two.decision.all()


def test_what_a_text_of_ours_is_given():
    scores = classify.score_texts(trained.model(), trained.documents()["text"])
    truth = trained.documents()[list(LABELS)].to_numpy()
    # Its own training texts: a model that can't tell them apart is wired wrongly.
    assert (scores.decision == truth).mean() > 0.9
    assert ((scores.known > 0.5) & (scores.known <= 1)).all()


def test_every_label_has_evidence_and_no_other():
    texts = trained.documents()["text"].tolist()
    scores = classify.score_texts(trained.model(), texts)
    for row, text in enumerate(texts):
        spans = classify.spans_of(scores, row)
        assert {label for label, *_ in spans} == {
            label for place, label in enumerate(LABELS) if scores.decision[row, place]
        }
        assert spans == sorted(spans, key=lambda span: (LABELS.index(span[0]), span[1]))
        starts, ends = zip(*split.units(text), strict=True)
        assert all(start in starts and end in ends for _, start, end, _ in spans)
        assert all(end - start <= split.MAX_UNIT for _, start, end, _ in spans)
        assert (scores.source[row] >= 0) == scores.decision[row, LABELS.index(GAP)]
    assert scores.source.max() < len(EXPECTATION_SOURCES)


def head(**changes):
    return {label: replace(one, **changes) for label, one in trained.model().heads.items()}


def test_evidence_is_each_unit_above_the_threshold_or_else_the_best():
    text = f"{COMPLAINT} {WISH} {BROKEN_PROMISE} Thanks."
    all_of_them = classify.score_one(
        replace(trained.model(), heads=head(threshold=1e-9, unit_threshold=0.0)), text
    )
    assert all_of_them.evidence.all()
    best = classify.score_one(replace(trained.model(), heads=head(threshold=1e-9, unit_threshold=1.0)), text)
    assert best.evidence.sum(axis=0).tolist() == [1, 1, 1]
    assert best.evidence.argmax(axis=0).tolist() == best.unit_probability.argmax(axis=0).tolist()
    none = classify.score_one(replace(trained.model(), heads=head(threshold=1.0, unit_threshold=0.0)), text)
    assert not none.decision.any()
    assert not none.evidence.any()


def test_of_units_that_are_alike_the_first_is_the_evidence():
    model = replace(trained.model(), heads=head(threshold=0.0, unit_threshold=1.0))
    scores = classify.score_texts(model, [" ".join([COMPLAINT] * 3)])
    assert scores.evidence.tolist() == [[True] * 3, [False] * 3, [False] * 3]


def test_margin_marks_what_is_too_close_to_call():
    probability = float(classify.score_one(trained.model(), COMPLAINT).probability[0, 0])
    near = replace(trained.model(), heads=head(threshold=probability, margin=0.01))
    assert classify.score_one(near, COMPLAINT).close[0, 0]
    assert not classify.score_one(
        replace(near, heads=head(threshold=probability, margin=0.0)), COMPLAINT
    ).close.any()


# One long unit among short ones, repeated words, words that the model doesn't know.
@pytest.mark.parametrize(
    "text", [COMPLAINT, WISH, f"{COMPLAINT} {COMPLAINT}\n{'word ' * 90}", "qzxvw export!", "?"]
)
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("per_known", [False, True])
def test_contributions_add_up_to_the_logit(text, label, per_known):
    model = with_scaling(per_known=per_known)
    column = LABELS.index(label)
    grams = [
        ngram
        for start, end in split.units(text)
        for ngram in features.distinct(text[start:end], model.features)
    ]
    weights = [
        float(model.weights[model.index[ngram.bucket], column])
        for ngram in grams
        if model.index[ngram.bucket]
    ]
    root = max(1, len(weights) if per_known else len(grams)) ** 0.5
    found = classify.contributions(model, text, label)
    assert sum(weight for _, weight in found) == pytest.approx(sum(weights) / root, abs=1e-9)
    assert len({ngram for ngram, _ in found}) == len(found)
    sizes = [abs(weight) for _, weight in found]
    assert sizes == sorted(sizes, reverse=True)
    # And that is what the decision rests on: with a stack of the document's logit alone.
    alone = replace(model, heads=head(stack=(1.0, 0, 0, 0, 0, 0.0)))
    expected = 1 / (1 + np.exp(-(sum(weights) / root + model.bias[column])))
    if len(found) >= LEAST_KNOWN:
        assert classify.score_one(alone, text).probability[0, column] == pytest.approx(expected, abs=1e-5)


def test_contributions_of_nothing_and_of_an_unknown_label():
    assert classify.contributions(trained.model(), "", GAP) == []
    with pytest.raises(KeyError, match="praise"):
        classify.contributions(trained.model(), COMPLAINT, "praise")


def test_stack():
    document = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    unit = np.array([0.5, -1.0, 2.0, -20.0], dtype=np.float32)
    found = stack(document, unit, np.array([0, 3, 3, 4]))
    assert STACKED == ("document", "best_unit", "second_unit", "all_units", "log_units")
    odds = np.exp([0.5, -1.0, 2.0]).sum()
    np.testing.assert_allclose(
        found,
        [
            [1.0, 2.0, 0.5, np.log(odds + np.exp(-8)), np.log(4)],
            # No unit, and a unit as unlikely as none.
            [2.0, -8.0, -8.0, -8.0, 0.0],
            [3.0, -8.0, -8.0, -8.0, np.log(2)],
        ],
        atol=1e-5,
    )


def test_stack_of_no_documents():
    nothing = np.zeros(0, dtype=np.float32)
    assert stack(nothing, nothing, np.array([0])).shape == (0, len(STACKED))


def test_sigmoid_neither_overflows_nor_bends():
    with np.errstate(all="raise"):
        found = sigmoid(np.array([-1e9, -1.0, 0.0, 1.0, 1e9]))
    np.testing.assert_allclose(found, [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1], atol=1e-12)


WORDS = ("red", "blue", "green", "north", "south", "small", "large", "old", "new", "tall")


def test_a_very_long_text_is_decided_by_its_best_part():
    places = [f"{one} {two}" for one in WORDS for two in WORDS]
    dull = " ".join(f"The meeting is in the {place} at ten." for place in places)
    texts = ["The meeting is on Tuesday at ten. ", "The meeting is on Tuesday at ten. " * 5_000, dull]
    complaints = " ".join(f"{COMPLAINT[:-1]} in the {word} room." for word in WORDS)
    texts.append(f"{dull}\n{complaints}\n{dull}")
    scores = classify.score_texts(trained.model(), texts)
    # The same again and again is no surer than once.
    np.testing.assert_allclose(scores.probability[1], scores.probability[0], atol=1e-6)
    texts, scores = texts[1:], classify.score_texts(trained.model(), texts[1:])
    assert scores.probability[2, 0] > scores.probability[1, 0] + 0.05
    begin, stop = scores.deciding[2, 0]
    decided = texts[2][scores.start[begin] : scores.end[stop - 1]]
    assert COMPLAINT[:-1] in decided
    assert len(decided) < 3_000
    assert_same(scores, classify.score_texts(trained.model(), texts))


def test_a_text_up_to_the_longest_is_one_part_and_a_longer_one_has_parts_of_about_equal_size():
    lengths = np.array([1, LONGEST - 21, 20, 250, 250, 550, 250, 300, 5])
    first = np.array([0, 0, 3, 7, 7, 9])
    owner = np.repeat(np.arange(5), np.diff(first))
    found = parts.cut(first, owner, lengths)
    assert found.first.tolist() == [0, 0, 3, 6, 7, 7, 9]
    assert found.starts.tolist() == [0, 1, 2, 4, 5]
    best = found.best(np.array([1.0, 2.0, 5.0, 5.0, 0.0, -1.0]))
    assert best.logit.tolist() == [1.0, 2.0, 5.0, 0.0, -1.0]
    assert best.units.tolist() == [[0, 0], [0, 3], [3, 6], [7, 7], [7, 9]]


def test_what_is_said_over_and_over_counts_once():
    once, often = f"{COMPLAINT} {WISH} {BROKEN_PROMISE}", f"{COMPLAINT} {WISH} {BROKEN_PROMISE} " * 4
    texts = [WISH, often, "", f"{WISH} {WISH}"]
    scores = classify.score_texts(trained.model(), texts)
    alone = [classify.score_texts(trained.model(), [text]) for text in [*texts, once]]
    np.testing.assert_array_equal(scores.probability, [found.probability[0] for found in alone[:4]])
    np.testing.assert_array_equal(scores.probability[1], alone[4].probability[0])
    units = slice(*scores.first[1:3])
    assert scores.again[units].tolist() == [False] * 3 + [True] * 9
    assert not scores.evidence[units][3:].any()
    assert not scores.unit_probability[units][3:].any()
    np.testing.assert_array_equal(scores.evidence[units][:3], alone[4].evidence)
    # The first of them decided, counted among all units of the batch.
    assert (scores.deciding[1] == [scores.first[1], scores.first[1] + 3]).all()
    assert not np.delete(scores.again, np.r_[units]).any()


@given(
    st.lists(st.lists(st.sampled_from([COMPLAINT, WISH, "Thanks!", "...", "qzxv."]), max_size=14), max_size=5)
)
@settings(max_examples=60)
def test_what_is_said_again_is_marked_as_the_twin_marks_it(documents):
    texts = ["\n".join(sentences) for sentences in documents]
    scores = classify.score_texts(trained.model(), texts)
    for row, text in enumerate(texts):
        own = slice(*scores.first[row : row + 2])
        alone = classify.score_one(trained.model(), text)
        assert scores.again[own].tolist() == alone.again.tolist()
        np.testing.assert_array_equal(scores.evidence[own], alone.evidence)
        np.testing.assert_array_equal(scores.deciding[row] - scores.first[row], alone.deciding[0])


def test_parts_of_no_documents():
    found = parts.cut(np.array([0]), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32))
    assert (found.first.tolist(), found.starts.tolist()) == ([0], [])
    assert found.best(np.zeros(0)).units.shape == (0, 2)


def test_contributions_of_a_long_text_are_those_of_the_part_that_decided():
    dull = " ".join(f"The meeting is in the {one} {two} at ten." for one in WORDS for two in WORDS)
    text = f"{dull}\n{f'{COMPLAINT} ' * 15}"
    model = replace(trained.model(), heads=head(stack=(1.0, 0, 0, 0, 0, 0.0)))
    total = sum(weight for _, weight in classify.contributions(model, text, LABELS[0]))
    expected = 1 / (1 + np.exp(-(total + model.bias[0])))
    assert classify.score_texts(model, [text]).probability[0, 0] == pytest.approx(expected, abs=1e-5)


def test_a_short_unit_is_no_evidence_beside_a_long_one():
    model = replace(trained.model(), heads=head(threshold=0.0, unit_threshold=1.0))
    scores = classify.score_one(model, f"Crash!\n{WISH}\nBye")
    assert not scores.evidence[[0, 2]].any()
    assert classify.score_one(model, "Crash! Bad").evidence.any()
