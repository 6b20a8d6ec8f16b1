"""Spans -> themes: what belongs together, ids, titles, independence of order."""

import random
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from themes_samples import SHOP, scored_rows, shop, span

from classifier import cluster, schema, settings
from classifier.areas import document_weights, known_areas, shares
from classifier.entities import evidence_of
from classifier.errors import SettingsError
from classifier.group import group
from classifier.titles import LONGEST_TITLE, naming, titles
from classifier.titles.clauses import Phrase
from classifier.vectors import fit_tfidf, unit_rows

TAGGED = settings.parse({"themes": {"area_column": "tags"}}, origin="test")
AREAS = settings.parse(
    {
        "themes": {"area_column": "tags"},
        "areas": {
            "integrations": ["QuickBooks", "duplicate invoices"],
            "scheduling": ["dispatch board"],
            "mobile": ["offline", "photos"],
        },
    },
    origin="test",
)
NO_CAPABILITIES = schema.empty(schema.CAPABILITIES)


def themed(evidence, chosen, **more):
    found = group(evidence, chosen, **more)
    return found.evidence, found.themes


def grouped(chosen=AREAS, order=None):
    return themed(evidence_of(shop(order)), chosen)


def test_what_is_said_alike_is_one_theme_and_nothing_is_lost():
    evidence, themes = grouped()
    found = evidence.drop_duplicates("document_id").groupby("theme_id")["document_id"].agg(set).tolist()
    assert sorted(map(sorted, found)) == [["d0", "d1", "d2"], ["d3", "d4", "d5"], ["d6", "d7"], ["d8"]]
    assert themes["mentions"].sum() == len(SHOP)
    assert (evidence["theme_id"] != "").all()


def test_spans_of_all_labels_meet_in_a_theme():
    evidence, _ = grouped()
    labels = evidence[evidence["document_id"] == "d1"].groupby("theme_id")["label"].agg(set)
    assert labels.tolist() == [{"pain_point", "expectation_gap"}]


def test_areas_come_from_tags_and_phrases():
    evidence, themes = grouped()
    assert themes["area"].tolist() == ["integrations", "scheduling", "mobile", ""]
    assert set(evidence[evidence["document_id"] == "d4"]["area"]) == {"scheduling"}


def test_titles_are_readable():
    _, themes = grouped()
    assert "invoice" in themes["title"][0].lower()
    assert "board" in themes["title"][1].lower()
    assert themes["title"].str.len().between(4, 60).all()


def test_ids_follow_the_first_date():
    _, themes = grouped()
    assert themes["theme_id"].tolist() == ["T-000001", "T-000002", "T-000003", "T-000004"]
    assert themes["created_at"].is_monotonic_increasing


@hypothesis_settings(max_examples=8)
@given(st.permutations(range(len(SHOP))))
def test_row_order_changes_nothing(order):
    expected_evidence, expected_themes = grouped()
    evidence, themes = grouped(order=list(order))
    pd.testing.assert_frame_equal(themes, expected_themes)
    by = ["document_id", "label"]
    pd.testing.assert_frame_equal(
        evidence.sort_values(by, ignore_index=True), expected_evidence.sort_values(by, ignore_index=True)
    )


def test_the_index_and_order_of_the_evidence_stay():
    evidence = evidence_of(shop()).iloc[::-1]
    found, _ = themed(evidence, AREAS)
    assert found.index.tolist() == evidence.index.tolist()
    assert found["quote"].tolist() == evidence["quote"].tolist()


def test_no_spans_no_themes():
    for scored in (scored_rows([]), scored_rows([{"document_id": "a", "spans": [span("", "Acme")]}])):
        evidence, themes = themed(evidence_of(scored), TAGGED)
        assert themes.empty
        assert (evidence["theme_id"] == "").all()
        assert list(themes.columns) == list(schema.THEMES)


def test_one_span_is_a_theme():
    scored = scored_rows([{"document_id": "a", "spans": [span("pain_point", "the app crashes daily")]}])
    _, themes = themed(evidence_of(scored), settings.Settings())
    assert themes[["title", "mentions", "exemplar"]].values.tolist() == [
        ["The app crashes daily", 1, "the app crashes daily"]
    ]


