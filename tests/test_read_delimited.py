"""CSV and its kin: the rows that come out of bytes, however they were written."""

import csv
import gzip
import io
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reading import read, write
from timing import grows_linearly

from classifier.errors import InputError
from classifier.read import ReadOptions, delimited, read_batches
from classifier.read.delimited import DelimitedReader, Dialect, dialect_of
from classifier.read.encoding import UTF8, Decoder
from classifier.read.quoting import newlines_only, regular_end


def rows_of(data: bytes, *, block: int = 1 << 20, fast: bool = True, delimiter: str = ","):
    """Return (names, [(number, cells…)], [(number, reason)])."""
    decoder = Decoder(UTF8)
    blocks = (data[at : at + block] for at in range(0, len(data), block))
    reader = DelimitedReader(decoder.utf8(blocks), Dialect(delimiter), decoder, name="f.csv", fast=fast)
    good, bad = [], []
    for part in reader.rows():
        cells = [part.table.column(place).to_pylist() for place in range(part.table.num_columns)]
        good += zip(part.numbers.tolist(), *cells, strict=True)
        bad += [(fault.row, fault.reason) for fault in part.rejected]
    return reader.names, good, bad


messy = st.one_of(
    st.text(alphabet='ab,\n" ', max_size=60).map(str.encode),
    st.text(alphabet='a,\n"\ré', max_size=60).map(str.encode),
    st.lists(st.sampled_from([b'"', b",", b"\n", b"a", b"\xe9", b"\xc3\xa9", b"\0"]), max_size=40).map(
        b"".join
    ),
)


@settings(max_examples=300)
@given(body=messy, block=st.integers(1, 15))
@example(body=b'1,"open\n2,x\n3,"y"\n', block=4)
@example(body=b'a"b,"c\nd"\n', block=4)
@example(body=b'"a\n",b\n\n"",""\n', block=3)
def test_arrow_and_python_and_any_cut_give_the_same_rows(body, block):
    data = b"h,i\n" + body
    slow = rows_of(data, fast=False)
    assert rows_of(data, fast=True) == slow
    assert rows_of(data, fast=True, block=block) == slow


@settings(max_examples=300)
@given(data=messy, whole=st.booleans())
@example(data=b'"a\n",b\n"c"x\n"', whole=False)
def test_rows_end_at_the_last_line_end_outside_quotes(data, whole):
    end, regular = regular_end(np.frombuffer(data, np.uint8), ord(","), whole)
    ends = [0] + [at + 1 for at, byte in enumerate(data) if byte == 10 and data[:at].count(b'"') % 2 == 0]
    assert end == (len(data) if whole else ends[-1])
    quotes = [at for at, byte in enumerate(data[:end]) if byte == ord('"')]
    opened = all(at == 0 or data[at - 1 : at] in (b",", b"\n", b'"') for at in quotes[::2])
    closed = all(at + 1 == len(data) or data[at + 1 : at + 2] in (b",", b"\n", b'"') for at in quotes[1::2])
    assert regular == (opened and closed and len(quotes) % 2 == 0 and b"\r" not in data)


@settings(max_examples=300)
@given(body=messy, block=st.integers(1, 15), lines=st.integers(1, 4))
@example(body=b"\n\n\n\nh,i\n1,2\n", block=99, lines=2)
@example(body=b'h,"i\n\n\n\n"\n1,2\n', block=99, lines=2)
@example(body=b'h,i\n1,"2\n\n\n\n"\n3\n4,5\n', block=99, lines=2)
def test_how_many_lines_are_parsed_at_once_changes_nothing(body, block, lines):
    def found():
        try:
            return rows_of(body, block=block)
        except InputError as error:
            return str(error)

    before = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_LINES_AT_ONCE", lines)
        assert found() == before


@given(st.text(alphabet='a,\n"\ré', max_size=60).map(str.encode))
def test_compiled_line_ends_are_those_of_python(data: bytes) -> None:
    out = np.empty(len(data), dtype=np.uint8)
    size = newlines_only(np.frombuffer(data, np.uint8), out)
    assert out[:size].tobytes() == data.replace(b"\r\n", b"\n")


def test_a_large_block_of_crlf_rows_is_read_as_one_with_lf() -> None:
    text = b'1,"a\r\nb"\r\n2,c\rd\r\n' * 5_000
    assert delimited._without_returns(text) == text.replace(b"\r\n", b"\n")


