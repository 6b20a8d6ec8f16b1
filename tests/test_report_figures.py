"""Figures as people read them, charts, and the map of influence."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from report_samples import nothing, results

from classifier import schema
from classifier.report import charts, html, numbers, views


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(1234), "1,234"),
        (numbers.count(np.nan), "–"),
        (numbers.share(0.12), "12 %"),
        (numbers.share(0.004), "0.4 %"),
        (numbers.share(0.0004), "< 0.1 %"),
        (numbers.share(0.9996), "100.0 %"),
        (numbers.share(0), "0 %"),
        (numbers.share(1), "100 %"),
        (numbers.share(np.nan), "–"),
        (numbers.money(41_200, "EUR"), "€ 41.2k"),
        (numbers.money(999, "USD"), "$ 999"),
        (numbers.money(999_960, "GBP"), "£ 1m"),
        (numbers.money(2_500_000_000, "SEK"), "SEK 2.5bn"),
        (numbers.money(5000, ""), "5k"),
        (numbers.money(np.nan, "EUR"), "–"),
        (numbers.change(0.35), "+35 %"),
        (numbers.change(-0.12), "−12 %"),
        (numbers.change(0.001), "0 %"),
        (numbers.change(np.inf), "+ > 1000 %"),
        (numbers.change(np.nan), "–"),
        (numbers.growth(1 / 3), "+100 %"),
        (numbers.growth(-1 / 3), "−50 %"),
        (numbers.growth(0), "0 %"),
        (numbers.growth(1), "+ > 1000 %"),
        (numbers.growth(-1), "−100 %"),
        (numbers.growth(np.nan), "–"),
        (numbers.score(0.725), "0.72"),
        (numbers.score(np.nan), "–"),
        (numbers.day(pd.Timestamp("2026-03-02")), "2 Mar 2026"),
        (numbers.day(pd.NaT), "–"),
        (numbers.period(pd.Timestamp("2026-03-02"), pd.Timestamp("2026-06-30")), "2 Mar to 30 Jun 2026"),
        (numbers.period(pd.Timestamp("2025-12-31"), pd.Timestamp("2026-01-01")), "31 Dec 2025 to 1 Jan 2026"),
        (numbers.period(pd.Timestamp("2026-03-02 01:00"), pd.Timestamp("2026-03-02 09:00")), "2 Mar 2026"),
        (numbers.period(None, None), ""),
        (numbers.words("claim_at_risk"), "Claim at risk"),
    ],
)
def test_figures_for_people(written, expected):
    assert written.replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 4), (3, 4), (4, 4), (5, 8), (9, 12), (16, 16), (17, 20), (33, 40), (95, 100), (101, 120)],
)
def test_axes_end_at_a_round_number(value, top):
    assert charts.nice_ceiling(value) == top


def test_every_axis_holds_its_values_in_four_whole_steps():
    for value in range(3000):
        top = charts.nice_ceiling(value)
        assert top >= value
        assert top % 4 == 0


def test_sparklines_sum_neighbours():
    assert charts.buckets([1, 2, 3, 4, 5], 2) == [12]
    assert charts.buckets([1, 2, 3, 4], 2) == [3, 7]
    assert charts.buckets([1, 2], 26) == [1, 2]
    assert charts.sparkline([1], title="x") == ""


def test_no_dates_no_chart():
    found = results(60)
    found = dataclasses.replace(found, weekly=found.weekly.iloc[:0], as_of=None)
    assert "Name the column with <code>--date-column</code>" in html.render(views.page(found))


def test_without_channels_there_is_no_map():
    found = results(60)
    assert views.page(dataclasses.replace(found, influence=found.influence.assign(channel=""))).heat is None


def test_without_departments_the_map_shows_areas():
    found = results()
    heat = views.page(dataclasses.replace(found, influence=found.influence.assign(department=""))).heat
    assert heat.by == "area"
    assert "mobile" in heat.columns
    total = sum(cell.mentions for _, cells in heat.rows for cell in cells)
    assert total == len(found.evidence.drop_duplicates(["channel", "area", "document_id"]))
    assert max(cell.step for _, cells in heat.rows for cell in cells) == 6


def test_a_document_counts_once_in_a_cell_of_the_map():
    found = results()
    # The gold labels put a few documents into two themes; none of their labels or areas counts anew.
    heat = views.page(found).heat
    assert heat.by == "department"
    cells = {
        (channel, name): cell.mentions
        for channel, row in heat.rows
        for name, cell in zip(heat.columns, row, strict=True)
    }
    mail = found.evidence[found.evidence["channel"] == "email"]
    billing = mail[mail["area"].isin(["invoicing", "payments", "integrations"])]
    assert cells["email", "Billing"] == billing["document_id"].nunique()
    by_label = found.influence[
        (found.influence["channel"] == "email") & (found.influence["department"] == "Billing")
    ]
    assert cells["email", "Billing"] < by_label["mentions"].sum()
    assert views.page(dataclasses.replace(found, evidence=schema.empty(schema.EVIDENCE))).heat is None


def weekly(weeks, start="2016-01-04"):
    return pd.DataFrame(
        {
            "theme_id": "",
            "label": "pain_point",
            "week": pd.date_range(start, periods=weeks, freq="7D", tz="UTC").as_unit("us"),
            "mentions": 2,
        }
    ).astype({"theme_id": "str", "label": "str"})


@pytest.mark.parametrize(
    ("weeks", "step", "first"),
    [
        (50, "week", "4 Jan"),
        (60, "week", "4 Jan 2016"),
        (120, "month", "Jan 2016"),
        (600, "quarter", "Q1 2016"),
    ],
)
def test_long_periods_are_shown_in_longer_steps(weeks, step, first):
    course = views.page(dataclasses.replace(nothing(), weekly=weekly(weeks))).course
    assert course.step == step
    assert course.ticks[0] == first
    assert sum(course.series[0].values) == 2 * weeks


@pytest.mark.parametrize(
    ("as_of", "unfinished"),
    [("2016-01-31 23:59", False), ("2016-01-31", False), ("2016-01-30 23:59", True), (None, False)],
)
def test_a_week_that_goes_on_is_in_the_table_only(as_of, unfinished):
    at = None if as_of is None else pd.Timestamp(as_of, tz="UTC")
    course = views.page(dataclasses.replace(nothing(), weekly=weekly(4), as_of=at)).course
    assert course.unfinished is unfinished
    assert len(course.finished[0]) == (3 if unfinished else 4)
    assert len(course.rows) == 4


def test_weeks_without_mentions_are_zero():
    gap = weekly(5).drop(index=[2])
    course = views.page(dataclasses.replace(nothing(), weekly=gap)).course
    assert course.series[0].values == (2, 2, 0, 2, 2)