def test_withheld_quotes_still_make_titled_themes():
    rows = [{"document_id": str(n), "spans": [span("pain_point", "")]} for n in range(5)]
    rows += [{"document_id": "t", "tags": "board", "spans": [span("feature_request", "")]}]
    _, themes = themed(evidence_of(scored_rows(rows)), TAGGED)
    assert sorted(themes["title"]) == ["Board, Feature request", "Pain point"] or sorted(themes["title"]) == [
        "Pain point",
        "board, Feature request",
    ]


def test_a_shared_claim_draws_spans_together():
    quotes = ["it took nineteen days", "the card machine was silent", "tills froze", "we wait for ever"]
    gaps = [span("expectation_gap", quote) for quote in quotes]
    rows = [{"document_id": f"d{n}", "spans": [gap]} for n, gap in enumerate(gaps)]
    evidence = evidence_of(scored_rows(rows))
    linked = evidence.assign(near_claim=["CL-1", "CL-2", "CL-2", "CL-1"])
    found, _ = themed(linked, settings.Settings())
    assert found["theme_id"].nunique() == 2
    assert found.groupby("near_claim")["theme_id"].nunique().tolist() == [1, 1]


def test_a_missing_area_column_is_named():
    evidence = evidence_of(shop())
    chosen = settings.parse({"themes": {"area_column": "topic"}}, origin="test")
    with pytest.raises(SettingsError, match=r"themes.area_column: 'topic'.*--keep topic"):
        group(evidence, chosen)


def test_similarity_of_the_settings_wins():
    loose = settings.parse({"themes": {"area_column": "tags", "similarity": 0.01}}, origin="test")
    strict = settings.parse({"themes": {"area_column": "tags", "similarity": 0.99}}, origin="test")
    assert len(grouped(loose)[1]) < len(grouped(TAGGED)[1]) < len(grouped(strict)[1])


def test_an_encoder_can_be_given():
    class AboutTheBoard:
        def encode(self, texts):
            about = [("board" in text.lower(), "board" not in text.lower()) for text in texts]
            return np.array(about, dtype=np.float32)

    found, _ = themed(evidence_of(shop()), settings.Settings(), encoder=AboutTheBoard())
    assert found.groupby("theme_id")["document_id"].nunique().sort_values().tolist() == [3, 6]


def test_a_sample_is_told_of(monkeypatch):
    assert group(evidence_of(shop()), AREAS).warnings == ()
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 6)
    found = group(evidence_of(shop()), AREAS)
    assert found.compared == 6
    assert re.fullmatch(
        r"themes were found among 6 of 10 sentences.+ those of all to \d\.\d\d .+", found.warnings[0]
    )


def test_areas_are_weighed_by_phrases_and_capabilities():
    capabilities = pd.DataFrame(
        [["C1", "Barcode scanning of parts", "planned", "", "stock"]], columns=list(schema.CAPABILITIES)
    )
    areas = known_areas({"stock": ["van stock"], "board": ["dispatch board"]}, capabilities)
    weights = areas.score(["the dispatch board hangs", "scanning a barcode", "hello", ""])
    assert areas.names == ("board", "stock")
    assert weights.argmax(axis=1).tolist()[:2] == [0, 1]
    assert not weights[2:].any()
    assert shares(weights).sum(axis=1).round(5).tolist() == [1, 1, 0, 0]


def test_areas_fall_back_on_capabilities_then_on_tags():
    capabilities = NO_CAPABILITIES.copy()
    assert known_areas({}, capabilities, ["Sales ; new-home", ""]).names == ("new-home", "sales")
    capabilities.loc[0] = ["C1", "x", "planned", "", "stock"]
    assert known_areas({}, capabilities, ["sales"]).names == ("stock",)
    assert known_areas({}, NO_CAPABILITIES).names == ()


def test_a_tag_outweighs_a_word():
    areas = known_areas({"billing": ["invoice"], "mobile": ["phone"]}, NO_CAPABILITIES)
    documents = pd.DataFrame(
        {"text": ["the invoice on a screen", "x"], "tags": ["phone", ""]}, index=["a", "b"]
    )
    assert document_weights(documents, areas).loc["a"].idxmax() == 1


