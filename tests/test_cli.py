"""What a run leaves: files that agree with each other, and the same ones every time."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import CONFIG, EXAMPLES, INPUTS, TABLES, call, manifest, process

from classifier import schema
from classifier.labels import LABELS

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


def test_a_report_made_anew_accounts_for_all_that_its_run_read(few: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(few / "report", again)
    for out in (tmp_path / "elsewhere", again):
        result = call("report", again / "scored.parquet", *TABLES, CONFIG, "--out", out)
        assert result.exit_code == 0, result.output
        first, second = manifest(few / "report")["result"], manifest(out)["result"]
        assert first["rows"]["read"] > first["rows"]["scored"]
        assert second["rows"] == first["rows"]
        assert second["outputs"] == first["outputs"]


def test_left_out_rows_of_another_run_are_not_taken_over(few: Path, tmp_path: Path) -> None:
    shutil.copytree(few / "report", tmp_path / "changed")
    with (tmp_path / "changed" / "dropped.csv").open("a") as file:
        file.write("x\n")
    result = call("report", tmp_path / "changed" / "scored.parquet", CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    rows = manifest(tmp_path / "out")["result"]["rows"]
    assert rows["read"] == rows["scored"]


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
    evidence = pd.read_csv(out / "evidence.csv", keep_default_na=False)
    assert (evidence[["quote", "impact"]] == "").all(axis=None)
    # The amounts, hours and staff that it costs are the customers' words as well.
    assert (pd.read_csv(few / "report" / "evidence.csv", keep_default_na=False)["impact"] != "").any()


def test_a_report_of_spans_without_quotes_warns(few: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored.csv"
    assert call("score", few / "tickets.json", CONFIG, "--quotes", "none", "--out", scored).exit_code == 0
    result = call("report", scored, CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    told = re.search(
        r"Warning: (\d+) of (\d+) labelled spans have no quote.*without --quotes none", result.stderr
    )
    assert told, result.stderr
    assert told[1] == told[2]
    assert "labelled spans have no quote" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
