import gzip
import json

import pandas as pd
import pyarrow as pa
import pytest

from classifier.errors import InputError
from classifier.labelled import read_labelled, read_placed
from classifier.labels import LABELS
from classifier.schema import LABELLED

SECRET = "Zanzibar"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def lines(path, *rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def flags(frame):
    return [tuple(name for name in LABELS if row[name]) for _, row in frame.iterrows()]


ONE = {"id": "a", "text": "It crashes.", "labels": ["pain_point"]}


# What is accepted


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("", ()),
        ("pain_point", ("pain_point",)),
        ("expectation_gap;pain_point", ("pain_point", "expectation_gap")),
        (" Pain point ; feature-request ;", ("pain_point", "feature_request")),
        ('["feature_request"]', ("feature_request",)),
        ("[]", ()),
        (["pain_point", "expectation_gap"], ("pain_point", "expectation_gap")),
        ([], ()),
    ],
)
def test_labels_may_be_spelled_as(tmp_path, spelling, expected):
    path = lines(tmp_path / "a.jsonl", {"text": "Hello", "labels": spelling})
    assert flags(read_labelled([path])) == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((cell, True) for cell in ("true", "Yes", "Y", "t", "1", "x")),
        *((cell, False) for cell in ("FALSE", "no", "N", "f", "0", "")),
    ],
)
def test_labels_may_be_three_true_false_columns(tmp_path, cell, expected):
    path = write(tmp_path / "a.csv", f"text,{','.join(LABELS)}\nHello,{cell},false,0\n")
    assert flags(read_labelled([path])) == [("pain_point",) if expected else ()]


def test_all_columns_arrive_typed(tmp_path):
    row = {
        **ONE,
        "labels": ["pain_point", "expectation_gap"],
        "evidence": {"expectation_gap": "It crashes", "pain_point": "crashes", "feature_request": None},
        "expectation_source": "sold",
        "group": "acme",
        "source": "zendesk",
        "channel": "email",
        "extra": 1,
    }
    frame = read_labelled([lines(tmp_path / "a.jsonl", row)])
    assert list(frame.columns) == list(LABELLED)
    assert frame.iloc[0].to_dict() == {
        "id": "a",
        "text": "It crashes.",
        "pain_point": True,
        "feature_request": False,
        "expectation_gap": True,
        "evidence": '{"pain_point": "crashes", "expectation_gap": "It crashes"}',
        "expectation_source": "sold",
        "group": "acme",
        "source": "zendesk",
        "channel": "email",
    }


def test_evidence_may_be_one_column_per_label(tmp_path):
    path = write(
        tmp_path / "a.csv",
        "text,labels,pain_point_evidence,feature_request_evidence\nIt crashes.,pain_point,crashes,\n",
    )
    assert read_labelled([path])["evidence"].tolist() == ['{"pain_point": "crashes"}']


@pytest.mark.parametrize("body", ["body", "Description"])
def test_a_text_may_come_as_subject_and_body(tmp_path, body):
    path = write(
        tmp_path / "a.csv", f"Document_ID,Subject,{body},labels\n7,Crash,On start,pain_point\n8,,Bye,\n"
    )
    frame = read_labelled([path])
    assert frame["text"].tolist() == ["Crash\nOn start", "Bye"]
    assert frame["id"].tolist() == ["7", "8"]


