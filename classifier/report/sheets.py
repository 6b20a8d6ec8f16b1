"""backlogs.xlsx: the tables of a run as a workbook for people.

In: Results. Out: the bytes of a workbook, the same for the same tables. Never writes a formula or a
link: text stays text, whatever it begins with.
"""

import datetime as dt
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from classifier.labels import LABELS, TITLES
from classifier.report import numbers
from classifier.report.results import Results, frequencies

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MOST_CHARACTERS: Final = 32_767
"""Excel repairs, that is truncates, a file with a longer cell."""

_WIDE: Final = ("title", "claim", "next_step", "note", "exemplar", "quote_1", "quote_2", "quote_3")
_SHARES: Final = ("share", "share_of_owner")
_LONG: Final = 48
_MOST_ROWS: Final = 1_048_575
# A fixed time: the clock would make every file different.
_CREATED: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def workbook_bytes(results: Results) -> bytes:
    """Return backlogs.xlsx: Summary, both backlogs, claims (where given), themes, data quality."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": results.title, "created": _CREATED.replace(tzinfo=None)})
        styles = _Styles(book)
        _write_pairs(book.add_worksheet("Summary"), _summary(results), styles)
        _write_table(book.add_worksheet("Product backlog"), results.product_backlog, styles)
        _write_table(book.add_worksheet("Marketing backlog"), results.marketing_backlog, styles)
        if results.has_claims:
            _write_table(book.add_worksheet("Claims at risk"), results.claims_at_risk, styles)
        _write_table(book.add_worksheet("Themes"), results.themes, styles)
        _write_pairs(book.add_worksheet("Data quality"), _quality(results), styles)
    return buffer.getvalue()


class _Styles:
    """The few formats of the workbook."""

    def __init__(self, book: "Workbook") -> None:
        self.head: Format = book.add_format(
            {"bold": True, "bottom": 1, "bg_color": "#E8EEF1", "valign": "top"}
        )
        self.bold: Format = book.add_format({"bold": True})
        self.text: Format = book.add_format({"valign": "top"})
        self.wrapped: Format = book.add_format({"valign": "top", "text_wrap": True})
        self.day: Format = book.add_format({"valign": "top", "num_format": "yyyy-mm-dd"})
        self.share: Format = book.add_format({"valign": "top", "num_format": "0%"})
        self.real: Format = book.add_format({"valign": "top", "num_format": "#,##0.00"})
        self.whole: Format = book.add_format({"valign": "top", "num_format": "#,##0"})

    def of(self, name: str, column: pd.Series) -> "Format":
        if name in _SHARES:
            return self.share
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            return self.day
        if pd.api.types.is_float_dtype(column.dtype):
            return self.whole if name == "revenue" else self.real
        if pd.api.types.is_integer_dtype(column.dtype):
            return self.whole
        return self.wrapped if name in _WIDE else self.text


def _write_table(sheet: "Worksheet", frame: pd.DataFrame, styles: _Styles) -> None:
    rows = frame.head(_MOST_ROWS)
    for at, name in enumerate(rows.columns):
        style = styles.of(name, rows[name])
        sheet.set_column(at, at, _width(name, rows[name]))
        sheet.write_string(0, at, numbers.words(name), styles.head)
        for row, value in enumerate(_values(rows[name]), start=1):
            _write_cell(sheet, row, at, value, style)
    sheet.freeze_panes(1, min(3, len(rows.columns)))
    sheet.autofilter(0, 0, max(len(rows), 1), len(rows.columns) - 1)


def _write_cell(sheet: "Worksheet", row: int, at: int, value: Any, style: "Format") -> None:
    if value is None:
        sheet.write_blank(row, at, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, at, _fitting(value), style)
    elif isinstance(value, dt.datetime):
        sheet.write_datetime(row, at, value, style)
    else:
        sheet.write_number(row, at, value, style)


def _values(column: pd.Series) -> list[Any]:
    """Return Python values, None where there is none; Excel knows no time zones: UTC."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return [None if pd.isna(value) else value.to_pydatetime() for value in column.dt.tz_localize(None)]
    if pd.api.types.is_numeric_dtype(column.dtype):
        finite = column.abs() < float("inf")
        return [value.item() if ok else None for value, ok in zip(column.to_numpy(), finite, strict=True)]
    return [value or None for value in column]