def test_shared_words_stand_in_for_phrases():
    areas = known_areas({"support": [], "reporting": []}, NO_CAPABILITIES)
    assert areas.score(["waited 40 minutes on hold", "the dashboard total is wrong"]).argmax(
        axis=1
    ).tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(3))
def test_titles_do_not_depend_on_theme_order(seed):
    texts = {
        "a": [("1", "slow board"), ("2", "board slow today")],
        "b": [("3", "lost photos"), ("4", "photos lost")],
    }
    order = random.Random(seed).sample(sorted(texts), 2)
    assert titles({name: texts[name] for name in order}) == titles(texts)


def test_titles_hold_no_placeholders_and_no_names_of_people():
    texts = {
        "a": [
            ("1", "Please call [PERSON_1] at [EMAIL] about the late invoice"),
            ("2", "Wendy has a late invoice"),
        ],
        "b": [("3", "Colin says exports fail")],
    }
    found = titles(texts)
    assert "late invoice" in found["a"].lower()
    assert "Wendy" not in found["a"]
    assert "[" not in found["a"]
    assert "Colin" not in found["b"]


def test_known_names_may_stand_in_titles():
    assert titles({"a": [("1", "no link to Gildrick")]}, known=["Gildrick"])["a"] == "No link to Gildrick"


def test_titles_of_nothing():
    assert titles({"a": [], "b": [("1", "…")]}) == {"a": "", "b": ""}
    assert titles({}) == {}


def test_titles_keep_the_case_of_the_texts():
    assert titles({"a": [("1", "duplicates in QuickBooks"), ("2", "QuickBooks duplicates")]})["a"].count(
        "QuickBooks"
    )


def test_a_bare_word_is_no_exemplar():
    quotes = [
        "routes",
        "the routes ignore live traffic every morning",
        "routes send vans through live traffic again",
    ]
    rows = [{"document_id": f"d{n}", "spans": [span("pain_point", quote)]} for n, quote in enumerate(quotes)]
    _, themes = themed(evidence_of(scored_rows(rows)), settings.Settings())
    assert "routes" not in set(themes[themes["mentions"] > 1]["exemplar"])


def test_a_short_clause_that_says_most_of_the_theme_is_its_title():
    texts = {
        "board": [
            ("1", "Board takes an age to open. We gave up."),
            ("2", "I can't open the board before nine"),
            ("3", "38 seconds to open the board, every day"),
        ],
        "texts": [
            ("4", "Texts cut off mid-season"),
            ("5", "it seems our texts are cut"),
            ("6", "texts, texts"),
        ],
    }
    assert titles(texts) == {"board": "Board takes an age to open", "texts": "Texts cut off mid-season"}


BOARD = [("1", "Board takes an age to open"), ("2", "38 seconds to open the board")]
PHONES = [
    ("5", "Phones flat by 2 pm"),
    ("6", "phones get hot and die by one. Previous version they came home half charged"),
    ("7", "on the previous version they came home charged"),
    ("8", "the phones are flat before lunch"),
]


class Meaning:
    """Knows that flat, hot and dead batteries are one matter."""

    def encode(self, texts):
        said = [set(text.lower().split()) for text in texts]
        rows = [
            (len(own & {"phones", "flat", "hot", "die"}), len(own & {"board", "open"}), 0.1) for own in said
        ]
        return unit_rows(np.array(rows, dtype=np.float32))


@pytest.mark.parametrize("seed", range(3))
def test_with_an_encoder_the_clause_most_like_the_theme_is_its_title(seed):
    texts = {"board": BOARD, "phones": PHONES}
    assert titles(texts)["phones"].startswith("Previous version")
    order = random.Random(seed).sample(sorted(texts), 2)
    found = titles({name: texts[name] for name in order}, encoder=Meaning())
    assert found == {"board": "Board takes an age to open", "phones": "Phones flat by 2 pm"}


def test_two_phrases_put_together_hold_less_than_a_clause_that_somebody_wrote():
    clause = Phrase(documents={"1"}, forms={"board takes an age": 1})
    weights = {"board": 1.0, "storm": 0.5, "day": 0.1}
    held = naming._rivals("Board: storm day", {("board", "age"): clause}, weights)
    assert held["Board takes an age"] > held["Board: storm day"]