@pytest.mark.parametrize("name", ["text", "body", "description"])
def test_a_subject_counts_whatever_the_column_of_text_is_called(tmp_path, name):
    rows = [
        {"subject": "Crash", name: "On start"},
        {"subject": " ", name: "Bye"},
        {"subject": "Crash", name: ""},
    ]
    path = lines(tmp_path / "a.jsonl", *({**row, "labels": []} for row in rows))
    assert read_labelled([path])["text"].tolist() == ["Crash\nOn start", "Bye", "Crash"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_read_from_the_header(tmp_path, delimiter):
    text = f'text{delimiter}labels\n"a, b; c\td\n""e"""{delimiter}"pain_point;expectation_gap"\n'
    frame = read_labelled([write(tmp_path / "a.csv", text)])
    assert frame["text"].tolist() == ['a, b; c\td\n"e"']
    assert flags(frame) == [("pain_point", "expectation_gap")]


def test_files_of_every_kind_read_alike(tmp_path):
    rows = [ONE, {"id": "b", "text": "Ünï \U0001f600\u2028 line", "labels": []}]
    table = pd.DataFrame(rows)
    plain = lines(tmp_path / "a.jsonl", *rows)
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    raw = write(tmp_path / "c.ndjson", "".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in rows))
    parquet = tmp_path / "d.parquet"
    table.to_parquet(parquet)
    semicolons = table.assign(labels=table["labels"].map(";".join))
    semicolons.to_csv(tmp_path / "e.csv", index=False, encoding="utf-8-sig")
    with pa.CompressedOutputStream(str(tmp_path / "f.csv.zst"), "zstd") as stream:
        stream.write((tmp_path / "e.csv").read_bytes())
    semicolons.to_csv(tmp_path / "g.tsv", index=False, sep="\t")
    expected = read_labelled([plain])
    assert expected["text"].tolist() == [row["text"] for row in rows]
    for path in (packed, raw, parquet, tmp_path / "e.csv", tmp_path / "f.csv.zst", tmp_path / "g.tsv"):
        pd.testing.assert_frame_equal(read_labelled([str(path)]), expected)


def test_a_letter_longer_than_the_limit_of_the_csv_module(tmp_path):
    long = "word " * 100_000
    frame = read_labelled([write(tmp_path / "a.csv", f'text,labels\n"{long}",\n')])
    assert frame["text"].tolist() == [long]


def test_texts_and_spans_are_normalised_alike(tmp_path):
    text = "Cafe\u0301\r\nnext\0 \ud83d end"
    path = lines(
        tmp_path / "a.jsonl",
        {"text": text, "labels": ["pain_point"], "evidence": {"pain_point": "Cafe\u0301\r\nnext"}},
    )
    row = read_labelled([path]).iloc[0]
    assert row["text"] == "Café\nnext \ufffd end"
    assert json.loads(row["evidence"])["pain_point"] in row["text"]


def test_a_missing_id_is_made_of_the_text(tmp_path):
    rows = [{"text": "One", "labels": []}, {"text": "Two", "labels": []}, {"text": "One", "labels": []}]
    ids = read_labelled([lines(tmp_path / "a.jsonl", *rows)])["id"].tolist()
    alone = read_labelled([lines(tmp_path / "b.jsonl", rows[1])])["id"].tolist()
    assert ids[1] == alone[0]
    assert ids[2] == f"{ids[0]}-2"
    assert len(set(ids)) == 3


def test_made_ids_follow_what_is_said_of_a_text_not_the_order_of_rows(tmp_path):
    rows = [
        {"text": "One", "labels": ["pain_point"]},
        {"text": "One", "labels": []},
        {"text": "One", "labels": ["pain_point"], "evidence": {"pain_point": "One"}},
    ]
    forwards = read_labelled([lines(tmp_path / "a.jsonl", *rows)])
    back = read_labelled([lines(tmp_path / "b.jsonl", *rows[::-1])])
    assert forwards["id"].tolist() == back["id"].tolist()[::-1]
    assert len(set(forwards["id"])) == 3


def test_a_made_id_gives_way_to_one_that_was_given(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"text": "One", "labels": []})
    (made,) = read_labelled([path])["id"]
    path = lines(tmp_path / "a.jsonl", {"text": "One", "labels": []}, {"text": "2", "id": made, "labels": []})
    assert read_labelled([path])["id"].tolist() == [f"{made}-2", made]


