"""The folder of a run: what may be overwritten, run.json and verify."""

import json
import os
import time

import pandas as pd
import pytest
from report_samples import SETTINGS, copy_of, nothing, results, scored, write_run

from classifier import report
from classifier.errors import InputError, OutputError
from classifier.report import manifest
from classifier.report.folder import RESULTS, prepare_folder
from classifier.report.results import Rows, ScoredSummary


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run") / "out", results(), scored())


def test_all_files_of_the_contract(run):
    assert {path.name for path in run.iterdir()} == set(RESULTS)


def test_without_claims_there_is_no_table_of_them(tmp_path):
    found = write_run(tmp_path / "out", results(40, has_claims=False), scored(40))
    assert {path.name for path in found.iterdir()} == set(RESULTS) - {"claims_at_risk.csv"}


def test_nothing_read_still_gives_all_files(tmp_path):
    found = write_run(tmp_path / "out", nothing(), scored(0))
    assert report.verify(found) == []
    for name in ("product_backlog.csv", "evidence.csv", "rejected.csv"):
        assert (found / name).read_text().count("\n") == 1


def test_two_runs_are_equal_to_the_byte(run, tmp_path):
    other = write_run(tmp_path / "elsewhere", results(), scored())
    for name in RESULTS:
        assert (other / name).read_bytes() == (run / name).read_bytes(), name


def test_bom_for_excel(tmp_path):
    report.write(tmp_path, results(10), bom=True)
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in tmp_path.glob("*.csv"))


def test_run_json(run):
    found = json.loads((run / "run.json").read_text())
    assert found["result"]["rows"] == {
        "read": 396, "scored": 390, "rejected": 2, "duplicates": 1, "dropped": 3, "merged": 0,
    }  # fmt: skip
    assert set(found["result"]["outputs"]) == set(RESULTS) - {"run.json"}
    assert found["result"]["settings"] == SETTINGS
    assert found["execution"] == {"seconds": {"score": 1.5}}


def test_rows_that_do_not_add_up_are_a_bug(tmp_path):
    with pytest.raises(RuntimeError, match="don't add up"):
        manifest.build(
            tmp_path, rows=Rows(read=3, scored=2), inputs=[], model_id="", settings={}, as_of="",
            versions={}, execution={},
        )  # fmt: skip


def test_inputs_are_named_without_their_folder(tmp_path):
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text(name)
    assert [one["name"] for one in manifest.inputs_of([tmp_path / "b.csv", tmp_path / "a.csv"])] == [
        "a.csv",
        "b.csv",
    ]
    with pytest.raises(InputError, match="moved during the run"):
        manifest.inputs_of([tmp_path / "gone.csv"])


def test_versions_name_what_is_installed():
    found = manifest.versions(["pandas", "no-such-package-here"])
    assert found["pandas"] == pd.__version__
    assert set(found) == {"python", "pandas"}


# --- verify


def test_verify_finds_nothing_in_a_fresh_folder(run):
    assert report.verify(run) == []


def test_verify_tells_what_changed(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    (folder / "themes.csv").unlink()
    (folder / "product_backlog.csv").write_text("rank\n")
    (folder / "notes.txt").write_text("mine")
    (folder / ".DS_Store").write_text("")
    (folder / "~$backlogs.xlsx").write_text("")
    assert [(one.kind, one.file) for one in report.verify(folder)] == [
        ("foreign", "notes.txt"),
        ("changed", "product_backlog.csv"),
        ("missing", "themes.csv"),
    ]
    assert str(report.verify(folder)[2]) == "themes.csv: missing: was written and is gone"


def test_verify_notices_an_edited_manifest(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    found = json.loads((folder / "run.json").read_text())
    found["result"]["rows"]["scored"] -= 1
    found["execution"]["host"] = "elsewhere"
    (folder / "run.json").write_text(json.dumps(found))
    assert [one.kind for one in report.verify(folder)] == ["changed", "rows"]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"result": {}}', '{"result": {"rows": {"read": 1}, "outputs": {}}}']
)
def test_verify_with_an_unreadable_manifest(content, tmp_path):
    (tmp_path / "run.json").write_text(content)
    assert [(one.kind, one.file) for one in report.verify(tmp_path)] == [("unreadable", "run.json")]
    with pytest.raises(InputError, match=r"run\.json"):
        manifest.read(tmp_path)


def test_a_folder_that_cannot_be_listed(tmp_path):
    with pytest.raises(OutputError, match="folder doesn't exist"):
        manifest.visible(tmp_path / "gone")


def test_verify_without_manifest_or_folder(tmp_path):
    assert [(one.kind, one.file) for one in report.verify(tmp_path)] == [("missing", "run.json")]
    with pytest.raises(InputError, match="no such folder"):
        report.verify(tmp_path / "gone")


# --- prepare_folder


@pytest.mark.parametrize("exists", [True, False])
def test_new_and_empty_folders_are_fine(exists, tmp_path):
    out = tmp_path / "deep" / "out"
    if exists:
        out.mkdir(parents=True)
    with prepare_folder(out) as staging:
        (staging / "report.html").write_text("x")
        assert not (out / "report.html").exists()
    assert [path.name for path in out.iterdir()] == ["report.html"]


