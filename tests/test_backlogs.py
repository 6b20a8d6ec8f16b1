"""Themes -> product and marketing backlog, claims at risk, influence; and all of it in one."""

from functools import cache

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rank_samples import AS_OF, CHOSEN, NOTHING, REFERENCES, built
from test_link import CAPABILITIES, CLAIMS
from themes_samples import scored_rows, shop, span

from classifier import (
    backlogs,
    cluster,
    encoders,
    factors,
    marketing,
    rank,
    schema,
    sentences,
    settings,
    static,
)
from classifier.entities import evidence_of
from classifier.errors import SettingsError
from classifier.trends import trends


def test_the_product_backlog_holds_every_theme_best_first():
    found = built()
    product = found.product_backlog
    assert product["rank"].tolist() == [1, 2, 3, 4]
    assert product["priority"].is_monotonic_decreasing
    assert set(product["theme_id"]) == set(found.themes["theme_id"])
    first = product.set_index("area").loc["integrations"]
    assert first["labels"] == "pain_point;expectation_gap"
    assert first["departments"] == "Billing"
    assert first["objective_id"] == "OBJ-1"
    assert first["revenue"] == 6000.0
    assert first["currency"] == "EUR"
    assert sorted(first["document_ids"].split(";")) == ["d0", "d1", "d2"]


def test_claims_at_risk_and_the_marketing_backlog():
    found = built()
    assert found.claims_at_risk["claim_id"].tolist() == ["CL-1"]
    assert found.claims_at_risk["share_of_owner"].tolist() == [1.0]
    row = found.marketing_backlog.set_index("kind").loc["claim_at_risk"]
    assert (row["claim_id"], row["owner"], row["gap_kind"]) == ("CL-1", "Devin", "communication")
    assert row["title"] == CLAIMS["claim"][0]
    assert "CL-1" in row["next_step"]
    assert found.marketing_backlog["rank"].tolist() == list(range(1, len(found.marketing_backlog) + 1))


def test_every_kind_of_marketing_work():
    request = "please give us QuickBooks sync, Servanto has QuickBooks sync"
    scored = scored_rows(
        [
            {"document_id": "1", "spans": [span("feature_request", request)]},
            {"document_id": "2", "stage": "Proposal", "spans": [span("pain_point", "the board is slow")]},
            {
                "document_id": "3",
                "expectation_source": "before",
                "spans": [span("expectation_gap", "we used to have print; we may cancel our contract")],
            },
        ]
    )
    found = built(scored).marketing_backlog.set_index("kind")
    assert set(found.index) == {"education_gap", "differentiator", "objection", "unmet_expectation"}
    assert found.loc["education_gap", "next_step"].endswith("https://help/qb")
    assert found.loc["differentiator", "competitor"] == "Servanto"
    assert found.loc["objection", "goal"] == "conversion"
    assert (found.loc["unmet_expectation", "goal"], found.loc["unmet_expectation", "gap_kind"]) == (
        "retention",
        "delivery",
    )
    assert (found["claim_id"] == "").all()


@pytest.mark.parametrize(
    ("stage", "said", "kinds"),
    [
        ("Renewal", "the board is slow", ["unmet_expectation"]),
        ("Renewal", "the board is slow, we will cancel our contract", ["objection", "unmet_expectation"]),
        ("Negotiation", "the board is slow", ["objection", "unmet_expectation"]),
    ],
)
def test_what_a_customer_says_before_a_renewal_is_an_objection_where_it_speaks_of_leaving(stage, said, kinds):
    pain, gap = span("pain_point", said), span("expectation_gap", "you said it would be quick")
    rows = [{"document_id": "1", "stage": stage, "expectation_source": "told", "spans": [pain, gap]}]
    found = built(scored_rows(rows)).marketing_backlog.set_index("kind")
    # The gap has a row of its own: it is no objection, too.
    assert sorted(found.index) == kinds
    if stage == "Renewal" and "objection" in kinds:
        assert found.loc["objection", ["mentions", "goal"]].tolist() == [1, "retention"]
        assert found.loc["objection", "next_step"] == "Write an honest answer for renewal talks"
        assert "board" in found.loc["objection", "quote_1"]


