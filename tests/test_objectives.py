"""Themes -> objectives: which one is touched, and that none is where nothing stands out."""

import pandas as pd
import pytest
from test_link import OBJECTIVES, PLAIN
from themes_samples import scored_rows, shop, span

from classifier import schema, sentences
from classifier.entities import evidence_of
from classifier.group import group
from classifier.objectives import link_objectives


@pytest.mark.parametrize(("silent", "touched"), [(2, "OBJ-2"), (3, "")])
def test_an_objective_is_touched_where_enough_documents_speak_of_it(silent, touched):
    quotes = ["the slow board", *["it is red"] * silent]
    rows = [{"document_id": f"d{n}", "spans": [span("pain_point", quote)]} for n, quote in enumerate(quotes)]
    evidence = evidence_of(scored_rows(rows)).assign(theme_id="T-1")
    assert set(link_objectives(evidence, OBJECTIVES)["objective_id"]) == {touched}


@pytest.mark.parametrize(
    ("quote", "touched"),
    [
        ("the board is painfully slow today", "OBJ-2"),
        ("the board is red. A very long winter is behind all of us, and so is the slow tram", ""),
    ],
)
def test_words_of_a_keyword_may_stand_apart_a_little(quote, touched):
    rows = scored_rows([{"document_id": "d", "spans": [span("pain_point", quote)]}])
    evidence = evidence_of(rows).assign(theme_id="T-1")
    assert set(link_objectives(evidence, OBJECTIVES)["objective_id"]) == {touched}


def test_meaning_finds_the_objective_of_a_theme_without_any_keyword():
    quotes = [
        "the planning screen takes forever to open since we hired more engineers",
        "with 300 engineers the schedule needs a minute before it shows",
        "the schedule crawls whenever the whole fleet is on it",
        "the coffee at your fair was nice",
    ]
    rows = [{"document_id": f"d{n}", "spans": [span("pain_point", quote)]} for n, quote in enumerate(quotes)]
    evidence = evidence_of(scored_rows(rows)).assign(theme_id=["T-1", "T-1", "T-1", "T-2"])
    assert set(link_objectives(evidence, OBJECTIVES)["objective_id"]) == {""}
    found = link_objectives(evidence, OBJECTIVES, sentences=sentences.load())
    assert found["objective_id"].tolist() == ["OBJ-2"] * 3 + [""]


def test_an_objective_with_keywords_is_not_found_by_its_other_words():
    evidence = evidence_of(
        scored_rows([{"document_id": "d", "spans": [span("pain_point", "the money flow")]}])
    )
    evidence = evidence.assign(theme_id="T-1")
    assert set(link_objectives(evidence, OBJECTIVES)["objective_id"]) == {""}
    plain = OBJECTIVES.assign(keywords="")
    assert set(link_objectives(evidence, plain)["objective_id"]) == {"OBJ-1"}


def test_themes_find_the_objective_they_touch():
    evidence = group(evidence_of(shop()), PLAIN).evidence
    found = link_objectives(evidence, OBJECTIVES)
    by_document = found.drop_duplicates("document_id").set_index("document_id")["objective_id"]
    assert by_document[["d0", "d1", "d3", "d4", "d8"]].tolist() == ["OBJ-1", "OBJ-1", "OBJ-2", "OBJ-2", ""]
    assert found.groupby("theme_id")["objective_id"].nunique().max() == 1


@pytest.mark.parametrize("rows", [[], [{"document_id": "a", "spans": [span("pain_point", "x")]}]])
def test_nothing_to_tie(rows):
    evidence = evidence_of(scored_rows(rows))
    pd.testing.assert_frame_equal(link_objectives(evidence, OBJECTIVES), evidence)
    grouped = evidence.assign(theme_id="T-1")
    pd.testing.assert_frame_equal(link_objectives(grouped, schema.empty(schema.OBJECTIVES)), grouped)
