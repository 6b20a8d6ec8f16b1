"""Scored rows -> spans, competitors, signs of leaving, impact."""

import json

import pandas as pd
import pytest
from themes_samples import scored_rows, span

from classifier import schema
from classifier.entities import (
    column_values,
    document_texts,
    evidence_of,
    find_churn,
    find_competitors,
    find_impact,
)
from classifier.errors import SchemaError

RIVALS = {"Acme": ("ACME Inc", "acmecorp"), "North Star": ()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme's price", "Acme"),
        ("we had AcmeCorp before", "Acme"),
        ("North Star and Acme", "North Star;Acme"),
        ("Acme, Acme, ACME Inc", "Acme"),
        ("acme without its capital", ""),
        ("the Acmes of this world", ""),
        ("reached the acme of joy, north star", ""),
        ("", ""),
    ],
)
def test_competitors_are_whole_words_in_their_case(text, expected):
    assert find_competitors(pd.Series([text], dtype="str"), RIVALS).tolist() == [expected]


def test_competitors_keep_the_index_and_need_none():
    texts = pd.Series(["Acme", "b"], index=[7, 3], dtype="str")
    assert find_competitors(texts, RIVALS).to_dict() == {7: "Acme", 3: ""}
    assert find_competitors(texts, {}).to_dict() == {7: "", 3: ""}
    assert find_competitors(texts[:0], RIVALS).empty


def test_names_with_signs_are_taken_literally():
    assert find_competitors(pd.Series(["Is C++ (pro) better?"]), {"C++ (pro)": ()}).tolist() == ["C++ (pro)"]


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel my subscription.",
        "We will not be renewing in June.",
        "they won't renew",
        "Otherwise we'll leave.",
        "Sort it out or we are moving to Acme.",
        "They have a trial with Acme running.",
        "She has a quote from Acme.",
        "This was the last straw.",
        "We are looking at alternatives.",
        "thinking of switching to another provider",
        "Ich werde kündigen.",
        "Lost to North Star in March.",
    ],
)
def test_signs_of_leaving(text):
    assert find_churn(pd.Series([text]), RIVALS).tolist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "The customer can cancel a visit in the portal.",
        "We came from Acme last year.",
        "We have no plans to cancel our subscription.",
        "We're not leaving you.",
        "I leave the office at five.",
        "Switch to the map view.",
        "The renewal went fine.",
        "Move the visit to Friday.",
        "",
    ],
)
def test_no_signs_of_leaving(text):
    assert find_churn(pd.Series([text], dtype="str"), RIVALS).tolist() == [False]


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("costs us 3 hours a week", "3 hours a week"),
        ("every week I lose half a day", "half a day"),
        ("we were charged € 500 for it", "€ 500"),
        ("£12 a month on top", "£12 a month"),
        ("it takes 2.5 FTE to retype", "2.5 FTE"),
        ("lost two days to it", "two days"),
        ("the job is open for 24 months", ""),
        ("version 7.2 of the app", ""),
        ("it costs us half an hour a day", "half an hour a day"),
        ("they charged 11 460 EUR", "11 460 EUR"),
        ("on 4 March 300 EUR", "300 EUR"),
        ("I could pay 3-4 pounds", "3-4 pounds"),
        ("three to four hours a week lost", "three to four hours a week"),
        ("lost a few hundred pounds", "a few hundred pounds"),
        ("it took 2 h 05", "2 h 05"),
        ("the third week lost to this", ""),
        ("the 2nd morning wasted", ""),
        ("", ""),
    ],
)
def test_impact(quote, expected):
    assert find_impact(pd.Series([quote], dtype="str")).tolist() == [expected]


def test_a_rate_says_more_than_an_amount():
    assert find_impact(pd.Series(["£40 once, and two hours every Friday"])).tolist() == [
        "two hours every Friday"
    ]


def test_one_row_per_span_with_what_its_document_carries():
    scored = scored_rows(
        [
            {
                "document_id": "a",
                "account": "Brightwell",
                "expectation_source": "sold",
                "tags": "quickbooks",
                "spans": [
                    span("pain_point", "it fails, £40 a week", start=5),
                    span("expectation_gap", "you promised Acme's speed", start=40),
                ],
            },
            {"document_id": "b", "spans": []},
            {
                "document_id": "c",
                "spans": [{**span("", "Acme came up"), "competitors": ["North Star"], "churn_risk": True}],
            },
        ]
    )
    evidence = evidence_of(scored, RIVALS)
    assert list(evidence.columns[: len(schema.EVIDENCE)]) == list(schema.EVIDENCE)
    assert evidence["document_id"].tolist() == ["a", "a", "c"]
    assert evidence["expectation_source"].tolist() == ["", "sold", ""]
    assert evidence["impact"].tolist() == ["£40 a week", "", ""]
    assert evidence["competitor"].tolist() == ["", "Acme", "North Star;Acme"]
    assert evidence["churn_risk"].tolist() == [False, False, True]
    assert evidence["tags"].tolist() == ["quickbooks", "quickbooks", ""]
    assert evidence["start"].tolist() == [5, 40, 0]


def test_no_documents_and_no_spans_give_an_empty_table():
    for scored in (scored_rows([]), scored_rows([{"document_id": "a", "spans": []}])):
        evidence = evidence_of(scored, RIVALS)
        assert evidence.empty
        assert evidence.dtypes.astype(str).to_dict().items() >= schema.EVIDENCE.items()


def test_a_table_that_was_not_scored_is_refused():
    with pytest.raises(SchemaError, match=r"columns missing: .*spans"):
        evidence_of(pd.DataFrame({"document_id": ["a"]}))


def test_texts_of_a_document_do_not_depend_on_row_order():
    rows = [{"document_id": "a", "subject": "S", "tags": '["x", "y"]', "spans": [span("pain_point", "one")]}]
    rows[0]["spans"].append(span("feature_request", "two", start=9))
    evidence = evidence_of(scored_rows(rows))
    texts = document_texts(evidence.iloc[::-1], "tags")
    assert texts.to_dict("index") == {"a": {"text": "S . one . two", "tags": "x ; y"}}
    assert document_texts(evidence.iloc[:0], "tags").empty


@pytest.mark.parametrize(
    ("value", "tags"),
    [("a;b", ["a", "b"]), ('["a b", "c"]', ["a b", "c"]), ("a, b|c", ["a", "b", "c"]), ("", [])],
)
def test_tags(value, tags):
    assert column_values(value) == tags


def test_a_long_text_is_no_error():
    assert find_churn(pd.Series(["word " * 300_000 + "we will cancel our contract"])).tolist() == [True]


def test_spans_are_json():
    assert json.loads(scored_rows([{"document_id": "a", "spans": [span("pain_point", "x")]}])["spans"][0])