def test_with_an_encoder_names_of_people_stay_out_of_titles():
    said = [("1", "Wendy saw the board freeze"), ("2", "the board froze twice"), ("3", "board freezes daily")]
    texts = {"board": said, "phones": PHONES}
    encoder = fit_tfidf([text for _, text in said])
    assert titles(texts, known=["Wendy"], encoder=encoder)["board"] == "Wendy saw the board freeze"
    assert "Wendy" not in titles(texts, encoder=encoder)["board"]


@pytest.mark.parametrize(
    ("texts", "title"), [(320, "Import loses folders"), (321, "Bookmarks: Import loses folders")]
)
def test_before_the_title_of_a_large_theme_stands_what_all_of_it_shares(texts, title):
    centre = [(str(n), "Import loses folders") for n in range(90)]
    edge = [(str(n), f"my bookmarks {n}") for n in range(90, texts)]
    few = [("x", "Board takes an age to open"), ("y", "38 seconds to open the board")]
    found = titles({"many": centre + edge, "few": few})
    assert found == {"few": "Board takes an age to open", "many": title}
    assert found == titles({"few": few, "many": centre + edge})


def test_no_title_is_longer_for_its_topic():
    long = "Reconciliation misunderstands transactional counterparties"
    many = [(str(n), long) for n in range(400)]
    assert titles({"many": many})["many"] == long
    assert titles({"many": [(str(n), "bookmarks") for n in range(400)]})["many"] == "Bookmarks"


def test_who_speaks_is_in_a_title_only_where_nothing_else_is_said():
    vague = [("1", "it is broken"), ("2", "they are broken"), ("3", "it is broken")]
    texts = {"vague": vague, "board": [*BOARD, ("9", "I wait for the board")]}
    assert titles({"vague": vague})["vague"] == "Broken"
    found = titles(texts, encoder=fit_tfidf([text for pairs in texts.values() for _, text in pairs]))
    assert found == {"vague": "It is broken", "board": "Board takes an age to open"}


LET_US_SAY = "Let each of us say when the update may happen, mine would be noon. Thanks!"
BATTERY = "A battery pack to keep it alive for an hour or so would be worth real money to us."


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (LET_US_SAY, "Let each of us say when the update may happen"),
        (BATTERY, "A battery pack to keep it alive for an hour…"),
    ],
)
def test_a_theme_of_few_documents_is_named_by_a_sentence(text, title):
    texts = {"one": [("1", text)], "board": BOARD * 2}
    encoder = fit_tfidf([said for pairs in texts.values() for _, said in pairs])
    lower = {"let", "a"}  # elsewhere written small: no names
    assert titles(texts, known=lower, encoder=encoder)["one"] == title


@given(st.lists(st.text(max_size=200), min_size=1, max_size=3), st.booleans())
def test_no_title_is_too_long_or_spans_lines(said, quoting):
    texts = {"one": [(str(n), text) for n, text in enumerate(said)]}
    title = titles(texts, encoder=fit_tfidf(["some", *said]), quoting=quoting)["one"]
    assert len(title) <= LONGEST_TITLE
    assert title == " ".join(title.split())


def test_titles_that_must_not_quote_are_single_words_and_short_phrases():
    texts = {"one": [("1", LET_US_SAY)], "board": BOARD * 2, "phones": PHONES}
    encoder = fit_tfidf([said for pairs in texts.values() for _, said in pairs])
    found = titles(texts, encoder=encoder, quoting=False)
    said = {text.lower().rstrip(".!") for pairs in texts.values() for _, text in pairs}
    assert all(found.values())
    assert not said & {title.lower() for title in found.values()}
    for title in found.values():
        assert all(len(part.split()) <= 3 for part in re.split("[:,] ", title))


def test_no_line_of_a_log_is_a_title():
    said = [("1", "status 1749063460073 Getting accounts"), ("2", "Accounts cannot be opened")]
    assert titles({"a": said})["a"] == "Accounts cannot be opened"
