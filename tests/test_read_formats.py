"""Formats: found by content, refused with a word of help, the same rows from each."""

import gzip
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import PACKERS, read, workbook, write, zstd

from classifier.errors import InputError
from classifier.read import read_batches
from classifier.read.encoding import UTF8, Decoder
from classifier.read.json_stream import JsonStream
from classifier.read.opening import Input, blocks
from classifier.read.records import flatten

RECORDS = [
    {"id": "7", "text": "It crashes, often", "created": "2026-03-02T10:00:00Z", "amount": "41200"},
    {"id": "8", "text": 'Said "no"\nand left – café', "created": "", "amount": ""},
]
WANTED = [
    ("7", "It crashes, often", "2026-03-02T10:00:00+00:00", 41200.0, 1),
    ("8", 'Said "no"\nand left – café', "NaT", None, 2),
]


def csv_text(delimiter: str) -> str:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    rows = [list(RECORDS[0]), *(list(record.values()) for record in RECORDS)]
    return "\n".join(delimiter.join(map(quoted, row)) for row in rows) + "\n"


def written(name: str, folder) -> bytes:
    if name == "csv":
        return csv_text(",").encode()
    if name == "tsv":
        return csv_text("\t").encode()
    if name == "semicolons":
        return csv_text(";").encode("utf-16")
    if name == "json":
        return json.dumps(RECORDS, indent=2).encode()
    if name == "json object":
        return json.dumps({"page": 1, "rows": RECORDS, "next": None}).encode()
    if name == "json lines":
        return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in RECORDS).encode()
    if name == "parquet":
        pq.write_table(pa.Table.from_pylist(RECORDS), folder / "t")
    else:
        workbook(folder / "t", {"Sheet": [list(RECORDS[0]), *(each.values() for each in RECORDS)]})
    return (folder / "t").read_bytes()


TEXT_FORMATS = ["csv", "tsv", "semicolons", "json", "json object", "json lines"]


@pytest.mark.parametrize("suffix", ["", ".csv", ".JSON", ".xlsx", ".parquet", ".txt"])
@pytest.mark.parametrize("name", [*TEXT_FORMATS, "parquet", "xlsx"])
def test_the_content_decides_and_not_the_name(tmp_path, name, suffix):
    check_rows(read(write(tmp_path / f"a{suffix}", written(name, tmp_path))))


@pytest.mark.parametrize("packer", [".gz", ".zst"])
@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_packed_text_is_unpacked(tmp_path, name, packer):
    content = PACKERS[packer](written(name, tmp_path))
    result = read(write(tmp_path / "a", content))
    check_rows(result)
    assert {".gz": "gzip", ".zst": "zstd"}[packer] in result.said


def check_rows(result):
    frame = result.documents
    times = [stamp.isoformat() for stamp in frame["created_at"]]
    amounts = [None if amount != amount else amount for amount in frame["amount"]]
    columns = (frame["document_id"], frame["body"], times, amounts, frame["row"])
    assert list(zip(*columns, strict=True)) == WANTED


@pytest.mark.parametrize("packer", [".gz", ".zst"])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_steps_of_any_size_unpack_the_same(tmp_path, packer, size):
    content = b"abcabcabc" * 300 + b"end"
    path = write(tmp_path / "a", PACKERS[packer](content))
    assert b"".join(blocks(Input("a", path), size)) == content


