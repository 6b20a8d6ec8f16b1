"""What holds of every reading: inputs, counts, ids, notes, streams."""

import gzip
import io
import os
import sys
import threading

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import read, write

from classifier.errors import InputError
from classifier.read import ReadOptions, delimited, find_inputs, read_batches, read_files, rows, sha256_of


def test_files_of_several_kinds_in_one_call(tmp_path):
    write(tmp_path / "b.csv", "id,text\n2,two\n")
    write(tmp_path / "a.csv", "id,text\n1,one\n")
    other = write(tmp_path / "c.jsonl", '{"id": 3, "text": "three"}\n')
    result = read(tmp_path / "*.csv", other)
    assert result.column("body") == ["one", "two", "three"]
    assert result.column("file") == [str(tmp_path / name) for name in ("a.csv", "b.csv", "c.jsonl")]


def test_one_file_named_twice_is_read_once(tmp_path):
    path = write(tmp_path / "a.csv", "id,text\n1,one\n")
    os.symlink(path, tmp_path / "link.csv")
    result = read(path, path, tmp_path / "link.csv")
    assert result.column("body") == ["one"]
    assert result.notes[0] == f"{path}: the same file as {path}; read once"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tickts.csv", r"no such file; did you mean '.*tickets.csv'\?"),
        ("zzz", "no such file in "),
        ("nowhere/a.csv", "its folder '.*nowhere' does not exist either"),
        ("*.parquet", "matches no file"),
        ("", r"is a folder; name its files, e.g. '.*/\*.csv'"),
    ],
)
def test_a_missing_input_is_an_error_with_advice(tmp_path, name, words):
    write(tmp_path / "tickets.csv", "text\n")
    with pytest.raises(InputError, match=words):
        read(tmp_path / name)


def test_no_input_is_an_error():
    with pytest.raises(InputError, match="no input given"):
        read()


def test_a_file_that_vanishes_is_an_error(tmp_path):
    path = write(tmp_path / "a.csv", "text\na\n")
    files, _ = find_inputs([str(path)])
    path.unlink()
    with pytest.raises(InputError, match="can't be read: No such file"):
        list(read_files(files))
    with pytest.raises(InputError, match="can't be read"):
        sha256_of(path)


