"""Themes -> factors, priority and revenue; the quotes that stand for a theme."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rank_samples import ACCOUNTS, measured, mention
from themes_samples import scored_rows

from classifier import (
    factors,
)
from classifier.factors import examples, priorities
from classifier.labels import LABELS
from classifier.revenue import Revenue, is_open, revenue_of
from classifier.settings import FACTORS


def test_reach_counts_accounts_once_and_unknown_documents_one_each():
    rows = [mention("a", "1", "X"), mention("a", "2", "x "), mention("b", "3"), mention("b", "4")]
    found = factors.reach(measured(rows))
    assert found["a"] < found["b"] == 1


def test_mentions_are_documents():
    rows = [mention("a", "1"), mention("a", "1", label=LABELS[2]), mention("b", "2"), mention("b", "3")]
    by_key = measured(rows).by_key
    assert by_key["mentions"].tolist() == [1, 2]
    assert by_key["expected_true"].tolist() == [1.0, 2.0]
    assert factors.mentions(measured(rows))["b"] == 1


def test_revenue_is_summed_over_distinct_accounts():
    worth = Revenue(pd.Series({"x": 100.0, "y": 300.0}), "EUR")
    rows = [mention("a", "1", "X"), mention("a", "2", "X"), mention("b", "3", "X"), mention("b", "4", "Y")]
    found = measured(rows, worth)
    assert found.by_key["revenue"].tolist() == [100.0, 400.0]
    assert factors.revenue(found).tolist() == [0.5, 1.0]


def test_unknown_revenue_stays_empty_and_weighs_nothing():
    found = measured([mention("a", "1", "X")])
    assert found.by_key["revenue"].isna().all()
    assert factors.revenue(found).tolist() == [0.0]


def test_only_a_proven_trend_moves_the_factor():
    found = measured([mention(key, key) for key in "abc"])
    found.by_key["trend_low"] = [0.4, -0.2, -0.9]
    found.by_key["trend_high"] = [0.8, 0.2, -0.6]
    assert factors.trend(found).round(6).tolist() == [0.7, 0.5, 0.2]


def test_severity_adds_labels_signs_of_leaving_and_impact():
    rows = [
        mention("a", "1", label=LABELS[1], score=0.5),
        mention("b", "1"),
        mention("b", "1", label=LABELS[2], churn=True, impact="3 hours"),
    ]
    assert factors.severity(measured(rows)).round(6).tolist() == [0.05, 1.0]


def test_recency_halves_with_the_half_life():
    rows = [mention("a", "1"), mention("b", "2", age=30), mention("c", "3", age=60)]
    assert factors.recency(measured(rows)).round(6).tolist() == [1.0, 0.5, 0.25]


def test_priority_is_the_weighted_mean_of_the_factors():
    weights = {"reach": 2.0, "recency": 1.0}
    found = priorities(measured([mention("a", "1"), mention("b", "2", age=30), mention("b", "3")]), weights)
    by_hand = (2 * found["factor_reach"] + found["factor_recency"]) / 3
    assert found["priority"].tolist() == pytest.approx(by_hand.tolist(), abs=1e-6)
    assert list(found) == [*(f"factor_{name}" for name in FACTORS), "priority"]


@hypothesis_settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(0, 9), st.sampled_from(["", "X", "Y"]), st.integers(-5, 400),
            st.sampled_from(LABELS), st.floats(0, 1), st.booleans(), st.sampled_from(["", "£5"]),
        ),
        min_size=1,
        max_size=20,
    )
)  # fmt: skip
def test_every_factor_is_a_column_from_0_to_1(rows):
    spans = [
        mention(key, str(number), account, age=age, label=label, score=score, churn=churn, impact=impact)
        for key, number, account, age, label, score, churn, impact in rows
    ]
    found = priorities(measured(spans), dict.fromkeys(FACTORS, 1.0))
    assert found.notna().all(axis=None)
    assert ((found >= 0) & (found <= 1)).all(axis=None)


def test_a_further_mention_never_lowers_reach():
    rows = [mention("a", "1", "X"), mention("b", "2", "Y"), mention("b", "3", "Z")]
    assert factors.reach(measured([*rows, mention("a", "9", "W")]))["a"] >= factors.reach(measured(rows))["a"]


def test_arr_of_customers_and_open_deals_of_others_never_both():
    columns = ("document_id", "account", "amount", "stage", "created_at")
    deals = [
        ("1", "Account 0", 50.0, "Proposal", "2026-01-01"),
        ("2", "New", 80.0, "Proposal", "2026-01-01"),
        ("3", "new", 90.0, "Demo", "2026-02-01"),
        ("4", "Won", 70.0, "Closed Won", "2026-01-01"),
        ("5", "Account 3", 60.0, "Trial", "2026-01-01"),
    ]
    documents = scored_rows([dict(zip(columns, deal, strict=True)) for deal in deals])
    found = revenue_of(documents, ACCOUNTS, "EUR").amounts
    assert found.to_dict() == {"account 0": 1000.0, "account 1": 5000.0, "account 3": 60.0, "new": 90.0}


@pytest.mark.parametrize(
    ("lifecycles", "told"),
    [(["Active", "active"], "'Active', 'active'"), (["active", ""], ""), (["churned", "customer"], "")],
)
def test_a_lifecycle_that_leaves_out_every_arr_is_told(lifecycles, told):
    found = revenue_of(scored_rows([]), ACCOUNTS.head(2).assign(lifecycle=lifecycles), "EUR").warnings
    assert [f"(found: {told}), so no arr counts" in one for one in found] == [True] * bool(told)


@pytest.mark.parametrize(
    ("notes", "worth"),
    [
        ([("Demo", 80.0, "2026-01-01"), ("Proposal", 90.0, "2026-02-01")], 90.0),
        ([("Proposal", 90.0, "2026-01-01"), ("Closed Lost", 90.0, "2026-02-01")], 0.0),
        ([("Closed Won", 90.0, "2026-02-01"), ("Proposal", 90.0, "2026-01-01")], 0.0),
        ([("Proposal", 90.0, "2026-01-01"), ("Churned", None, "2026-02-01")], 0.0),
        # A row without a stage is no note of a deal.
        ([("Proposal", 90.0, "2026-01-01"), ("", None, "2026-02-01")], 90.0),
        ([("Proposal", 90.0, "2026-01-01"), ("Demo", None, "2026-02-01")], 90.0),
        # The next deal, of which no amount is known yet, isn't worth what the last one was.
        ([("Demo", 80.0, "2026-01-01"), ("Lost", 80.0, "2026-02-01"), ("Demo", None, "2026-03-01")], 0.0),
        ([("Demo", 80.0, "2026-01-01"), ("Lost", 80.0, "2026-02-01"), ("Demo", 70.0, "2026-03-01")], 70.0),
        # Of one time, in either order, the closed one decides; one without a date is the oldest.
        ([("Closed Lost", 90.0, "2026-01-01"), ("Proposal", 90.0, "2026-01-01")], 0.0),
        ([("Proposal", 90.0, "2026-01-01"), ("Closed Lost", 90.0, "2026-01-01")], 0.0),
        ([("Closed Lost", 90.0, None), ("Proposal", 90.0, "2026-01-01")], 90.0),
    ],
)
def test_the_newest_stage_of_a_deal_decides_whether_it_counts(notes, worth):
    rows = [
        {"document_id": str(at), "account": "New", "stage": stage, "amount": amount, "created_at": date}
        for at, (stage, amount, date) in enumerate(notes)
    ]
    assert revenue_of(scored_rows(rows), ACCOUNTS, "EUR").amounts.get("new", 0.0) == worth


def test_another_currency_is_counted_and_left_out():
    found = revenue_of(scored_rows([]), ACCOUNTS, "EUR")
    assert found.warnings == ("revenue is in EUR: the ARR of 1 account(s) in USD is left out",)
    repeated = revenue_of(scored_rows([]), pd.concat([ACCOUNTS, ACCOUNTS.head(1)]), "EUR")
    assert "1 row(s) repeat an account" in repeated.warnings[1]


@pytest.mark.parametrize(
    ("stage", "open_"),
    [
        ("Proposal", True),
        ("Renewal", True),
        ("Closed Lost", False),
        ("churned", False),
        ("Onboarding", False),
        ("", False),
    ],
)
def test_open_stages(stage, open_):
    assert is_open(pd.Series([stage], dtype="str")).tolist() == [open_]


def quoted(*rows):
    columns = ["key", "document_id", "account", "quote", "centrality"]
    return pd.DataFrame(rows, columns=columns).assign(score=1.0, start=0)


def test_quotes_come_from_different_documents_and_accounts():
    spans = quoted(
        ("a", "1", "X", "the board is slow", 0.9),
        ("a", "1", "X", "and it hangs", 0.85),
        ("a", "2", "x", "loading takes minutes", 0.8),
        ("a", "3", "Y", "The board is slow", 0.7),
        ("a", "4", "Z", "scrolling stutters", 0.6),
    )
    row = examples(spans, "key").loc["a"]
    assert row.tolist() == ["the board is slow", "scrolling stutters", "loading takes minutes", "1;2;3;4"]


def test_a_hundred_document_ids_then_an_ellipsis():
    spans = quoted(*(("a", f"d{n:03d}", "", "", 0.5) for n in range(101)))
    row = examples(spans, "key").loc["a"]
    assert row["document_ids"].split(";")[98:] == ["d098", "d099", "…"]
    assert row["quote_1"] == ""
