"""The labelled data that is part of the project: whole, consistent, and apart from what measures it."""

import hashlib
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import click
import companies
import datasheet
import numpy as np
import pandas as pd
import pytest
import soft_labels
import student
import training_data
import unknown_sources
from trained import ROOT, WRITTEN

from classifier import labelled, splits
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS

FOLDER = ROOT / "data" / "training"
ANNOTATED = sorted(FOLDER.glob("annotations_*.jsonl"))
GOLD = ROOT.parent / "shared" / "data" / "gold"
LONGEST_SPAN = 300


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def written() -> pd.DataFrame:
    return labelled.read_labelled(WRITTEN)


def test_every_file_is_of_a_known_kind():
    known = {path for kind in datasheet.KINDS for path in FOLDER.glob(f"{kind}_*.jsonl")}
    assert known | {companies.FILE, companies.THEMES, companies.TEXTS} == set(FOLDER.glob("*.jsonl"))
    assert len(WRITTEN) >= 2


def test_ids_are_unique_over_all_files():
    twice = [name for name, count in Counter(written()["id"]).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_written_rows(path):
    for row in rows(path):
        place = f"{path.name} {row['id']}"
        assert row["text"] == row["text"].strip() != "", place
        assert set(row["labels"]) <= set(LABELS), place
        assert len(set(row["labels"])) == len(row["labels"]), place
        assert set(row["evidence"]) == set(row["labels"]), place
        for span in row["evidence"].values():
            assert span in row["text"], place
            assert 0 < len(span) <= LONGEST_SPAN, place
        assert (row["expectation_source"] in EXPECTATION_SOURCES) == (GAP in row["labels"]), place
        assert row["source"] in ("support_written", "sales_note"), place
        assert row.get("channel", row["source"]), place


def test_no_text_is_there_twice():
    """But for pairs that were written to differ in a few words: they are one group, so no fold parts them."""
    found = written()
    alike = pd.Series(splits.near_duplicate_groups(found["text"].tolist()))
    named = found["group"].where(found["group"] != "", found["id"])
    assert [group for group, names in named.groupby(alike.to_numpy()) if names.nunique() > 1] == []


def test_every_label_and_source_is_taught():
    assert all(written()[label].sum() >= 100 for label in LABELS)
    assert (~written()[list(LABELS)].any(axis=1)).sum() >= 100
    assert set(EXPECTATION_SOURCES) <= set(written()["expectation_source"])


def test_invented_people_alone():
    """Addresses and numbers of written texts can't be anyone's: reserved names, no long numbers."""
    texts = [*written()["text"], *told_by_customers()]
    addresses = [address for text in texts for address in re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+\w", text)]
    assert all(
        re.search(r"\.(example|test|invalid)$|[@.]example\.(com|org|net)$", address) for address in addresses
    )


@pytest.mark.parametrize("path", ANNOTATED, ids=lambda path: path.name)
def test_annotations_hold_labels_and_places_but_no_text(path):
    found = rows(path)
    assert len({(row["source"], row["id"]) for row in found}) == len(found)
    for row in found:
        place = f"{path.name} {row['source']} {row['id']}"
        assert set(row) <= {
            "source",
            "id",
            "sha256",
            "labels",
            "evidence",
            "expectation_source",
            "annotators",
            "end",
        }, place
        assert re.fullmatch(r"[0-9a-f]{16}", row["sha256"]), place
        assert set(row["labels"]) <= set(LABELS), place
        assert set(row["evidence"]) == set(row["labels"]), place
        assert all(0 <= start < end <= start + LONGEST_SPAN for start, end in row["evidence"].values()), place
        assert (row["expectation_source"] in EXPECTATION_SOURCES) == (GAP in row["labels"]), place


@pytest.mark.skipif(
    not GOLD.is_dir(), reason="the gold texts are not part of the project; here they are not at hand"
)
def test_nothing_written_is_a_near_duplicate_of_gold():
    gold = pd.concat([labelled.read_labelled([path]) for path in sorted(GOLD.glob("*.jsonl"))])[
        "text"
    ].tolist()
    ours = written()["text"].tolist()
    groups = splits.near_duplicate_groups([*ours, *gold])
    shared = set(groups[: len(ours)].tolist()) & set(groups[len(ours) :].tolist())
    assert [written()["id"][row] for row in range(len(ours)) if groups[row] in shared] == []


def edited(text: str) -> list[str]:
    """Return copies of a text as people make them: other case, other figures, a greeting, a lost word."""
    words = text.split()
    return [
        text.upper().replace(".", "!!"),
        re.sub(r"\d", "7", text),
        f"Hi all, {text}",
        " ".join(words[:-1]),
    ]


def test_near_duplicates_never_straddle_folds():
    """Copies are planted among our own texts; grouped folds hold them together, ungrouped ones don't."""
    sample = written()[written()["text"].str.split().str.len() > 20].iloc[:200:2].reset_index(drop=True)
    planted = sample.assign(text=[edited(text)[place % 4] for place, text in enumerate(sample["text"])])
    everything = pd.concat([sample, planted], ignore_index=True)
    has = everything[list(LABELS)].to_numpy(dtype=bool)
    strata = everything["source"].tolist()
    groups = splits.near_duplicate_groups(everything["text"])
    folds = splits.grouped_folds(has, groups, 5, strata=strata)
    assert (folds[: len(sample)] == folds[len(sample) :]).all()
    careless = splits.grouped_folds(has, np.arange(len(has)), 5, strata=strata)
    assert (careless[: len(sample)] != careless[len(sample) :]).any()


def test_training_leaves_out_near_duplicates_of_gold(tmp_path, monkeypatch):
    """Gold texts are planted in the training data as edited copies: none may get through, none unnamed."""
    texts = written()[written()["text"].str.split().str.len() > 20]
    gold, own = texts.iloc[:20], texts.iloc[20:60]
    for place, (name, rows_) in enumerate({"gold/dev": gold, "data/training/written_x": own}.items()):
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(parents=True)
        leaks = [] if place == 0 else [edited(text)[at % 4] for at, text in enumerate(gold["text"])]
        found = [*rows_["text"], *leaks]
        path.write_text(
            "".join(
                json.dumps({"id": f"{name}{at}", "text": text, "labels": []}) + "\n"
                for at, text in enumerate(found)
            ),
            encoding="utf-8",
        )
    said = {"channel": "email", "text": edited(gold["text"].iat[0])[2], "spans": []}
    invented = {
        "company": "Acme",
        "held_out": False,
        "documents": [said, {**said, "text": "Thanks, it works."}],
    }
    further = {**said, "company": "Acme", "text": edited(gold["text"].iat[1])[0]}
    for name, row in (("THEMES", invented), ("TEXTS", further)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        monkeypatch.setattr(companies, name, path)
    near = tmp_path / "near_gold.txt"
    near.write_text("", encoding="utf-8")
    monkeypatch.setattr(training_data, "PROJECT", tmp_path)
    monkeypatch.setattr(training_data, "NEAR_GOLD", near)
    with pytest.raises(click.ClickException, match="near-duplicates of gold texts") as raised:
        training_data.training_data(tmp_path)
    near.write_text(re.search(r"doesn't name: (.*); add", raised.value.message)[1].replace(", ", "\n"))
    learnt = training_data.training_data(tmp_path)
    assert sorted(learnt["text"]) == sorted([*own["text"], "Thanks, it works."])
    # Those who haven't the gold texts get the same documents.
    (tmp_path / "gold" / "dev.jsonl").unlink()
    pd.testing.assert_frame_equal(training_data.training_data(tmp_path), learnt)


def test_a_long_text_is_learnt_from_as_far_as_it_was_labelled(tmp_path):
    """Annotations name a public text by id and hash; `end` says how much of it a reader saw."""
    text = "The export fails every time. " + "More of the same. " * 80
    path = tmp_path / "public" / "forum.parquet"
    path.parent.mkdir()
    pd.DataFrame({"id": ["7"], "text": [f"  {text}"]}).to_parquet(path)
    row = {
        "source": "forum",
        "id": "7",
        "end": 100,
        "sha256": hashlib.sha256(text[:100].strip().encode()).hexdigest()[:16],
        "labels": [LABELS[0]],
        "evidence": {LABELS[0]: [0, 28]},
        "expectation_source": "",
        "annotators": 1,
    }
    annotations = tmp_path / "annotations_x.jsonl"
    annotations.write_text(json.dumps(row) + "\n", encoding="utf-8")
    found = training_data.annotated(annotations, tmp_path)
    assert found["text"].tolist() == [text[:100].strip()]
    assert json.loads(found["evidence"].iat[0]) == {LABELS[0]: "The export fails every time."}
    pd.DataFrame({"id": ["7"], "text": ["Another text."]}).to_parquet(path)
    with pytest.raises(click.ClickException, match="forum 7 has another text"):
        training_data.annotated(annotations, tmp_path)


def examples() -> list[str]:
    folder = ROOT / "data" / "examples"
    tickets = json.loads((folder / "tickets.json").read_text(encoding="utf-8"))["tickets"]
    notes = pd.read_csv(folder / "sales_notes.csv", dtype="str")["Description"].dropna()
    return [*(ticket["description"] for ticket in tickets), *notes]


def told_by_customers() -> list[str]:
    every = [*companies.companies(), *companies.companies(companies.THEMES)]
    texts = [document["text"] for document in companies.companies(companies.TEXTS)]
    return [*texts, *(document["text"] for one in every for document in one["documents"])]


@pytest.mark.parametrize("ours", [lambda: written()["text"].tolist(), told_by_customers])
def test_nothing_learnt_from_is_a_near_duplicate_of_the_examples(ours):
    """The demo company measures themes and links: its texts may not be learnt from."""
    texts = ours()
    groups = splits.near_duplicate_groups([*texts, *examples()])
    assert set(groups[: len(texts)]) & set(groups[len(texts) :]) == set()


# Companies, for the sentence encoder


@pytest.mark.parametrize("one", companies.companies(), ids=lambda one: one["company"])
def test_a_company_is_whole(one):
    claims = [claim["id"] for claim in one["claims"]]
    capabilities = {capability["id"] for capability in one["capabilities"]}
    assert len(set(claims)) == len(claims) >= 8
    assert len(capabilities) == len(one["capabilities"]) >= 10
    assert {capability["status"] for capability in one["capabilities"]} <= {
        "available",
        "planned",
        "not_planned",
    }
    for document in one["documents"]:
        assert document["spans"], document["text"]
        for span in document["spans"]:
            assert span["quote"] in document["text"]
            assert span["label"] in LABELS
            assert span.get("claim", claims[0]) in claims
            assert span.get("capability", next(iter(capabilities))) in capabilities
            assert (span.get("source") in EXPECTATION_SOURCES) == (span["label"] == GAP)
    gaps, requests = companies.asked(one)
    # Every promise is broken, and not every gap is about one.
    assert set(gaps.right) == set(range(len(gaps.texts) + 1))
    assert len(requests.texts) in requests.right


def test_many_companies_are_held_out():
    found = companies.companies()
    assert len({one["company"] for one in found}) == len(found) == 144
    assert sum(one["held_out"] for one in found) == 67


@pytest.mark.parametrize("one", companies.companies(companies.THEMES), ids=lambda one: one["company"])
def test_a_company_with_themes_is_whole(one):
    ids = {theme["id"] for theme in one["themes"]}
    assert len(ids) == len(one["themes"]) >= 20
    assert len({document["text"] for document in one["documents"]}) == len(one["documents"]) >= 100
    for document in one["documents"]:
        for span in document["spans"]:
            assert span["quote"] in document["text"]
            assert len(span["quote"]) <= LONGEST_SPAN
            assert span["label"] in LABELS
            assert span["theme"] in ids
            assert (span.get("source") in EXPECTATION_SOURCES) == (span["label"] == GAP)
    # What can be learnt of a theme: how several people say it.
    named = [
        theme for document in one["documents"] for theme in {span["theme"] for span in document["spans"]}
    ]
    assert min(Counter(named).values()) >= 3
    assert set(named) == ids


def test_companies_with_themes_are_held_out():
    found = companies.companies(companies.THEMES)
    assert len({one["company"] for one in found}) == len(found) == 115
    assert sum(one["held_out"] for one in found) == 14


def company_of(names: pd.Series) -> set[str]:
    return set(names.str.split(":").str[0])


def test_further_texts_of_companies_are_whole():
    found = companies.companies(companies.TEXTS)
    named = [document["company"] for document in found]
    every = [one["company"] for one in companies.companies(companies.THEMES)]
    # Those of a company lie together, in the order of the companies.
    assert list(dict.fromkeys(named)) == [one for one in every if one in named]
    assert named == sorted(named, key=every.index)
    assert len({document["text"] for document in found}) == len(found)
    for document in found:
        assert document["text"] == document["text"].strip() != ""
        for span in document["spans"]:
            assert span["quote"] in document["text"]
            assert 0 < len(span["quote"]) <= LONGEST_SPAN
            assert span["label"] in LABELS
            assert (span.get("source") in EXPECTATION_SOURCES) == (span["label"] == GAP)


def test_documents_of_companies_with_themes_are_labelled_data():
    found, apart = training_data.themed(), training_data.themed(held_out=True)
    assert found["id"].is_unique
    assert not set(found["id"]) & set(written()["id"])
    held_out = {one["company"] for one in companies.companies(companies.THEMES) if one["held_out"]}
    assert company_of(apart["id"]) == held_out
    assert not held_out & company_of(found["id"])
    kinds = training_data.ids_of([training_data.THEMED]), training_data.ids_of([training_data.TEXTS])
    assert set(kinds[0]) | set(kinds[1]) == set(found["id"])
    assert not set(kinds[0]) & set(kinds[1])


def test_companies_that_tiers_are_calibrated_on_are_learnt_from_by_none():
    found = training_data.themed()
    named = found["id"].isin(training_data.HELD_OUT.read_text(encoding="utf-8").splitlines())
    assert named.sum() > 1_000
    assert not company_of(found["id"][named]) & company_of(found["id"][~named])


def test_evidence_and_source_of_a_document_of_a_company():
    found = training_data.themed()
    gaps = found[found[GAP]]
    assert gaps["expectation_source"].isin(EXPECTATION_SOURCES).mean() > 0.99
    told = [
        (json.loads(evidence), text) for evidence, text in zip(gaps["evidence"], gaps["text"], strict=True)
    ]
    # Where two of three say that there is a gap that its writer didn't mark, nobody has marked where.
    assert np.mean([GAP in evidence for evidence, _ in told]) > 0.9
    assert all(span in text for evidence, text in told for span in evidence.values())


def test_a_second_reader_finds_the_same_themes():
    """The page says how often."""
    pairs = [
        (row["first_themes"][label], row["second_themes"][label])
        for row in rows(FOLDER / "readings_themes.jsonl")
        for label in row["first_themes"].keys() & row["second_themes"].keys()
    ]
    same, page = sum(one == other for one, other in pairs), datasheet.PAGE.read_text(encoding="utf-8")
    assert f"of {len(pairs)} labels that both gave, {same} are of the same themes" in page


# The data sheet


def test_the_data_sheet_counts_the_files():
    page = datasheet.PAGE.read_text(encoding="utf-8")
    assert datasheet.rendered(page) == page, "run `make docs`"
    everything = len(written()) + sum(len(rows(path)) for path in ANNOTATED) + len(training_data.themed())
    assert f"| **all** | {everything:,} |" in page


def test_kappas_are_those_of_the_readings():
    agreed = [{"source": "a", "first": [LABELS[0]], "second": [LABELS[0]]} for _ in range(20)]
    none = [{"source": "a", "first": [], "second": []} for _ in range(20)]
    differing = [{"source": "b", "first": [GAP], "second": []}]
    # Too few texts of source b for a line of its own; nobody gave the second label.
    assert datasheet.kappas([*agreed, *none]) == [
        ["a", "40", "1.00", "–", "–"],
        ["**all**", "40", "1.00", "–", "–"],
    ]
    found = datasheet.kappas([*agreed, *none, *differing])
    assert [line[0] for line in found] == ["a", "**all**"]
    assert found[1][1:3] == ["41", "1.00"]


def test_soft_labels_are_apart_from_gold():
    """Copies of gold texts that are planted among the unlabelled ones are left out; the others stay."""
    own = written()["text"].iloc[10:60].tolist()
    gold = written()["text"][written()["text"].str.split().str.len() > 20].iloc[100:140].tolist()
    planted = [edited(text)[place % 4] for place, text in enumerate(gold)]
    pool = pd.DataFrame({"text": [*own, *planted], "id": [str(at) for at in range(len(own) + len(planted))]})
    assert soft_labels.apart(pool, gold)["text"].tolist() == own


def test_soft_labels_hold_no_text():
    rows = pd.read_parquet(soft_labels.FILE)
    assert rows.columns.tolist() == ["source", "id", "sha256", "document", "unit"]
    assert not rows["sha256"].duplicated().any()
    assert rows["sha256"].str.fullmatch(r"[0-9a-f]{16}").all()
    assert set(rows["document"].str.len()) == {len(LABELS)}
    units = rows["unit"].str.len()
    assert (units % len(LABELS) == 0).all()
    assert units.sum() // len(LABELS) >= 300_000


def test_probabilities_come_back_from_their_steps():
    probability = np.array([[0.001, 0.5, 0.93]])
    assert soft_labels._shares(soft_labels._steps(probability)) == pytest.approx(probability, abs=0.01)


KINDS = [kind for kinds in student.LEFT_OUT for kind in kinds]


def test_what_is_told_of_unknown_sources_is_told_of_usual_documents_of_those_sources():
    """Texts that models were unsure of don't tell how a source is decided."""
    table = pd.read_parquet(unknown_sources.FILE)
    assert table["id"].is_unique
    assert np.isfinite(table[list(LABELS)].to_numpy()).all()
    names = {f"{row['source']}:{row['id']}" for path in ANNOTATED for row in rows(path)}
    assert set(table["id"]) <= names - set(training_data.ids_of(training_data.PICKED))
    sources = table["id"].str.partition(":")[0]
    for kind in KINDS:
        assert 30 <= sources.isin(kind).sum() <= unknown_sources.MOST


def labelled_rows(ids: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"id": ids, "source": [name.partition(":")[0] for name in ids]})
    return table.assign(
        **{label: np.arange(len(ids)) % (place + 2) == 0 for place, label in enumerate(LABELS)}
    )


def test_logits_of_unknown_sources_find_their_documents(tmp_path, monkeypatch):
    ids = [f"{kind[0]}:{number}" for kind in KINDS for number in range(3)]
    known = ids[::-2]
    logits = np.array([[ids.index(name) + part / 4 for part in range(len(LABELS))] for name in known])
    monkeypatch.setattr(unknown_sources, "FILE", tmp_path / "a.parquet")
    pd.DataFrame(logits, columns=list(LABELS)).assign(id=known).to_parquet(unknown_sources.FILE)
    documents = labelled_rows(ids)
    places = [np.flatnonzero(documents["source"] == kind[0]) for kind in KINDS]
    before = [np.column_stack([-own.astype(float)] * len(LABELS)) for own in places]
    learnt = student.Student(None, None, None, None, tuple(zip(places, before, strict=True)))
    found = unknown_sources.stacked(unknown_sources.read(documents), documents, learnt)
    for one, own in zip(found, places, strict=True):
        there = [place for place in own if ids[place] in known]
        assert one.stacked[:, 0].tolist() == there
        assert one.before[:, 0].tolist() == [-place for place in there]
        assert (one.has == documents.loc[there, list(LABELS)].to_numpy()).all()


def test_logits_that_know_nothing_of_a_kind_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unknown_sources, "FILE", tmp_path / "a.parquet")
    documents = labelled_rows([f"{kind[0]}:1" for kind in KINDS])
    table = pd.DataFrame(0.0, index=range(len(KINDS) - 1), columns=list(LABELS))
    table.assign(id=documents["id"].iloc[:-1]).to_parquet(unknown_sources.FILE)
    with pytest.raises(click.ClickException, match=f"knows no text of {KINDS[-1][0]}; make it anew"):
        unknown_sources.read(documents)