def test_texts_with_different_labels_are_told(tmp_path):
    rows = [{"text": "One", "labels": labels} for labels in ([], ["pain_point"], ["pain_point"])]
    path = lines(tmp_path / "a.jsonl", *rows, {"text": "", "labels": []})
    (warning,) = read_placed([path]).warnings()
    assert warning.startswith("1 text(s) stand there more than once, with different labels, the first ")
    assert f"{path} line 2;" in warning


def test_no_files_are_an_empty_table():
    frame = read_labelled([])
    assert len(frame) == 0
    assert list(frame.columns) == list(LABELLED)


def test_files_keep_their_order(tmp_path):
    second = lines(tmp_path / "b.jsonl", {**ONE, "id": "b"})
    first = lines(tmp_path / "a.jsonl", ONE)
    assert read_labelled([second, first])["id"].tolist() == ["b", "a"]


# What is refused


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"labels": ["pain_pont"]}, r"unknown label 'pain_pont'; did you mean 'pain_point'\? known: pain_p"),
        ({"labels": "none"}, "unknown label 'none'; leave it empty for none; known: pain_point, feature_req"),
        ({"labels": ["N/A"]}, "unknown label 'N/A'; leave it empty for none"),
        (
            {"labels": "pain_point, feature_request"},
            "unknown label 'pain_.*'; join several with ';', as in 'pain",
        ),
        (
            {"labels": "Pain point | expectation-gap"},
            "join several with ';', as in 'pain_point;feature_request'",
        ),
        ({"labels": f"sorry, {SECRET * 9}"}, "unknown label a value of 79 characters"),
        (
            {"labels": None},
            "column 'labels' holds null; write an empty list or text for no, or leave the row out",
        ),
        ({"labels": "bug"}, "unknown label 'bug'; .*known: pain_point, feature_request, expectation_gap"),
        ({"labels": [f"{SECRET} " * 20]}, "unknown label a value of 179 characters"),
        ({"labels": '["pain_point"'}, "column 'labels' isn't JSON: .* at character 14"),
        ({"labels": 7}, "column 'labels' holds a int"),
        ({"text": 7}, "column 'text' holds a int, not text"),
        ({"text": " "}, "has labels but no text"),
        ({"text": None}, "has labels but no text"),
        ({"id": {"a": 1}}, "column 'id' holds a dict"),
        ({"evidence": [SECRET]}, "column 'evidence' isn't a JSON object"),
        ({"evidence": f"{{{SECRET}"}, "column 'evidence' isn't JSON"),
        ({"evidence": {"pain": "x"}}, r"unknown label 'pain'; did you mean 'pain_point'\?"),
        ({"evidence": {"pain_point": [SECRET]}}, "the evidence of pain_point is a list"),
        ({"evidence": {"feature_request": "x"}}, "evidence for feature_request, which isn't among the lab"),
        ({"expectation_source": "solt"}, r"unknown expectation source 'solt'; did you mean 'sold'\?"),
        ({"expectation_source": "sold"}, "expectation source 'sold' without the label expectation_gap"),
    ],
)
def test_a_faulty_row_is_named(tmp_path, row, message):
    path = lines(tmp_path / "a.jsonl", {**ONE, "id": "z", "text": "fine"}, {**ONE, "text": SECRET, **row})
    with pytest.raises(InputError, match=message) as caught:
        read_labelled([path])
    assert f"{path} line 2: " in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"labels": []}, "has no text; every row needs the key 'text'"),
        ({"text": SECRET}, "has no labels; every row needs 'labels' or each of pain_point"),
    ],
)
def test_a_row_without_a_key_that_others_have(tmp_path, row, message):
    with pytest.raises(InputError, match=f"line 2: {message}"):
        read_labelled([lines(tmp_path / "a.jsonl", ONE, row)])


def test_a_flag_that_is_neither_true_nor_false(tmp_path):
    path = write(tmp_path / "a.csv", f"text,{','.join(LABELS)}\nHello,true,maybe {SECRET},0\n")
    with pytest.raises(InputError, match="row 1: column 'feature_request' holds neither true nor") as caught:
        read_labelled([path])
    assert SECRET not in str(caught.value)


