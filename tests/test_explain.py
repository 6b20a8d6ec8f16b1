import json
import subprocess
import sys

import pandas as pd
import pytest
import trained

from classifier import classify, models, pipeline, schema
from classifier.explain import SHOWN, explanation_of
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

TEXT = "The export crashes every time. Please add a dark mode, it would be great. Thanks!"


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return models.load(trained.save(tmp_path_factory.mktemp("explain") / "1"))


def test_it_says_what_scoring_says(model):
    texts = trained.documents()["text"].tolist()[:60]
    scores = classify.score_texts(model.fast, texts)
    for row, text in enumerate(texts):
        found = explanation_of(text, model, language="en")
        best = {
            span[0]: span
            for span in sorted(classify.spans_of(scores, row), key=lambda span: (span[3], -span[1]))
        }
        for place, label in enumerate(LABELS):
            one = found["labels"][label]
            assert one["probability"] == pytest.approx(scores.probability[row, place], abs=1e-5)
            assert one["decision"] == scores.decision[row, place]
            assert one["threshold"] == round(model.fast.heads[label].threshold, 6)
            if label in best:
                _, start, end, _ = best[label]
                assert one["evidence"] == {"start": start, "end": end, "text": text[start:end]}
            else:
                assert one["evidence"] is None
        source = scores.source[row]
        assert found["expectation_source"] == (EXPECTATION_SOURCES[source] if source >= 0 else "")
        assert (found["expectation_source"] != "") == found["labels"][GAP]["decision"]
        assert found["review"] == bool(scores.close[row].any())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT id, error FROM crashes WHERE severity = 'broken'", "no_text"),
        ('Traceback (most recent call last):\n  File "a.py", line 3, in go\nValueError: broken', "no_text"),
        ("4,99 / 10", None),
        ("   ", "no_text"),
        ("The query SELECT * FROM t crashes the app every single time.", None),
    ],
)
def test_it_has_the_guards_that_scoring_has(model, text, reason):
    documents = schema.conform(
        pd.DataFrame({"body": [text], "row": [1]}).reindex(columns=list(schema.DOCUMENTS)), schema.DOCUMENTS
    )
    settings = pipeline.ScoreSettings()
    row = pipeline.score(documents, texts=documents["body"], model=model, settings=settings).iloc[0]
    found = explanation_of(text, model, language="en")
    assert [found["labels"][label]["decision"] for label in LABELS] == [row[label] for label in LABELS]
    assert found["review_reason"] == row["review_reason"]
    assert reason is None or found["review_reason"] == reason


def test_ngrams_are_the_strongest_first(model):
    found = explanation_of(TEXT, model, language="en")
    for label in LABELS:
        grams = found["labels"][label]["ngrams"]
        assert len(grams) == SHOWN
        assert [(gram["ngram"], gram["weight"]) for gram in grams] == [
            (ngram, round(weight, 6))
            for ngram, weight in classify.contributions(model.fast, TEXT, label)[:SHOWN]
        ]


def test_it_is_json(model):
    assert json.loads(json.dumps(explanation_of(TEXT, model, language="en"))) == explanation_of(
        TEXT, model, language="en"
    )


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("", "", "no_text"),
        (" \n", "", "no_text"),
        ("Die App stürzt ständig ab.", "de", "language"),
        (trained.unknown_word(), "", "uncertain"),
        ("...", "", "uncertain"),
        ("crash " * 10_000, "en", "too_long"),
    ],
)
def test_why_a_person_should_look(text, language, reason, model):
    found = explanation_of(text, model, language=language)
    assert found["review_reason"] == reason
    assert found["review"] is True


@pytest.mark.parametrize(
    ("text", "short"),
    [("Crashes", True), ("", False), ("...", False), ("SELECT id FROM a", False), ("The app crashes", False)],
)
def test_a_text_of_one_known_word_is_told_to_be_too_short(text, short):
    model = models.load(models.find("default/8", places=models.folders()))
    found = explanation_of(text, models.choose_tier(model, "fast"), language="")
    assert found["too_short"] is short
    if short:
        assert found["labels"]["pain_point"]["ngrams"]
        assert {one["probability"] for one in found["labels"].values()} == {0.0}


def test_too_short_is_what_scoring_holds_for_too_short():
    fast = models.load(models.find("default/8", places=models.folders())).fast
    for text in (
        "Crashes",
        "Crashes!",
        "Slow",
        "Too slow",
        "crashes crashes",
        "Crash\nCrash",
        "Zqxvj crashes",
    ):
        known = classify.score_one(fast, text)
        assert classify.is_too_short(fast, text, known) == (not known.probability.any()), text


def test_a_language_that_the_model_does_not_know_gets_no_label(model):
    angry = "\n".join(trained.documents()["text"][trained.documents()[GAP]].head(5))
    assert any(one["decision"] for one in explanation_of(angry, model, language="en")["labels"].values())
    found = explanation_of(angry, model, language="fr")
    assert found["language"] == "fr"
    assert found["expectation_source"] == ""
    assert not any(one["decision"] or one["evidence"] for one in found["labels"].values())


def test_it_answers_without_pandas_and_compiled_code():
    code = "import sys, classifier.explain; print({'pandas', 'numba', 'sklearn'} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=trained.ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "set()"