def _fitting(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _width(name: str, column: pd.Series) -> float:
    if name in _WIDE:
        return float(_LONG)
    longest = int(column.str.len().max()) if len(column) and column.dtype == "str" else 10
    return float(min(max(longest, len(name)) + 3, _LONG // 2))


def _write_pairs(sheet: "Worksheet", pairs: list[tuple[str, Any]], styles: _Styles) -> None:
    """Write names and values; a pair without a value is a heading."""
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, 1, 24)
    for row, (name, value) in enumerate(pairs):
        sheet.write_string(row, 0, _fitting(name), styles.bold if value is None else styles.text)
        if value is not None:
            _write_cell(sheet, row, 1, value, styles.whole if isinstance(value, int) else styles.text)


def _summary(results: Results) -> list[tuple[str, Any]]:
    summary = results.summary
    return [
        (results.title, None),
        ("Period", numbers.period(summary.first, summary.last)),
        *([("Part of", results.department)] if results.department else []),
        *([("As of", numbers.day(results.as_of))] if results.as_of_given else []),
        ("Model", results.model_id),
        *([("Of the whole company", None)] if results.department else []),
        ("Documents scored", summary.documents),
        ("Accounts", len(summary.accounts)),
        *((numbers.words(TITLES[label]), summary.per_label.get(label, 0)) for label in LABELS),
        ("Without a label", summary.unlabelled),
        ("Product backlog: first three, and their documents", None),
        *_first_three(results.product_backlog),
        ("Marketing backlog: first three, and their documents", None),
        *_first_three(results.marketing_backlog),
        ("How to read the tables", None),
        ("Mentions", "distinct documents"),
        ("Trend", "-1 to 1: 0.33 is +100 %, -0.33 is -50 %"),
        ("", "may be chance where trend low and trend high differ in sign (marketing: report.html tells)"),
        ("Revenue", "an account counts in each of its rows: don't add rows up"),
        *([("Confirmed", "nobody has checked yet")] if _unchecked(results) else []),
    ]


def _unchecked(results: Results) -> bool:
    return results.has_claims and not (results.claims_at_risk["confirmed"] > 0).any()


def _first_three(backlog: pd.DataFrame) -> list[tuple[str, Any]]:
    top = backlog.head(3)
    columns = zip(top["rank"].tolist(), top["title"].tolist(), top["mentions"].tolist(), strict=True)
    return [(f"{rank}. {title}", mentions) for rank, title, mentions in columns]


def _quality(results: Results) -> list[tuple[str, Any]]:
    summary = results.summary
    return [
        ("Rows", None),
        *((numbers.words(name), number) for name, number in results.rows.as_dict().items()),
        ("Marked for review", summary.review),
        ("Without a readable date", summary.undated),
        *_counted("For review, because", summary.review_reasons),
        *_counted("Rejected, because", frequencies(results.rejected["reason"])),
        *_counted("Dropped, because", frequencies(results.dropped["reason"])),
        *_counted("Duplicates", frequencies(results.duplicates["kind"])),
        *_counted("Channels", summary.channels),
        *([("Languages", None)] if summary.languages else []),
        *((language or "not known", number) for language, number in summary.languages.items()),
        *([("Warnings", None)] if results.warnings else []),
        *((warning, "") for warning in results.warnings),
    ]


def _counted(title: str, counts: Mapping[str, int]) -> list[tuple[str, Any]]:
    if not counts:
        return []
    return [
        (title, None),
        *((numbers.reason(name) or "Not known", number) for name, number in counts.items()),
    ]
