"""What diff tells of two runs."""

import dataclasses
import json

import pandas as pd
import pytest
from report_samples import SETTINGS, copy_of, results, scored, write_run

from classifier import report
from classifier.errors import InputError
from classifier.report import compare
from classifier.report.results import Rows


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run") / "out", results(), scored())


def test_equal_runs_have_no_diff(run, tmp_path):
    found = report.diff(run, copy_of(run, tmp_path / "out"))
    assert found.identical
    assert "same rows, labels, backlogs and settings" in report.render_text(found)


@pytest.fixture(scope="module")
def changed(run, tmp_path_factory):
    """Return a second run: a document more and one less, a label lost, backlogs moved, a weight changed."""
    documents = scored().iloc[1:].reset_index(drop=True)
    documents.loc[0, "pain_point"] = not documents.loc[0, "pain_point"]
    documents = pd.concat([documents, documents.tail(1).assign(document_id="NEW-1")], ignore_index=True)
    found = results()
    backlog = found.product_backlog.iloc[[1, 0, *range(3, len(found.product_backlog))]].reset_index(drop=True)
    backlog["rank"] = range(1, len(backlog) + 1)
    backlog.loc[2, ["theme_id", "title", "document_ids"]] = ["T-000900", "Fresh theme", "NEW-1"]
    found = dataclasses.replace(found, product_backlog=backlog, rows=Rows(read=390, scored=390))
    out = tmp_path_factory.mktemp("second") / "out"
    return write_run(out, found, documents, settings={**SETTINGS, "rank": {"weights": {"reach": 5.0}}})


def test_diff_tells_what_changed(run, changed):
    found = report.diff(run, changed)
    before = results().product_backlog
    assert not found.identical
    assert found.settings == {"rank.weights.reach": (3.0, 5.0)}
    assert found.rows["read"] == (396, 390)
    assert (found.documents.both, found.documents.only_first, found.documents.only_second) == (389, 1, 1)
    assert found.documents.only_second_ids == ("NEW-1",)
    assert [(one.gained, one.lost) for one in found.labels] in (
        [(1, 0), (0, 0), (0, 0)],
        [(0, 1), (0, 0), (0, 0)],
    )
    assert [one.title for one in found.product.new] == ["Fresh theme"]
    assert [one.key for one in found.product.gone] == [before["theme_id"][2], before["theme_id"][3]]
    assert found.product.moved[0].rank == (2, 1)
    assert found.product.moved[0].title == before["title"][1]
    assert found.marketing == compare.Backlog((), (), ())


def test_diff_as_json_and_text(run, changed):
    found = report.diff(run, changed)
    assert json.loads(json.dumps(found.as_dict()))["product"]["new"][0]["title"] == "Fresh theme"
    text = report.render_text(found)
    assert "rank.weights.reach: 3.0 -> 5.0" in text
    assert "+ 3. Fresh theme (T-000900, new" in text
    assert "rank 2 -> 1" in text
    assert "… and" in text
    assert "Marketing backlog" not in text


def test_diff_of_inputs(run, tmp_path):
    folder = copy_of(run, tmp_path / "out")
    found = json.loads((folder / "run.json").read_text())
    found["result"]["inputs"][0]["sha256"] = "cd"
    (folder / "run.json").write_text(json.dumps(found))
    assert "inputs: other content of tickets.json" in report.render_text(report.diff(run, folder))
    found["result"]["inputs"] = []
    (folder / "run.json").write_text(json.dumps(found))
    assert "inputs: tickets.json -> none" in report.render_text(report.diff(run, folder))


def test_diff_lists_only_the_inputs_that_differ(run, tmp_path):
    def with_inputs(name, **inputs):
        folder = copy_of(run, tmp_path / name)
        found = json.loads((folder / "run.json").read_text())
        found["result"]["inputs"] = [{"name": one, "sha256": digest} for one, digest in inputs.items()]
        (folder / "run.json").write_text(json.dumps(found))
        return folder

    first = with_inputs("first", same="1", other="2", gone="3")
    found = report.diff(first, with_inputs("second", other="4", new="5", same="1"))
    assert found.settings == {
        "inputs": (
            [{"name": "gone", "sha256": "3"}, {"name": "other", "sha256": "2"}],
            [{"name": "new", "sha256": "5"}, {"name": "other", "sha256": "4"}],
        )
    }
    text = report.render_text(found)
    assert "inputs: other content of other\n" in text
    assert "inputs: gone -> new" in text
    assert report.diff(first, with_inputs("order", gone="3", same="1", other="2")).identical


def renumbered(table):
    """Give the themes of a backlog each other's ids."""
    ids = sorted(set(table["theme_id"]))
    return table.assign(theme_id=table["theme_id"].map(dict(zip(ids, reversed(ids), strict=True))))


