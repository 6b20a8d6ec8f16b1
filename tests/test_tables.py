import pandas as pd
import pytest
from trained import ROOT

from classifier import schema
from classifier.errors import InputError
from classifier.tables import KINDS, read_table


def write(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples(kind):
    found = read_table(ROOT / f"data/examples/{kind}.csv", kind)
    assert len(found) > 5
    assert dict(found.dtypes.astype(str)) == dict(KINDS[kind].table)


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_alone_is_an_empty_table(kind, tmp_path):
    path = write(tmp_path, ",".join(KINDS[kind].required) + "\n")
    pd.testing.assert_frame_equal(read_table(path, kind), schema.empty(KINDS[kind].table))


def test_optional_columns_are_filled_and_others_left_out(tmp_path):
    path = write(tmp_path, "Claim ID,claim,colour\n c1 ,Works offline,red\n")
    found = read_table(path, "claims")
    assert list(found.columns) == list(schema.CLAIMS)
    assert found.loc[0, ["claim_id", "claim", "channel"]].tolist() == ["c1", "Works offline", ""]
    assert found["published_at"].isna()[0]


def test_numbers_and_dates(tmp_path):
    found = read_table(
        write(
            tmp_path,
            "account,arr,renewal_at\nA,1200.5,2026-03-31\nB,,\nC,-3e2,9999-12-31\nD,0,2026-03-31T10:00:00+02:00\n",
        ),
        "accounts",
    )
    assert found["arr"].tolist()[0::2] == [1200.5, -300.0]
    assert found["arr"].isna().tolist() == [False, True, False, False]
    assert found["renewal_at"].tolist() == [
        pd.Timestamp("2026-03-31", tz="UTC"),
        pd.NaT,
        pd.Timestamp("9999-12-31", tz="UTC"),
        pd.Timestamp("2026-03-31T08:00", tz="UTC"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'claim_id,claim\nc1,"Works; offline, always"\n',
        b'\xef\xbb\xbfclaim_id,claim\r\nc1,"Works; offline, always"\r\n',
        b'claim_id;claim\nc1;"Works; offline, always"\n',
        b"claim_id\tclaim\nc1\tWorks; offline, always\n",
        b'claim_id,claim\rc1,"Works; offline, always"\r',
    ],
)
def test_the_kinds_of_csv(content, tmp_path):
    assert read_table(write(tmp_path, content), "claims")["claim"].tolist() == ["Works; offline, always"]


def test_a_cell_with_a_line_break(tmp_path):
    found = read_table(write(tmp_path, 'claim_id,claim\nc1,"Works\noffline"\n'), "claims")
    assert found["claim"].tolist() == ["Works\noffline"]


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "Zürich 🚀"), ("cp1252", "Zürich – 5 €")])
def test_encodings(encoding, text, tmp_path):
    path = write(tmp_path, f"claim_id,claim\nc1,{text}\n".encode(encoding))
    assert read_table(path, "claims")["claim"].tolist() == [text]


FAULTY = [
    ("claims", "claim_id,claim\n,x\n", "row 1: claim_id is empty"),
    ("claims", "claim_id,claim\nc1,x\nc1,y\n", "row 2: claim_id 'c1' stands in row 1 already"),
    # Blank lines count, as they do in a spreadsheet.
    ("claims", "claim_id,claim\nc1,x\n\n,\nc1,y\n", "row 4: claim_id 'c1' stands in row 1 already"),
    (
        "claims",
        "claim_id,claim,published_at\nc1,x,31/03/2026\n",
        "row 1: published_at '31/03/2026' is not an ISO 8601",
    ),
    ("accounts", "account,arr\nA,\n\nB,1.200 EUR\n", "row 3: arr '1.200 EUR' is not a number"),
    ("accounts", "account,arr\nA,inf\n", "row 1: arr 'inf' is not a number"),
    ("accounts", "account,arr\nA,nan\n", "row 1: arr 'nan' is not a number"),
    (
        "accounts",
        "account,renewal_at\nA,2026-02-31\n",
        "row 1: renewal_at '2026-02-31' is not an ISO 8601 date",
    ),
    (
        "capabilities",
        "capability_id,capability,status\nk1,sync,soon\n",
        "row 1: status 'soon' is none of available, planned, not_planned",
    ),
    ("objectives", "objective_id,objective\n,grow\n", "row 1: objective_id is empty"),
]


@pytest.mark.parametrize(("kind", "content", "fault"), FAULTY)
def test_faulty_values(kind, content, fault, tmp_path):
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_table(path, kind)
    first, *faults = str(caught.value).splitlines()
    assert first == f"{path}: 1 value(s) to mend for --{kind}:"
    assert len(faults) == 1
    assert faults[0].startswith(f"  {fault}")


def test_all_faults_are_named_up_to_twenty(tmp_path):
    path = write(tmp_path, "account,arr\n" + "A,x\n" * 15)
    with pytest.raises(InputError) as caught:
        read_table(path, "accounts")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("29 value(s) to mend for --accounts:")
    assert len(lines) == 22
    assert lines[-1] == "  … and 9 more"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "claim_ids,claim\nc1,x\n",
            "no column 'claim_id' (is 'claim_ids' it? rename it); found: claim_ids, claim",
        ),
        ("a,b\nc1,x\n", "no column 'claim_id', 'claim'; found: a, b"),
        ("", "no column 'claim_id', 'claim'; found: nothing"),
        ("claim_id,claim,claim\nc1,x,y\n", "column 'claim' stands there twice; rename or drop one of them"),
        (
            "claim_id,claim\nc1,Fast, and cheap\n",
            "row 1: 3 cells, the header has 2; put a value that holds a delimiter into double quotes",
        ),
        ('claim_id,claim\nc1,"x\n', "line 2: unexpected end of data; save it as CSV UTF-8"),
        ("claim_id,claim\n".encode("utf-16"), "not a CSV file (it holds NUL bytes); save it as CSV UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table(content, message, tmp_path):
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_table(path, "claims")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"no.csv: no such file \(given with --claims\)"):
        read_table(tmp_path / "no.csv", "claims")
    with pytest.raises(InputError, match=r"can't be read: Is a directory \(given with --accounts\)"):
        read_table(tmp_path, "accounts")