def test_the_folder_of_an_earlier_run_is_replaced(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    (folder / ".gitkeep").write_text("")
    write_run(folder, results(40, has_claims=False), scored(40))
    assert report.verify(folder) == []
    assert not (folder / "claims_at_risk.csv").exists()
    assert (folder / ".gitkeep").exists()


def test_foreign_files_are_refused_and_named(tmp_path):
    for at in range(7):
        (tmp_path / f"mine{at}.txt").write_text("")
    with (
        pytest.raises(OutputError, match=r"mine0\.txt, .*mine4\.txt and 2 more\).*--force"),
        prepare_folder(tmp_path),
    ):
        pass
    assert len(list(tmp_path.iterdir())) == 7


def test_our_names_without_our_manifest_are_foreign(tmp_path):
    (tmp_path / "report.html").write_text("somebody's")
    with pytest.raises(OutputError, match=r"report\.html"), prepare_folder(tmp_path):
        pass


@pytest.mark.parametrize("bom", [True, False])
def test_a_run_that_stopped_does_not_bar_the_next(bom, tmp_path):
    report.write_csv(results(10).rejected, tmp_path / "rejected.csv", bom=bom)
    write_run(tmp_path, results(10), scored(10))
    assert report.verify(tmp_path) == []


def test_somebody_elses_rejected_list_stays(tmp_path):
    (tmp_path / "rejected.csv").write_text("candidate,reason\n")
    with pytest.raises(OutputError, match=r"rejected\.csv"), prepare_folder(tmp_path):
        pass


def test_force_writes_between_foreign_files(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_run(tmp_path, results(10), scored(10), force=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert [(one.kind, one.file) for one in report.verify(tmp_path)] == [("foreign", "mine.txt")]


def test_a_manifest_cannot_lead_out_of_the_folder(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    (tmp_path / "precious.txt").write_text("mine")
    found = json.loads((folder / "run.json").read_text())
    found["result"]["outputs"]["../precious.txt"] = ""
    (folder / "run.json").write_text(json.dumps(found))
    write_run(folder, results(10), scored(10))
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_failed_run_leaves_the_former_results(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")

    def fail():
        with prepare_folder(folder) as staging:
            (staging / "report.html").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert report.verify(folder) == []
    assert {path.name for path in folder.iterdir()} == set(RESULTS)


def test_a_failed_first_run_leaves_no_folder(tmp_path):
    def fail():
        with prepare_folder(tmp_path / "out"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared(tmp_path):
    leftover = tmp_path / ".classifier-unfinished-abc"
    leftover.mkdir()
    (leftover / "scored.parquet").write_text("half")
    other = tmp_path / ".classifier-unfinished-of-a-run-that-still-goes"
    other.mkdir()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(leftover, (two_days_ago, two_days_ago))
    with prepare_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize("moved", [0, 1, 5, len(RESULTS) - 1])
@pytest.mark.parametrize("former", [True, False])
def test_a_run_killed_while_its_files_move_in_does_not_bar_the_next(
    moved, former, run, tmp_path, monkeypatch
):
    folder = copy_of(run, tmp_path / "out") if former else tmp_path / "out"
    replace, left = type(folder).replace, moved

    def killed(path, target):
        nonlocal left
        if target.parent == folder and path.parent != folder and (left := left - 1) < 0:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(type(folder), "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_run(folder, results(), scored())
    assert not (folder / "run.json").exists()
    assert len(manifest.visible(folder)) >= moved
    write_run(folder, results(10), scored(10))
    assert report.verify(folder) == []
    assert {path.name for path in folder.iterdir()} == set(RESULTS)


def test_what_a_killed_run_left_says_nothing_of_other_files(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    (folder / "run.json").rename(folder / ".classifier-former.json")
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"wrote \(mine\.txt\)"), prepare_folder(folder):
        pass


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="takes a folder"), prepare_folder(tmp_path / "file"):
        pass
    with (
        pytest.raises(OutputError, match="not a folder"),
        prepare_folder(tmp_path / "file" / "out", force=True),
    ):
        pass


def test_a_folder_of_the_name_of_a_file_of_ours(tmp_path):
    (tmp_path / "report.html").mkdir()

    def go():
        with prepare_folder(tmp_path, force=True) as staging:
            (staging / "report.html").write_text("x")

    with pytest.raises(OutputError, match="this is a folder"):
        go()


# --- summary


def test_summaries_of_batches_join():
    whole = scored()
    joined = ScoredSummary.of(whole.iloc[:100]) + ScoredSummary.of(whole.iloc[100:]) + ScoredSummary()
    assert joined == ScoredSummary.of(whole)


def test_summary_counts():
    documents = scored(3).assign(language=["en", "en", ""])
    documents["created_at"] = [pd.NaT, *documents["created_at"][1:]]
    found = ScoredSummary.of(documents)
    assert found.languages == {"en": 2, "": 1}
    assert found.undated == 1
    assert found.first == documents["created_at"][1]


def test_an_error_names_the_file_and_not_the_staging_folder(tmp_path):
    def fail():
        with prepare_folder(tmp_path / "out") as staging:
            (staging / "themes.csv").mkdir()
            report.write_csv(nothing().themes, staging / "themes.csv")

    with pytest.raises(OutputError) as caught:
        fail()
    assert str(caught.value).startswith(f"{tmp_path / 'out' / 'themes.csv'}: can't be written")