def without(table, document):
    """Take a document out of a backlog."""
    has = table["document_ids"].str.split(";").map(lambda ids: document in ids)
    left = table["document_ids"].map(lambda ids: ";".join(one for one in ids.split(";") if one != document))
    return table.assign(document_ids=left, mentions=table["mentions"] - has)


def test_ids_of_themes_alone_are_no_change(run, tmp_path):
    found = results()
    product, marketing = renumbered(found.product_backlog), renumbered(found.marketing_backlog)
    assert (product["theme_id"] != found.product_backlog["theme_id"]).any()
    found = dataclasses.replace(found, product_backlog=product, marketing_backlog=marketing)
    assert report.diff(run, write_run(tmp_path / "out", found, scored())).identical


@pytest.mark.parametrize(("by", "moved"), [(0.000001, 0), (0.02, 1)])
def test_a_priority_that_looks_the_same_is_no_move(by, moved, run, tmp_path):
    found = results()
    product = found.product_backlog.copy()
    # From the middle of what is shown alike, so that a millionth changes no digit.
    product.loc[0, "priority"] = round(product.loc[0, "priority"], 2) + by
    before = product.assign(priority=product["priority"].where(product.index > 0, product["priority"] - by))
    runs = [
        write_run(tmp_path / name, dataclasses.replace(found, product_backlog=table), scored())
        for name, table in (("a", before), ("b", product))
    ]
    changes = report.diff(*runs)
    assert len(changes.product.moved) == moved
    assert (": priority 0." in report.render_text(changes)) == bool(moved)


def test_a_document_less_changes_few_rows(run, tmp_path):
    found = results()
    document = found.product_backlog["document_ids"][0].split(";")[0]
    product = without(renumbered(found.product_backlog), document)
    product["title"] = product["title"].str.upper()
    has = product["mentions"] != found.product_backlog["mentions"]
    found = dataclasses.replace(found, product_backlog=product)
    changes = report.diff(run, write_run(tmp_path / "out", found, scored())).product
    assert (changes.new, changes.gone) == ((), ())
    assert [one.key for one in changes.moved] == list(product.loc[has, "theme_id"])
    assert 1 <= len(changes.moved) <= 2


def backlogs(run, tmp_path, *sides, table="marketing_backlog"):
    """Compare two runs that differ in a backlog: of each side, the rows as mappings."""
    found, folders = results(), []
    for at, rows in enumerate(sides):
        filled = pd.DataFrame(rows, dtype="object").assign(rank=range(1, len(rows) + 1), mentions=1)
        whole = getattr(found, table).head(1).reindex(range(len(rows)))
        text = whole.select_dtypes(["object", "string"]).columns
        whole = whole.assign(**dict.fromkeys(text, ""), priority=0.5, accounts=1)
        path = copy_of(run, tmp_path / str(at)) / f"{table}.csv"
        whole.assign(**filled).to_csv(path, index=False)
        folders.append(path.parent)
    both = report.diff(*folders)
    return both.marketing if table == "marketing_backlog" else both.product


def test_two_gaps_of_one_theme_are_two_rows(run, tmp_path):
    gap = {"kind": "education_gap", "theme_id": "T-000001"}
    sso = {**gap, "capability_id": "CAP-1", "title": "SSO", "document_ids": "1;2"}
    api = {**gap, "capability_id": "CAP-2", "title": "API", "document_ids": "1;2"}
    found = backlogs(run, tmp_path, [sso, api], [api, sso])
    assert (found.new, found.gone) == ((), ())
    assert [(one.title, one.rank) for one in found.moved] == [("API", (2, 1)), ("SSO", (1, 2))]


def test_two_new_gaps_of_one_theme_are_both_told(run, tmp_path):
    gap = {"kind": "education_gap", "theme_id": "T-000001", "document_ids": "1;2"}
    rows = [{**gap, "capability_id": name, "title": name} for name in ("CAP-1", "CAP-2", "CAP-3")]
    found = backlogs(run, tmp_path, rows[:1], rows)
    assert [one.title for one in found.new] == ["CAP-2", "CAP-3"]
    assert (found.gone, found.moved) == ((), ())


def test_a_claim_is_the_same_by_its_id(run, tmp_path):
    claim = {"kind": "claim_at_risk", "claim_id": "C-1", "title": "Free", "document_ids": "1;2"}
    found = backlogs(
        run,
        tmp_path,
        [claim],
        [{**claim, "claim_id": "C-2"}, {**claim, "title": "Always free", "document_ids": "8;9"}],
    )
    assert [one.key for one in found.new] == ["claim_at_risk:C-2"]
    assert (found.gone, [one.title for one in found.moved]) == ((), ["Always free"])