def test_a_row_about_a_competitor_quotes_who_names_it():
    rows = [
        {
            "document_id": f"{number}",
            "stage": "Negotiation",
            "spans": [
                span("pain_point", f"the dispatch board is slow on Mondays, case {number}"),
                {**span("", "they also talk to Gildrick", start=200), "competitors": ["Gildrick"]},
            ],
        }
        for number in range(2)
    ]
    found = built(scored_rows(rows)).marketing_backlog.set_index("kind").loc["objection"]
    assert found["competitor"] == "Gildrick"
    assert found["quote_1"] == "they also talk to Gildrick"
    assert "dispatch board" in found["quote_2"]
    assert found["mentions"] == 2


@pytest.mark.parametrize(
    ("near", "others", "told"),
    [
        (1, 0, ". It may contradict CL-9: hold it against it"),
        (2, 1, ". Most of these may contradict CL-9: hold them against it"),
        (1, 1, ""),
    ],
)
def test_an_unmet_expectation_names_the_claim_that_most_of_it_may_contradict(near, others, told):
    spans = [
        span("expectation_gap", f"I expected the board to be quick, case {n}") for n in range(near + others)
    ]
    rows = [
        {"document_id": f"{n}", "expectation_source": "sold", "spans": [one]} for n, one in enumerate(spans)
    ]
    evidence = evidence_of(scored_rows(rows)).assign(theme_id="T-1", centrality=1.0)
    evidence.loc[evidence["document_id"].astype(int) < near, "near_claim"] = "CL-9"
    items = marketing.items_of(evidence, CAPABILITIES)
    moves = trends(items, evidence["created_at"], as_of=AS_OF, key="item_id")
    tables = (schema.empty(schema.THEMES), CLAIMS, CAPABILITIES)
    table = marketing.marketing_backlog(items, *tables, moves, NOTHING, CHOSEN, as_of=AS_OF)
    (step,) = table["next_step"]
    assert step == "Tell Sales what may be promised here, and what not" + told


@pytest.mark.parametrize(("others", "shown"), [(0, "CAP-1"), (1, ""), (2, "")])
def test_a_theme_asks_for_what_most_of_its_requests_ask_for(others, shown):
    wanted = [span("feature_request", "please add dark mode to the mobile app")]
    rows = [{"document_id": "a", "spans": wanted}]
    for number in range(others):
        other = span("feature_request", f"please add {('bigger type', 'a larger font')[number]}")
        rows.append({"document_id": f"o{number}", "spans": [other]})
    evidence = evidence_of(scored_rows(rows)).assign(theme_id="T-1")
    evidence.loc[evidence["document_id"] == "a", "capability_id"] = "CAP-1"
    requests = evidence[evidence["label"] == "feature_request"]
    found = factors.held_by_most(requests, "theme_id", "capability_id")
    assert found.to_dict() == ({"T-1": shown} if shown else {})


def test_influence_adds_up():
    found = built()
    cells = found.influence
    pains = cells[cells["label"] == "pain_point"]
    assert pains["mentions"].sum() == 8
    assert pains["share"].sum() == pytest.approx(1, abs=1e-5)
    assert set(cells["department"]) == {"Billing", "Field"}
    assert set(built(references={}).influence["department"]) == {"Billing", "Field", ""}
    assert cells.set_index(["label", "area"]).loc[("pain_point", "integrations"), "revenue"] == 6000.0


def test_weekly_counts_hold_all_themes_together():
    weekly = built().weekly
    whole = weekly[weekly["theme_id"] == ""].groupby("label")["mentions"].sum()
    assert whole.to_dict() == {"pain_point": 8, "expectation_gap": 1, "feature_request": 1}
    parts = weekly[weekly["theme_id"] != ""].groupby("label")["mentions"].sum()
    assert parts.to_dict() == whole.to_dict()


