"""The door for programs: texts and tables in, scored rows out."""

import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import classifier
from classifier import schema
from classifier.errors import ModelError, SchemaError

TEXTS = [
    "The export crashes every single time and we lose an hour.",
    "",
    "Please add a dark mode. Call me: jo@example.com",
    "Die Rechnung wird jeden Monat falsch berechnet, das kostet uns sehr viel Zeit.",
]


@pytest.fixture(scope="module")
def model() -> classifier.Model:
    return classifier.load()


def test_texts_give_one_row_each_in_order(model: classifier.Model) -> None:
    scored = model.score(TEXTS)
    assert list(scored.columns) == list(schema.SCORED)
    assert scored["document_id"].tolist() == ["1", "2", "3", "4"]
    assert scored["pain_point"].tolist()[:2] == [True, False]
    assert scored["review_reason"].tolist()[1] == "no_text"
    assert scored["review_reason"].tolist()[3] == "language"
    assert set(scored["model_id"]) == {model.model_id}


def test_a_table_is_scored_like_its_texts_whatever_its_index(model: classifier.Model) -> None:
    table = pd.DataFrame({"text": TEXTS, "plan": list("abcd"), "account": "Acme"}, index=[7, 7, 3, 1])
    scored = model.score(table, keep=["plan"])
    plain = model.score(TEXTS)
    assert scored["plan"].tolist() == list("abcd")
    assert scored["account"].tolist() == ["Acme"] * 4
    assert scored.filter(like="_score").equals(plain.filter(like="_score"))


def test_whole_numbers_stay_so_where_one_is_missing(model: classifier.Model) -> None:
    nothing = float("nan")
    table = pd.DataFrame({"text": "Hi", "document_id": [7, 8, nothing], "plan": [1, nothing, nothing]})
    scored = model.score(
        table.assign(rating=[1.5, 2, nothing], none=nothing), keep=["plan", "rating", "none"]
    )
    assert scored["document_id"].tolist() == ["7", "8", ""]
    assert scored["plan"].tolist() == ["1", "", ""]
    assert scored["rating"].tolist() == ["1.5", "2.0", ""]
    assert scored["none"].tolist() == ["", "", ""]


def test_names_of_several_levels_are_refused(model: classifier.Model) -> None:
    table = pd.DataFrame([["Hi", 1]], columns=pd.MultiIndex.from_tuples([("text", "a"), ("text", "b")]))
    with pytest.raises(SchemaError, match="names of several levels; give it flat ones"):
        model.score(table)


def test_subject_and_body_are_one_text(model: classifier.Model) -> None:
    split = model.score(pd.DataFrame({"subject": ["Export"], "body": ["It crashes daily."]}))
    joined = model.score(["Export\nIt crashes daily."])
    assert split["pain_point_score"].equals(joined["pain_point_score"])
    assert split["subject"].tolist() == ["Export"]


def test_missing_texts_are_empty_ones(model: classifier.Model) -> None:
    scored = model.score(pd.DataFrame({"text": [None, "It crashes daily."]}))
    assert scored["review_reason"].tolist()[0] == "no_text"


def test_no_documents_give_no_rows_but_all_columns(model: classifier.Model) -> None:
    assert model.score([]).dtypes.astype(str).equals(schema.empty(schema.SCORED).dtypes.astype(str))


def test_quotes_are_masked_and_can_be_left_out(model: classifier.Model) -> None:
    shown = model.score(TEXTS)
    assert "jo@example.com" not in shown.to_csv()
    hidden = model.score(pd.DataFrame({"text": TEXTS, "subject": "Hello"}), quotes=False)
    assert set(hidden["subject"]) == {""}
    assert "crashes" not in hidden.to_csv()