class Stream:
    """Stands for sys.stdin, whose bytes are `buffer`."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_any_format(monkeypatch, pack):
    monkeypatch.setattr(sys, "stdin", Stream(pack(b"id;text\n1;one\n")))
    files, notes = find_inputs(["-"])
    assert sha256_of(files[0].path) == sha256_of(files[0].path)
    (batch,) = read_files(files, notes=notes)
    assert batch.documents[["file", "body"]].values.tolist() == [["-", "one"]]


def test_a_pipe_is_read_like_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"id,text\n1,one\n",))
    writer.start()
    assert read(pipe).column("body") == ["one"]
    writer.join()


def test_a_stream_that_cannot_be_copied_is_an_error(monkeypatch, tmp_path):
    class Full(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(28, "No space left on device")

    stream = Stream(b"")
    stream.buffer = Full()
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(InputError, match=r"can't be copied to .*No space left"):
        read("-")


def test_the_hash_is_of_the_bytes_on_disk(tmp_path):
    path = write(tmp_path / "a", b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_every_input_is_looked_at_before_the_first_row_comes(tmp_path):
    good = write(tmp_path / "a.csv", "id,text\n1,one\n")
    bad = write(tmp_path / "b.pdf", b"%PDF-1.7 ")
    batches = read_batches([str(good), str(bad)])
    with pytest.raises(InputError, match="a PDF"):
        next(batches)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"date_format": "dd/mm/yyyy"},
            "'dd/mm/yyyy' is not a strptime format; write it like '%d/%m/%Y %H:%M'",
        ),
        ({"date_format": "%Q"}, "'%Q' is not a strptime format"),
        ({"delimiter": "::"}, "'::' is not one ASCII character"),
        ({"delimiter": '"'}, "is not one ASCII character"),
        ({"batch_rows": 0}, "batch_rows is 0"),
        ({"keep": ("tagz",)}, r"no column 'tagz' \(--keep\); did you mean 'tags'\?"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused(tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        read(write(tmp_path / "a.csv", "id,text,tags\n1,a,b\n"), **options)


def test_kept_columns_are_in_every_batch(tmp_path):
    first = write(tmp_path / "a.csv", "id,text,tags\n1,a,x\n")
    second = write(tmp_path / "b.csv", "id,text\n2,b\n")
    result = read(first, second, keep=("tags",))
    assert result.column("keep:tags") == ["x", ""]
    assert f"{second}: no column 'tags' (--keep); read without it" in result.notes
    filtered = read(first, second, keep=("tags",), filtered=("tags",)).notes
    assert f"{second}: no column 'tags' (--where); none of its rows has a value that could match" in filtered
    assert not any("--keep" in note for note in filtered)


@pytest.mark.parametrize(
    ("ids", "taken"),
    [
        (["1", "2", "3"], True),
        (["1", "2", "2"], True),
        (["1", "2", ""], True),
        (["1", "1", "1"], False),
        (["", "", "3"], False),
    ],
)
def test_an_id_column_must_prove_to_be_one(tmp_path, ids, taken):
    rows = "".join(f"{key},text {place}\n" for place, key in enumerate(ids))
    result = read(write(tmp_path / "a.csv", "id,text\n" + rows))
    if taken:
        assert [key if key.isdigit() else "" for key in result.column("document_id")] == ids
    else:
        assert all(key.startswith("row-") for key in result.column("document_id"))
        assert "column 'id' is not taken as the id" in result.said


def test_ids_from_rows_depend_on_the_cells_alone(tmp_path):
    there = read(write(tmp_path / "a.csv", "text,score\none,1\ntwo,2\none,1\n")).column("document_id")
    back = read(write(tmp_path / "b.csv", "text,score\ntwo,2\none,1\n")).column("document_id")
    assert there[0] == there[2] == back[1]
    assert there[1] == back[0] != there[0]
    assert all(len(key) == len("row-") + 12 for key in there)
    table = pa.table({"text": ["one", "two"], "score": [1, 2], "vector": [[0.5], [0.25]]})
    pq.write_table(table, tmp_path / "c")
    assert read(tmp_path / "c").column("document_id") == there[:2]


def test_rows_without_text_are_kept(tmp_path):
    assert read(write(tmp_path / "a.csv", "id,text\n1,\n2,b\n")).column("body") == ["", "b"]


def test_the_note_on_dates_counts_over_all_batches(tmp_path):
    rows = "".join(f"{i},text,{'soon' if i % 4 == 0 else '2026-01-01'}\n" for i in range(100))
    result = read(write(tmp_path / "a.csv", "id,text,date\n" + rows), batch_rows=7)
    assert result.documents["created_at"].isna().sum() == 25
    assert "created_at: 25 of 100 values could not be read as dates" in result.said


def test_a_date_order_that_later_rows_contradict_is_told(tmp_path):
    rows = "1,a,3/4/2026\n2,b,5/6/2026\n3,c,25/6/2026\n"
    result = read(write(tmp_path / "a.csv", "id,text,date\n" + rows), batch_rows=2)
    assert [str(time.date()) for time in result.documents["created_at"]] == [
        "2026-03-04",
        "2026-05-06",
        "2026-06-25",
    ]
    assert "took the month as first" in result.said
    assert "1 values have day and month the other way round" in result.said


@settings(max_examples=40)
@given(
    rows=st.lists(st.text(alphabet="abc é,", min_size=1, max_size=6), max_size=30),
    size=st.integers(1, 12),
    name=st.sampled_from(["csv", "jsonl", "json", "parquet"]),
)
def test_the_size_of_batches_changes_nothing(tmp_path_factory, rows, size, name):
    path = tmp_path_factory.mktemp("read") / f"a.{name}"
    table = pa.table(
        {"text": pa.array(rows, pa.string()), "date": pa.array(["2026-03-02"] * len(rows), pa.string())}
    )
    frame = table.to_pandas()
    if name == "csv":
        frame.to_csv(path, index=False, quoting=1)
    elif name == "parquet":
        pq.write_table(table, path)
    else:
        frame.to_json(path, orient="records", lines=name == "jsonl", force_ascii=False)
    whole, cut = read(path), read(path, batch_rows=size)
    if not rows:
        assert len(whole.documents) == len(cut.documents) == 0
        return
    assert whole.documents.equals(cut.documents)
    assert whole.column("body") == rows
    assert whole.column("row") == list(range(1, len(rows) + 1))


def test_large_cells_make_small_batches(tmp_path):
    lines = (f'{{"id": {i}, "text": "{"x" * 5_000_000}"}}\n' for i in range(30))
    path = tmp_path / "a.jsonl"
    with path.open("w") as stream:
        stream.writelines(lines)
    sizes = [len(batch.documents) for batch in read_batches([str(path)], ReadOptions())]
    assert sum(sizes) == 30
    assert max(sizes) <= 20


def test_no_message_holds_a_customer_s_words(tmp_path):
    content = 'id,text,date\n1,my SECRET words\n2,"my SECRET,2026-01-01\n3,fine,SECRET\n'
    result = read(write(tmp_path / "a.csv", content))
    told = result.said + " ".join(result.rejected["reason"]) + " ".join(result.rejected["document_id"])
    assert len(result.rejected) == 2
    assert "SECRET" not in told


def test_a_title_that_the_text_repeats_is_no_subject(tmp_path):
    rows = "".join(f"{row},Login {row},Login {row} fails again\n" for row in range(20))
    repeated = write(tmp_path / "a.csv", f"id,title,text\n{rows}")
    found = read(repeated)
    assert set(found.column("subject")) == {""}
    assert "the text begins with it" in found.said
    assert read(repeated, subject_column="title").column("subject")[0] == "Login 0"
    other = write(tmp_path / "b.csv", "id,title,text\n1,Login,It fails\n2,Export,Export is slow\n")
    assert read(other).column("subject") == ["Login", "Export"]


def test_accents_are_composed_in_files_that_are_read_in_blocks(tmp_path):
    # An irregular row makes the parsers take turns, so the column comes in pieces.
    path = write(tmp_path / "a.csv", 'id,text\n1,cafe\u0301\n2,a "b\n3,cafe\u0301\n')
    big = "".join(f"{number},{'x' * 1000} cafe\u0301\n" for number in range(4, 12_000))
    path.write_text(path.read_text(encoding="utf-8") + big, encoding="utf-8")
    result = read(path, batch_rows=20_000)
    assert {text[-4:] for text in result.column("body") if "caf" in text} == {"café"}


def test_rows_that_were_set_aside_are_handed_on_before_the_end(tmp_path):
    bad, good = "x,y\n" * 40, "7,It crashes daily.,2026-01-02\n"
    path = write(tmp_path / "a.csv", f"id,text,created_at\n{bad}{good}{bad}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_LINES_AT_ONCE", 5)
        batches = list(read_batches([str(path)], ReadOptions(batch_rows=3, delimiter=",")))
    assert max(len(batch.rejected) for batch in batches) <= 3 * rows.ASIDE_BATCHES + 5
    assert pd.concat([batch.rejected for batch in batches])["row"].tolist() == [*range(1, 41), *range(42, 82)]
    # What the first good row shows counts, however many rows without any came before it.
    found = pd.concat([batch.documents for batch in batches])
    assert found[["document_id", "body", "row"]].values.tolist() == [["7", "It crashes daily.", 41]]
    assert found["created_at"].notna().all()


def test_a_column_of_numbers_is_text_too(tmp_path):
    table = pa.table({"id": ["a", "b", "c"], "text": [1, 20, None], "amount": [1.5, 2.0, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    write(tmp_path / "b.csv", "id,text,amount\na,1,1.5\nb,20,2.0\nc,,\n")
    for name in ("a.parquet", "b.csv"):
        result = read(tmp_path / name)
        assert result.column("body") == ["1", "20", ""]
        assert result.reasons == []