TABLES = {
    "evidence": schema.EVIDENCE,
    "themes": schema.THEMES,
    "product_backlog": schema.PRODUCT_BACKLOG,
    "marketing_backlog": schema.MARKETING_BACKLOG,
    "claims_at_risk": schema.CLAIMS_AT_RISK,
    "influence": schema.INFLUENCE,
}


@pytest.mark.parametrize("references", [{}, REFERENCES], ids=["alone", "with tables"])
@pytest.mark.parametrize(
    "scored",
    [scored_rows([]), scored_rows([{"document_id": "a"}]), shop()],
    ids=["no documents", "no spans", "some"],
)
def test_all_tables_have_their_columns(scored, references):
    found = built(scored, references)
    for name, columns in TABLES.items():
        types = getattr(found, name).dtypes.astype(str).to_dict()
        assert types == dict(columns), name


def test_columns_without_an_input_stay_empty():
    product = built(references={}).product_backlog
    assert (product[["objective_id", "capability_id", "capability_status"]] == "").all(axis=None)
    deals = built(shop().assign(amount=float("nan")), {}).product_backlog
    assert deals["revenue"].isna().all()
    assert (deals["currency"] == "").all()


def test_documents_without_dates():
    found = backlogs.build(
        shop().assign(created_at=pd.Series([pd.NaT] * 9, dtype=schema.TIME)),
        settings=CHOSEN,
        references={},
        as_of=None,
    )
    assert found.product_backlog["trend"].isna().all()
    assert (found.product_backlog["factor_recency"] == 0).all()
    assert found.weekly.empty


def test_the_newest_date_ends_the_period_by_default():
    found = backlogs.build(shop(), settings=CHOSEN, references={}, as_of=None)
    assert found.product_backlog["factor_recency"].max() > 0.9


@cache
def in_order():
    return built()


@hypothesis_settings(max_examples=5)
@given(st.permutations(range(9)))
def test_row_order_changes_no_table(order):
    expected, found = in_order(), built(shop(list(order)))
    for name in (*TABLES, "weekly"):
        left, right = getattr(found, name), getattr(expected, name)
        if name == "evidence":
            left = left.sort_values(["document_id", "start", "label"], ignore_index=True)
            right = right.sort_values(["document_id", "start", "label"], ignore_index=True)
        pd.testing.assert_frame_equal(left, right)


def test_meaning_is_compared_and_row_order_changes_nothing():
    encoder = sentences.load()
    forwards = built(sentences=lambda: encoder)
    backwards = built(shop(list(range(9))[::-1]), sentences=lambda: encoder)
    assert forwards.vectors == backwards.vectors == f"words;{encoder.model_id}"
    for name in TABLES:
        if name != "evidence":
            pd.testing.assert_frame_equal(getattr(forwards, name), getattr(backwards, name))


def test_static_vectors_and_a_sample_do_not_depend_on_row_order_either(monkeypatch):
    monkeypatch.setattr(encoders, "SENTENCES_UP_TO", 1)
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 6)
    forwards, backwards = (
        built(shop(order), sentences=sentences.load) for order in (None, list(range(9))[::-1])
    )
    assert forwards.vectors == backwards.vectors == f"words;{static.load().model_id}"
    assert forwards.compared == 6
    assert forwards.warnings == backwards.warnings
    assert "6 of 10 sentences" in forwards.warnings[-1]
    for name in TABLES:
        if name != "evidence":
            pd.testing.assert_frame_equal(getattr(forwards, name), getattr(backwards, name))


