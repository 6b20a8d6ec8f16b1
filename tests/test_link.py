"""Spans -> claims, capabilities, objectives: what is linked, and what is left alone."""

import numpy as np
import pandas as pd
import pytest
from themes_samples import scored_rows, span

from classifier import link, schema, sentences, settings
from classifier.entities import evidence_of

PLAIN = settings.Settings()


def table(columns, rows):
    frame = pd.DataFrame(rows, columns=list(columns)[: len(rows[0])])
    for name, dtype in columns.items():
        if name not in frame:
            frame[name] = pd.NaT if dtype == schema.TIME else ""
    return schema.conform(frame, columns)


CLAIMS = table(
    schema.CLAIMS,
    [
        ("CL-1", "Real-time QuickBooks sync. Never key an invoice twice.", "store_listing", "Apps", "Devin"),
        (
            "CL-2",
            "A dispatch board that stays fast at 500 technicians.",
            "sales_deck",
            "Enterprise",
            "Graham",
        ),
        ("CL-3", "99.95 % uptime, backed by service credits.", "website", "Trust", "Graham"),
        ("CL-4", "Unlimited customer texts included.", "ads", "Launch", "Devin"),
    ],
)
CAPABILITIES = table(
    schema.CAPABILITIES,
    [
        ("CAP-1", "Dark mode in the mobile app", "planned", "", "mobile"),
        ("CAP-2", "QuickBooks sync", "available", "https://help/qb", "integrations"),
        ("CAP-3", "Two-factor login with an authenticator app", "available", "", "admin"),
    ],
)
OBJECTIVES = table(
    schema.OBJECTIVES,
    [
        ("OBJ-1", "Get the money flow right", "", "", "Billing", "QuickBooks;invoice;duplicate"),
        ("OBJ-2", "Be ready for large fleets", "", "", "Platform", "slow board;loading"),
    ],
)


def gaps(*quotes, **columns):
    rows = [
        {
            "document_id": f"d{n}",
            "spans": [span("expectation_gap", quote)],
            "expectation_source": "advertised",
            **columns,
        }
        for n, quote in enumerate(quotes)
    ]
    return evidence_of(scored_rows(rows))


def claims_of(evidence, claims=CLAIMS):
    return link.link_claims(evidence, claims, PLAIN, capabilities=schema.empty(schema.CAPABILITIES))


SAID = (
    "the app store listing says never key an invoice twice in QuickBooks",
    "your sales deck showed a dispatch board that stays fast at 500 technicians",
    "the website says 99.95 % uptime and service credits",
    "the parking lot of your office was full again",
)


def test_meaning_links_where_no_word_is_shared():
    evidence = gaps("we were promised that the service practically never goes down, and it did twice")
    none = schema.empty(schema.CAPABILITIES)
    found = link.link_claims(evidence, CLAIMS, PLAIN, capabilities=none, sentences=sentences.load())
    assert found["claim_id"].tolist() == ["CL-3"]
    assert found["claim_candidates"][0].split(";")[0] == "CL-3"


def test_a_single_text_has_no_margin():
    assert link._margins(np.array([[0.9], [0.1]])).tolist() == [[0.0], [0.0]]
    assert np.allclose(link._margins(np.array([[0.9, 0.2, 0.5]])), [[0.4, -0.7, -0.4]])


def test_gaps_find_the_claim_they_contradict():
    found = claims_of(gaps(*SAID))
    assert found["claim_id"].tolist() == ["CL-1", "CL-2", "CL-3", ""]
    assert found["claim_stance"].tolist() == ["contradicts", "contradicts", "contradicts", ""]
    assert found["claim_score"].dropna().between(link.CLAIM_RULE_BY_WORDS.least, 1).all()
    assert found["claim_score"].isna().tolist() == [False, False, False, True]


def test_candidates_are_at_most_three_best_first():
    candidates = claims_of(gaps(*SAID))["claim_candidates"].str.split(";")
    assert candidates.str.len().tolist() == [3, 3, 3, 3]
    assert candidates.str[0].tolist()[:3] == ["CL-1", "CL-2", "CL-3"]


