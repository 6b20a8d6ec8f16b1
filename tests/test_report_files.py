"""CSV, Parquet and JSON lines: what is in them, and that they appear complete or not at all."""

import csv
import gc
import gzip
import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_samples import scored

from classifier import schema
from classifier.errors import InputError, OutputError
from classifier.report import writers
from classifier.report.cells import GUARDED
from classifier.report.cells import csv_records as records_of
from classifier.report.files import atomic, write_bytes
from classifier.report.scored import read_scored, read_table
from classifier.report.writers import csv_bytes, format_of, scored_writer, write_csv

NAMES = ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz", "a.csv.zst", "a.jsonl.gz", "a.jsonl.zst"]


def one_column(values, dtype):
    return pd.DataFrame(
        {"x": pd.Series(values, dtype=dtype), "y": pd.Series(["."] * len(values), dtype="str")}
    )


def cells(frame, **options):
    """Return column x of what a CSV reader sees."""
    text = csv_bytes(frame, **options).decode("utf-8")
    return [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@cmd", "'@cmd"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        (" =b", " =b"),
        ("'quoted'", "'quoted'"),
        ("'=1", "''=1"),
        ('say "hi", twice\nor not', 'say "hi", twice\nor not'),
        ("Grüße \u2028 🙂", "Grüße \u2028 🙂"),
    ],
)
def test_text_cells(value, cell):
    assert cells(one_column([value], "str")) == [cell]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5.0, "-5"),
        (41200.0, "41200"),
        (0.1, "0.1"),
        (0.12345649, "0.123456"),
        (1e-7, "0"),
        (-1e-9, "0"),
        (1e-6, "0.000001"),
        (0.1 + 0.2, "0.3"),
        (1e15, "1000000000000000"),
        (1.5e10, "15000000000"),
        (12345678901.25, "12345678901.25"),
        (1e22, "10000000000000000000000"),
        (np.nan, ""),
    ],
)
def test_real_cells(value, cell):
    assert cells(one_column([value], "float64")) == [cell]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_real_cells_are_the_rounded_number(value):
    (cell,) = cells(one_column([value], "float64"))
    assert "e" not in cell
    assert len(cell.partition(".")[2]) <= 6
    assert not cell.endswith(".")
    assert cell != "-0"
    # Two doubles lie within the last decimal from 2**33 on.
    assert float(cell) == pytest.approx(round(value, 6), abs=1.5e-6, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("2026-03-02T14:33:00Z", "2026-03-02T14:33:00Z"),
        ("2026-03-02T14:33:00.5Z", "2026-03-02T14:33:00.5Z"),
        ("2026-03-02T14:33:00.000020Z", "2026-03-02T14:33:00.00002Z"),
        ("1960-01-01T00:00:00.25Z", "1960-01-01T00:00:00.25Z"),
        (None, ""),
    ],
)
def test_time_cells(value, cell):
    times = pd.to_datetime(pd.Series([value]), utc=True, format="ISO8601").dt.as_unit("us")
    assert cells(pd.DataFrame({"x": times, "y": "."})) == [cell]


def test_flags_and_whole_numbers():
    assert cells(one_column([True, False], "bool")) == ["true", "false"]
    assert cells(one_column([3, None], "Int64")) == ["3", ""]
    assert cells(one_column([-7], "int64")) == ["-7"]


def test_csv_has_header_lf_and_no_bom_unless_asked():
    frame = one_column(["a"], "str")
    assert csv_bytes(frame) == b"x,y\na,.\n"
    assert csv_bytes(frame, bom=True) == b"\xef\xbb\xbfx,y\na,.\n"
    assert csv_bytes(frame.iloc[:0]) == b"x,y\n"


def test_one_empty_cell_is_no_empty_line():
    assert csv_bytes(pd.DataFrame({"x": pd.Series(["", "b"], dtype="str")})) == b'x\n""\nb\n'


