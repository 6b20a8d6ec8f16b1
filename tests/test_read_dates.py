"""Dates and amounts: tables of (as written, as read)."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.amounts import dots_part_thousands, parse_amounts
from classifier.buffers import Column
from classifier.read import dates
from classifier.read import stamps as written_times
from classifier.read.dates import DateStyle, parse_dates, style_of


def texts(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def read_dates(*values: str, date_format: str = "") -> list[str]:
    style, _ = style_of(texts(*values), date_format)
    return [str(time) for time in parse_dates(texts(*values), style)[0]]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-02", "2026-03-02 00:00:00+00:00"),
        ("2026-03-02T15:10:00.000Z", "2026-03-02 15:10:00+00:00"),
        ("2026-03-02T15:10", "2026-03-02 15:10:00+00:00"),
        ("2026-03-02 15:10:00", "2026-03-02 15:10:00+00:00"),
        ("2020-10-11 15:53:25 -0800", "2020-10-11 23:53:25+00:00"),
        ("2026-03-02T15:10:00+05:30", "2026-03-02 09:40:00+00:00"),
        ("2026-03-02T15:10:00,250Z", "2026-03-02 15:10:00.250000+00:00"),
        ("2026-03-02 15:10:00 UTC", "2026-03-02 15:10:00+00:00"),
        ("2026/3/2 5:10", "2026-03-02 05:10:00+00:00"),
        ("20260302", "2026-03-02 00:00:00+00:00"),
        ("20260302T151000Z", "2026-03-02 15:10:00+00:00"),
        ("1700000000", "2023-11-14 22:13:20+00:00"),
        ("1700000000000", "2023-11-14 22:13:20+00:00"),
        ("1700000000.5", "2023-11-14 22:13:20.500000+00:00"),
        ("1700000000000000", "2023-11-14 22:13:20+00:00"),
        ("03/Jan/25 9:00 AM", "2025-01-03 09:00:00+00:00"),
        ("11/May/24 03:26 PM", "2024-05-11 15:26:00+00:00"),
        ("12/31/2025 12:05 am", "2025-12-31 00:05:00+00:00"),
        ("12/31/2025 12:05 p.m.", "2025-12-31 12:05:00+00:00"),
        ("6/21/2025 16:14", "2025-06-21 16:14:00+00:00"),
        ("21.06.2025", "2025-06-21 00:00:00+00:00"),
        ("1.2.25 8:05", "2025-02-01 08:05:00+00:00"),
        ("Mon, 02 Mar 2026 15:10:00 +0100", "2026-03-02 14:10:00+00:00"),
        ("2 Mar 2026 15:10 GMT", "2026-03-02 15:10:00+00:00"),
        ("Mon, 02 Mar 2026 15:10:00 -0800 (PST)", "2026-03-02 23:10:00+00:00"),
        ("Mon, 02 Mar 2026 15:10:00 EST", "2026-03-02 20:10:00+00:00"),
        ("Wed Aug 27 13:08:45 +0000 2008", "2008-08-27 13:08:45+00:00"),
        ("Jan 3, 2025 9:00 AM", "2025-01-03 09:00:00+00:00"),
        ("January 3rd, 2025", "2025-01-03 00:00:00+00:00"),
        ("3 Sept 1999", "1999-09-03 00:00:00+00:00"),
        ("  2026-03-02 ", "2026-03-02 00:00:00+00:00"),
        ("", "NaT"),
        ("yesterday", "NaT"),
        ("31/02/2026", "NaT"),
        ("2026-02-30", "NaT"),
        ("25/25/2025", "NaT"),
        ("12/31/2025 25:00", "NaT"),
        ("12/31/2025 13:00 PM", "NaT"),
        ("12/31/2025 10:00 XYZ", "NaT"),
        ("3 Foo 2025", "NaT"),
        ("1989-12-31", "NaT"),
        ("2101-01-01", "NaT"),
        ("0000-00-00", "NaT"),
        ("45000", "2023-03-15 00:00:00+00:00"),
        ("2026", "NaT"),
        ("99999999999999", "NaT"),
    ],
)
def test_one_date(written, read):
    assert read_dates(written) == [read]


def test_six_styles_in_one_column():
    column = (
        "2026-03-02",
        "1772409600",
        "02/Mar/26 12:00 AM",
        "3/2/2026",
        "2.3.2026",
        "Mon, 02 Mar 2026 00:00:00 GMT",
    )
    assert read_dates(*column) == ["2026-03-02 00:00:00+00:00"] * 6


@pytest.mark.parametrize(
    ("column", "read", "note"),
    [
        (("3/4/2025", "13/4/2025"), ["04-03", "04-13"], ""),
        (("3/4/2025", "4/13/2025"), ["03-04", "04-13"], ""),
        (
            ("3/4/2025", "5/6/2025"),
            ["03-04", "05-06"],
            "took the month as first; if that is wrong: --date-format '%d/%m/%Y'",
        ),
        (("3/4/2025 9:05", "5/6/2025 9:06"), ["03-04", "05-06"], "--date-format '%d/%m/%Y %H:%M'"),
        (("3/4/2025 9:05:01 AM",), ["03-04"], "--date-format '%d/%m/%Y %I:%M:%S %p'"),
        (("3.4.2025",), ["04-03"], "took the day as first; if that is wrong: --date-format '%m.%d.%Y'"),
        (("3-4-2025", "4-25-2025"), ["03-04", "04-25"], ""),
        (("4/4/2025",), ["04-04"], ""),
        (("3/4/2025", "13/4/2025", "14/4/2025", "4/15/2025"), ["04-03", "04-13", "04-14", "04-15"], ""),
    ],
)
def test_day_and_month_by_evidence(column, read, note):
    style, said = style_of(texts(*column))
    times, _ = parse_dates(texts(*column), style)
    assert times.dt.strftime("%m-%d").tolist() == read
    assert said.endswith(note)
    assert bool(said) == bool(note)


def test_values_against_the_style_are_read_the_only_way_they_can_be_and_counted():
    times, contrary = parse_dates(
        texts("3/4/2025", "25/4/2025", "31/2/2025"), DateStyle(day_first=frozenset())
    )
    assert [str(time)[:10] for time in times] == ["2025-03-04", "2025-04-25", "NaT"]
    assert contrary == 1


def test_a_given_format_is_the_only_one_that_is_read():
    column = ("03-02-2026 10:00", "2026-03-02", " 04-02-2026 11:00 ", "")
    assert read_dates(*column, date_format="%d-%m-%Y %H:%M") == [
        "2026-02-03 10:00:00+00:00",
        "NaT",
        "2026-02-04 11:00:00+00:00",
        "NaT",
    ]


stamps = st.datetimes(min_value=pd.Timestamp("1990-01-02"), max_value=pd.Timestamp("2068-12-31"))


@settings(max_examples=80)
@given(
    moments=st.lists(stamps, min_size=1, max_size=5),
    pattern=st.sampled_from(
        [
            "%Y-%m-%dT%H:%M:%SZ",
            "%d/%b/%y %I:%M:%S %p",
            "%a, %d %b %Y %H:%M:%S +0000",
            "%B %d, %Y %H:%M:%S",
            "%Y%m%d%H%M%S",
        ]
    ),
)
def test_what_strftime_writes_is_read_back(moments, pattern):
    whole = [moment.replace(microsecond=0) for moment in moments]
    read = read_dates(*(moment.strftime(pattern) for moment in whole))
    assert read == [f"{moment}+00:00" for moment in whole]


@pytest.mark.parametrize("column", [(), ("",), ("", "x")])
def test_columns_without_dates_keep_their_length_and_type(column):
    times, contrary = parse_dates(texts(*column), DateStyle())
    assert len(times) == len(column)
    assert str(times.dtype) == "datetime64[us, UTC]"
    assert times.isna().all()
    assert contrary == 0


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("41200", 41200.0),
        ("41200.50", 41200.5),
        ("-5", -5.0),
        ("41,200", 41200.0),
        ("41,200.50", 41200.5),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("€ 41.200,50", 41200.5),
        ("€ 41.200", 41200.0),
        ("EUR 41.200", 41200.0),
        ("41.200", 41.2),
        ("12,5", 12.5),
        ("1 234,50 €", 1234.5),
        ("1\u202f234,50", 1234.5),
        ("CHF 1'200.50", 1200.5),
        ("$12k", 12000.0),
        ("US$ 2.5M", 2500000.0),
        ("12.5k EUR", 12500.0),
        ("USD 5,000", 5000.0),
        ("(300)", -300.0),
        ("£0", 0.0),
        (" 7 ", 7.0),
        ("", math.nan),
        ("abc", math.nan),
        ("n/a", math.nan),
        ("5%", math.nan),
        ("1,2,3", math.nan),
        ("1,23,456.00", math.nan),
        ("1.2.3", math.nan),
        ("inf", math.nan),
        ("nan", math.nan),
        ("..", math.nan),
        ("12 per month", math.nan),
    ],
)
def test_one_amount(written, amount):
    assert parse_amounts(texts(written)).tolist() == pytest.approx([amount], nan_ok=True)


written_stamps = st.builds(
    "{:04}-{:02}-{:02}{}".format,
    st.sampled_from([1900, 1999, 2000, 2023, 2024, 2026, 2100]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.one_of(
        st.just(""),
        st.builds(
            "{}{:02}:{:02}:{:02}{}".format,
            st.sampled_from("T "),
            st.integers(0, 25),
            st.integers(0, 61),
            st.integers(0, 61),
            st.sampled_from(["", "Z", "z", " ", "+01:00", ".5"]),
        ),
    ),
)


@settings(max_examples=150)
@given(st.lists(written_stamps | st.text("0129-T:Z ", max_size=21), min_size=1, max_size=8))
def test_times_as_most_write_them_are_read_as_all_others_are(values):
    micros, known = written_times.stamps(Column.of(values))
    slow = dates._parse_iso(texts(*values)[known])
    assert slow.notna().all()
    assert micros[known].tolist() == slow.astype("int64").tolist()


def test_a_day_and_a_time_to_the_second_are_known():
    values = ["2024-02-29", "1999-12-31T23:59:59Z", "2026-03-31 08:15:00", "2023-02-29", "2026-3-31", ""]
    assert written_times.stamps(Column.of(values))[1].tolist() == [True, True, True, False, False, False]


def test_texts_of_which_some_are_read_quickly_keep_their_places():
    found = read_dates("2026-03-02", "x", " 2026-03-03", "2026-03-04T01:02:03Z", "")
    assert [each[:10] for each in found] == ["2026-03-02", "NaT", "2026-03-03", "2026-03-04", "NaT"]


@pytest.mark.parametrize(
    ("column", "amounts"),
    [
        (["168.000", "1.234.567", "950"], [168_000, 1_234_567, 950]),
        (["168.000", "1.000,00", "EUR 3.500", "1,5"], [168_000, 1_000, 3_500, 1.5]),
        (["168.000", "12.5"], [168, 12.5]),
        (["168.000", "1,234.5"], [168, 1234.5]),
        (["168.000", "950"], [168, 950]),
        (["168.000", "12.5", "1,5"], [168, 12.5, 1.5]),
    ],
)
def test_other_values_of_a_column_tell_what_a_dot_means(column, amounts):
    given = texts(*column)
    assert parse_amounts(given, dots=dots_part_thousands(given)).tolist() == amounts


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("46082", "2026-03-01 00:00:00+00:00"),
        ("46082.75", "2026-03-01 18:00:00+00:00"),
        ("20000", ""),
        ("99999", ""),
    ],
)
def test_days_as_spreadsheets_number_them(written, read):
    assert read_dates(written) == [read or "NaT"]