def test_a_claim_of_later_date_was_not_broken():
    later = CLAIMS.assign(published_at=pd.Timestamp("2026-06-01", tz="UTC"))
    found = claims_of(gaps(*SAID, created_at="2026-03-01"), later)
    assert (found["claim_id"] == "").all()
    assert (found["claim_candidates"] == "").all()
    assert (claims_of(gaps(*SAID), later)["claim_id"] != "").any()


def test_only_gaps_get_claims():
    quote = SAID[0]
    labels = ["pain_point", "feature_request", "expectation_gap", ""]
    scored = scored_rows([{"document_id": "d", "spans": [span(label, quote) for label in labels]}])
    found = claims_of(evidence_of(scored))
    assert found.loc[found["label"] != "expectation_gap", "claim_candidates"].eq("").all()
    assert found.loc[found["label"] == "expectation_gap", "claim_candidates"].ne("").all()


def test_where_an_expectation_came_from_moves_the_probability():
    advertised = claims_of(gaps(*SAID))["claim_score"]
    before = claims_of(gaps(*SAID).assign(expectation_source="before"))["claim_score"]
    assert (before[:3] <= advertised[:3]).all()
    assert before[0] < advertised[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("24 months, 30 % off", {"24", "30"}),
        ("we came on the 24th, and 24 October", set()),
        ("demo on March 3 at 1,200.50", {"1,200.50"}),
        ("the 21st of 300 vans in 2nd gear", {"300"}),
        ("4 marches, 5 augers", {"4", "5"}),
    ],
)
def test_days_and_ordinals_are_no_numbers_of_a_promise(text, numbers):
    known = ["24", "30", "3", "1,200.50", "300", "2", "4", "5", "21"]
    shared = link._shared_numbers([text], known)[0]
    found = {one for one, hit in zip(known, shared, strict=True) if hit}
    assert found == numbers


def test_requests_find_the_capability_they_ask_for():
    quotes = ["please add a dark mode to the mobile app", "a sauna for the staff would be grand"]
    rows = [{"document_id": f"d{n}", "spans": [span("feature_request", q)]} for n, q in enumerate(quotes)]
    rows.append({"document_id": "p", "spans": [span("pain_point", quotes[0])]})
    found = link.link_capabilities(evidence_of(scored_rows(rows)), CAPABILITIES, PLAIN)
    assert found["capability_id"].tolist() == ["CAP-1", "", ""]
    assert found["capability_status"].tolist() == ["planned", "", ""]


@pytest.mark.parametrize("rows", [[], [{"document_id": "a", "spans": [span("pain_point", "x")]}]])
def test_nothing_to_link(rows):
    evidence = evidence_of(scored_rows(rows))
    pd.testing.assert_frame_equal(claims_of(evidence), evidence)
    pd.testing.assert_frame_equal(link.link_capabilities(evidence, CAPABILITIES, PLAIN), evidence)


def test_no_tables_no_links():
    evidence = gaps(*SAID)
    pd.testing.assert_frame_equal(claims_of(evidence, schema.empty(schema.CLAIMS)), evidence)
    none = schema.empty(schema.CAPABILITIES)
    pd.testing.assert_frame_equal(link.link_capabilities(evidence, none, PLAIN), evidence)


def test_one_claim_alone_is_no_reason_to_link():
    assert claims_of(gaps("it rains"), CLAIMS.head(1))["claim_id"].tolist() == [""]


def test_row_order_changes_no_link():
    evidence = gaps(*SAID)
    turned = claims_of(evidence.iloc[::-1]).sort_index()
    pd.testing.assert_frame_equal(turned, claims_of(evidence))


def test_a_document_is_held_to_its_strongest_claim():
    spans = [span("expectation_gap", said, start=100 * n) for n, said in enumerate(SAID[:3])]
    scored = scored_rows([{"document_id": "d", "spans": spans, "expectation_source": "advertised"}])
    found = claims_of(evidence_of(scored))
    assert found["claim_candidates"].str[:4].nunique() > 1
    assert found.loc[found["claim_id"] != "", "claim_id"].nunique() == 1


def test_a_doubtful_span_makes_a_doubtful_link():
    sure = claims_of(gaps(*SAID))
    unsure = claims_of(gaps(*SAID).assign(score=0.09))
    assert (sure["claim_id"][:3] != "").all()
    assert (unsure["claim_id"] == "").all()