def test_pandas_reads_the_csv_file(tmp_path):
    frame = scored(40)
    write_csv(frame, tmp_path / "s.csv")
    back = pd.read_csv(tmp_path / "s.csv")
    assert list(back.columns) == list(schema.SCORED)
    assert back["pain_point"].tolist() == frame["pain_point"].tolist()
    assert pd.to_datetime(back["created_at"], format="ISO8601").tolist() == frame["created_at"].tolist()


texts = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["=1", "'=1", "''+", "'", '"', "\n", "\r\n", "\r", ",", "-", "null", "NaN", "true", "1e5", "é🙂", " "]
    ),
)
times = st.one_of(st.none(), st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")))


@st.composite
def scored_rows(draw):
    rows = draw(st.integers(0, 4))
    columns = {}
    values = {
        schema.STR: texts,
        schema.FLAG: st.booleans(),
        schema.TIME: times,
        schema.REAL: st.one_of(st.none(), st.integers(-(10**9), 10**9).map(lambda n: n / 10**6)),
        "Int64": st.one_of(st.none(), st.integers(0, 10**12)),
    }
    for name, dtype in {**schema.SCORED, "plan": schema.STR}.items():
        column = draw(st.lists(values[dtype], min_size=rows, max_size=rows))
        if dtype == schema.TIME:
            columns[name] = pd.to_datetime(pd.Series(column, dtype="object"), utc=True).dt.as_unit("us")
        else:
            columns[name] = pd.Series(column, dtype=dtype)
    columns["spans"] = pd.Series(['[{"label":"pain_point","start":1,"quote":"=x"}]'] * rows, dtype="str")
    return schema.conform(pd.DataFrame(columns), schema.SCORED, extra=["plan"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(frame=scored_rows())
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.zst", "a.parquet"])
def test_reading_gives_back_what_was_written(name, frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("round") / name
    with scored_writer(path, extra=["plan"]) as writer:
        writer.write(frame)
    back = read_scored([path])
    if frame.empty and name.endswith("jsonl.zst"):
        frame = frame.drop(columns="plan")  # without a row, JSON lines name no columns
    pd.testing.assert_frame_equal(back, frame)


CELLS = st.one_of(st.text(max_size=8), st.text(alphabet="\"'=+-@,\r\n\tab", max_size=6))


@given(st.lists(st.tuples(CELLS, CELLS, st.booleans()), max_size=6), st.booleans())
@settings(max_examples=200)
def test_records_are_what_the_csv_module_reads(rows, guard):
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    frame = pd.DataFrame(
        {"a": pd.Series(columns[0], dtype="str"), "b": pd.Series(columns[1], dtype="str"), "c": columns[2]}
    ).astype({"c": "bool"})
    text = records_of(frame, guard=guard).decode("utf-8")
    expected = [
        [
            *(f"'{cell}" if guard and re.match(GUARDED, cell) else cell for cell in row[:2]),
            str(row[2]).lower(),
        ]
        for row in rows
    ]
    assert list(csv.reader(io.StringIO(text, newline=""))) == expected


@pytest.mark.parametrize("name", NAMES)
def test_bytes_do_not_depend_on_the_batches(name, tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "TEXT_ROWS", 7)
    frame = scored(40)
    for folder, cuts in (("one", [0, 40]), ("many", [0, 1, 1, 9, 10, 33, 40])):
        (tmp_path / folder).mkdir()
        with scored_writer(tmp_path / folder / name) as writer:
            for start, end in itertools.pairwise(cuts):
                writer.write(frame.iloc[start:end])
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
    pd.testing.assert_frame_equal(read_scored([tmp_path / "one" / name]), frame)


def test_gzip_holds_neither_name_nor_time(tmp_path):
    with scored_writer(tmp_path / "secret.csv.gz") as writer:
        writer.write(scored(2))
    content = (tmp_path / "secret.csv.gz").read_bytes()
    assert b"secret" not in content
    assert content[4:8] == bytes(4)
    assert gzip.decompress(content).startswith(b"document_id,")


def test_json_lines_hold_lists_and_nulls(tmp_path):
    frame = scored(3).assign(spans='[{"label":"pain_point"}]', account=["", 'A "B"', "C\\D"])
    frame.loc[1, "created_at"] = pd.NaT
    with scored_writer(tmp_path / "a.jsonl") as writer:
        writer.write(frame)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert rows[0]["spans"] == [{"label": "pain_point"}]
    assert [row["account"] for row in rows] == [None, 'A "B"', "C\\D"]
    assert rows[1]["created_at"] is None
    assert rows[0]["pain_point"] is True
    assert rows[0]["amount"] is None


def test_parquet_has_real_types(tmp_path):
    import pyarrow.parquet as pq

    with scored_writer(tmp_path / "a.parquet", extra=["plan"]) as writer:
        writer.write(scored(3).assign(plan="Fleet"))
    found = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "a.parquet")}
    assert found["pain_point"] == "bool"
    assert found["pain_point_score"] == "double"
    assert found["created_at"] == "timestamp[us, tz=UTC]"
    assert found["pain_point_start"] == "int64"
    assert found["plan"] == "large_string"


def test_standard_output(capfdbinary):
    with scored_writer("-", format="jsonl") as writer:
        writer.write(scored(2))
    assert len(capfdbinary.readouterr().out.splitlines()) == 2


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(csv_bytes(scored(2)))))
    pd.testing.assert_frame_equal(read_scored(["-"], format="csv"), scored(2))


