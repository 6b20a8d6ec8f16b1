"""What the commands say, of mistakes above all, and what they must never do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commands import CONFIG, INPUTS, ROOT, TABLES, call, manifest, process, write_csv

from classifier.labels import LABELS
from classifier.run import reporting


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


@pytest.mark.parametrize("command", ["run", "score"])
def test_a_start_that_is_always_slow_is_told_with_its_remedy(tmp_path: Path, command: str) -> None:
    """Where nothing may be written, such as for a cron user without a home, all is compiled each time."""
    arguments = [command, "none.csv", "--out", "x.csv", "--models", ROOT / "models"]
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    told = "compiled code can't be kept"
    slow = process(*arguments, folder=tmp_path, **nowhere).stderr
    assert told in slow
    assert "set NUMBA_CACHE_DIR to a folder" in slow
    assert told not in process(*arguments, folder=tmp_path).stderr
    assert told not in process(*arguments, "--quiet", folder=tmp_path, **nowhere).stderr


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


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["t.csv", "claims.csv", "scored.csv"])
def test_inputs_that_change_while_they_are_read_stop_the_run(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_csv(tmp_path / "t.csv", ["id", "text"], [(1, "The app crashes."), (2, "Please add tags.")])
    claims = write_csv(tmp_path / "claims.csv", ["claim_id", "claim"], [("C-1", "It never crashes.")])
    scored, out = tmp_path / "scored.csv", tmp_path / "out"
    assert call("score", table, "--out", scored).exit_code == 0
    command = ["report", scored] if changed == "scored.csv" else ["run", table]
    command += [f"--claims={claims}", "--out", out]
    assert call(*command).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write = reporting.write_files

    def replaced(*arguments: Any) -> None:
        other = tmp_path / "other"
        other.write_bytes((tmp_path / changed).read_bytes())
        os.utime(other, ns=(1, 1))
        other.replace(tmp_path / changed)
        write(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(reporting, "write_files", replaced)
        result = call(*command)
    assert result.exit_code == 1, result.output
    assert f"{changed}: changed while it was read" in result.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert call(*command).exit_code == 0


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


def test_explain_says_when_a_text_is_too_short() -> None:
    told = "too short to decide on: the model knows but one word of it, or none"
    assert told in call("explain", "Crashes", "--tier", "fast").stdout.splitlines()
    assert told not in call("explain", "It crashes daily.", "--tier", "fast").stdout.splitlines()


def test_explain_takes_bytes_that_are_no_text() -> None:
    result = call("explain", "It crashes \udcff daily.", "--tier", "fast")
    assert result.exit_code == 0, result.output
    assert "pain point: yes" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["train", "t.csv", "--out", "m", "--seed", "-1"], 2, "--seed"),
        (["evaluate", "t.csv", "--seed", "-1"], 2, "--seed"),
        (["evaluate", "t.csv", "--model", ""], 1, "the name of the model is empty"),
        (["evaluate", "t.csv", "--against", ""], 1, "the name of the model is empty"),
        (["train", "t.csv", "--out", "t.csv"], 1, "t.csv is a file, but a model is a folder"),
        (["train", "t.csv", "--out", "."], 1, "holds files that are of no model (t.csv)"),
    ],
)
def test_what_training_and_evaluation_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "t.csv", ["text", "labels"], [["It crashes.", "pain_point"]])
    result = call(*arguments)
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


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


def test_a_report_whose_area_column_was_not_kept_is_refused(tmp_path: Path) -> None:
    assert call("score", INPUTS[0], "--out", tmp_path / "s.csv").exit_code == 0
    result = call("report", tmp_path / "s.csv", *TABLES, CONFIG, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "--keep tags" in result.stderr
    assert "Traceback" not in result.output


def test_a_misspelt_department_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    (tmp_path / "classifier.toml").write_text('[departments]\nMobile = ["app"]\n', encoding="utf-8")
    config = f"--config={tmp_path / 'classifier.toml'}"
    result = call("run", "nowhere.csv", config, "--for", "Mobil", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "did you mean 'Mobile'?" in result.stderr
    assert not (tmp_path / "out").exists()
