"""backlogs.xlsx: what it says, and that nothing in it runs."""

import dataclasses

import numpy as np
import pytest
from report_samples import nothing, results, sheets_of

from classifier.report import sheets


def test_workbook():
    book = sheets_of(results())
    assert book.sheetnames == [
        "Summary", "Product backlog", "Marketing backlog", "Claims at risk", "Themes", "Data quality",
    ]  # fmt: skip
    sheet = book["Product backlog"]
    backlog = results().product_backlog
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet.max_row == len(backlog) + 1
    assert [cell.value for cell in sheet[1]][:3] == ["Rank", "Theme id", "Title"]
    assert sheet["C2"].value == backlog["title"][0]
    assert sheet["F2"].value == pytest.approx(backlog["priority"][0])
    first_seen = [cell.value for cell in sheet[1]].index("First seen")
    assert sheet[2][first_seen].value == backlog["first_seen"][0].tz_localize(None).to_pydatetime().replace(
        microsecond=0
    )
    assert "Claims at risk" not in sheets_of(results(60, has_claims=False)).sheetnames
    assert sheets_of(nothing())["Product backlog"].max_row == 1


def test_workbook_cells_are_text_never_formulas_or_links():
    found = results(60)
    for value in ("=1+1", "http://example.com", "x" * 40_000):
        book = sheets_of(
            dataclasses.replace(found, product_backlog=found.product_backlog.assign(title=value))
        )
        cell = book["Product backlog"]["C2"]
        assert cell.data_type == "s"
        assert cell.hyperlink is None
        assert cell.value == value if len(value) < 32_767 else len(cell.value) == 32_767


def test_workbook_bytes_are_the_same_twice():
    assert sheets.workbook_bytes(results(60)) == sheets.workbook_bytes(results(60))


def test_workbook_leaves_out_what_is_no_number():
    found = results(60)
    book = sheets_of(dataclasses.replace(found, product_backlog=found.product_backlog.assign(revenue=np.inf)))
    header = [cell.value for cell in book["Product backlog"][1]]
    assert book["Product backlog"][2][header.index("Revenue")].value is None