def test_several_files_in_order_with_all_kept_columns(tmp_path):
    with scored_writer(tmp_path / "a.csv", extra=["plan"]) as writer:
        writer.write(scored(2).assign(plan="=Fleet"))
    with scored_writer(tmp_path / "b.parquet", bom=True) as writer:
        writer.write(scored(3).iloc[2:])
    back = read_scored([tmp_path / "b.parquet", tmp_path / "a.csv"])
    assert back["plan"].tolist() == ["", "=Fleet", "=Fleet"]
    assert back["document_id"].tolist() == [*scored(3)["document_id"].iloc[2:], *scored(2)["document_id"]]


def test_bom_is_no_part_of_the_first_name(tmp_path):
    with scored_writer(tmp_path / "a.csv", bom=True) as writer:
        writer.write(scored(2))
    assert len(read_scored([tmp_path / "a.csv"])) == 2


def test_no_paths_give_an_empty_table():
    pd.testing.assert_frame_equal(read_scored([]), schema.empty(schema.SCORED))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", r"a\.xlsx.*\.csv, \.jsonl"),
        ("scores", "can't tell the format"),
        ("a.parquet.gz", "leave .gz out"),
    ],
)
def test_names_that_tell_no_format(name, message):
    with pytest.raises(OutputError, match=message):
        format_of(name)


