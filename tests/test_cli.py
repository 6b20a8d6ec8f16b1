"""The commands as people and cron call them: files, exit codes, messages."""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from classifier import schema
from classifier.cli import main
from classifier.labels import LABELS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "data" / "examples"
TABLES = [f"--{name}={EXAMPLES / name}.csv" for name in ("claims", "capabilities", "accounts", "objectives")]
INPUTS = [str(EXAMPLES / "tickets.json"), str(EXAMPLES / "sales_notes.csv")]
CONFIG = f"--config={EXAMPLES / 'classifier.toml'}"

FILES = {
    "themes.csv": schema.THEMES,
    "evidence.csv": schema.EVIDENCE,
    "product_backlog.csv": schema.PRODUCT_BACKLOG,
    "marketing_backlog.csv": schema.MARKETING_BACKLOG,
    "claims_at_risk.csv": schema.CLAIMS_AT_RISK,
    "rejected.csv": schema.REJECTED,
    "duplicates.csv": schema.DUPLICATES,
    "dropped.csv": schema.DROPPED,
    "influence.csv": schema.INFLUENCE,
}


def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(one) for one in arguments], input=stdin, catch_exceptions=True)


def process(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "classifier", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over the demo company."""
    out = tmp_path_factory.mktemp("demo") / "report"
    result = call("run", *INPUTS, *TABLES, CONFIG, "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a part of the demo company's feedback, and in `report` the run over it."""
    folder = tmp_path_factory.mktemp("few")
    tickets = json.loads(Path(INPUTS[0]).read_text(encoding="utf-8"))
    tickets["tickets"] = tickets["tickets"][:80]
    (folder / "tickets.json").write_text(json.dumps(tickets), encoding="utf-8")
    notes = pd.read_csv(INPUTS[1], dtype=str, keep_default_na=False)
    notes[:30].to_csv(folder / "sales_notes.csv", index=False)
    result = call("run", *of_few(folder), "--out", folder / "report")
    assert result.exit_code == 0, result.output
    return folder


def of_few(folder: Path) -> list[str]:
    """Return the inputs and options of a run over the files of `few`."""
    return [str(folder / "tickets.json"), str(folder / "sales_notes.csv"), *TABLES, CONFIG]


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_exactly_its_columns(demo: Path, name: str) -> None:
    assert list(pd.read_csv(demo / name, nrows=0).columns) == list(FILES[name])


def test_scored_rows_have_the_columns_of_the_contract_then_the_kept_ones(demo: Path) -> None:
    scored = pd.read_parquet(demo / "scored.parquet")
    assert list(scored.columns) == [*schema.SCORED, "tags"]
    assert scored["document_id"].is_unique


def test_rows_add_up(demo: Path) -> None:
    rows = manifest(demo)["result"]["rows"]
    left_out = sum(rows[name] for name in ("rejected", "duplicates", "dropped", "merged"))
    assert rows["read"] == rows["scored"] + left_out
    assert rows["scored"] == len(pd.read_parquet(demo / "scored.parquet"))
    assert rows["duplicates"] == len(pd.read_csv(demo / "duplicates.csv"))


def test_spans_point_at_their_evidence(demo: Path) -> None:
    scored = pd.read_parquet(demo / "scored.parquet")
    for label in LABELS:
        found = scored[scored[label]]
        assert len(found) > 10
        assert (found[f"{label}_end"] - found[f"{label}_start"]).between(1, 300).all()
        assert (scored.loc[~scored[label], f"{label}_evidence"] == "").all()
    for text in scored["spans"]:
        for span in json.loads(text):
            assert span["label"] in (*LABELS, "")
            assert len(span["quote"]) <= 300


def test_no_theme_is_a_bucket(demo: Path) -> None:
    evidence = pd.read_csv(demo / "evidence.csv", keep_default_na=False)
    labelled = evidence[evidence["label"] != ""]
    assert labelled["theme_id"].str.fullmatch(r"T-\d{6}").all()
    assert labelled["theme_id"].value_counts(normalize=True).max() < 0.25


def test_factors_lie_between_0_and_1_and_make_the_priority(demo: Path) -> None:
    backlog = pd.read_csv(demo / "product_backlog.csv")
    weights = manifest(demo)["result"]["settings"]["rank"]["weights"]
    factors = backlog[[f"factor_{name}" for name in weights]]
    assert factors.stack().between(0, 1).all()
    expected = (factors.to_numpy() * list(weights.values())).sum(axis=1) / sum(weights.values())
    assert backlog["priority"].to_numpy() == pytest.approx(expected, abs=1e-5)
    assert backlog["priority"].is_monotonic_decreasing


def test_ids_of_other_tables_are_known(demo: Path) -> None:
    themes = set(pd.read_csv(demo / "themes.csv")["theme_id"])
    evidence = pd.read_csv(demo / "evidence.csv", keep_default_na=False)
    claims = set(pd.read_csv(EXAMPLES / "claims.csv")["claim_id"])
    documents = set(pd.read_parquet(demo / "scored.parquet")["document_id"])
    assert set(evidence["theme_id"]) - {""} <= themes
    assert set(evidence["claim_id"]) - {""} <= claims
    assert set(evidence["document_id"]) <= documents
    assert set(pd.read_csv(demo / "product_backlog.csv")["theme_id"]) <= themes


def test_personal_data_of_the_demo_is_nowhere(demo: Path) -> None:
    tickets = json.loads((EXAMPLES / "tickets.json").read_text(encoding="utf-8"))
    names = [user["name"] for user in tickets["users"]]
    addresses = [user["email"] for user in tickets["users"]]
    for path in demo.iterdir():
        if path.suffix in (".csv", ".html"):
            text = path.read_text(encoding="utf-8")
            assert not [one for one in (*names, *addresses) if one in text], path.name


def test_verify_finds_a_change(demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)
    assert call("verify", copy).exit_code == 0
    with (copy / "themes.csv").open("a") as file:
        file.write("x\n")
    (copy / "influence.csv").unlink()
    result = call("verify", copy, "--format", "json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert not body["ok"]
    assert {one["file"] for one in body["mismatches"]} == {"themes.csv", "influence.csv"}


def test_run_is_exactly_score_then_report(few: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored.csv"
    assert call("score", *of_few(few)[:2], CONFIG, "--out", scored).exit_code == 0
    result = call("report", scored, *TABLES, CONFIG, "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    for name in (
        "themes.csv",
        "evidence.csv",
        "product_backlog.csv",
        "marketing_backlog.csv",
        "claims_at_risk.csv",
    ):
        assert (tmp_path / "report" / name).read_bytes() == (few / "report" / name).read_bytes(), name


def test_row_order_workers_and_hash_seed_change_no_byte(few: Path, tmp_path: Path) -> None:
    tickets = json.loads((few / "tickets.json").read_text(encoding="utf-8"))
    tickets["tickets"].reverse()
    (tmp_path / "tickets.json").write_text(json.dumps(tickets), encoding="utf-8")
    notes = pd.read_csv(few / "sales_notes.csv", dtype=str, keep_default_na=False)
    notes.sample(frac=1, random_state=3).to_csv(tmp_path / "sales_notes.csv", index=False)
    done = process(
        "run", "sales_notes.csv", "tickets.json", *TABLES, CONFIG, "--out", "out", "--workers", "1",
        folder=tmp_path, PYTHONHASHSEED="12345",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = manifest(few / "report")["result"], manifest(tmp_path / "out")["result"]
    by_row = {"rejected.csv", "duplicates.csv", "dropped.csv"}  # they name rows
    differ = {name for name, digest in first["outputs"].items() if second["outputs"][name] != digest}
    # The report lists where dropped rows stood, so it may differ with them.
    assert differ <= by_row
    assert first["settings"] == second["settings"]


def test_two_runs_of_the_same_inputs_are_the_same(few: Path, tmp_path: Path) -> None:
    assert call("run", *of_few(few), "--out", tmp_path / "again").exit_code == 0
    first, second = manifest(few / "report"), manifest(tmp_path / "again")
    assert first["result"] == second["result"]
    result = call("diff", few / "report", tmp_path / "again", "--format", "json")
    assert result.exit_code == 0


def test_diff_tells_what_a_filter_changed(few: Path, tmp_path: Path) -> None:
    out, demo = tmp_path / "email", few / "report"
    assert call("run", *of_few(few), "--where", "channel=email", "--out", out).exit_code == 0
    rows = manifest(out)["result"]["rows"]
    assert 0 < rows["scored"] < manifest(demo)["result"]["rows"]["scored"]
    assert set(pd.read_parquet(out / "scored.parquet")["channel"]) == {"email"}
    assert "filtered" in set(pd.read_csv(out / "dropped.csv")["reason"])
    result = call("diff", demo, out)
    assert result.exit_code == 0
    assert "scored" in result.stdout


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


def test_too_many_bad_rows_stop_the_run_but_are_listed(tmp_path: Path) -> None:
    lines = [
        "id,text",
        *(f"{row},fine text here" for row in range(60)),
        *(f"{row},a,b,c" for row in range(30)),
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    result = call("run", tmp_path / "t.csv", "--out", out)
    assert result.exit_code == 1
    assert "30 of 90 rows" in result.stderr
    assert "--max-rejected" in result.stderr
    assert str(out / "rejected.csv") in result.stderr
    assert len(pd.read_csv(out / "rejected.csv")) == 30
    assert not (out / "report.html").exists()
    again = call("run", tmp_path / "t.csv", "--out", out, "--max-rejected", "40")
    assert again.exit_code == 0, again.output
    assert manifest(out)["result"]["rows"]["rejected"] == 30
    # What is finished stays whole: the list of a run that fails later goes beside it.
    failed = call("run", tmp_path / "t.csv", "--out", out, "--format", "json")
    assert failed.exit_code == 1
    beside = tmp_path / "out.rejected.csv"
    assert json.dumps(str(beside))[1:-1] in failed.stderr
    assert len(pd.read_csv(beside)) == 30
    assert call("verify", out).exit_code == 0


def test_score_leaves_no_half_file_where_rows_are_too_bad(tmp_path: Path) -> None:
    lines = ["id,text", *(f"{row},a,b,c" for row in range(30))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = call("score", tmp_path / "t.csv", "--out", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert not (tmp_path / "s.csv").exists()
    assert len(pd.read_csv(tmp_path / "rejected.csv")) == 30


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


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["run", "missing.csv", "--out", "out"], 1, "missing.csv"),
        (["run", "--out", "out"], 2, "Missing argument"),
        (["run", "t.csv"], 2, "--out"),
        (["run", "t.csv", "--out", "out", "--text-column", "txet"], 1, "text"),
        (["run", "t.csv", "--out", "out", "--model", "nothing"], 1, "default"),
        (["run", "t.csv", "--out", "out", "--since", "soon"], 2, "2026-03-31"),
        (["run", "t.csv", "--out", "out", "--where", "channel"], 2, "COLUMN=VALUE"),
        (["run", "t.csv", "--out", "out", "--where", "created_at=2026-03-01"], 2, "--since"),
        (["run", "t.csv", "--out", "out", "--where", "plam=pro"], 1, "no column 'plam' (--where)"),
        (["run", "t.csv", "--out", "out", "--as-of", "31.3.2026"], 2, "--as-of"),
        (["run", "t.csv", "--out", "out", "--encoding", "utf9"], 2, "--encoding"),
        (["run", "t.csv", "--out", "out", "--delimiter", "::"], 2, "--delimiter"),
        (["run", "t.csv", "--out", "out", "--date-format", "dd.mm"], 2, "strptime"),
        (["run", "t.csv", "--out", "out", "--tier", "best"], 2, "accurate"),
        (["run", "t.csv", "--out", "t.csv"], 1, "t.csv"),
        (["run", "t.csv", "--out", "out", "--claims", "none.csv"], 1, "none.csv"),
        (["run", "t.csv", "--out", "out", "--config", "none.toml"], 1, "none.toml"),
        (["run", "t.csv", "--out", "out", "--source", "zendesk2"], 2, "zendesk"),
        (["score", "t.csv", "--out", "s.txt"], 2, ".parquet"),
        (["score", "t.csv", "--out", "no/such/folder/s.csv"], 1, "no/such/folder"),
        (["report", "t.csv", "--out", "out"], 1, "classifier score"),
        (["verify", "nowhere"], 1, "nowhere"),
        (["diff", "nowhere", "nowhere"], 1, "nowhere"),
        (["train", "t.csv", "--out", "model/1"], 1, "labels"),
        (["evaluate", "none.jsonl"], 1, "none.jsonl"),
        (["no-such-command"], 2, "No such command"),
        (["run", "t.csv", "--out", "out", "--max-rejected", "500"], 2, "--max-rejected"),
    ],
)
def test_mistakes_are_told_with_their_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "The secret export crashes."]])
    result = call(
        *arguments, *(["--models", ROOT / "models"] if arguments[0] in ("run", "score", "evaluate") else [])
    )
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert "secret" not in result.stderr
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_folder_with_foreign_files_is_refused(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "It crashes."]])
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"x")
    refused = call("run", table, "--out", out)
    assert refused.exit_code == 1
    assert "holiday.jpg" in refused.stderr
    assert "--force" in refused.stderr
    assert call("run", table, "--out", out, "--force").exit_code == 0
    assert (out / "holiday.jpg").read_bytes() == b"x"


