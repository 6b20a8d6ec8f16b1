"""Parquet files and workbooks: every kind of cell, many row groups and sheets, damage told."""

import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import PACKERS, read, workbook, write

from classifier.errors import InputError


def test_parquet_columns_of_all_types(tmp_path):
    table = pa.table(
        {
            "number": pa.array([1.0, 2.5, float("nan")]),
            "text": pa.array(["a", None, "c"]).dictionary_encode(),
            "created": pa.array(
                [datetime(2026, 3, 2, 10, tzinfo=UTC), None, datetime(1900, 1, 1, tzinfo=UTC)]
            ),
            "via": pa.array([{"channel": "email"}, {"channel": None}, None]),
            "tags": pa.array([["a", "b"], [], None]),
            "flag": pa.array([True, False, None]),
            "day": pa.array([date(2026, 1, 2), None, None]),
            "blob": pa.array([b"\xff", None, b""]),
            "bytes": pa.array(["ça va".encode(), None, b"x"]),
            "nothing": pa.nulls(3),
            "vectors": pa.array([[0.5], None, []]),
            "prices": pa.array([[Decimal("1.50")], None, []]),
            "hours": pa.array([time(9, 30), None, None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    keep = ("number", "tags", "flag", "day", "blob", "bytes", "nothing", "vectors", "prices", "hours")
    result = read(tmp_path / "a.parquet", keep=keep)
    assert result.column("body") == ["a", "", "c"]
    assert result.column("channel") == ["email", "", ""]
    assert [str(time) for time in result.documents["created_at"]] == [
        "2026-03-02 10:00:00+00:00",
        "NaT",
        "NaT",
    ]
    kept = {name: result.column(f"keep:{name}") for name in keep}
    assert kept == {
        "number": ["1", "2.5", ""],
        "tags": ["a;b", "", ""],
        "flag": ["true", "false", ""],
        "day": ["2026-01-02", "", ""],
        "blob": ["ff", "", ""],
        "bytes": ["ça va", "", "x"],
        "nothing": ["", "", ""],
        "vectors": ["0.5", "", ""],
        "prices": ["1.50", "", ""],
        "hours": ["09:30:00.000000", "", ""],
    }


def test_a_parquet_file_that_is_damaged_inside_is_told(tmp_path):
    path = tmp_path / "a.parquet"
    texts = [f"text number {i * i}" for i in range(50_000)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=1_000, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"Parquet file is damaged after row \d+"):
        read(path)


def test_the_first_sheet_that_holds_anything_is_read_and_told(tmp_path):
    rows = [
        [None, None],
        ["Id", "Comment", "Created"],
        [1, "slow", datetime(2026, 3, 2, 10)],
        [],
        [2, "ugly", None],
    ]
    path = workbook(tmp_path / "a.xlsx", {"Empty": [[" "]], "Data": rows, "Other": [["text"], ["elsewhere"]]})
    result = read(path)
    assert result.documents[["document_id", "body", "row"]].values.tolist() == [
        ["1", "slow", 1],
        ["2", "ugly", 3],
    ]
    assert str(result.documents["created_at"][0]) == "2026-03-02 10:00:00+00:00"
    assert "sheet: 'Data' (also there: 'Empty', 'Other'; choose with --sheet)" in result.said
    assert read(path, sheet="Other").column("body") == ["elsewhere"]


def test_cells_of_all_kinds_and_long_sheets(tmp_path, monkeypatch):
    monkeypatch.setattr("classifier.read.sheets._CHUNK_ROWS", 2)
    moments = [date(2026, 3, 2), time(9, 30), timedelta(hours=1), True, 2.0, 2.5, None]
    path = workbook(tmp_path / "a.xlsx", {"S": [["text", 7], *([value, 1] for value in moments)]})
    result = read(path, keep=("7",))
    assert result.column("body") == ["2026-03-02", "09:30:00", "1:00:00", "true", "2", "2.5", ""]
    assert result.column("row") == [1, 2, 3, 4, 5, 6, 7]
    assert set(result.column("keep:7")) == {"1"}


def test_a_sheet_that_is_not_there_is_an_error(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"Tickets": [["text"]], "Notes": [["text"]]})
    with pytest.raises(InputError, match=r"no sheet 'tickets'; did you mean 'Tickets'.*'Tickets', 'Notes'"):
        read(path, sheet="tickets")


def test_a_cover_sheet_is_told_with_what_else_is_there(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"Cover": [["Report of March"]], "Data": [["text"], ["a"]]})
    with pytest.raises(InputError, match=r"'Report of March'.*'Data'; choose with --sheet"):
        read(path)


def test_what_excel_escapes_is_decoded(tmp_path):
    cells = ["a_x000D_\nb", "_x005F_x000D_", "_xD83D_", "snake_xy_case"]
    path = workbook(tmp_path / "a.xlsx", {"S": [["text"], *([cell] for cell in cells)]})
    assert read(path).column("body") == ["a\nb", "_x000D_", "_xD83D_", "snake_xy_case"]


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_workbooks_and_parquet_files_are_read(tmp_path, packer):
    book = workbook(tmp_path / "a.xlsx", {"S": [["text"], ["a"]]})
    table = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a"]}), table)
    for path in (book, table):
        packed = write(tmp_path / f"{path.name}.packed", PACKERS[packer](path.read_bytes()))
        assert read(packed).column("body") == ["a"]


def test_cells_beyond_the_header_reject_their_row(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"S": [["id", "text"], [1, "a", "more"], [2, "b"], [3]]})
    result = read(path)
    assert result.column("body") == ["b", ""]
    assert result.rejected[["row", "document_id", "reason"]].values.tolist() == [
        [1, "1", "3 cells where the header has 2"]
    ]


def test_a_workbook_of_empty_sheets_has_no_rows(tmp_path):
    result = read(workbook(tmp_path / "a.xlsx", {"A": [], "B": []}))
    assert len(result.documents) == 0
    assert "no rows" in result.said


def test_a_damaged_workbook_is_told(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"A": [["text"], ["a"]]})
    broken = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name)[: 40 if name.startswith("xl/worksheets") else None])
    with pytest.raises(InputError, match=r"the workbook is damaged .* open and save it again"):
        read(broken)


def test_groups_of_rows_with_dictionaries_that_do_not_fit_into_one(tmp_path):
    path = tmp_path / "a.parquet"
    # Indices of 8 bits: 270 accounts are more than one dictionary holds.
    days = [[f"account {day}-{number}" for number in range(90)] for day in range(3)]
    kind = pa.dictionary(pa.int8(), pa.string())
    tables = [
        pa.table({"text": names, "account": pa.array(names).dictionary_encode().cast(kind)}) for names in days
    ]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    assert read(path).column("account") == [name for names in days for name in names]