def theme(number, title, documents):
    return {"theme_id": f"T-{number:06d}", "title": title, "document_ids": documents}


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        pytest.param(["a 1;2;3;…"], ["b 1;2;4;…"], [0], id="overlap, and … is no document"),
        pytest.param(["a 1;2;3;…"], ["b 3;7;8;…"], [None], id="too little overlap"),
        pytest.param(["a 1;2;3"], ["a 7;8;9"], [0], id="left over: by title"),
        pytest.param(["a 1;2;3;4", "b 1;2"], ["a 1;2;3", "c 1;2;3;4"], [1, 0], id="largest overlap first"),
        pytest.param(["a 1;2", "b 1;2"], ["b 1;2", "a 1;2"], [1, 0], id="ties by title"),
        pytest.param(["a 1;2", "b 1;2"], ["c 1;2", "d 1;2"], [0, 1], id="ties by order"),
        pytest.param(["a 1;2"], ["a 1;2", "a 1;2"], [0, None], id="each row once"),
        pytest.param(["a "], ["b "], [None], id="no documents"),
    ],
)
def test_themes_are_matched_by_their_documents(before, after, pairs, run, tmp_path):
    sides = [
        [theme(base + at, *row.split(" ")) for at, row in enumerate(side)]
        for base, side in ((100, before), (200, after))
    ]
    found = backlogs(run, tmp_path, *sides, table="product_backlog")
    assert [one.key for one in found.new] == [
        f"T-{200 + at:06d}" for at, was in enumerate(pairs) if was is None
    ]
    assert len(found.gone) == len(before) - sum(was is not None for was in pairs)
    moved = {one.key: one.rank for one in found.moved}
    assert moved == {
        f"T-{200 + at:06d}": (was + 1, at + 1)
        for at, was in enumerate(pairs)
        if was is not None and was != at
    }


def test_diff_names_both_sides_of_the_documents(run, changed):
    text = report.render_text(report.diff(changed, run))
    assert "1 only in the first" in text
    assert "1 only in the second" in text
    assert "mentions" in text


def test_the_same_id_twice_is_two_documents(run, tmp_path):
    twice = pd.concat([scored(10), scored(10)], ignore_index=True)
    found = write_run(tmp_path / "out", results(10), twice)
    assert report.diff(found, found).documents.both == 20


def test_diff_needs_two_runs(run, tmp_path):
    with pytest.raises(InputError, match=r"no run\.json"):
        report.diff(run, tmp_path)
    with pytest.raises(InputError, match="a file"):
        report.diff(run, run / "report.html")
    folder = copy_of(run, tmp_path / "out")
    (folder / "scored.parquet").unlink()
    with pytest.raises(InputError, match=r"scored\.parquet: no such file"):
        report.diff(run, folder)


def of_two_months(run, tmp_path, before, after):
    """Compare the product backlogs of two runs: documents 1 to 9 are in both, others in the second."""
    folders = []
    for name, side, last in (("march", before, 9), ("april", after, 99)):
        folder = copy_of(run, tmp_path / name)
        ids = pd.Series([str(number) for number in range(1, last + 1)], dtype="str")
        scored(last).assign(document_id=ids).to_parquet(folder / "scored.parquet")
        whole = pd.read_csv(folder / "product_backlog.csv", dtype="object").head(1).reindex(range(len(side)))
        whole = whole.assign(rank=range(1, len(side) + 1), priority=0.5, mentions=1, accounts=1)
        whole.assign(**pd.DataFrame(side)).to_csv(folder / "product_backlog.csv", index=False)
        folders.append(folder)
    return report.diff(*folders)


def test_a_theme_that_only_grew_by_new_documents_is_no_new_theme(run, tmp_path):
    grown = ";".join(map(str, [1, 2, *range(10, 30)]))
    after = [theme(5, "Fresh", "10;11"), theme(6, "Board", grown)]
    found = of_two_months(run, tmp_path, [theme(7, "Slow", "1;2")], after).product
    assert [one.key for one in found.new] == ["T-000005"]
    assert found.gone == ()
    (moved,) = found.moved
    assert (moved.key, moved.title, moved.first_key, moved.first_title) == (
        "T-000006",
        "Board",
        "T-000007",
        "Slow",
    )


def test_no_kind_of_change_hides_another(run, tmp_path):
    old = [theme(number, f"Old {number}", str(number)) for number in (1, 2, 3)]
    fresh = [theme(50 + number, f"Fresh {number}", str(10 + number)) for number in range(12)]
    told = report.render_text(of_two_months(run, tmp_path, old, [*fresh, theme(40, "Renamed", "2")]))
    assert "  + 10. Fresh 9 (T-000059, new, 1 mention)\n  + … and 2 more" in told
    assert "  - 1. Old 1 (T-000001, gone)\n" in told
    assert "  ~ Renamed (T-000040, was “Old 2” T-000002): rank 2 -> 13" in told


def test_runs_without_a_common_document_say_so(run, tmp_path):
    other = copy_of(run, tmp_path / "out")
    documents = pd.read_parquet(other / "scored.parquet")
    documents.assign(document_id="N-" + documents["document_id"]).to_parquet(other / "scored.parquet")
    assert "none in both: only titles tell" in report.render_text(report.diff(run, other))
    assert "none in both" not in report.render_text(report.diff(run, run))
