import numpy as np
import pandas as pd
import pytest

from classifier import schema
from classifier.errors import SchemaError

TABLES = [
    schema.DOCUMENTS,
    schema.REJECTED,
    schema.DROPPED,
    schema.DUPLICATES,
    schema.SCORED,
    schema.EVIDENCE,
    schema.THEMES,
    schema.PRODUCT_BACKLOG,
    schema.MARKETING_BACKLOG,
    schema.CLAIMS_AT_RISK,
    schema.INFLUENCE,
    schema.CLAIMS,
    schema.CAPABILITIES,
    schema.ACCOUNTS,
    schema.OBJECTIVES,
    schema.LABELLED,
]
SMALL = {
    "name": "str",
    "at": "datetime64[us, UTC]",
    "amount": "float64",
    "row": "int64",
    "on": "bool",
    "start": "Int64",
}


def frame(**columns):
    given = {"name": ["a"], "at": ["2026-03-31"], "amount": [1.5], "row": [1], "on": [True], "start": [4]}
    return pd.DataFrame({name: pd.Series(values) for name, values in (given | columns).items()})


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_table_has_its_columns_and_types_and_stays_what_it_is(table):
    empty = schema.empty(table)
    assert dict(empty.dtypes.astype(str)) == dict(table)
    assert len(empty) == 0
    pd.testing.assert_frame_equal(schema.conform(empty, table), empty)


def test_conform_orders_types_and_leaves_out():
    given = frame(more=["x"], other=["y"]).iloc[:, ::-1]
    given.index = [7]
    found = schema.conform(given, SMALL, extra=["more"])
    assert list(found.columns) == [*SMALL, "more"]
    assert dict(found.dtypes.astype(str)) == {**SMALL, "more": "str"}
    assert found.index.tolist() == [0]
    assert found["at"][0] == pd.Timestamp("2026-03-31", tz="UTC")


def test_missing_values():
    missing = [None]
    found = schema.conform(
        frame(name=missing, at=missing, amount=missing, start=missing, extra=missing), SMALL, extra=["extra"]
    )
    assert found.loc[0, ["name", "extra"]].tolist() == ["", ""]
    assert found["at"].isna()[0]
    assert np.isnan(found["amount"][0])
    assert found["start"].isna()[0]


def test_a_table_that_conforms_stays_equal():
    once = schema.conform(frame(), SMALL)
    pd.testing.assert_frame_equal(schema.conform(once, SMALL), once)


def test_an_extra_column_of_the_table_keeps_the_type_of_the_table():
    found = schema.conform(frame(), SMALL, extra=["amount"])
    assert list(found.columns) == list(SMALL)
    assert found["amount"].dtype == "float64"


def test_missing_columns_are_named():
    with pytest.raises(SchemaError, match=r"columns missing: at, more; found: name, amount, row, on, start$"):
        schema.conform(frame().drop(columns="at"), SMALL, extra=["more"])
    with pytest.raises(SchemaError, match="found: none"):
        schema.conform(pd.DataFrame(), SMALL)


def test_a_column_that_is_there_twice():
    twice = pd.concat([frame(), frame()[["name"]]], axis=1)
    with pytest.raises(SchemaError, match="more than once: name; rename or drop"):
        schema.conform(twice, SMALL)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("amount", ["1", "private words"]),
        ("at", ["2026-03-31", "private words"]),
        ("at", ["2026-03-31", "2026-02-31"]),
        ("at", ["2026-03-31", "31.03.2026"]),
        ("at", [None, 1774915200]),
        ("row", ["1", "private words"]),
        ("row", [1.0, 1.5]),
        ("row", [1.0, None]),
        ("on", [True, None]),
        ("on", [True, "false"]),
        ("on", [True, 0]),
        ("start", [1, "private words"]),
        ("start", [1.0, 1.5]),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_row_alone(column, values):
    given = pd.concat([frame(), frame()], ignore_index=True)
    given[column] = pd.Series(values, dtype=object) if column != "row" else pd.Series(values)
    with pytest.raises(
        SchemaError, match=rf"column '{column}' can't be read as .*: look at row 2$"
    ) as caught:
        schema.conform(given, SMALL)
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_times_of_several_zones_and_precisions():
    given = pd.concat([frame()] * 4, ignore_index=True)
    given["at"] = pd.Series(
        ["2026-03-31", "2026-03-31T10:00Z", "2026-03-31 10:00:00.5+02:00", None], dtype=object
    )
    assert schema.conform(given, SMALL)["at"].tolist() == [
        pd.Timestamp("2026-03-31", tz="UTC"),
        pd.Timestamp("2026-03-31T10:00", tz="UTC"),
        pd.Timestamp("2026-03-31T08:00:00.5", tz="UTC"),
        pd.NaT,
    ]
