from classifier.progress import rows_bar


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