def test_a_department_sees_its_part():
    found = built(department="Billing")
    assert found.product_backlog["departments"].tolist() == ["Billing"]
    assert found.product_backlog["rank"].tolist() == [1]
    assert set(found.influence["department"]) == {"Billing"}
    own = set(found.product_backlog["theme_id"])
    assert set(found.themes["theme_id"]) == set(found.evidence["theme_id"]) == own
    assert set(found.weekly["theme_id"]) == {"", *own}
    whole = found.weekly[found.weekly["theme_id"] == ""]
    assert whole["mentions"].sum() == found.weekly["mentions"].sum() - whole["mentions"].sum()
    assert set(found.claims_at_risk["claim_id"]) == set(found.evidence["claim_id"]) - {""} == {"CL-1"}
    # Figures are those of the whole report.
    every = built()
    assert found.claims_at_risk.equals(every.claims_at_risk)
    other = built(department="Field")
    assert len(other.claims_at_risk) == 0
    assert len(found.evidence) + len(other.evidence) == len(every.evidence)
    assert set(found.marketing_backlog["theme_id"]) <= set(found.product_backlog["theme_id"])


def test_an_unknown_department_is_named_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"'Biling'.*did you mean 'Billing'\?.*Field, Platform"):
        built(department="Biling")
    with pytest.raises(SettingsError, match="none; name them in \\[departments\\]"):
        built(references={}, chosen=settings.Settings(), department="X")


def test_labels_of_a_theme_stand_by_their_documents():
    gap, pain, request = (span(label, "x") for label in ("expectation_gap", "pain_point", "feature_request"))
    # Two spans of one document are one document.
    said = {"a": [gap], "b": [gap, pain], "c": [request, request, request], "d": [pain], "e": [gap]}
    scored = scored_rows([{"document_id": name, "spans": spans} for name, spans in said.items()])
    evidence = evidence_of(scored).assign(theme_id="T-1")
    assert rank._labels(evidence).to_dict() == {"T-1": "expectation_gap;pain_point;feature_request"}
    tie = evidence[evidence["document_id"] == "b"]
    assert rank._labels(tie).to_dict() == {"T-1": "pain_point;expectation_gap"}


@pytest.mark.parametrize(
    ("retired_at", "step"),
    [
        (None, "Hold CL-1 against these quotes: reword it, or have the product keep it"),
        ("2026-04-01", "Hold CL-1 against these quotes: reword it, or have the product keep it"),
        (
            "2026-03-31",
            "CL-1 is retired: see that it stands nowhere now, and answer those who relied on it",
        ),
    ],
)
def test_nobody_is_told_to_reword_a_claim_that_is_retired(retired_at, step):
    at = pd.to_datetime(pd.Series([retired_at, *[None] * (len(CLAIMS) - 1)]), utc=True)
    claims = CLAIMS.assign(retired_at=at.astype(schema.TIME))
    found = built(references={**REFERENCES, "claims": claims}).marketing_backlog.set_index("kind")
    assert found.loc["claim_at_risk", "next_step"] == step
    assert set(marketing.retired(claims, AS_OF)) == ({"CL-1"} if "retired" in step else set())


def test_trends_of_marketing_rows_have_their_interval():
    gaps = [
        {
            "document_id": f"d{day}",
            "account": f"A{day}",
            "created_at": f"2026-{month}-{day:02d}T10:00:00Z",
            "spans": [span("expectation_gap", "we were promised that the dispatch board is quick")],
        }
        for month, days in (("02", range(1, 3)), ("03", range(10, 15)))
        for day in days
    ]
    found = built(scored_rows(gaps), references={})
    (row,) = found.marketing_backlog.to_dict("records")
    low, high = found.moves[f"{row['kind']}:{row[marketing.ABOUT[row['kind']]]}"]
    assert low < row["trend"] < high
    assert built().moves == {}


def test_quotes_of_the_leading_label_come_first():
    said = {"a": "expectation_gap", "b": "pain_point", "c": "pain_point"}
    rows = [{"document_id": name, "spans": [span(label, f"said by {name}")]} for name, label in said.items()]
    evidence = evidence_of(scored_rows(rows)).assign(theme_id="T-1", centrality=[0.9, 0.2, 0.3])
    labels = pd.Series({"T-1": "pain_point;expectation_gap"})
    found = factors.examples(rank._telling(evidence, labels), "theme_id", first="telling").loc["T-1"]
    assert found.tolist() == ["said by c", "said by b", "said by a", "c;b;a"]
