import html
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import trained

from classifier import Model, classify, clean, labelled, models, teach
from classifier.errors import InputError, ModelError, OutputError
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS, PAIN


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Labelled files: the small corpus in two parts."""
    folder = tmp_path_factory.mktemp("labelled")
    documents = trained.documents()
    rows = [
        {
            "id": row["id"],
            "text": row["text"],
            "labels": [label for label in LABELS if row[label]],
            "evidence": json.loads(row["evidence"]),
            "expectation_source": row["expectation_source"],
            "source": "ours",
        }
        for _, row in documents.iterrows()
    ]
    paths = [folder / "one.jsonl", folder / "two.jsonl"]
    for path, part in zip(paths, (rows[::2], rows[1::2]), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in part))
    return paths


@pytest.fixture(scope="module")
def taught(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "mine" / "1"
    return teach.train_files(files, out, seed=0), out


def test_the_summary_of_training(taught):
    summary, out = taught
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert list(summary) == [
        "out",
        "model_id",
        "use",
        "current",
        "documents",
        "tells_sources",
        "figures",
        "macro_f1",
        "warnings",
        "seconds",
    ]
    assert (summary["use"], summary["current"]) == (str(out), "1")
    assert summary["tells_sources"]
    assert summary["warnings"] == []
    assert summary["documents"] == len(trained.documents())
    assert summary["out"] == str(out)
    for label in LABELS:
        figures = summary["figures"][label]
        assert list(figures) == ["precision", "recall", "f1", "average_precision", "threshold"]
        assert all(0 < value < 1 for value in figures.values())
    assert summary["macro_f1"] == pytest.approx(
        np.mean([summary["figures"][label]["f1"] for label in LABELS]), abs=1e-5
    )


def test_the_model_that_was_trained(taught):
    summary, out = taught
    loaded = models.load(out)
    assert (loaded.model_id, loaded.name, loaded.version) == (summary["model_id"], "mine", "1")
    assert loaded.description["about"]["documents"] == summary["documents"]
    assert loaded.description["about"]["settings"]["seed"] == 0
    for label in LABELS:
        assert loaded.fast.heads[label].threshold == pytest.approx(
            summary["figures"][label]["threshold"], abs=1e-6
        )


def test_the_card_says_nothing_untrue_of_the_data_of_others(taught):
    text = (taught[1] / models.CARD).read_text()
    assert "# Model card: mine 1" in text
    assert "| ours | as given |" in text
    assert "Texts and labels are those of the files that it was given." in text
    assert "language models" not in text


def test_the_summary_as_text(taught):
    lines = teach.trained_text(taught[0]).splitlines()
    assert lines[0] == f"Trained on {len(trained.documents()):,} documents"
    assert [line.split("  ")[1].strip() for line in lines[3:6]] == [
        "pain point",
        "feature request",
        "expectation gap",
    ]
    assert lines[-2].startswith(f"Model {taught[0]['model_id']}: {taught[1]}  (")
    assert lines[-1] == f"Use it with --model {taught[1]}"


def test_the_summary_says_which_name_means_the_new_version(taught):
    later = {**taught[0], "out": "models/mine/2", "use": "mine/2", "tells_sources": False}
    lines = teach.trained_text(later).splitlines()
    assert lines[6] == "No text says where an expectation came from: expectation_source stays empty"
    assert lines[-2:] == [
        "Use it with --model mine/2",
        "--model mine means version 1, as models/mine/CURRENT says: write 2 into it to change that",
    ]


def test_the_card_of_a_model_that_learnt_no_source_says_so(files, tmp_path):
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    plain = tmp_path / "plain.jsonl"
    told = ({"text": row["text"], "labels": row["labels"]} for row in rows)
    plain.write_text("".join(json.dumps(row) + "\n" for row in told))
    summary = teach.train_files([plain], tmp_path / "m" / "1", seed=0)
    assert not summary["tells_sources"]
    assert "- Doesn't tell where expectations come from" in (tmp_path / "m" / "1" / models.CARD).read_text()
    found = Model(models.load(tmp_path / "m" / "1")).score([row["text"] for row in rows])
    assert found[GAP].any()
    assert set(found["expectation_source"]) == {""}


def test_a_model_beside_other_files_leaves_no_current(files, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    summary = teach.train_files(files, tmp_path / "ours", seed=0)
    assert summary["model_id"].startswith("ours-1-")
    assert summary["current"] == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "ours"]


def test_evidence_that_stands_in_no_text_is_told(files, tmp_path):
    rows = [json.loads(line) for line in files[0].read_text().splitlines()]
    row, label = next((row, label) for row in rows for label in row["evidence"])
    path = tmp_path / "lost.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert labelled.read_placed([path]).warnings() == ()
    row["evidence"][label] = "This was said elsewhere."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (warning,) = labelled.read_placed([path]).warnings()
    place = f"{path} line {rows.index(row) + 1}"
    assert warning.startswith(f"1 text(s) have evidence that doesn't stand in them, the first is {place};")
    ours = teach.Contender(models.load(trained.save(tmp_path / "tiny" / "1")))
    assert teach.evaluate_files([path], ours, None, resamples=5, seed=0).warnings == (warning,)
    assert teach.train_files([path, files[1]], tmp_path / "m" / "1", seed=0)["warnings"] == [warning]


def test_training_reads_texts_as_score_does(files, taught, tmp_path):
    path = tmp_path / "mails.jsonl"
    with path.open("w") as mails:
        for row in (json.loads(line) for one in files for line in one.read_text().splitlines()):
            page = html.escape(row["text"], quote=False).replace("\n", "<br>")
            if clean.clean(f"<div>{page}</div>") == row["text"]:
                row["text"] = f"<div>{page}</div>"
                row["evidence"] = {label: html.escape(span) for label, span in row["evidence"].items()}
            row["text"] += "\n\nSent from my iPhone"
            mails.write(json.dumps(row) + "\n")
    summary = teach.train_files([path], tmp_path / "mine" / "1", seed=0)
    assert summary["warnings"] == []
    assert summary["figures"] == taught[0]["figures"]
    assert summary["model_id"] == taught[0]["model_id"]


def test_training_on_texts_that_score_leaves_out_is_told(files, tmp_path):
    more = "Die Rechnung wird jeden Monat falsch berechnet, und das kostet uns sehr viel Zeit, zum {}. Mal."
    path = tmp_path / "german.jsonl"
    rows = ({"text": more.format(time), "labels": [PAIN]} for time in range(40))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (warning,) = teach.train_files([*files, path], tmp_path / "mine" / "1", seed=0)["warnings"]
    assert " text(s) are in other languages (de, " in warning
    assert "unless scoring.languages in classifier.toml names their language" in warning


def test_training_twice_into_one_folder(taught, files):
    before = {path.name: path.read_bytes() for path in taught[1].iterdir()}
    with pytest.raises(OutputError, match="holds a model already"):
        teach.train_files(files, taught[1], seed=0)
    assert {path.name: path.read_bytes() for path in taught[1].iterdir()} == before


def test_files_that_cannot_be_learnt_from(tmp_path):
    with pytest.raises(InputError, match=r"no.jsonl: no such file"):
        teach.train_files([tmp_path / "no.jsonl"], tmp_path / "m", seed=0)
    few = tmp_path / "few.csv"
    few.write_text("text,labels\nIt broke,pain_point\n")
    with pytest.raises(InputError, match="pain_point: 1 documents with it and 0 without"):
        teach.train_files([few], tmp_path / "m", seed=0)
    assert not (tmp_path / "m").exists()


def test_predictions_are_what_scoring_says():
    texts = trained.documents()["text"]
    found = teach.predictions_of(trained.model(), texts)
    scores = classify.score_texts(trained.model(), texts)
    np.testing.assert_array_equal(found.decisions, scores.decision)
    np.testing.assert_allclose(found.probabilities, scores.probability)
    np.testing.assert_array_equal(found.review, scores.close.any(axis=1))
    assert found.thresholds == tuple(trained.model().heads[label].threshold for label in LABELS)
    for row, spans in enumerate(found.spans):
        every = classify.spans_of(scores, row)
        assert set(spans) == {label for label, *_ in every}
        for label, (start, end) in spans.items():
            own = [span for span in every if span[0] == label]
            best = max(probability for *_, probability in own)
            # Of spans that are equally strong, the first.
            assert (start, end) == next((one[1], one[2]) for one in own if one[3] == best)
        has_gap = found.decisions[row, LABELS.index(GAP)]
        assert (found.expectation_source[row] in EXPECTATION_SOURCES) == has_gap


def test_validation_is_of_out_of_fold_predictions():
    found = teach.validation(trained.documents(), trained.trained(), resamples=20).as_dict()
    assert found["documents"] == len(trained.documents())
    own = (trained.trained().decision == train_labels()).mean()
    assert 0.5 < own < 0.95
    assert found["labels"]["pain_point"]["f1"]["value"] < 0.95


def train_labels():
    from classifier import train

    return train.canonical(trained.documents())[list(LABELS)].to_numpy()


def test_evaluation_of_files(taught, files, tmp_path):
    ours = teach.Contender(models.load(taught[1]))
    found = teach.evaluate_files(files[:1], ours, None, resamples=20, seed=0)
    assert (found.files, found.comparison) == ({}, None)
    assert found.evaluation.as_dict()["documents"] == len(files[0].read_text().splitlines())
    again = teach.evaluate_files(files[:1], ours, tmp_path / "figures", resamples=20, seed=0)
    assert again.evaluation.as_dict() == found.evaluation.as_dict()
    assert again.files
    assert all((tmp_path / "figures" / name).is_file() for name in again.files)
    with pytest.raises(InputError, match="no such file"):
        teach.evaluate_files([tmp_path / "no.jsonl"], ours, None, resamples=20, seed=0)


HARD = [
    "<p>The export &amp; the import crash every time.</p>\n<p>I lost a day.</p>",
    "Die App stürzt ständig ab, und der Export geht nicht mehr.",
    "Traceback (most recent call last):\n  File 'a.py', line 3, in go\nValueError: the export crashes",
    "4,99 / 10",
    "",
    "The export crashes every time and I lose my work. You promised that it works offline.",
]


def test_an_evaluation_judges_what_score_says(taught, tmp_path):
    model = models.load(taught[1])
    always = {label: replace(head, threshold=1e-6) for label, head in model.fast.heads.items()}
    eager = teach.Contender(replace(model, fast=model.fast.with_heads(always)))
    expected = Model(eager.model).score(HARD)
    texts = clean.clean_column(pd.Series(HARD, dtype="str"))
    found = eager.scored(texts)
    assert found.decisions.any(axis=1).tolist() == [True, False, False, False, False, True]
    np.testing.assert_array_equal(found.decisions, expected[list(LABELS)].to_numpy())
    np.testing.assert_array_equal(found.review, expected["review"].to_numpy())
    assert list(found.expectation_source) == expected["expectation_source"].tolist()
    for label in LABELS:
        assert found.probabilities[:, LABELS.index(label)].tolist() == expected[f"{label}_score"].tolist()
        starts = [spans[label][0] if label in spans else None for spans in found.spans]
        assert starts == [None if pd.isna(start) else start for start in expected[f"{label}_start"]]
    rows = [
        {
            "text": HARD[0],
            "labels": [PAIN],
            "evidence": {PAIN: "The export &amp; the import crash every time."},
        }
    ]
    path = tmp_path / "hard.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    measured = teach.evaluate_files([path], eager, None, resamples=5, seed=0)
    evidence = measured.evaluation.as_dict()["evidence"][PAIN]
    assert (evidence["measured"], evidence["lost"], evidence["covered"]["value"]) == (1, 0, 1.0)
    assert measured.warnings == ()


def test_subjects_are_cleaned_as_score_cleans_them(tmp_path):
    # Below a subject that is read as one text with it, all of this would be a quoted mail.
    body = "On Monday, 3 May 2025, Jo <a@b.c> wrote:\n> The export crashes every time."
    row = {"subject": "Export broken", "text": body, "labels": [PAIN]}
    path = tmp_path / "mail.jsonl"
    path.write_text(json.dumps(row) + "\n")
    expected = clean.document_text(pd.Series([row["subject"]]), pd.Series([body]))
    found = teach._as_scored(labelled.read_placed([path])).documents["text"]
    assert found.tolist() == expected.tolist()
    assert found.tolist() != clean.clean_column(labelled.read_labelled([path])["text"]).tolist()


def test_two_models_are_compared_on_the_same_resamples(taught, files, tmp_path):
    ours = teach.Contender(models.load(taught[1]))
    other = teach.Contender(models.load(trained.save(tmp_path / "tiny" / "1")))
    found = teach.evaluate_files(files[:1], ours, tmp_path, against=other, resamples=50, seed=0)
    assert found.comparison is not None
    assert found.comparison.names == (other.name, ours.name)
    pair = found.comparison.macro_f1
    assert pair.second == found.evaluation.macro_f1
    assert pair.difference.value == pytest.approx(pair.second.value - pair.first.value)
    assert found.comparison.as_dict() == json.loads((tmp_path / "evaluation.json").read_text())["comparison"]
    same = teach.evaluate_files(files[:1], ours, None, against=ours, resamples=50, seed=0).comparison
    assert same is not None
    difference = same.macro_f1.difference
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert same.macro_f1.better == ""


def test_a_tier_that_the_model_lacks_is_never_replaced(taught, files):
    model = models.load(taught[1])
    assert teach.Contender(model, "fast").name == f"{model.model_id} fast"
    with pytest.raises(ModelError, match="has no tier 'accurate'"):
        teach.evaluate_files(files[:1], teach.Contender(model, "accurate"), None, resamples=5, seed=0)
