import gzip

from classifier.progress import expected_rows, rows_bar, steps_bar
from classifier.read import ReadOptions, find_inputs, read_files, share_read


def test_nothing_where_nobody_watches(capsys):
    for shown in (False, None):
        with rows_bar(shown=shown, total=10, what="Scoring") as advance:
            advance(4)
    assert capsys.readouterr() == ("", "")


def test_rows_share_and_name_on_stderr_alone(capsys):
    with rows_bar(shown=True, total=10, what="Scoring") as advance:
        advance(4)
        advance(10)
    out, err = capsys.readouterr()
    assert out == ""
    last = err.split("\r")[-1]
    assert last.startswith("Scoring: 100%")
    assert "10.0/10.0" in last
    assert "rows/s" in last


def test_without_a_total_the_rows_so_far(capsys):
    with rows_bar(shown=True, total=None, what="Scoring") as advance:
        advance(7)
    assert "Scoring: 7.00 rows" in capsys.readouterr().err


def test_expected_rows(tmp_path):
    import pandas as pd

    table = tmp_path / "t.parquet"
    pd.DataFrame({"text": ["a", "b", "c"]}).to_parquet(table)
    lines = tmp_path / "t.csv"
    lines.write_text("text\na\nb\n")
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(b"\x1f\x8b rest")
    document = tmp_path / "t.json"
    document.write_text('[\n{"text": "a"}\n]\n')
    assert expected_rows([table, lines]) == 6
    assert expected_rows([lines, packed]) is None
    assert expected_rows([document]) is None
    tickets = tmp_path / "tickets.json"
    tickets.write_text('{\n"tickets": []\n}\n')
    assert expected_rows([tickets]) is None
    tickets.write_text('{"text": "a"}\n{"text": "b"}\n')
    assert expected_rows([tickets]) == 2
    assert expected_rows([]) == 0


def test_a_bar_with_a_total_tells_what_remains(capsys):
    with rows_bar(shown=True, total=100, what="scoring") as advance:
        advance(50)
    assert "50.0/100" in capsys.readouterr().err


def test_the_remaining_rows_are_estimated_by_what_is_read(capsys):
    with rows_bar(shown=True, total=None, what="scoring", share=lambda: 0.25) as advance:
        advance(50)
    assert "50.0/200" in capsys.readouterr().err
    with rows_bar(shown=True, total=None, what="scoring", share=lambda: None) as advance:
        advance(50)
    assert "50.0 rows" in capsys.readouterr().err


def test_how_much_is_read(tmp_path):
    document = tmp_path / "a.json"
    document.write_text('[{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]')
    packed = tmp_path / "b.json.gz"
    packed.write_bytes(gzip.compress(document.read_bytes()))
    sources, _ = find_inputs([str(document), str(packed)])
    assert share_read(sources) == 0
    shares = [share_read(sources) for _ in read_files(sources, ReadOptions())]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1
    assert shares[-1] == 1
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    assert share_read(find_inputs([str(tmp_path / "c.parquet")])[0]) is None
    (tmp_path / "d.json").write_bytes(b"")
    assert share_read(find_inputs([str(tmp_path / "d.json")])[0]) is None


def test_steps_are_told_by_name_where_somebody_watches(capsys):
    with steps_bar(["linking", "ranking"], shown=None) as begin:
        begin("linking")
    assert capsys.readouterr() == ("", "")
    with steps_bar(["linking", "ranking"], shown=True) as begin:
        begin("linking")
        begin("ranking")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.strip().partition(":")[0] for line in err.split("\r") if line.strip()][-1] == "ranking"
    assert "linking: 0/2" in err
    assert "ranking: 2/2" in err