def test_packed_members_in_a_row_are_one_file(tmp_path):
    content = gzip.compress(b"id,text\n1,a\n") + gzip.compress(b"2,b\n") + b"\0" * 100
    assert read(write(tmp_path / "a.gz", content)).column("body") == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\nxyz", "a PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
        (b"SQLite format 3\x00" + bytes(50), "an SQLite database"),
        (b"\x7fELF" + bytes(50), "a program"),
        (b"MZ\x90\x00" + bytes(50), "a Windows program"),
        (b"\x80\x04\x95" + bytes(50), "a Python pickle"),
        (b"<!DOCTYPE html><html>", "an HTML or XML page"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            r"old Office file \(.xls, .doc\); save it as .xlsx",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password; save it without one",
        ),
        (bytes(range(256)) * 40, "a binary file, not text"),
        (b"PK\x03\x04 broken", "a damaged or cut-off XLSX file"),
        (b"PAR1 and nothing", "Parquet file is damaged or cut off"),
        (gzip.compress(b"PAR1 and nothing"), "Parquet file is damaged or cut off"),
        (gzip.compress(b"PK\x03\x04 broken"), "a damaged or cut-off XLSX file"),
        (gzip.compress(b"PAR1" + bytes(90))[:-9], r"gzip data end early.*fetch it again"),
        (gzip.compress(b"id,text\n1,a\n")[:-9], "gzip data end early"),
        (gzip.compress(b'[{"id": 1, "text": "a"}]')[:-9], r"gzip data end early.*fetch it again"),
        (gzip.compress(b"id,text\n")[:10], r"gzip data end early.*fetch it again"),
        (b"\x1f\x8b\x08\x00 no gzip at all", "gzip data are damaged"),
        (zstd(b"id,text\n" + b"1,a\n" * 500)[:-5], "zstd data end early"),
        (b"\x28\xb5\x2f\xfdnothing of the kind", "zstd data are damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_named(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        read(write(tmp_path / "a.csv", content))


def test_a_zip_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "id,text\n")
    with pytest.raises(InputError, match=r"a zip archive of 1 file\(s\); unpack it"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_file_gives_no_rows_and_a_note(tmp_path, content):
    result = read(write(tmp_path / "a.csv", content))
    assert len(result.documents) == 0
    assert result.notes == (f"{tmp_path / 'a.csv'}: empty",)


@pytest.mark.parametrize(
    "content",
    ["id,text\n", "id,text", "[]", '{"tickets": [], "count": 0, "next_page": null}', '{"data": []}'],
)
def test_a_file_without_rows_gives_none_and_a_note(tmp_path, content):
    result = read(write(tmp_path / "a.csv", content))
    assert (len(result.documents), len(result.rejected)) == (0, 0)
    assert "no rows" in result.said


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"tickets": [\n {"id": 1},\n {"id": 2,, }\n]}', "line 3, column 11"),
        ('[{"id": 1}\n{"id": 2}]', "line 2, column 1: a comma or ] is expected"),
        ('[{"id": 1}, {"text": "secret words', "line 1, column 22: a text that starts here is never closed"),
        ('[{"id": 1},', "a value is expected; the file may be cut off"),
        ('{"a": [1, 2', "a comma or ] is expected; the file may be cut off"),
        ('{"a" 1}', "a name in quotes and a colon"),
        ('[{"id": 1}] and more', "line 1, column 13: more text after the end"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"n": ' + "1" * 5000 + "}]", "a number of thousands of digits"),
    ],
)
def test_broken_json_is_placed_and_not_quoted(tmp_path, content, place):
    with pytest.raises(InputError) as caught:
        read(write(tmp_path / "a.json", content))
    assert place in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_broken_line_of_json_lines_is_a_rejected_row(tmp_path):
    lines = [
        '{"id": 1, "text": "a"}',
        '{"id": 2, "text": "b',
        "",
        "[1, 2]",
        "null",
        "7",
        '{"id": 3, "text": "c"}',
    ]
    result = read(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert result.documents[["document_id", "row"]].values.tolist() == [["1", 1], ["3", 7]]
    assert result.reasons == [
        (2, "broken JSON at column 19"),
        (4, "a list where an object is expected"),
        (5, "null where an object is expected"),
        (6, "a number or truth value where an object is expected"),
    ]


@pytest.mark.parametrize(
    "broken",
    ['{"id": 1, "text": "cut', '{"id": 1 "text": "a"}', '"text": "a", "id": 1}', "{broken: 1}"],
)
@pytest.mark.parametrize("rows", [2, 3, 40])
def test_a_broken_first_line_of_json_lines_is_a_rejected_row(tmp_path, broken, rows):
    good = [f'{{"id": {row}, "text": "b"}}' for row in range(rows)]
    result = read(write(tmp_path / "a.jsonl", "\n".join([broken, *good])))
    assert result.column("body") == ["b"] * rows
    assert [(row, reason.partition(" at ")[0]) for row, reason in result.reasons] == [(1, "broken JSON")]


def test_a_column_of_json_is_still_a_table(tmp_path):
    rows = "".join(f'{row},"{{""text"": ""b""}}"\n' for row in range(3))
    assert read(write(tmp_path / "a.csv", f"id,text\n{rows}")).column("body") == ['{"text": "b"}'] * 3


def test_json_lines_that_are_nested_too_deeply_or_too_long_are_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("classifier.read.formats.LONGEST_ROW", 2_000_000)
    deep = '{"text": ' + "[" * 200_000 + "}"
    lines = ['{"text": "a"}', deep, '{"text": "' + "x" * 3_000_000 + '"}', '{"text": "b"}']
    result = read(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert result.column("body") == ["a", "b"]
    assert result.reasons == [(2, "nested too deeply"), (3, "longer than 1 MB")]


def test_cut_off_json_lines_give_the_rows_before_and_say_after_which_line(tmp_path):
    lines = "".join(f'{{"id": {i}, "text": "number {i * i}"}}\n' for i in range(30_000))
    packed = gzip.compress(lines.encode(), mtime=0)
    batches = read_batches([str(write(tmp_path / "a.gz", packed[: len(packed) // 2]))])
    sizes = []
    with pytest.raises(InputError, match=r"end early: the file was cut off, after line \d{4,}") as caught:
        sizes.extend(len(batch.documents) for batch in batches)
    assert f"after line {sum(sizes)};" in str(caught.value)


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_one_record_and_one_long_line_are_understood(tmp_path, size):
    record = json.dumps({"id": 1, "text": "x" * size, "tags": ["a", "b"], "parts": [{"n": 1}]})
    for content in (record, record + "\n", json.dumps(json.loads(record), indent=1)):
        result = read(write(tmp_path / "one", content), keep=("tags",))
        assert result.column("keep:tags") == ["a;b"]
        assert result.documents["body"].str.len().tolist() == [size]
    assert len(read(write(tmp_path / "two", f"{record}\n{record}\n")).documents) == 2


def test_a_list_of_no_objects_is_rejected_row_by_row(tmp_path):
    result = read(write(tmp_path / "a.json", '[["id", "text"], [1, "a"]]'))
    assert result.reasons == [(row, "a list where an object is expected") for row in (1, 2)]


def test_of_several_lists_the_one_with_a_text_is_read(tmp_path):
    document = {"users": [{"id": 1, "name": "x", "email": "y", "z": 1}], "answers": [{"id": 2, "text": "a"}]}
    result = read(write(tmp_path / "a.json", json.dumps(document)))
    assert result.column("body") == ["a"]
    assert "list 'answers'; beside it: users" in result.said


def test_a_list_of_texts_is_a_table_of_one_column(tmp_path):
    assert read(write(tmp_path / "a.json", '["slow", "ugly"]')).column("body") == ["slow", "ugly"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(
    document=st.dictionaries(st.text(max_size=3), json_values, max_size=4),
    block=st.integers(1, 9),
    tab=st.sampled_from([None, 1]),
)
def test_a_document_in_pieces_is_the_document(document, block, tab):
    data = json.dumps(document, indent=tab, ensure_ascii=False).encode()
    pieces = (data[at : at + block] for at in range(0, len(data), block))
    rebuilt: dict = {}
    for name, place, value in JsonStream(pieces, Decoder(UTF8), name="f").elements():
        if place:
            rebuilt.setdefault(name, []).append(value)
        else:
            rebuilt[name] = value
    assert rebuilt == document


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"id": float("nan")}, {"id": ""}),
        ({"a": {"b": {"c": 1}}}, {"a.b.c": "1"}),
        ({"a": None, "b": True, "c": 2.0, "d": 2.5}, {"a": "", "b": "true", "c": "2", "d": "2.5"}),
        ({"tags": ["x", 1, None]}, {"tags": "x;1;"}),
        ({"custom_fields": [{"id": 27642, "value": "745"}]}, {"custom_fields.27642": "745"}),
        ({"parts": [{"n": 1}, {"n": 2}]}, {"parts": '[{"n":1},{"n":2}]'}),
        ({"big": [[10**30]]}, {"big": "[[1000000000000000000000000000000]]"}),
        ({}, {}),
        ({"empty": {}}, {"empty": "{}"}),
    ],
)
def test_nested_values_become_text_under_dotted_names(value, flat):
    assert flatten(value) == flat
