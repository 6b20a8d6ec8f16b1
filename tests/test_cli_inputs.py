"""Commands on odd inputs: every row is scored, listed or counted, whatever its order and format."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
from commands import CONFIG, INPUTS, TABLES, call, manifest, write_csv

from classifier import schema
from classifier.labels import LABELS


def test_since_and_until(tmp_path: Path) -> None:
    rows = [
        [1, "2026-01-31", "It crashes"],
        [2, "2026-02-01", "It crashes too"],
        [3, "2026-03-01", "And again"],
    ]
    table = write_csv(tmp_path / "t.csv", ["id", "created_at", "text"], rows)
    out = tmp_path / "s.jsonl"
    result = call("score", table, "--since", "2026-02-01", "--until", "2026-03-01", "--out", out)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["document_id"] for line in out.read_text().splitlines()] == ["2"]


@pytest.mark.parametrize("as_of", ["2026-02-01", "2026-02-01T09:30:00Z"])
def test_what_is_later_than_as_of_stays_out_of_the_report(as_of: str, tmp_path: Path) -> None:
    rows = [
        (1, "The app crashes on every start.", "2026-01-05", "A", 10.0, "Demo"),
        (2, "The app crashes on each start.", "2026-02-01T09:30:00Z", "B", 20.0, "Demo"),
        (3, "The app crashes whenever it starts.", "2026-02-02", "A", 10.0, "Closed Lost"),
        (4, "The app crashes at start, undated.", "", "", "", ""),
    ]
    header = ("id", "text", "created_at", "account", "amount", "stage")
    table = write_csv(tmp_path / "t.csv", header, rows)
    out = tmp_path / "out"
    result = call("run", table, "--as-of", as_of, "--out", out, "--format", "json")
    assert result.exit_code == 0, result.output
    warnings = json.loads(result.stdout)["warnings"]
    assert [told for told in warnings if "1 document(s) are later than --as-of 2026-02-01" in told], warnings
    assert len(pd.read_parquet(out / "scored.parquet")) == 4
    assert manifest(out)["result"]["rows"]["scored"] == 4
    evidence = pd.read_csv(out / "evidence.csv", dtype=str, keep_default_na=False)
    assert set(evidence["document_id"]) == {"1", "2", "4"}
    backlog = pd.read_csv(out / "product_backlog.csv")
    assert backlog["mentions"].sum() == 3
    assert backlog["last_seen"].max() == "2026-02-01T09:30:00Z"
    # The deal of A was open then.
    assert backlog["revenue"].sum() == 30.0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "as of 1\u00a0Feb\u00a02026" in page
    assert "<span>3 documents</span>" in page


@pytest.mark.parametrize("name", ["s.csv", "s.csv.gz", "s.jsonl", "s.jsonl.zst", "s.parquet"])
def test_score_keeps_the_input_order_in_every_format(tmp_path: Path, name: str) -> None:
    from classifier.report import read_scored

    table = write_csv(
        tmp_path / "t.csv", ["id", "text"], [[5, "Login fails."], [3, ""], [4, "=2+2 please add dark mode"]]
    )
    result = call("score", table, "--out", tmp_path / name)
    assert result.exit_code == 0, result.output
    scored = read_scored([tmp_path / name])
    assert scored["document_id"].tolist() == ["5", "3", "4"]
    assert scored["review_reason"].tolist()[1] == "no_text"
    assert not scored.loc[1, list(LABELS)].any()
    assert scored["feature_request_evidence"].tolist()[2] == "=2+2 please add dark mode"


def test_score_from_stdin_to_stdout() -> None:
    result = call(
        "score", "-", "--out", "-", "--format", "jsonl", stdin=b'{"text": "The app crashes daily."}\n'
    )
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)
    assert row["pain_point"] is True
    assert row["source"] == "table"


def test_the_warning_says_where_the_list_of_rejected_rows_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = call("score", "-", "--out", "-", stdin=b"id,text\n1,The app crashes daily.\n")
    assert good.exit_code == 0, good.output
    assert not list(tmp_path.iterdir())
    bad = call("score", "-", "--out", "-", stdin=b"id,text\n1,The app crashes daily.\n2,a,b\n")
    assert f"1 row(s) could not be read; see {tmp_path / 'rejected.csv'}" in bad.stderr
    assert (tmp_path / "rejected.csv").exists()


def test_offsets_are_code_points_of_subject_and_body(tmp_path: Path) -> None:
    subject, body = "Größe 😀", "Naïve hope. The export crashes every single time I try it."
    table = write_csv(tmp_path / "t.csv", ["id", "subject", "body"], [["a", subject, body]])
    out = tmp_path / "s.parquet"
    assert call("score", table, "--out", out).exit_code == 0
    row = pd.read_parquet(out).iloc[0]
    text = f"{subject}\n{body}"
    assert text[row["pain_point_start"] : row["pain_point_end"]] == row["pain_point_evidence"]


def test_no_rows_is_no_error(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [])
    result = call("run", table, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert list(pd.read_csv(tmp_path / "out" / "product_backlog.csv").columns) == list(schema.PRODUCT_BACKLOG)
    assert manifest(tmp_path / "out")["result"]["rows"]["read"] == 0
    assert call("verify", tmp_path / "out").exit_code == 0


def test_a_repeated_id_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    rows = [
        ["a", "It crashes"],
        ["b", "Slow again"],
        ["a", "It crashes"],
        ["b", "Other words for the same id"],
    ]
    table = write_csv(tmp_path / "t.csv", ["ticket_id", "text"], rows)
    result = call("run", table, "--id-column", "ticket_id", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    duplicates = pd.read_csv(tmp_path / "out" / "duplicates.csv")
    assert sorted(duplicates["kind"]) == ["exact", "same_id"]
    assert "repeat a document_id" in result.stderr


def test_a_ticket_that_went_on_between_two_exports_counts_once(tmp_path: Path) -> None:
    header, time = ["ticket_id", "text", "created_at"], "2026-03-01T09:30:00Z"
    files = [
        write_csv(
            tmp_path / "a.csv", header, [[100, "The export crashes.", time], [7, "Slow.", "2026-03-01"]]
        ),
        write_csv(
            tmp_path / "b.csv",
            header,
            [[100, "The export crashes. And now the import does, too.", time], [7, "Late.", "2026-03-01"]],
        ),
    ]
    told = {
        "score": "the first that was read counts, the others are left out",
        "run": "the newest counts (of one time, the last updated, else the longest), the others are in "
        "duplicates.csv",
    }
    for command, out in (("score", tmp_path / "s.parquet"), ("run", tmp_path / "out")):
        result = call(command, *files, "--id-column", "ticket_id", "--out", out)
        assert result.exit_code == 0, result.output
        assert f"1 row(s) repeat a document_id with another text; {told[command]};" in result.stderr
        scored = pd.read_parquet(out if out.is_file() else out / "scored.parquet")
        assert sorted(scored["document_id"]) == ["100", "7", "7@b"]
    assert "1 document(s) share id and day, but not the text, with one of another file" in result.stderr


def test_notes_in_a_backlog_are_kept_when_the_next_run_replaces_it(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "The export crashes every morning."]])
    backlog = tmp_path / "out" / "product_backlog.csv"
    for number in range(3):
        result = call("run", table, "--out", tmp_path / "out", "--tier", "fast")
        assert result.exit_code == 0, result.output
        assert ("changed since the former run wrote it" in result.stderr) == (number > 0)
        backlog.write_text(backlog.read_text() + f"note {number}\n")
    kept = [tmp_path / name / "product_backlog.csv" for name in ("out.edited", "out.edited-2")]
    assert [path.read_text().splitlines()[-1] for path in kept] == ["note 0", "note 1"]
    assert [path.name for path in kept[0].parent.iterdir()] == ["product_backlog.csv"]


def test_the_stage_of_a_deal_is_that_of_the_latest_export(tmp_path: Path) -> None:
    header = ["Id", "CreatedDate", "LastModifiedDate", "AccountName", "OpportunityStage", "Description"]
    for name, changed, stage in (("a", "3/20/2026", "Negotiation"), ("b", "4/20/2026", "Closed Lost")):
        rows = [
            [f"00T{n}", "3/2/2026 3:10 PM", changed, f"Acme {n}", stage, f"They lose {n} photos every week."]
            for n in range(9)
        ]
        write_csv(tmp_path / f"{name}.csv", header, rows)
    files = [tmp_path / "b.csv", tmp_path / "a.csv"]
    result = call("run", *files, "--out", tmp_path / "out", "--tier", "fast")
    assert result.exit_code == 0, result.output
    assert set(pd.read_parquet(tmp_path / "out" / "scored.parquet")["stage"]) == {"Closed Lost"}


def test_of_repeated_documents_the_newest_counts_in_any_order(tmp_path: Path) -> None:
    header = ["ticket_id", "text", "account", "created_at"]
    first = [
        [1, "The export crashes every morning.", "Acme", "2026-03-01"],
        [1, "The export crashes every morning and evening.", "Acme", "2026-03-05"],
        [2, "The export crashes every morning.", "Acme", "2026-03-01"],
        [3, "Please add a dark mode to the board.", "Bolt", "2026-03-02"],
        [9, "Please add a dark mode to the board.", "Bolt", "2026-03-02"],
    ]
    second = [
        [3, "The import takes half an hour.", "Coil", "2026-03-03"],
        [1, "The export crashes every morning.", "Acme", "2026-03-01"],
    ]
    folders = []
    for name, step in (("straight", 1), ("turned", -1)):
        folder = tmp_path / name
        folder.mkdir()
        files = [
            write_csv(folder / "a.csv", header, first[::step]),
            write_csv(folder / "b.csv", header, second[::step]),
        ][::step]
        options = ["--id-column", "ticket_id"]
        result = call("run", *files, *options, "--out", folder / "out")
        assert result.exit_code == 0, result.output
        folders.append(folder)
        scored = [tmp_path / "straight" / f"{name}.jsonl" for name in "ab"]
        if step == 1:
            for source, target in zip(files, scored, strict=True):
                assert call("score", source, *options, "--out", target).exit_code == 0
        assert call("report", *scored[::step], "--out", folder / "again").exit_code == 0
    for out in ("out", "again"):
        tables = [pd.read_parquet(folder / out / "scored.parquet") for folder in folders]
        pd.testing.assert_frame_equal(*tables)
        assert len({(folder / out / "product_backlog.csv").read_bytes() for folder in folders}) == 1
    kept = pd.read_parquet(tmp_path / "straight" / "out" / "scored.parquet").set_index("document_id")
    assert sorted(kept.index) == ["1", "2", "3", "3@b"]
    assert kept.loc["1", "created_at"] == pd.Timestamp("2026-03-05", tz="UTC")
    duplicates = [pd.read_csv(folder / "out" / "duplicates.csv") for folder in folders]
    told = [sorted(map(tuple, table.drop(columns="row").astype("str").to_numpy())) for table in duplicates]
    assert told[0] == told[1]
    assert [row[1:] for row in told[0]] == [
        ("1", "1", "same_id"),
        ("9", "3", "same_text"),
        ("1", "2", "same_text"),
    ]
    again = manifest(tmp_path / "straight" / "again")["result"]["rows"]
    assert again["read"] == again["scored"] + again["duplicates"]


def test_equal_ids_in_two_files_are_two_documents(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "tickets.csv", ["id", "text"], [[1, "The export crashes."]])
    second = write_csv(tmp_path / "reviews.csv", ["id", "text"], [[1, "Please add dark mode."]])
    out = tmp_path / "out"
    assert call("run", first, second, "--out", out).exit_code == 0
    scored = pd.read_parquet(out / "scored.parquet")
    assert len(scored) == 2
    assert scored["document_id"].is_unique


def test_a_filter_compares_amounts_as_numbers_and_tells_where_nothing_is_left(tmp_path: Path) -> None:
    rows = [[1, "1,000", "It crashes."], [2, "20", "It is slow."]]
    table = write_csv(tmp_path / "t.csv", ["id", "amount", "text"], rows)
    found = call("score", table, "--out", tmp_path / "a.csv", "--where", "amount=1000")
    assert pd.read_csv(tmp_path / "a.csv")["document_id"].tolist() == [1], found.output
    none = call("score", table, "--out", tmp_path / "b.csv", "--where", "amount=3")
    assert none.exit_code == 0
    assert "left out 2 of 2" in none.stderr


def test_gzip_glob_and_mixed_kinds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("id,text\n1,It crashes.\n")
    (tmp_path / "b.jsonl").write_text('{"id": "2", "text": "Please add dark mode."}\n')
    result = call("score", str(tmp_path / "*"), "--out", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    assert pd.read_parquet(tmp_path / "out.parquet")["document_id"].tolist() == ["1", "2"]


def test_languages_that_the_settings_trust_are_scored(tmp_path: Path) -> None:
    text = "Die App stürzt jeden Morgen ab, und niemand vom Support ruft mich zurück."
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, text]])
    toml = tmp_path / "c.toml"
    toml.write_text('[scoring]\nlanguages = ["en", "de"]\n', encoding="utf-8")
    for name, extra, reason in (("a", [], "language"), ("b", ["--config", toml], "")):
        assert call("score", table, *extra, "--out", tmp_path / f"{name}.jsonl").exit_code == 0
        row = json.loads((tmp_path / f"{name}.jsonl").read_text())
        assert row["language"] == "de"
        assert (row["review_reason"] == "language") is (reason == "language")


def test_the_demo_settings_serve_an_export_without_tags(tmp_path: Path) -> None:
    result = call("run", INPUTS[1], *TABLES, CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "out" / "product_backlog.csv")) > 10
    typed = call("run", INPUTS[1], "--keep", "tags", "--out", tmp_path / "other")
    assert typed.exit_code == 1
    assert "tags" in typed.stderr


def test_standard_input_is_the_same_input_twice(tmp_path: Path) -> None:
    rows = b"id,text\n1,The export crashes every single day.\n"
    results = []
    for name in ("a", "b"):
        assert call("run", "-", "--out", tmp_path / name, stdin=rows).exit_code == 0
        results.append(manifest(tmp_path / name)["result"])
    assert results[0] == results[1]
    assert results[0]["inputs"][0]["name"] == "-"


def test_the_same_sentence_is_one_theme(tmp_path: Path) -> None:
    sentence = "Your website promised offline sync and it loses our photos."
    rows = [[1, f"Hello there. {sentence}"], [2, f"{sentence} The board is slow too."], [3, sentence]]
    table = write_csv(tmp_path / "t.csv", ["id", "text"], rows)
    assert call("run", table, "--out", tmp_path / "out").exit_code == 0
    evidence = pd.read_csv(tmp_path / "out" / "evidence.csv")
    same = evidence[evidence["quote"] == sentence]
    assert same["document_id"].nunique() >= 2
    assert same["theme_id"].nunique() == 1


def test_kept_columns_are_redacted(tmp_path: Path) -> None:
    header = ["id", "text", "author", "plan"]
    rows = [[1, "It crashes daily.", "Lou Ferrante", "gold, lou@example.com"]]
    table = write_csv(tmp_path / "t.csv", header, rows)
    out = tmp_path / "s.jsonl"
    assert call("score", table, "--keep", "author", "--keep", "plan", "--out", out).exit_code == 0
    row = json.loads(out.read_text())
    assert (row["author"], row["plan"]) == ("[PERSON_1]", "gold, [EMAIL]")