cell = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), max_size=12)


@settings(max_examples=150)
@given(
    table=st.lists(st.tuples(cell, cell), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_csv_module_writes_is_read_back(table, delimiter, end):
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two"), *table])
    names, good, bad = rows_of(sink.getvalue().encode(), delimiter=delimiter)
    assert names == ("one", "two")
    assert good == [(number, *row) for number, row in enumerate(table, 1)]
    assert bad == []


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        ("id,text\n1,a", ","),
        ("id;text\n1;a, b, and c\n2;d, e", ";"),
        ("id\ttext\n1\tx, y; z", "\t"),
        ("id|text\n1|x, y; z", "|"),
        ('id,text\n1,"a; b"\n2,"c; d; e"', ","),
        ("text\nhello, world\nplain", "\x1f"),
        ("sep=;\nid;text\n1;a", ";"),
        ("sep=§\nid;text\n1;a", ";"),
        ("Sep=|\nid|text", "|"),
    ],
)
def test_the_delimiter_is_found_in_header_and_rows(head, delimiter):
    assert dialect_of(head.encode()).delimiter == delimiter


def test_a_forced_delimiter_wins(tmp_path):
    path = write(tmp_path / "a.csv", "id,x;text\n1,2;hello\n")
    assert read(path, delimiter=";").column("body") == ["hello"]
    assert "CSV (semicolon)" in read(path, delimiter="semicolon").said


def test_one_column_of_unquoted_sentences_is_read_whole(tmp_path):
    path = write(tmp_path / "a.csv", 'Comment\nIt is slow, and ugly\n"Quoted, with\ntwo lines"\n')
    result = read(path)
    assert result.column("body") == ["It is slow, and ugly", "Quoted, with\ntwo lines"]


def test_lines_may_end_in_carriage_returns_alone(tmp_path):
    path = write(tmp_path / "a.csv", "id,text\r1,one\r2,two\r")
    assert read(path).column("body") == ["one", "two"]


def test_excel_s_separator_line_and_its_header_mark(tmp_path):
    path = write(tmp_path / "a.csv", b"\xef\xbb\xbfsep=;\r\n id ; Text \r\n1;caf\xc3\xa9\r\n")
    assert read(path).documents[["document_id", "body", "row"]].values.tolist() == [["1", "café", 1]]


@pytest.mark.parametrize(
    ("body", "texts", "rejected"),
    [
        ("1,a,x\n2,b\n3,c,y\n", ["a", "c"], [(2, "2 cells where the header has 3")]),
        ("1,a,x\n2,b,y,z\n", ["a"], [(2, "4 cells where the header has 3")]),
        ("1,a,x,,\n2,b,y\n", ["a", "b"], []),
        ("\n1,a,x\n   \n2,b,y\n\n", ["a", "b"], []),
        ('1,"opened,x\n2,b,y\n3,"c",z\n', ["b", "c"], [(1, 'a quote (") is opened and not closed properly')]),
        (
            '1,a,x\n2,"never closed,y\n3,c,z\n',
            ["a", "c"],
            [(2, 'a quote (") is opened and not closed properly')],
        ),
        ('1,5" pipe,x\n2,b,y\n', ['5" pipe', "b"], []),
        ('1,"said ""no""",x\n', ['said "no"'], []),
        ('1,"a"b,x\n2,c,y\n', ["ab", "c"], []),
        ("1,a\rb,x\n2,b,y\n", ["a\rb", "b"], []),
        ('1,"a"\rb,x\n2,b,y\n', ["b"], [(1, "a carriage return outside quotes")]),
        ("1,a\0b,x\n", ["ab"], []),
    ],
    ids=range(12),
)
def test_bad_rows_are_set_aside_and_the_others_read(tmp_path, body, texts, rejected):
    result = read(write(tmp_path / "a.csv", "id,text,more\n" + body))
    assert result.column("body") == texts
    assert result.reasons == rejected


def test_a_rejected_row_keeps_its_number_and_an_id_that_looks_like_one(tmp_path):
    path = write(tmp_path / "a.csv", "id,text,more\nT-1,a,b\nT-2,my private text\nit is me,b\n")
    rejected = read(path).rejected
    assert rejected.values.tolist() == [
        [str(path), 2, "T-2", "2 cells where the header has 3"],
        [str(path), 3, "", "2 cells where the header has 3"],
    ]