@pytest.mark.parametrize(
    "texts",
    [
        tuple(TEXTS),
        iter(TEXTS),
        pd.Series(TEXTS, index=[7, 7, 3, 1]),
        pd.Series(TEXTS, dtype="category"),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        pa.table({"id": list("abcd"), "text": TEXTS}),
        pd.DataFrame({"body": TEXTS}),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_texts_of_every_kind_are_scored_alike(model: classifier.Model, texts: Any) -> None:
    pd.testing.assert_frame_equal(model.score(texts), model.score(TEXTS))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_missing_texts_of_a_list_are_empty_ones(model: classifier.Model, missing: Any) -> None:
    assert model.score([missing, "It crashes daily."])["review_reason"].tolist() == ["no_text", ""]


def test_halves_of_surrogate_pairs_are_no_characters(model: classifier.Model) -> None:
    broken, whole = "It crashes \ud83d daily.", "It crashes \ufffd daily."
    table = pd.DataFrame({"text": [broken], "account": ["A\udc80"], "plan": [broken]}, dtype="object")
    found = model.score(table, keep=["plan"])
    assert found["pain_point_evidence"].equals(model.score([whole])["pain_point_evidence"])
    assert (found["account"][0], found["plan"][0]) == ("A\ufffd", whole)
    assert "😡" in model.score(["It crashes \ud83d\ude21 daily."])["pain_point_evidence"][0]


@pytest.mark.parametrize(
    ("documents", "keep", "message"),
    [
        (b"It crashes.", (), "got a bytes; give a list, Series or array of texts, or a table with a column"),
        ({"text": "It crashes."}, (), "got a dict; give a list"),
        ({"It crashes."}, (), "got a set; give"),
        (None, (), "got a NoneType; give"),
        (5, (), "got an int; give"),
        ([b"It crashes."], (), "got a bytes at place 1; give"),
        (["Fine.", {"text": "It crashes."}], (), "got a dict at place 2; give"),
        ([["It crashes."]], (), "got a list at place 1; give"),
        ([404], (), "got an int at place 1; give"),
        (np.array([["It crashes.", "Fine."]]), (), "got a ndarray of 2 dimensions; give"),
        (pd.DataFrame({"text": ["Fine.", b"It crashes."]}), (), "column 'text' got a bytes at place 2; give"),
        (
            pd.DataFrame({"text": ["Fine."], "subject": [["It"]]}),
            (),
            "column 'subject' got a list at place 1",
        ),
        (
            pd.DataFrame([["It crashes.", "b"]], columns=["text", "text"]),
            (),
            "'text' is there more than once",
        ),
        (pd.DataFrame({"text": ["It crashes."]}), ("text",), "keep 'text' is the text of the documents"),
        (pd.DataFrame({"body": ["It crashes."]}), ("body",), "keep 'body' is the text of the documents"),
        (
            pd.DataFrame({"text": ["It crashes."], "plan": "a"}),
            "plan",
            "keep is a list of columns; put 'plan'",
        ),
        *(
            (
                pd.DataFrame({"text": ["It crashes."], name: "a"}),
                (name,),
                f"keep '{name}': scored rows have a",
            )
            for name in ("model_id", "language", "spans", "subject", "document_id")
        ),
        ("It crashes.", (), "not a single one"),
        (pd.DataFrame({"comment": ["It crashes."]}), (), "no column 'text'; found: comment"),
        (pd.DataFrame({"text": ["It crashes."]}), ("plan",), "no column 'plan'; found: text"),
        (pd.DataFrame({"text": ["It crashes."], "created_at": ["soon"]}), (), "created_at"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    model: classifier.Model, documents: Any, keep: Any, message: str
) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        model.score(documents, keep=keep)
    assert "crashes" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_tier_is_chosen_on_loading(model: classifier.Model) -> None:
    assert classifier.load(tier="fast").model_id == f"{model.model_id}-fast"
    assert classifier.load(tier="cascade").model_id == model.model_id
    with pytest.raises(ModelError, match="has no tier 'slow'"):
        classifier.load(tier="slow")


def test_a_model_is_found_by_name_and_by_path(model: classifier.Model) -> None:
    folder = Path(__file__).parents[1] / "models"
    assert classifier.load("default", folder=str(folder)).model_id == model.model_id
    assert classifier.load(model.loaded.folder).model_id == model.model_id
    with pytest.raises(ModelError, match="default"):
        classifier.load("defualt")