def test_inputs_in_the_folder_of_results_are_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export = write_csv(out / "evidence.csv", ["id", "text"], [[1, "It crashes."]])
    before = export.read_bytes()
    result = call("run", export, "--out", out, "--force")
    assert result.exit_code == 1
    assert "never overwritten" in result.stderr
    assert export.read_bytes() == before


def test_a_filter_compares_amounts_as_numbers_and_tells_where_nothing_is_left(tmp_path: Path) -> None:
    rows = [[1, "1,000", "It crashes."], [2, "20", "It is slow."]]
    table = write_csv(tmp_path / "t.csv", ["id", "amount", "text"], rows)
    found = call("score", table, "--out", tmp_path / "a.csv", "--where", "amount=1000")
    assert pd.read_csv(tmp_path / "a.csv")["document_id"].tolist() == [1], found.output
    none = call("score", table, "--out", tmp_path / "b.csv", "--where", "amount=3")
    assert none.exit_code == 0
    assert "no row is left: 2 of 2" in none.stderr


@pytest.mark.slow
def test_nothing_is_told_to_the_makers_of_a_library(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "It crashes every day since the update."]])
    home = tmp_path / "home"
    home.mkdir()
    done = process("run", table, "--out", "out", "--tier", "accurate", folder=tmp_path, HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert not [path for path in home.rglob("*") if "onnx" in path.name or "Microsoft" in path.name]


def test_errors_as_json(tmp_path: Path) -> None:
    done = process("run", "missing.csv", "--out", "out", "--format", "json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["type"] == "InputError"
    assert done.stdout == ""


def test_explain_shows_what_weighed(tmp_path: Path) -> None:
    result = call("explain", "Please add dark mode. The app crashes on every start!", "--format", "json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert body["labels"]["feature_request"]["decision"]
    assert body["labels"]["feature_request"]["evidence"]["text"] == "Please add dark mode."
    assert body["labels"]["pain_point"]["evidence"]["text"] == "The app crashes on every start!"
    assert "crashes" in {one["ngram"] for one in body["labels"]["pain_point"]["ngrams"]}
    text = call("explain", "-", stdin=b"Please add dark mode.")
    assert "feature request: yes" in text.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["explain", "It crashes daily."]])
def test_a_quick_command_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from classifier.cli import main\n"
        f"assert CliRunner().invoke(main, {arguments!r}).exit_code == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} "
        "& {'pandas', 'sklearn', 'numba', 'spacy', 'scipy', 'pyarrow', 'matplotlib', 'onnxruntime'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_help_imports_no_numbers() -> None:
    code = (
        "import sys, classifier.cli\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_quotes_none_leaves_no_text(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call("run", *of_few(few), "--quotes", "none", "--out", out)
    assert result.exit_code == 0, result.output
    scored = pd.read_parquet(out / "scored.parquet")
    assert (scored["subject"] == "").all()
    assert not any(span["quote"] for text in scored["spans"] for span in json.loads(text))
    backlog = pd.read_csv(out / "product_backlog.csv", keep_default_na=False)
    assert (backlog[["quote_1", "quote_2", "quote_3"]] == "").all(axis=None)
    assert len(backlog) > 10


def test_gzip_glob_and_mixed_kinds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("id,text\n1,It crashes.\n")
    (tmp_path / "b.jsonl").write_text('{"id": "2", "text": "Please add dark mode."}\n')
    result = call("score", str(tmp_path / "*"), "--out", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    assert pd.read_parquet(tmp_path / "out.parquet")["document_id"].tolist() == ["1", "2"]


def test_quiet_prints_nothing_and_json_stays_json(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "It crashes."]])
    quiet = call("run", table, "--out", tmp_path / "a", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    body = json.loads(call("run", table, "--out", tmp_path / "b", "--format", "json").stdout)
    assert body["command"] == "run"
    assert body["rows"]["scored"] == 1


def test_train_and_evaluate(tmp_path: Path) -> None:
    written = (ROOT / "data" / "training" / "written_a.jsonl").read_text(encoding="utf-8").splitlines()
    data = tmp_path / "labelled.jsonl"
    data.write_text("\n".join(written[::4]) + "\n", encoding="utf-8")
    model = tmp_path / "models" / "mine" / "1"
    trained = call("train", data, "--out", model, "--format", "json")
    assert trained.exit_code == 0, trained.output
    body = json.loads(trained.stdout)
    assert set(body["figures"]) == set(LABELS)
    # The first version of a name is its current one.
    by_name = call("explain", "Please add dark mode.", "--model", "mine", "--models", tmp_path / "models")
    assert body["model_id"] in by_name.stdout
    again = call("train", data, "--out", model)
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr
    measured = call(
        "evaluate",
        data,
        "--model",
        model,
        "--out",
        tmp_path / "figures",
        "--format",
        "json",
        "--resamples",
        "50",
    )
    assert measured.exit_code == 0, measured.output
    figures = json.loads(measured.stdout)
    assert figures["model_id"] == body["model_id"]
    # On its own training data: high, or something is broken.
    assert figures["macro_f1"]["value"] > 0.85
    assert (tmp_path / "figures" / "reliability.png").read_bytes().startswith(b"\x89PNG")


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


def test_score_never_writes_over_an_input_or_a_foreign_list(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "It crashes."]])
    before = table.read_bytes()
    over = call("score", table, "--out", table)
    assert over.exit_code == 1
    assert "never overwritten" in over.stderr
    assert table.read_bytes() == before
    assert call("score", table, "--out", tmp_path / "rejected.csv").exit_code == 1
    (tmp_path / "rejected.csv").write_text("mine\n")
    (tmp_path / "bad.csv").write_text("id,text\n1,fine words here\n2,a,b,c\n")
    result = call("score", tmp_path / "bad.csv", "--out", tmp_path / "s.csv")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "rejected.csv").read_text() == "mine\n"
    listed = tmp_path / "s.csv.rejected.csv"
    assert len(pd.read_csv(listed)) == 1
    assert f"1 row(s) could not be read; see {listed}" in result.stderr


def test_the_text_itself_cannot_be_kept(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [[1, "The secret export crashes."]])
    result = call("score", table, "--keep", "text", "--out", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert "never written" in result.stderr
    assert not (tmp_path / "s.csv").exists()


def test_the_demo_settings_serve_an_export_without_tags(tmp_path: Path) -> None:
    result = call("run", INPUTS[1], *TABLES, CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "out" / "product_backlog.csv")) > 10
    typed = call("run", INPUTS[1], "--keep", "tags", "--out", tmp_path / "other")
    assert typed.exit_code == 1
    assert "tags" in typed.stderr


def test_a_report_whose_area_column_was_not_kept_is_refused(tmp_path: Path) -> None:
    assert call("score", INPUTS[0], "--out", tmp_path / "s.csv").exit_code == 0
    result = call("report", tmp_path / "s.csv", *TABLES, CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "--keep tags" in result.stderr
    assert "Traceback" not in result.output


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