def test_a_cut_off_archive_gives_up_the_row_that_the_cut_is_in(tmp_path):
    whole = b'id,text\n1,one\n2,"two\n' + bytes(os.urandom(50_000).hex(), "ascii") + b'\nlast line"\n'
    packed = gzip.compress(whole, mtime=0)[:-2000]
    batches = read_batches([str(write(tmp_path / "a.gz", packed))])
    bodies = []
    with pytest.raises(InputError, match="after row 1;"):
        bodies.extend(text for batch in batches for text in batch.documents["body"])
    assert bodies == ["one"]


def test_nothing_but_a_separator_line_is_no_row(tmp_path):
    assert "no rows" in read(write(tmp_path / "a.csv", "sep=;\n")).said


def test_nul_bytes_are_removed_and_told(tmp_path):
    result = read(write(tmp_path / "a.csv", "id,text\n1,a\0\0b\n"))
    assert result.column("body") == ["ab"]
    assert "2 NUL bytes removed" in result.said


def test_a_header_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"header can't be read: a quote .* mend the first line"):
        read(write(tmp_path / "a.csv", 'id,"text\n1,a\n2,b\n'))


def test_a_ticket_of_five_megabytes_is_read(tmp_path):
    text = "word " * 1_000_000
    path = write(tmp_path / "a.csv", f'id,text\n1,"{text}"\n2,{text}\n3,"say ""{text}"\n')
    result = read(path)
    assert result.documents["body"].str.len().tolist() == [5_000_000, 5_000_000, 5_000_005]
    assert result.reasons == []


def test_a_line_beyond_every_measure_costs_itself_only(tmp_path, monkeypatch):
    monkeypatch.setattr("classifier.read.delimited.LONGEST_ROW", 1 << 20)

    def check(megabytes: int) -> None:
        blocks = [b"id,text\n1,a\n2,", *[b"x" * (1 << 19)] * (2 * megabytes), b"\n3,c\n"]
        reader = DelimitedReader(iter(blocks), Dialect(","), Decoder(UTF8), name="f.csv")
        parts = list(reader.rows())
        assert [number for part in parts for number in part.numbers.tolist()] == [1, 3]
        assert [(f.row, f.reason) for part in parts for f in part.rejected] == [(2, "longer than 1 MB")]

    assert grows_linearly(check, 40)


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_a_cut_off_archive_says_at_which_row_and_gives_the_rows_before(tmp_path, keep):
    whole = "id,text\n" + "".join(f"{i},the text number {i * i}\n" for i in range(200_000))
    packed = gzip.compress(whole.encode(), mtime=0)
    path = write(tmp_path / "a.csv.gz", packed[: int(len(packed) * keep)])
    sizes = []
    batches = read_batches([str(path)], ReadOptions(batch_rows=5_000))
    with pytest.raises(InputError, match=r"gzip data end early.*after row (\d+)") as caught:
        sizes.extend(len(batch.documents) for batch in batches)
    rows = sum(sizes)
    told = int(str(caught.value).split("after row ")[1].split(";")[0])
    assert rows == told
    assert rows > 10_000


def test_millions_of_empty_lines_are_no_rows_and_take_no_time() -> None:
    def read(lines: int) -> None:
        data = b"h,i\n1,a\n" + b"\n" * lines + b"2,b\n"
        assert rows_of(data) == (("h", "i"), [(1, "1", "a"), (2, "2", "b")], [])

    assert grows_linearly(read, 5_000_000)


def test_a_header_may_be_longer_than_what_is_looked_at_first():
    names = [f"column {'x' * 300} {number}" for number in range(400)]
    row = ",".join(map(str, range(400)))
    found, good, bad = rows_of(f"{','.join(names)}\n{row}\n".encode())
    assert found == tuple(names)
    assert good == [(1, *map(str, range(400)))]
    assert not bad


def test_a_header_may_stand_below_many_empty_lines():
    found, good, bad = rows_of(b"\n" * 200_000 + b'"a\nb",c\n1,2\n')
    assert (found, good, bad) == (("a\nb", "c"), [(1, "1", "2")], [])
