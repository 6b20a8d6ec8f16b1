"""Dates -> weekly counts, trend, status, bursts."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from themes_samples import dated

from classifier import schema
from classifier.trends import trends, weekly

AS_OF = datetime(2026, 6, 29, tzinfo=UTC)


def days_before(*days):
    return [(AS_OF - pd.Timedelta(days=day)).isoformat() for day in days]


def mentions(theme, *days):
    return [(theme, date) for date in days_before(*days)]


@cache
def corpus(per_day=3, days=180):
    return pd.Series(pd.to_datetime(days_before(*range(days)) * per_day, utc=True)).astype(schema.TIME)


def test_weeks_begin_on_monday_and_count_documents_once():
    rows = dated(("T-1", "2026-06-22T00:00Z"), ("T-1", "2026-06-28T23:59Z"), ("T-1", "2026-06-29T00:00Z"))
    twice = pd.concat([rows, rows])
    found = weekly(twice)
    assert found["week"].dt.strftime("%a %Y-%m-%d").tolist() == ["Mon 2026-06-22", "Mon 2026-06-29"]
    assert found["mentions"].tolist() == [2, 1]


def test_weekly_of_nothing():
    assert weekly(dated()).empty
    assert weekly(dated(("T-1", None))).empty


def test_growth_is_measured_against_all_documents():
    grown = mentions("T-1", *range(20), 40, 60)
    quiet = trends(dated(*grown), corpus(), as_of=AS_OF)
    busy = pd.concat([corpus(), corpus(per_day=60, days=28)])
    assert quiet.loc["T-1", "status"] == "growing"
    assert quiet.loc["T-1", "trend_low"] > 0.5
    assert trends(dated(*grown), busy, as_of=AS_OF).loc["T-1", "trend"] < 0.2


@pytest.mark.parametrize(
    ("days", "status"),
    [
        (range(1, 21), "new"),
        ((2, 30, 50, 100), "steady"),
        ((30, 35, 40, 45, 50, 55, 60, 70), "fading"),
        ((1, 2, 3, 4, 5, 6, 7, 8, 50), "growing"),
        ((100, 120), "steady"),
    ],
)
def test_status(days, status):
    assert trends(dated(*mentions("T-1", *days)), corpus(), as_of=AS_OF).loc["T-1", "status"] == status


def test_nothing_is_new_where_everything_is():
    dates = corpus(days=20)
    assert trends(dated(*mentions("T-1", 1, 2)), dates, as_of=AS_OF).loc["T-1", "status"] == "steady"
    assert trends(dated(*mentions("T-1", 1, 2)), dates, as_of=AS_OF)["trend"].isna().all()


@given(st.lists(st.integers(0, 83), min_size=4, max_size=40))
def test_the_interval_holds_the_trend(days):
    row = trends(dated(*mentions("T-1", *days)), corpus(), as_of=AS_OF).loc["T-1"]
    assert -1 <= row["trend_low"] <= row["trend"] <= row["trend_high"] <= 1
    assert row["first_seen"] <= row["last_seen"] <= pd.Timestamp(AS_OF)


@given(st.lists(st.integers(0, 83), min_size=4, max_size=20), st.integers(0, 27))
def test_a_fresh_mention_never_lowers_the_trend(days, day):
    before = trends(dated(*mentions("T-1", *days)), corpus(), as_of=AS_OF).loc["T-1", "trend"]
    after = trends(dated(*mentions("T-1", *days, day)), corpus(), as_of=AS_OF).loc["T-1", "trend"]
    assert after >= before


def test_three_mentions_are_no_trend():
    rows = dated(
        *mentions("few", 1, 2, 3), *mentions("enough", 1, 2, 3, 4), *mentions("old", 1, 100, 120, 140)
    )
    found = trends(rows, corpus(), as_of=AS_OF)
    assert found["trend"].isna().to_dict() == {"enough": False, "few": True, "old": True}
    assert found.loc["few", "status"] != "growing"


def test_a_burst_is_found_and_a_steady_hum_is_none():
    burst = mentions("burst", *([90] * 6), *([92] * 6), 10, 150)
    hum = mentions("hum", *range(0, 170, 10))
    found = trends(dated(*burst, *hum), corpus(), as_of=AS_OF)
    assert found.loc["burst", "burst_from"] <= pd.Timestamp(AS_OF) - pd.Timedelta(days=92)
    assert found.loc["burst", "burst_to"] >= pd.Timestamp(AS_OF) - pd.Timedelta(days=90)
    assert found.loc["burst", "burst_to"] - found.loc["burst", "burst_from"] < pd.Timedelta(days=21)
    assert found.loc["hum", ["burst_from", "burst_to"]].isna().all()


def test_the_latest_of_two_bursts_is_given_and_does_not_pass_the_end():
    rows = dated(*mentions("T-1", *([100] * 8), *([0] * 8)))
    found = trends(rows, corpus(), as_of=AS_OF).loc["T-1"]
    assert found["burst_from"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=14)
    assert found["burst_to"] <= pd.Timestamp(AS_OF)


def test_what_comes_after_the_end_is_left_out():
    rows = dated(*mentions("T-1", 1, 40), *mentions("T-2", -5))
    found = trends(rows, corpus(), as_of=AS_OF)
    assert found.loc["T-1", "last_seen"] == pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    assert found.loc["T-2", "status"] == ""


def test_undated_themes_and_no_themes():
    found = trends(dated(("T-1", None)), pd.Series([], dtype=schema.TIME), as_of=AS_OF)
    assert found.loc["T-1"].isna().sum() == 7
    assert found.loc["T-1", "status"] == ""
    assert trends(dated(), corpus(), as_of=AS_OF).empty


def test_order_of_rows_changes_nothing():
    rows = dated(*mentions("T-1", 1, 5, 90, 91), *mentions("T-2", 3, 40))
    shuffled = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    pd.testing.assert_frame_equal(
        trends(rows, corpus(), as_of=AS_OF), trends(shuffled, corpus(), as_of=AS_OF)
    )