def test_standard_streams_need_a_format():
    with pytest.raises(OutputError, match="--format csv"), scored_writer("-", format="parquet"):
        pass
    with pytest.raises(InputError, match="--format csv"):
        read_scored(["-"], format="xml")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"id,text\n1,hello\n",
            r"31 columns|of its \d+ columns are missing.*classifier score INPUT",
        ),
        ("a.csv", b"", "empty"),
        ("a.csv", b"document_id,\xff\xfe\n", "not UTF-8"),
        ("a.csv", csv_bytes(scored(3)) + b"one,two\n", "too many or too few cells"),
        (
            "a.csv",
            csv_bytes(scored(3)).replace(b",true,0.9,", b",maybe,0.9,", 1),
            "column 'pain_point'.*true or false",
        ),
        (
            "a.csv",
            csv_bytes(scored(3)).replace(b",true,0.9,", b",true,high,", 1),
            "'pain_point_score'.*a number",
        ),
        (
            "a.csv",
            csv_bytes(scored(3)).replace(b"0.9,0,", b"0.9,0.5,", 1),
            "'pain_point_start'.*whole number",
        ),
        (
            "a.csv",
            csv_bytes(scored(3)).replace(b"2026-03-02T", b"2/3/2026 ", 1),
            "row 1 .*'created_at'.*ISO 8601",
        ),
        ("a.jsonl", b'{"document_id": "1"}\n{"docu', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", "line 1: not a JSON object"),
        ("a.parquet", b"not parquet", "not a Parquet file"),
        ("a.csv.gz", gzip.compress(csv_bytes(scored(3)))[:-20], "damaged or cut short"),
        ("a.csv.gz", b"plain", "damaged or cut short"),
        ("a.csv.zst", b"plain", "can't be read"),
        ("a.txt", b"", "not a scored file by its name.*classifier run"),
    ],
)
def test_files_that_are_not_scored_ones(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_scored([tmp_path / name])
    assert name in str(caught.value)
    assert "hello" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_scored([tmp_path / "gone.csv"])
    with pytest.raises(InputError, match="run again"):
        read_table(tmp_path / "gone.csv", schema.THEMES)


def test_tables_come_back_without_the_guard(tmp_path):
    themes = schema.empty(schema.THEMES)
    row = {name: {"int64": 3}.get(dtype) for name, dtype in schema.THEMES.items()}
    themes = schema.conform(pd.DataFrame([{**row, "title": "-10 % on renewals"}]), schema.THEMES)
    write_csv(themes, tmp_path / "themes.csv")
    assert "'-10 % on" in (tmp_path / "themes.csv").read_text()
    pd.testing.assert_frame_equal(read_table(tmp_path / "themes.csv", schema.THEMES), themes)
    with pytest.raises(InputError, match="not a table of this version"):
        read_table(tmp_path / "themes.csv", schema.REJECTED)


class StopError(Exception):
    """What may go wrong while a file is open."""


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_leaves_nothing(name, tmp_path):
    def write_half():
        with scored_writer(tmp_path / name) as writer:
            writer.write(scored(5))
            raise StopError

    with pytest.raises(StopError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_former_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write_half():
        with atomic(path) as stream:
            stream.write(b"new")
            raise StopError

    with pytest.raises(StopError):
        write_half()
    assert path.read_bytes() == b"old"


def test_an_error_of_the_reader_is_not_blamed_on_the_output(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), atomic(tmp_path / "a.txt"):
        Path(tmp_path / "other").read_bytes()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing/a.csv", "folder doesn't exist"),
        ("file/a.csv", "is a file, not a folder"),
        ("x" * 300, "shorter"),
    ],
)
def test_paths_that_cannot_be_written(path, message, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=message):
        write_csv(scored(1), tmp_path / path)


def test_a_folder_is_in_the_way(tmp_path):
    (tmp_path / "a.csv" / "full").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.csv: can't be written"):
        write_bytes(tmp_path / "a.csv", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.skipif(os.name == "nt", reason="file size limits are a POSIX matter")
@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet"])
def test_disk_full(name, tmp_path):
    # A limit on the file size fails at the same places as a full disk, without filling one.
    script = f"""
import resource, sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import numpy as np
from report_samples import scored
from classifier.errors import OutputError
from classifier.report.writers import scored_writer
frame = scored(300)
frame["subject"] = [str(n) for n in np.random.default_rng(0).integers(0, 10**18, len(frame))]
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    with scored_writer({str(tmp_path / name)!r}) as writer:
        writer.write(frame)
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert f"{name}: can't be written" in done.stdout
    assert "choose another --out" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_batches_without_rows_leave_nothing_in_memory(name, tmp_path):
    def frames():
        gc.collect()
        return sum(isinstance(one, pd.DataFrame) for one in gc.get_objects())

    empty = scored(3).iloc[:0]
    with scored_writer(tmp_path / name) as writer:
        before = frames()
        for _ in range(20):
            writer.write(empty)
        assert frames() == before
        writer.write(scored(3))
    with scored_writer(tmp_path / f"b-{name}") as writer:
        writer.write(scored(3))
    assert (tmp_path / name).read_bytes() == (tmp_path / f"b-{name}").read_bytes()