def test_an_id_used_twice_names_both_places(tmp_path):
    path = lines(tmp_path / "a.jsonl", ONE, {**ONE, "text": "Other"})
    with pytest.raises(InputError, match=r"a\.jsonl line 2: id 'a' is already used at .*a\.jsonl line 1"):
        read_labelled([path])


def test_all_faulty_rows_are_counted_and_twenty_shown(tmp_path):
    path = lines(tmp_path / "a.jsonl", *[{"text": "x", "labels": ["bug"]}] * 25)
    with pytest.raises(InputError, match=r"25 row\(s\) to mend") as caught:
        read_labelled([path])
    assert len(str(caught.value).splitlines()) == 22
    assert str(caught.value).endswith("… and 5 more")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", "x", r"a\.xlsx: labelled data is read from files that end in \.csv, .*\.gz"),
        ("a.parquet.gz", "x", "labelled data is read from"),
        ("a.csv", "", "holds no rows"),
        ("a.jsonl", "\n\n", "holds no rows"),
        ("a.csv", "text,labels\n", "holds no rows"),
        ("a.csv", f"id,labels\n1,{SECRET}\n", "no text; columns found: id, labels; name the text column"),
        ("a.csv", f"text,id\n{SECRET},1\n", "no labels; columns found: id, text; add a column 'labels'"),
        ("a.csv", f"text,pain_point\n{SECRET},1\n", r"missing: feature_request, expectation_gap"),
        ("a.csv", f"text,labels,pain_point\n{SECRET},,1\n", "labels given twice, in 'labels' and in pain_p"),
        ("a.csv", f"text,labels\n{SECRET},,\n", "row 1: 3 cells, but the header has 2; quote the cells"),
        ("a.csv", f"text,Text,labels\n{SECRET},,\n", "column 'text' stands there twice"),
        ("a.csv", f'text,labels\n"{SECRET},\n', "line 2: broken quoting"),
        ("a.jsonl", f'{{"text": "{SECRET}"', "line 1: not JSON: .* each line must be one whole object"),
        ("a.jsonl", f'["{SECRET}"]\n', "line 1: a JSON list, not an object"),
        ("a.jsonl.gz", SECRET, "isn't whole gzip data"),
        ("a.parquet", SECRET, "not a Parquet file, or a damaged one"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as caught:
        read_labelled([path])
    assert str(path) in str(caught.value)
    assert SECRET not in str(caught.value)


def test_half_an_archive_is_not_read_as_a_short_one(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ONE).encode() * 500)[:-20])
    with pytest.raises(InputError, match="isn't whole gzip data"):
        read_labelled([path])


def test_another_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,labels\ncafé,\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 15\); save it as UTF-8"):
        read_labelled([path])


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_labelled([tmp_path / "none.csv"])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        read_labelled([tmp_path / "folder.csv"])


def test_blank_rows_are_no_documents_but_count(tmp_path):
    path = write(tmp_path / "a.csv", "text,labels\n\nHello,\n\nIt crashes,bug\n")
    with pytest.raises(InputError, match="row 4: unknown label"):
        read_labelled([path])
    good = write(tmp_path / "b.csv", "text,labels\n\nHello,\n\n")
    assert read_labelled([good])["text"].tolist() == ["Hello"]


def test_a_null_is_no_answer_in_any_kind_of_file(tmp_path):
    row = {"text": "Hello", "pain_point": True, "feature_request": True, "expectation_gap": False}
    rows = [row, {**row, "feature_request": None}]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(rows).astype({"feature_request": float}).to_parquet(tmp_path / "b.parquet")
    for path in (lines(tmp_path / "a.jsonl", *rows), tmp_path / "a.parquet", tmp_path / "b.parquet"):
        with pytest.raises(
            InputError, match="2: column 'feature_request' holds null; write false for no, or"
        ):
            read_labelled([path])
