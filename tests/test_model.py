"""The door for programs: texts and tables in, scored rows out."""

from pathlib import Path

import pandas as pd
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
    ("documents", "keep", "message"),
    [
        ("It crashes.", (), "not a single one"),
        (pd.DataFrame({"comment": ["It crashes."]}), (), "no column 'text'; found: comment"),
        (pd.DataFrame({"text": ["It crashes."]}), ("plan",), "no column 'plan'; found: text"),
        (pd.DataFrame({"text": ["It crashes."], "created_at": ["soon"]}), (), "created_at"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    model: classifier.Model, documents: pd.DataFrame, keep: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        model.score(documents, keep=keep)


def test_a_model_is_found_by_name_and_by_path(model: classifier.Model) -> None:
    folder = Path(__file__).parents[1] / "models"
    assert classifier.load("default", folder=str(folder)).model_id == model.model_id
    assert classifier.load(model.loaded.folder).model_id == model.model_id
    with pytest.raises(ModelError, match="default"):
        classifier.load("defualt")
